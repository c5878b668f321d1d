//! What a replay says: its figures as plain values, and the verdict in one word.
//!
//! The measuring is done by `trace_replay`; here its outcome is put beside what the log says of the program.

use serde::Serialize;
use trace_replay::{
    CallId, CostSource, Estimate, Figures, Gate, Guard, Op, Outcome, PathId, Plan, Projection, Skip,
    Strategy, Voided,
};

use super::text::Text;

/// Calls with other results than in the log that are shown.
const MOST_DIFFERENCES: usize = 5;
const ENOENT: i64 = -2;

/// What is known of the program and its log beside the replay.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Known {
    /// The command of the log.
    pub command: Vec<String>,
    /// What recorded it.
    pub backend: String,
    /// The program's untraced wall time, and where it is known from.
    pub wall: Option<KnownWall>,
    /// Events of the log that are missing; `None`: nobody knows how many.
    pub lost: Option<u64>,
    /// Calls that cannot be what the log says, by reason.
    pub refused: Vec<Reason>,
    /// The program used a ring of its own, whose operations are in no log.
    pub uses_io_uring: bool,
    /// The strategies that were asked for.
    pub asked: Vec<Strategy>,
    /// Others were measured beside them, for a plot.
    pub plots: bool,
}

/// The program's wall time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct KnownWall {
    /// Median, in nanoseconds.
    pub ns: f64,
    /// How many untraced runs it is from; 0: it was given.
    pub runs: usize,
}

/// A replay, summed up.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Replay {
    /// The command of the log.
    pub command: Vec<String>,
    /// What recorded it.
    pub backend: String,
    /// What the caches held.
    pub cache: &'static str,
    /// Whether the kernel confined the replay (Landlock, or namespaces).
    pub confined: bool,
    /// The scratch tree that it ran in, if it made the calls that write.
    pub scratch: Option<Tree>,
    /// What was replayed.
    pub coverage: Coverage,
    /// The program's untraced wall time, if it is known: without it there is no projection.
    pub wall: Option<KnownWall>,
    /// Where the cost of the calls in the program is taken from: `recorded`, `think_time` or `loop`.
    pub cost_source: &'static str,
    /// The replay's cost of the calls against the program's own, where the log has times.
    pub gate: Option<Believed>,
    /// Of a program with several threads whose log has times: what its schedule is made again from.
    pub threads: Option<Threads>,
    /// Why there is no ring.
    pub no_ring: Option<String>,
    /// Strategies that could not be measured.
    pub unavailable: Vec<Unavailable>,
    /// A row a strategy.
    pub rows: Vec<Row>,
    /// What a plot has: rows that differ in how many calls may be under way together, some of `rows` among them.
    pub sweep: Vec<Row>,
    /// What it comes to, for the program as it is: with a lookahead of 1, if such rings were measured.
    pub verdict: Verdict,
    /// The best row of the rings with a larger lookahead: a bound for a program that knows its next calls.
    pub bound: Option<usize>,
    /// The most that could be saved.
    pub ceiling: Option<Ceiling>,
}

/// A scratch tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tree {
    /// The type of its file system.
    pub file_system: String,
    /// The type of the file system that the log's own files were made on, as far as it is here.
    pub original: Option<String>,
    /// Files, directories and links in it before each run.
    pub entries: usize,
    /// Bytes of contents; files that are not read have a size only.
    pub bytes: u64,
    /// What confined the replay to it: `namespaces` or `landlock`.
    pub confined_by: &'static str,
}

impl Tree {
    fn of(tree: &trace_replay::ScratchTree, guard: Guard) -> Self {
        Self {
            file_system: tree.file_system.clone(),
            original: tree.original.clone(),
            entries: tree.entries,
            bytes: tree.bytes,
            confined_by: if guard == Guard::Namespaces { "namespaces" } else { "landlock" },
        }
    }
}

/// What was replayed, and what not.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Coverage {
    /// Calls of the log.
    pub calls: usize,
    /// Those that have to do with files.
    pub file_system_calls: usize,
    /// Calls replayed.
    pub replayed: usize,
    /// As a part of the file-system calls.
    pub share: f64,
    /// Of the calls that could be made here, those with the log's result.
    pub fidelity: f64,
    /// Why calls of the file system are not replayed, most first.
    pub not_replayed: Vec<Reason>,
    /// Why others are not.
    pub not_counted: Vec<Reason>,
    /// Calls that cannot be what the log says.
    pub refused: Vec<Reason>,
    /// The first calls that have another result here.
    pub differences: Vec<Differing>,
    /// Calls whose file was changed by somebody else meanwhile, so that only their success was verified.
    pub unsteady: usize,
    /// The first of them.
    pub unsteady_calls: Vec<Text>,
    /// Events of the log that are missing; `None`: nobody knows how many.
    pub lost: Option<u64>,
    /// The program used a ring of its own, whose operations are in no log.
    pub uses_io_uring: bool,
}

