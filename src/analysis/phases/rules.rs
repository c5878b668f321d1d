//! Interpreters whose phases a table can tell: each phase begins at the first event that one of its rules names.
//!
//! A phase that is not seen is left out. The last one is the program; where its begin cannot be told, it is
//! one phase with the one before, and named so.

use super::command_line::{Options, Run, absolute, same_file};
use super::{Cut, Interpreter, PhaseKind, Segments, Start};
use crate::analysis::calls::{Call, Role};
use crate::analysis::text::{arguments, file_name};
use crate::event::{Event, Kind};
use crate::syscall::Family;

/// An interpreter.
#[derive(Debug)]
pub(super) struct Rules {
    /// Names of its executable, without a version at the end, and others it is known to be called by.
    pub(super) names: &'static [&'static str],
    /// Its command line.
    pub(super) options: Options,
    /// Name of its first phase, from the program's entry point.
    pub(super) first: &'static str,
    /// The phases after that, in order; the last one is what is run.
    pub(super) steps: &'static [Step],
    /// Where it begins to wind up.
    pub(super) exit: &'static [When],
    /// Calls of these families show that it did not, if they come after that; of those that write, only to
    /// the standard streams (at its end node writes to its threads).
    pub(super) goes_on: &'static [Family],
    /// What that phase is called.
    pub(super) exit_name: &'static str,
    /// What it opens instead of a script when it is given code.
    pub(super) code_file: &'static str,
    /// Whether a thread other than the first runs the program.
    pub(super) threads: bool,
}

/// A phase.
#[derive(Debug)]
pub(super) struct Step {
    /// What it is.
    pub(super) kind: PhaseKind,
    /// Its name; empty: that of what is run.
    pub(super) name: &'static str,
    /// It begins at the first of these.
    pub(super) begins: &'static [When],
    /// Only after this step (0: the first phase), or a later one.
    pub(super) after: usize,
    /// Whether what was taken for a later step was none, if this one is seen after it.
    pub(super) takes_back: bool,
}

impl Step {
    /// A phase of the interpreter's own start.
    pub(super) const fn init(name: &'static str, begins: &'static [When]) -> Self {
        Self { kind: PhaseKind::Init, name, begins, after: 0, takes_back: false }
    }

    /// What is run.
    pub(super) const fn run(begins: &'static [When]) -> Self {
        Self { kind: PhaseKind::Program, name: "", begins, after: 0, takes_back: false }
    }
}

