//! What the samples say: figures with intervals, against the baseline and against threads.

use super::blocks::{Contender, Sample};
use super::bootstrap::{Estimate, median, median_estimate};
use super::projection::{CostSource, Projection, Whole, project};
use super::scheduled::{Again, Way};
use crate::engine::{Counts, Strategy};
use crate::plan::CallId;
use crate::program::Program;
use crate::schedule::Schedule;
use crate::sys::calls::Observed;
use crate::verify::{self, What};

/// Within this share of the program's own time a replay's cost of the calls is believed.
const GATE: f64 = 0.10;

/// Why a strategy's times are void: a call that did not come to what it had to, or a file that is not as it must be
/// after all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voided {
    /// The first such call; `None` for a close that the kernel did by itself in the program.
    pub call: Option<CallId>,
    /// What it had to return, a descriptor's number aside: a negative errno for a failure.
    pub expected: i64,
    /// What it returned; `None`: it was not executed.
    pub observed: Option<i64>,
    /// What differs.
    pub what: What,
    /// How many calls in that run.
    pub calls: usize,
    /// The file, if it is one ([`What::Tree`]).
    pub file: Option<Box<[u8]>>,
}

impl Voided {
    pub(crate) fn new(program: &Program, step: u32, observed: Option<Observed>, calls: usize) -> Self {
        let call = program.steps[step as usize].call;
        let expected = program.expected[step as usize];
        Self {
            call: ((call as usize) < program.plan.len()).then_some(CallId(call)),
            expected: expected.ret,
            observed: observed.map(|observed| observed.ret),
            what: verify::difference(expected, observed.unwrap_or_default()),
            calls,
            file: None,
        }
    }

    /// Every call came to what it had to, and yet a file did not.
    pub(crate) fn of_tree(path: &[u8]) -> Self {
        Self {
            call: None,
            expected: 0,
            observed: Some(0),
            what: What::Tree,
            calls: 0,
            file: Some(path.into()),
        }
    }
}

/// A strategy's figures, each a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// How many blocks they come from.
    pub blocks: usize,
    /// Wall time, nanoseconds; pauses included where there are any.
    pub wall_ns: Estimate,
    /// Time within the calls, nanoseconds: the wall time, for strategies without pauses.
    pub calls_ns: Estimate,
    /// CPU time of the process, kernel workers included, nanoseconds.
    pub cpu_ns: Estimate,
    /// Context switches, voluntary or not.
    pub switches: f64,
    /// Tk / Ts: below 1 is faster than plain serial calls.
    pub against_serial: Estimate,
    /// Against the fastest of the threads with the same lookahead or less; `None` where none were measured.
    pub against_threads: Option<Estimate>,
    /// CPU time against that of plain serial calls.
    pub cpu_ratio: Estimate,
    /// The program's wall time with this strategy.
    pub projection: Option<Projection>,
    /// The interval of the speed-up lies above 1, and that of the time against threads below 1. `None`: not known, for
    /// want of the program's wall time or of threads to compare with.
    pub helps: Option<bool>,
}

/// One strategy's row.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Which.
    pub strategy: Strategy,
    /// Its figures, or why they are void. Of [`Strategy::Free`] only the projection means something.
    pub figures: Result<Figures, Voided>,
    /// What it did.
    pub counts: Counts,
    /// Operations that the kernel handed to worker threads; `None`: not known (needs the kernel's tracepoints).
    pub punts: Option<u64>,
    /// Where that is not known: that many at least, of plain rings and hybrids with warm caches, by asking the kernel which
    /// opens would wait (`RESOLVE_CACHED`).
    pub punts_at_least: Option<u64>,
    /// What setting it up took, before any time is taken: matters to a start of milliseconds.
    pub setup_ns: u64,
}

/// The replay's cost of the calls against the program's own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gate {
    /// What the calls took in the program, nanoseconds, at most; of several runs, those in the middle.
    pub in_program_ns: f64,
    /// At least: what the recorder added to each call in the program, where the caches hold less of it than in a loop, is not
    /// known more exactly.
    pub in_program_least_ns: f64,
    /// Runs of the program that these two are of.
    pub runs: usize,
    /// What they took here, with the program's pauses.
    pub replayed_ns: f64,
}

/// Between which of several runs those in the middle lie, a quarter at most left out at either end: what somebody else's work
/// on the machine did to one of them is to decide nothing. `None`: there are not several.
pub(crate) fn middle(runs: &[f64]) -> Option<[f64; 2]> {
    let mut sorted = runs.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let left_out = sorted.len() / 4;
    let [low, .., high] = sorted.get(left_out..sorted.len() - left_out)? else { return None };
    Some([*low, *high])
}

impl Gate {
    /// Whether projections are to be believed.
    #[must_use]
    pub fn is_passed(&self) -> bool {
        let believed = self.in_program_least_ns * (1.0 - GATE)..=self.in_program_ns * (1.0 + GATE);
        believed.contains(&self.replayed_ns)
    }
}

/// What rows are seen against.
pub(crate) struct Context<'a> {
    pub(crate) wall_ns: &'a [f64],
    /// What the calls cost in the program at least and at most, in each run that is known, if the log says so.
    pub(crate) recorded_ns: Option<Vec<f64>>,
    /// Of a program with several threads, where the log has times.
    pub(crate) schedule: Option<&'a Schedule>,
    /// What the log has as the calls' time, all together.
    pub(crate) logged_ns: f64,
}

