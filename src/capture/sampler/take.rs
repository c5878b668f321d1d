//! Takes records out of the rings, puts them in order, and unwinds the stacks of samples.
//!
//! It must keep up with the kernel, so finding names, which reads whole files, is another thread's part ([`super::name`]).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use perf_event_open::sample::record::Record;
use perf_event_open::sample::record::ctx::{CtxSwitch, Switch};
use perf_event_open::sample::record::mmap::Mmap;
use perf_event_open::sample::record::sample::{Abi, CallChain, Sample};
use rustc_hash::FxHashMap;

use super::super::stacks::{ObjectId, Objects, Space, Walk, registers};
use super::super::sys::clock::monotonic_ns;
use super::Sampled;
use super::counters::Counters;
use super::name::{Away, Found, Unwound};
use super::processes::{self, Processes};

/// Between two rounds: at the highest rate a ring holds several times as much.
const ROUND: Duration = Duration::from_millis(4);
/// User addresses on x86-64 lie below this one; the kernel's above.
const KERNEL: u64 = 1 << 63;

/// A record that waits for its turn.
enum Waiting {
    Sample(Box<Sample>),
    Mapped(Box<Mmap>, Option<ObjectId>),
    /// A thread could go on.
    Woken(u32),
    Other(Record),
}

/// A thread is on no CPU.
struct Off {
    since: u64,
    /// It could run from the beginning on.
    is_ready: bool,
    /// When it could go on.
    woken: Option<u64>,
}

/// See the module's documentation.
pub struct Taker {
    counters: Counters,
    origin_ns: u64,
    period_ns: u64,
    namer: SyncSender<Found>,
    processes: Processes,
    objects: Objects,
    /// How many of them the namer knows.
    told: usize,
    walk: Walk,
    /// Records in the order of their times, once sorted.
    waiting: Vec<(u64, Waiting)>,
    /// Threads that are on no CPU.
    away: FxHashMap<u32, Off>,
    sampled: Sampled,
}

impl Taker {
    pub fn new(counters: Counters, hz: u32, origin_ns: u64, namer: SyncSender<Found>) -> Self {
        Self {
            counters,
            origin_ns,
            period_ns: 1_000_000_000 / u64::from(hz.max(1)),
            namer,
            processes: Processes::default(),
            objects: Objects::default(),
            told: 0,
            walk: Walk::default(),
            waiting: Vec::new(),
            away: FxHashMap::default(),
            sampled: Sampled::default(),
        }
    }

    /// Until it is to stop, and then until the rings are empty.
    pub fn run(mut self, stop: &AtomicBool) -> Sampled {
        let mut whole_until = 0;
        loop {
            let last = stop.load(Ordering::Acquire);
            let now = monotonic_ns();
            self.drain();
            // What is older than the round before is all there, whichever CPU's ring it came by.
            self.handle(if last { u64::MAX } else { whole_until });
            if last {
                return self.sampled;
            }
            whole_until = now;
            std::thread::sleep(ROUND);
        }
    }

    fn drain(&mut self) {
        let (waiting, objects, sampled) = (&mut self.waiting, &mut self.objects, &mut self.sampled);
        self.counters.drain_wakes(|time, tid| waiting.push((time, Waiting::Woken(tid))));
        self.counters.drain(|record| match record {
            Record::Sample(sample) => {
                let time = sample.record_id.time.unwrap_or(0);
                waiting.push((time, Waiting::Sample(sample)));
            }
            Record::Mmap(map) => {
                let time = map.record_id.as_ref().and_then(|id| id.time).unwrap_or(0);
                // At once: the process may end at any time.
                let object = if map.executable { processes::open(objects, &map) } else { None };
                waiting.push((time, Waiting::Mapped(map, object)));
            }
            Record::LostRecords(lost) => sampled.lost += lost.lost_records,
            Record::LostSamples(lost) => sampled.lost += lost.lost_samples,
            Record::Throttle(_) => sampled.throttled += 1,
            other => {
                let id = match &other {
                    Record::Comm(comm) => comm.record_id.as_ref(),
                    Record::Fork(fork) => fork.record_id.as_ref(),
                    Record::Exit(exit) => {
                        sampled.hidden += u32::from(processes::goes_on(exit.task.tid));
                        exit.record_id.as_ref()
                    }
                    Record::CtxSwitch(switch) => switch.record_id.as_ref(),
                    _ => return,
                };
                let time = id.and_then(|id| id.time).unwrap_or(0);
                waiting.push((time, Waiting::Other(other)));
            }
        });
        // Stable: records of one ring that have the same time keep their order.
        self.waiting.sort_by_key(|(time, _)| *time);
    }

    /// Handles what came before a time.
    fn handle(&mut self, until: u64) {
        let count = self.waiting.partition_point(|(time, _)| *time < until);
        let later = self.waiting.split_off(count);
        for (time, record) in std::mem::replace(&mut self.waiting, later) {
            match record {
                Waiting::Sample(sample) => self.sample(time, &sample),
                Waiting::Woken(tid) => {
                    if let Some(off) = self.away.get_mut(&tid) {
                        off.woken.get_or_insert(time);
                    }
                }
                Waiting::Mapped(map, object) => self.processes.mapped(&self.objects, &map, object),
                Waiting::Other(Record::Comm(comm)) => {
                    if comm.by_execve {
                        self.processes.executed(comm.task.pid);
                    }
                    self.processes.named(comm.task.tid, comm.comm.into_bytes().into());
                }
                Waiting::Other(Record::Fork(fork)) => {
                    // A new thread is ready to run.
                    self.away.insert(fork.task.tid, Off { since: time, is_ready: true, woken: None });
                    let parent = (fork.parent_task.pid, fork.parent_task.tid);
                    self.processes.forked((fork.task.pid, fork.task.tid), parent);
                }
                Waiting::Other(Record::Exit(exit)) => {
                    self.away.remove(&exit.task.tid);
                    self.processes.ended(exit.task.pid, exit.task.tid);
                }
                Waiting::Other(Record::CtxSwitch(switch)) => self.switched(time, &switch),
                Waiting::Other(_) => {}
            }
        }
    }