/// An event to recognise.
#[derive(Debug)]
pub(super) enum When {
    /// A lookup of a path that ends like this.
    Looks(&'static str),
    /// A call by this name about a path with this in it.
    CallOn(&'static str, &'static str),
    /// A call by this name whose first argument is this.
    CallWith(&'static str, u64),
    /// A call by this name.
    Call(&'static str),
    /// The script is looked up; or standard input is read, if that is the script.
    Script,
    /// The script is opened.
    OpensScript,
    /// The script's descriptor is read.
    ReadsScript,
    /// The script's descriptor is closed.
    ClosesScript,
    /// The script's descriptor is closed just after its end was read, and not as the last thing of all.
    ClosesReadScript,
}

/// How far an interpreter got.
#[derive(Debug)]
pub(super) struct Follower {
    rules: &'static Rules,
    run: Run,
    /// Files that are the script; a class is in the file with its name at the end.
    scripts: Vec<Vec<u8>>,
    cwd: Vec<u8>,
    /// What was executed, absolute, if that was not the interpreter by name: a script, or another name of it.
    executed: Vec<u8>,
    /// The script's descriptor.
    descriptor: Option<i64>,
    /// Whether the last call read the end of the script, or the script is code and has no end to be read.
    at_end: bool,
    /// Calls since the present step began.
    calls: u64,
    /// The steps seen: where, by step.
    seen: Vec<Option<Cut>>,
    /// The present step, counted from 1; 0 is the first phase.
    step: usize,
    exit: Option<Cut>,
}

impl Rules {
    /// Whether the executable is called so: the name, perhaps with a version at the end.
    pub(super) fn is_named(&self, name: &[u8]) -> bool {
        let version =
            |rest: &[u8]| rest.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
        self.names.iter().any(|known| name.strip_prefix(known.as_bytes()).is_some_and(version))
    }

    /// Whether the program is this interpreter.
    pub(super) fn recognises(&self, start: &Start<'_>) -> bool {
        self.is_named(file_name(start.path))
    }

    /// The file it is asked to run.
    pub(super) fn script(&self, start: &Start<'_>) -> Option<Vec<u8>> {
        match self.options.run(start) {
            Run::Script(path) => Some(path),
            _ => None,
        }
    }

    /// What it is asked to run, as it stands there; `None`: not known. Under another name than its own it may be a script that
    /// names its interpreter in its first line, whose arguments are the script's.
    pub(super) fn runs(&self, start: &Start<'_>) -> Option<Vec<u8>> {
        let first = arguments(start.argv).next().unwrap_or_default();
        if !self.is_named(file_name(first)) {
            return None;
        }
        match self.options.run(start) {
            Run::Stdin | Run::Nothing => None,
            run => Some(run.name().to_vec()),
        }
    }

    /// Follows one.
    pub(super) fn follow(&'static self, start: &Start<'_>) -> Box<dyn Interpreter> {
        let run = self.options.run(start);
        let scripts = match &run {
            Run::Script(path) => vec![absolute(start.cwd, path)],
            Run::Class(_, archives) => archives.iter().map(|path| absolute(start.cwd, path)).collect(),
            Run::Code(_) if !self.code_file.is_empty() => vec![self.code_file.as_bytes().to_vec()],
            _ => Vec::new(),
        };
        Box::new(Follower {
            rules: self,
            run,
            scripts,
            cwd: start.cwd.to_vec(),
            executed: Vec::new(),
            descriptor: None,
            at_end: false,
            calls: 0,
            seen: vec![None; self.steps.len()],
            step: 0,
            exit: None,
        })
    }
}

impl Interpreter for Follower {
    fn executed(&mut self, path: &[u8]) {
        if !self.rules.is_named(file_name(path)) {
            self.executed = absolute(&self.cwd, path);
        }
    }

    fn all_threads(&self) -> bool {
        self.rules.threads
    }

    fn see(&mut self, event: &Event<'_>, call: Option<&Call>, segments: &mut Segments) {
        let Some(call) = call.filter(|_| event.kind == Kind::Syscall) else { return };
        let is_script = self.is_script(event, call);
        // A script may open itself again, for the data in it.
        if is_script && self.descriptor.is_none() && call.family() == Family::Open && event.errno().is_none()
        {
            self.descriptor = event.ret;
        }
        self.calls += u64::from(call.role != Role::ExitGroup);
        self.advance(event, call, is_script, segments);
        self.at_end = call.family() == Family::Read && event.ret == Some(0) && self.on_script(event);
        self.wind_up(event, call, segments);
    }

    fn phases(&self) -> Vec<(PhaseKind, Vec<u8>, Option<Cut>)> {
        let mut phases = vec![(PhaseKind::Init, self.rules.first.as_bytes().to_vec(), None)];
        let inner = &self.seen[..self.seen.len().saturating_sub(1)];
        for (step, cut) in self.rules.steps.iter().zip(inner.iter().copied().chain([self.last()])) {
            if cut.is_some() {
                let name = if step.name.is_empty() { self.run.name() } else { step.name.as_bytes() };
                phases.push((step.kind, name.to_vec(), cut));
            }
        }
        if self.last().is_none()
            && self.run != Run::Nothing
            && let Some((kind, name, _)) = phases.last_mut()
        {
            *kind = PhaseKind::Program;
            name.extend_from_slice(b" and ");
            name.extend_from_slice(self.run.name());
        }
        phases
    }

    fn exit(&self) -> Option<Cut> {
        self.exit
    }

    fn exit_name(&self) -> &'static str {
        self.rules.exit_name
    }
}

impl Follower {
    /// Whether a call is given the script's name.
    fn is_script(&mut self, event: &Event<'_>, call: &Call) -> bool {
        let Some(path) = event.path.filter(|path| call.takes_path() && !path.is_empty()) else {
            return false;
        };
        let absolute = event.path_abs.unwrap_or(path);
        if !self.executed.is_empty() && same_file(&self.executed, absolute) {
            // It reads what was executed, as a script.
            self.scripts = vec![std::mem::take(&mut self.executed)];
            self.run = Run::Script(file_name(path).to_vec());
        }
        let named = match &self.run {
            Run::Class(class, _) => {
                let file = path.strip_suffix(b".class").unwrap_or_default();
                file.len() > class.len()
                    && file
                        .iter()
                        .rev()
                        .zip(class.iter().rev())
                        .all(|(a, b)| a == b || (*a, *b) == (b'/', b'.'))
            }
            Run::Script(script) => path == script.as_slice(),
            _ => false,
        };
        named || self.scripts.iter().any(|script| same_file(script, absolute))
    }

    fn advance(&mut self, event: &Event<'_>, call: &Call, is_script: bool, segments: &mut Segments) {
        for (at, step) in self.rules.steps.iter().enumerate() {
            let number = at + 1;
            let next = number > self.step || (step.takes_back && self.seen[at].is_none());
            if next
                && self.step >= step.after
                && step.begins.iter().any(|when| self.happens(when, event, call, is_script))
            {
                self.seen[number..].fill(None);
                self.seen[at] = segments.cut(event.start_ns);
                self.step = number;
                self.calls = 0;
                return;
            }
        }
    }

    fn wind_up(&mut self, event: &Event<'_>, call: &Call, segments: &mut Segments) {
        let runs = self.step == self.rules.steps.len();
        let to_threads = call.family() == Family::Write && !matches!(event.args[0], 1 | 2);
        let goes_on =
            self.rules.goes_on.contains(&call.family()) && call.role != Role::ExitGroup && !to_threads;
        let exits = self.rules.exit.iter().any(|when| self.happens(when, event, call, false));
        if exits && self.exit.is_none() && (runs || self.run_is_merged()) {
            self.exit = segments.cut(event.start_ns);
        } else if goes_on && call.name.as_ref() != "exit" {
            self.exit = None;
        }
    }

    /// Whether a call is about the script's descriptor.
    fn on_script(&self, event: &Event<'_>) -> bool {
        self.descriptor.is_some_and(|descriptor| descriptor as u64 == event.args[0])
    }

    /// Where the last step began, unless it is one that a call must follow and none did.
    fn last(&self) -> Option<Cut> {
        let (step, cut) = (self.rules.steps.last()?, *self.seen.last()?);
        let must_act = step.begins.iter().any(|when| matches!(when, When::ClosesReadScript));
        cut.filter(|_| self.calls > 0 || !must_act)
    }

    /// Whether what is run has no begin that could be seen.
    fn run_is_merged(&self) -> bool {
        matches!(self.run, Run::Code(_) | Run::Server(_) | Run::Class(..) | Run::Nothing)
    }

    fn happens(&self, when: &When, event: &Event<'_>, call: &Call, is_script: bool) -> bool {
        let path = || event.path.filter(|path| call.takes_path() && !path.is_empty());
        match *when {
            When::Looks(end) => path().is_some_and(|path| path.ends_with(end.as_bytes())),
            When::CallOn(name, part) => {
                call.name.as_ref() == name
                    && path()
                        .is_some_and(|path| path.windows(part.len()).any(|piece| piece == part.as_bytes()))
            }
            When::CallWith(name, first) => call.name.as_ref() == name && event.args[0] == first,
            When::Call(name) => call.name.as_ref() == name,
            When::Script if self.run == Run::Stdin => call.family() == Family::Read && event.args[0] == 0,
            When::Script => is_script,
            When::OpensScript => is_script && call.family() == Family::Open && event.errno().is_none(),
            When::ReadsScript => call.family() == Family::Read && self.on_script(event),
            When::ClosesScript => call.name.as_ref() == "close" && self.on_script(event),
            When::ClosesReadScript => {
                let whole = self.at_end || matches!(self.run, Run::Code(_));
                whole && call.name.as_ref() == "close" && self.on_script(event)
            }
        }
    }
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
