//! One recording: from the ring into the session, until the last thread has ended.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use super::super::sys::child;
use super::super::sys::signals::Watch;
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
        if !busy {
            std::thread::sleep(PERIOD);
        }
    }
    drain(&mut loaded, &mut session);
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
