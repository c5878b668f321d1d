//! One traced thread.

use super::super::decode::restart::InterruptedCalls;
use super::super::sys::breakpoint::Breakpoint;
use super::call::Call;
use super::files::{Shares, proc_file};
use super::samples::ThreadSamples;

/// A thread's name, at most 15 bytes (`TASK_COMM_LEN`).
#[derive(Clone, Copy, Debug, Default)]
pub struct Comm {
    bytes: [u8; 16],
    length: u8,
}

impl Comm {
    /// Asks `/proc`; empty where it cannot be read.
    pub fn of(tid: i32) -> Self {
        let mut comm = Self::default();
        let name = proc_file(tid, "comm").unwrap_or_default();
        let name = name.strip_suffix(b"\n").unwrap_or(&name);
        let length = name.len().min(15);
        comm.bytes[..length].copy_from_slice(&name[..length]);
        comm.length = length as u8;
        comm
    }

    /// The name.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

/// What is known of a thread.
pub struct Thread {
    /// Thread id.
    pub tid: i32,
    /// Process id (thread-group id).
    pub pid: i32,
    /// Name.
    pub comm: Comm,
    /// What it shares with others.
    pub shares: Shares,
    /// Whether it is inside `call`.
    pub in_call: bool,
    /// The call it is in, or the last one.
    pub call: Call,
    /// Calls that signals have interrupted.
    pub interrupted: InterruptedCalls,
    /// What is kept of the last signal.
    pub signal_memory: Vec<u8>,
    /// Waits for the program's entry point.
    pub entry_point: Option<Breakpoint>,
    /// What is known for CPU samples.
    pub sampled: ThreadSamples,
}

impl Thread {
    /// Whether it is inside a call that may make a child of which we do not know yet.
    pub fn may_tell_of_child(&self) -> bool {
        self.in_call && self.call.plan.effect.makes_child() && !self.call.child_known
    }

    /// A thread that is seen for the first time, outside any call.
    pub fn new(tid: i32, pid: i32, comm: Comm, shares: Shares) -> Self {
        Self {
            tid,
            pid,
            comm,
            shares,
            in_call: false,
            call: Call::default(),
            interrupted: InterruptedCalls::default(),
            signal_memory: Vec::new(),
            entry_point: None,
            sampled: ThreadSamples::default(),
        }
    }
}