    /// A thread has left its CPU, or has one again.
    fn switched(&mut self, time: u64, switch: &CtxSwitch) {
        let Some(task) = switch.record_id.as_ref().and_then(|id| id.task.as_ref()) else { return };
        if let Switch::OutTo { preempt, .. } = switch.info {
            self.away.insert(task.tid, Off { since: time, is_ready: preempt, woken: None });
            return;
        }
        let Some(Off { since, is_ready, woken }) = self.away.remove(&task.tid) else { return };
        let comm = self.processes.comm(task.tid);
        let mut away = |from: u64, to: u64, is_ready| {
            let away = Away {
                start_ns: from.saturating_sub(self.origin_ns),
                end_ns: to.saturating_sub(self.origin_ns),
                pid: task.pid,
                tid: task.tid,
                comm: comm.clone(),
                is_ready,
            };
            self.hand_on(Found::Away(away));
        };
        match woken.filter(|woken| !is_ready && (since..time).contains(woken)) {
            Some(woken) => {
                away(since, woken, false);
                away(woken, time, true);
            }
            None => away(since, time, is_ready),
        }
    }

    /// Unwinds a sample's stack, and hands it on.
    fn sample(&mut self, time: u64, sample: &Sample) {
        let Some(task) = &sample.record_id.task else { return };
        let is_user = self.walk_user(task.pid, sample);
        let found = Unwound {
            at_ns: time.saturating_sub(self.origin_ns),
            pid: task.pid,
            tid: task.tid,
            comm: self.processes.comm(task.tid),
            cpu: sample.record_id.cpu.unwrap_or(0),
            stands_for_ns: sample.period.unwrap_or(self.period_ns),
            ip: sample.code_addr.map_or(0, |(at, _)| at),
            user: if is_user { self.walk.addresses.clone() } else { Vec::new() },
            cut: is_user && self.walk.cut,
            kernel: kernel_chain(sample),
        };
        self.hand_on(Found::Sample(Box::new(found)));
    }

    fn hand_on(&mut self, found: Found) {
        for object in &self.objects.list()[self.told..] {
            // Who takes them ends after us.
            let _ = self.namer.send(Found::Object(object.clone()));
        }
        self.told = self.objects.list().len();
        let _ = self.namer.send(found);
    }

    /// Finds the addresses in user mode. False: there are none.
    fn walk_user(&mut self, pid: u32, sample: &Sample) -> bool {
        let space = self.processes.space(pid);
        self.walk.addresses.clear();
        self.walk.cut = true;
        match &sample.user_regs {
            Some((values, Abi::_64)) => {
                let Some(registers) = registers(values) else { return false };
                let stack = sample.user_stack.as_deref().unwrap_or_default();
                let bottom = registers.sp();
                space.walk(&mut self.walk, registers, &mut |at| word(stack, bottom, at));
            }
            // 32-bit code: what the kernel found by frame pointers.
            Some((_, Abi::_32)) => {}
            // A thread of the kernel, or one that has no user memory any more.
            None => return false,
        }
        if self.walk.addresses.len() <= 1 && self.walk.cut {
            follow_frame_pointers(&mut self.walk, sample, space);
        }
        true
    }
}

/// The addresses in the kernel, innermost first.
fn kernel_chain(sample: &Sample) -> Vec<u64> {
    let parts = sample.call_chain.iter().flatten();
    let kernel = parts.filter_map(|part| match part {
        CallChain::Kernel(addresses) => Some(addresses),
        _ => None,
    });
    kernel.flatten().copied().filter(|at| *at >= KERNEL).collect()
}

/// Where there is no DWARF to go by, frame pointers may do: the kernel has followed them, as far as they lead to calls.
fn follow_frame_pointers(walk: &mut Walk, sample: &Sample, space: &Space) {
    let user = sample.call_chain.iter().flatten().find_map(|part| match part {
        CallChain::User(addresses) => Some(addresses),
        _ => None,
    });
    let Some(addresses) = user.filter(|addresses| addresses.len() > walk.addresses.len()) else { return };
    walk.addresses.clear();
    for (depth, &at) in addresses.iter().enumerate() {
        if depth > 0 && !space.may_return_to(walk, at) {
            break;
        }
        walk.addresses.push(space.find(if depth == 0 { at } else { at.saturating_sub(1) }));
    }
}

/// The eight bytes at an address of the stack, of which a piece from `bottom` on is known.
fn word(stack: &[u8], bottom: u64, at: u64) -> Option<u64> {
    let offset = usize::try_from(at.checked_sub(bottom)?).ok()?;
    let bytes = stack.get(offset..offset.checked_add(8)?)?;
    Some(u64::from_ne_bytes(bytes.try_into().ok()?))
}
