//! Taking times: blocks of runs, one strategy after the other in random order.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::bootstrap::median;
use super::cached::Cached;
use super::options::{Cache, Options};
use super::unsteady::Unsteady;
use super::voided::Voided;
use crate::ReplayError;
use crate::engine::{Counts, Engine, Pollution, Strategy};
use crate::graph::Lookahead;
use crate::run::Run;
use crate::sys::cache::{DropCaches, drop_pages};
use crate::sys::punts::Punts;
use crate::sys::usage::Usage;

/// A strategy's share of a block: as many runs as fit, at least one.
const SHARE: Duration = Duration::from_millis(4);
const MOST_RUNS: u32 = 50;
/// Where plain serial calls take so many times longer than a run may, no other way is tried.
const HOPELESS: u32 = 4;

/// What a block gave, a run on average.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sample {
    pub(crate) wall_ns: f64,
    pub(crate) cpu_ns: f64,
    pub(crate) switches: f64,
    /// Time within the calls: the engine's own figure, or the wall time.
    pub(crate) calls_ns: f64,
    /// The same right after other work has had the processor's caches; as above where that is not measured.
    pub(crate) calls_after_work_ns: f64,
}

/// Block by block, so that drift of the machine falls out.
pub(super) fn ratios(samples: &[Sample], to: &[Sample], of: impl Fn(&Sample) -> f64) -> Vec<f64> {
    samples.iter().zip(to).map(|(sample, to)| of(sample) / of(to).max(1.0)).collect()
}

/// A strategy that takes part.
pub(crate) struct Contender {
    pub(crate) strategy: Strategy,
    pub(crate) engine: Box<dyn Engine>,
    /// What making the engine took: rings, threads, buffers.
    pub(crate) setup_ns: u64,
    pub(crate) samples: Vec<Sample>,
    pub(crate) counts: Counts,
    pub(crate) punts: Option<u64>,
    pub(crate) punts_at_least: Option<u64>,
    pub(crate) voided: Option<Voided>,
    /// So many runs as are needed do not fit into the time there is.
    pub(crate) too_long: bool,
    /// Time within the calls where its threads are put on one processor, and on several, at least and at most: what is known of that.
    pub(crate) placed_ns: Vec<f64>,
    runs_a_block: u32,
    /// It is quick enough for what another strategy left in the processor's caches to matter.
    is_quick: bool,
}

impl Contender {
    pub(crate) fn new(strategy: Strategy, engine: Box<dyn Engine>, setup: Duration) -> Self {
        Self {
            strategy,
            engine,
            setup_ns: setup.as_nanos() as u64,
            samples: Vec::new(),
            counts: Counts::default(),
            punts: None,
            punts_at_least: None,
            voided: None,
            too_long: false,
            placed_ns: Vec::new(),
            runs_a_block: 1,
            is_quick: false,
        }
    }

    /// Time within the calls, the median of the blocks.
    pub(crate) fn median_calls_ns(&self) -> Option<f64> {
        let calls: Vec<f64> = self.samples.iter().map(|sample| sample.calls_ns).collect();
        (!calls.is_empty()).then(|| median(&calls))
    }
}

/// What runs need besides an engine.
pub(crate) struct Bench {
    pub(crate) run: Arc<Run>,
    pub(crate) cache: Cache,
    /// Files whose pages are dropped before a run.
    pub(crate) files: Vec<OwnedFd>,
    pub(crate) drop_caches: Option<DropCaches>,
    pub(crate) punts: Option<Punts>,
    /// What rings hand over at least, where they are not counted.
    pub(crate) cached: Option<Cached>,
    /// Calls that somebody else's changes have made useless for verification.
    pub(crate) unsteady: Unsteady,
    pub(crate) other_work: Pollution,
}

impl Bench {
    /// Each strategy once, to learn how long it takes and what it does; then blocks until time or number is reached.
    pub(crate) fn measure(
        &mut self,
        contenders: &mut [Contender],
        options: &Options,
        mut progress: impl FnMut(usize, usize),
    ) -> Result<(), ReplayError> {
        let longest = options.longest_run();
        let mut hopeless = false;
        for contender in &mut *contenders {
            if hopeless {
                contender.too_long = true;
                continue;
            }
            let took = self.warm_up(contender, longest)?;
            hopeless = contender.strategy == Strategy::Serial && took > longest * HOPELESS;
        }
        let begin = Instant::now();
        let mut random = fastrand::Rng::new();
        let mut order: Vec<usize> = (0..contenders.len()).collect();
        for block in 0..options.blocks {
            if block >= Options::LEAST_BLOCKS && begin.elapsed() > options.time {
                break;
            }
            progress(block, options.blocks);
            random.shuffle(&mut order);
            for &index in &order {
                self.block(&mut contenders[index])?;
            }
        }
        Ok(())
    }

