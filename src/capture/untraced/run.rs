//! One run: start, wait, account.

use super::RunError;
use crate::capture::launch::{self, Child, Command, SpawnOptions};
use crate::capture::stdio::Stdio;
use crate::capture::sys::child::{self, Change};
use crate::capture::sys::clock::monotonic_ns;
use crate::capture::sys::signals::{self, Watch};
use crate::log::Run;
use std::io;
use std::process::ExitStatus;

/// A run that came to its end.
pub struct Done {
    /// How it ended.
    pub status: ExitStatus,
    /// What it took.
    pub figures: Run,
}

/// Runs the command once with the streams of that run.
pub fn once(command: &Command, stdio: &mut Stdio, run: usize, watch: &Watch) -> Result<Done, RunError> {
    let mut streams = stdio.for_run(run)?;
    let peak_kib = own_peak_kib();
    let child = launch::spawn(command, streams.streams, &SpawnOptions::default())?;
    streams.launched();
    let mut done = wait_for(&child, watch).map_err(RunError::Wait)?;
    streams.finish();
    // A process takes over the peak of the memory it had before execve(2), which was ours.
    if done.figures.max_rss_kib <= peak_kib.max(own_peak_kib()) + PEAK_SLACK_KIB {
        done.figures.max_rss_kib = 0;
    }
    Ok(done)
}

/// The kernel counts pages per CPU and adds them up now and then, so two readings of one peak differ
/// by some pages.
const PEAK_SLACK_KIB: u64 = 256;

/// Waits for the end of a child, handing on to it what `watch` receives, stopping with it where it is stopped (the time
/// of which does not count).
pub fn wait_for(child: &Child, watch: &Watch) -> io::Result<Done> {
    watch.follow(child.pid());
    let ended = until_end(child.pid());
    watch.unfollow();
    let (ended_ns, stopped_ns) = ended?;
    let (status, usage) = child::reap(child.pid())?;
    let wall_ns = ended_ns.saturating_sub(child.started_ns()).saturating_sub(stopped_ns);
    Ok(Done { status, figures: figures(wall_ns, &usage) })
}

/// When it ended, and how long it was stopped before, in nanoseconds.
fn until_end(pid: i32) -> io::Result<(u64, u64)> {
    let mut stopped_ns = 0;
    while let Change::Stopped(signal) = child::next_change(pid)? {
        let stopped_at = monotonic_ns();
        signals::stop_too(pid, signal);
        stopped_ns += monotonic_ns() - stopped_at;
    }
    Ok((monotonic_ns(), stopped_ns))
}

fn figures(wall_ns: u64, usage: &libc::rusage) -> Run {
    let count = |value: libc::c_long| u64::try_from(value).unwrap_or(0);
    let time = |value: libc::timeval| count(value.tv_sec) * 1_000_000_000 + count(value.tv_usec) * 1_000;
    Run {
        wall_ns,
        user_ns: time(usage.ru_utime),
        system_ns: time(usage.ru_stime),
        minor_faults: count(usage.ru_minflt),
        major_faults: count(usage.ru_majflt),
        voluntary_switches: count(usage.ru_nvcsw),
        involuntary_switches: count(usage.ru_nivcsw),
        max_rss_kib: count(usage.ru_maxrss),
    }
}

/// The most memory this process has ever had resident, in KiB; 0 if that is not known.
fn own_peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse().ok()).unwrap_or(0)
}
