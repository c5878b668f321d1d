//! What calls cost: measured where the backend's durations are true, estimated under ptrace.
//!
//! A ptrace duration holds the tracer's stop, which is several times what most calls take. So no
//! single one of them is a cost. What can be said is made from groups of like calls (the same call
//! with the same outcome): the median traced duration less what the stop alone takes, measured on
//! this machine before the command was started. `docs/costs.md` gives the whole of the method, its
//! errors and its checks.

mod group;
mod prices;
mod times;

use serde::Serialize;

use super::cpu;
use super::interval::Figures;
use crate::log::Header;
pub use group::{Cell, Group};
pub use prices::{Groups, LongCalls, Prices, Sum, Waits};
pub use times::{NullCall, Times};

/// A traced duration of this or more is no jitter of the tracer but a call that really waited.
pub const LONG_NS: u64 = 1_000_000;

/// The backend whose durations do not hold the tracer's work.
const TRUE_BACKEND: &str = "ebpf";
/// Significant digits of a group's distribution: an estimate is a small difference of large numbers.
const GROUP_DIGITS: u8 = 3;

/// How far a cost can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Quality {
    /// Durations as the kernel took them.
    True,
    /// What calls took when they were made again by themselves; others have no cost.
    Replayed,
    /// Traced durations with the calibrated stop taken off, see the module's documentation.
    Estimated,
    /// Traced durations and no calibration: there is no cost to show.
    Unknown,
}

impl Quality {
    /// Whether each call's duration is its cost, so that sums and tails can be shown.
    #[must_use]
    pub const fn is_measured(self) -> bool {
        matches!(self, Self::True | Self::Replayed)
    }
}

/// How durations of one log become costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Model {
    /// What the costs are.
    pub quality: Quality,
    /// The tracer on the program's own CPU.
    pub pinned: Stop,
    /// The tracer on another CPU than the program (`Flags::BESIDE`); known only at the end of a log.
    pub beside: Option<Stop>,
    /// What the null call takes untraced: the part of its duration that is not the stop.
    pub null_ns: u64,
    /// Time that an untraced run does not spend in user mode: no more can its calls cost that do not wait
    /// for other processes. `None`: there were no untraced runs.
    pub outside_user: Option<OutsideUser>,
}

/// Time of an untraced run that is not spent in user mode, on average.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OutsideUser {
    /// In the kernel.
    pub kernel_ns: u64,
    /// Asleep, or waiting for a CPU.
    pub off_cpu_ns: u64,
}

impl OutsideUser {
    /// What is left of it for calls that wait for devices, when others have waited for something else.
    fn room(self, waited_else_ns: u64, plain_ns: u64) -> u64 {
        (self.kernel_ns + self.off_cpu_ns.saturating_sub(waited_else_ns)).saturating_sub(plain_ns)
    }
}

/// An average, for the kernel divides CPU time by ticks, which a median would keep. Where the ticks do not tell (runs
/// shorter than one seem to be all user), all of the CPU time may be the kernel's.
fn outside_user(header: &Header) -> Option<OutsideUser> {
    let figures = Figures::of(&header.untraced.as_ref()?.runs)?;
    let [wall, cpu, system] = [figures.wall_ns.mean, figures.cpu_ns.mean, figures.system_ns.mean];
    let tells = cpu::user_share(&figures, header.host.tick_ns, 1).is_some();
    let kernel = if tells { system } else { cpu };
    Some(OutsideUser { kernel_ns: kernel as u64, off_cpu_ns: (wall - cpu).max(0.0) as u64 })
}

/// What tracing one call costs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stop {
    /// What the stop adds to the call's own duration.
    pub duration_ns: u64,
    /// Elapsed time that tracing a call adds to the program.
    pub added_ns: u64,
}

impl Model {
    /// The model for a log.
    #[must_use]
    pub fn of(header: &Header) -> Self {
        let known = header.calibration.as_ref().filter(|null| null.calls > 0);
        let is_replayed = header.replayed.is_some();
        let true_costs = is_replayed || header.backend == TRUE_BACKEND;
        let pinned = known.map_or_else(Stop::default, |null| Stop {
            // The null call itself took `untraced_ns` of the duration seen; the rest is the stop.
            duration_ns: if true_costs { 0 } else { null.p50_ns.saturating_sub(null.untraced_ns) },
            added_ns: null.added_ns,
        });
        let quality = match known {
            _ if is_replayed => Quality::Replayed,
            _ if true_costs => Quality::True,
            Some(_) => Quality::Estimated,
            None => Quality::Unknown,
        };
        Self {
            quality,
            pinned,
            beside: None,
            null_ns: known.map_or(0, |null| null.untraced_ns),
            outside_user: outside_user(header),
        }
    }

    /// Takes in what a stop beside the program costs, from the totals at a log's end.
    pub fn set_beside(&mut self, p50_ns: Option<i64>, added_ns: Option<i64>) {
        let known = p50_ns
            .zip(added_ns)
            .and_then(|(p50, added)| Some((u64::try_from(p50).ok()?, u64::try_from(added).ok()?)));
        self.beside = known
            .filter(|_| self.quality == Quality::Estimated)
            .map(|(p50_ns, added_ns)| Stop { duration_ns: p50_ns.saturating_sub(self.null_ns), added_ns });
    }

    /// What tracing a call of this group costs.
    #[must_use]
    pub fn stop(&self, group: Group) -> Stop {
        if group.beside() { self.beside.unwrap_or(self.pinned) } else { self.pinned }
    }
}

#[cfg(test)]
mod tests;
