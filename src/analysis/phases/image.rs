//! What every program has: the exec, the dynamic loader, the program itself, its exit.
//!
//! - **exec** lasts from the entry of the `execve` that succeeded to the new image (the exec event).
//! - **dynamic loader** lasts to the mark `entry`: `AT_ENTRY` was reached. Without the mark (logs of
//!   other tools), glibc's loader is done when it unmaps `/etc/ld.so.cache`; only constructors of
//!   libraries come after that. Without either, loader and program are one phase.
//! - **exit** begins with `exit_group`, or where an interpreter is seen to wind up.

use super::{Boundary, Cut, Interpreter, PhaseKind, Segments, Start, interpreter, is_exec, program_name};
use crate::analysis::calls::{Call, Role};
use crate::event::{Event, Kind, mark};
use crate::syscall::Family;

/// The last program a process became, and how far it got.
#[derive(Debug)]
pub(super) struct Image {
    cwd: Vec<u8>,
    /// First event of the process.
    begin_ns: u64,
    /// Exec events of the process.
    execs: u32,
    name: Vec<u8>,
    /// The successful execve, where its row came before the exec event, and its path.
    call: Option<Cut>,
    executed: Vec<u8>,
    exec: Option<Cut>,
    exec_end_ns: u64,
    loader: Option<Cut>,
    /// Whether it did what no loader does.
    acted: bool,
    /// Address of the mapping of `/etc/ld.so.cache`.
    cache: Option<u64>,
    /// When it was unmapped.
    unmapped_ns: Option<u64>,
    program: Option<Cut>,
    interpreter: Option<Box<dyn Interpreter>>,
    exit: Option<Cut>,
    end_ns: Option<u64>,
    after: Option<Cut>,
}

impl Image {
    pub(super) fn new(cwd: &[u8], begin_ns: u64) -> Self {
        Self {
            cwd: cwd.to_vec(),
            begin_ns,
            execs: 0,
            name: Vec::new(),
            call: None,
            executed: Vec::new(),
            exec: None,
            exec_end_ns: 0,
            loader: None,
            acted: false,
            cache: None,
            unmapped_ns: None,
            program: None,
            interpreter: None,
            exit: None,
            end_ns: None,
            after: None,
        }
    }

    pub(super) fn is_interpreter(&self) -> bool {
        self.interpreter.is_some()
    }

    pub(super) fn see(&mut self, event: &Event<'_>, call: Option<&Call>, segments: &mut Segments) {
        if event.kind == Kind::Exec {
            self.exec(event, segments);
        } else if is_exec(event, call) {
            self.exec_call(event, segments);
        } else {
            if self.exec.is_some() && self.loader.is_none() {
                self.loader = segments.cut(self.exec_end_ns);
            }
            if event.tid == event.pid {
                self.first_thread(event, call, segments);
            }
        }
    }

    fn exec(&mut self, event: &Event<'_>, segments: &mut Segments) {
        let start = Start {
            path: event.path_abs.or(event.path).unwrap_or_default(),
            argv: event.argv.unwrap_or_default(),
            cwd: &self.cwd,
        };
        let executed = std::mem::take(&mut self.executed);
        let cut = self.call.take().or_else(|| segments.cut(event.start_ns));
        *self = Self {
            execs: self.execs + 1,
            name: program_name(&start),
            exec: cut,
            exec_end_ns: event.start_ns,
            interpreter: interpreter(&start).map(|kind| (kind.start)(&start)),
            ..Self::new(&self.cwd, self.begin_ns)
        };
        if let Some(interpreter) = self.interpreter.as_mut().filter(|_| !executed.is_empty()) {
            interpreter.executed(&executed);
        }
    }

    /// The row of the execve that succeeded: it can come just after the exec event or just before.
    fn exec_call(&mut self, event: &Event<'_>, segments: &mut Segments) {
        let path = event.path_abs.or(event.path).unwrap_or_default();
        match &mut self.exec {
            Some(exec) if self.loader.is_none() => {
                exec.at_ns = exec.at_ns.min(event.start_ns);
                if let Some(interpreter) = &mut self.interpreter {
                    interpreter.executed(path);
                }
            }
            _ => {
                self.call = segments.cut(event.start_ns);
                self.executed = path.to_vec();
            }
        }
    }

