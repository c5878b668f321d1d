//! One recording: from the ring into the session, until the last thread has ended.

use std::io;
use std::path::Path;
use std::time::Duration;

use super::super::monotonic_ns;
use super::super::others::Others;
use super::super::ptrace::calibration::calibrate_by;
use super::super::sys::child;
use super::super::sys::own_maps::{keep_from_children, shrink};
use super::super::sys::signals::{Watch, is_for_us, stop_too};
use super::super::{Interruption, Outcome, Sink};
use super::load::{self, LoadError, Loaded, Target};
use super::loader::{HandOver, hand_overs};
use super::session::Session;
use super::wire;
use crate::event::{Event, Kind};
use crate::log::Calibration;

/// How often the ring is emptied: nothing wakes us, so that the traced threads do not pay for it.
pub(super) const PERIOD: Duration = Duration::from_millis(2);
/// How long a signal to us waits for word that the command has got it too.
pub(super) const GRACE_MS: u32 = 20;

/// How to record.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// End with the command's first process.
    pub leader_only: bool,
    /// The monotonic clock's reading that is time 0, in nanoseconds.
    pub origin_ns: u64,
}

/// The command that is recorded.
#[derive(Clone, Copy, Debug)]
pub struct Tracee<'a> {
    /// Its process, which waits to be let go.
    pub pid: i32,
    /// The file that it will execute.
    pub program: &'a Path,
}

/// The kernel's side, loaded, and the recordings made with it, one after the other.
pub struct Recorder {
    pub(super) loaded: Loaded,
    /// Loaders whose end is noted.
    watched: Vec<HandOver>,
}

impl Recorder {
    /// Loads the kernel's side and attaches it.
    ///
    /// # Errors
    /// Without the privilege (`CAP_BPF` and `CAP_PERFMON`), or where the kernel has no types (BTF) or lacks a tracepoint.
    pub fn load() -> Result<Self, LoadError> {
        let loaded = load::load()?;
        keep_from_children("anon_inode:bpf-map");
        shrink();
        Ok(Self { loaded, watched: Vec::new() })
    }

    /// What recording costs a call that does nothing.
    pub fn calibrate(&mut self, calls: u64) -> io::Result<Calibration> {
        calibrate_by(calls, |child, go, mut sink| {
            let options = Options { leader_only: false, origin_ns: monotonic_ns() };
            self.record_from(true, child, go, &mut sink, options).map(drop)
        })
    }

    /// Records a process that waits to be let go, and all that it makes: `go` is called once it is followed. Recording
    /// begins with its first execve.
    pub fn record<S: Sink>(
        &mut self,
        Tracee { pid, program }: Tracee<'_>,
        go: impl FnOnce() -> io::Result<()>,
        sink: &mut S,
        options: Options,
    ) -> io::Result<Outcome> {
        self.watch_loaders(Some(program));
        self.record_from(false, pid, go, sink, options)
    }

    /// Notes when the dynamic loaders of the program, and that of this one, are done. Where that is not possible, logs
    /// have no mark of it.
    pub(super) fn watch_loaders(&mut self, program: Option<&Path>) {
        for place in hand_overs(program) {
            if !self.watched.contains(&place) && self.loaded.watch_loader(&place).is_ok() {
                self.watched.push(place);
            }
        }
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
        loaded.follow(Target::Thread(pid as u32))?;
        let watch = (!at_once).then(|| {
            let mut watch = Watch::install();
            watch.see_deliveries(GRACE_MS);
            watch.follow(pid);
            watch
        });
        let received = || watch.as_ref().and_then(Watch::received);
        let mut session = Session::new(pid as u32, options.origin_ns, at_once, sink);
        go()?;
        let (mut status, mut asked, mut others) = (None, None, Others::default());
        while status.is_none() || !(session.is_over() || options.leader_only || received().is_some()) {
            let busy = drain(loaded, &mut session);
            if status.is_none()
                && (session.leader_ended || !busy && loaded.lost() > lost_before && child::has_ended(pid)?)
            {
                asked = received();
                if let Some(watch) = &watch {
                    watch.leader_ended();
                    watch.stop_if_missed();
                }
                let ended = child::reap(pid).map(|(status, _)| status);
                // Whoever started us may have left SIGCHLD ignored, and then there is no status.
                status = Some(if at_once { ended.unwrap_or_default() } else { ended? });
            }
            match status {
                None => stop_with(&session, pid)?,
                Some(_) if others.go_on(monotonic_ns()) => session.waits_for(),
                Some(_) => {}
            }
            if !busy {
                if status.is_some() && loaded.lost() > lost_before {
                    session.forget_dead();
                }
                std::thread::sleep(PERIOD);
            }
        }
        let after_leader = asked.is_none();
        let interruption = asked.or_else(received).map(|signal| Interruption { signal, after_leader });
        let (threads, status) = (finish(loaded, session, lost_before)?, status.unwrap_or_default());
        Ok(Outcome { status, warnings: Vec::new(), threads, parallel: false, interruption })
    }
}

/// Stops this process too, where the command was stopped and whoever waits for us should see that.
fn stop_with<S: Sink>(session: &Session<'_, S>, pid: i32) -> io::Result<()> {
    if let Some(signal) = child::stopped_by(pid)?
        && is_for_us(signal, pid, || session.stopped_itself())
    {
        stop_too(pid, signal);
    }
    Ok(())
}

/// Takes what is left, lets all go on, and counts what was lost; gives how many threads were seen.
pub(super) fn finish<S: Sink>(
    loaded: &mut Loaded,
    mut session: Session<'_, S>,
    lost_before: u64,
) -> io::Result<u64> {
    loaded.follow(Target::Nobody)?;
    while drain(loaded, &mut session) {}
    session.detach();
    let lost = loaded.lost() - lost_before;
    if lost > 0 {
        let text = Some(b"records without room in the ring".as_slice());
        session.sink.push(&Event { text, ret: Some(lost as i64), ..Event::new(Kind::Lost) });
    }
    Ok(session.threads_seen)
}

/// Records taken at a time: where they come faster than we take them, signals are looked for all the same.
const MOST_AT_ONCE: usize = 1 << 16;

/// Takes what is there; false: nothing was.
pub(super) fn drain<S: Sink>(loaded: &mut Loaded, session: &mut Session<'_, S>) -> bool {
    let mut any = false;
    for _ in 0..MOST_AT_ONCE {
        let Some(item) = loaded.ring.next() else { break };
        any = true;
        if let Some(record) = wire::decode(&item) {
            session.take(record);
        }
    }
    any
}