impl Context<'_> {
    /// C, and where it comes from.
    fn cost(&self, contenders: &[Contender]) -> (Vec<f64>, CostSource) {
        if let Some(recorded) = &self.recorded_ns {
            return (recorded.clone(), CostSource::Recorded);
        }
        let of = |strategy| contenders.iter().find(|contender| contender.strategy == strategy);
        let calls = |contender: &Contender| contender.samples.iter().map(|sample| sample.calls_ns).collect();
        match of(Strategy::Thinking { disturb: true }).or(of(Strategy::Thinking { disturb: false })) {
            Some(thinking) if thinking.voided.is_none() => (calls(thinking), CostSource::ThinkTime),
            _ => (of(Strategy::Serial).map(calls).unwrap_or_default(), CostSource::Loop),
        }
    }
}

/// All rows, and where the cost of the calls in the program was taken from.
pub(crate) fn rows(contenders: &[Contender], free: bool, context: &Context) -> (Vec<Row>, CostSource) {
    let (calls_ns, source) = context.cost(contenders);
    let whole = Whole { wall_ns: context.wall_ns, calls_ns: &calls_ns };
    let serial = contenders.iter().find(|contender| contender.strategy == Strategy::Serial);
    let baseline = serial.filter(|serial| serial.voided.is_none()).map_or(&[][..], |serial| &serial.samples);
    let again = context
        .schedule
        .and_then(|schedule| Again::new(schedule, median(&calls_ns) / context.logged_ns, contenders));
    let mut rows = Vec::new();
    if free {
        let mut row = free_row(whole, baseline.len());
        if let (Some(again), Ok(figures)) = (&again, &mut row.figures) {
            figures.projection = again.project(whole.wall_ns, &Way::FREE);
        }
        rows.push(row);
    }
    rows.extend(contenders.iter().map(|contender| {
        let threads = fastest_threads(contenders, contender);
        let figures = match &contender.voided {
            Some(voided) => Err(voided.clone()),
            None => Ok(figures(contender, baseline, threads, whole, again.as_ref())),
        };
        Row {
            strategy: contender.strategy,
            figures,
            counts: contender.counts,
            punts: contender.punts,
            punts_at_least: contender.punts_at_least,
            setup_ns: contender.setup_ns,
        }
    }));
    (rows, source)
}

const NOTHING: Estimate = Estimate { median: 0.0, low: 0.0, high: 0.0 };

fn free_row(whole: Whole, blocks: usize) -> Row {
    let figures = Figures {
        blocks,
        wall_ns: NOTHING,
        calls_ns: NOTHING,
        cpu_ns: NOTHING,
        switches: 0.0,
        against_serial: NOTHING,
        against_threads: None,
        cpu_ratio: NOTHING,
        projection: project(whole, &[0.0]),
        helps: None,
    };
    Row {
        strategy: Strategy::Free,
        figures: Ok(figures),
        counts: Counts::default(),
        punts: None,
        punts_at_least: None,
        setup_ns: 0,
    }
}

/// The threads that a strategy has to beat: the fastest that know no more of the future than it does.
fn fastest_threads<'a>(contenders: &'a [Contender], than: &Contender) -> Option<&'a Contender> {
    let window = |strategy: Strategy| strategy.lookahead().window().unwrap_or(u32::MAX);
    let threads = contenders.iter().filter(|contender| {
        let is_threads = matches!(contender.strategy, Strategy::Threads { .. });
        is_threads
            && contender.voided.is_none()
            && contender.strategy != than.strategy
            && window(contender.strategy) <= window(than.strategy)
    });
    let wall = |contender: &Contender| median(&values(&contender.samples, |sample| sample.wall_ns));
    threads.min_by(|a, b| wall(a).total_cmp(&wall(b)))
}

fn values(samples: &[Sample], of: impl Fn(&Sample) -> f64) -> Vec<f64> {
    samples.iter().map(of).collect()
}

/// Block by block, so that drift of the machine falls out.
pub(super) fn ratios(samples: &[Sample], to: &[Sample], of: impl Fn(&Sample) -> f64) -> Vec<f64> {
    samples.iter().zip(to).map(|(sample, to)| of(sample) / of(to).max(1.0)).collect()
}

fn figures(
    contender: &Contender,
    baseline: &[Sample],
    threads: Option<&Contender>,
    whole: Whole,
    again: Option<&Again>,
) -> Figures {
    let samples = &contender.samples;
    let of = |of: fn(&Sample) -> f64| median_estimate(&values(samples, of)).unwrap_or(NOTHING);
    let calls = ratios(samples, baseline, |sample| sample.calls_ns);
    let against_threads = threads
        .and_then(|threads| median_estimate(&ratios(samples, &threads.samples, |sample| sample.calls_ns)));
    let projection = match again {
        Some(again) => again.project(whole.wall_ns, &again.way(contender, baseline)),
        None => project(whole, &calls),
    };
    let helps = projection
        .zip(against_threads)
        .map(|(projection, threads)| projection.speedup.low > 1.0 && threads.high < 1.0);
    Figures {
        blocks: samples.len(),
        wall_ns: of(|sample| sample.wall_ns),
        calls_ns: of(|sample| sample.calls_ns),
        cpu_ns: of(|sample| sample.cpu_ns),
        switches: median(&values(samples, |sample| sample.switches)),
        against_serial: median_estimate(&calls).unwrap_or(NOTHING),
        against_threads,
        cpu_ratio: median_estimate(&ratios(samples, baseline, |sample| sample.cpu_ns)).unwrap_or(NOTHING),
        projection,
        helps,
    }
}
