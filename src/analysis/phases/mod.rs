//! Where in a run we are: its time cut into phases.
//!
//! Some boundaries are known only later: an interpreter's end is at the *last* of several calls, or
//! a phase is there only if a certain file is looked up afterwards. So the timeline is first cut
//! into **segments** at everything that may turn out to be a boundary, each event is counted under
//! its segment, and at the end the segments are joined into phases. Nothing is looked at twice.
//!
//! ```text
//! events   e e e e e e e e e e e e e e e e e e
//! segments 0 0 0 1 1 1 1 2 2 3 3 3 3 3 4 4 5 5
//! phases   [exec][loader   ][init     ][exit ]
//! ```
//!
//! `image` knows what every program has: exec, dynamic loader, the program, exit. What lies inside
//! "the program" is told by the interpreters of [`INTERPRETERS`]. Where a boundary cannot be told,
//! phases are merged and the name says so; none is invented.

mod build;
mod command_line;
mod image;
mod interpreters;
pub(in crate::analysis) mod loader;
mod managers;
mod python;
mod python_args;
mod python_search;
mod rules;
mod segments;
#[cfg(test)]
mod tests;

use rustc_hash::FxHashMap;
use serde::Serialize;

use super::calls::{Call, Role};
use super::process::{ProcessId, Processes};
use super::text::{arguments, file_name};
use crate::event::{Event, Kind};
use crate::log::Header;
pub use build::{Inputs, Phase, Phases, build, is_after, phase_of_segment};
use image::Image;
pub use managers::{MANAGERS, runs_managers_script};
pub use python_args::Bytecode;
pub use segments::{Cut, Segments};

/// What is known of a program when it starts.
#[derive(Debug, Clone, Copy)]
pub struct Start<'a> {
    /// Its executable.
    pub path: &'a [u8],
    /// Its arguments, each ended by a NUL byte.
    pub argv: &'a [u8],
    /// The directory the command was started in.
    pub cwd: &'a [u8],
}

/// What a phase is, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PhaseKind {
    /// Everything before the program's own exec: shims, wrappers, shells.
    Launcher,
    /// The exec itself.
    Exec,
    /// The dynamic loader, up to the program's entry point.
    Loader,
    /// The loader's relocation of what it has mapped, and the constructors of libraries.
    Relocation,
    /// The interpreter's own start.
    Init,
    /// Python's `site` module.
    Site,
    /// The program (for an interpreter: the script).
    Program,
    /// From the beginning of the end to the end.
    Exit,
    /// What the rest of the command did after the program had ended, as far as it is part of the wall time.
    Rest,
    /// What other processes did after the command's first one had ended: not part of the wall time.
    After,
}

/// The beginning of a phase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boundary {
    /// What begins.
    pub kind: PhaseKind,
    /// Its name.
    pub name: Vec<u8>,
    /// Where.
    pub cut: Cut,
}

/// What lies inside a program that is an interpreter.
pub trait Interpreter: std::fmt::Debug + Send {
    /// The path that was executed is not the interpreter's own: it may be a script that names it in
    /// its first line.
    fn executed(&mut self, path: &[u8]);
    /// Whether it wants to see the events of all threads, not of the first alone.
    fn all_threads(&self) -> bool {
        false
    }
    /// Takes note of an event.
    fn see(&mut self, event: &Event<'_>, call: Option<&Call>, segments: &mut Segments);
    /// The phases seen, in order; the first begins where the loader ends, whatever cut it has.
    fn phases(&self) -> Vec<(PhaseKind, Vec<u8>, Option<Cut>)>;
    /// Where finalization begins, if that was seen.
    fn exit(&self) -> Option<Cut>;
    /// What finalization is called, where it is more than the end.
    fn exit_name(&self) -> &'static str {
        "exit"
    }
}

