//! What a log's totals count.

use super::{TOTAL_EVENTS, TOTAL_LOST};
use crate::event::{Event, Kind};

/// What the totals at the end of the log are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Rows that are something that happened.
    pub(super) events: u64,
    /// Sum of the losses of known size.
    pub(super) lost: u64,
    /// Whether there is a loss of unknown size.
    pub(super) lost_unknown: bool,
}

impl Counts {
    pub(super) fn add_event(&mut self, event: &Event<'_>) {
        self.events += u64::from(event.kind.happened());
        if event.kind == Kind::Lost {
            match event.ret.and_then(|lost| u64::try_from(lost).ok()) {
                Some(lost) => self.lost = self.lost.saturating_add(lost),
                None => self.lost_unknown = true,
            }
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.events += other.events;
        self.lost = self.lost.saturating_add(other.lost);
        self.lost_unknown |= other.lost_unknown;
    }

    /// The loss as it stands in a total: -1 if some of it is unknown.
    pub(super) fn lost_total(self) -> i64 {
        if self.lost_unknown { -1 } else { i64::try_from(self.lost).unwrap_or(i64::MAX) }
    }
}

/// The totals that every complete log has, as they were read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Totals {
    pub(super) events: Option<i64>,
    pub(super) lost: Option<i64>,
}

impl Totals {
    /// Keeps the value of a [`Kind::Total`] row if it is one of these.
    pub(super) fn take_down(&mut self, total: &Event<'_>) {
        match total.text {
            Some(name) if name == TOTAL_EVENTS.as_bytes() => self.events = total.ret,
            Some(name) if name == TOTAL_LOST.as_bytes() => self.lost = total.ret,
            _ => {}
        }
    }
}
