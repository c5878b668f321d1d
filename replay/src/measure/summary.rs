//! What the samples say: figures with intervals, against the baseline and against threads.

use super::blocks::{Contender, Sample, ratios};
use super::bootstrap::{Estimate, median};
use super::forecast::{Context, Forecast};
use super::projection::{CostSource, Projection};
use super::voided::Voided;
use crate::engine::{Counts, Strategy};

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

/// All rows, and where the cost of the calls in the program was taken from.
pub(crate) fn rows(contenders: &[Contender], free: bool, context: &Context) -> (Vec<Row>, CostSource) {
    let forecast = Forecast::new(context, contenders);
    let mut rows = Vec::new();
    if free {
        rows.push(free_row(&forecast));
    }
    rows.extend(contenders.iter().map(|contender| {
        let threads = fastest_threads(contenders, contender);
        let figures = match &contender.voided {
            Some(voided) => Err(voided.clone()),
            None => Ok(figures(contender, threads, &forecast)),
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
    (rows, forecast.source)
}

const NOTHING: Estimate = Estimate { median: 0.0, low: 0.0, high: 0.0 };

fn free_row(forecast: &Forecast) -> Row {
    let figures = Figures {
        blocks: forecast.baseline.len(),
        wall_ns: NOTHING,
        calls_ns: NOTHING,
        cpu_ns: NOTHING,
        switches: 0.0,
        against_serial: NOTHING,
        against_threads: None,
        cpu_ratio: NOTHING,
        projection: forecast.free(),
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

/// Blocks without which an interval is what was seen, and proves nothing.
pub const FEWEST_TESTED: usize = 4;

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

fn figures(contender: &Contender, threads: Option<&Contender>, forecast: &Forecast) -> Figures {
    let (samples, baseline) = (&contender.samples, forecast.baseline);
    let of = |of: fn(&Sample) -> f64| Estimate::of(&values(samples, of)).unwrap_or(NOTHING);
    let calls = ratios(samples, baseline, |sample| sample.calls_ns);
    let against_threads = threads
        .and_then(|threads| Estimate::of(&ratios(samples, &threads.samples, |sample| sample.calls_ns)));
    let projection = forecast.of(contender, &calls);
    let helps = projection
        .zip(against_threads)
        .filter(|_| samples.len() >= FEWEST_TESTED)
        .map(|(projection, threads)| projection.speedup.low > 1.0 && threads.high < 1.0);
    Figures {
        blocks: samples.len(),
        wall_ns: of(|sample| sample.wall_ns),
        calls_ns: of(|sample| sample.calls_ns),
        cpu_ns: of(|sample| sample.cpu_ns),
        switches: median(&values(samples, |sample| sample.switches)),
        against_serial: Estimate::of(&calls).unwrap_or(NOTHING),
        against_threads,
        cpu_ratio: Estimate::of(&ratios(samples, baseline, |sample| sample.cpu_ns)).unwrap_or(NOTHING),
        projection,
        helps,
    }
}