    fn first_thread(&mut self, event: &Event<'_>, call: Option<&Call>, segments: &mut Segments) {
        if event.kind == Kind::Exit {
            self.end_ns = Some(event.start_ns);
            return;
        }
        if let Some(unmapped_ns) = self.unmapped_ns.take() {
            self.program = segments.cut(unmapped_ns);
        }
        if event.kind == Kind::Mark && event.text == Some(mark::ENTRY.as_bytes()) {
            self.program = segments.cut(event.start_ns).or(self.program);
            self.cache = None;
        }
        // A loader does none of this; a program may load more libraries later, in the same way.
        self.acted |= call.is_some_and(|call| {
            matches!(call.family(), Family::Write | Family::Process | Family::Network | Family::Signal)
        });
        match call.map(|call| call.role) {
            Some(Role::Mmap) if self.program.is_none() && !self.acted => self.mapped(event),
            Some(Role::Munmap) if self.program.is_none() && self.cache == Some(event.args[0]) => {
                self.unmapped_ns = event.end_ns;
            }
            Some(Role::ExitGroup) => self.exit = segments.cut(event.start_ns),
            _ => {}
        }
        if let Some(interpreter) = &mut self.interpreter {
            interpreter.see(event, call, segments);
        }
    }

    fn mapped(&mut self, event: &Event<'_>) {
        let cache = event.file.is_some_and(|file| file.ends_with(b"/ld.so.cache"));
        if cache && event.errno().is_none() {
            self.cache = event.ret.map(|address| address as u64);
        }
    }

    /// Takes note of the first event of any process after the end of this one.
    pub(super) fn ended(&mut self, segments: &mut Segments) {
        if let (Some(end_ns), None) = (self.end_ns, self.after) {
            self.after = segments.cut(end_ns);
        }
    }

    /// Where its phases begin. `root`: it is the command's own process.
    pub(super) fn boundaries(&self, root: bool) -> Vec<Boundary> {
        let mut list = Boundaries::default();
        let start = Cut { segment: 0, at_ns: 0 };
        if !root || self.execs > 1 {
            list.begin(PhaseKind::Launcher, b"before ", &self.name, Some(start));
        }
        // Whatever stands before the command's only exec belongs to it.
        let exec = self.exec.map(|cut| if list.0.is_empty() { Cut { segment: 0, ..cut } } else { cut });
        list.begin(PhaseKind::Exec, b"exec", b"", exec);
        let inner = self.interpreter.as_ref().map(|interpreter| interpreter.phases()).unwrap_or_default();
        let first = inner.first();
        let (kind, name) = match first {
            Some((kind, name, _)) => (*kind, name.as_slice()),
            None => (PhaseKind::Program, self.name.as_slice()),
        };
        if self.program.is_some() {
            list.begin(PhaseKind::Loader, b"dynamic loader", b"", self.loader);
            list.begin(kind, b"", name, self.program);
        } else {
            let from = self.loader.or(self.exec.is_none().then_some(start));
            list.begin(kind, if self.exec.is_some() { b"dynamic loader and " } else { b"" }, name, from);
        }
        for (kind, name, cut) in inner.iter().skip(1) {
            list.begin(*kind, b"", name, *cut);
        }
        let finalization = self.interpreter.as_ref().and_then(|interpreter| interpreter.exit());
        list.begin(PhaseKind::Exit, b"exit", b"", finalization.or(self.exit));
        let kind = if root { PhaseKind::After } else { PhaseKind::Rest };
        list.begin(kind, b"after ", &self.name, self.after);
        list.0
    }

    /// Adds what comes after the end of this one, the command's own process, to another's phases.
    pub(super) fn end(&self, boundaries: &mut Vec<Boundary>) {
        let mut list = Boundaries(std::mem::take(boundaries));
        list.begin(PhaseKind::After, b"after ", &self.name, self.after);
        *boundaries = list.0;
    }
}

/// Boundaries in order; one that does not lie after the one before is left out.
#[derive(Default)]
struct Boundaries(Vec<Boundary>);

impl Boundaries {
    fn begin(&mut self, kind: PhaseKind, prefix: &[u8], name: &[u8], cut: Option<Cut>) {
        let Some(cut) = cut else { return };
        let later = |last: &Boundary| cut.segment >= last.cut.segment && cut.at_ns >= last.cut.at_ns;
        if self.0.last().is_none_or(later) {
            self.0.push(Boundary { kind, name: [prefix, name].concat(), cut });
        }
    }
}
