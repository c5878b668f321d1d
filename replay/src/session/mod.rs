//! A replay from beginning to end, on a thread of its own that can do no harm.
//!
//! ```text
//! thread: no more writing ──> rehearsal ──> reading only what passed ──> engines made ──> blocks ──> outcome
//! ```

mod costs;
mod outcome;
mod overhead;
#[cfg(test)]
mod tests;

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

pub use costs::Costs;
pub use outcome::{Coverage, Outcome, Progress, ScratchTree};
use outcome::{coverage, reasons};
pub use overhead::overhead;

use crate::ReplayError;
use crate::engine::{Engine, Kit, Pollution, Strategy, Without, make, missed_directories};
use crate::graph::{Graph, Lookahead};
use crate::guard::{Guard, forbid_writing};
use crate::measure::{
    Bench, Cache, Cached, Contender, Context, Estimate, Gate, Options, RecordedTimes, Rest, Threaded,
    Unsteady, middle, place_matters, rows,
};
use crate::plan::{Call, CallId, Plan};
use crate::program::Program;
use crate::rehearse::{Difference, Rehearsed, allow_listing, rehearse};
use crate::run::Run;
use crate::schedule::Schedule;
use crate::sys::cache::DropCaches;
use crate::sys::files::go_alone_to;
use crate::sys::punts::Punts;
use crate::sys::ring;
use crate::sys::usage::raise_descriptor_limit;

/// Descriptors left to everything else in the process.
const RESERVED_DESCRIPTORS: usize = 256;

/// Replays a plan and compares strategies. `progress` is called from the replaying thread, which can
/// write to what is open already and to nothing else.
///
/// The calling process's limit of open descriptors is raised to what it may be; nothing else of it
/// changes.
pub fn replay(
    plan: Plan,
    options: &Options,
    progress: impl FnMut(Progress) + Send,
) -> Result<Outcome, ReplayError> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("replay".into());
        let thread = thread
            .spawn_scoped(scope, || Session::begin(plan, options, progress)?.finish())
            .map_err(ReplayError::io("the replaying thread could not be started"))?;
        thread.join().map_err(|_| ReplayError::Panicked)?
    })
}

/// Goes to the directory that the program was in, so that its relative paths are looked up here as they were there. Where that cannot be,
/// and from other directories, they start from a descriptor.
fn stand_where_paths_start(run: Run) -> Run {
    let Some((here, path)) = run.program.home() else { return run };
    match go_alone_to(run.program.plan.paths.c_str(path)) {
        Ok(()) => run.standing_in(here),
        Err(_) => run,
    }
}

pub(crate) struct Session<'a, P> {
    options: &'a Options,
    progress: P,
    program: Arc<Program>,
    differences: Vec<Difference>,
    guard: Guard,
    scratch: Option<ScratchTree>,
    no_ring: Option<String>,
    think: Option<Vec<u64>>,
    graphs: FxHashMap<Lookahead, Arc<Graph>>,
    budget: usize,
    bench: Bench,
}

/// What needs rights that a replay gives up.
pub(crate) struct Prepared {
    limit: usize,
    punts: Option<Punts>,
    drop_caches: Option<DropCaches>,
    no_ring: Option<String>,
    began: Unsteady,
}

impl Prepared {
    pub(crate) fn new(options: &Options) -> Result<Self, ReplayError> {
        let began = Unsteady::since_now();
        let limit = raise_descriptor_limit().map_err(ReplayError::io("the limit of descriptors"))?;
        let drop_caches = match options.cache {
            Cache::Dropped => {
                let tried = "the caches cannot be dropped (that needs root; cold pages do not)";
                Some(DropCaches::new().map_err(ReplayError::io(tried))?)
            }
            Cache::Warm | Cache::ColdPages => None,
        };
        Ok(Self { limit, punts: Punts::new().ok(), drop_caches, no_ring: ring::probe().err(), began })
    }

    /// How many descriptors a replay may have open.
    pub(crate) fn most_open(&self) -> usize {
        most_open(self.limit)
    }
}

