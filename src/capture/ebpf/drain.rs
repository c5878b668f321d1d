//! One recording: from the ring into the session, until the last thread has ended.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use super::super::monotonic_ns;
use super::super::ptrace::calibration::calibrate_by;
use super::super::sys::child;
use super::super::sys::own_maps::{keep_from_children, shrink};
use super::super::sys::signals::{Watch, is_for_us, stop_too};
use super::super::{Outcome, Sink};
use super::load::{self, LoadError, Loaded, Target};
use super::loader::{HandOver, hand_overs};
use super::session::Session;
use super::wire;
use crate::event::{Event, Kind};
use crate::log::Calibration;

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
    loaded: Loaded,
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
        self.watch_loaders(program);
        self.record_from(false, pid, go, sink, options)
    }

    /// Notes when the dynamic loaders of the program, and that of this one, are done. Where that is not possible, logs
    /// have no mark of it.
    fn watch_loaders(&mut self, program: &Path) {
        for place in hand_overs(Some(program)) {
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
        let watch = (!at_once).then(Watch::install);
        if let Some(watch) = &watch {
            watch.follow(pid);
        }
        let mut session = Session::new(pid as u32, options.origin_ns, at_once, sink);
        go()?;
        let mut status = None;
        while status.is_none() || !(session.is_over() || options.leader_only) {
            let busy = drain(loaded, &mut session);
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
                && is_for_us(signal, pid, || session.stopped_itself())
            {
                stop_too(pid, signal);
            }
            if !busy {
                std::thread::sleep(PERIOD);
            }
        }
        drain(loaded, &mut session);
        session.detach();
        loaded.follow(Target::Nobody)?;
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
