//! `-c` and `-C`: calls, errors and the time they took, by name.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::event::Event;

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    calls: u64,
    errors: u64,
    ns: u64,
}

/// What has been counted.
#[derive(Debug, Default)]
pub struct Summary(BTreeMap<(usize, u32), (&'static str, Count)>);

/// What `-S` takes.
pub const SORTS: [&str; 18] = [
    "time",
    "time-total",
    "total-time",
    "total_time",
    "time_total",
    "time-percent",
    "avg-time",
    "time-avg",
    "calls",
    "count",
    "error",
    "errors",
    "name",
    "syscall",
    "syscall-name",
    "syscall_name",
    "none",
    "nothing",
];

const RULE: &str = "------ ----------- ----------- --------- --------- ----------------\n";

impl Summary {
    /// Counts a call that has returned, by its time in the kernel, or else by that on the wall.
    pub fn add(&mut self, event: &Event<'_>, system_ns: Option<u64>) {
        // strace counts no others.
        let Some(spec) = crate::syscall::lookup(event.abi, event.nr) else { return };
        let (_, count) =
            self.0.entry((event.abi as usize, event.nr)).or_insert_with(|| (spec.name, Count::default()));
        count.calls += 1;
        count.errors += u64::from(event.errno().is_some());
        count.ns += system_ns.or_else(|| event.duration_ns()).unwrap_or(0);
    }

    /// The table, sorted by time, calls, errors, name, or not at all.
    pub fn text(&self, sort: &str) -> String {
        // By number, as they stay where they are alike.
        let mut rows: Vec<(&str, Count)> = self.0.values().copied().collect();
        match sort {
            "calls" | "count" => rows.sort_by_key(|(_, count)| std::cmp::Reverse(count.calls)),
            "avg-time" | "time-avg" => {
                rows.sort_by_key(|(_, count)| std::cmp::Reverse(count.ns / count.calls.max(1)));
            }
            "errors" | "error" => rows.sort_by_key(|(_, count)| std::cmp::Reverse(count.errors)),
            "name" | "syscall" | "syscall-name" | "syscall_name" => rows.sort_by_key(|(name, _)| *name),
            "nothing" | "none" => {}
            _ => rows.sort_by_key(|(_, count)| std::cmp::Reverse(count.ns)),
        }
        let total = rows.iter().fold(Count::default(), |sum, (_, count)| Count {
            calls: sum.calls + count.calls,
            errors: sum.errors + count.errors,
            ns: sum.ns + count.ns,
        });
        let mut text = String::from("% time     seconds  usecs/call     calls    errors syscall\n");
        text.push_str(RULE);
        for (name, count) in &rows {
            push_row(&mut text, count, total.ns, name);
        }
        text.push_str(RULE);
        push_row(&mut text, &Count { ns: total.ns, ..total }, total.ns, "total");
        text
    }
}

fn push_row(text: &mut String, count: &Count, total_ns: u64, name: &str) {
    let share = match (total_ns, name) {
        (_, "total") => 100.0,
        (0, _) => 0.0,
        (total, _) => count.ns as f64 * 100.0 / total as f64,
    };
    let errors = if count.errors == 0 { String::new() } else { count.errors.to_string() };
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "{share:6.2} {:11.6} {:11} {:9} {errors:>9} {name}",
        count.ns as f64 / 1e9,
        count.ns.checked_div(count.calls).unwrap_or(0) / 1000,
        count.calls,
    );
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
            summary.text("time"),
            "% time     seconds  usecs/call     calls    errors syscall\n\
             ------ ----------- ----------- --------- --------- ----------------\n \
             90.00    0.000018           9         2           close\n \
             10.00    0.000002           2         1         1 openat\n\
             ------ ----------- ----------- --------- --------- ----------------\n\
             100.00    0.000020           6         3         1 total\n"
        );
    }
}