/// A reason, and how many calls it holds for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// In a few words.
    pub reason: String,
    /// Calls.
    pub calls: u64,
}

/// A call with another result here than in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Differing {
    /// The call and its path.
    pub call: Text,
    /// What differs.
    pub what: &'static str,
    /// What the log says it returned.
    pub recorded: i64,
    /// What it returned here.
    pub here: Option<i64>,
}

/// A strategy that could not be measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unavailable {
    /// Which.
    pub strategy: String,
    /// Why.
    pub reason: String,
}

/// A median and its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Range {
    /// Median.
    pub median: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl From<Estimate> for Range {
    fn from(estimate: Estimate) -> Self {
        Self { median: estimate.median, low: estimate.low, high: estimate.high }
    }
}

/// One strategy.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// Its name.
    pub strategy: String,
    /// How many calls of a thread may be under way together; `None`: all. Above 1 it is a bound, for a program
    /// does not know its future.
    pub lookahead: Option<u32>,
    /// How many calls may be under way together, for all threads of the program: threads, or the depth of a ring.
    pub at_once: Option<u32>,
    /// The way of making calls, whatever their number: what a plot has as one line.
    pub way: &'static str,
    /// It uses a ring.
    pub ring: bool,
    /// Its figures; `None`: void, or nothing was run.
    pub measured: Option<Measured>,
    /// Why its times are void.
    pub void: Option<Differing>,
    /// The program's wall time with it.
    pub projection: Option<Projected>,
    /// Whether it surely helps: the program is faster, and threads do not do as well. `None`: not known.
    pub helps: Option<bool>,
}

/// A strategy's figures, each of one run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Measured {
    /// Blocks of runs they are from.
    pub blocks: usize,
    /// Wall time, in nanoseconds.
    pub wall_ns: Range,
    /// Time within the calls, in nanoseconds.
    pub calls_ns: Range,
    /// Against plain serial calls; below 1 is faster.
    pub against_serial: Range,
    /// Against the best of threads with plain calls.
    pub against_threads: Option<Range>,
    /// CPU time against plain serial calls.
    pub cpu_ratio: Range,
    /// System calls made.
    pub kernel_entries: u64,
    /// Operations given to a ring.
    pub submissions: u64,
    /// Those that the kernel handed to worker threads, where that is known.
    pub punts: Option<u64>,
    /// That many at least, where it is not known.
    pub punts_at_least: Option<u64>,
    /// Operations that stand in for calls a ring has none for.
    pub stand_ins: u64,
    /// Context switches.
    pub switches: f64,
    /// What setting it up takes, in nanoseconds, which is not in the other times.
    pub setup_ns: u64,
}

/// A projection from the replay to the program.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Projected {
    /// Its wall time, in nanoseconds.
    pub wall_ns: Range,
    /// How many times as fast.
    pub speedup: Range,
    /// No program can be expected to reach it, let alone do better: it would have to know its next calls, and its threads
    /// to be on CPUs of their own from the first moment.
    pub bound: bool,
}

impl Projected {
    fn of(projection: Projection, strategy: Strategy) -> Self {
        Self {
            wall_ns: projection.wall_ns.into(),
            speedup: projection.speedup.into(),
            bound: strategy.lookahead().window() != Some(1),
        }
    }
}

/// The replay's cost of the calls, and the program's own.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Believed {
    /// In the program, in nanoseconds, at most.
    pub in_program_ns: f64,
    /// At least.
    pub in_program_least_ns: f64,
    /// Here, in nanoseconds.
    pub replayed_ns: f64,
    /// Whether they are near enough for projections to be believed.
    pub passed: bool,
}

impl From<Gate> for Believed {
    fn from(gate: Gate) -> Self {
        Self {
            in_program_ns: gate.in_program_ns,
            in_program_least_ns: gate.in_program_least_ns,
            replayed_ns: gate.replayed_ns,
            passed: gate.is_passed(),
        }
    }
}

