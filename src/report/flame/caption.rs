//! What stands above a flame graph: the command, what width is, and how far that can be believed.

use crate::analysis::cost::Quality;
use crate::analysis::flame::Drawing;
use crate::analysis::fold::{By, Metric};
use crate::report::escape::{command_line, escape, shorten};
use crate::report::notes;
use crate::report::units::{bytes, percent, things, time};

/// Characters of the title that fit a picture of 1,200 pixels.
const TITLE: usize = 110;
/// Characters of a filter or a name in the line below it.
const PART: usize = 40;

/// What the picture does not know of itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Caption<'a> {
    /// Which calls were chosen, as typed; `None`: all.
    pub filter: Option<&'a str>,
    /// The log it is compared with.
    pub other: Option<&'a str>,
}

/// The command, as a shell would take it.
#[must_use]
pub fn title(command: &[String]) -> String {
    shorten(&command_line(command), TITLE)
}

/// The line below the title.
#[must_use]
pub fn subtitle(drawing: &Drawing, caption: &Caption<'_>) -> String {
    let mut parts = vec![what(drawing), format!("by {}", by(drawing.by))];
    if let Some(filter) = caption.filter {
        parts.push(format!("only {}", shorten(&escape(filter.as_bytes()), PART)));
    }
    if let Some(other) = caption.other {
        parts.push(compared(drawing, other));
    }
    if drawing.metric == Metric::Time && drawing.waited_ns > 0 {
        parts.push(format!("waits for others ({}) left out", time(drawing.waited_ns)));
    }
    if drawing.by == By::Stack
        && !matches!(drawing.metric, Metric::Cpu | Metric::Wall)
        && drawing.calls_with_stack < drawing.calls
    {
        let without = things(drawing.calls - drawing.calls_with_stack, "call", "calls");
        parts.push(format!("{without} without a stack"));
    }
    parts.extend(beside(drawing));
    if drawing.other_calls > 0 {
        parts.push(format!("{} not told apart", things(drawing.other_calls, "call", "calls")));
    }
    let integrity = &drawing.integrity;
    let lost = !integrity.complete || !integrity.losses.is_empty();
    format!("{}{}", if lost { "LOG INCOMPLETE: " } else { "" }, parts.join(", "))
}

/// What is to be known of the whole drawing beside [`what`] it is.
pub fn beside(drawing: &Drawing) -> impl Iterator<Item = String> {
    let aligned = aligned(drawing).filter(|_| drawing.by == By::Stack);
    let aligned =
        aligned.map(|share| format!("stacks of another run, in which {share} of the log's calls are"));
    let (samples, ns) = drawing.tracers;
    let tracers = (samples > 0).then(|| {
        let samples = things(samples, "sample", "samples");
        format!("{samples} in what records calls left out ({})", time(ns))
    });
    let is_cost = matches!(drawing.metric, Metric::Time | Metric::Elapsed);
    let is_sampled = is_of_samples(drawing);
    let cost = drawing.sampled.as_ref().filter(|_| is_sampled);
    let cost = cost.and_then(|sampled| notes::sample_cost(sampled.hz, sampled.cost_ns));
    let no_kernel = drawing.sampled.as_ref().filter(|sampled| is_sampled && sampled.user_only);
    let no_kernel = no_kernel.map(|_| notes::NO_KERNEL_PART.to_owned());
    let few = few_samples(drawing).filter(|_| is_sampled);
    let long = notes::long_calls(drawing.long_calls, drawing.quality).filter(|_| is_cost);
    [aligned, tracers, cost, no_kernel, few, long].into_iter().flatten()
}

/// That ptrace took fewer samples than it was to: where calls come one after the other, or many threads run, it does not get
/// round to them.
fn few_samples(drawing: &Drawing) -> Option<String> {
    let sampled = drawing.sampled.as_ref().filter(|sampled| sampled.by.is_some())?;
    let cpu_ns = u64::try_from(drawing.graph.total()[0]).ok();
    notes::few_samples(drawing.calls, sampled.hz, cpu_ns)
}

