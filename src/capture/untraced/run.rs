//! One run: start, wait, account.

use super::{Ready, RunError};
use crate::capture::launch::{self, Child, Command, SpawnOptions};
use crate::capture::ready::{
    self, AtReady, Detector, POLL, Reaper, end_tree, is_anybody_left, used_until_now,
};
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

/// Runs the command once with the streams of that run: to its end, or until it is ready.
pub fn once(
    command: &Command,
    stdio: &mut Stdio,
    run: usize,
    watch: &Watch,
    ready: Option<&Ready>,
) -> Result<Done, RunError> {
    if let Some(ready) = ready {
        return until_ready(command, stdio, run, watch, ready);
    }
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

/// Runs the command until it is ready, then ends it and all it has started.
fn until_ready(
    command: &Command,
    stdio: &mut Stdio,
    run: usize,
    watch: &Watch,
    ready: &Ready,
) -> Result<Done, RunError> {
    let _reaper = Reaper::new();
    let mut detector = ready.detector().map_err(RunError::Until)?;
    let mut streams = stdio.for_run(run)?;
    ready.arm();
    let child = launch::spawn(command, streams.streams, &SpawnOptions::default())?;
    streams.launched();
    watch.follow(child.pid());
    let waited = wait_until_ready(&child, &mut detector, watch);
    let figures = used_until_now();
    watch.unfollow();
    let done = match waited.map_err(RunError::Wait)? {
        Some(ready_ns) => {
            let wall_ns = ready_ns.saturating_sub(child.started_ns());
            let launch_ns = child.launch_ns().min(wall_ns);
            Ok(Done { status: ExitStatus::default(), figures: Run { wall_ns, launch_ns, ..figures } })
        }
        None if watch.received().is_some() => Err(RunError::Wait(io::ErrorKind::Interrupted.into())),
        None => {
            let (status, _) = child::reap(child.pid()).map_err(RunError::Wait)?;
            Err(RunError::NotReady { status, until: ready.until.to_string() })
        }
    };
    if let AtReady::End(by) = ready.then {
        end_tree(by);
    }
    streams.finish();
    done
}

/// When the command was ready, had it not been stopped; `None`: it ended before, or an end was asked for.
fn wait_until_ready(child: &Child, detector: &mut Detector, watch: &Watch) -> io::Result<Option<u64>> {
    let mut looks: u32 = 0;
    let mut stopped_ns = 0;
    loop {
        let ready_ns = detector.check(ready::pids);
        if ready_ns.is_some() || watch.received().is_some() {
            return Ok(ready_ns.map(|ready_ns| ready_ns.saturating_sub(stopped_ns)));
        }
        if looks.is_multiple_of(LOOKS)
            && let Some(signal) = child::stopped_by(child.pid())?
        {
            stopped_ns += stop_with(child.pid(), signal);
        }
        // A command that puts itself into the background is still to be waited for.
        if looks.is_multiple_of(LOOKS) && child::has_ended(child.pid())? && !is_anybody_left() {
            let ready_ns = detector.check(Vec::new);
            return Ok(ready_ns.map(|ready_ns| ready_ns.saturating_sub(stopped_ns)));
        }
        looks = looks.wrapping_add(1);
        std::thread::sleep(POLL);
    }
}

/// Looks for readiness to each look for an end.
const LOOKS: u32 = 8;

/// The kernel counts pages per CPU and adds them up now and then, so two readings of one peak differ
/// by some pages.
const PEAK_SLACK_KIB: u64 = 256;

/// Waits for the end of a child, handing on to it what `watch` receives, stopping with it where it is stopped (the time
/// of which does not count).
pub fn wait_for(child: &Child, watch: &Watch) -> io::Result<Done> {
    watch.follow(child.pid());
    let ended = until_end(child.pid());
    watch.unfollow();
    watch.stop_if_missed();
    let (ended_ns, stopped_ns) = ended?;
    let (status, usage) = child::reap(child.pid())?;
    let wall_ns = ended_ns.saturating_sub(child.started_ns()).saturating_sub(stopped_ns);
    let launch_ns = child.launch_ns().min(wall_ns);
    Ok(Done { status, figures: Run { launch_ns, ..figures(wall_ns, &usage) } })
}

/// When it ended, and how long it was stopped before, in nanoseconds.
fn until_end(pid: i32) -> io::Result<(u64, u64)> {
    let mut stopped_ns = 0;
    while let Change::Stopped(signal) = child::next_change(pid)? {
        stopped_ns += stop_with(pid, signal);
    }
    Ok((monotonic_ns(), stopped_ns))
}

/// Stops this process with the command that the signal has stopped; for how long, in nanoseconds.
fn stop_with(pid: i32, signal: i32) -> u64 {
    let stopped_at = monotonic_ns();
    signals::stop_too(pid, signal);
    monotonic_ns() - stopped_at
}

fn figures(wall_ns: u64, usage: &libc::rusage) -> Run {
    let count = |value: libc::c_long| u64::try_from(value).unwrap_or(0);
    let time = |value: libc::timeval| count(value.tv_sec) * 1_000_000_000 + count(value.tv_usec) * 1_000;
    Run {
        wall_ns,
        launch_ns: 0,
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