/// How well the threads of a log are understood, on which projections rest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Threads {
    /// Threads that did something.
    pub threads: usize,
    /// Processors that they are scheduled on.
    pub cores: usize,
    /// What the log took, in nanoseconds.
    pub logged_ns: f64,
    /// What the schedule takes with the log's own times.
    pub scheduled_ns: f64,
    /// Whether they are near enough for projections to be believed.
    pub passed: bool,
}

impl From<trace_replay::Threaded> for Threads {
    fn from(threaded: trace_replay::Threaded) -> Self {
        let trace_replay::Threaded { threads, cores, logged_ns, scheduled_ns } = threaded;
        Self { threads, cores, logged_ns, scheduled_ns, passed: threaded.is_passed() }
    }
}

/// What a replay comes to.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Verdict {
    /// No ring was measured.
    NoRing,
    /// The best of the rings takes longer than plain calls.
    Slower {
        /// The best row of the rings.
        row: usize,
        /// The part of its operations that went to workers.
        punted: Option<f64>,
    },
    /// It takes as long, as far as can be seen.
    Alike {
        /// The best row of the rings.
        row: usize,
    },
    /// It takes less time, but so do threads with plain calls.
    AsThreads {
        /// The best row of the rings.
        row: usize,
    },
    /// It takes less time, and less than threads.
    Faster {
        /// The best row of the rings.
        row: usize,
    },
}

/// What there is to be saved at most.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Ceiling {
    /// If the replayed calls cost nothing: this part of the wall time.
    pub calls: f64,
    /// The upper end of its 95 % interval.
    pub calls_at_most: f64,
    /// The part of it that lookups of names that are not there have.
    pub misses: f64,
    /// How many those are.
    pub missed: u64,
}

impl Replay {
    /// Sums up.
    #[must_use]
    pub fn of(outcome: &Outcome, known: Known) -> Self {
        let plan = outcome.plan();
        // Nothing was run for the ceiling: without a projection its row is empty.
        let is_said = |row: &&trace_replay::Row| {
            (row.strategy != Strategy::Free || known.wall.is_some()) && is_asked(row.strategy, &known)
        };
        let rows: Vec<Row> = outcome.rows.iter().filter(is_said).map(|row| row_of(row, plan)).collect();
        let is_swept = |row: &&trace_replay::Row| at_once(row.strategy).is_some();
        let swept = outcome.rows.iter().filter(|_| known.plots).filter(is_swept);
        let sweep = swept.map(|row| row_of(row, plan)).filter(|row| row.lookahead.is_none()).collect();
        Self {
            cache: outcome.cache.method(),
            confined: outcome.guard != Guard::None,
            scratch: outcome.scratch.as_ref().map(|tree| Tree::of(tree, outcome.guard)),
            cost_source: match outcome.cost_source {
                CostSource::Recorded => "recorded",
                CostSource::ThinkTime => "think_time",
                CostSource::Loop => "loop",
            },
            gate: outcome.gate.map(Believed::from),
            threads: outcome.threaded.map(Threads::from),
            no_ring: outcome.no_ring.clone(),
            unavailable: outcome.unavailable.iter().map(unavailable).collect(),
            verdict: verdict(&rows),
            bound: best_ring(&rows, |row| row.lookahead != Some(1)).map(|(row, _)| row),
            ceiling: known.wall.and_then(|wall| ceiling(outcome, wall)),
            wall: known.wall,
            coverage: coverage(outcome, &known),
            rows,
            sweep,
            command: known.command,
            backend: known.backend,
        }
    }
}

fn coverage(outcome: &Outcome, known: &Known) -> Coverage {
    let plan = outcome.plan();
    let coverage = &outcome.coverage;
    let reasons = |of_files: bool| -> Vec<Reason> {
        let chosen = coverage.skipped.iter().filter(|(skip, _)| skip.is_file_system_call() == of_files);
        chosen.map(reason).collect()
    };
    let differing = |difference: &trace_replay::Difference| Differing {
        call: describe(plan, difference.call),
        what: difference.what.name(),
        recorded: difference.recorded,
        here: Some(difference.here),
    };
    Coverage {
        calls: coverage.calls,
        file_system_calls: coverage.file_system_calls,
        replayed: coverage.replayed,
        share: coverage.share(),
        fidelity: coverage.fidelity(),
        not_replayed: reasons(true),
        not_counted: reasons(false),
        refused: known.refused.clone(),
        differences: outcome.differences.iter().take(MOST_DIFFERENCES).map(differing).collect(),
        unsteady: outcome.unsteady.len(),
        unsteady_calls: outcome
            .unsteady
            .iter()
            .take(MOST_DIFFERENCES)
            .map(|call| describe(plan, *call))
            .collect(),
        lost: known.lost,
        uses_io_uring: known.uses_io_uring,
    }
}

