//! The same for a traced run: readiness is a mark in the log, where a call tells it or somebody else has seen it.

use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};

use super::detect::Detector;
use super::end::{AtReady, Ending};
use super::output::OutputWatch;
use super::{POLL, Until};
use crate::capture::Sink;
use crate::capture::stdio::worker::{Stop, Worker};
use crate::capture::sys::process::own_tid;
use crate::capture::sys::signals::wake;
use crate::event::{Event, Kind, mark};
use crate::syscall::{self, Family};

/// What the tracer's thread and the watching one tell each other.
#[derive(Debug, Default)]
struct Shared {
    /// When the program was ready, by the monotonic clock; 0: not yet.
    ready_ns: AtomicU64,
    /// The program's processes.
    pids: Mutex<BTreeSet<i32>>,
}

impl Shared {
    fn pids(&self) -> Vec<i32> {
        self.pids.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }
}

/// Watches a traced run for readiness, and ends the program when it is, or the recording.
#[derive(Debug)]
pub struct ReadyWatch {
    until: Until,
    shared: Arc<Shared>,
    origin_ns: u64,
    marked: bool,
    leaves: bool,
    _worker: Worker,
}

impl ReadyWatch {
    /// To be made before the command starts, by the thread that will trace it. `origin_ns` is the monotonic time that is 0 in the log.
    pub fn start(
        until: &Until,
        at_ready: AtReady,
        output: Option<Arc<OutputWatch>>,
        origin_ns: u64,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let detector = match until {
            // Its own calls tell.
            Until::Listen | Until::Open(_) => Detector::Never,
            Until::Output(_) | Until::Idle(_) | Until::Exit => Detector::new(until, output)?,
        };
        let for_thread = Arc::clone(&shared);
        let tracer = own_tid();
        let watch = move |stop| watch(&stop, &for_thread, detector, at_ready, tracer);
        let worker = Worker::start("ready", watch)?;
        let leaves = at_ready == AtReady::Leave;
        Ok(Self { until: until.clone(), shared, origin_ns, marked: false, leaves, _worker: worker })
    }

    /// The sink that marks readiness among the events for `inner`.
    pub fn marking<'a, S: Sink>(&'a mut self, inner: &'a mut S) -> Marking<'a, S> {
        Marking { watch: self, inner }
    }

    /// Whether the program was ready.
    #[must_use]
    pub fn was_ready(&self) -> bool {
        self.marked
    }

    /// The processes that go on, where they are left to.
    #[must_use]
    pub fn left_running(&self) -> Vec<i32> {
        if self.leaves && self.marked { self.shared.pids() } else { Vec::new() }
    }

    fn see(&self, event: &Event<'_>) {
        let mut pids = self.shared.pids.lock().unwrap_or_else(PoisonError::into_inner);
        match event.kind {
            Kind::Exec => drop(pids.insert(event.pid.cast_signed())),
            Kind::Fork => drop(pids.insert(event.args[1] as i32)),
            Kind::Exit if event.tid == event.pid => drop(pids.remove(&event.pid.cast_signed())),
            Kind::Syscall if self.shared.ready_ns.load(SeqCst) == 0 && is_what(&self.until, event) => {
                let end_ns = event.end_ns.unwrap_or(event.start_ns);
                self.shared.ready_ns.store(end_ns.saturating_add(self.origin_ns), SeqCst);
            }
            _ => {}
        }
    }
}

/// Whether this call is what is waited for.
fn is_what(until: &Until, event: &Event<'_>) -> bool {
    let succeeded = event.ret.is_some_and(|ret| ret >= 0);
    let spec = || syscall::lookup(event.abi, event.nr);
    match until {
        Until::Listen => succeeded && spec().is_some_and(|spec| spec.name == "listen"),
        Until::Open(path) => {
            use std::os::unix::ffi::OsStrExt;
            succeeded
                && event.path_abs == Some(path.as_os_str().as_bytes())
                && spec().is_some_and(|spec| spec.family == Family::Open)
        }
        Until::Output(_) | Until::Idle(_) | Until::Exit => false,
    }
}

fn watch(stop: &Stop, shared: &Shared, mut detector: Detector, at_ready: AtReady, tracer: i32) {
    let mut ending: Option<Ending> = None;
    while !stop.asked_within(POLL) {
        if shared.ready_ns.load(SeqCst) != 0 {
            match at_ready {
                AtReady::End(by) => ending.get_or_insert_with(|| Ending::new(by)).tell(&shared.pids()),
                // It may be asleep until the program does something.
                AtReady::Leave => wake(tracer),
            }
            continue;
        }
        if let Some(at_ns) = detector.check(|| shared.pids()) {
            shared.ready_ns.store(at_ns, SeqCst);
        }
    }
}

/// See [`ReadyWatch::marking`].
pub struct Marking<'a, S: Sink> {
    watch: &'a mut ReadyWatch,
    inner: &'a mut S,
}

impl<S: Sink> Sink for Marking<'_, S> {
    fn push(&mut self, event: &Event<'_>) {
        let ready_ns = self.watch.shared.ready_ns.load(SeqCst);
        if ready_ns != 0 && !self.watch.marked {
            let at_ns = ready_ns.saturating_sub(self.watch.origin_ns);
            if event.end_ns.unwrap_or(event.start_ns) > at_ns {
                self.watch.marked = true;
                let text = Some(mark::READY.as_bytes());
                let end_ns = Some(at_ns);
                let (pid, tid, comm) = (event.pid, event.tid, event.comm);
                let at = Event { pid, tid, comm, text, start_ns: at_ns, end_ns, ..Event::new(Kind::Mark) };
                self.inner.push(&at);
            }
        }
        self.watch.see(event);
        self.inner.push(event);
    }

    fn stopped(&mut self, event: &Event<'_>) {
        self.inner.stopped(event);
    }

    fn waits_for(&mut self, pids: &[i32]) {
        self.inner.waits_for(pids);
    }

    fn wants_end(&self) -> bool {
        self.watch.leaves && self.watch.shared.ready_ns.load(SeqCst) != 0
    }
}
