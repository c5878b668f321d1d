//! Times of lines, whichever way strace writes them, on one scale.

use super::prefix::Stamp;

/// Times of lines as nanoseconds since the first.
#[derive(Debug, Default)]
pub struct Clock {
    /// There are times.
    pub is_running: bool,
    origin: u64,
    last: u64,
    days: u64,
    /// The last time met.
    pub now: u64,
}

impl Clock {
    /// A line's time.
    pub fn at(&mut self, stamp: Stamp) -> u64 {
        const DAY_NS: u64 = 86_400_000_000_000;
        let raw = match stamp {
            Stamp::Since(ns) => {
                self.is_running = true;
                self.now = self.now.saturating_add(ns);
                return self.now;
            }
            Stamp::Epoch(ns) => ns,
            Stamp::Day(ns) => {
                if ns.saturating_add(DAY_NS / 2) < self.last {
                    self.days += 1;
                }
                self.last = ns;
                ns.saturating_add(self.days.saturating_mul(DAY_NS))
            }
        };
        if !self.is_running {
            self.is_running = true;
            self.origin = raw;
        }
        self.now = raw.saturating_sub(self.origin);
        self.now
    }
}