/// How many descriptors a replay may have open, where there may be so many for all.
pub(crate) fn most_open(limit: usize) -> usize {
    limit.saturating_sub(RESERVED_DESCRIPTORS).max(RESERVED_DESCRIPTORS)
}

impl<'a, P: FnMut(Progress)> Session<'a, P> {
    /// What needs rights comes before they are given up; then the rehearsal.
    fn begin(plan: Plan, options: &'a Options, mut progress: P) -> Result<Self, ReplayError> {
        let prepared = Prepared::new(options)?;
        let guard = forbid_writing()?;
        progress(Progress::Rehearsing);
        let Rehearsed { program, differences, mut readable, files } =
            rehearse(plan, guard, options.cache == Cache::ColdPages)?;
        for directory in missed_directories(&program) {
            allow_listing(&directory, &mut readable)?;
        }
        readable.enforce()?;
        // What opens a working directory is executed, but is no call of the log.
        if coverage(&program).replayed == 0 {
            return Err(ReplayError::NothingToReplay(reasons(&program)));
        }
        let run = stand_where_paths_start(Run::new(Arc::new(program)));
        Ok(Self::new(options, prepared, run, files, (differences, guard, None), progress))
    }

    /// In a scratch tree, by a process that is confined to it.
    pub(crate) fn in_tree(
        options: &'a Options,
        prepared: Prepared,
        run: Run,
        differences: Vec<Difference>,
        guard: Guard,
        tree: ScratchTree,
        progress: P,
    ) -> Result<Self, ReplayError> {
        if coverage(&run.program).replayed == 0 {
            return Err(ReplayError::NothingToReplay(reasons(&run.program)));
        }
        Ok(Self::new(options, prepared, run, Vec::new(), (differences, guard, Some(tree)), progress))
    }

    fn new(
        options: &'a Options,
        prepared: Prepared,
        run: Run,
        files: Vec<OwnedFd>,
        (differences, guard, scratch): (Vec<Difference>, Guard, Option<ScratchTree>),
        progress: P,
    ) -> Self {
        let Prepared { limit, punts, drop_caches, no_ring, began } = prepared;
        let unsteady = if scratch.is_some() { Unsteady::never() } else { began };
        let run = Arc::new(run);
        let program = Arc::clone(&run.program);
        let budget = most_open(limit.saturating_sub(files.len()));
        // Of writes nobody can ask.
        let reads_only = scratch.is_none() && options.cache == Cache::Warm;
        let asks = reads_only && punts.is_none() && no_ring.is_none();
        let cached = asks.then(|| Cached::of(&run)).flatten();
        let other_work = Pollution::new(options.cache == Cache::Warm);
        let cache = options.cache;
        let bench = Bench { run, cache, files, drop_caches, punts, cached, unsteady, other_work };
        let think = program.think_ns();
        let graphs = FxHashMap::default();
        Self {
            options,
            progress,
            program,
            differences,
            guard,
            scratch,
            no_ring,
            think,
            graphs,
            budget,
            bench,
        }
    }

