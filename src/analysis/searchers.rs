//! Who looks a path up: the dynamic loader, an interpreter, or any other program.
//!
//! The loader's searches (`RPATH`, `RUNPATH`, `LD_LIBRARY_PATH`, their hwcaps subdirectories, the
//! directories of ld.so(8)) look like those of an interpreter for its modules, and have other remedies.
//! `phases::loader` tells them apart by the instruction pointer and by time.

use serde::Serialize;

use super::calls::Call;
use super::phases::loader::Loader;
use super::phases::{Start, is_interpreter};
use super::process::{ProcessId, Processes};
use super::text::file_name;
use crate::event::{Event, Kind};

/// Who makes a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Searcher {
    /// The dynamic loader, before the program begins.
    Loader,
    /// The dynamic loader, when a running program loads a library (`dlopen`).
    Dlopen,
    /// An interpreter that is known, for itself or for what it runs.
    Interpreter,
    /// Any other program.
    Program,
}

impl Searcher {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [Self::Loader, Self::Dlopen, Self::Interpreter, Self::Program];

    /// Whether it is the dynamic loader, at whatever time.
    #[must_use]
    pub fn is_loader(self) -> bool {
        matches!(self, Self::Loader | Self::Dlopen)
    }
}

/// Directories in which the loader looks for variants of a library for one kind of CPU: see ld.so(8). All
/// but the first are those of glibc before 2.37.
pub(super) const HWCAPS: [&[u8]; 6] =
    [b"glibc-hwcaps", b"tls", b"haswell", b"avx512_1", b"xeon_phi", b"x86_64"];

/// Whether the loader looks there for a variant of a library for this very CPU: in one of `HWCAPS`.
#[must_use]
pub fn is_hwcaps(path: &[u8]) -> bool {
    path.split(|&byte| byte == b'/').any(|part| HWCAPS.contains(&part))
}

/// Whether a path is that of a shared object by its name: `x.so`, `x.so.6`.
#[must_use]
pub fn is_object(path: &[u8]) -> bool {
    let name = file_name(path);
    name.windows(3).position(|part| part == b".so").is_some_and(|at| {
        let rest = &name[at + 3..];
        rest.is_empty() || (rest[0] == b'.' && rest.get(1).is_some_and(u8::is_ascii_digit))
    })
}

/// One process.
#[derive(Debug)]
struct Process {
    loader: Loader,
    interpreter: bool,
}

/// Who is who, while events pass.
#[derive(Debug, Default)]
pub struct Searchers {
    cwd: Vec<u8>,
    /// By process; `None`: neither its exec nor its parent was seen.
    processes: Vec<Option<Process>>,
    /// Whether some program's later loading of libraries could not be told from its other calls.
    untold: bool,
}

impl Searchers {
    /// For a command started in this directory.
    #[must_use]
    pub fn new(cwd: &[u8]) -> Self {
        Self { cwd: cwd.to_vec(), ..Self::default() }
    }

    /// Takes note of an event; says who made it.
    pub fn see(
        &mut self,
        event: &Event<'_>,
        id: ProcessId,
        call: Option<&Call>,
        all: &Processes,
    ) -> Searcher {
        let at = id as usize;
        if self.processes.len() <= at {
            self.processes.resize_with(at + 1, || None);
        }
        if event.kind == Kind::Exec {
            let start = Start {
                path: event.path_abs.or(event.path).unwrap_or_default(),
                argv: event.argv.unwrap_or_default(),
                cwd: &self.cwd,
            };
            self.processes[at] =
                Some(Process { loader: Loader::of(event), interpreter: is_interpreter(&start) });
        } else if self.processes[at].is_none() {
            self.processes[at] = self.of_parent(id, all);
        }
        let Some(process) = &mut self.processes[at] else {
            self.untold |= call.is_some();
            return Searcher::Program;
        };
        // That it is done shows in the call after its last one.
        if event.tid == event.pid {
            process.loader.see(event, call);
        }
        let before = !process.loader.is_over();
        let loads = process.loader.made(event);
        self.untold |= process.loader.is_over() && !process.loader.is_told_later();
        match (loads, process.interpreter) {
            (true, _) if before => Searcher::Loader,
            (true, _) => Searcher::Dlopen,
            (false, true) => Searcher::Interpreter,
            (false, false) => Searcher::Program,
        }
    }

    /// What a process is that was forked and runs the same program as its parent.
    fn of_parent(&self, id: ProcessId, all: &Processes) -> Option<Process> {
        let parent = all.list().get(id as usize)?.parent?;
        let parent = self.processes.get(parent as usize)?.as_ref()?;
        Some(Process { loader: parent.loader.of_child(), interpreter: parent.interpreter })
    }

