//! One traced run of a command into a log: what `record` and `startup` share.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use super::failure::{Failure, note};
use super::samples::Samples;
use crate::capture::launch::{self, Command, SpawnOptions, Stream};
use crate::capture::ptrace::calibration;
use crate::capture::ready::ReadyWatch;
use crate::capture::sampler::{self, Sampled, Sampler, Sampling};
use crate::capture::select::{self, Tracer, Wanted};
use crate::capture::untraced::Ready;
use crate::capture::{Interruption, Intervention, Outcome, PokeError, Sink, StackFrames, host};
use crate::event::{Event, Kind, escape, mark};
use crate::log::{self, Calibration, FORMAT_VERSION, Header, KEPT_BYTES, Untraced};
use crate::syscall::decode::Style;

/// Calls of the calibration where the command should start soon: they take about a millisecond.
pub const CALIBRATION_CALLS: u64 = 40;

/// Most process ids named in one line.
const PIDS_SHOWN: usize = 5;

/// Gets the backend ready that is asked for, to take stacks where they are wanted.
pub fn tracer(wanted: Wanted, stacks: Option<StackFrames>) -> Result<Tracer, Failure> {
    select::select_for(wanted, stacks.is_some()).map_err(Failure::of_trace)
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
    /// Stop the command's processes rather than lose events of theirs.
    pub lossless: bool,
    /// Keep what pointers point to, as far as calls printed like this show it.
    pub keep: Option<Style>,
    /// Calls of the calibration.
    pub calibration_calls: u64,
    /// Say nothing while the command runs.
    pub quiet: bool,
    /// Untraced runs made before.
    pub untraced: Option<Untraced>,
    /// When the command is ready, which is then its end, if it does not end by itself.
    pub ready: Option<&'a Ready>,
    /// CPU samples to take.
    pub sample: Option<&'a Samples>,
    /// Which frames the stacks of calls about files are to have, if stacks are wanted.
    pub stacks: Option<StackFrames>,
}

/// What came of it.
pub struct Recorded {
    /// How the command ended.
    pub status: ExitStatus,
    /// What the user should know, as sentences.
    pub warnings: Vec<&'static str>,
    /// Processes and threads seen.
    pub threads: u64,
    /// Events lost by the backend.
    pub lost: u64,
    /// CPU samples, where some were asked for.
    pub sampled: Option<Sampled>,
    /// How long the command ran, traced.
    pub elapsed: Duration,
    /// Processes that were ready and go on.
    pub left_running: Vec<i32>,
    /// What asked for an end, if anything did.
    pub interruption: Option<Interruption>,
    /// The log, or why it is incomplete.
    pub log: Result<log::Summary, log::Error>,
}

impl Recorded {
    /// Of a recording that has ended, in whose log nothing is missing but its end.
    pub fn of(outcome: Outcome, elapsed: Duration, writer: log::Writer) -> Self {
        Self {
            status: outcome.status,
            warnings: outcome.warnings.into_iter().map(explain).collect(),
            threads: outcome.threads,
            lost: outcome.lost,
            sampled: None,
            elapsed,
            left_running: Vec::new(),
            interruption: outcome.interruption,
            log: writer.finish(),
        }
    }
}

/// Runs the command, traced. The log is opened before the command's program runs, so that a bad output
/// path costs nothing, and written from the command's own first event on, so that one that cannot be run
/// leaves an older log alone; once it runs, it runs to its end whatever becomes of the log.
pub fn trace_command(
    tracer: &mut Tracer,
    job: &Job<'_>,
    streams: [Stream; 3],
    launched: impl FnOnce(),
) -> Result<Recorded, Failure> {
    trace_beside(tracer, job, streams, launched, None)
}

