//! Threads that are kept in a stop for a while, as delays of calls have it. Others go on meanwhile.

use std::time::{Duration, Instant};

use super::super::sys::alarm::Alarm;
use super::super::sys::signals::end_was_asked;
use super::stop::Stop;

/// How a thread goes on.
#[derive(Debug)]
pub enum Then {
    /// Into its call, with this signal (0: none).
    Enter(i32),
    /// Past it, with what it has returned.
    Return(i64),
}

#[derive(Debug)]
struct Held {
    until: Instant,
    stop: Stop,
    then: Then,
}

/// Who is held, and until when.
#[derive(Debug, Default)]
pub struct Delays {
    held: Vec<Held>,
    alarm: Option<Alarm>,
}

impl Delays {
    /// Holds a thread for so long.
    pub fn hold(&mut self, stop: Stop, delay: Duration, then: Then) {
        // A time that no clock has is as good as for ever; an end that is asked for ends it all the same.
        let now = Instant::now();
        let until = now.checked_add(delay).unwrap_or(now + Duration::from_secs(u64::from(u32::MAX)));
        self.held.push(Held { until, stop, then });
        // Without one it is looked whenever anybody stops.
        self.alarm = self.alarm.take().or_else(|| Alarm::new().ok());
        self.set_alarm();
    }

    /// Whether somebody is to go on.
    pub fn is_due(&self) -> bool {
        let now = || Instant::now();
        !self.held.is_empty() && (end_was_asked() || self.earliest().is_some_and(|until| until <= now()))
    }

    /// Who is to go on next, if it is time for anybody. An end that is asked for ends all delays: a thread that stands still
    /// would not see its signal.
    pub fn take_due(&mut self) -> Option<(Stop, Then)> {
        if !self.is_due() {
            return None;
        }
        self.take_earliest()
    }

    /// Who is to go on next, whenever that is.
    pub fn take_earliest(&mut self) -> Option<(Stop, Then)> {
        let (at, _) = self.held.iter().enumerate().min_by_key(|(_, held)| held.until)?;
        let Held { stop, then, .. } = self.held.swap_remove(at);
        self.set_alarm();
        Some((stop, then))
    }

    /// The thread is gone, or stands in another stop.
    pub fn forget(&mut self, tid: i32) {
        if self.held.iter().any(|held| held.stop.tid() == tid) {
            self.held.retain(|held| held.stop.tid() != tid);
            self.set_alarm();
        }
    }

    fn earliest(&self) -> Option<Instant> {
        self.held.iter().map(|held| held.until).min()
    }

    fn set_alarm(&self) {
        if let Some(alarm) = &self.alarm {
            alarm.set(self.earliest().map(|until| until.saturating_duration_since(Instant::now())));
        }
    }
}
