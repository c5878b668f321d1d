//! `-c` and `-C`: calls, errors and the time they took, by name.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use crate::event::{Abi, Event};

/// What can be told of the calls of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Share,
    Total,
    Least,
    Most,
    Average,
    Calls,
    Errors,
    Name,
}

/// Columns, with the names that strace has for them.
const NAMES: [(Column, &[&str]); 8] = [
    (Column::Share, &["time-percent", "time_percent", "time"]),
    (Column::Total, &["total-time", "total_time", "time-total", "time_total"]),
    (Column::Least, &["min-time", "min_time", "time-min", "time_min", "shortest"]),
    (Column::Most, &["max-time", "max_time", "time-max", "time_max", "longest"]),
    (Column::Average, &["avg-time", "avg_time", "time-avg", "time_avg"]),
    (Column::Calls, &["calls", "count"]),
    (Column::Errors, &["errors", "error"]),
    (Column::Name, &["name", "syscall", "syscall-name", "syscall_name"]),
];

/// The least width of the names; a longer one makes it longer.
const NAME_WIDTH: usize = 16;

impl Column {
    fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, names)| names.contains(&name)).map(|(column, _)| *column)
    }

    fn title(self) -> (&'static str, usize) {
        match self {
            Self::Share => ("% time", 6),
            Self::Total => ("seconds", 11),
            Self::Least => ("shortest", 8),
            Self::Most => ("longest", 8),
            Self::Average => ("usecs/call", 11),
            Self::Calls => ("calls", 9),
            Self::Errors => ("errors", 9),
            Self::Name => ("syscall", NAME_WIDTH),
        }
    }
}

/// Which columns there are (`-U`), by which the lines are sorted (`-S`), and what is taken off each call (`-O`).
#[derive(Clone, Debug)]
pub struct Layout {
    columns: Vec<Column>,
    /// `None`: by number.
    sort: Option<Column>,
    pub overhead: Duration,
}

impl Default for Layout {
    fn default() -> Self {
        use Column::{Average, Calls, Errors, Name, Share, Total};
        let columns = vec![Share, Total, Average, Calls, Errors, Name];
        Self { columns, sort: Some(Total), overhead: Duration::ZERO }
    }
}

impl Layout {
    /// Takes the value of `-S`; `None` where that is no column.
    pub fn sort_by(&mut self, text: &str) -> Option<()> {
        self.sort = match text {
            "none" | "nothing" => None,
            text => Some(Column::named(text)?),
        };
        Some(())
    }

