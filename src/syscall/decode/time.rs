//! Times: pairs of them, and the comments that say which moment one is.

use super::layout::Layout;
use super::structures::{TIMESPEC64, TIMEVAL};
use super::{Constants, Decoder};
use crate::syscall::flags::write_radix;

/// `UTIME_NOW` and `UTIME_OMIT` of utimensat(2).
const SPECIAL: [(i64, &[u8]); 2] = [((1 << 30) - 1, b"UTIME_NOW"), ((1 << 30) - 2, b"UTIME_OMIT")];

/// `1970-01-01T00:00:01.000000002+0000`, in UTC; seconds with a fraction of so many digits, if it is not 0.
pub(super) fn write_moment(out: &mut Vec<u8>, seconds: i64, fraction: u64, digits: usize) {
    let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400).unsigned_abs());
    let (year, month, day) = date(days);
    if year < 0 {
        out.push(b'-');
    }
    write_radix(out, year.unsigned_abs(), 10, 4);
    for (before, number) in
        [(b'-', month), (b'-', day), (b'T', of_day / 3600), (b':', of_day / 60 % 60), (b':', of_day % 60)]
    {
        out.push(before);
        write_radix(out, number, 10, 2);
    }
    if fraction != 0 {
        out.push(b'.');
        write_radix(out, fraction, 10, digits);
    }
    out.extend_from_slice(b"+0000");
}

/// ` /* 1970-01-01T00:00:01+0000 */`, where there is such a moment, other than that from which it is counted.
/// The seconds have a fraction of so many digits.
pub(super) fn write_comment(out: &mut Vec<u8>, seconds: i64, fraction: u64, digits: usize) {
    /// Years that the C library's `int` has.
    const MOST: i64 = i32::MAX as i64 * 31_556_952;
    let is_fraction = fraction < 10_u64.pow(digits as u32);
    if (seconds, fraction) == (0, 0) || !(-MOST..=MOST).contains(&seconds) || !is_fraction {
        return;
    }
    out.extend_from_slice(b" /* ");
    write_moment(out, seconds, fraction, digits);
    out.extend_from_slice(b" */");
}

/// Year, month and day of a day counted from 1970-01-01 in the Gregorian calendar, by eras of 400 years that
/// begin in March.
fn date(days: i64) -> (i64, u64, u64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097).unsigned_abs();
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era.cast_signed() + i64::from(month <= 2);
    (year, month, day_of_year - (153 * from_march + 2) / 5 + 1)
}

impl Decoder<'_, '_> {
    /// Access and modification time: `[{..} /* moment */, UTIME_NOW]`.
    pub(super) fn write_times(&mut self, out: &mut Vec<u8>, address: u64, layout: &'static Layout) {
        let size = layout.size[self.half()];
        let mut bytes = [0; 32];
        let bytes = &mut bytes[..2 * size];
        if address == 0 || self.memory.read(self.phase, address, bytes) < bytes.len() {
            return self.write_address(out, address);
        }
        self.write_items(out, bytes.chunks_exact(size), |call, out, time| call.write_time(out, time, layout));
    }

    /// One of them, with the moment it is.
    fn write_time(&mut self, out: &mut Vec<u8>, bytes: &[u8], layout: &'static Layout) {
        let is_timespec = !std::ptr::eq(layout, &raw const TIMEVAL);
        let has_long_seconds =
            bytes.len() == 16 && (self.half() == 0 || std::ptr::eq(layout, &raw const TIMESPEC64));
        let number = |bytes: &[u8]| -> i64 {
            let mut word = [0; 8];
            word[..bytes.len()].copy_from_slice(bytes);
            let word = i64::from_le_bytes(word);
            if bytes.len() == 8 { word } else { i64::from(word as i32) }
        };
        let (seconds, fraction) = bytes.split_at(if has_long_seconds { 8 } else { 4 });
        let (seconds, fraction) = (number(seconds), number(fraction));
        let special = SPECIAL.iter().find(|(value, _)| is_timespec && *value == fraction);
        if let Some((_, name)) = special {
            let mut number = Vec::new();
            self.write_members(&mut number, layout, bytes);
            let name = |out: &mut Vec<u8>| out.extend_from_slice(name);
            self.style.constants.write(out, |out| out.extend_from_slice(&number), name);
            return;
        }
        self.write_members(out, layout, bytes);
        write_comment(out, seconds, fraction.cast_unsigned(), if is_timespec { 9 } else { 6 });
    }
}

/// Clock ticks, a hundred a second: `12 /* 0.12 s */`.
pub(super) fn write_ticks(out: &mut Vec<u8>, ticks: u64, constants: Constants) {
    write_radix(out, ticks, 10, 1);
    if ticks != 0 && constants != Constants::Numbers {
        out.extend_from_slice(b" /* ");
        write_radix(out, ticks / 100, 10, 1);
        out.push(b'.');
        write_radix(out, ticks % 100, 10, 2);
        out.extend_from_slice(b" s */");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        let text = |seconds, fraction| {
            let mut out = Vec::new();
            write_moment(&mut out, seconds, fraction, 9);
            String::from_utf8(out).expect("ASCII")
        };
        // What date -u +%FT%T says of these.
        assert_eq!(text(0, 0), "1970-01-01T00:00:00+0000");
        assert_eq!(text(951_782_400, 5), "2000-02-29T00:00:00.000000005+0000");
        assert_eq!(text(1_795_269_833, 267_031_737), "2026-11-21T14:03:53.267031737+0000");
        assert_eq!(text(-1, 0), "1969-12-31T23:59:59+0000");
        assert_eq!(text(4_107_542_399, 0), "2100-02-28T23:59:59+0000");
        let _ = (text(i64::MAX, 1), text(i64::MIN, 1));
    }
}
