//! What a log lacks: the first thing every report says.

use serde::Serialize;

use super::text::Text;
use crate::event::{Event, Flags, Kind};

/// Notes kept word by word; a hostile log cannot make a report longer.
const MOST_NOTES: usize = 16;
/// Totals kept.
const MOST_TOTALS: usize = 64;

/// Gathers what is missing or special while events pass.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    value: Integrity,
    totals: Vec<(Text, i64)>,
    /// Totals were met.
    ended: bool,
    /// The log was repaired.
    cut: bool,
}

/// What is missing from a log, or may not be as it would be untraced.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Integrity {
    /// Events in the log; its totals are none.
    pub events: u64,
    /// System calls in the log.
    pub calls: u64,
    /// Calls that never returned, those left out that never do (`exit_group`).
    pub never_returned: u64,
    /// Events known to be missing.
    pub lost_events: u64,
    /// Whether more may be missing than are known to be.
    pub lost_at_least: bool,
    /// Losses by reason.
    pub losses: Vec<Loss>,
    /// Whether the log is all there. False: it was cut short, so that no totals end it, or was repaired
    /// after that.
    pub complete: bool,
    /// Calls with a path that could not be read or made absolute.
    pub unreadable_paths: u64,
    /// Marks the recorder left (see `event::mark`), entry points excepted, with how often.
    pub marks: Vec<Mark>,
}

/// Events lost for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Loss {
    /// The reason, as the recorder gave it.
    pub reason: Text,
    /// How many events, as far as known.
    pub events: u64,
    /// Whether there were times when the number was not known.
    pub at_least: bool,
}

/// How often a mark stands in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mark {
    /// Its name.
    pub name: Text,
    /// How often.
    pub times: u64,
}

impl Integrity {
    /// Whether a mark of this name stands in the log.
    #[must_use]
    pub fn is_marked(&self, name: &str) -> bool {
        self.marks.iter().any(|mark| mark.name.bytes() == name.as_bytes())
    }

    /// Whether counts may be too low: events are missing, or may be.
    #[must_use]
    pub fn is_lossy(&self) -> bool {
        !self.complete || self.lost_events > 0 || self.lost_at_least
    }
}

impl Watch {
    /// Takes note of one event.
    pub fn add(&mut self, event: &Event<'_>) {
        let value = &mut self.value;
        value.events += u64::from(event.kind.happened());
        match event.kind {
            Kind::Syscall => {
                value.calls += 1;
                let broken = Flags::PATH_UNREADABLE.0 | Flags::PATH2_UNREADABLE.0 | Flags::BASE_UNKNOWN.0;
                value.unreadable_paths += u64::from(event.flags.0 & broken != 0);
            }
            Kind::Lost => self.lost(event.text.unwrap_or_default(), event.ret.unwrap_or(-1)),
            Kind::Mark => self.mark(event.text.unwrap_or_default()),
            Kind::Total => {
                self.ended = true;
                if self.totals.len() < MOST_TOTALS {
                    self.totals.push((event.text.unwrap_or_default().into(), event.ret.unwrap_or(0)));
                }
            }
            Kind::Exec
            | Kind::Fork
            | Kind::Exit
            | Kind::Signal
            | Kind::Sample
            | Kind::Frame
            | Kind::Stack => {}
        }
    }

    /// Takes note of a call that never returned, though its kind does.
    pub fn never_returned(&mut self) {
        self.value.never_returned += 1;
    }

    fn lost(&mut self, reason: &[u8], count: i64) {
        let known = u64::try_from(count).ok();
        self.value.lost_at_least |= known.is_none();
        self.cut |= reason == crate::event::loss::CUT.as_bytes();
        self.value.lost_events = self.value.lost_events.saturating_add(known.unwrap_or(0));
        let losses = &mut self.value.losses;
        if let Some(loss) = losses.iter_mut().find(|loss| loss.reason.bytes() == reason) {
            loss.events = loss.events.saturating_add(known.unwrap_or(0));
            loss.at_least |= known.is_none();
        } else if losses.len() < MOST_NOTES {
            losses.push(Loss {
                reason: reason.into(),
                events: known.unwrap_or(0),
                at_least: known.is_none(),
            });
        }
    }

    fn mark(&mut self, name: &[u8]) {
        if name == crate::event::mark::ENTRY.as_bytes() {
            return;
        }
        let marks = &mut self.value.marks;
        if let Some(mark) = marks.iter_mut().find(|mark| mark.name.bytes() == name) {
            mark.times += 1;
        } else if marks.len() < MOST_NOTES {
            marks.push(Mark { name: name.into(), times: 1 });
        }
    }

    /// A figure of the whole run, by name.
    #[must_use]
    pub fn total(&self, name: &str) -> Option<i64> {
        let known = self.totals.iter().find(|(known, _)| known.bytes() == name.as_bytes());
        known.map(|(_, value)| *value)
    }

    /// What was found.
    #[must_use]
    pub fn finish(self) -> Integrity {
        Integrity { complete: self.ended && !self.cut, ..self.value }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: Kind, text: &'static str, ret: i64) -> Event<'static> {
        Event { text: Some(text.as_bytes()), ret: Some(ret), ..Event::new(kind) }
    }

    #[test]
    fn losses_are_added_up_by_reason() {
        let mut watch = Watch::default();
        for (reason, count) in [("ring full", 10), ("ring full", 5), ("killed", -1)] {
            watch.add(&event(Kind::Lost, reason, count));
        }
        let integrity = watch.finish();
        assert_eq!(integrity.lost_events, 15);
        let losses: Vec<_> = integrity.losses.iter().map(|loss| (loss.events, loss.at_least)).collect();
        assert_eq!(losses, [(15, false), (0, true)]);
        assert!(integrity.lost_at_least);
        assert!(!integrity.complete, "no totals: cut short");
    }

    #[test]
    fn a_repaired_log_is_not_complete() {
        let mut watch = Watch::default();
        watch.add(&event(Kind::Lost, crate::event::loss::CUT, -1));
        watch.add(&event(Kind::Total, "events", 1));
        let integrity = watch.finish();
        assert!(!integrity.complete && integrity.lost_at_least);
    }

    #[test]
    fn totals_make_a_log_complete_and_marks_are_counted() {
        let mut watch = Watch::default();
        watch.add(&event(Kind::Mark, "entry", 0));
        watch.add(&event(Kind::Mark, "io-uring", 0));
        watch.add(&event(Kind::Mark, "io-uring", 0));
        watch.add(&Event { flags: Flags::BASE_UNKNOWN, ..Event::new(Kind::Syscall) });
        watch.add(&event(Kind::Total, "events", 3));
        assert_eq!((watch.total("events"), watch.total("other")), (Some(3), None));
        let integrity = watch.finish();
        assert!(integrity.complete);
        assert_eq!((integrity.events, integrity.calls), (4, 1));
        assert_eq!(integrity.unreadable_paths, 1);
        assert_eq!(integrity.marks, [Mark { name: Text::from("io-uring"), times: 2 }]);
    }

    #[test]
    fn a_hostile_log_cannot_fill_memory_with_notes() {
        let mut watch = Watch::default();
        for n in 0..10_000 {
            let reason = format!("reason {n}");
            watch.add(&Event { text: Some(reason.as_bytes()), ..Event::new(Kind::Lost) });
        }
        assert_eq!(watch.finish().losses.len(), MOST_NOTES);
    }
}
