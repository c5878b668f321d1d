//! `trace record -p`, `-a` and `--cgroup`: what runs already, into a log.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::failure::Failure;
use super::names::default_log;
use super::tracing::{
    CALIBRATION_CALLS, LogSink, Recorded, header, not_permitted, push_beside_totals, why_ptrace,
};
use crate::capture::Sink;
use crate::capture::select::{Running, RunningError, Tracer};
use crate::log::{self, KEPT_BYTES};
use crate::syscall::decode::Style;

/// Records until Ctrl-C, for this long, or until all have ended.
pub fn attach(
    tracer: &mut Tracer,
    target: &Target,
    output: &Path,
    duration: Option<Duration>,
    beside: Option<&mut dyn Sink>,
    keep: Option<Style>,
    told: impl FnOnce(),
) -> Result<Recorded, Failure> {
    let begin = std::time::Instant::now();
    let (words, _) = target.words();
    let backend = tracer.name();
    let refused = |error| not_permitted(&error, backend);
    let calibration = tracer.calibrate(CALIBRATION_CALLS).map_err(refused)?;
    let options = std::iter::once(target.option()).chain(why_ptrace(tracer));
    let kept = keep.map(|style| (KEPT_BYTES.to_owned(), style.strings.to_string()));
    let options = options.chain(kept).collect();
    let header = header(&words, backend, calibration, None, options);
    let mut writer = log::Writer::create(output, &header).map_err(Failure::of_trace)?;
    let until_ns = duration.map(|duration| crate::capture::monotonic_ns() + duration.as_nanos() as u64);
    let mut sink = LogSink { writer: &mut writer, job: None, beside };
    told();
    let outcome = tracer.record_running(&target.whom, &mut sink, header.clock.origin_ns, until_ns, keep);
    let outcome = outcome.map_err(|error| match error {
        RunningError::Backend(error) => refused(error),
        error @ (RunningError::Attach(_) | RunningError::Foreign(_)) => Failure::of_trace(error),
    })?;
    if outcome.parallel {
        push_beside_totals(&mut writer, CALIBRATION_CALLS);
    }
    Ok(Recorded::of(outcome, begin.elapsed(), writer))
}

/// What runs already, and how it was named.
pub struct Target {
    whom: Running,
}

impl Target {
    /// These processes.
    pub fn processes(pids: &[i32]) -> Self {
        Self { whom: Running::Processes(pids.to_vec()) }
    }

    /// The whole machine.
    pub fn all() -> Self {
        Self { whom: Running::All }
    }

    /// A cgroup (v2), by its directory or by its name below where they are mounted.
    pub fn cgroup(path: &Path) -> Result<Self, Failure> {
        // From cgroup2's magic number of linux/magic.h.
        const CGROUP2: i64 = 0x6367_7270;
        let mounted = cgroup2_mount();
        let top = mounted.as_deref().unwrap_or(Path::new("/sys/fs/cgroup"));
        let below = top.join(path.strip_prefix("/").unwrap_or(path));
        let path = if path.is_dir() { path.to_owned() } else { below };
        let failed = |why: String| Failure::of_trace(anyhow::anyhow!("--cgroup {}: {why}", path.display()));
        let found = std::fs::metadata(&path).map_err(|error| failed(error.to_string()))?;
        let system = nix::sys::statfs::statfs(&path).map_err(|error| failed(error.to_string()))?;
        if system.filesystem_type().0 != CGROUP2 {
            let they = mounted.as_ref().map_or_else(
                || "and none is mounted here (mount -t cgroup2 none DIRECTORY)".to_owned(),
                |top| format!("they are below {}", top.display()),
            );
            return Err(failed(format!("not a directory of cgroup v2; {they}")));
        }
        Ok(Self { whom: Running::Cgroup(found.ino(), path) })
    }

    /// Where the log goes, unless that was said.
    pub fn default_log(&self) -> Result<PathBuf, Failure> {
        default_log(&self.words().1)
    }

    /// The command's words, as far as there is one, and those that the log is named after.
    fn words(&self) -> (Vec<OsString>, Vec<OsString>) {
        match &self.whom {
            Running::Processes(pids) => {
                let words = pids.first().map(|&pid| command_of(pid)).unwrap_or_default();
                (words.clone(), words)
            }
            Running::Cgroup(_, path) => (Vec::new(), vec![path.file_name().unwrap_or_default().to_owned()]),
            Running::All => (Vec::new(), vec!["machine".into()]),
        }
    }

    /// What the log's header says of it.
    fn option(&self) -> (String, String) {
        match &self.whom {
            Running::Processes(pids) => {
                let list: Vec<String> = pids.iter().map(i32::to_string).collect();
                ("attached".to_owned(), list.join(","))
            }
            Running::Cgroup(_, path) => ("cgroup".to_owned(), path.to_string_lossy().into_owned()),
            Running::All => ("all".to_owned(), true.to_string()),
        }
    }
}

/// Where cgroups of version 2 are: at the top of `/sys/fs/cgroup`, or beside those of version 1 below it.
fn cgroup2_mount() -> Option<PathBuf> {
    let mounts = std::fs::read_to_string("/proc/self/mounts").ok()?;
    let mut lines = mounts.lines().map(|line| line.split(' '));
    lines.find_map(|mut words| {
        let place = words.nth(1)?;
        (words.next()? == "cgroup2").then(|| PathBuf::from(place))
    })
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
