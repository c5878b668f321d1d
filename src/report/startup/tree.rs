//! The processes: who started whom, in a bounded number of lines.

use std::io::{self, Write};

use super::super::escape::{arguments, escape, shorten};
use super::super::table::{Column, Table};
use super::super::units::{count, things, time_or_dash};
use super::Options;
use crate::analysis::startup::Report;
use crate::analysis::text::Text;
use crate::analysis::tree::Node;

/// Lines for each row of the other lists.
const LINES_PER_ROW: usize = 3;
/// Characters of a command line that are shown.
const COMMAND: usize = 60;

/// Writes them.
pub(super) fn write(out: &mut dyn Write, report: &Report, options: Options<'_>) -> io::Result<()> {
    let tree = &report.tree;
    let title = format!(
        "{}: {} started, {}, {}, {}",
        things(tree.processes, "process", "processes"),
        things(tree.programs, "program", "programs"),
        things(tree.forks, "fork", "forks"),
        things(tree.failed_execs, "failed execve probe", "failed execve probes"),
        things(tree.threads, "thread beyond the first", "threads beyond the first"),
    );
    writeln!(out, "\n{}", options.look.title(&title))?;
    let mut table = Table::new(vec![
        Column::text("process"),
        Column::number("at").dropped(3),
        Column::number("traced"),
        Column::number("calls").dropped(1),
        Column::number("failed execs").dropped(2),
        Column::text("end").dropped(4),
    ]);
    let most = options.top.saturating_mul(LINES_PER_ROW).max(1);
    let (mut shown, mut hidden) = (0, 0);
    // Depth first, on a stack of its own: siblings wait behind the children of the one before.
    let mut waiting: Vec<(usize, &Node)> = tree.roots.iter().rev().map(|root| (0, root)).collect();
    while let Some((depth, node)) = waiting.pop() {
        if shown < most {
            table.row(row(depth, node, report));
            shown += 1;
        } else {
            hidden += node.times;
        }
        waiting.extend(node.children.iter().rev().map(|child| (depth + 1, child)));
    }
    for line in table.lines(options.look, 2) {
        writeln!(out, "{line}")?;
    }
    if hidden > 0 {
        let more = format!("({})", things(hidden, "more process", "more processes"));
        writeln!(out, "  {}", options.look.note(&more))?;
    }
    Ok(())
}

fn row(depth: usize, node: &Node, report: &Report) -> Vec<String> {
    let known = |ns: u64| time_or_dash(report.traced_ns.map(|_| ns));
    let times = if node.times > 1 { format!("{} x ", count(node.times)) } else { String::new() };
    vec![
        format!("{}{times}{}", "  ".repeat(depth), what(node)),
        known(node.traced_at_ns),
        known(node.traced_ns),
        count(node.syscalls),
        if node.failed_execs > 0 { count(node.failed_execs) } else { String::new() },
        // Whose end was not seen was still there when the program was ready.
        end(node, report.until.is_some()),
    ]
}

/// What a process was: its command line, and the programs before it.
fn what(node: &Node) -> String {
    let name = escape(node.name.bytes());
    let mut text = if node.argv.is_empty() {
        // It never became another program than its parent.
        if name.is_empty() { "(forked)".to_owned() } else { format!("({name})") }
    } else if node.same_argv {
        shorten(&arguments(node.argv.iter().map(Text::bytes)), COMMAND)
    } else {
        format!("{name} …")
    };
    if !node.before.is_empty() {
        let before: Vec<String> = node.before.iter().map(|name| escape(name.bytes())).collect();
        text = format!("{text} (was {})", shorten(&before.join(", "), COMMAND));
    }
    text
}

fn end(node: &Node, goes_on: bool) -> String {
    match node.status {
        Some(0) => String::new(),
        Some(status) if status > 0 => format!("exit {status}"),
        Some(signal) => format!("signal {}", -signal),
        None if goes_on => "goes on".to_owned(),
        None => "end not seen".to_owned(),
    }
}
