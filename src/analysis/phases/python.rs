//! The phases of `CPython`: interpreter init, `site`, the program, finalization.
//!
//! What each version does was read off `strace` logs of 2.7 and 3.6 to 3.13 (script, `-c`, `-m`,
//! `-S`, `-I`, virtual environments); the order of the calls is that of `init_interp_main` in
//! `Python/pylifecycle.c` and `main` in `Lib/site.py`:
//!
//! 1. Signals: `rt_sigaction` of `SIGPIPE` is the first one that sets something, `SIGINT` the last.
//! 2. Standard streams: `fstat`, `ioctl`, `lseek`... of descriptors 0, 1 and 2, in this order. 2.7
//!    does this after `site`, just before the program.
//! 3. `site` (3.x) begins with the call after the streams. That it runs at all is seen by a lookup of
//!    `site.py` (up to 3.10) or of `pyvenv.cfg` (3.11 and later, where the module itself is frozen).
//! 4. The program. A script begins with the first lookup of its path. `-m` and `-c` look up nothing
//!    of their own, but the first import looks into the current directory, with `getcwd`. A `-c`
//!    without imports begins after the last lookup of `site`, if that is the end of a vain search
//!    through a `…-packages` directory (for `usercustomize`), else the two are one phase
//!    (`python_search`).
//! 5. Finalization gives `SIGINT` its default back; nothing is opened or started after that. Where `SIGINT`
//!    was ignored from the start (in the background of a shell, under nohup) Python never sets it, and
//!    finalization is one phase with the program.

use super::command_line::{absolute, same_file};
use super::python_args::{Invocation, Run, invocation};
use super::python_search::Searches;
use super::{Cut, Interpreter, PhaseKind, Segments, Start};
use crate::analysis::calls::{Call, Role};
use crate::analysis::text::{arguments, file_name};
use crate::event::{Event, Kind};
use crate::syscall::Family;

/// Name of a phase of 2.7, which sets up its streams (and imports `encodings` for them) after `site`.
pub const ENCODINGS_WITH_SITE: &str = "site, encodings";

/// Files that `site` looks for, or that are looked for when it is imported (2.7 in the first three forms).
const SITE: [&[u8]; 5] = [b"site", b"site.so", b"sitemodule.so", b"site.py", b"pyvenv.cfg"];
const SIGINT: u64 = 2;
const SIGPIPE: u64 = 13;

/// How far an interpreter got.
#[derive(Debug)]
struct Python {
    invocation: Invocation,
    /// The script's absolute path, if it is one.
    script: Vec<u8>,
    /// What was executed, if that was not Python by name: perhaps a script.
    executed: Option<Vec<u8>>,
    signals: bool,
    /// What stands between the descriptors of the standard streams and the next call.
    streams: Streams,
    /// The first call after the standard streams.
    streams_end: Option<Cut>,
    site: Option<Cut>,
    /// The searches of the module path so far.
    searches: Searches,
    program: Program,
    /// It set a handler of `SIGINT`, whose default comes back at the end.
    handles_interrupt: bool,
    /// It left by `exit_group(2)`.
    left: bool,
    exit: Option<Cut>,
}

/// Where the program begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Program {
    NotYet,
    At(Cut),
    /// It has begun, and cannot be told from `site`.
    Merged,
}

#[derive(Debug, PartialEq, Eq)]
enum Streams {
    Before,
    First,
    Error,
}

/// Whether this is a `CPython`: `python`, `python2.7`, `python3.13t`, `python3-dbg`...
pub(super) fn recognises(start: &Start<'_>) -> bool {
    is_python(start.path)
}

fn is_python(path: &[u8]) -> bool {
    let Some(version) = file_name(path).strip_prefix(b"python") else { return false };
    let version = version.strip_suffix(b"-dbg").unwrap_or(version);
    let letters = version.iter().rposition(u8::is_ascii_digit).map_or(0, |at| at + 1);
    version[..letters].iter().all(|b| b.is_ascii_digit() || *b == b'.')
        && version[letters..].iter().all(|b| b"dmut".contains(b))
}

