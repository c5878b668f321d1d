//! Recording what runs already: processes with all their threads, a cgroup, the whole machine; and whatever they make.
//!
//! Nobody is stopped for it. A thread is known from the first thing that it does; a call that it was in is told
//! when it returns, without its begin.

use std::io;
use std::process::ExitStatus;

use super::super::decode::threads::{comm_of, threads_of};
use super::super::monotonic_ns;
use super::super::ptrace::AttachError;
use super::super::sys::process::thread_lives;
use super::super::sys::signals::Watch;
use super::super::{Interruption, Outcome, Sink};
use super::drain::{GRACE_MS, PERIOD, Recorder, drain, finish};
use super::load::Target;
use super::session::Session;

/// How to record what runs already.
#[derive(Clone, Copy, Debug)]
pub struct RunningOptions {
    /// The monotonic clock's reading that is time 0, in nanoseconds.
    pub origin_ns: u64,
    /// When to end at the latest, on the same clock.
    pub until_ns: Option<u64>,
}

/// Whether these processes can be followed.
pub fn check(pids: &[u32]) -> Result<(), AttachError> {
    for pid in pids.iter().map(|&pid| pid.cast_signed()) {
        if pid == std::process::id().cast_signed() {
            return Err(AttachError::Ourselves(pid));
        }
        if !thread_lives(pid, pid) {
            return Err(AttachError::NoProcess(pid));
        }
    }
    Ok(())
}

impl Recorder {
    /// Records these until an end is asked for (SIGINT, SIGTERM, SIGHUP, SIGQUIT), the time has come, or the processes
    /// that were named, and all that they have made, have ended.
    pub fn record_running<S: Sink>(
        &mut self,
        target: Target<'_>,
        sink: &mut S,
        options: RunningOptions,
    ) -> io::Result<Outcome> {
        let mut watch = Watch::install();
        watch.see_deliveries(GRACE_MS);
        watch.leader_ended();
        self.watch_loaders(None);
        let loaded = &mut self.loaded;
        let lost_before = loaded.lost();
        let mut session = Session::of_running(options.origin_ns, sink);
        loaded.follow(target)?;
        let pids = if let Target::Processes(pids) = target { pids } else { &[] };
        for &pid in pids {
            for tid in threads_of(pid.cast_signed()) {
                session.attach(pid, tid.cast_unsigned(), comm_of(pid.cast_signed(), tid));
            }
        }
        loop {
            let busy = drain(loaded, &mut session);
            let is_late = options.until_ns.is_some_and(|until| until <= monotonic_ns());
            if watch.received().is_some() || is_late {
                break;
            }
            if !busy {
                let lives = |pid: &u32| thread_lives(pid.cast_signed(), pid.cast_signed());
                if !pids.is_empty()
                    && (session.is_over() || loaded.lost() > lost_before)
                    && !pids.iter().any(lives)
                {
                    session.forget_dead();
                    if session.is_over() {
                        break;
                    }
                }
                std::thread::sleep(PERIOD);
            }
        }
        let interruption = watch.received().map(|signal| Interruption { signal, after_leader: false });
        let threads = finish(loaded, session, lost_before)?;
        let status = ExitStatus::default();
        Ok(Outcome { status, warnings: Vec::new(), threads, parallel: false, interruption })
    }
}
