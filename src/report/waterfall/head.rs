//! What stands above the axis: the command, what its times are, what was left out.

use std::io;

use super::Sheet;
use crate::analysis::cost::Quality;
use crate::analysis::waterfall::Picture;
use crate::report::escape::{command_line, escape, shorten};
use crate::report::notes;
use crate::report::svg::text;
use crate::report::units::{count, things, time};

/// Characters of the title, and of a line below it.
const TITLE: usize = 120;
const LINE: usize = 200;
/// The left edge of all of it.
const X: f64 = 20.0;

pub fn write(sheet: &mut Sheet<'_>) -> io::Result<()> {
    let picture = sheet.picture;
    let command = shorten(&command_line(&picture.command), TITLE);
    sheet.y = 28.0;
    text(
        &mut sheet.body,
        (X, sheet.y),
        "start",
        "class=\"ink\" font-size=\"16\" font-weight=\"bold\"",
        &command,
    )?;
    let warnings = notes::integrity(&picture.integrity).into_iter().map(|line| ("warn", line));
    let told = [Some(what(picture)), Some(axis(picture)), Some(cpu(picture)), left_out(picture)];
    let lines = told.into_iter().flatten().map(|line| ("dim", line));
    for (class, line) in warnings.chain(lines) {
        for part in wrapped(&line) {
            sheet.y += 15.0;
            text(&mut sheet.body, (X, sheet.y), "start", &format!("class=\"{class}\""), &part)?;
        }
    }
    sheet.y += 14.0;
    Ok(())
}

/// Lines that have room, broken between words.
fn wrapped(line: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in line.split(' ') {
        match lines.last_mut() {
            Some(last) if last.chars().count() + word.chars().count() < LINE => {
                last.push(' ');
                last.push_str(word);
            }
            _ => lines.push(shorten(word, LINE)),
        }
    }
    lines
}

fn what(picture: &Picture) -> String {
    let threads = picture.rows.len() as u64
        + picture.others.as_ref().map_or(0, |others| others.threads)
        + picture.not_told_apart;
    let until = picture.until.as_ref().map_or_else(
        || "wall".to_owned(),
        |until| format!("ready ({})", shorten(&escape(until.as_bytes()), 40)),
    );
    let wall = match picture.wall_ns {
        Some(wall_ns) => {
            let runs = things(picture.untraced_runs, "untraced run", "untraced runs");
            format!("{until} {} (median of {runs}), traced {}", time(wall_ns), time(picture.traced_ns))
        }
        None => format!("traced {}, no untraced runs in this log", time(picture.traced_ns)),
    };
    format!(
        "{wall} · {} of {} · backend {}",
        things(picture.calls, "system call", "system calls"),
        things(threads, "thread", "threads"),
        escape(picture.backend.as_bytes())
    )
}

/// What the axis is.
fn axis(picture: &Picture) -> String {
    let stops = match picture.quality {
        Quality::True | Quality::Replayed => "",
        Quality::Estimated | Quality::Unknown => " Calls are drawn too wide: the tracer's stops are in them.",
    };
    match picture.scaled_by {
        Some(factor) => {
            let unlike = if (0.5..=2.0).contains(&factor) {
                ""
            } else {
                " The traced run was not like the untraced ones: trust the order more than the times."
            };
            format!(
                "The axis is that of an untraced run, which is an estimate: traced times less what tracing adds, phase by \
                 phase, times {factor:.2} to add up to the wall time.{unlike}{stops}"
            )
        }
        None if picture.quality == Quality::Unknown => {
            format!("Times are those of the traced run, the tracer's own in them.{stops}")
        }
        None => format!(
            "Times are those of the traced run less what tracing adds, phase by phase, which is an estimate.{stops}"
        ),
    }
}

fn cpu(picture: &Picture) -> String {
    let path = match &picture.critical {
        Some(_) => "",
        None => " The critical path is not known: too many calls wait or wake others.",
    };
    if picture.knows_cpu {
        return format!("When threads were on a CPU and when not is what the kernel told.{path}");
    }
    format!(
        "The log does not tell when threads leave their CPUs (trace record --sample does): calls that can wait and took over \
         100 µs are taken for waits.{path}"
    )
}

/// What was added up or has no row.
fn left_out(picture: &Picture) -> Option<String> {
    let mut parts = Vec::new();
    if let Some(others) = &picture.others {
        parts.push(format!(
            "{} without a row of their own are in the last one",
            things(others.threads, "thread", "threads")
        ));
    }
    if picture.not_told_apart > 0 {
        parts.push(format!("{} threads beyond those are not drawn", count(picture.not_told_apart)));
    }
    if picture.cell_ns > 0 {
        parts.push(format!("times shorter than {} are added up", time(picture.cell_ns)));
    }
    (!parts.is_empty()).then(|| format!("{}.", sentence(&parts.join("; "))))
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
