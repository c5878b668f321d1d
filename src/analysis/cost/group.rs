//! Calls that are alike, and how many there are: what prices are made of.

use super::super::calls::CallId;
use super::LONG_NS;

/// Calls that are alike: the same call, on a file or not, that succeeded, failed or gave nothing,
/// traced from the same CPU or from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Group(pub(super) u32);

impl Group {
    /// The group of a call. `file`: what it works on is a file rather than a pipe, socket or terminal.
    #[must_use]
    pub fn new(call: CallId, file: bool, failed: bool, beside: bool) -> Self {
        Self(u32::from(call) << 4 | u32::from(beside) << 2 | u32::from(file) << 1 | u32::from(failed))
    }

    /// The same for calls that gave nothing: a `read` at the end of its file, a `getdents` at the end of
    /// its directory. They are half of all such calls, and cost a fraction of the others.
    #[must_use]
    pub fn empty(self, empty: bool) -> Self {
        Self(self.0 & !8 | u32::from(empty) << 3)
    }

    /// Which call.
    #[must_use]
    pub fn call(self) -> CallId {
        (self.0 >> 4) as CallId
    }

    /// Whether the tracer was on another CPU.
    #[must_use]
    pub fn beside(self) -> bool {
        self.0 & 4 != 0
    }

    /// Whether it works on a file.
    #[must_use]
    pub fn on_file(self) -> bool {
        self.0 & 2 != 0
    }

    /// Whether it gave nothing, see [`Group::empty`].
    #[must_use]
    pub fn gave_nothing(self) -> bool {
        self.0 & 8 != 0
    }

    /// Whether it failed.
    #[must_use]
    pub fn failed(self) -> bool {
        self.0 & 1 != 0
    }
}

/// A number of calls of one group, and what is needed to say what they cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cell {
    /// Calls, those that never returned included.
    pub calls: u64,
    /// Calls that returned.
    pub timed: u64,
    /// Sum of the durations of those.
    pub sum_ns: u64,
    /// Those that took [`LONG_NS`] or more.
    pub long: u64,
    /// Sum of the durations of the long ones.
    pub long_ns: u64,
}

impl Cell {
    /// Counts one call.
    pub fn add(&mut self, duration_ns: Option<u64>) {
        self.calls += 1;
        if let Some(ns) = duration_ns {
            self.timed += 1;
            self.sum_ns = self.sum_ns.saturating_add(ns);
            if ns >= LONG_NS {
                self.long += 1;
                self.long_ns = self.long_ns.saturating_add(ns);
            }
        }
    }

    /// Counts the calls of another cell.
    pub fn merge(&mut self, other: &Self) {
        self.calls += other.calls;
        self.timed += other.timed;
        self.sum_ns = self.sum_ns.saturating_add(other.sum_ns);
        self.long += other.long;
        self.long_ns = self.long_ns.saturating_add(other.long_ns);
    }
}
