//! Processes of a command that go on after its first one: when to say that they are waited for.

/// How long they may go on before that is told.
const WORD_AFTER_NS: u64 = 1_500_000_000;

/// What is known of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Others {
    /// Nothing.
    #[default]
    Unknown,
    /// They go on since then, by the monotonic clock.
    GoOnSince(u64),
    /// The user knows of them.
    Told,
}

impl Others {
    /// They still go on: whether it is time to say so, which it is once.
    pub fn go_on(&mut self, now_ns: u64) -> bool {
        match *self {
            Self::Unknown => *self = Self::GoOnSince(now_ns),
            Self::GoOnSince(since) if now_ns.saturating_sub(since) > WORD_AFTER_NS => {
                *self = Self::Told;
                return true;
            }
            Self::GoOnSince(_) | Self::Told => {}
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_once() {
        let mut others = Others::default();
        let said: Vec<bool> = (0..5).map(|second| others.go_on(second * 1_000_000_000)).collect();
        assert_eq!(said, [false, false, true, false, false]);
    }
}