/// The script on a command line. The arguments of a script that names Python in its first line are
/// its own, itself first.
pub(super) fn script<'a>(start: &Start<'a>) -> Option<&'a [u8]> {
    match invocation(arguments(start.argv)).run {
        Run::Script(script) => arguments(start.argv).find(|&argument| argument == script),
        _ => arguments(start.argv).next().filter(|name| !is_python(name)),
    }
}

/// The script, where Python goes by its own name: under another it may be a script's.
pub(super) fn runs(start: &Start<'_>) -> Option<Vec<u8>> {
    let first = arguments(start.argv).next().unwrap_or_default();
    script(start).filter(|_| is_python(first)).map(<[u8]>::to_vec)
}

/// Follows one.
pub(super) fn start(start: &Start<'_>) -> Box<dyn Interpreter> {
    let invocation = invocation(arguments(start.argv));
    let script = match &invocation.run {
        Run::Script(path) => absolute(start.cwd, path),
        _ => Vec::new(),
    };
    Box::new(Python {
        invocation,
        script,
        executed: None,
        signals: false,
        streams: Streams::Before,
        streams_end: None,
        site: None,
        searches: Searches::default(),
        program: Program::NotYet,
        handles_interrupt: false,
        left: false,
        exit: None,
    })
}

impl Interpreter for Python {
    fn executed(&mut self, path: &[u8]) {
        if !is_python(path) {
            self.executed = Some(path.to_vec());
            if matches!(self.invocation.run, Run::Stdin | Run::Nothing) {
                // Without a script, there would be nothing to run: it is one.
                self.invocation.run = Run::Script(file_name(path).to_vec());
                self.script = path.to_vec();
            }
        }
    }

    fn see(&mut self, event: &Event<'_>, call: Option<&Call>, segments: &mut Segments) {
        let Some(call) = call.filter(|_| event.kind == Kind::Syscall) else { return };
        let path = event.path.filter(|path| call.takes_path() && !path.is_empty());
        if path.is_none() && self.site.is_some() && self.program == Program::NotYet {
            self.searches.other_call(segments);
        }
        if self.signals && self.program == Program::NotYet {
            self.standard_streams(event, call, segments);
        }
        match call.role {
            Role::Sigaction if event.args[1] != 0 => self.set_signal(event, segments),
            Role::Getcwd => self.getcwd(event, segments),
            Role::ExitGroup => self.left = true,
            _ => {}
        }
        if !self.signals {
            return;
        }
        if self.program != Program::NotYet {
            self.winding_up(call);
        } else if let Some(path) = path {
            self.path(event, path, segments);
        } else {
            self.other(event, call);
        }
    }

    fn phases(&self) -> Vec<(PhaseKind, Vec<u8>, Option<Cut>)> {
        let mut name = match &self.invocation.run {
            Run::Script(path) => path.clone(),
            Run::Command => b"-c".to_vec(),
            Run::Module(name) => [b"-m ", name.as_slice()].concat(),
            Run::Stdin => b"standard input".to_vec(),
            Run::Nothing => b"options".to_vec(),
        };
        if self.left && !self.handles_interrupt {
            name.extend_from_slice(b" and finalization");
        }
        let site = if self.streams_last() { ENCODINGS_WITH_SITE } else { "site" };
        let init = (PhaseKind::Init, b"interpreter init".to_vec(), None);
        match (self.site, self.program) {
            (Some(begin), Program::At(program)) => vec![
                init,
                (PhaseKind::Site, site.into(), Some(begin)),
                (PhaseKind::Program, name, Some(program)),
            ],
            (Some(begin), _) => {
                vec![init, (PhaseKind::Program, [b"site and ", name.as_slice()].concat(), Some(begin))]
            }
            (None, Program::At(program)) => vec![init, (PhaseKind::Program, name, Some(program))],
            (None, _) => vec![init],
        }
    }

    fn exit(&self) -> Option<Cut> {
        self.exit
    }
}

impl Python {
    fn set_signal(&mut self, event: &Event<'_>, segments: &mut Segments) {
        self.handles_interrupt |= event.args[0] == SIGINT;
        match event.args[0] {
            SIGPIPE => self.signals = true,
            SIGINT if self.program != Program::NotYet => self.exit = segments.cut(event.start_ns),
            // The end of a program that made no call at all.
            SIGINT if self.searches.any() => {
                self.after_searches();
                self.exit = segments.cut(event.start_ns);
            }
            _ => {}
        }
    }

