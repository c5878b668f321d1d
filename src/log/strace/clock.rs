//! Times of lines, whichever way strace writes them, on one scale.

use super::prefix::Stamp;

pub const DAY_NS: u64 = 86_400_000_000_000;

/// Times of lines as nanoseconds since the first.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// There are times.
    pub is_running: bool,
    /// The moment that is 0; the first one, where nothing else is known.
    origin: Option<u64>,
    /// The moment of the last line; times of the day are of the second day on, so that there is one before the first.
    latest: u64,
    /// The last time met.
    pub now: u64,
}

impl Clock {
    /// A clock whose 0 is this [`Clock::moment`].
    pub fn beginning_at(moment: Option<u64>) -> Self {
        Self { origin: moment, ..Self::default() }
    }

    /// A line's time.
    pub fn at(&mut self, stamp: Stamp) -> u64 {
        self.is_running = true;
        self.now = match self.moment(stamp) {
            Ok(moment) => moment.saturating_sub(*self.origin.get_or_insert(moment)),
            Err(since_ns) => self.now.saturating_add(since_ns),
        };
        self.now
    }

    /// A line's time as nanoseconds since a moment that is the same for all lines; `Err`: since the line before.
    pub fn moment(&mut self, stamp: Stamp) -> Result<u64, u64> {
        let moment = match stamp {
            Stamp::Since(ns) => return Err(ns),
            Stamp::Epoch(ns) => ns,
            Stamp::Day(ns) => {
                // Midnight may lie between two lines in either direction: where lines stand in the order in which calls
                // return, times go back by as much as a call takes.
                let today = self.latest / DAY_NS * DAY_NS;
                let days = [today, today.saturating_add(DAY_NS), today.saturating_sub(DAY_NS)];
                let near = days.map(|day| day.saturating_add(ns));
                let is_first = self.latest == 0;
                if is_first {
                    near[1]
                } else {
                    near.into_iter().min_by_key(|moment| moment.abs_diff(self.latest)).unwrap_or(ns)
                }
            }
        };
        self.latest = moment;
        Ok(moment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn midnight_is_passed_in_both_directions() {
        let second = |second: u64| Stamp::Day(second * 1_000_000_000);
        let mut clock = Clock::default();
        let times = [86_390, 5, 86_395, 6, 43_000, 86_000, 10].map(|s| clock.at(second(s)) / 1_000_000_000);
        assert_eq!(times, [0, 15, 5, 16, 43_010, 86_010, 86_420]);
        let mut looking = Clock::default();
        let moments = [1, 86_399].map(|s| looking.moment(second(s)).expect("a moment"));
        assert!(moments[1] < moments[0], "the second line began before midnight");
        let mut clock = Clock::beginning_at(Some(moments[1]));
        assert_eq!([1, 86_399, 2].map(|s| clock.at(second(s)) / 1_000_000_000), [2, 0, 3]);
    }
}
