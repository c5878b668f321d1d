//! Values of options: numbers, units, formats.

use std::time::Duration;

use super::Clock;
use crate::capture::Interruptible;
use crate::syscall::decode::Constants;

/// A number of at most so much, as `strtoll(3)` reads it: spaces and a sign may stand before it, nothing behind it.
pub fn uint(text: &str, most: u64) -> Option<u64> {
    let text = text.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '\x0b');
    let digits = text.strip_prefix('+').unwrap_or(text);
    let digits =
        text.strip_prefix('-').filter(|rest| rest.bytes().all(|byte| byte == b'0')).unwrap_or(digits);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|&number: &u64| is_number && number <= most)
}

/// What stands between processes.
const BETWEEN: [char; 4] = [',', ' ', '\t', '\n'];

/// Processes, with commas or spaces between; the one that is none otherwise.
pub fn processes(list: &str) -> Result<Vec<i32>, &str> {
    if list.is_empty() {
        return Ok(Vec::new());
    }
    // One at the end is no error.
    let words = list.strip_suffix(BETWEEN).unwrap_or(list).split(BETWEEN);
    let pid = |word| uint(word, i32::MAX as u64).filter(|&pid| pid > 0).map(|pid| pid as i32).ok_or(word);
    words.map(pid).collect()
}

/// A time: decimals and powers of ten, and behind them `s`, `ms`, `us` (where there is none) or `ns`.
pub fn time(text: &str) -> Option<Duration> {
    crate::cli::inject::duration(text)
}

/// `[[format:]time|unix|none][,[precision:]s|ms|us|ns]`
///
/// What is not told is as it was `before`.
pub fn clock(text: &str, before: Option<Clock>) -> Option<Clock> {
    let (mut format, mut precision) = match before {
        Some(Clock::Epoch { decimals }) => ("unix", decimals),
        Some(Clock::Day { decimals }) => ("time", decimals),
        _ => ("time", 0),
    };
    for part in text.split(',').filter(|part| !part.is_empty()) {
        match part.split_once(':').unwrap_or(("", part)) {
            ("" | "format", name @ ("time" | "unix" | "none")) => format = name,
            ("" | "precision", unit) => precision = decimals(unit)?,
            _ => return None,
        }
    }
    Some(match format {
        "none" => Clock::None,
        "unix" => Clock::Epoch { decimals: precision },
        _ => Clock::Day { decimals: precision },
    })
}

/// How many decimals of a second a unit asks for.
pub fn decimals(unit: &str) -> Option<usize> {
    match unit {
        "s" => Some(0),
        "ms" => Some(3),
        "us" => Some(6),
        "ns" => Some(9),
        _ => None,
    }
}

/// What `-I` takes.
pub fn interruptible(when: &str) -> Option<Interruptible> {
    match when {
        "1" | "anywhere" | "always" => Some(Interruptible::Anywhere),
        "2" | "waiting" => Some(Interruptible::Waiting),
        "3" | "never" => Some(Interruptible::Never),
        "4" | "never_tstp" => Some(Interruptible::NeverStopped),
        _ => None,
    }
}

/// What `-X` takes.
pub fn constants(format: &str) -> Option<Constants> {
    match format {
        "abbrev" => Some(Constants::Names),
        "raw" => Some(Constants::Numbers),
        "verbose" => Some(Constants::Both),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_c_library() {
        let number = |text| uint(text, 100);
        assert_eq!(
            [number("7"), number("+7"), number(" 7"), number("-0"), number("100")].map(|n| n.is_some()),
            [true; 5]
        );
        for wrong in ["", "+", "-", "-1", "7 ", "0x7", "101", "99999999999999999999", "+-1"] {
            assert_eq!(number(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn lists_of_processes() {
        assert_eq!(processes("1,2 3\n"), Ok(vec![1, 2, 3]));
        assert_eq!(processes(""), Ok(vec![]));
        assert_eq!((processes(","), processes("1,,2"), processes("1,x")), (Err(""), Err(""), Err("x")));
    }

    #[test]
    fn formats_of_times() {
        assert_eq!(clock("unix", clock("precision:ns", None)), Some(Clock::Epoch { decimals: 9 }));
        assert_eq!(clock("unix,ns", None), Some(Clock::Epoch { decimals: 9 }));
        assert_eq!(
            (clock("", None), clock(",", None)),
            (Some(Clock::Day { decimals: 0 }), Some(Clock::Day { decimals: 0 }))
        );
        assert_eq!(
            (clock("precision:", None), clock("bogus", None), clock("format:ms", None)),
            (None, None, None)
        );
    }
}
