//! What may be avoidable: each finding in a few lines, the one that may save most first.

use std::io::{self, Write};

use super::super::escape::{escape, shorten};
use super::super::units::{count, percent, things, time};
use super::Options;
use crate::analysis::findings::{Evidence, Finding, Findings, Saving};

/// Pieces of evidence shown for a finding, unless all is asked for.
const EVIDENCE: usize = 3;
/// Characters before the text of a finding.
const INDENT: usize = 5;
/// Width of the text where there is no terminal.
const WIDTH: usize = 110;
/// Characters of a path or name, unless all is asked for.
const OBJECT: usize = 44;

pub(super) fn write(out: &mut dyn Write, findings: &Findings, options: Options<'_>) -> io::Result<()> {
    let look = options.look;
    let all = options.top == usize::MAX;
    let large = findings.list.iter().filter(|finding| all || !finding.small);
    let shown: Vec<&Finding> = large.take(options.top).collect();
    let rest = findings.list.len() - shown.len();
    if !shown.is_empty() {
        let estimated =
            if findings.estimated { " (savings are estimates and overlap)" } else { " (savings overlap)" };
        writeln!(out, "\n{}", look.title(&format!("Findings{estimated}")))?;
    } else if rest > 0 {
        writeln!(out)?;
    }
    for (number, finding) in shown.iter().enumerate() {
        one(out, number + 1, finding, options)?;
    }
    if rest > 0 {
        let (one, many) = if shown.is_empty() {
            ("small finding", "small findings")
        } else {
            ("more finding", "more findings")
        };
        let line = format!("  ({}: --all)", things(rest as u64, one, many));
        writeln!(out, "{}", look.note(&line))?;
    }
    if findings.not_kept > 0 {
        let calls = things(findings.not_kept, "call", "calls");
        writeln!(out, "{}", look.note(&format!("  ({calls} too many to be looked at for findings)")))?;
    }
    Ok(())
}

fn one(out: &mut dyn Write, number: usize, finding: &Finding, options: Options<'_>) -> io::Result<()> {
    let look = options.look;
    let pad = " ".repeat(INDENT);
    for (line, text) in wrapped(&escape(finding.what.bytes()), look.width, 0).iter().enumerate() {
        let head = if line == 0 { format!("{number:>3}  ") } else { pad.clone() };
        writeln!(out, "{head}{text}")?;
    }
    writeln!(out, "{pad}{}", look.title(&saving(&finding.saving)))?;
    if options.top == usize::MAX {
        for evidence in &finding.evidence {
            writeln!(out, "{pad}{}", look.note(&format!("  {}", piece(evidence, usize::MAX))))?;
        }
    } else if !finding.evidence.is_empty() {
        let pieces: Vec<String> =
            finding.evidence.iter().take(EVIDENCE).map(|evidence| piece(evidence, OBJECT)).collect();
        for line in wrapped(&pieces.join(", "), look.width, 0) {
            writeln!(out, "{pad}{}", look.note(&line))?;
        }
    }
    for (line, text) in wrapped(&escape(finding.advice.bytes()), look.width, 3).iter().enumerate() {
        let head = if line == 0 { "-> " } else { "   " };
        writeln!(out, "{pad}{head}{text}")?;
    }
    Ok(())
}

fn piece(evidence: &Evidence, width: usize) -> String {
    let object = escape(evidence.object.bytes());
    let object = if width == usize::MAX { object } else { shorten(&object, width) };
    format!("{object} ({} {})", count(evidence.count), evidence.note)
}

/// What it would save, in words.
fn saving(saving: &Saving) -> String {
    let Some(most) = saving.at_most_ns else {
        if saving.calls == 0 {
            return "what it saves is not known".to_owned();
        }
        let calls = things(saving.calls, "call", "calls");
        return format!("saves {calls} (what they cost is not known)");
    };
    let share = saving.at_most_share.map(|share| format!(" ({})", percent(share))).unwrap_or_default();
    let least = saving.at_least_ns.filter(|ns| *ns > 0).map(|ns| format!(", at least {}", time(ns)));
    format!("saves at most {}{share}{}", time(most), least.unwrap_or_default())
}

/// A text in lines that fit beside so many more characters; words are not broken.
fn wrapped(text: &str, width: Option<usize>, beside: usize) -> Vec<String> {
    let width = width.unwrap_or(WIDTH).saturating_sub(INDENT + beside).max(20);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_not_a_number() {
        let said = |calls, at_most_ns| saving(&Saving { calls, at_most_ns, ..Saving::default() });
        assert_eq!(said(0, None), "what it saves is not known");
        assert_eq!(said(2, None), "saves 2 calls (what they cost is not known)");
        assert_eq!(said(0, Some(1_000)), "saves at most 1.00 µs");
    }
}
