//! The runs of `trace startup` that tell where the time goes: traced by eBPF, with CPU samples, and with the times at which
//! threads left their CPUs.
//!
//! They are runs of their own, because samples take time. A short program has few samples a run, so it is run until there
//! are enough, or a second is over.

use std::path::Path;
use std::time::{Duration, Instant};

use super::super::failure::{Failure, note};
use super::traced::{Candidate, Plan, Run, trace_once};
use crate::analysis::partition::{Partition, Partitioner, Untraced};
use crate::analysis::wall;
use crate::capture::sampler;
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

/// Makes the runs: what they tell, or why there were none. `Err`: a signal asked for an end.
pub fn sample(plan: &Plan<'_>, stdio: &mut Stdio) -> Result<Result<Sampled, String>, i32> {
    let hz = match plan.arguments.sample {
        Some(0) => return Ok(Err("--sample 0".to_owned())),
        Some(hz) => hz,
        None => sampler::most_a_second().map_or(HZ, |most| most.min(HZ)),
    };
    if plan.ready.is_some() {
        return Ok(Err(
            "runs with CPU samples are made to the command's end only, not with --until".to_owned()
        ));
    }
    match make(plan, stdio, hz) {
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

fn make(plan: &Plan<'_>, stdio: &mut Stdio, hz: u32) -> Result<Made, Failure> {
    let mut tracer = match plan.tracer()? {
        Ok(tracer) => tracer,
        Err(signal) => return Ok(Made::Interrupted(signal)),
    };
    if tracer.name() == "ptrace" {
        let why = "that takes eBPF beside the samples, since ptrace's stops take CPU time themselves";
        return Ok(Made::Nothing(format!("{why}; `trace doctor` says what enables it")));
    }
    let plan = Plan { sample: Some(hz), ..*plan };
    let begin = Instant::now();
    let mut partitioner = Partitioner::default();
    let mut merged = None;
    let mut shortest: Option<(Duration, Candidate)> = None;
    while partitioner.runs() < MOST_RUNS
        && (partitioner.runs() == 0 || partitioner.samples() < ENOUGH && begin.elapsed() < LONGEST)
    {
        let candidate = Candidate::new().map_err(Failure::of_trace)?;
        let path = candidate.path();
        let recorded = match trace_once(&mut tracer, &plan, &path, stdio, None)? {
            Run::Interrupted(signal) => return Ok(Made::Interrupted(signal)),
            Run::Made(recorded) => recorded,
        };
        let elapsed = recorded.elapsed;
        recorded.log?;
        let mut reader = Reader::open(&path)?;
        reader.for_each(|event| partitioner.add(event))?;
        let before = partitioner.runs();
        partitioner.end_run();
        if partitioner.runs() == before {
            return Ok(Made::Nothing("the command makes too many calls".to_owned()));
        }
        if plan.arguments.sample.is_some() {
            merge(&mut merged, plan.output, &path)?;
        }
        if shortest.as_ref().is_none_or(|(known, _)| elapsed < *known) {
            shortest = Some((elapsed, candidate));
        }
    }
    if let Some(Merged { writer, path, .. }) = merged {
        writer.finish()?;
        note(format_args!("the CPU samples are in {}: trace flame --by stack {0}", path.display()));
    }
    let untraced = wall::Untraced::of(plan.untraced).map(|untraced| Untraced {
        wall_ns: untraced.wall_ns(),
        cpu_ns: untraced.figures.cpu_ns.median as u64,
        launch_ns: untraced.launch_ns(),
    });
    let made = partitioner.finish(hz, untraced).zip(shortest);
    Ok(made.map_or_else(
        || Made::Nothing("no run was made".to_owned()),
        |(partition, (_, log))| Made::Sampled(Box::new(Sampled { partition, log })),
    ))
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
