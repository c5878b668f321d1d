//! Numbers as people read them.

/// A time, three digits and a unit: `640 ns`, `1.23 ms`, `12.0 s`.
#[must_use]
pub fn time(ns: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "µs")];
    for (unit, name) in UNITS {
        // From here on it would be shown as 1000 of the next smaller unit.
        if ns >= unit - unit / 2000 {
            let value = ns as f64 / unit as f64;
            let digits = if value < 9.995 { 2 } else { usize::from(value < 99.95) };
            return format!("{value:.digits$} {name}");
        }
    }
    format!("{ns} ns")
}

/// An amount of data, three digits and a decimal unit: `640 bytes`, `1.23 MB`.
#[must_use]
pub fn bytes(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    for (unit, name) in UNITS {
        if bytes >= unit - unit / 2000 {
            let value = bytes as f64 / unit as f64;
            let digits = if value < 9.995 { 2 } else { usize::from(value < 99.95) };
            return format!("{value:.digits$} {name}");
        }
    }
    things(bytes, "byte", "bytes")
}

/// A time that may not be known.
#[must_use]
pub fn time_or_dash(ns: Option<u64>) -> String {
    ns.map_or_else(|| "-".to_owned(), time)
}

/// A part of a whole (0 to 1) in per cent; only nothing is 0 %, only all is 100 %.
#[must_use]
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent > 0.0 && percent < 0.05 {
        return "<0.1 %".to_owned();
    }
    if (99.95..100.0).contains(&percent) {
        return ">99.9 %".to_owned();
    }
    let digits = usize::from(percent < 99.95);
    format!("{percent:.digits$} %")
}

/// A part of a whole of which is known how far it may be off, with no more digits than that leaves.
#[must_use]
pub fn percent_within(share: f64, margin: f64) -> String {
    let digits = usize::from(margin < 0.0095);
    format!("{:.digits$} % ± {:.digits$}", share * 100.0, margin * 100.0)
}

/// The same without a fraction, for what is not known as exactly.
#[must_use]
pub fn whole_percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent > 0.0 && percent < 0.5 {
        return "<1 %".to_owned();
    }
    if (99.5..100.0).contains(&percent) {
        return ">99 %".to_owned();
    }
    format!("{percent:.0} %")
}

/// The most that a part can be: `at most 5.2 %`, `less than 0.1 %`.
#[must_use]
pub fn at_most(share: f64) -> String {
    let percent = percent(share);
    match percent.strip_prefix('<') {
        Some(percent) => format!("less than {percent}"),
        None if percent.starts_with('>') => "at most 100 %".to_owned(),
        None => format!("at most {percent}"),
    }
}

/// A part that may not be known.
#[must_use]
pub fn percent_or_dash(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), percent)
}

/// A number, in groups of three digits from 10,000 on.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    if digits.len() < 5 {
        return digits;
    }
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1.3 times`, `34 times`: how many times as much.
#[must_use]
pub fn times_as_much(ratio: f64) -> String {
    let digits = usize::from(ratio < 9.95);
    format!("{ratio:.digits$} times")
}

/// A number of things: `1 process`, `2 processes`.
#[must_use]
pub fn things(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uncertain_parts_have_few_digits() {
        let shown = [(0.4731, 0.0506), (0.217, 0.006), (0.001, 0.0094)];
        let shown = shown.map(|(share, margin)| percent_within(share, margin));
        assert_eq!(shown, ["47 % ± 5", "21.7 % ± 0.6", "0.1 % ± 0.9"]);
    }

    #[test]
    fn times() {
        for (ns, shown) in [
            (0, "0 ns"),
            (999, "999 ns"),
            (1_000, "1.00 µs"),
            (9_994, "9.99 µs"),
            (9_996, "10.0 µs"),
            (99_960, "100 µs"),
            (999_400, "999 µs"),
            (999_600, "1.00 ms"),
            (14_500_000, "14.5 ms"),
            (2_000_000_000, "2.00 s"),
            (7_200_000_000_000, "7200 s"),
        ] {
            assert_eq!(time(ns), shown, "{ns}");
        }
        assert_eq!(time_or_dash(None), "-");
    }

    #[test]
    fn amounts_of_data() {
        let shown: Vec<_> = [0, 1, 999, 1_000, 12_345, 1_234_567, 5_000_000_000].map(bytes).into();
        assert_eq!(shown, ["0 bytes", "1 byte", "999 bytes", "1.00 kB", "12.3 kB", "1.23 MB", "5.00 GB"]);
    }

    #[test]
    fn parts_and_counts() {
        let shown: Vec<_> = [0.0, 0.000_01, 0.0123, 0.5, 0.9994, 0.9999, 1.0, 1.5].map(percent).into();
        assert_eq!(shown, ["0.0 %", "<0.1 %", "1.2 %", "50.0 %", "99.9 %", ">99.9 %", "100 %", "150 %"]);
        assert_eq!(
            (at_most(0.052), at_most(0.000_1)),
            ("at most 5.2 %".to_owned(), "less than 0.1 %".to_owned())
        );
        assert_eq!(at_most(0.9999), "at most 100 %");
        let shown: Vec<_> = [0.0, 0.001, 0.714, 0.998, 1.0].map(whole_percent).into();
        assert_eq!(shown, ["0 %", "<1 %", "71 %", ">99 %", "100 %"]);
        let shown: Vec<_> = [0, 9_999, 10_000, 1_234_567].map(count).into();
        assert_eq!(shown, ["0", "9999", "10,000", "1,234,567"]);
        assert_eq!(things(1, "process", "processes"), "1 process");
        assert_eq!(things(39, "process", "processes"), "39 processes");
    }
}
