//! Limits: a comparison, a number and its unit.

use super::input::{Input, ParseError};
use crate::analysis::budget::expression::{Comparison, Limit, Unit};

pub fn limit(input: &mut Input<'_>, unit: Unit) -> Result<Limit, ParseError> {
    let comparison = Comparison::ALL.iter().find(|(_, sign)| input.take(sign));
    let Some(&(comparison, _)) = comparison else {
        return Err(input.error("one of <= < >= > == is expected"));
    };
    input.skip_blanks();
    let begin = input.at;
    let digits = input.take_while(|c| c.is_ascii_digit() || c == '.');
    let Ok(number) = digits.parse::<f64>() else {
        return Err(input.error_at(begin, "a number is expected"));
    };
    input.skip_blanks();
    let at_unit = input.at;
    let word = input.take_while(char::is_alphabetic);
    let factor = factor(unit, word).ok_or_else(|| {
        input.error_at(
            at_unit,
            match unit {
                Unit::Count => "no unit is expected: this is a count",
                Unit::Ns => "a unit of time is expected: ns, us, ms or s",
                Unit::Bytes => "a unit of size is expected: B, kB, MB, GB, KiB, MiB or GiB",
            },
        )
    })?;
    let value = number * factor;
    let is_whole = factor > 1.0 || number.fract() == 0.0;
    if !is_whole {
        return Err(input.error_at(begin, "a whole number is expected"));
    }
    if value >= u64::MAX as f64 {
        return Err(input.error_at(begin, "a smaller number is expected"));
    }
    Ok(Limit { comparison, value: value.round() as u64 })
}

/// What a unit is worth.
fn factor(unit: Unit, word: &str) -> Option<f64> {
    const TIMES: [(&str, f64); 5] = [("ns", 1.0), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9)];
    const SIZES: [(&str, f64); 9] = [
        ("", 1.0),
        ("B", 1.0),
        ("kB", 1e3),
        ("KB", 1e3),
        ("MB", 1e6),
        ("GB", 1e9),
        ("KiB", 1024.0),
        ("MiB", 1_048_576.0),
        ("GiB", 1_073_741_824.0),
    ];
    let known: &[(&str, f64)] = match unit {
        Unit::Count => &[("", 1.0)],
        Unit::Ns => &TIMES,
        Unit::Bytes => &SIZES,
    };
    known.iter().find(|(name, _)| *name == word).map(|(_, factor)| *factor)
}
