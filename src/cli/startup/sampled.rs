//! The runs of `trace startup` that tell where the time goes: traced by eBPF, with CPU samples, and with the times at which
//! threads left their CPUs.
//!
//! They are runs of their own, because samples take time. A short program has few samples a run, so it is run until there
//! are enough, or a second is over.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::anyhow;

use super::super::failure::{Failure, note};
use super::super::samples::{Samples, warn_of_rate};
use super::super::tracing::tracer;
use super::traced::{Candidate, Plan, Run, trace_once};
use crate::analysis::partition::{Partition, Partitioner, Tracing, Untraced};
use crate::analysis::startup::CpuSamples;
use crate::analysis::wall;
use crate::capture::sampler;
use crate::capture::select::{Tracer, Wanted};
use crate::capture::stdio::Stdio;
use crate::capture::untraced;
use crate::event::stack::{Frame, Node};
use crate::event::{Event, Kind};
use crate::log::{self, Reader, Writer};
use crate::report::notes;
use crate::report::units::things;

/// Samples a second without a wish: a few per cent of the time. More change what they tell of, so runs with more are for the
/// log only.
const HZ: u32 = 4000;
/// Samples that are enough.
const ENOUGH: u64 = 1000;
/// No further run begins after this.
const LONGEST: Duration = Duration::from_secs(1);
/// Nor after so many.
const MOST_RUNS: u64 = 50;
/// Why there is no partition.
const NEEDS_EBPF: &str = "that takes eBPF beside the samples, since ptrace's stops take CPU time themselves; `trace doctor` \
                          says what enables it";

/// Makes the runs.
pub fn sample(plan: &Plan<'_>, stdio: &mut Stdio) -> Sampled {
    let nothing = |why: &str| Sampled::without(why.to_owned());
    if plan.arguments.sample == Some(0) {
        return nothing("--sample 0");
    }
    if plan.ready.is_some() {
        return nothing("runs with CPU samples are made to the command's end only, not with --until");
    }
    make(plan, stdio).unwrap_or_else(|failure| {
        let why = failure.text();
        // Without a wish there is only a part of the report less.
        let failure = plan.arguments.sample.map(|_| Failure::of_trace(anyhow!("no CPU samples: {why}")));
        Sampled { failure, ..Sampled::without(why) }
    })
}

/// What the runs came to.
pub struct Sampled {
    /// What they tell, or why that is nothing.
    pub partition: Result<Partition, String>,
    /// The log of the shortest of those that tell it.
    pub log: Option<Candidate>,
    /// The samples that are kept.
    pub kept: Option<CpuSamples>,
    /// The signal that asked for an end, which has been told of.
    pub ended_by: Option<i32>,
    /// Why there are no samples, though they were asked for.
    pub failure: Option<Failure>,
}

impl Sampled {
    /// There were no runs.
    pub fn without(why: String) -> Self {
        Self { partition: Err(why), log: None, kept: None, ended_by: None, failure: None }
    }
}

/// Runs for the partition, and for the log of samples if a rate is given: the same, unless perf events cannot tell what is
/// wanted, or so many samples would change what the partition is of.
fn make(plan: &Plan<'_>, stdio: &mut Stdio) -> Result<Sampled, Failure> {
    let wanted = plan.arguments.sample.map(|hz| Samples::choose(hz, plan.arguments.stacks)).transpose()?;
    warn_of_rate(wanted.as_ref());
    let most = sampler::most_a_second().map_or(HZ, |most| most.min(HZ));
    let apart = wanted.as_ref().filter(|samples| samples.by_ptrace().is_some() || samples.hz > most);
    let to_divide = wanted.clone().filter(|_| apart.is_none());
    let to_divide = to_divide
        .unwrap_or_else(|| Samples::by_perf(wanted.as_ref().map_or(most, |samples| samples.hz.min(most))));
    let mut made = match divide(plan, stdio, &to_divide, wanted.is_some() && apart.is_none()) {
        Err(failure) if apart.is_some() => Sampled::without(failure.text()),
        made => made?,
    };
    if let (Some(samples), None) = (apart, made.ended_by) {
        (made.kept, made.ended_by) = take(plan, stdio, samples)?;
    }
    Ok(made)
}