    /// Whether the streams were set up after `site`: 2.7.
    fn streams_last(&self) -> bool {
        self.site.zip(self.streams_end).is_some_and(|(site, end)| site.segment < end.segment)
    }

    /// The end is not yet: a program may well set its own handler of `SIGINT` and go on.
    fn winding_up(&mut self, call: &Call) {
        if self.exit.is_some()
            && matches!(call.family(), Family::Open | Family::Process | Family::Network)
            && call.role != Role::ExitGroup
        {
            self.exit = None;
        }
    }

    fn standard_streams(&mut self, event: &Event<'_>, call: &Call, segments: &mut Segments) {
        let about_descriptor = matches!(call.family(), Family::Stat | Family::Seek | Family::Descriptor)
            && event.path.is_none_or(<[u8]>::is_empty);
        match event.args[0] {
            2 if about_descriptor => self.streams = Streams::Error,
            0 | 1 if about_descriptor && self.streams != Streams::Error => self.streams = Streams::First,
            _ if self.streams == Streams::Error
                && self.streams_end.is_none()
                && call.family() != Family::Memory =>
            {
                self.streams_end = segments.cut(event.start_ns);
                if self.invocation.no_site || self.streams_last() {
                    self.begin(self.streams_end);
                }
            }
            _ => {}
        }
    }

    fn path(&mut self, event: &Event<'_>, path: &[u8], segments: &mut Segments) {
        let name = file_name(path);
        if self.is_script(event, path, name) {
            self.begin(segments.cut(event.start_ns));
            return;
        }
        if self.site.is_none() && !self.invocation.no_site && SITE.contains(&name) {
            self.site = self.streams_end.or_else(|| segments.cut(event.start_ns));
        }
        if self.site.is_some() {
            self.searches.lookup(event, path);
        }
    }

    fn is_script(&mut self, event: &Event<'_>, path: &[u8], name: &[u8]) -> bool {
        let absolute = event.path_abs.unwrap_or(path);
        if self.executed.as_ref().is_some_and(|executed| same_file(executed, absolute)) {
            self.invocation.run = Run::Script(name.to_vec());
            return true;
        }
        let Run::Script(script) = &self.invocation.run else { return false };
        path == script.as_slice() || same_file(&self.script, absolute) || same_file(&self.script, path)
    }

    /// The current directory is asked for: by the first import of `-c` and `-m`, and by those
    /// versions that make the script's path absolute.
    fn getcwd(&mut self, event: &Event<'_>, segments: &mut Segments) {
        if self.program != Program::NotYet {
            return;
        }
        match (&self.invocation.run, event.text) {
            (Run::Script(script), Some(cwd)) => self.script = absolute(cwd, script),
            (Run::Script(_), None) => return,
            _ => {}
        }
        let imports = matches!(self.invocation.run, Run::Command | Run::Module(_) | Run::Stdin);
        if imports && self.searches.any() {
            self.begin(self.searches.end().or_else(|| segments.cut(event.start_ns)));
        }
    }

    /// A call that `site` does not make by itself. (What `.pth` files import may.)
    fn other(&mut self, event: &Event<'_>, call: &Call) {
        let acts = matches!(call.family(), Family::Process | Family::Network | Family::Poll)
            || (matches!(call.family(), Family::Read | Family::Write) && event.args[0] <= 2);
        let script = matches!(self.invocation.run, Run::Script(_));
        if acts && !script && self.searches.any() && !self.searches.may_run_path_file() {
            self.after_searches();
        }
    }

    /// The program began somewhere after the last lookup seen, before the current call.
    fn after_searches(&mut self) {
        // An import by the program begins with the current directory, where that is on the path.
        let known = !self.invocation.no_cwd
            || self.searches.passes() <= self.searches.expected(!self.invocation.no_user_site);
        self.begin(self.searches.end().filter(|_| known));
    }

    fn begin(&mut self, cut: Option<Cut>) {
        self.program = cut.map_or(Program::Merged, Program::At);
    }
}
