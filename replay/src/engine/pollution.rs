//! What a program does to the processor's caches between its calls.
//!
//! It reads and writes memory, and it runs code: the kernel finds neither its data nor its instructions where it left
//! them, and the branch predictor has learnt something else. So a pause walks through memory as large as a
//! second-level cache, and through a thousand functions that no two alike are of.

use std::time::{Duration, Instant};

/// As much as a second-level cache holds.
const WORKING_SET: usize = 2 << 20;
/// A cache line.
const STRIDE: usize = 64;
/// What a program touches in a quarter of a microsecond that it has not touched just before: lines of data, and one
/// function. An assumption, on which a short pause hangs: at the speed at which memory can be written, it would
/// evict more than a program does that computes.
const LINES: usize = 8;
const EACH: Duration = Duration::from_nanos(250);

type Code = fn(u64) -> u64;
const ROWS: usize = 32;
const COLUMNS: usize = 32;

/// Memory and code to walk through, or neither.
#[derive(Debug)]
pub(crate) struct Pollution {
    /// Empty where a pause is to leave the caches alone.
    memory: Vec<u8>,
    place: usize,
    function: usize,
    value: u64,
}

impl Pollution {
    pub(crate) fn new(disturb: bool) -> Self {
        let memory = vec![1; if disturb { WORKING_SET } else { 0 }];
        Self { memory, place: 0, function: 0, value: 1 }
    }

    /// Lets time pass.
    pub(super) fn pass(&mut self, pause: Duration) {
        let begin = Instant::now();
        let mut next = EACH;
        loop {
            let passed = begin.elapsed();
            if passed >= pause {
                return;
            }
            if passed >= next && !self.memory.is_empty() {
                self.touch();
                next += EACH;
            } else {
                std::hint::spin_loop();
            }
        }
    }

    /// Walks through all of the memory and all of the code, as a pause does that is long enough.
    pub(crate) fn evict(&mut self) {
        let lines = self.memory.len() / STRIDE;
        for _ in 0..(lines / LINES).max(ROWS * COLUMNS) {
            self.touch();
        }
        std::hint::black_box(&self);
    }

    fn touch(&mut self) {
        for _ in 0..LINES {
            if let Some(byte) = self.memory.get_mut(self.place) {
                *byte = byte.wrapping_add(1);
            }
            self.place = (self.place + STRIDE) % WORKING_SET;
        }
        let code = CODE[self.function / COLUMNS % ROWS][self.function % COLUMNS];
        self.value = std::hint::black_box(code)(self.value);
        self.function = (self.function + 1) % (ROWS * COLUMNS);
    }
}

/// Some 200 bytes of instructions, branches among them, of which no other function has the same.
#[inline(never)]
fn code<const ROW: usize, const COLUMN: usize>(mut value: u64) -> u64 {
    let own = ((ROW * COLUMNS + COLUMN) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    if value & 1 == 0 {
        value = value.wrapping_mul(own).rotate_left(7);
    }
    if value & 0x10 != 0 {
        value = (value ^ own).wrapping_add(value >> 13).wrapping_mul(own ^ 0x55);
    }
    if std::hint::black_box(value) & 0x400 == 0 {
        value = value.rotate_right(11).wrapping_sub(own) ^ (own >> 3);
    }
    if std::hint::black_box(value) > own {
        value = value.wrapping_mul(own.rotate_left(17) | 1) ^ (value >> 29);
    }
    value.wrapping_add(own)
}

const fn row<const ROW: usize>() -> [Code; COLUMNS] {
    [
        code::<ROW, 0>,
        code::<ROW, 1>,
        code::<ROW, 2>,
        code::<ROW, 3>,
        code::<ROW, 4>,
        code::<ROW, 5>,
        code::<ROW, 6>,
        code::<ROW, 7>,
        code::<ROW, 8>,
        code::<ROW, 9>,
        code::<ROW, 10>,
        code::<ROW, 11>,
        code::<ROW, 12>,
        code::<ROW, 13>,
        code::<ROW, 14>,
        code::<ROW, 15>,
        code::<ROW, 16>,
        code::<ROW, 17>,
        code::<ROW, 18>,
        code::<ROW, 19>,
        code::<ROW, 20>,
        code::<ROW, 21>,
        code::<ROW, 22>,
        code::<ROW, 23>,
        code::<ROW, 24>,
        code::<ROW, 25>,
        code::<ROW, 26>,
        code::<ROW, 27>,
        code::<ROW, 28>,
        code::<ROW, 29>,
        code::<ROW, 30>,
        code::<ROW, 31>,
    ]
}

static CODE: [[Code; COLUMNS]; ROWS] = [
    row::<0>(),
    row::<1>(),
    row::<2>(),
    row::<3>(),
    row::<4>(),
    row::<5>(),
    row::<6>(),
    row::<7>(),
    row::<8>(),
    row::<9>(),
    row::<10>(),
    row::<11>(),
    row::<12>(),
    row::<13>(),
    row::<14>(),
    row::<15>(),
    row::<16>(),
    row::<17>(),
    row::<18>(),
    row::<19>(),
    row::<20>(),
    row::<21>(),
    row::<22>(),
    row::<23>(),
    row::<24>(),
    row::<25>(),
    row::<26>(),
    row::<27>(),
    row::<28>(),
    row::<29>(),
    row::<30>(),
    row::<31>(),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_functions_are_one() {
        let mut places: Vec<usize> = CODE.iter().flatten().map(|code| *code as usize).collect();
        places.sort_unstable();
        places.dedup();
        assert_eq!(places.len(), ROWS * COLUMNS, "merged functions take no room in a cache");
    }

    #[test]
    fn a_pause_lasts_and_walks_through_both() {
        let mut pollution = Pollution::new(true);
        let begin = Instant::now();
        pollution.pass(Duration::from_millis(2));
        assert!(begin.elapsed() >= Duration::from_millis(2));
        assert!(pollution.place > 0 || pollution.memory[0] > 1);
        assert!(pollution.function > 0 || pollution.value != 1);
        let (mut evicting, before) = (Pollution::new(true), WORKING_SET / STRIDE);
        evicting.evict();
        let touched = evicting.memory.iter().filter(|&&byte| byte > 1).count();
        assert_eq!((touched, evicting.place, evicting.function), (before, 0, 0), "all of it, once");
        let mut quiet = Pollution::new(false);
        quiet.pass(Duration::from_micros(10));
        assert_eq!((quiet.place, quiet.function), (0, 0));
    }
}