fn reason((skip, calls): &(Skip, usize)) -> Reason {
    Reason { reason: skip.reason().to_owned(), calls: *calls as u64 }
}

fn unavailable((strategy, reason): &(Strategy, String)) -> Unavailable {
    Unavailable { strategy: strategy.to_string(), reason: reason.clone() }
}

/// A call and its path.
fn describe(plan: &Plan, call: CallId) -> Text {
    let (name, path) = match plan.op(call) {
        Some(Op::Open { path, .. }) => ("open", Some(*path)),
        Some(Op::Stat { path, .. }) => ("stat", Some(*path)),
        Some(Op::Access { path, .. }) => ("access", Some(*path)),
        Some(Op::ReadLink { path, .. }) => ("readlink", Some(*path)),
        Some(Op::Chdir { path }) => ("chdir", Some(*path)),
        Some(Op::Fstat { .. }) => ("fstat", None),
        Some(Op::Read { .. } | Op::Pread { .. }) => ("read", None),
        Some(Op::Seek { .. }) => ("lseek", None),
        Some(Op::ListDir { .. }) => ("getdents", None),
        Some(Op::Close { .. } | Op::CloseRange { .. }) => ("close", None),
        Some(Op::Dup { .. } | Op::DupTo { .. }) => ("dup", None),
        Some(Op::Fchdir { .. }) => ("fchdir", None),
        Some(Op::Getcwd) => ("getcwd", None),
        Some(op) if op.changes_files() => changing(op),
        _ => ("call", None),
    };
    let path = path.map_or(&b""[..], |path| plan.path(path));
    Text::from([name.as_bytes(), if path.is_empty() { b"" } else { b" " }, path].concat().as_slice())
}

/// The baseline is measured whatever was asked for.
fn is_asked(strategy: Strategy, known: &Known) -> bool {
    strategy == Strategy::Serial || known.asked.contains(&strategy)
}

/// How many calls may be under way together at most; `None` where that is no choice.
fn at_once(strategy: Strategy) -> Option<u32> {
    match strategy {
        Strategy::Threads { threads, .. } => Some(threads),
        Strategy::Ring { depth, .. }
        | Strategy::Hybrid { depth, .. }
        | Strategy::Chains { depth, .. }
        | Strategy::TokioUring { depth, .. } => Some(depth),
        Strategy::RingOne => Some(1),
        _ => None,
    }
}

fn way(strategy: Strategy) -> &'static str {
    match strategy {
        Strategy::Free => "free",
        Strategy::Serial => "serial",
        Strategy::Thinking { .. } => "serial, think time",
        Strategy::Threads { .. } => "threads",
        Strategy::RingOne | Strategy::Ring { .. } => "ring",
        Strategy::Tuned { .. } => "ring set up otherwise",
        Strategy::Hybrid { .. } => "hybrid",
        Strategy::Chains { .. } => "chains",
        Strategy::Memo { .. } => "each lookup once",
        Strategy::Fewer(_) => "fewer calls",
        Strategy::TokioUring { .. } => "tokio-uring",
        Strategy::TokioBlocking { .. } => "tokio spawn_blocking",
    }
}

/// A call that changes files, and the path it changes.
fn changing(op: &Op) -> (&'static str, Option<PathId>) {
    match *op {
        Op::Write { .. } | Op::Pwrite { .. } => ("write", None),
        Op::Truncate { path, .. } => ("truncate", Some(path)),
        Op::Ftruncate { .. } => ("ftruncate", None),
        Op::Allocate { .. } => ("fallocate", None),
        Op::Rename { from, .. } => ("rename", Some(from)),
        Op::Link { to, .. } => ("link", Some(to)),
        Op::Symlink { path, .. } => ("symlink", Some(path)),
        Op::MakeDir { path, .. } => ("mkdir", Some(path)),
        Op::Unlink { path, flags, .. } if flags & libc::AT_REMOVEDIR as u32 != 0 => ("rmdir", Some(path)),
        Op::Unlink { path, .. } => ("unlink", Some(path)),
        Op::Chmod { path, .. } => ("chmod", Some(path)),
        Op::Fchmod { .. } => ("fchmod", None),
        Op::Chown { path, .. } => ("chown", Some(path)),
        Op::Fchown { .. } => ("fchown", None),
        Op::SetTimes { path, .. } => ("utimensat", Some(path)),
        Op::FsetTimes { .. } => ("futimens", None),
        Op::Sync { .. } => ("fsync", None),
        Op::Lock { .. } => ("flock", None),
        Op::Copy { .. } => ("copy_file_range", None),
        Op::Clone { .. } => ("FICLONE", None),
        _ => ("call", None),
    }
}