/// The same, with somebody else who is told of all events, and may do something to calls.
pub fn trace_beside(
    tracer: &mut Tracer,
    job: &Job<'_>,
    streams: [Stream; 3],
    launched: impl FnOnce(),
    beside: Option<&mut dyn Sink>,
) -> Result<Recorded, Failure> {
    let backend = tracer.name();
    let refused = |error| not_permitted(&error, backend);
    // A time limit is for all the runs of `trace startup`, and for the one of `trace record`.
    let takes_timers = job.untraced.is_none();
    let null_calls = calibration::null_calls(job.calibration_calls);
    let spawn = SpawnOptions { wait_for_go: true, null_calls, takes_timers, ..SpawnOptions::default() };
    let mut child = launch::spawn(job.command, streams, &spawn)
        .map_err(|error| Failure::with_code(error.exit_code(), error))?;
    let by_ptrace = job.sample.and_then(Samples::by_ptrace);
    let held = tracer.hold(&mut child, job.calibration_calls, by_ptrace.is_some()).map_err(refused)?;
    let calibration = held.calibration.clone();
    let header = header(job.words, backend, calibration, job.untraced.clone(), options(job, tracer));
    let mut writer = log::Writer::create(job.output, &header).map_err(Failure::of_trace)?;
    let by_perf = job.sample.filter(|_| by_ptrace.is_none());
    let sampling = by_perf
        .map(|samples| sample(child.pid(), samples.hz, header.clock.origin_ns, &writer))
        .transpose()?;
    launched();
    let mut ready = job
        .ready
        .map(|ready| ready.watch_traced(header.clock.origin_ns))
        .transpose()
        .map_err(Failure::of_trace)?;
    let mut sink = LogSink { writer: &mut writer, job: Some(job), beside };
    let begin = Instant::now();
    let origin_ns = header.clock.origin_ns;
    let options = select::Options {
        leader_only: job.leader_only,
        lossless: job.lossless,
        origin_ns,
        stacks: job.stacks,
        sample: by_ptrace,
        keep: job.keep,
    };
    let outcome = match &mut ready {
        None => tracer.record(&mut child, held, &mut sink, options),
        Some(ready) => tracer.record(&mut child, held, &mut ready.marking(&mut sink), options),
    };
    let sampled = sampling.map(Sampling::finish);
    if sampled.is_some_and(|sampled| sampled.broken) {
        let text = Some(sampler::LOST.as_bytes());
        writer.push(&Event { text, ret: Some(-1), ..Event::new(Kind::Lost) });
    }
    let outcome = outcome.map_err(refused)?;
    let sampled = sampled.or(outcome.sampled);
    let elapsed = begin.elapsed();
    if let Some(error) = child.failure() {
        return Err(Failure::with_code(error.exit_code(), error));
    }
    if outcome.parallel {
        push_beside_totals(&mut writer, job.calibration_calls);
    }
    // Who was ready has done what was wanted; the signal that ended it is ours.
    let status = match ready.as_ref().map(ReadyWatch::was_ready) {
        None => outcome.status,
        Some(true) => ExitStatus::default(),
        Some(false) if outcome.interruption.is_some() => outcome.status,
        Some(false) => {
            let error = anyhow::anyhow!("traced, the command ended ({}) before it was ready", outcome.status);
            return Err(Failure::of_trace(error));
        }
    };
    let left_running = ready.as_ref().map(ReadyWatch::left_running).unwrap_or_default();
    Ok(Recorded { status, sampled, left_running, ..Recorded::of(outcome, elapsed, writer) })
}

/// Takes CPU samples of a process from its first program on.
fn sample(
    pid: i32,
    hz: u32,
    origin_ns: u64,
    writer: &log::Writer,
) -> Result<Sampling<impl FnMut(&Event<'_>) + use<>>, Failure> {
    let sampler = Sampler::attach(pid, hz).map_err(Failure::of_trace)?;
    let feeder = writer.feeder();
    sampler.start(origin_ns, move |event: &Event<'_>| feeder.push(event)).map_err(Failure::of_trace)
}

/// Takes events to the log and to whoever else is told of all, and what cannot wait to standard error.
pub struct LogSink<'a, 's> {
    pub writer: &'a mut log::Writer,
    /// The command, if it was started here.
    pub job: Option<&'a Job<'a>>,
    pub beside: Option<&'a mut (dyn Sink + 's)>,
}

impl Sink for LogSink<'_, '_> {
    fn push(&mut self, event: &Event<'_>) {
        self.writer.push(event);
        if let Some(beside) = &mut self.beside {
            beside.push(event);
        }
    }

    fn intervention(&mut self, event: &Event<'_>) -> Intervention {
        self.beside.as_mut().map_or_else(Intervention::default, |beside| beside.intervention(event))
    }

    fn stopped(&mut self, event: &Event<'_>) {
        let text = Some(mark::STOPPED.as_bytes());
        self.push(&Event { kind: Kind::Mark, text, ..*event });
    }

    fn not_poked(&mut self, tid: u32, error: PokeError) {
        if let Some(beside) = &mut self.beside {
            beside.not_poked(tid, error);
        }
    }

    fn waits_for(&mut self, pids: &[i32]) {
        let Some(job) = self.job.filter(|job| !job.quiet) else { return };
        let name = job.command.program().file_name().unwrap_or_default().to_string_lossy();
        let shown: Vec<_> = pids.iter().take(PIDS_SHOWN).map(i32::to_string).collect();
        note(format_args!(
            "waiting for {} process{} that {} started ({}{}); Ctrl-C ends the recording, --leader-only does \
             not wait",
            pids.len(),
            if pids.len() == 1 { "" } else { "es" },
            name.escape_debug(),
            shown.join(", "),
            if pids.len() > PIDS_SHOWN { ", ..." } else { "" },
        ));
    }
}

