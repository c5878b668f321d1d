//! The figures of a replay as plain values.

use serde::Serialize;
use trace_replay::{Estimate, Gate, Guard, Projection, Strategy};

use super::super::text::Text;

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
    /// What it took in the log, from its first call to its last, in nanoseconds; `None`: the log has no times.
    pub logged_ns: Option<f64>,
    /// Untraced it took much longer than that: the machine was disturbed, or the two are of different runs.
    pub disturbed: bool,
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
    /// Of what a program could do that does not know its calls beforehand, the row that makes it fastest, if any does.
    pub best: Option<usize>,
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
    pub(super) fn of(tree: &trace_replay::ScratchTree, guard: Guard) -> Self {
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
    /// The change is known to a tenth of it; else only the interval is to be relied on.
    pub settled: bool,
}

impl Projected {
    pub(super) fn of(projection: Projection, strategy: Strategy) -> Self {
        Self {
            wall_ns: projection.wall_ns.into(),
            speedup: projection.speedup.into(),
            bound: strategy.lookahead().window() != Some(1),
            settled: projection.is_settled(),
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
    /// Runs of the program that these two are of, those in the middle.
    pub runs: usize,
    /// Here, in nanoseconds.
    pub replayed_ns: f64,
    /// How many times what they take here they took in the program, to the nearer of the two bounds; 1 between them.
    pub ratio: f64,
    /// That is another cost (10 % or more), and projections are scaled by it.
    pub scaled: bool,
    /// Whether they are near enough for projections to be believed, scaled or not.
    pub passed: bool,
}

impl From<Gate> for Believed {
    fn from(gate: Gate) -> Self {
        Self {
            in_program_ns: gate.in_program_ns,
            in_program_least_ns: gate.in_program_least_ns,
            runs: gate.runs,
            replayed_ns: gate.replayed_ns,
            ratio: gate.ratio(),
            scaled: gate.is_passed() && !gate.is_near(),
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