fn row_of(row: &trace_replay::Row, plan: &Plan) -> Row {
    let figures = row.figures.as_ref().ok();
    let is_run = row.strategy != Strategy::Free;
    Row {
        strategy: row.strategy.to_string(),
        lookahead: row.strategy.lookahead().window(),
        at_once: at_once(row.strategy),
        way: way(row.strategy),
        ring: row.strategy.needs_ring(),
        measured: figures.filter(|_| is_run).map(|figures| measured(row, figures)),
        void: row.figures.as_ref().err().map(|voided| void(voided, plan)),
        projection: figures
            .and_then(|figures| figures.projection)
            .map(|projection| Projected::of(projection, row.strategy)),
        helps: figures.and_then(|figures| figures.helps),
    }
}

fn measured(row: &trace_replay::Row, figures: &Figures) -> Measured {
    Measured {
        blocks: figures.blocks,
        wall_ns: figures.wall_ns.into(),
        calls_ns: figures.calls_ns.into(),
        against_serial: figures.against_serial.into(),
        against_threads: figures.against_threads.map(Range::from),
        cpu_ratio: figures.cpu_ratio.into(),
        kernel_entries: row.counts.kernel_entries,
        submissions: row.counts.submissions,
        punts: row.punts,
        punts_at_least: row.punts_at_least,
        stand_ins: row.counts.stand_ins,
        switches: figures.switches,
        setup_ns: row.setup_ns,
    }
}

fn void(voided: &Voided, plan: &Plan) -> Differing {
    Differing {
        call: match (voided.call, &voided.file) {
            (Some(call), _) => describe(plan, call),
            (None, Some(file)) => Text::from([b"after all calls, /", &file[..]].concat().as_slice()),
            (None, None) => Text::from("a close by the kernel"),
        },
        what: voided.what.name(),
        recorded: voided.expected,
        here: voided.observed,
    }
}

/// The fastest of the rings that are chosen.
fn best_ring(rows: &[Row], choose: impl Fn(&Row) -> bool) -> Option<(usize, Measured)> {
    let rings = rows.iter().enumerate().filter(|(_, row)| row.ring && choose(row));
    let measured = rings.filter_map(|(at, row)| Some((at, row.measured?)));
    measured.min_by(|(_, a), (_, b)| a.against_serial.median.total_cmp(&b.against_serial.median))
}

/// The fastest of the rings, against plain calls and against threads.
fn verdict(rows: &[Row]) -> Verdict {
    let best = best_ring(rows, |row| row.lookahead == Some(1)).or_else(|| best_ring(rows, |_| true));
    let Some((row, best)) = best else { return Verdict::NoRing };
    let beats_threads = best.against_threads.is_none_or(|threads| threads.high < 1.0);
    match best.against_serial {
        Range { low, .. } if low > 1.0 => {
            let punted =
                best.punts.or(best.punts_at_least).map(|punts| punts as f64 / best.submissions.max(1) as f64);
            Verdict::Slower { row, punted }
        }
        Range { high, .. } if high >= 1.0 => Verdict::Alike { row },
        _ if beats_threads => Verdict::Faster { row },
        _ => Verdict::AsThreads { row },
    }
}

/// What is left of the program when the calls are free.
fn ceiling(outcome: &Outcome, wall: KnownWall) -> Option<Ceiling> {
    let free = outcome.row(Strategy::Free)?.figures.as_ref().ok()?.projection?;
    let saved = |rest: f64| ((wall.ns - rest) / wall.ns).clamp(0.0, 1.0);
    let plan = outcome.plan();
    let (mut all, mut in_vain, mut missed) = (0_u64, 0_u64, 0);
    for call in plan.call_ids() {
        let Some(cost) = outcome.costs.of(call) else { continue };
        all += u64::from(cost);
        if plan.recorded(call).is_some_and(|recorded| recorded.ret == Some(ENOENT)) {
            in_vain += u64::from(cost);
            missed += 1;
        }
    }
    let calls = saved(free.wall_ns.median);
    Some(Ceiling {
        calls,
        calls_at_most: saved(free.wall_ns.low),
        misses: calls * in_vain as f64 / all.max(1) as f64,
        missed,
    })
}
