//! What `trace record` says at its end: notes for people, or one line of JSON.

use std::io::{self, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;

use serde::Serialize;

use super::failure::note;
use super::samples::Samples;
use super::tracing::Recorded;
use crate::capture::sampler::Sampled;
use crate::capture::select::Tracer;
use crate::report::{json, notes};

/// A recording, and what it was of.
pub struct Told<'a> {
    /// What came of it.
    pub recorded: &'a Recorded,
    /// What recorded it.
    pub tracer: &'a Tracer,
    /// Where the log is.
    pub log: &'a Path,
    /// How the command ended; `None`: there was no command.
    pub status: Option<ExitStatus>,
    /// How CPU samples were to be taken, if any were.
    pub samples: Option<&'a Samples>,
}

#[derive(Serialize)]
struct Summary<'a> {
    log: String,
    backend: &'a str,
    not_ebpf: Option<&'a str>,
    /// What the command gave to exit(2); `None`: a signal ended it, or there was no command.
    exit_code: Option<i32>,
    /// The number of the signal that ended the command.
    signal: Option<i32>,
    elapsed_ns: u64,
    threads: u64,
    events: Option<u64>,
    bytes: Option<u64>,
    lost_events: u64,
    /// Why the log is incomplete.
    error: Option<String>,
    samples: Option<&'a Sampled>,
    /// How long a CPU sample held up the command.
    sample_cost_ns: Option<u64>,
    not_perf: Option<&'a str>,
    warnings: &'a [&'static str],
}

impl Told<'_> {
    /// Writes it as one line of JSON.
    pub fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        let recorded = self.recorded;
        let log = recorded.log.as_ref();
        json::write_line(
            out,
            &Summary {
                log: self.log.to_string_lossy().into_owned(),
                backend: self.tracer.name(),
                not_ebpf: self.tracer.not_ebpf(),
                exit_code: self.status.and_then(|status| status.code()),
                signal: self.status.and_then(|status| status.signal()),
                elapsed_ns: u64::try_from(recorded.elapsed.as_nanos()).unwrap_or(u64::MAX),
                threads: recorded.threads,
                events: log.ok().map(|log| log.events),
                bytes: log.ok().map(|log| log.bytes),
                lost_events: recorded.lost,
                error: log.err().map(ToString::to_string),
                samples: recorded.sampled.as_ref(),
                sample_cost_ns: self.samples.and_then(|samples| samples.cost_ns),
                not_perf: self.samples.and_then(Samples::why_ptrace),
                warnings: &recorded.warnings,
            },
        )
    }

    /// Says it in notes.
    pub fn notes(&self, with_fall_back: bool) {
        let recorded = self.recorded;
        for warning in &recorded.warnings {
            note(warning);
        }
        // Why a log could not be written is the last word, and the failure of the whole.
        if let Ok(log) = &recorded.log {
            note(format_args!(
                "{} events of {} in {} ({} bytes)",
                log.events,
                counted(recorded.threads, "thread"),
                self.log.display(),
                log.bytes
            ));
        }
        if let Some(sampled) = &recorded.sampled {
            tell_samples(sampled, self.samples);
        }
        if recorded.lost > 0 {
            note(format_args!(
                "{} lost: they came faster than they can be recorded; --lossless, or --backend ptrace, loses none",
                counted_were(recorded.lost, "event")
            ));
        }
        // Why the backend that costs least did not record.
        if let Some(why) = self.tracer.not_ebpf().filter(|_| with_fall_back) {
            note(format_args!(
                "recorded with ptrace, for eBPF does not work here: {why} (trace doctor says more)"
            ));
        }
    }
}

/// What became of the CPU samples.
fn tell_samples(sampled: &Sampled, wish: Option<&Samples>) {
    let not_perf = wish.and_then(Samples::why_ptrace);
    match not_perf {
        None => note(counted(sampled.samples, "CPU sample")),
        Some(why) => note(format_args!(
            "{}, taken by ptrace, in user mode only: {why}",
            counted(sampled.samples, "CPU sample")
        )),
    }
    if let Some(cost) = wish.and_then(|wish| notes::sample_cost(wish.hz, wish.cost_ns)) {
        note(cost);
    }
    if let Some(few) = wish.and_then(|wish| notes::few_samples(sampled.samples, wish.hz, sampled.user_ns)) {
        note(few);
    }
    if sampled.confined > 0 {
        note(format_args!(
            "{} put {} under a seccomp filter and had no CPU samples from then on",
            counted(sampled.confined, "thread"),
            if sampled.confined == 1 { "itself" } else { "themselves" }
        ));
    }
    if sampled.user_only && not_perf.is_none() {
        note(notes::NO_KERNEL_PART);
    }
    if let Some(hidden) = notes::hidden_from_samples(sampled.hidden.into()) {
        note(hidden);
    }
    if sampled.broken {
        note(
            "taking CPU samples ended early, by a fault of trace's: some are missing, nobody knows how many",
        );
    }
    if sampled.lost > 0 {
        note(format_args!("{} lost: take fewer a second", counted_were(sampled.lost, "CPU sample")));
    }
    if sampled.throttled > 0 {
        note(format_args!(
            "the kernel took fewer samples than asked for, {} (kernel.perf_cpu_time_max_percent)",
            counted(sampled.throttled, "time")
        ));
    }
}

fn counted_were(count: u64, noun: &str) -> String {
    format!("{} {}", counted(count, noun), if count == 1 { "was" } else { "were" })
}

fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
