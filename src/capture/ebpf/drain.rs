//! One recording: from the ring into the session, until the last thread has ended.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use super::super::sys::child;
use super::super::sys::process::process_group;
use super::super::sys::signals::{Watch, stop_too};
use super::super::{Outcome, Sink};
use super::load::{self, Loaded};
use super::session::Session;
use super::wire;
use crate::event::{Event, Kind};

/// How often the ring is emptied: nothing wakes us, so that the traced threads do not pay for it.
const PERIOD: Duration = Duration::from_millis(2);

/// How to record.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// End with the command's first process.
    pub leader_only: bool,
    /// The monotonic clock's reading that is time 0, in nanoseconds.
    pub origin_ns: u64,
}

/// Records a process that waits to be let go: `go` is called once the kernel's side is there. Recording begins
/// with its first execve.
pub fn record<S: Sink>(
    pid: i32,
    go: impl FnOnce() -> io::Result<()>,
    sink: &mut S,
    options: Options,
) -> io::Result<Outcome> {
    let mut loaded = load::load(pid as u32)?;
    let watch = Watch::install();
    watch.follow(pid);
    let mut session = Session::new(pid as u32, options.origin_ns, sink);
    go()?;
    let mut status = None;
    while !(session.is_over() || options.leader_only && session.leader_ended) || status.is_none() {
        let busy = drain(&mut loaded, &mut session);
        if status.is_none() && session.leader_ended {
            watch.leader_ended();
            status = Some(child::reap(pid)?.0);
        }
        if status.is_none()
            && let Some(signal) = child::stop_signal(pid)
            && is_for_us(&session, pid, signal)
        {
            stop_too(pid, signal);
        }
        if !busy {
            std::thread::sleep(PERIOD);
        }
    }
    drain(&mut loaded, &mut session);
    session.detach();
    let lost = loaded.lost();
    let threads = session.threads_seen;
    if lost > 0 {
        let event =
            Event { text: Some(b"records without room in the ring"), ret: Some(lost as i64), ..Event::new(Kind::Lost) };
        sink.push(&event);
    }
    let status = status.unwrap_or_else(|| ExitStatus::from_raw(125 << 8));
    Ok(Outcome { status, warnings: Vec::new(), threads, parallel: false })
}

/// Whether whoever waits for us should see the command stopped. SIGSTOP may be undone by anyone who knows the
/// pid, and then a stopped tracer is in the way: only where the command has stopped itself, alone.
fn is_for_us<S: Sink>(session: &Session<'_, S>, pid: i32, signal: i32) -> bool {
    if signal == libc::SIGSTOP { session.stopped_itself() } else { process_group(pid) == process_group(0) }
}

/// Takes all that is there; false: nothing was.
fn drain<S: Sink>(loaded: &mut Loaded, session: &mut Session<'_, S>) -> bool {
    let mut any = false;
    while let Some(item) = loaded.ring.next() {
        any = true;
        if let Some(record) = wire::decode(&item) {
            session.take(record);
        }
    }
    any
}
