//! What the rows of a table are, in which order, and how many.

use std::cmp::Reverse;

use serde::Serialize;

use super::{LeftOut, Row};
use crate::analysis::lookups::plus;

/// What rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// System call.
    Syscall,
    /// strace's classes; a call can belong to several.
    Class,
    /// Family: what calls do, whichever variant is used.
    Family,
    /// Path or file.
    Path,
    /// Directory of that path.
    Dir,
    /// Process.
    Process,
    /// Phase of the run.
    Phase,
}

impl By {
    /// All of them with their names.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::Syscall, "syscall"),
        (Self::Class, "class"),
        (Self::Family, "family"),
        (Self::Path, "path"),
        (Self::Dir, "dir"),
        (Self::Process, "process"),
        (Self::Phase, "phase"),
    ];
}

/// The order of rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sort {
    /// Total cost, highest first; calls where costs are unknown.
    #[default]
    Total,
    /// Calls, most first.
    Calls,
    /// Errors, most first.
    Errors,
    /// Mean cost, highest first.
    Mean,
    /// Name; for phases, their order.
    Name,
}

impl Sort {
    /// All of them with their names.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::Total, "total"),
        (Self::Calls, "calls"),
        (Self::Errors, "errors"),
        (Self::Mean, "mean"),
        (Self::Name, "name"),
    ];
}

/// How a table is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Order.
    pub sort: Sort,
    /// Most rows; `None`: all.
    pub top: Option<usize>,
}

/// Puts rows in order; equal ones by name.
pub(super) fn sort(rows: &mut [Row], by: Sort) {
    rows.sort_by(|a, b| {
        let key = |row: &Row| match by {
            Sort::Total => (row.total_ns, row.calls),
            Sort::Calls => (Some(row.calls), 0),
            Sort::Errors => (Some(row.errors), row.calls),
            Sort::Mean => (row.mean_ns, row.calls),
            Sort::Name => (None, 0),
        };
        Reverse(key(a)).cmp(&Reverse(key(b))).then_with(|| a.name.cmp(&b.name))
    });
}

/// Keeps the first rows; gives what the others amount to.
pub(super) fn cut(rows: &mut Vec<Row>, top: Option<usize>) -> Option<LeftOut> {
    let top = top.filter(|top| *top < rows.len())?;
    let rest = rows.split_off(top);
    let mut left_out = LeftOut { rows: rest.len() as u64, ..LeftOut::default() };
    for row in rest {
        left_out.calls += row.calls;
        left_out.errors += row.errors;
        left_out.total_ns = plus(left_out.total_ns, row.total_ns);
    }
    Some(left_out)
}