/// One kind of interpreter: its name, how to tell it, and how to follow it.
pub struct InterpreterKind {
    /// Name.
    pub name: &'static str,
    /// Whether it is there to start other programs: those that are interpreters too and take most of the
    /// time are shown instead.
    pub shell: bool,
    /// Whether a program is one.
    pub recognises: fn(&Start<'_>) -> bool,
    /// What it is asked to run: a script, or the option that code follows.
    pub runs: fn(&Start<'_>) -> Option<Vec<u8>>,
    /// Follows one.
    pub start: fn(&Start<'_>) -> Box<dyn Interpreter>,
}

/// An interpreter that rules tell.
macro_rules! ruled {
    ($name:literal, $shell:literal, $rules:path) => {
        InterpreterKind {
            name: $name,
            shell: $shell,
            recognises: |start| $rules.recognises(start),
            runs: |start| $rules.runs(start),
            start: |start| {
                static RULES: rules::Rules = $rules;
                RULES.follow(start)
            },
        }
    };
}

/// Every interpreter whose phases are known. Any other program has exec, dynamic loader, the program and exit.
pub const INTERPRETERS: [InterpreterKind; 9] = [
    InterpreterKind {
        name: "python",
        shell: false,
        recognises: python::recognises,
        runs: python::runs,
        start: python::start,
    },
    ruled!("node", false, interpreters::NODE),
    ruled!("ruby", false, interpreters::RUBY),
    ruled!("perl", false, interpreters::PERL),
    ruled!("java", false, interpreters::JAVA),
    ruled!("php", false, interpreters::PHP),
    ruled!("tclsh", false, interpreters::TCL),
    ruled!("dash", true, interpreters::DASH),
    ruled!("bash", true, interpreters::BASH),
];

/// Most processes, beside the command's own, whose phases are followed.
const MOST_FOLLOWED: usize = 16;

/// Cuts a run into segments, and the segments into phases.
#[derive(Debug)]
pub struct Timeline {
    segments: Segments,
    cwd: Vec<u8>,
    /// The wall time lasts until the command was ready, whichever of its processes was, not until its first one ended.
    until_ready: bool,
    /// Followed processes: the command's own, and the first few interpreters.
    followed: FxHashMap<ProcessId, Image>,
    /// A followed process that ended with the event before.
    ended: Option<ProcessId>,
}

impl Timeline {
    /// For the log with this header.
    #[must_use]
    pub fn new(header: &Header) -> Self {
        Self {
            segments: Segments::default(),
            cwd: header.cwd.as_bytes().to_vec(),
            until_ready: header.options.contains_key("until"),
            followed: FxHashMap::default(),
            ended: None,
        }
    }

    /// Takes note of an event; gives the segment it belongs to.
    pub fn see(&mut self, event: &Event<'_>, process: ProcessId, call: Option<&Call>) -> u16 {
        self.segments.next_event();
        if let Some(image) = self.ended.take().and_then(|ended| self.followed.get_mut(&ended)) {
            image.ended(&mut self.segments);
        }
        let root = process == 0;
        if let Some(image) = self.followed.get_mut(&process) {
            image.see(event, call, &mut self.segments);
            if event.kind == Kind::Exit {
                self.ended = Some(process);
            }
        } else if root || (event.kind == Kind::Exec && self.followed.len() <= MOST_FOLLOWED) {
            let start = Start {
                path: event.path_abs.or(event.path).unwrap_or_default(),
                argv: event.argv.unwrap_or_default(),
                cwd: &self.cwd,
            };
            if root || interpreter(&start).is_some_and(|kind| !kind.shell) {
                let mut image = Image::new(&self.cwd, event.start_ns);
                image.see(event, call, &mut self.segments);
                self.followed.insert(process, image);
            }
        }
        self.segments.current()
    }

    /// The process whose phases are shown, and where they begin.
    ///
    /// That is the command's own process if what it became in the end is an interpreter we know, and no shell.
    /// Otherwise it is the known interpreter that lived longest, provided it lived for more than
    /// half of the run (`sh -c 'python …; …'`) or below a version manager's script (which may take longer than
    /// the program it leads to), or the one that began last where the command does nothing but start another
    /// program (`uv run`); otherwise the command's own process.
    #[must_use]
    pub fn finish(&self, processes: &Processes, span_ns: u64) -> Option<(ProcessId, Vec<Boundary>)> {
        let root = self.followed.get(&0)?;
        let mut focus = (0, root);
        if !root.is_interpreter() {
            let lifetime = |id: &ProcessId| {
                let process = &processes.list()[*id as usize];
                (process.end_ns.saturating_sub(process.start_ns), std::cmp::Reverse(*id))
            };
            let interpreters = || self.followed.iter().filter(|(_, image)| image.is_interpreter());
            let longest = interpreters().max_by_key(|(id, _)| lifetime(id));
            let last = interpreters().max_by_key(|(id, _)| **id).filter(|_| root.starts_another());
            if let Some((id, image)) =
                last.or(longest.filter(|(id, _)| root.is_managers_script() || lifetime(id).0 > span_ns / 2))
            {
                focus = (*id, image);
            }
        }
        let mut boundaries = focus.1.boundaries(focus.0 == 0);
        if focus.0 != 0 {
            root.end(&mut boundaries);
        }
        for boundary in boundaries.iter_mut().filter(|it| self.until_ready && it.kind == PhaseKind::After) {
            // A server that left its first process behind was waited for all the same.
            boundary.kind = PhaseKind::Rest;
        }
        Some((focus.0, boundaries))
    }
}

/// The interpreter a program is, if it is one that is known.
fn interpreter(start: &Start<'_>) -> Option<&'static InterpreterKind> {
    INTERPRETERS.iter().find(|kind| (kind.recognises)(start))
}

/// Whether a program is an interpreter whose phases are known.
#[must_use]
pub fn is_interpreter(start: &Start<'_>) -> bool {
    interpreter(start).is_some()
}

/// What an interpreter is asked to run, as it stands on its command line; `None`: the program is none, or that is not known.
#[must_use]
pub fn runs(start: &Start<'_>) -> Option<Vec<u8>> {
    interpreter(start).and_then(|kind| (kind.runs)(start))
}

/// The name of the script that a program runs, if it is a Python: `Some(None)` for a Python without one.
#[must_use]
pub fn python_script<'a>(start: &Start<'a>) -> Option<Option<&'a [u8]>> {
    python::recognises(start).then(|| python::script(start))
}

/// How a Python with these arguments comes by its bytecode.
#[must_use]
pub fn python_bytecode<'a>(argv: impl Iterator<Item = &'a [u8]>) -> Bytecode {
    python_args::invocation(argv).bytecode
}

/// Whether all that a program does is to get another one ready and start it: `uv run`, `uvx`.
fn starts_another(start: &Start<'_>) -> bool {
    match file_name(start.path) {
        b"uvx" => true,
        b"uv" => arguments(start.argv).any(|argument| argument == b"run"),
        _ => false,
    }
}

/// What a program is called: the file name of its first argument, or of its executable.
fn program_name(start: &Start<'_>) -> Vec<u8> {
    let name = file_name(arguments(start.argv).next().unwrap_or_default());
    if name.is_empty() { file_name(start.path).to_vec() } else { name.to_vec() }
}

/// Whether this is the successful `execve` of the process itself.
fn is_exec(event: &Event<'_>, call: Option<&Call>) -> bool {
    call.is_some_and(|call| call.role == Role::Exec) && event.ret == Some(0)
}
