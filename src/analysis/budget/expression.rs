//! What a budget says, taken apart.

use regex::bytes::Regex;
use serde::Serialize;

use crate::syscall::{Classes, Family};

/// A metric, and what it may be; without a limit it can only be measured.
#[derive(Debug, Clone)]
pub struct Expression {
    /// As it was written.
    pub text: String,
    /// What is measured.
    pub metric: Metric,
    /// What it may be.
    pub limit: Option<Limit>,
}

/// What is measured of a run.
#[derive(Debug, Clone)]
pub struct Metric {
    /// As it was written.
    pub text: String,
    /// Of which calls.
    pub subject: Subject,
    /// What else must be true of them.
    pub conditions: Vec<Condition>,
    /// How they must have ended.
    pub outcome: Outcome,
    /// What of them is added up.
    pub quantity: Quantity,
}

/// Whose calls, or which figure of the whole run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// Every call.
    All,
    /// File-system work: calls of those families that are on files.
    FileSystem,
    /// A family.
    Family(Family),
    /// One of strace's classes.
    Class(Classes),
    /// A system call, by name.
    Syscall(Box<str>),
    /// Not calls at all.
    Run(Figure),
}

/// A figure of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// Processes, the first one included.
    Processes,
    /// Threads made beyond the first one of each process.
    Threads,
    /// Programs that were started (`execve`).
    Programs,
    /// Median wall time of the untraced runs.
    Wall,
    /// Median CPU time of the same.
    Cpu,
}

impl Figure {
    /// All of them with their names.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::Processes, "processes"),
        (Self::Threads, "threads"),
        (Self::Programs, "programs"),
        (Self::Wall, "wall"),
        (Self::Cpu, "cpu"),
    ];

    /// Whether it is told by untraced runs only.
    #[must_use]
    pub const fn is_untraced(self) -> bool {
        matches!(self, Self::Wall | Self::Cpu)
    }
}

/// What a condition looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The path or file a call is about, made absolute.
    Path,
    /// The name of the thread that makes it.
    Thread,
}

/// One condition on a call.
#[derive(Debug, Clone)]
pub struct Condition {
    /// What is looked at.
    pub field: Field,
    /// What it is looked for.
    pub pattern: Regex,
    /// It must not match.
    pub negated: bool,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// In any way.
    Any,
    /// With an error.
    Failed,
    /// Without one.
    Succeeded,
    /// With this errno.
    Errno(u16),
}

/// What is added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Quantity {
    /// How many calls.
    Calls,
    /// What they cost, nanoseconds.
    Cost,
    /// How many bytes they read or wrote.
    Bytes,
}

/// What the number of a limit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// A count.
    Count,
    /// Nanoseconds.
    Ns,
    /// Bytes.
    Bytes,
}

impl Metric {
    /// What its value is.
    #[must_use]
    pub fn unit(&self) -> Unit {
        match (&self.subject, self.quantity) {
            (Subject::Run(figure), _) if figure.is_untraced() => Unit::Ns,
            (_, Quantity::Cost) => Unit::Ns,
            (_, Quantity::Bytes) => Unit::Bytes,
            (_, Quantity::Calls) => Unit::Count,
        }
    }
}

/// How a value is compared with its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `<=`
    AtMost,
    /// `<`
    Below,
    /// `>=`
    AtLeast,
    /// `>`
    Above,
    /// `==`
    Equal,
}

impl Comparison {
    /// All of them as they are written; a longer one comes before its beginning.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::AtMost, "<="),
        (Self::AtLeast, ">="),
        (Self::Equal, "=="),
        (Self::Below, "<"),
        (Self::Above, ">"),
        (Self::Equal, "="),
    ];

    /// Whether the value is as it should be.
    #[must_use]
    pub const fn holds(self, value: u64, limit: u64) -> bool {
        match self {
            Self::AtMost => value <= limit,
            Self::Below => value < limit,
            Self::AtLeast => value >= limit,
            Self::Above => value > limit,
            Self::Equal => value == limit,
        }
    }
}

/// What a value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// How it is compared.
    pub comparison: Comparison,
    /// With what, in the metric's unit.
    pub value: u64,
}