/// The header of a log of this command.
pub fn header(
    words: &[OsString],
    backend: &str,
    calibration: Calibration,
    untraced: Option<Untraced>,
    mut options: BTreeMap<String, String>,
) -> Header {
    let (command, cut) = kept_words(words);
    options.extend(cut.map(|bytes| ("command_cut".to_owned(), bytes.to_string())));
    Header {
        format: FORMAT_VERSION,
        writer: env!("CARGO_PKG_VERSION").to_owned(),
        command,
        cwd: std::env::current_dir().map(|cwd| cwd.to_string_lossy().into_owned()).unwrap_or_default(),
        environment: host::environment(),
        host: host::host(),
        backend: backend.to_owned(),
        clock: host::clock(),
        calibration: Some(calibration),
        untraced,
        options,
        repeats: None,
        replayed: None,
    }
}

/// Most bytes of a command that are kept, as of the arguments of an exec.
const LONGEST_COMMAND: usize = 32 * 1024;

/// A command's words as text; where they are too long, as many as there is room for, the last of them cut, and
/// how many bytes are missing.
fn kept_words(words: &[OsString]) -> (Vec<String>, Option<usize>) {
    let mut room = LONGEST_COMMAND;
    let mut kept = Vec::new();
    let mut missing = 0;
    for word in words {
        let word = escape::text(word.as_encoded_bytes());
        let end = (0..=room.min(word.len())).rev().find(|&at| word.is_char_boundary(at)).unwrap_or(0);
        missing += word.len() - end;
        if room > 0 {
            kept.push(word[..end].to_owned());
        }
        // Each has a NUL byte behind it.
        room = if end < word.len() { 0 } else { room.saturating_sub(end + 1) };
    }
    (kept, Some(missing).filter(|&missing| missing > 0))
}

fn options(job: &Job<'_>, tracer: &Tracer) -> BTreeMap<String, String> {
    let until = job.ready.map(|ready| ("until".to_owned(), ready.until().to_string()));
    let leader_only = ("leader_only".to_owned(), job.leader_only.to_string());
    let sample = job.sample.map(|samples| (log::SAMPLE_HZ.to_owned(), samples.hz.to_string()));
    let cost = job.sample.and_then(|samples| samples.cost_ns);
    let cost = cost.map(|ns| (log::SAMPLE_COST_NS.to_owned(), ns.to_string()));
    let sampled_by =
        job.sample.and_then(Samples::by_ptrace).map(|_| (log::SAMPLED_BY.to_owned(), "ptrace".to_owned()));
    let user_only = job.sample.filter(|samples| samples.user_only);
    let user_only = user_only.map(|_| (log::SAMPLED_USER_ONLY.to_owned(), "true".to_owned()));
    let stacks = job.stacks.map(|frames| (log::STACKS.to_owned(), frames.name().to_owned()));
    let kept = job.keep.map(|style| (KEPT_BYTES.to_owned(), style.strings.to_string()));
    [leader_only]
        .into_iter()
        .chain(until)
        .chain(why_ptrace(tracer))
        .chain(kept)
        .chain(sample)
        .chain(cost)
        .chain(sampled_by)
        .chain(user_only)
        .chain(stacks)
        .collect()
}

/// Why ptrace records, where eBPF would have been chosen, for the header.
pub fn why_ptrace(tracer: &Tracer) -> Option<(String, String)> {
    tracer.not_ebpf().map(|why| (log::NOT_EBPF.to_owned(), why.to_owned()))
}

/// Where tracer and thread ran on different CPUs, stops were dearer: how much is measured afterwards, since
/// it would hold up the command's start.
pub fn push_beside_totals(writer: &mut log::Writer, calls: u64) {
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

/// The backend has failed.
pub fn not_permitted(error: &io::Error, backend: &str) -> Failure {
    let hint = match error.raw_os_error() {
        Some(libc::EPERM | libc::ESRCH | libc::EACCES | libc::ENOSYS) => {
            "; `trace doctor` finds out why, and what enables it"
        }
        _ => "",
    };
    Failure::of_trace(anyhow::anyhow!("cannot trace the command with {backend}: {error}{hint}"))
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
        mark::UNREAD_PYTHON => {
            "the functions of a Python are missing from the stacks: its version or build is not known here (2.7 and 3.3 to \
             3.15 are)"
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    #[test]
    fn a_command_is_kept_up_to_a_length() {
        let short = words(&["echo", "", "b"]);
        assert_eq!(kept_words(&short), (vec!["echo".to_owned(), String::new(), "b".to_owned()], None));
        let (kept, missing) = kept_words(&words(&["echo", &"ä".repeat(LONGEST_COMMAND), "b"]));
        let lengths: Vec<usize> = kept.iter().map(String::len).collect();
        // The five bytes before leave an odd number, and a character takes two.
        assert_eq!(lengths, [4, LONGEST_COMMAND - 6]);
        assert_eq!(missing, Some(LONGEST_COMMAND + 6 + 1));
    }
}