    pub(crate) fn finish(mut self) -> Result<Outcome, ReplayError> {
        let (mut contenders, unavailable) = self.contenders();
        let progress = &mut self.progress;
        self.bench.measure(&mut contenders, self.options, |done, of| {
            progress(Progress::Measuring { done, of });
        })?;
        let mut unavailable = unavailable;
        let longest = self.options.longest_run();
        let reason = format!("a run takes more than {longest:.1?}, too long for the time there is");
        contenders.retain(|contender| {
            unavailable.extend(contender.too_long.then(|| (contender.strategy, reason.clone())));
            !contender.too_long
        });
        for contender in &mut contenders {
            self.place(contender)?;
        }
        let (recorded_ns, gate) = self.recorded(&contenders);
        let program = &self.program;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let is_replayed = |call: CallId| program.skips[call.index()].is_none();
        let schedule = Schedule::of(&program.plan, cores, is_replayed);
        let context = Context {
            wall_ns: &self.options.wall_ns,
            recorded_ns,
            schedule: schedule.as_ref(),
            logged_ns: program.recorded_ns().unwrap_or(0) as f64,
            rest: self.rest(),
            gate,
        };
        let free = self.options.strategies.contains(&Strategy::Free);
        let (rows, cost_source) = rows(&contenders, free, &context);
        drop(contenders);
        let logged_ns = span_ns(&self.program.plan.calls);
        let costs = self.costs()?;
        let unsteady = self.bench.unsteady.calls(&self.program);
        Ok(Outcome {
            coverage: coverage(&self.program),
            differences: self.differences,
            guard: self.guard,
            scratch: self.scratch,
            no_ring: self.no_ring,
            unavailable,
            unsteady,
            rows,
            cost_source,
            gate,
            logged_ns,
            threaded: schedule.as_ref().and_then(Threaded::of),
            costs,
            cache: self.options.cache,
            program: self.program,
        })
    }

    /// What a strategy takes where its threads are put on processors, if that matters to what it is projected to.
    fn place(&mut self, contender: &mut Contender) -> Result<(), ReplayError> {
        if !place_matters(contender, self.options.cache) || self.options.wall_ns.is_empty() {
            return Ok(());
        }
        let strategy = contender.strategy;
        let Some(graph) = self.graphs.get(&Lookahead::ALL).cloned() else { return Ok(()) };
        let program = Arc::clone(&self.program);
        let engine = || {
            let mut graph = |_| Arc::clone(&graph);
            make(
                strategy,
                &mut Kit { program: &program, graph: &mut graph, shares_blocks: false, think: None },
            )
        };
        contender.placed_ns = self.bench.placed(strategy, &engine)?;
        Ok(())
    }

    /// An engine for each strategy that can be measured, the baseline first.
    fn contenders(&mut self) -> (Vec<Contender>, Vec<(Strategy, String)>) {
        let mut strategies = self.options.strategies.clone();
        if !strategies.contains(&Strategy::Serial) {
            strategies.insert(0, Strategy::Serial);
        }
        let (mut contenders, mut unavailable) = (Vec::new(), Vec::new());
        for strategy in strategies {
            if let Some(reason) = self.no_ring.as_ref().filter(|_| strategy.needs_ring()) {
                unavailable.push((strategy, format!("io_uring is {reason}")));
                continue;
            }
            let begin = Instant::now();
            match self.engine(strategy) {
                Ok((Some(engine), graphs)) => {
                    let setup = begin.elapsed().saturating_sub(graphs);
                    contenders.push(Contender::new(strategy, engine, setup));
                }
                Ok((None, _)) if strategy == Strategy::Free => {}
                Ok((None, _)) => unavailable.push((strategy, self.no_pauses().to_owned())),
                Err(error) => unavailable.push((strategy, error.to_string())),
            }
        }
        (contenders, unavailable)
    }

