//! What may be avoidable: each finding in a few lines, the one that may save most first.

use std::io::{self, Write};

use super::super::escape::{escape, shorten};
use super::super::units::{count, percent, time};
use super::Options;
use crate::analysis::findings::{Finding, Findings, Saving};

/// Pieces of evidence shown for a finding, unless all is asked for.
const EVIDENCE: usize = 3;
/// Characters before the text of a finding.
const INDENT: usize = 5;
/// Width of the text where there is no terminal.
const WIDTH: usize = 110;

pub(super) fn write(out: &mut dyn Write, findings: &Findings, options: Options<'_>) -> io::Result<()> {
    let all = options.top == usize::MAX;
    let shown: Vec<&Finding> =
        findings.list.iter().filter(|finding| all || !finding.small).take(options.top).collect();
    if findings.list.is_empty() {
        return Ok(());
    }
    let estimated = if findings.estimated { "estimates, " } else { "" };
    let title = format!("Findings ({estimated}by what they save at most; they overlap)");
    writeln!(out, "\n{}", options.look.title(&title))?;
    for (number, finding) in shown.iter().enumerate() {
        one(out, number + 1, finding, options)?;
    }
    let rest = findings.list.len() - shown.len();
    if rest > 0 {
        let small = findings.list.iter().filter(|finding| finding.small).count();
        let small = if small > 0 { format!(", {} small", count(small as u64)) } else { String::new() };
        let line = format!("  ({} more findings{small}; --all shows them)", count(rest as u64));
        writeln!(out, "{}", options.look.note(&line))?;
    }
    if findings.not_kept > 0 {
        let line = format!("  ({} calls did not fit into the tables findings are made from)", count(findings.not_kept));
        writeln!(out, "{}", options.look.note(&line))?;
    }
    Ok(())
}

fn one(out: &mut dyn Write, number: usize, finding: &Finding, options: Options<'_>) -> io::Result<()> {
    let look = options.look;
    let what = format!("{}: {}", escape(finding.what.bytes()), saving(&finding.saving));
    for (line, text) in wrapped(&what, look.width).iter().enumerate() {
        let head = if line == 0 { format!("{number:>3}  ") } else { " ".repeat(INDENT) };
        writeln!(out, "{head}{text}")?;
    }
    let most = if options.top == usize::MAX { usize::MAX } else { EVIDENCE };
    for evidence in finding.evidence.iter().take(most) {
        let cost = evidence.cost_ns.map(|ns| format!(", {}", time(ns))).unwrap_or_default();
        let note = if evidence.note.is_empty() { String::new() } else { format!(" {}", evidence.note) };
        let figures = format!("{}{note}{cost}", count(evidence.count));
        let room = look.width.unwrap_or(WIDTH).saturating_sub(INDENT + 2 + figures.chars().count() + 2);
        let object = shorten(&escape(evidence.object.bytes()), room.max(12));
        writeln!(out, "{}{}", " ".repeat(INDENT), look.note(&format!("  {object}  {figures}")))?;
    }
    let more = finding.more_evidence + finding.evidence.len().saturating_sub(most) as u64;
    if more > 0 {
        writeln!(out, "{}{}", " ".repeat(INDENT), look.note(&format!("  ({} more)", count(more))))?;
    }
    for (line, text) in wrapped(&escape(finding.advice.bytes()), look.width.map(|w| w.saturating_sub(3))).iter().enumerate() {
        let head = if line == 0 { "-> " } else { "   " };
        writeln!(out, "{}{head}{text}", " ".repeat(INDENT))?;
    }
    Ok(())
}

/// What it would save, in words.
fn saving(saving: &Saving) -> String {
    let Some(most) = saving.at_most_ns else {
        return "what that costs is not known".to_owned();
    };
    let share = saving.at_most_share.map(|share| format!(", {}", percent(share))).unwrap_or_default();
    let least = saving.at_least_ns.filter(|ns| *ns > 0).map(|ns| format!("; at least {}", time(ns)));
    format!("at most {}{share}{}", time(most), least.unwrap_or_default())
}

/// A text in lines that fit; words are not broken.
fn wrapped(text: &str, width: Option<usize>) -> Vec<String> {
    let width = width.unwrap_or(WIDTH).saturating_sub(INDENT).max(20);
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.len() - 1;
        let line = &mut lines[last];
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}