    /// Takes the value of `-U`; what is wrong with it otherwise.
    pub fn choose(&mut self, text: &str) -> Result<(), String> {
        self.columns.clear();
        let mut rest = Some(text);
        while let Some(list) = rest {
            let (name, behind) = list.split_once(',').map_or((list, None), |(name, rest)| (name, Some(rest)));
            let column = Column::named(name).ok_or_else(|| format!("unknown column name: '{name}'"))?;
            if self.columns.contains(&column) {
                return Err(format!(
                    "call summary column has been provided more than once: '{name}' (-U option residual: '{list}')"
                ));
            }
            self.columns.push(column);
            rest = behind;
        }
        if !self.columns.contains(&Column::Name) {
            self.columns.push(Column::Name);
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    calls: u64,
    errors: u64,
    ns: u64,
    least_ns: u64,
    most_ns: u64,
}

impl Count {
    fn average_ns(&self) -> u64 {
        self.ns.checked_div(self.calls).unwrap_or(0)
    }

    fn joined(self, other: Self) -> Self {
        let least_ns = if self.calls == 0 { other.least_ns } else { self.least_ns.min(other.least_ns) };
        Self {
            calls: self.calls + other.calls,
            errors: self.errors + other.errors,
            ns: self.ns + other.ns,
            least_ns,
            most_ns: self.most_ns.max(other.most_ns),
        }
    }
}

/// The conventions in the order of their tables, and strace's names for them.
const MODES: [(Abi, &str); 3] = [(Abi::X86_64, "64 bit"), (Abi::I386, "32 bit"), (Abi::X32, "x32")];

/// What has been counted.
#[derive(Debug, Default)]
pub struct Summary {
    /// By convention, each of which has a table, and number, which is their order where they are alike.
    counts: BTreeMap<usize, BTreeMap<u32, (&'static str, Count)>>,
    layout: Layout,
}

impl Summary {
    /// Nothing yet.
    pub fn new(layout: Layout) -> Self {
        Self { counts: BTreeMap::new(), layout }
    }

    /// Counts a call that has returned, by its time in the kernel, or else by that on the wall.
    pub fn add(&mut self, event: &Event<'_>, system_ns: Option<u64>) {
        // strace counts no others.
        let Some(spec) = crate::syscall::lookup(event.abi, event.nr) else { return };
        let overhead_ns = u64::try_from(self.layout.overhead.as_nanos()).unwrap_or(u64::MAX);
        let ns = system_ns.or_else(|| event.duration_ns()).unwrap_or(0).saturating_sub(overhead_ns);
        let errors = u64::from(event.errno().is_some());
        let one = Count { calls: 1, errors, ns, least_ns: ns, most_ns: ns };
        let (_, count) = self
            .counts
            .entry(event.abi as usize)
            .or_default()
            .entry(event.nr)
            .or_insert_with(|| (spec.name, Count::default()));
        *count = count.joined(one);
    }

    /// A table for each convention that calls were made in.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (abi, name) in MODES {
            let Some(counts) = self.counts.get(&(abi as usize)) else { continue };
            if abi != Abi::X86_64 {
                text.push_str("System call usage summary for ");
                text.push_str(name);
                text.push_str(" mode:\n");
            }
            self.push_table(&mut text, counts.values().copied().collect());
        }
        text
    }

    fn push_table(&self, text: &mut String, mut rows: Vec<(&str, Count)>) {
        sort(&mut rows, self.layout.sort);
        let total = rows.iter().fold(Count::default(), |sum, (_, count)| sum.joined(*count));
        let longest = rows.iter().map(|(name, _)| name.len() + 1).max().unwrap_or(0);
        let name_width = longest.max(NAME_WIDTH);
        let columns = &self.layout.columns;
        push_line(text, columns, name_width, |column| column.title().0.to_owned());
        push_rule(text, columns, name_width);
        for (name, count) in &rows {
            push_line(text, columns, name_width, |column| cell(column, name, count, share(count, &total)));
        }
        push_rule(text, columns, name_width);
        push_line(text, columns, name_width, |column| cell(column, "total", &total, 100.0));
    }
}

fn sort(rows: &mut [(&str, Count)], by: Option<Column>) {
    let key = |count: &Count| match by {
        Some(Column::Least) => count.least_ns,
        Some(Column::Most) => count.most_ns,
        Some(Column::Average) => count.average_ns(),
        Some(Column::Calls) => count.calls,
        Some(Column::Errors) => count.errors,
        Some(Column::Share | Column::Total) => count.ns,
        Some(Column::Name) | None => 0,
    };
    if by == Some(Column::Name) {
        rows.sort_by_key(|(name, _)| *name);
    } else {
        rows.sort_by_key(|(_, count)| std::cmp::Reverse(key(count)));
    }
}

fn share(count: &Count, total: &Count) -> f64 {
    if total.ns == 0 { 0.0 } else { count.ns as f64 * 100.0 / total.ns as f64 }
}

fn cell(column: Column, name: &str, count: &Count, share: f64) -> String {
    let seconds = |ns: u64| format!("{:.6}", ns as f64 / 1e9);
    match column {
        Column::Share => format!("{share:.2}"),
        Column::Total => seconds(count.ns),
        Column::Least => seconds(count.least_ns),
        Column::Most => seconds(count.most_ns),
        Column::Average => (count.average_ns() / 1000).to_string(),
        Column::Calls => count.calls.to_string(),
        Column::Errors if count.errors == 0 => String::new(),
        Column::Errors => count.errors.to_string(),
        Column::Name => name.to_owned(),
    }
}

/// Numbers stand at the right, names at the left; nothing is behind the last one.
fn push_line(text: &mut String, columns: &[Column], name_width: usize, cell: impl Fn(Column) -> String) {
    for (at, column) in columns.iter().enumerate() {
        let cell = cell(*column);
        // Writing to a string cannot fail.
        let _ = match (column, at + 1 == columns.len()) {
            (Column::Name, true) => write!(text, "{cell}"),
            (Column::Name, false) => write!(text, "{cell:name_width$}"),
            _ => write!(text, "{cell:>width$}", width = column.title().1),
        };
        text.push(if at + 1 == columns.len() { '\n' } else { ' ' });
    }
}

fn push_rule(text: &mut String, columns: &[Column], name_width: usize) {
    let width = |column: &Column| if *column == Column::Name { name_width } else { column.title().1 };
    let rules: Vec<String> = columns.iter().map(|column| "-".repeat(width(column))).collect();
    text.push_str(&rules.join(" "));
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::testing::call;

    #[test]
    fn the_table_is_straces() {
        let mut summary = Summary::default();
        summary.add(&call("close", 0, 9_000, 0), None);
        summary.add(&call("close", 0, 9_000, 0), None);
        summary.add(&call("openat", 0, 1_000, -2), Some(2_000));
        assert_eq!(
            summary.text(),
            "% time     seconds  usecs/call     calls    errors syscall\n\
             ------ ----------- ----------- --------- --------- ----------------\n \
             90.00    0.000018           9         2           close\n \
             10.00    0.000002           2         1         1 openat\n\
             ------ ----------- ----------- --------- --------- ----------------\n\
             100.00    0.000020           6         3         1 total\n"
        );
    }

    #[test]
    fn each_convention_has_a_table() {
        let mut summary = Summary::default();
        summary.add(&Event { abi: Abi::I386, nr: 20, ..call("getpid", 0, 0, 7) }, None);
        let alone = summary.text();
        assert!(alone.starts_with("System call usage summary for 32 bit mode:\n% time "), "{alone}");
        summary.add(&call("close", 0, 0, 0), None);
        let both = summary.text();
        assert!(both.starts_with("% time ") && both.ends_with(&alone), "{both}");
        assert_eq!(both.lines().filter(|line| line.ends_with(" total")).count(), 2, "{both}");
    }

    #[test]
    fn columns_and_what_is_taken_off() {
        let mut layout = Layout::default();
        layout.choose("name,shortest,max-time,calls").unwrap();
        layout.sort_by("max-time").unwrap();
        layout.overhead = Duration::from_micros(2);
        let mut summary = Summary::new(layout);
        assert_eq!(summary.text(), "");
        summary.add(&call("sched_get_priority_max", 0, 1_000, 0), None);
        summary.add(&call("close", 0, 9_000, 0), None);
        summary.add(&call("close", 0, 3_000, 0), None);
        assert_eq!(
            summary.text(),
            "syscall                 shortest  longest     calls\n\
             ----------------------- -------- -------- ---------\n\
             close                   0.000001 0.000007         2\n\
             sched_get_priority_max  0.000000 0.000000         1\n\
             ----------------------- -------- -------- ---------\n\
             total                   0.000000 0.000007         3\n"
        );
        let wrong = ["bogus", "", "calls,", "time,time-percent"];
        let messages = wrong.map(|text| Layout::default().choose(text).unwrap_err());
        assert!(messages[3].ends_with("'time-percent' (-U option residual: 'time-percent')"), "{messages:?}");
        assert_eq!(Layout::default().sort_by("bogus"), None);
    }
}
