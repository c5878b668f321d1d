//! Cold starts beside warm ones.

use std::io::{self, Write};

use super::super::escape::escape;
use super::super::look::Look;
use super::super::table::{Column, Table};
use super::super::units::{count, things, time, whole_percent};
use crate::analysis::cold::{Cold, Ratio};
use crate::analysis::interval::Summary;
use crate::analysis::phases::{Phase, PhaseKind, Phases};
use crate::analysis::wall::Untraced;
use crate::log::Emptied;

pub(super) fn write(
    out: &mut dyn Write,
    cold: &Cold,
    (warm, warm_phases): (Option<&Untraced>, &Phases),
    look: Look,
) -> io::Result<()> {
    let mut table = Table::new(vec![
        Column::text("Cold start"),
        Column::number("warm").dropped(1),
        Column::number("cold"),
        Column::number("cold / warm"),
        Column::text("interval of cold").dropped(2),
    ]);
    let warm_user_share = warm.and_then(|warm| warm.user_share);
    let warm = warm.map(|warm| &warm.figures);
    let figures = &cold.figures;
    let user_shares = [warm_user_share, cold.user_share];
    let walls = (&figures.wall_ns, warm.map(|warm| &warm.wall_ns));
    table.row(row("wall", walls, cold.wall_ratio, time));
    let times = (&figures.cpu_ns, warm.map(|warm| &warm.cpu_ns));
    table.row(row("CPU", times, cold.cpu_ratio, time));
    if user_shares.iter().any(Option::is_some) {
        let [warm, cold] = user_shares.map(|share| share.map_or_else(|| "-".to_owned(), whole_percent));
        table.row(vec!["of it user".to_owned(), warm, cold, String::new(), String::new()]);
    }
    let faults = (&figures.major_faults, warm.map(|warm| &warm.major_faults));
    table.row(row("major faults", faults, None, count));
    for phase in cold.phases.iter().flat_map(|phases| &phases.phases) {
        let same = |other: &&Phase| (other.kind, &other.name) == (phase.kind, &phase.name);
        let warm = warm_phases.phases.iter().find(same);
        if phase.kind == PhaseKind::After {
            continue;
        }
        let times = warm.filter(|warm| warm.takes_ns > 0).map(|warm| {
            let ratio = phase.takes_ns as f64 / warm.takes_ns as f64;
            Ratio { ratio, low: None, high: None }
        });
        table.row(vec![
            format!("  {}", escape(phase.name.bytes())),
            warm.map_or_else(|| "-".to_owned(), |warm| time(warm.takes_ns)),
            time(phase.takes_ns),
            ratio(times),
            String::new(),
        ]);
    }
    writeln!(out)?;
    for line in table.lines(look, 0) {
        writeln!(out, "{line}")?;
    }
    writeln!(out, "{}", look.note(&method(cold)))
}

/// One figure, cold and warm.
fn row(
    name: &str,
    (cold, warm): (&Summary, Option<&Summary>),
    times: Option<Ratio>,
    show: fn(u64) -> String,
) -> Vec<String> {
    let median = |summary: &Summary| show(summary.median as u64);
    let warm = warm.map_or_else(|| "-".to_owned(), median);
    vec![name.to_owned(), warm, median(cold), ratio(times), range(cold, show)]
}

/// A ratio with its range.
fn ratio(ratio: Option<Ratio>) -> String {
    match ratio {
        None => String::new(),
        Some(Ratio { ratio, low: Some(low), high: Some(high) }) => {
            format!("{ratio:.2} ({low:.2} to {high:.2})")
        }
        Some(Ratio { ratio, .. }) => format!("{ratio:.2}"),
    }
}

pub(super) fn range(summary: &Summary, show: fn(u64) -> String) -> String {
    let (low, high) =
        summary.interval.map_or((summary.min, summary.max), |interval| (interval.low, interval.high));
    format!("{} to {}", show(low as u64), show(high as u64))
}

/// How the runs were made cold.
fn method(cold: &Cold) -> String {
    let runs = things(cold.runs as u64, "cold run", "cold runs");
    let how = match &cold.method {
        Emptied::DropCaches => {
            "page cache, dentries and inodes were dropped before each (drop_caches)".to_owned()
        }
        Emptied::Fadvise { files, refused } => format!(
            "the pages of the {} it opens were dropped before each (posix_fadvise); dentries and inodes stay warm, \
             because all caches cannot be dropped ({})",
            things(*files, "file", "files"),
            escape(refused.as_bytes())
        ),
    };
    let phases =
        if cold.phases.is_some() { " Phases are those of one traced cold run, estimated." } else { "" };
    format!(
        "{runs}: {how}. Pages that running processes have mapped stay, as does what the disk keeps.{phases}"
    )
}