/// What two drawings of CPU samples cannot be compared in, since something else took them.
#[must_use]
pub fn sampled_otherwise(one: &Drawing, other: &Drawing) -> Option<String> {
    let by =
        |drawing: &Drawing| drawing.sampled.as_ref().map(|sampled| (sampled.by.clone(), sampled.user_only));
    let (one_by, other_by) = (by(one)?, by(other)?);
    if !is_of_samples(one) || one_by == other_by {
        return None;
    }
    let name = |(by, user_only): (Option<String>, bool)| match by {
        None if user_only => "perf events, without the kernel's part".to_owned(),
        None => "perf events, the kernel's part included".to_owned(),
        Some(by) => format!("{}, in user mode only", escape(by.as_bytes())),
    };
    Some(format!(
        "samples were taken by {}; those of the other log by {}: frames differ for that, too",
        name(one_by),
        name(other_by)
    ))
}

fn is_of_samples(drawing: &Drawing) -> bool {
    matches!(drawing.metric, Metric::Cpu | Metric::Wall) && drawing.by == By::Stack
}

/// How many of a log's calls the run has that its stacks are of.
fn aligned(drawing: &Drawing) -> Option<String> {
    let (calls, aligned) = drawing.aligned.filter(|(calls, _)| *calls > 0)?;
    Some(percent((aligned as f64 / calls as f64).min(1.0)))
}

/// The name of what stacks are made of.
#[must_use]
pub fn by(by: By) -> &'static str {
    By::ALL.iter().find(|(known, _)| *known == by).map_or("", |(_, name)| name)
}

/// What all frames amount to, and how that is known.
#[must_use]
pub fn what(drawing: &Drawing) -> String {
    let total = u64::try_from(drawing.graph.total()[0]).unwrap_or(u64::MAX);
    let calls = things(drawing.calls, "call", "calls");
    let backend = escape(drawing.backend.as_bytes());
    let known = match drawing.quality {
        Quality::True => format!("true, {backend}"),
        Quality::Replayed => replayed(drawing),
        Quality::Estimated => format!("estimated: {backend}, stop of {} taken off", time(drawing.stop_ns)),
        Quality::Unknown => format!("unknown, {backend}"),
    };
    match drawing.metric {
        Metric::Time => format!("{} in {calls} ({known})", time(total)),
        Metric::Elapsed => format!("{} in {calls}, waits included ({known})", time(total)),
        Metric::Count => format!("{calls} ({backend})"),
        Metric::Cpu => {
            let samples = things(drawing.calls, "CPU sample", "CPU samples");
            let how = drawing.sampled.as_ref();
            let rate = how.map(|how| format!(" at {} a second", how.hz)).unwrap_or_default();
            let by = how.and_then(|how| how.by.as_ref());
            let by = by.map(|by| format!(", taken by {}, user mode only", escape(by.as_bytes())));
            format!("{} on a CPU in {samples}{rate} ({backend}{})", time(total), by.unwrap_or_default())
        }
        Metric::Wall if drawing.by == By::Stack => {
            let samples = things(drawing.calls, "CPU sample", "CPU samples");
            format!("{} of threads, on a CPU by {samples} and waiting ({backend})", time(total))
        }
        Metric::Wall => {
            let imports = things(drawing.calls, "import", "imports");
            format!("{} in {imports} ({backend})", time(total))
        }
        Metric::Bytes => format!("{} read and written in {calls} ({backend})", bytes(total)),
    }
}

/// `replayed; 170 other calls have no cost`
fn replayed(drawing: &Drawing) -> String {
    match drawing.replayed.as_ref().map_or(0, |replayed| replayed.without) {
        0 => "replayed".to_owned(),
        others => format!("replayed; {} of the log not, and not drawn", things(others, "call", "calls")),
    }
}

fn compared(drawing: &Drawing, other: &str) -> String {
    let amount = |value: u128| {
        let value = u64::try_from(value).unwrap_or(u64::MAX);
        match drawing.metric {
            Metric::Time | Metric::Elapsed | Metric::Cpu | Metric::Wall => time(value),
            Metric::Count => things(value, "call", "calls"),
            Metric::Bytes => bytes(value),
        }
    };
    let other = shorten(&escape(other.as_bytes()), PART);
    let gone = match drawing.graph.only_before() {
        0 => String::new(),
        gone => format!("; {} only there, not drawn", amount(gone)),
    };
    format!("red: more, blue: less than in {other} ({}{gone})", amount(drawing.graph.total()[1]))
}
