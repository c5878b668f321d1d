//! One recording: from the ring into the session, until the last thread has ended.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, poll};

use super::super::calibration::calibrate_by;
use super::super::monotonic_ns;
use super::super::others::Others;
use super::super::sys::child;
use super::super::sys::own_maps::{keep_from_children, shrink};
use super::super::sys::process::{First, thread_is_gone};
use super::super::sys::signals::{Watch, is_for_us, stop_too};
use super::super::{Interruption, Outcome, Sink};
use super::backlog::Backlog;
use super::error::LoadError;
use super::holding::Holding;
use super::load::{self, Loaded, Target};
use super::session::Session;
use crate::event::{Event, Kind};
use crate::log::Calibration;

/// How often the ring is emptied: nothing wakes us, so that the traced threads do not pay for it; and who looks at the ring
/// all the time takes its memory from the CPUs that write there.
pub(super) const PERIOD: Duration = Duration::from_millis(2);

/// Looks at the ring between looks at whether something was lost.
pub(super) const LOSS_CHECK: u64 = 64;

/// Looks at the ring between looks at other things, while there is much in it.
const BUSY_LOOKS: u64 = 16;

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
    pub(super) loaded: Loaded,
}

impl Recorder {
    /// Loads the kernel's side and attaches it.
    ///
    /// # Errors
    /// Without the privilege (`CAP_BPF` and `CAP_PERFMON`), or where the kernel has no types (BTF) or lacks a tracepoint.
    pub fn load() -> Result<Self, LoadError> {
        Self::load_for(false)
    }

    /// The same; with `stacks`, records hold the stacks of calls about files.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_for(stacks: bool) -> Result<Self, LoadError> {
        let loaded = load::load_for(stacks)?;
        keep_from_children("anon_inode:bpf-map");
        shrink();
        Ok(Self { loaded })
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
        let watch = (!at_once).then(|| {
            let mut watch = Watch::install();
            watch.ask_kernel(&loaded.group_signals);
            watch.follow(pid);
            watch
        });
        let received = || watch.as_ref().and_then(Watch::received);
        let _first = First::begin();
        let mut session = Session::new(pid as u32, options.origin_ns, at_once, sink);
        session.stacks = loaded.stacks.then(Box::default);
        go()?;
        let end = child::end_of(pid).ok();
        let (mut backlog, mut looks) = (Backlog::default(), 0_u64);
        let (mut status, mut asked, mut others) = (None, None, Others::default());
        while !session.sink.wants_end()
            && (status.is_none() || !(session.is_over() || options.leader_only || received().is_some()))
        {
            // Whoever ended before it was followed is in no record.
            let ended_early = status.is_none() && !session.recording && child::has_ended(pid)?;
            let more = take_in(loaded, &mut backlog, &mut session)?;
            looks += 1;
            if ended_early && !more && !session.leader_ended {
                session.forget(|of, _| of == pid as u32);
            }
            if backlog.has_begun {
                loaded.meet_no_more()?;
            }
            if !more && holding.is_some() {
                Holding::release(&mut loaded.held);
            }
            if status.is_none() && session.leader_ended {
                asked = received();
                if let Some(watch) = &watch {
                    watch.leader_ended();
                    watch.stop_if_missed();
                }
                let ended = child::reap(pid).map(|(status, _)| status);
                // Whoever started us may have left SIGCHLD ignored, and then there is no status.
                status = Some(if at_once { ended.unwrap_or_default() } else { ended? });
            }
            if more && !looks.is_multiple_of(BUSY_LOOKS) {
                continue;
            }
            match status {
                None => stop_with(&session, loaded, pid)?,
                Some(_) if others.go_on(monotonic_ns()) => session.waits_for(),
                Some(_) => {}
            }
            if looks.is_multiple_of(LOSS_CHECK) && loaded.lost() > lost_before {
                let leader_has_ended = status.is_none() && child::has_ended(pid)?;
                session.forget(|of, tid| {
                    (leader_has_ended && of == pid as u32) || thread_is_gone(of as i32, tid as i32)
                });
            }
            if !more {
                rest(end.as_ref().filter(|_| status.is_none()));
            }
        }
        let after_leader = asked.is_none();
        let interruption = asked.or_else(received).map(|signal| Interruption { signal, after_leader });
        let all = finish(loaded, backlog, session, lost_before)?;
        Ok(Outcome { status: status.unwrap_or_default(), interruption, ..all })
    }
}

/// Waits for records to come, at most until the end of a process.
fn rest(end: Option<&OwnedFd>) {
    let Some(end) = end else { return std::thread::sleep(PERIOD) };
    let mut end = [PollFd::new(end.as_fd(), PollFlags::POLLIN)];
    // A signal is no less a reason to look than the end.
    let _ = poll(&mut end, PERIOD.as_millis() as u8);
}

/// Stops this process too, where the command was stopped and whoever waits for us should see that.
fn stop_with<S: Sink>(session: &Session<'_, S>, loaded: &Loaded, pid: i32) -> io::Result<()> {
    if let Some(signal) = child::stopped_by(pid)?
        && !Holding::holds(loaded, pid as u32)
        && is_for_us(signal, pid, || session.stopped_itself())
    {
        stop_too(pid, signal);
    }
    Ok(())
}

/// Makes events of what has come, and has names told again once there are too many to keep. Gives whether more has come.
pub(super) fn take_in<S: Sink>(
    loaded: &mut Loaded,
    backlog: &mut Backlog,
    session: &mut Session<'_, S>,
) -> io::Result<bool> {
    let more = backlog.work(loaded, |record| session.take(record));
    if session.names.begin_anew() {
        loaded.retell_names()?;
    }
    Ok(more)
}

/// Takes what is left, lets all go on, and counts the threads that were seen, and the records that were lost.
pub(super) fn finish<S: Sink>(
    loaded: &mut Loaded,
    mut backlog: Backlog,
    mut session: Session<'_, S>,
    lost_before: u64,
) -> io::Result<Outcome> {
    loaded.follow(Target::Nobody)?;
    while backlog.work(loaded, |record| session.take(record)) {}
    Holding::release(&mut loaded.held);
    session.detach();
    let lost = loaded.lost() - lost_before;
    if lost > 0 {
        let text = Some(b"records without room in the ring".as_slice());
        session.sink.push(&Event { text, ret: Some(lost as i64), ..Event::new(Kind::Lost) });
    }
    Ok(Outcome { threads: session.threads_seen, lost, ..Outcome::default() })
}
