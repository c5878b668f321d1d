//! `trace assert` as text: each budget and its verdict, then where a broken one went; and learned budgets as a file.

use std::io::{self, Write};

use super::escape::{escape, printable};
use super::look::Look;
use super::notes;
use super::table::{Column, Table};
use super::units::{bytes, count, things, time};
use crate::analysis::budget::{Judged, Judgement, Learned, Unit, Verdict};
use crate::analysis::cost::Quality;

/// Writes the verdicts.
pub fn write(out: &mut dyn Write, judgement: &Judgement, look: Look) -> io::Result<()> {
    for line in notes::integrity(&judgement.integrity) {
        writeln!(out, "{}", look.warning(&line))?;
    }
    writeln!(out, "{}", look.headline(&printable(&judgement.target), &summary(judgement)))?;
    writeln!(out)?;
    for line in table(&judgement.budgets).lines(look, 0) {
        writeln!(out, "{line}")?;
    }
    for judged in &judgement.budgets {
        match judged.verdict {
            Verdict::Broken => places(out, judged, look)?,
            Verdict::Unknown => {
                let reason = judged.reason.unwrap_or("the log does not tell");
                let line = format!("{}: {reason}.", printable(&judged.expression));
                writeln!(out, "\n{}", look.warning(&line))?;
            }
            Verdict::Met | Verdict::Measured => {}
        }
    }
    let costs = judgement.budgets.iter().any(|judged| judged.unit == Unit::Ns && judged.value.is_some());
    if costs && judgement.quality == Quality::Estimated {
        let line = "Costs are estimated (docs/costs.md), and differ from machine to machine; counts do not.";
        writeln!(out, "\n{}", look.note(line))?;
    }
    Ok(())
}

fn summary(judgement: &Judgement) -> String {
    let has = |verdict| judgement.budgets.iter().filter(|judged| judged.verdict == verdict).count() as u64;
    let all = judgement.budgets.len() as u64;
    let limited = judgement.budgets.iter().filter(|judged| judged.limit.is_some()).count() as u64;
    let mut parts = match (limited, has(Verdict::Broken)) {
        (0, _) => vec![format!("{} measured", things(all - has(Verdict::Unknown), "metric", "metrics"))],
        (_, 0) => vec![format!("{} of {} met", has(Verdict::Met), things(limited, "budget", "budgets"))],
        (_, broken) => vec![format!("{broken} of {} broken", things(limited, "budget", "budgets"))],
    };
    if has(Verdict::Unknown) > 0 {
        parts.push(format!("{} cannot be told", has(Verdict::Unknown)));
    }
    if judgement.runs > 1 {
        parts.push(format!("the worst of {} runs", judgement.runs));
    }
    parts.join(", ")
}

fn table(budgets: &[Judged]) -> Table {
    let mut table = Table::new(vec![
        Column::text("budget"),
        Column::number("value"),
        Column::number("limit"),
        Column::text("verdict"),
        Column::text("from").dropped(1),
    ]);
    for judged in budgets {
        table.row(vec![
            printable(&judged.expression),
            judged.value.map_or_else(|| "-".to_owned(), |value| amount(judged.unit, value)),
            judged.limit.map_or_else(String::new, |limit| amount(judged.unit, limit)),
            verdict(judged.verdict).to_owned(),
            judged.source.as_deref().map(printable).unwrap_or_default(),
        ]);
    }
    table
}

/// Where the value of a broken budget is.
fn places(out: &mut dyn Write, judged: &Judged, look: Look) -> io::Result<()> {
    if judged.places.is_empty() {
        return Ok(());
    }
    let value = judged.value.map_or_else(String::new, |value| amount(judged.unit, value));
    writeln!(out, "\n{}", look.title(&format!("{}: {value}, most of it in", printable(&judged.metric))))?;
    let mut table = Table::new(vec![
        Column::number(""),
        Column::text(""),
        Column::number("").dropped(1),
        Column::text("").dropped(2),
    ]);
    for place in &judged.places {
        let name =
            if place.name.bytes().is_empty() { "(no file)".to_owned() } else { escape(place.name.bytes()) };
        let paths = if place.paths > 1 { things(place.paths, "path", "paths") } else { String::new() };
        let example = escape(place.example.file_name().bytes());
        let most = match (place.paths, example.is_empty() || place.example == place.name) {
            (_, true) => String::new(),
            (1, false) => example,
            (_, false) => format!("most: {example}"),
        };
        table.row(vec![amount(judged.unit, place.amount), name, paths, most]);
    }
    for line in table.lines(look, 2).iter().skip(1) {
        writeln!(out, "{line}")?;
    }
    if judged.more_places > 0 {
        writeln!(out, "  ({} more)", count(judged.more_places))?;
    }
    Ok(())
}

