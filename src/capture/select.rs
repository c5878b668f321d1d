//! Which backend records: the one that was asked for, or the best that this machine permits.
//!
//! What is permitted is found out by doing it: settings alone do not tell. Where eBPF is not, ptrace records, and
//! the reason stands in the log.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use aya::util::KernelVersion;

use super::attaching::{AttachError, check_process};
use super::ebpf::{self, LoadError, Target};
use super::ptrace::{self, calibration};
use super::stacks::Wanted as StackFrames;
use super::sys::capabilities::{
    CAP_BPF, CAP_PERFMON, CAP_SYS_ADMIN, are_from_file, become_ordinary, give_up_capabilities,
    has_capability, lower_capabilities, raise_capabilities,
};
use super::sys::child::reap;
use super::sys::process::{Ending, fork_child};
use super::sys::seccomp;
use super::{Outcome, Sink, launch};
use crate::log::Calibration;
use crate::syscall::decode::Style;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// eBPF where it is permitted, ptrace elsewhere.
    Auto,
    /// In the kernel, or not at all.
    Ebpf,
    /// By stopping at every call.
    Ptrace,
}

/// All choices, and their names.
pub const CHOICES: [(Wanted, &str); 3] =
    [(Wanted::Auto, "auto"), (Wanted::Ebpf, "ebpf"), (Wanted::Ptrace, "ptrace")];

/// A backend, ready to record.
#[derive(Debug)]
pub struct Tracer {
    backend: Backend,
    /// Why it is not eBPF, where that would have been chosen.
    not_ebpf: Option<String>,
}

enum Backend {
    Ebpf(Box<ebpf::Recorder>),
    Ptrace,
}

impl std::fmt::Debug for Backend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Ebpf(_) => "Ebpf",
            Self::Ptrace => "Ptrace",
        })
    }
}

/// How to record a command.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// End with the command's first process, letting the others go on.
    pub leader_only: bool,
    /// Stop processes rather than lose an event of theirs; ptrace never loses any.
    pub lossless: bool,
    /// The monotonic clock's reading that is time 0, in nanoseconds.
    pub origin_ns: u64,
    /// Which frames the stacks of calls about files are to have, if stacks are wanted. eBPF takes those of machine code, and
    /// only if it was got ready for that.
    pub stacks: Option<StackFrames>,
    /// CPU samples that the backend itself is to take; only ptrace does.
    pub sample: Option<ptrace::Sample>,
    /// Keep what pointers point to, as far as calls printed like this show it; eBPF keeps none.
    pub keep: Option<Style>,
}

/// Gets the backend ready.
///
/// # Errors
/// Where eBPF was asked for by name and does not work here.
pub fn select(wanted: Wanted) -> Result<Tracer, LoadError> {
    select_for(wanted, false)
}

/// The same; with `stacks`, eBPF is got ready to tell the stacks of calls about files.
///
/// # Errors
/// As [`select`].
pub fn select_for(wanted: Wanted, stacks: bool) -> Result<Tracer, LoadError> {
    let ptrace = |not_ebpf| {
        ordinary_for_ptrace();
        Tracer { backend: Backend::Ptrace, not_ebpf }
    };
    match wanted {
        Wanted::Ptrace => Ok(ptrace(None)),
        Wanted::Ebpf => Ok(Tracer::of(privileged(|| ebpf::Recorder::load_for(stacks))?)),
        Wanted::Auto => Ok(privileged(|| try_ebpf(stacks)).map_or_else(|why| ptrace(Some(why)), Tracer::of)),
    }
}

/// Whether eBPF records here: by loading all of it, and letting it go again.
///
/// # Errors
/// Why not.
pub fn ebpf_works() -> Result<(), String> {
    privileged(|| try_ebpf(false)).map(drop)
}

/// The first kernel on which eBPF records, if this one is older: a reason where it does not.
#[must_use]
pub fn oldest_for_ebpf() -> Option<&'static str> {
    ebpf::is_too_old().then_some(ebpf::OLDEST)
}

/// Children of a program that has capabilities from its file (`setcap`) cannot be traced without them, and ptrace has no use
/// for them.
pub fn ordinary_for_ptrace() {
    if are_from_file() {
        become_ordinary();
    }
}

