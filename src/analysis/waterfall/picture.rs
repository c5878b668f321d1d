//! What the picture of a start shows, as a value: all times are nanoseconds on its axis.

use super::class::Shares;
use crate::analysis::cost::Quality;
use crate::analysis::integrity::Integrity;
use crate::analysis::phases::PhaseKind;
use crate::analysis::text::Text;

/// Columns that the axis is divided into.
pub const COLUMNS: usize = 500;

/// The picture of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// The command.
    pub command: Vec<String>,
    /// Name of the capture backend.
    pub backend: String,
    /// What is missing from the log.
    pub integrity: Integrity,
    /// How far durations can be believed.
    pub quality: Quality,
    /// The length of the traced run.
    pub traced_ns: u64,
    /// The wall time of untraced runs (median), if there were some.
    pub wall_ns: Option<u64>,
    /// Untraced runs that is of.
    pub untraced_runs: u64,
    /// By what traced times were multiplied, on average, to be those of untraced runs; `None`: there were none.
    pub scaled_by: Option<f64>,
    /// What a run is measured to, if not to its end.
    pub until: Option<String>,
    /// The log tells when threads were on no CPU.
    pub knows_cpu: bool,
    /// The log has the times of events.
    pub knows_times: bool,
    /// The length of the axis.
    pub length_ns: f64,
    /// Times shorter than this were added up, since there were too many; 0: none were.
    pub cell_ns: u64,
    /// System calls of the log.
    pub calls: u64,
    /// The phases.
    pub phases: Vec<Band>,
    /// Imports of Python.
    pub imports: Imports,
    /// What goes on along the critical path; `None`: there is too much to follow.
    pub critical: Option<Critical>,
    /// CPUs that are busy, in each column, on average.
    pub busy: Vec<f64>,
    /// Calls about files in each column, and those that failed.
    pub file_calls: Vec<[f64; 2]>,
    /// All of them.
    pub all_file_calls: [u64; 2],
    /// Threads, each process's first one above its others and above its children.
    pub rows: Vec<Row>,
    /// Threads without a row, together.
    pub others: Option<Others>,
    /// Threads beyond those that were told apart.
    pub not_told_apart: u64,
}

/// A phase.
#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    /// Its name.
    pub name: Text,
    /// What it is.
    pub kind: PhaseKind,
    /// When it begins.
    pub from: f64,
    /// When it ends.
    pub to: f64,
}

/// Imports of Python.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Imports {
    /// In the order in which they begin.
    pub list: Vec<Import>,
    /// Python has told of them; or else it is only known when files of modules were opened.
    pub are_told: bool,
    /// Imports beyond those that are kept.
    pub left_out: u64,
}

/// An import, or the opening of a module's file.
#[derive(Debug, Clone, PartialEq)]
pub struct Import {
    /// The module.
    pub name: Text,
    /// How many imports it is within.
    pub depth: usize,
    /// When it begins.
    pub from: f64,
    /// When it ends; the same where that is not known.
    pub to: f64,
}

/// The critical path.
#[derive(Debug, Clone, PartialEq)]
pub struct Critical {
    /// What goes on along it, in each column.
    pub columns: Vec<Shares>,
    /// All of that.
    pub sum: Shares,
    /// Its stretches in the order of time: the row, if the thread has one, from when to when.
    pub stretches: Vec<(Option<usize>, f64, f64)>,
}

/// A thread.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its process.
    pub pid: u32,
    /// The thread.
    pub tid: u32,
    /// What it is called: its program, or the thread's name.
    pub name: Text,
    /// Arguments of the last program of its process.
    pub argv: Vec<Text>,
    /// How many processes it is below.
    pub depth: usize,
    /// It is not the first thread of its process.
    pub is_thread: bool,
    /// How its process ended: exit status, or minus the signal; `None`: that was not seen, or it is a thread.
    pub status: Option<i64>,
    /// Calls it made.
    pub calls: u64,
    /// When it begins.
    pub from: f64,
    /// When it ends.
    pub to: f64,
    /// How much of its life is on the critical path.
    pub critical: f64,
    /// What it does, in each column from `first` on.
    pub columns: Vec<Shares>,
    /// The first of these columns.
    pub first: usize,
    /// All it does.
    pub sum: Shares,
    /// The programs that its process becomes: when, and which.
    pub programs: Vec<(f64, Text)>,
    /// Calls that are wide enough to be shown by themselves.
    pub long: Vec<Named>,
}

/// A call that has a name of its own in the picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    /// The call.
    pub call: Box<str>,
    /// What it is about.
    pub object: Text,
    /// Positive errno if it failed, else 0.
    pub errno: u16,
    /// When it begins.
    pub from: f64,
    /// When it ends.
    pub to: f64,
}

/// Threads without a row of their own.
#[derive(Debug, Clone, PartialEq)]
pub struct Others {
    /// How many.
    pub threads: u64,
    /// How many of them are processes' first ones.
    pub processes: u64,
    /// Calls they made.
    pub calls: u64,
    /// What they do together, in each column.
    pub columns: Vec<Shares>,
    /// The most of them that there are in a column.
    pub most: f64,
}