    /// Why there is no think time.
    fn no_pauses(&self) -> &'static str {
        match self.program.recorded_ns() {
            None => "the log has no times",
            Some(_) => "the program's pauses are too long to be waited for in each run",
        }
    }

    /// An engine, and how long its graph took, which is no part of its set-up.
    fn engine(&mut self, strategy: Strategy) -> std::io::Result<(Option<Box<dyn Engine>>, Duration)> {
        let Self { program, graphs, budget, think, bench, .. } = self;
        let shares_blocks = strategy == Strategy::Fewer(Without::CopiedBlocks) && bench.run.shares_blocks();
        let mut planning = Duration::ZERO;
        let mut graph = |lookahead| {
            let begin = Instant::now();
            let new = || Arc::new(Graph::new(program, lookahead, *budget));
            let graph = Arc::clone(graphs.entry(lookahead).or_insert_with(new));
            planning = begin.elapsed();
            graph
        };
        let think = think.as_deref();
        let engine = make(strategy, &mut Kit { program, graph: &mut graph, shares_blocks, think })?;
        Ok((engine, planning))
    }

    /// What the calls cost in the program, if the log knows, and how the replay compares.
    fn recorded(&self, contenders: &[Contender]) -> (Option<Vec<[f64; 2]>>, Option<Gate>) {
        let (probe_ns, most_probe_ns, are_costs) = match self.options.recorded {
            RecordedTimes::Unusable => return (None, None),
            RecordedTimes::Estimates { probe_ns, most_probe_ns } => (probe_ns, most_probe_ns, false),
            RecordedTimes::Costs { probe_ns, most_probe_ns } => (probe_ns, most_probe_ns, true),
        };
        let Some(total) = self.program.recorded_ns() else { return (None, None) };
        let replayed = coverage(&self.program).replayed as f64;
        // Nobody knows whether what recording did besides lies in the calls.
        let share = if are_costs { self.share_untraced() } else { 1.0 };
        let [in_program_least_ns, in_program_ns] = [(most_probe_ns.max(probe_ns), share), (probe_ns, 1.0)]
            .map(|(each, share)| (total as f64 - each * replayed).max(0.0) * share);
        let thinking = contenders
            .iter()
            .find(|contender| contender.strategy == Strategy::Thinking { disturb: true })
            .filter(|thinking| thinking.voided.is_none());
        let runs = &self.options.runs[..];
        let [low, high] = middle(runs).unwrap_or([1.0; 2]);
        let gate = thinking.and_then(Contender::median_calls_ns).map(|replayed_ns| Gate {
            in_program_ns: in_program_ns * high,
            in_program_least_ns: in_program_least_ns * low,
            runs: runs.len().max(1),
            replayed_ns,
        });
        let of_runs = if runs.is_empty() { &[1.0] } else { runs };
        let bounds = of_runs.iter().map(|run| [in_program_least_ns * run, in_program_ns * run]);
        (are_costs.then(|| bounds.collect()), gate)
    }

    /// What the program does beside the calls, as far as the log tells: of several threads more than the time between the first call and
    /// the last, which is nothing then.
    fn rest(&self) -> Rest {
        let plan = &self.program.plan;
        match (self.program.recorded_ns(), span_ns(&plan.calls)) {
            // Where nobody knows what recording added, all pauses may be that.
            (Some(calls_ns), Some(span_ns)) if self.options.added_ns > 0.0 => {
                let added_ns = self.options.added_ns * plan.calls.len() as f64;
                let pauses_ns = (span_ns - added_ns - calls_ns as f64).max(0.0);
                Rest { pauses_ns, share: pauses_ns / (pauses_ns + calls_ns as f64).max(1.0) }
            }
            _ => Rest::default(),
        }
    }

    /// Of what the log has as the program's time, less what recording is known to add, the part that there was without recording. The rest
    /// is what recording does besides (it takes the caches), which the calls may have their share of. 1 for several threads, whose
    /// times do not add up.
    fn share_untraced(&self) -> f64 {
        let plan = &self.program.plan;
        let wall_ns = Estimate::of(&self.options.wall_ns).map(|wall| wall.median);
        match (wall_ns, span_ns(&plan.calls)) {
            (Some(wall_ns), Some(span_ns)) if plan.threads.len() == 1 => {
                share_untraced(wall_ns, span_ns, self.options.added_ns * plan.calls.len() as f64)
            }
            _ => 1.0,
        }
    }
}

/// From the first call of a log to the end of its last; `None` without times.
fn span_ns(calls: &[Call]) -> Option<f64> {
    let times = calls.iter().filter(|call| call.start_ns != Call::NO_TIME);
    let (first, last) =
        times.fold((u64::MAX, 0), |(first, last), call| (first.min(call.start_ns), last.max(call.end_ns)));
    last.checked_sub(first).map(|span| span as f64)
}

fn share_untraced(wall_ns: f64, span_ns: f64, added_ns: f64) -> f64 {
    let own_ns = span_ns - added_ns;
    if added_ns > 0.0 && own_ns > wall_ns { wall_ns / own_ns } else { 1.0 }
}