/// Does what needs the capabilities of our own file (`setcap`), which have no effect before and after. Those that whoever
/// started us has given us (ambient ones) are the command's as well, and stay.
fn privileged<T>(act: impl FnOnce() -> T) -> T {
    if !are_from_file() {
        return act();
    }
    raise_capabilities();
    let done = act();
    if maps_need_no_privilege() {
        lower_capabilities();
    }
    done
}

/// Whether maps can be used by whoever has their descriptor (Linux 5.19 and later).
fn maps_need_no_privilege() -> bool {
    KernelVersion::current().is_ok_and(|version| version >= KernelVersion::new(5, 19, 0))
}

fn try_ebpf(stacks: bool) -> Result<ebpf::Recorder, String> {
    let may = has_capability(CAP_SYS_ADMIN) || (has_capability(CAP_BPF) && has_capability(CAP_PERFMON));
    if !may {
        return Err("it needs root, or CAP_BPF and CAP_PERFMON".to_owned());
    }
    if seccomp::is_filtered() && !survives_bpf() {
        return Err("a seccomp filter kills who calls bpf".to_owned());
    }
    ebpf::Recorder::load_for(stacks).map_err(|error| error.reason())
}

/// Whoever is not root has the privilege from the program's file (`setcap`): it is for own processes only.
fn refuse_foreign(whom: &Running) -> Result<(), RunningError> {
    let me = nix::unistd::geteuid();
    let foreign = match whom {
        _ if me.is_root() => None,
        Running::Processes(pids) => {
            let is_own = |pid: &&i32| {
                let owner = std::fs::metadata(format!("/proc/{pid}")).map(|meta| meta.uid());
                owner.is_ok_and(|owner| owner == me.as_raw())
            };
            pids.iter().find(|pid| !is_own(pid)).map(|pid| format!("process {pid}"))
        }
        Running::Cgroup(..) => Some("a whole cgroup".to_owned()),
        Running::All => Some("the whole machine".to_owned()),
    };
    foreign.map_or(Ok(()), |foreign| Err(RunningError::Foreign(foreign)))
}

/// Whether a child of ours may call bpf(2) without being killed.
fn survives_bpf() -> bool {
    let Ok(child) = fork_child(Ending::Reported, seccomp::call_bpf) else { return false };
    reap(child).is_ok_and(|(status, _)| status.success())
}

/// What runs already and is to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Running {
    /// These processes.
    Processes(Vec<i32>),
    /// The processes of the cgroup (v2) with this id, whose directory this is, and of those below it.
    Cgroup(u64, PathBuf),
    /// Every process but this one.
    All,
}

/// Why what runs already was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum RunningError {
    /// It cannot be attached to.
    #[error(transparent)]
    Attach(#[from] AttachError),
    /// The privilege is that of the program's file, and not the caller's.
    #[error(
        "{0} is not yours to record: only root may; the capabilities of trace's file are for programs of your own"
    )]
    Foreign(String),
    /// The backend has failed.
    #[error("{0}")]
    Backend(#[from] io::Error),
}

impl Tracer {
    /// Records what runs already, until an end is asked for, the time has come (by the monotonic clock) or all have ended.
    ///
    /// # Errors
    /// When one of the processes cannot be attached to, and when the kernel refuses a request that it never should. ptrace
    /// attaches to processes only.
    pub fn record_running<S: Sink>(
        &mut self,
        whom: &Running,
        sink: &mut S,
        origin_ns: u64,
        until_ns: Option<u64>,
        keep: Option<Style>,
    ) -> Result<Outcome, RunningError> {
        match (&mut self.backend, whom) {
            (Backend::Ptrace, Running::Processes(pids)) => {
                let options =
                    ptrace::Options { origin_ns, until_ns, follow: true, keep, ..ptrace::Options::default() };
                Ok(ptrace::attach(pids, sink, options)??)
            }
            (Backend::Ptrace, Running::Cgroup(..) | Running::All) => {
                Err(io::Error::from_raw_os_error(libc::EOPNOTSUPP).into())
            }
            (Backend::Ebpf(recorder), whom) => {
                let pids: Vec<u32> = match whom {
                    Running::Processes(pids) => pids.iter().map(|pid| pid.cast_unsigned()).collect(),
                    _ => Vec::new(),
                };
                let (target, cgroup) = match whom {
                    Running::Processes(_) => (Target::Processes(&pids), None),
                    Running::Cgroup(id, path) => (Target::Cgroup(*id), Some(path.as_path())),
                    Running::All => (Target::All, None),
                };
                pids.iter().try_for_each(|pid| check_process(pid.cast_signed()))?;
                refuse_foreign(whom)?;
                let options = ebpf::RunningOptions { origin_ns, until_ns, cgroup };
                Ok(recorder.record_running(target, sink, options)?)
            }
        }
    }

