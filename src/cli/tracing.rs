//! One traced run of a command into a log: what `record` and `startup` share.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use super::failure::Failure;
use crate::capture::host;
use crate::capture::launch::{self, Command, SpawnOptions, Stream};
use crate::capture::ptrace::{self, calibration};
use crate::event::{Event, Kind, mark};
use crate::log::{self, Calibration, FORMAT_VERSION, Header, Untraced};

/// Calls of the calibration where the command should start soon: they take two milliseconds.
pub const CALIBRATION_CALLS: u64 = 100;

/// How to record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Backend {
    /// In the kernel.
    Ebpf,
    /// By stopping at every call.
    Ptrace,
}

impl Backend {
    fn name(self) -> &'static str {
        match self {
            Self::Ebpf => "ebpf",
            Self::Ptrace => "ptrace",
        }
    }
}

/// What to trace, and where to.
pub struct Job<'a> {
    /// The command, resolved.
    pub command: &'a Command,
    /// The command as it was typed.
    pub words: &'a [OsString],
    /// The log.
    pub output: &'a Path,
    /// End with the command's first process.
    pub leader_only: bool,
    /// Calls of the calibration.
    pub calibration_calls: u64,
    /// Untraced runs made before.
    pub untraced: Option<Untraced>,
    /// How.
    pub backend: Backend,
}

/// What came of it.
pub struct Recorded {
    /// How the command ended.
    pub status: ExitStatus,
    /// What the user should know, as sentences.
    pub warnings: Vec<&'static str>,
    /// Processes and threads seen.
    pub threads: u64,
    /// How long the command ran, traced.
    pub elapsed: Duration,
    /// The log, or why it is incomplete.
    pub log: Result<log::Summary, log::Error>,
}

/// Runs the command under ptrace. The log is created before the command is started, so that a bad output
/// path costs nothing; once it runs, it runs to its end whatever becomes of the log.
pub fn trace_command(
    job: &Job<'_>,
    streams: [Stream; 3],
    launched: impl FnOnce(),
) -> Result<Recorded, Failure> {
    let calibration =
        calibration::calibrate(job.calibration_calls, true).map_err(|error| not_permitted(&error))?;
    let header = header(job, calibration);
    let mut writer = log::Writer::create(job.output, &header).map_err(Failure::of_trace)?;
    let options = SpawnOptions { wait_for_go: true, ..SpawnOptions::default() };
    let mut child = launch::spawn(job.command, streams, &options)
        .map_err(|error| Failure::with_code(error.exit_code(), error))?;
    launched();
    let pid = child.pid();
    let mut sink = |event: &Event<'_>| writer.push(event);
    let options =
        ptrace::Options { leader_only: job.leader_only, pin: true, origin_ns: header.clock.origin_ns };
    let begin = Instant::now();
    let outcome = if job.backend == Backend::Ebpf {
        let options = crate::capture::ebpf::Options {
            leader_only: job.leader_only,
            origin_ns: header.clock.origin_ns,
        };
        crate::capture::ebpf::record(pid, || child.go(), &mut sink, options).map_err(|error| not_permitted(&error))?
    } else {
        ptrace::record(pid, || child.go(), &mut sink, options).map_err(|error| not_permitted(&error))?
    };
    let elapsed = begin.elapsed();
    if let Some(error) = child.failure() {
        return Err(Failure::with_code(error.exit_code(), error));
    }
    if outcome.parallel {
        push_beside_totals(&mut writer, job.calibration_calls);
    }
    Ok(Recorded {
        status: outcome.status,
        warnings: outcome.warnings.into_iter().map(explain).collect(),
        threads: outcome.threads,
        elapsed,
        log: writer.finish(),
    })
}

fn header(job: &Job<'_>, calibration: Calibration) -> Header {
    let lossy = |word: &OsString| word.to_string_lossy().into_owned();
    Header {
        format: FORMAT_VERSION,
        writer: env!("CARGO_PKG_VERSION").to_owned(),
        command: job.words.iter().map(lossy).collect(),
        cwd: std::env::current_dir().map(|cwd| cwd.to_string_lossy().into_owned()).unwrap_or_default(),
        environment: host::environment(),
        host: host::host(),
        backend: job.backend.name().to_owned(),
        clock: host::clock(),
        calibration: Some(calibration),
        untraced: job.untraced.clone(),
        options: [("leader_only".to_owned(), job.leader_only.to_string())].into(),
    }
}

/// Where tracer and thread ran on different CPUs, stops were dearer: how much is measured afterwards, since
/// it would hold up the command's start.
fn push_beside_totals(writer: &mut log::Writer, calls: u64) {
    let Ok(beside) = calibration::calibrate(calls, false) else { return };
    for (name, value) in [
        ("beside_mean_ns", beside.mean_ns),
        ("beside_p50_ns", beside.p50_ns),
        ("beside_p99_ns", beside.p99_ns),
        ("beside_added_ns", beside.added_ns),
    ] {
        let total = Event { text: Some(name.as_bytes()), ret: Some(value as i64), ..Event::new(Kind::Total) };
        writer.push(&total);
    }
}

fn not_permitted(error: &io::Error) -> Failure {
    let hint = match error.raw_os_error() {
        Some(libc::EPERM | libc::ESRCH | libc::EACCES) => {
            "; in a container, allow SYS_PTRACE; else look at /proc/sys/kernel/yama/ptrace_scope"
        }
        _ => "",
    };
    Failure::of_trace(anyhow::anyhow!("cannot trace the command with ptrace: {error}{hint}"))
}

/// A mark as a sentence for the user.
fn explain(name: &'static str) -> &'static str {
    match name {
        mark::SETUID => {
            "a set-user-ID, set-group-ID or capability program ran without its privilege, because it was \
             traced; run trace as root for the real thing"
        }
        mark::PTRACE => "the command called ptrace, which fails while it is traced itself",
        mark::UNTRACED_CHILD => "a child made with CLONE_UNTRACED could not be followed",
        mark::FOREIGN_PROC => {
            "/proc is missing or that of another pid namespace: relative paths and the files behind \
             descriptors are unknown; mount one (mount -t proc proc /proc)"
        }
        other => other,
    }
}