/// Makes the runs that tell where the time goes.
fn divide(plan: &Plan<'_>, stdio: &mut Stdio, samples: &Samples, kept: bool) -> Result<Sampled, Failure> {
    let mut tracer = match plan.tracer()? {
        Ok(tracer) => tracer,
        Err(signal) => {
            tell_end(signal, 0);
            return Ok(Sampled { ended_by: Some(signal), ..Sampled::without(cut_off(signal)) });
        }
    };
    let mut partitioner = Partitioner::default();
    let is_ptrace = tracer.name() == "ptrace";
    if is_ptrace && !kept {
        return Ok(Sampled::without(NEEDS_EBPF.to_owned()));
    }
    let plan = Plan { sample: Some(samples), ..*plan };
    let mut is_too_much = false;
    let mut shortest: Option<(Duration, Candidate)> = None;
    let mut added_ns = 0;
    let runs = repeat(&mut tracer, &plan, stdio, kept, |candidate, elapsed| {
        if !is_ptrace {
            let before = partitioner.runs();
            let mut reader = Reader::open(&candidate.path())?;
            added_ns = reader.header().calibration.as_ref().map_or(0, |known| known.added_ns);
            reader.for_each(|event| partitioner.add(event))?;
            partitioner.end_run();
            is_too_much = partitioner.runs() == before;
        }
        if shortest.as_ref().is_none_or(|(known, _)| elapsed < *known) {
            shortest = Some((elapsed, candidate));
        }
        Ok(!is_too_much)
    })?;
    let ended_by = runs.interrupted;
    let kept = if is_too_much { None } else { finish(runs, samples)? };
    let made = Sampled { kept, ended_by, ..Sampled::without("no run was made".to_owned()) };
    if is_too_much {
        return Ok(Sampled { partition: Err("the command makes too many calls".to_owned()), ..made });
    }
    if is_ptrace {
        return Ok(Sampled { partition: Err(NEEDS_EBPF.to_owned()), ..made });
    }
    let untraced = wall::Untraced::of(plan.untraced).map(|untraced| Untraced {
        wall_ns: untraced.wall_ns(),
        cpu_ns: untraced.figures.cpu_ns.median as u64,
        launch_ns: untraced.launch_ns(),
    });
    let tracing = Tracing { sample_hz: samples.hz, sample_ns: samples.cost_ns.unwrap_or(0), added_ns };
    Ok(match (partitioner.finish(untraced, tracing), shortest, ended_by) {
        (Some(partition), Some((_, log)), _) => Sampled { partition: Ok(partition), log: Some(log), ..made },
        (_, _, Some(signal)) => Sampled { partition: Err(cut_off(signal)), ..made },
        _ => made,
    })
}

/// Makes the runs whose samples are for the log only, by ptrace or at a high rate. Also the signal that asked for an end.
fn take(
    plan: &Plan<'_>,
    stdio: &mut Stdio,
    samples: &Samples,
) -> Result<(Option<CpuSamples>, Option<i32>), Failure> {
    let by_ptrace = samples.by_ptrace().is_some();
    let backend = if by_ptrace { Wanted::Ptrace } else { plan.arguments.backend };
    let mut tracer = match untraced::to_its_end(|| tracer(backend, None)) {
        Ok(tracer) => tracer?,
        Err(signal) => {
            tell_end(signal, 0);
            return Ok((None, Some(signal)));
        }
    };
    let plan = Plan { sample: Some(samples), ..*plan };
    let runs = repeat(&mut tracer, &plan, stdio, true, |_, _| Ok(true))?;
    let ended_by = runs.interrupted;
    Ok((finish(runs, samples)?, ended_by))
}

/// Tells of a signal that came when so many runs were made.
fn tell_end(signal: i32, made: u64) {
    let name = untraced::signal_name(signal);
    note(format_args!(
        "ended by {name} in run {} with CPU samples; the report is made of the runs before",
        made + 1
    ));
}

/// Why nothing is known after a signal.
fn cut_off(signal: i32) -> String {
    format!("{} ended the first of the runs that tell it", untraced::signal_name(signal))
}

/// Some runs.
#[derive(Default)]
struct Runs {
    made: u64,
    samples: u64,
    /// Threads of which the kernel took none.
    hidden: u64,
    /// The CPU time that they stand for, where that is known.
    user_ns: Option<u64>,
    /// Their samples, where they are to be kept.
    merged: Option<Merged>,
    /// The signal that asked for an end.
    interrupted: Option<i32>,
}

/// Makes runs until there are enough samples. `each` gets the log of each and how long it took; false: no more.
fn repeat(
    tracer: &mut Tracer,
    plan: &Plan<'_>,
    stdio: &mut Stdio,
    kept: bool,
    mut each: impl FnMut(Candidate, Duration) -> Result<bool, Failure>,
) -> Result<Runs, Failure> {
    let begin = Instant::now();
    let mut runs = Runs::default();
    while goes_on(runs.made, runs.samples, begin) {
        let candidate = Candidate::new().map_err(Failure::of_trace)?;
        let recorded = match trace_once(tracer, plan, &candidate.path(), stdio, None)? {
            Run::Interrupted(signal) => {
                tell_end(signal, runs.made);
                return Ok(Runs { interrupted: Some(signal), ..runs });
            }
            Run::Made(recorded) => recorded,
        };
        let (elapsed, interruption) = (recorded.elapsed, recorded.interruption);
        recorded.log?;
        runs.made += 1;
        if let Some(sampled) = recorded.sampled {
            runs.samples += sampled.samples;
            runs.hidden += u64::from(sampled.hidden);
            runs.user_ns = sampled.user_ns.map(|ns| ns.saturating_add(runs.user_ns.unwrap_or(0)));
        }
        if kept {
            merge(&mut runs.merged, plan.output, &candidate.path())?;
        }
        let goes_on = each(candidate, elapsed)?;
        if let Some(interruption) = interruption {
            tell_end(interruption.signal, runs.made);
            return Ok(Runs { interrupted: Some(interruption.signal), ..runs });
        }
        if !goes_on {
            break;
        }
    }
    Ok(runs)
}