    fn of(recorder: ebpf::Recorder) -> Self {
        Self { backend: Backend::Ebpf(Box::new(recorder)), not_ebpf: None }
    }

    /// Gives up for good the capabilities that our own file may have (`setcap`): nothing else is to be loaded. Who has
    /// them from elsewhere, as root, stays what it is, for the command's sake.
    pub fn give_up_privilege(&self) {
        if are_from_file() && maps_need_no_privilege() {
            give_up_capabilities();
        }
    }

    /// The backend's name, as logs have it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self.backend {
            Backend::Ebpf(_) => "ebpf",
            Backend::Ptrace => "ptrace",
        }
    }

    /// Why it is not eBPF, where that would have been chosen.
    #[must_use]
    pub fn not_ebpf(&self) -> Option<&str> {
        self.not_ebpf.as_deref()
    }

    /// What recording costs a call that does nothing.
    pub fn calibrate(&mut self, calls: u64) -> io::Result<Calibration> {
        match &mut self.backend {
            Backend::Ebpf(recorder) => recorder.calibrate(calls),
            Backend::Ptrace => calibration::calibrate(calls, true),
        }
    }

    /// Gets ready to record a command that waits to be let go, and can make `null_calls(calls)` calls that do nothing
    /// before: so many are measured. `samples`: the backend itself is to take CPU samples.
    ///
    /// # Errors
    /// When the kernel does not let us.
    pub fn hold(&mut self, child: &mut launch::Child, calls: u64, samples: bool) -> io::Result<Held> {
        match &mut self.backend {
            Backend::Ebpf(recorder) => Ok(Held { calibration: recorder.calibrate(calls)?, by_ptrace: None }),
            Backend::Ptrace => {
                // Who shares the tracer's CPU is stopped by its every turn, so samples would all be of that.
                let pin = if samples { ptrace::Pin::No } else { ptrace::Pin::Guarded };
                let options = ptrace::Options { pin, follow: true, ..ptrace::Options::default() };
                let held = ptrace::Held::attach(child.pid(), options)?;
                let (held, calibration) =
                    calibration::calibrate_held(held, calls, || child.make_null_calls())?;
                Ok(Held { calibration, by_ptrace: Some(held) })
            }
        }
    }

    /// Records a command that is held, with the same options.
    ///
    /// # Errors
    /// When the kernel does not let us, or refuses a request that it never should.
    pub fn record<S: Sink>(
        &mut self,
        child: &mut launch::Child,
        held: Held,
        sink: &mut S,
        options: Options,
    ) -> io::Result<Outcome> {
        match (&mut self.backend, held.by_ptrace) {
            (_, Some(held)) => {
                let Options { leader_only, origin_ns, stacks, sample, keep, lossless: _ } = options;
                let options = ptrace::Options {
                    leader_only,
                    origin_ns,
                    stacks,
                    sample,
                    follow: true,
                    keep,
                    ..ptrace::Options::default()
                };
                ptrace::record_held(held, || child.go(), sink, options)
            }
            (Backend::Ebpf(recorder), None) => {
                let Options { leader_only, lossless, origin_ns, .. } = options;
                let options = ebpf::Options { leader_only, lossless, origin_ns };
                recorder.record(child.pid(), || child.go(), sink, options)
            }
            (Backend::Ptrace, None) => Err(io::Error::other("the command is held by another backend")),
        }
    }
}

/// A command that waits to be let go, and is ready to be recorded. It ends with its [`Child`](launch::Child).
#[derive(Debug)]
pub struct Held {
    /// What recording costs a call that does nothing.
    pub calibration: Calibration,
    by_ptrace: Option<ptrace::Held>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fall_back_has_a_reason() {
        let tracer = select(Wanted::Auto).expect("auto never fails");
        assert_eq!(tracer.name() == "ptrace", tracer.not_ebpf().is_some());
        let asked = select(Wanted::Ptrace).expect("ptrace needs no loading");
        assert_eq!((asked.name(), asked.not_ebpf()), ("ptrace", None));
    }
}
