//! The runs of `trace startup` that tell where the time goes: traced by eBPF, with CPU samples, and with the times at which
//! threads left their CPUs.
//!
//! They are runs of their own, because samples take time. A short program has few samples a run, so it is run until there
//! are enough, or a second is over.

use std::path::Path;
use std::time::{Duration, Instant};

use super::super::failure::{Failure, note};
use super::super::samples::{By, Samples};
use super::super::tracing::tracer;
use super::traced::{Candidate, Plan, Run, trace_once};
use crate::analysis::partition::{Partition, Partitioner, Untraced};
use crate::analysis::wall;
use crate::capture::sampler;
use crate::capture::select::{Tracer, Wanted};
use crate::capture::stdio::Stdio;
use crate::event::stack::{Frame, Node};
use crate::event::{Event, Kind};
use crate::log::{self, Reader, Writer};

/// Samples a second without a wish: a few per cent of the time.
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

/// Makes the runs: what they tell, or why there were none. `Err`: a signal asked for an end.
pub fn sample(plan: &Plan<'_>, stdio: &mut Stdio) -> Result<Result<Sampled, String>, i32> {
    if plan.arguments.sample == Some(0) {
        return Ok(Err("--sample 0".to_owned()));
    }
    if plan.ready.is_some() {
        return Ok(Err(
            "runs with CPU samples are made to the command's end only, not with --until".to_owned()
        ));
    }
    match make(plan, stdio) {
        Ok(Made::Sampled(sampled)) => Ok(Ok(*sampled)),
        Ok(Made::Nothing(why)) => Ok(Err(why)),
        Ok(Made::Interrupted(signal)) => Err(signal),
        Err(failure) => Ok(Err(failure.text())),
    }
}

/// What the runs came to.
pub struct Sampled {
    /// What they tell.
    pub partition: Partition,
    /// The log of the shortest.
    pub log: Candidate,
}

enum Made {
    Sampled(Box<Sampled>),
    Nothing(String),
    Interrupted(i32),
}

/// Runs for the partition, and for the log of samples if a rate is given: the same, unless perf events cannot tell what is
/// wanted.
fn make(plan: &Plan<'_>, stdio: &mut Stdio) -> Result<Made, Failure> {
    let wanted = plan.arguments.sample.map(|hz| Samples::choose(hz, plan.arguments.stacks)).transpose()?;
    let by_ptrace = wanted.as_ref().filter(|samples| samples.by_ptrace().is_some());
    let hz = || sampler::most_a_second().map_or(HZ, |most| most.min(HZ));
    let by_perf = Samples { hz: plan.arguments.sample.unwrap_or_else(hz), by: By::PerfEvents };
    let made = match divide(plan, stdio, &by_perf, wanted.is_some() && by_ptrace.is_none()) {
        Err(failure) if by_ptrace.is_some() => Made::Nothing(failure.text()),
        made => made?,
    };
    if let (Some(samples), Made::Sampled(_) | Made::Nothing(_)) = (by_ptrace, &made)
        && let Some(signal) = take(plan, stdio, samples)?
    {
        return Ok(Made::Interrupted(signal));
    }
    Ok(made)
}

/// Makes the runs that tell where the time goes.
fn divide(plan: &Plan<'_>, stdio: &mut Stdio, samples: &Samples, kept: bool) -> Result<Made, Failure> {
    let mut tracer = match plan.tracer()? {
        Ok(tracer) => tracer,
        Err(signal) => return Ok(Made::Interrupted(signal)),
    };
    let mut partitioner = Partitioner::default();
    let is_ptrace = tracer.name() == "ptrace";
    if is_ptrace && !kept {
        return Ok(Made::Nothing(NEEDS_EBPF.to_owned()));
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
    if let Some(signal) = runs.interrupted {
        return Ok(Made::Interrupted(signal));
    }
    if is_too_much {
        return Ok(Made::Nothing("the command makes too many calls".to_owned()));
    }
    finish(runs, None)?;
    if is_ptrace {
        return Ok(Made::Nothing(NEEDS_EBPF.to_owned()));
    }
    let untraced = wall::Untraced::of(plan.untraced).map(|untraced| Untraced {
        wall_ns: untraced.wall_ns(),
        cpu_ns: untraced.figures.cpu_ns.median as u64,
        launch_ns: untraced.launch_ns(),
    });
    let made = partitioner.finish(samples.hz, untraced, added_ns).zip(shortest);
    Ok(made.map_or_else(
        || Made::Nothing("no run was made".to_owned()),
        |(partition, (_, log))| Made::Sampled(Box::new(Sampled { partition, log })),
    ))
}

/// Makes the runs whose samples ptrace takes. `Some`: a signal asked for an end.
fn take(plan: &Plan<'_>, stdio: &mut Stdio, samples: &Samples) -> Result<Option<i32>, Failure> {
    let mut tracer = tracer(Wanted::Ptrace, None)?;
    let plan = Plan { sample: Some(samples), ..*plan };
    let runs = repeat(&mut tracer, &plan, stdio, true, |_, _| Ok(true))?;
    let interrupted = runs.interrupted;
    if interrupted.is_none() {
        finish(runs, samples.why_ptrace())?;
    }
    Ok(interrupted)
}

/// Some runs.
#[derive(Default)]
struct Runs {
    made: u64,
    samples: u64,
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
            Run::Interrupted(signal) => return Ok(Runs { interrupted: Some(signal), ..runs }),
            Run::Made(recorded) => recorded,
        };
        let elapsed = recorded.elapsed;
        recorded.log?;
        runs.made += 1;
        runs.samples += recorded.sampled.map_or(0, |sampled| sampled.samples);
        if kept {
            merge(&mut runs.merged, plan.output, &candidate.path())?;
        }
        if !each(candidate, elapsed)? {
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
fn finish(runs: Runs, why_ptrace: Option<&str>) -> Result<(), Failure> {
    let Runs { made, samples, merged, .. } = runs;
    let Some(Merged { writer, path, .. }) = merged else { return Ok(()) };
    writer.finish()?;
    let how =
        why_ptrace.map(|why| format!(", taken by ptrace, in user mode only ({why})")).unwrap_or_default();
    note(format_args!(
        "the {samples} CPU samples of {made} runs are in {}: trace flame --by stack {0}{how}",
        path.display()
    ));
    Ok(())
}

/// A log of the samples of all runs, one after the other.
struct Merged {
    writer: Writer,
    path: std::path::PathBuf,
    /// Numbers and times that runs before have used.
    frames: u32,
    stacks: u32,
    at_ns: u64,
}

/// Adds the samples of a run.
fn merge(merged: &mut Option<Merged>, beside: &Path, log: &Path) -> Result<(), log::Error> {
    let mut reader = Reader::open(log)?;
    if merged.is_none() {
        let path = beside.with_extension("cpu.trace");
        let writer = Writer::create(&path, reader.header())?;
        *merged = Some(Merged { writer, path, frames: 0, stacks: 0, at_ns: 0 });
    }
    let Some(merged) = merged else { return Ok(()) };
    let (frames, stacks, at_ns) = (merged.frames, merged.stacks, merged.at_ns);
    let writer = &mut merged.writer;
    let (mut last_frame, mut last_stack, mut last_ns) = (frames, stacks, at_ns);
    reader.for_each(|event| {
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
    Ok(())
}
