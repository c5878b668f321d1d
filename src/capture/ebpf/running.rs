//! Recording what runs already: processes with all their threads, a cgroup, the whole machine; and whatever they make.
//!
//! Nobody is stopped for it. A thread is known from the first thing that it does; a call that it was in is told
//! when it returns, without its begin.

use std::io;
use std::path::Path;

use super::super::decode::threads::{comm_of, threads_of, threads_of_cgroup};
use super::super::monotonic_ns;
use super::super::sys::process::{First, thread_is_gone};
use super::super::sys::signals::Watch;
use super::super::{Interruption, Outcome, Sink};
use super::backlog::Backlog;
use super::drain::{LOSS_CHECK, PERIOD, Recorder, finish, take_in};
use super::load::Target;
use super::session::Session;

/// How to record what runs already.
#[derive(Clone, Copy, Debug)]
pub struct RunningOptions<'a> {
    /// The monotonic clock's reading that is time 0, in nanoseconds.
    pub origin_ns: u64,
    /// When to end at the latest, on the same clock.
    pub until_ns: Option<u64>,
    /// The directory of the cgroup that is recorded.
    pub cgroup: Option<&'a Path>,
}

impl Recorder {
    /// Records these until an end is asked for (SIGINT, SIGTERM, SIGHUP, SIGQUIT), the time has come, or the processes
    /// that were named, and all that they have made, have ended.
    pub fn record_running<S: Sink>(
        &mut self,
        target: Target<'_>,
        sink: &mut S,
        options: RunningOptions<'_>,
    ) -> io::Result<Outcome> {
        let mut watch = Watch::install();
        watch.ask_kernel(&self.loaded.group_signals);
        watch.leader_ended();
        let loaded = &mut self.loaded;
        let lost_before = loaded.lost();
        let mut session = Session::of_running(options.origin_ns, sink);
        loaded.lossless = false;
        let _first = First::begin();
        loaded.follow(target)?;
        let pids = if let Target::Processes(pids) = target { pids } else { &[] };
        for &pid in pids {
            for tid in threads_of(pid.cast_signed()) {
                session.attach(pid, tid.cast_unsigned(), comm_of(pid.cast_signed(), tid));
            }
        }
        if let Some(cgroup) = options.cgroup {
            session.members(threads_of_cgroup(cgroup));
        }
        let (mut backlog, mut looks) = (Backlog::default(), 0_u64);
        while !is_over(&session, pids) {
            let more = take_in(loaded, &mut backlog, &mut session)?;
            let is_late = options.until_ns.is_some_and(|until| until <= monotonic_ns());
            if watch.received().is_some() || is_late {
                break;
            }
            looks += 1;
            if looks.is_multiple_of(LOSS_CHECK) && loaded.lost() > lost_before {
                session.forget(|pid, tid| thread_is_gone(pid as i32, tid as i32));
            }
            if !more {
                std::thread::sleep(PERIOD);
            }
        }
        let interruption = watch.received().map(|signal| Interruption { signal, after_leader: false });
        let all = finish(loaded, backlog, session, lost_before)?;
        Ok(Outcome { interruption, ..all })
    }
}

/// Whether the processes that were named, and all that they have made, have ended.
fn is_over<S: Sink>(session: &Session<'_, S>, pids: &[u32]) -> bool {
    let is_gone = |&pid: &u32| thread_is_gone(pid.cast_signed(), pid.cast_signed());
    !pids.is_empty() && session.is_over() && pids.iter().all(is_gone)
}
