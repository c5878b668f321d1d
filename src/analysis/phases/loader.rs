//! The dynamic loader of a program, seen at work: whether there is one, what it does, when it is done.
//!
//! glibc's loader finds and maps the libraries, sets up the first thread, relocates every object (after
//! each an `mprotect` of what is read-only from then on), unmaps `/etc/ld.so.cache` and calls the
//! constructors of the libraries (`dl_main` in `elf/rtld.c`). So relocation begins with the end of the
//! last call of the thread's set-up, if an `mprotect` comes next.
//!
//! musl's loader, which is its C library, sets up the first thread, finds and maps the libraries, closing each, and
//! relocates all (`__dls3` in `ldso/dynlink.c`): relocation begins with the end of the call before the first
//! `mprotect`. Constructors run after the entry point there (`__libc_start_main`), as part of the program. (An
//! `mprotect` right after the mapping of a file makes one object writable that has relocations in its code.)
//!
//! The loader is done at the mark `entry`: `AT_ENTRY` was reached. Without the mark (logs of other tools)
//! it is done when `/etc/ld.so.cache` is unmapped; only constructors come after that.

use crate::analysis::calls::{Call, Role};
use crate::analysis::text::file_name;
use crate::event::{Abi, Event, Kind, mark};
use crate::syscall::Family;

/// What an event says about the loader: times that lie before it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::analysis) struct Progress {
    /// Relocation began.
    pub relocation_ns: Option<u64>,
    /// The program began. Can be said twice: the second time is the better one.
    pub end_ns: Option<u64>,
}

/// The loader of one program image.
#[derive(Debug, Default)]
pub(in crate::analysis) struct Loader {
    /// Where it lies, zeros for a program without one; `None` where the log does not say.
    place: Option<(u64, u64)>,
    musl: bool,
    calls: u64,
    /// The last call, if relocation may come after it: when it ended.
    ready_ns: Option<u64>,
    stage: Stage,
    /// It was seen to do what no loader does.
    acted: bool,
    /// Address of the mapping of `/etc/ld.so.cache`.
    cache: Option<u64>,
    unmapped_ns: Option<u64>,
}

/// How far it is known to be.
#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    #[default]
    Loads,
    Relocates,
    /// Done, but perhaps for constructors.
    Unmapped,
    /// The program's entry point was reached.
    Entered,
}

impl Loader {
    /// Of the program of an exec event.
    pub(in crate::analysis) fn of(exec: &Event<'_>) -> Self {
        let [entry, from, to, ..] = exec.args;
        let path = exec.file.unwrap_or_default();
        Self {
            place: (entry != 0).then_some((from, to)),
            musl: file_name(path).starts_with(b"ld-musl-"),
            ..Self::default()
        }
    }

    /// Takes note of an event of the program's first thread.
    pub(in crate::analysis) fn see(&mut self, event: &Event<'_>, call: Option<&Call>) -> Progress {
        let mut progress = Progress::default();
        if self.stage == Stage::Entered {
            return progress;
        }
        if let Some(unmapped_ns) = self.unmapped_ns.take() {
            self.stage = Stage::Unmapped;
            progress.end_ns = Some(unmapped_ns);
        }
        if event.kind == Kind::Mark && event.text == Some(mark::ENTRY.as_bytes()) {
            self.stage = Stage::Entered;
            progress.end_ns = Some(event.start_ns);
        }
        // The row of the execve that led here can come after the exec event.
        let call = call.filter(|call| call.role != Role::Exec || event.errno().is_some());
        if let Some(call) = call.filter(|_| self.stage < Stage::Unmapped) {
            self.call(event, call, &mut progress);
        }
        progress
    }

    fn call(&mut self, event: &Event<'_>, call: &Call, progress: &mut Progress) {
        self.calls += 1;
        // A loader does none of this; a program may load more libraries later, in the same way.
        // (musl's sets the close-on-exec flag of each library it has opened.)
        let set_up = call.role == Role::ThreadSetUp || (self.musl && call.family() == Family::Descriptor);
        self.acted |= is_no_loader(call.family()) && !set_up;
        if self.acted {
            return;
        }
        let ready_ns = self.ready_ns.take();
        // A log without durations knows of a call when it began, and one without times, only that it was there.
        let end_ns = event.end_ns.or(event.ret.map(|_| event.start_ns));
        if call.role == Role::ThreadSetUp || (self.musl && !(call.role == Role::Mmap && event.file.is_some()))
        {
            self.ready_ns = end_ns;
        }
        match call.role {
            Role::Mprotect if ready_ns.is_some() && self.stage < Stage::Relocates => {
                self.stage = Stage::Relocates;
                progress.relocation_ns = ready_ns;
            }
            Role::Mmap if event.file.is_some_and(|file| file.ends_with(b"/ld.so.cache")) => {
                self.cache = event.ret.filter(|_| event.errno().is_none()).map(|address| address as u64);
            }
            Role::Munmap if self.cache == Some(event.args[0]) => self.unmapped_ns = end_ns,
            _ => {}
        }
    }

    /// Whether the program has no loader: none is known of, or nothing was done before its entry point.
    pub(in crate::analysis) fn is_absent(&self) -> bool {
        self.place.map_or(self.is_marked() && self.calls == 0, |(from, _)| from == 0)
    }

    /// Whether the program has begun, as far as is known.
    pub(in crate::analysis) fn is_over(&self) -> bool {
        self.stage >= Stage::Unmapped || self.acted || self.is_absent()
    }

    /// As a forked process has it.
    pub(in crate::analysis) fn of_child(&self) -> Self {
        Self { place: self.place, musl: self.musl, stage: Stage::Entered, acted: true, ..Self::default() }
    }

    /// Whether the mark said when it was done.
    fn is_marked(&self) -> bool {
        self.stage == Stage::Entered
    }

    /// Whether constructors of libraries ran before its end as it is known.
    pub(in crate::analysis) fn has_run_constructors(&self) -> bool {
        self.is_marked() && !self.musl
    }

    /// Whether it made a call: before the program's begin, or later, when the program loads a library.
    ///
    /// The instruction pointer tells, in 64-bit programs: on musl only up to the entry point, for the
    /// loader is the C library too. In a log without it, every call up to the end of the loader counts as
    /// its own, and none after that.
    pub(in crate::analysis) fn made(&self, event: &Event<'_>) -> bool {
        match self.place {
            Some((0, _)) => false,
            Some((from, to)) if event.abi == Abi::X86_64 && event.ip != 0 => {
                (from..to).contains(&event.ip) && !(self.musl && self.is_over())
            }
            _ => !self.is_over(),
        }
    }

    /// Whether calls that load libraries later can be told from the program's own.
    pub(in crate::analysis) fn is_told_later(&self) -> bool {
        self.place.is_some_and(|(from, _)| from == 0 || !self.musl)
    }
}

/// Whether a loader never makes such calls: the program has begun, even if the log does not say when.
fn is_no_loader(family: Family) -> bool {
    matches!(
        family,
        Family::Write
            | Family::Seek
            | Family::Readdir
            | Family::Namespace
            | Family::Descriptor
            | Family::Process
            | Family::Network
            | Family::Signal
            | Family::Poll
    )
}