/// Whether another run is to be made.
fn goes_on(runs: u64, samples: u64, begin: Instant) -> bool {
    runs == 0 || runs < MOST_RUNS && samples < ENOUGH && begin.elapsed() < LONGEST
}

/// Closes the log of samples, if there is one, and says where it is.
fn finish(runs: Runs, samples: &Samples) -> Result<Option<CpuSamples>, Failure> {
    let Some(Merged { writer, path, took_ns, .. }) = runs.merged else { return Ok(None) };
    writer.finish()?;
    let how = samples.why_ptrace();
    let how = how.map(|why| format!(", taken by ptrace, in user mode only ({why})")).unwrap_or_default();
    note(format_args!(
        "{} of {} in {}: trace flame --by stack {2}{how}",
        things(runs.samples, "CPU sample", "CPU samples"),
        things(runs.made, "run", "runs"),
        path.display()
    ));
    let few = notes::few_samples(runs.samples, samples.hz, runs.user_ns);
    let no_kernel = samples.user_only.then(|| notes::NO_KERNEL_PART.to_owned());
    for what in [few, no_kernel, notes::hidden_from_samples(runs.hidden)].into_iter().flatten() {
        note(what);
    }
    Ok(Some(CpuSamples {
        runs: runs.made,
        samples: runs.samples,
        user_ns: runs.user_ns,
        sample_hz: samples.hz,
        sampled_by: samples.by_ptrace().map(|_| "ptrace".to_owned()),
        sample_cost_ns: samples.cost_ns,
        user_only: samples.user_only,
        hidden: runs.hidden,
        run_ns: took_ns / runs.made.max(1),
        log: path.to_string_lossy().into_owned(),
    }))
}

/// A log of the samples of all runs, one after the other.
struct Merged {
    writer: Writer,
    path: std::path::PathBuf,
    /// Numbers and times that runs before have used.
    frames: u32,
    stacks: u32,
    at_ns: u64,
    /// From the first event of a run to its last one, of all together.
    took_ns: u64,
}

/// Adds the samples of a run.
fn merge(merged: &mut Option<Merged>, beside: &Path, log: &Path) -> Result<(), log::Error> {
    let mut reader = Reader::open(log)?;
    if merged.is_none() {
        let path = beside.with_extension("cpu.trace");
        let writer = Writer::create(&path, reader.header())?;
        *merged = Some(Merged { writer, path, frames: 0, stacks: 0, at_ns: 0, took_ns: 0 });
    }
    let Some(merged) = merged else { return Ok(()) };
    let (frames, stacks, at_ns) = (merged.frames, merged.stacks, merged.at_ns);
    let writer = &mut merged.writer;
    let (mut last_frame, mut last_stack, mut last_ns) = (frames, stacks, at_ns);
    let (mut began_ns, mut ended_ns) = (u64::MAX, 0);
    reader.for_each(|event| {
        if event.kind.happened() && event.kind != Kind::Lost {
            began_ns = began_ns.min(event.start_ns);
            ended_ns = ended_ns.max(event.end_ns.unwrap_or(event.start_ns));
        }
        if let Some((number, frame)) = Frame::of(event) {
            let number = number.saturating_add(frames);
            last_frame = last_frame.max(number.saturating_add(1));
            writer.push(&frame.event(number));
        } else if let Some((number, node)) = Node::of(event) {
            let number = number.saturating_add(stacks);
            last_stack = last_stack.max(number.saturating_add(1));
            let caller = node.caller.map(|caller| caller.saturating_add(stacks));
            writer.push(&Node { caller, frame: node.frame.saturating_add(frames) }.event(number));
        } else if event.kind == Kind::Sample || event.kind == Kind::Lost {
            let start_ns = event.start_ns.saturating_add(at_ns);
            last_ns = last_ns.max(start_ns.saturating_add(1));
            let stack = event.stack.map(|stack| stack.saturating_add(stacks));
            writer.push(&Event { start_ns, end_ns: Some(start_ns), stack, ..*event });
        }
    })?;
    (merged.frames, merged.stacks, merged.at_ns) = (last_frame, last_stack, last_ns);
    merged.took_ns = merged.took_ns.saturating_add(ended_ns.saturating_sub(began_ns));
    Ok(())
}
