//! The calls that took longest, with what they were about: those that a picture has room to name.

use crate::analysis::calls::CallId;
use crate::analysis::waterfall::class::Class;
use crate::analysis::waterfall::lane::LaneId;

/// Calls that are kept.
const KEPT: usize = 2000;
/// Bytes of a name that are kept.
const NAME: usize = 512;

/// A call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Long {
    pub lane: LaneId,
    pub start_ns: u64,
    pub end_ns: u64,
    pub wait: Class,
    pub on: Class,
    pub call: CallId,
    pub errno: u16,
    pub object: Box<[u8]>,
}

/// Takes calls, keeps the longest.
#[derive(Debug, Default)]
pub struct Longest {
    all: Vec<Long>,
    /// Shorter ones are none of them.
    least_ns: u64,
}

impl Longest {
    /// Takes in a call; what it is about is only copied if it is long enough.
    pub fn add(&mut self, long: &Long, object: &[u8]) {
        let length = |long: &Long| long.end_ns.saturating_sub(long.start_ns);
        if length(long) <= self.least_ns {
            return;
        }
        self.all.push(Long { object: shortened(object), ..long.clone() });
        if self.all.len() >= 2 * KEPT {
            self.all.select_nth_unstable_by_key(KEPT, |long| std::cmp::Reverse(length(long)));
            self.all.truncate(KEPT);
            self.least_ns = self.all.iter().map(length).min().unwrap_or(0);
        }
    }

    /// Those that were kept.
    pub fn finish(self) -> Vec<Long> {
        self.all
    }
}

/// The beginning and the end of a name that is too long.
pub fn shortened(name: &[u8]) -> Box<[u8]> {
    if name.len() <= NAME {
        return name.into();
    }
    let (front, back) = (&name[..NAME / 3], &name[name.len() - NAME / 2..]);
    [front, "…".as_bytes(), back].concat().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::partition::Part;

    #[test]
    fn the_longest_are_kept_with_names_of_bounded_length() {
        let mut longest = Longest::default();
        for ns in 0..10_000_u64 {
            let (start_ns, end_ns) = (10_000 - ns, 10_000);
            let long = Long {
                lane: 0,
                start_ns,
                end_ns,
                wait: Class::Off(Part::Other),
                on: Class::OtherCall,
                call: 0,
                errno: 0,
                object: Box::default(),
            };
            longest.add(&long, &vec![b'x'; 1 << 20][..if ns == 9_999 { 1 << 20 } else { 1 }]);
        }
        let kept = longest.finish();
        assert!((KEPT..2 * KEPT).contains(&kept.len()), "{}", kept.len());
        let longest = kept.iter().find(|long| long.start_ns == 1).expect("the longest");
        assert!((100..600).contains(&longest.object.len()));
        let is_kept = |ns: u64| kept.iter().any(|long| 10_000 - long.start_ns == ns);
        assert!((10_000 - KEPT as u64..10_000).all(is_kept));
    }
}