    /// A run with the workers' tasks counted, which costs time; then, unless that was long, one that tells how many fit
    /// into a block.
    fn warm_up(&mut self, contender: &mut Contender, longest: Duration) -> Result<Duration, ReplayError> {
        self.make_ready(&mut *contender.engine)?;
        if let Some(punts) = self.punts.as_ref().filter(|_| contender.strategy.needs_ring()) {
            punts.begin();
        }
        let begin = Instant::now();
        contender.counts = run(contender, &self.run)?;
        let took = begin.elapsed();
        if let Some(punts) = self.punts.as_ref().filter(|_| contender.strategy.needs_ring()) {
            contender.punts = punts.end();
        }
        let (strategy, counts) = (contender.strategy, contender.counts);
        contender.punts_at_least = self.cached.and_then(|cached| cached.at_least(strategy, counts));
        self.verify(contender)?;
        contender.too_long = contender.strategy != Strategy::Serial && took > longest;
        if took > SHARE {
            return Ok(took);
        }
        contender.is_quick = true;
        let sample = self.timed(contender)?;
        let fit = SHARE.as_nanos() as f64 / sample.wall_ns.max(1.0);
        let most = if self.cache == Cache::Warm { f64::from(MOST_RUNS) } else { 1.0 };
        contender.runs_a_block = fit.clamp(1.0, most) as u32;
        Ok(took)
    }

    fn block(&mut self, contender: &mut Contender) -> Result<(), ReplayError> {
        if contender.voided.is_some() || contender.too_long {
            return Ok(());
        }
        if contender.is_quick && self.cache == Cache::Warm {
            // Warm is after itself: the one before may have used other processors.
            self.timed(contender)?;
        }
        let mut sum = Sample::default();
        for _ in 0..contender.runs_a_block {
            let sample = self.timed(contender)?;
            sum.wall_ns += sample.wall_ns;
            sum.cpu_ns += sample.cpu_ns;
            sum.switches += sample.switches;
            sum.calls_ns += sample.calls_ns;
        }
        let calls_after_work_ns = self.after_work(contender)?;
        let runs = f64::from(contender.runs_a_block);
        contender.samples.push(Sample {
            wall_ns: sum.wall_ns / runs,
            cpu_ns: sum.cpu_ns / runs,
            switches: sum.switches / runs,
            calls_ns: sum.calls_ns / runs,
            calls_after_work_ns: calls_after_work_ns.unwrap_or(sum.calls_ns / runs),
        });
        Ok(())
    }

    /// The time of calls that are made together, as a program finds the caches that does something else before: nothing of the
    /// calls is left in those of the processor that it runs on. `None`: not warm, or too long for that to matter.
    fn after_work(&mut self, contender: &mut Contender) -> Result<Option<f64>, ReplayError> {
        let are_together = contender.strategy.lookahead() == Lookahead::ALL;
        if !(are_together && contender.is_quick && self.cache == Cache::Warm) {
            return Ok(None);
        }
        self.timed_after(contender, Pollution::evict).map(|sample| Some(sample.calls_ns))
    }

    fn timed(&mut self, contender: &mut Contender) -> Result<Sample, ReplayError> {
        self.timed_after(contender, |_| ())
    }

    fn timed_after(
        &mut self,
        contender: &mut Contender,
        work: impl FnOnce(&mut Pollution),
    ) -> Result<Sample, ReplayError> {
        self.make_ready(&mut *contender.engine)?;
        work(&mut self.other_work);
        let before = Usage::now();
        let begin = Instant::now();
        let counts = run(contender, &self.run)?;
        let wall_ns = begin.elapsed().as_nanos() as f64;
        let usage = Usage::now().since(before);
        self.verify(contender)?;
        let calls_ns = counts.calls_ns.map_or(wall_ns, |ns| ns as f64);
        Ok(Sample {
            wall_ns,
            cpu_ns: usage.cpu_ns as f64,
            switches: usage.switches as f64,
            calls_ns,
            calls_after_work_ns: calls_ns,
        })
    }

    /// Brings everything to where a run begins.
    pub(crate) fn make_ready(&mut self, engine: &mut dyn Engine) -> Result<(), ReplayError> {
        self.run.reset().map_err(ReplayError::io("the files could not be put back as they were"))?;
        engine.prepare().map_err(ReplayError::io("a strategy could not be prepared"))?;
        match (self.cache, &mut self.drop_caches) {
            (Cache::ColdPages, _) => self.files.iter().for_each(drop_pages),
            (Cache::Dropped, Some(caches)) => {
                caches.empty().map_err(ReplayError::io("the caches could not be dropped"))?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether a call of the last run came to something else than it had to, somebody else's changes aside.
    pub(super) fn is_wrong(&mut self) -> bool {
        let Self { run, unsteady, .. } = self;
        run.mismatches().any(|(step, observed)| !unsteady.excuses(&run.program, step, observed))
    }

    fn verify(&mut self, contender: &mut Contender) -> Result<(), ReplayError> {
        let Self { run, unsteady, .. } = self;
        let mut wrong =
            run.mismatches().filter(|&(step, observed)| !unsteady.excuses(&run.program, step, observed));
        if let Some((step, observed)) = wrong.next() {
            let calls = 1 + wrong.count();
            contender.voided.get_or_insert_with(|| Voided::new(&run.program, step, observed, calls));
        } else if contender.voided.is_none() {
            let wrong = run.wrong_file(contender.engine.shares_files());
            let wrong = wrong.map_err(ReplayError::io("the files could not be looked at"))?;
            contender.voided = wrong.map(|path| Voided::of_tree(&path));
        }
        Ok(())
    }
}

fn run(contender: &mut Contender, run: &Arc<Run>) -> Result<Counts, ReplayError> {
    contender.engine.run(run).map_err(ReplayError::io("a strategy failed"))
}