fn amount(unit: Unit, value: u64) -> String {
    match unit {
        Unit::Count => count(value),
        Unit::Ns => time(value),
        Unit::Bytes => bytes(value),
    }
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Met => "met",
        Verdict::Broken => "broken",
        Verdict::Unknown => "cannot be told",
        Verdict::Measured => "",
    }
}

/// What a learned budget is of.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// Log or command, as typed.
    pub target: &'a str,
    /// How many runs.
    pub runs: usize,
}

/// Writes learned budgets as a file that `--budget` takes.
pub fn write_learned(out: &mut dyn Write, head: Head<'_>, learned: &[Learned]) -> io::Result<()> {
    let runs = things(head.runs as u64, "run", "runs");
    writeln!(out, "# Learned from {runs} of: {}", printable(head.target))?;
    writeln!(out, "# To be checked by: trace assert --budget THIS_FILE LOG|CMD")?;
    let lines: Vec<_> =
        learned.iter().map(|one| format!("{} <= {}", one.metric, exact(one.unit, one.limit))).collect();
    let width = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    for (line, one) in lines.iter().zip(learned) {
        let (least, most) = (exact(one.unit, one.least), exact(one.unit, one.most));
        let seen = if least == most { most } else { format!("{least} to {most}") };
        writeln!(out, "{line:width$}  # {seen}")?;
    }
    Ok(())
}

/// A number as an expression has it, nothing rounded.
fn exact(unit: Unit, value: u64) -> String {
    match unit {
        Unit::Count | Unit::Bytes => value.to_string(),
        Unit::Ns => format!("{value}ns"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::budget::{Place, parse};
    use crate::analysis::integrity::Integrity;

    fn judged(verdict: Verdict) -> Judged {
        Judged {
            expression: "stat.enoent <= 50".to_owned(),
            metric: "stat.enoent".to_owned(),
            source: Some("b\u{1b}[2J:3".to_owned()),
            verdict,
            reason: None,
            unit: Unit::Count,
            limit: (verdict != Verdict::Measured).then_some(50),
            value: Some(62),
            values: vec![Some(62)],
            places: vec![
                Place { name: "/lib\u{1b}".into(), amount: 60, paths: 2, example: "/lib\u{1b}/a.so".into() },
                Place { name: "".into(), amount: 2, paths: 1, example: "".into() },
            ],
            more_places: 1,
        }
    }

    fn text(verdict: Verdict) -> String {
        let judgement = Judgement {
            target: "python3\n-c pass".to_owned(),
            runs: 3,
            met: false,
            quality: Quality::Estimated,
            integrity: Integrity { complete: true, ..Integrity::default() },
            budgets: vec![judged(verdict)],
        };
        let mut out = Vec::new();
        write(&mut out, &judgement, Look::PLAIN).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_broken_budget_shows_where() {
        assert_eq!(
            text(Verdict::Broken),
            "python3\\n-c pass   1 of 1 budget broken, the worst of 3 runs\n\
             \n\
             budget             value  limit  verdict  from\n\
             stat.enoent <= 50     62     50  broken   b\\33[2J:3\n\
             \n\
             stat.enoent: 62, most of it in\n\
             \x20 60  /lib\\33    2 paths  most: a.so\n\
             \x20  2  (no file)\n\
             \x20 (1 more)\n"
        );
    }

    #[test]
    fn others_say_what_they_are() {
        assert!(text(Verdict::Met).contains("1 of 1 budget met"));
        assert!(text(Verdict::Unknown).contains("stat.enoent <= 50: the log does not tell."));
        assert!(text(Verdict::Measured).contains("1 metric measured"));
    }

    #[test]
    fn what_was_learned_can_be_read_back() {
        let one = |metric: &str, unit, least, most, limit| Learned {
            metric: metric.to_owned(),
            unit,
            least,
            most,
            limit,
        };
        let learned = [
            one("stat.enoent", Unit::Count, 26, 26, 27),
            one("fs.cost", Unit::Ns, 1_000, 2_000, 5_000),
            one("read.bytes", Unit::Bytes, 7, 7, 8),
        ];
        let mut out = Vec::new();
        write_learned(&mut out, Head { target: "ls\n-l", runs: 5 }, &learned).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with("# Learned from 5 runs of: ls\\n-l\n"), "{text}");
        assert!(
            text.contains("\nstat.enoent <= 27  # 26\nfs.cost <= 5000ns  # 1000ns to 2000ns\n"),
            "{text}"
        );
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            parse(line.split('#').next().unwrap()).unwrap();
        }
    }
}
