//! Pieces of a run's time, cut wherever a phase may begin.

/// Most segments: what a program can make us cut often (its signal handlers) must not grow without bound.
const MOST: u16 = 1024;

/// A place where the time was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// The first segment after it.
    pub segment: u16,
    /// When, by the log's clock.
    pub at_ns: u64,
}

/// The segments so far.
#[derive(Debug, Default)]
pub struct Segments {
    current: u16,
    cut_here: bool,
}

impl Segments {
    /// The next event begins; cuts made from now on lie before it.
    pub fn next_event(&mut self) {
        self.cut_here = false;
    }

    /// Cuts before the current event. `None`: too many cuts were made, this place is not kept.
    pub fn cut(&mut self, at_ns: u64) -> Option<Cut> {
        if !self.cut_here {
            if self.current >= MOST {
                return None;
            }
            self.current += 1;
            self.cut_here = true;
        }
        Some(Cut { segment: self.current, at_ns })
    }

    /// The segment of the current event.
    #[must_use]
    pub fn current(&self) -> u16 {
        self.current
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_cuts_before_one_event_are_one() {
        let mut segments = Segments::default();
        segments.next_event();
        assert_eq!(segments.cut(5), Some(Cut { segment: 1, at_ns: 5 }));
        assert_eq!(segments.cut(4), Some(Cut { segment: 1, at_ns: 4 }));
        segments.next_event();
        assert_eq!(segments.cut(9), Some(Cut { segment: 2, at_ns: 9 }));
        assert_eq!(segments.current(), 2);
    }

    #[test]
    fn cuts_are_bounded() {
        let mut segments = Segments::default();
        for at in 0..5000 {
            segments.next_event();
            segments.cut(at);
        }
        assert_eq!(segments.current(), MOST);
        segments.next_event();
        assert_eq!(segments.cut(1), None);
    }
}