    /// Whether every lookup of a library that was loaded later is known as one.
    #[must_use]
    pub fn tells_dlopen(&self) -> bool {
        !self.untold
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::calls::Calls;
    use crate::analysis::testing::{call, fixture, header, startup};
    use crate::event::mark;

    const LOADER: u64 = 0x7f00_0000;

    struct Run {
        searchers: Searchers,
        processes: Processes,
        calls: Calls,
    }

    impl Run {
        fn new(loader: &'static [u8], executable: &'static [u8]) -> Self {
            let mut run = Self {
                searchers: Searchers::new(b"/"),
                processes: Processes::default(),
                calls: Calls::default(),
            };
            let place = if loader.is_empty() { [0, 0] } else { [LOADER, LOADER + 0x1000] };
            run.add(&Event {
                pid: 1,
                tid: 1,
                path: Some(executable),
                file: Some(loader),
                args: [0x40_1000, place[0], place[1], 0, 0, 0],
                ..Event::new(Kind::Exec)
            });
            run
        }

        fn add(&mut self, event: &Event<'_>) -> Searcher {
            let id = self.processes.add(event, false);
            let call = (event.kind == Kind::Syscall).then(|| self.calls.id(event.abi, event.nr));
            let call = call.map(|call| self.calls.get(call));
            self.searchers.see(event, id, call, &self.processes)
        }

        fn open(&mut self, pid: u32, ip: u64) -> Searcher {
            self.add(&Event { pid, tid: pid, ip, path: Some(b"/l/x.so"), ..call("openat", 10, 1, -2) })
        }

        fn enter(&mut self) {
            let text = Some(mark::ENTRY.as_bytes());
            self.add(&Event { pid: 1, tid: 1, text, ..Event::new(Kind::Mark) });
        }
    }

    #[test]
    fn the_instruction_pointer_tells_the_loader() {
        let mut run = Run::new(b"/lib64/ld-linux-x86-64.so.2", b"/usr/bin/python3.11");
        assert_eq!(run.open(1, LOADER + 8), Searcher::Loader);
        assert_eq!(run.open(1, 0x5000), Searcher::Interpreter, "a constructor");
        run.enter();
        assert_eq!(run.open(1, LOADER + 8), Searcher::Dlopen);
        assert_eq!(run.open(1, 0x5000), Searcher::Interpreter);
        assert!(run.searchers.tells_dlopen());
        let fork =
            Event { pid: 1, tid: 1, args: [17, 2, 0, 0, 0, 0], ret: Some(2), ..Event::new(Kind::Fork) };
        run.add(&fork);
        assert_eq!(run.open(2, LOADER + 8), Searcher::Dlopen, "a child has its parent's loader");
        assert!(run.searchers.tells_dlopen());
        assert_eq!(run.open(3, LOADER + 8), Searcher::Program, "nothing is known of this one");
        assert!(!run.searchers.tells_dlopen());
    }

    #[test]
    fn on_musl_it_tells_until_the_entry_point() {
        let mut run = Run::new(b"/lib/ld-musl-x86_64.so.1", b"/bin/ls");
        assert_eq!(run.open(1, LOADER + 8), Searcher::Loader);
        run.enter();
        assert_eq!(run.open(1, LOADER + 8), Searcher::Program);
        assert!(!run.searchers.tells_dlopen());
    }

    #[test]
    fn a_static_program_has_none() {
        assert_eq!(Run::new(b"", b"/bin/ls").open(1, 0x5000), Searcher::Program);
    }

    #[test]
    fn without_pointers_the_loader_is_told_until_its_end() {
        let lookups = startup("3.11-uses", &header()).0.lookups;
        let of = |searcher| lookups.searchers.iter().find(|row| row.searcher == searcher).unwrap();
        // Counted in the log up to the munmap of ld.so.cache: lookups by path, and those that failed.
        let log = fixture("3.11-uses");
        let loader: Vec<&str> = log.lines().take_while(|line| !line.contains("munmap(")).collect();
        let count = |what: &str| {
            let paths = ["access(", "openat(AT_FDCWD", "newfstatat(AT_FDCWD"];
            let by_path = |line: &&&str| paths.iter().any(|call| line.contains(call));
            loader.iter().filter(by_path).filter(|line| line.contains(what)).count() as u64
        };
        assert_eq!((of(Searcher::Loader).lookups, of(Searcher::Loader).misses), (count(""), count("ENOENT")));
        assert_eq!(of(Searcher::Loader).hwcaps, 20, "counted by eye: 3 pairs, then 7 more");
        assert!(count("ENOENT") > 20 && count("/glibc-hwcaps/") == 6);
        assert_eq!(of(Searcher::Interpreter).lookups, lookups.lookups - count(""));
        assert_eq!(lookups.searchers.len(), 2);
        assert!(!lookups.tells_dlopen);
    }

    #[test]
    fn shared_objects_by_name() {
        for path in ["/lib/libc.so.6", "/a/x.so"] {
            assert!(is_object(path.as_bytes()), "{path}");
        }
        for path in ["/etc/ld.so.cache", "/etc/ld.so.preload", "/etc/a.sock", "/usr/lib/x.py", "/b/.sources"]
        {
            assert!(!is_object(path.as_bytes()), "{path}");
        }
    }

    #[test]
    fn hwcaps_directories() {
        for path in [
            "/a/glibc-hwcaps/x86-64-v3",
            "/l/x86_64/libc.so.6",
            "/usr/lib/tls/libc.so.6",
            "/l/tls/x86_64/libc.so.6",
        ] {
            assert!(is_hwcaps(path.as_bytes()), "{path}");
        }
        for path in ["/usr/lib/x86_64-linux-gnu/libm.so.6", "/lib/libtls.so.1", ""] {
            assert!(!is_hwcaps(path.as_bytes()), "{path}");
        }
    }
}
