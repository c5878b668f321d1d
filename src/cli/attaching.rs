//! `trace record -p`: processes that run already, into a log.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::failure::Failure;
use super::names::default_log;
use super::tracing::{
    Backend, CALIBRATION_CALLS, Recorded, explain, header, not_permitted, push_beside_totals,
};
use crate::capture::ptrace::{self, calibration};
use crate::event::Event;
use crate::log;

/// Records until Ctrl-C, for this long, or until all have ended.
pub fn attach(
    pids: &[i32],
    output: Option<&Path>,
    duration: Option<Duration>,
    told: impl FnOnce(&Path),
) -> Result<(Recorded, PathBuf), Failure> {
    let begin = std::time::Instant::now();
    let words = pids.first().map(|&pid| command_of(pid)).unwrap_or_default();
    let output = output.map_or_else(|| default_log(&words), |output| Ok(output.to_owned()))?;
    let calibration =
        calibration::calibrate(CALIBRATION_CALLS, true).map_err(|error| not_permitted(&error))?;
    let list: Vec<String> = pids.iter().map(i32::to_string).collect();
    let header =
        header(&words, Backend::Ptrace, calibration, None, [("attached".to_owned(), list.join(","))].into());
    let mut writer = log::Writer::create(&output, &header).map_err(Failure::of_trace)?;
    let until_ns = duration.map(|duration| crate::capture::monotonic_ns() + duration.as_nanos() as u64);
    let origin_ns = header.clock.origin_ns;
    let options = ptrace::Options { leader_only: false, pin: false, origin_ns, until_ns };
    let mut sink = |event: &Event<'_>| writer.push(event);
    told(&output);
    let outcome = ptrace::attach(pids, &mut sink, options)
        .map_err(Failure::of_trace)?
        .map_err(|error| not_permitted(&error))?;
    if outcome.parallel {
        push_beside_totals(&mut writer, CALIBRATION_CALLS);
    }
    let recorded = Recorded {
        status: outcome.status,
        warnings: outcome.warnings.into_iter().map(explain).collect(),
        threads: outcome.threads,
        elapsed: begin.elapsed(),
        left_running: Vec::new(),
        interruption: outcome.interruption,
        log: writer.finish(),
    };
    Ok((recorded, output))
}

/// The words a process was started with.
fn command_of(pid: i32) -> Vec<OsString> {
    let bytes = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(&bytes);
    bytes.split(|&byte| byte == 0).map(|word| OsString::from_vec(word.to_vec())).collect()
}

/// A length of time with its unit: `10s`, `500ms`, `2m`, `1.5s`; without one, seconds.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let seconds = match &text[digits.len()..] {
        "ms" => 0.001,
        "s" | "" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        unit => return Err(format!("unknown unit {unit}; one of ms, s, m, h")),
    };
    let number: f64 = digits.parse().map_err(|_| "not a number with a unit, as in 10s".to_owned())?;
    let time = Duration::try_from_secs_f64(number * seconds);
    time.map_err(|_| "not a length of time, as in 10s".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        assert_eq!(parse_duration("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(parse_duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_duration("1.5m"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_duration("3"), Ok(Duration::from_secs(3)));
        for wrong in ["", "s", "-1s", "10 s", "10 parsecs", "1e99h", "NaN"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }
}
