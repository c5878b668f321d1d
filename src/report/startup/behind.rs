//! The lines that file-system calls are made for.

use std::io::{self, Write};

use super::super::escape::escape;
use super::super::table::{Column, Table};
use super::super::units::{count, percent_or_dash, things, time_or_dash};
use super::Options;
use crate::analysis::startup::{At, Behind};

pub(super) fn write(out: &mut dyn Write, behind: &Behind, options: Options<'_>) -> io::Result<()> {
    let mut table = Table::new(vec![
        Column::text("File-system calls are for"),
        Column::number("calls"),
        Column::number("failed").dropped(2),
        Column::number("total"),
        Column::number("share").dropped(1),
    ]);
    for line in behind.lines.iter().take(options.top) {
        table.row(vec![
            place(&line.at),
            count(line.calls),
            count(line.failed),
            time_or_dash(line.cost_ns),
            percent_or_dash(line.share),
        ]);
    }
    writeln!(out)?;
    for line in table.lines(options.look, 0) {
        writeln!(out, "{line}")?;
    }
    let rest = (behind.lines.len().saturating_sub(options.top) as u64).saturating_add(behind.more_lines);
    let more = (rest > 0).then(|| things(rest, "more line", "more lines"));
    let without = (behind.without > 0).then(|| {
        format!("{} about files of which that is not known", things(behind.without, "call", "calls"))
    });
    let aside: Vec<String> = [more, without].into_iter().flatten().collect();
    if !aside.is_empty() {
        writeln!(out, "{}", options.look.note(&format!("  ({})", aside.join("; "))))?;
    }
    Ok(())
}

/// `find (/lib/a.py:7)`
fn place(at: &At) -> String {
    let (function, file) = (escape(at.function.bytes()), escape(at.file.bytes()));
    if function.is_empty() {
        return format!("[unknown] ({file})");
    }
    match (file.is_empty(), at.line) {
        (true, _) => function,
        (false, 0) => format!("{function} ({file})"),
        (false, line) => format!("{function} ({file}:{line})"),
    }
}
