//! One recording: from the ring into the session, until the last thread has ended.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use super::super::monotonic_ns;
use super::super::ptrace::calibration::calibrate_by;
use super::super::sys::child;
use super::super::sys::process::{First, process_group, thread_is_gone};
use super::super::sys::signals::{Watch, stop_too};
use super::super::{Outcome, Sink};
use super::backlog::Backlog;
use super::holding::Holding;
use super::load::{self, LoadError, Loaded, Target};
use super::session::Session;
use crate::event::{Event, Kind};
use crate::log::Calibration;

/// How often the ring is emptied: nothing wakes us, so that the traced threads do not pay for it.
const PERIOD: Duration = Duration::from_millis(2);

/// Idle looks at the ring between looks at whether something was lost.
const LOSS_CHECK: u64 = 64;

/// How to record.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// End with the command's first process.
    pub leader_only: bool,
    /// Stop processes rather than lose a record of theirs.
    pub lossless: bool,
    /// The monotonic clock's reading that is time 0, in nanoseconds.
    pub origin_ns: u64,
}

/// The kernel's side, loaded, and the recordings made with it, one after the other.
pub struct Recorder {
    loaded: Loaded,
}

impl Recorder {
    /// Loads the kernel's side and attaches it.
    ///
    /// # Errors
    /// Without the privilege (`CAP_BPF` and `CAP_PERFMON`), or where the kernel has no types (BTF) or lacks a tracepoint.
    pub fn load() -> Result<Self, LoadError> {
        Ok(Self { loaded: load::load()? })
    }

    /// What recording costs a call that does nothing.
    pub fn calibrate(&mut self, calls: u64) -> io::Result<Calibration> {
        calibrate_by(calls, |child, go, mut sink| {
            let options = Options { leader_only: false, lossless: false, origin_ns: monotonic_ns() };
            self.record_from(true, child, go, &mut sink, options).map(drop)
        })
    }

    /// Records a process that waits to be let go, and all that it makes: `go` is called once it is followed. Recording
    /// begins with its first execve.
    pub fn record<S: Sink>(
        &mut self,
        pid: i32,
        go: impl FnOnce() -> io::Result<()>,
        sink: &mut S,
        options: Options,
    ) -> io::Result<Outcome> {
        self.record_from(false, pid, go, sink, options)
    }

    fn record_from<S: Sink>(
        &mut self,
        at_once: bool,
        pid: i32,
        go: impl FnOnce() -> io::Result<()>,
        sink: &mut S,
        options: Options,
    ) -> io::Result<Outcome> {
        let loaded = &mut self.loaded;
        let lost_before = loaded.lost();
        loaded.lossless = options.lossless;
        let holding = if options.lossless { Some(Holding::begin(loaded.held_fd)?) } else { None };
        loaded.follow(Target::Thread(pid as u32))?;
        let watch = (!at_once).then(Watch::install);
        if let Some(watch) = &watch {
            watch.follow(pid);
        }
        let _first = First::begin();
        let mut session = Session::new(pid as u32, options.origin_ns, at_once, sink);
        go()?;
        let mut backlog = Backlog::new();
        let mut status = None;
        let mut idle = 0_u64;
        while status.is_none() || !(session.is_over() || options.leader_only) {
            let busy = backlog.work(loaded, |record| session.take(record));
            if session.names.begin_anew() {
                loaded.retell_names()?;
            }
            if !busy && holding.is_some() {
                Holding::release(&mut loaded.held);
            }
            if status.is_none() && session.leader_ended {
                if let Some(watch) = &watch {
                    watch.leader_ended();
                }
                let ended = child::reap(pid).map(|(status, _)| status);
                // Whoever started us may have left SIGCHLD ignored, and then there is no status.
                status = Some(if at_once { ended.unwrap_or_default() } else { ended? });
            }
            if status.is_none()
                && let Some(signal) = child::stopped_by(pid)?
                && !Holding::holds(loaded, pid as u32)
                && is_for_us(&session, pid, signal)
            {
                stop_too(pid, signal);
            }
            if !busy {
                idle += 1;
                if idle.is_multiple_of(LOSS_CHECK) && loaded.lost() > lost_before {
                    let leader_has_ended = status.is_none() && child::has_ended(pid)?;
                    session.forget(|of, tid| {
                        (leader_has_ended && of == pid as u32) || thread_is_gone(of as i32, tid as i32)
                    });
                }
                std::thread::sleep(PERIOD);
            }
        }
        loaded.follow(Target::Nobody)?;
        while backlog.work(loaded, |record| session.take(record)) {}
        Holding::release(&mut loaded.held);
        session.detach();
        let threads = session.threads_seen;
        let lost = loaded.lost() - lost_before;
        if lost > 0 {
            let text = Some(b"records without room in the ring".as_slice());
            sink.push(&Event { text, ret: Some(lost as i64), ..Event::new(Kind::Lost) });
        }
        let status = status.unwrap_or_else(|| ExitStatus::from_raw(125 << 8));
        Ok(Outcome { status, warnings: Vec::new(), threads, parallel: false, interruption: None })
    }
}

/// Whether whoever waits for us should see the command stopped. SIGSTOP may be undone by anyone who knows the
/// pid, and then a stopped tracer is in the way: only where the command has stopped itself, alone.
fn is_for_us<S: Sink>(session: &Session<'_, S>, pid: i32, signal: i32) -> bool {
    if signal == libc::SIGSTOP { session.stopped_itself() } else { process_group(pid) == process_group(0) }
}
