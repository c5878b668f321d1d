//! `trace try` as text: each remedy, what was predicted, what was measured, whether it does the same.

use std::io::{self, Write};

use super::escape::{command_line, escape, printable};
use super::look::Look;
use super::table::{Column, Table};
use super::units::{percent, things, time, time_or_dash};
use crate::analysis::interval::Summary;
use crate::analysis::trial::{Difference, Effect, Interrupted, Trial, Trials, Verdict};

/// Writes the report.
pub fn write(out: &mut dyn Write, trials: &Trials, look: Look) -> io::Result<()> {
    let command = command_line(&trials.command);
    let wall = trials.original_wall_ns.as_ref().map_or_else(String::new, original);
    writeln!(out, "{}", look.headline(&command, &wall))?;
    if trials.tried.is_empty() {
        let line = "Nothing was found that can be tried without a change in the program.";
        writeln!(out, "\n{}", look.text(line))?;
    } else {
        table(out, &trials.tried, look)?;
        if !trials.output_compared {
            let line = "Its output differs from run to run, so only exit statuses were compared.";
            writeln!(out, "{}", look.warning(line))?;
        }
        if let Some(Interrupted { signal, round, .. }) = &trials.interrupted {
            let line = format!("Ended by {signal} in round {round}: this is what was measured until then.");
            writeln!(out, "{}", look.warning(&line))?;
        }
        best(out, trials, look)?;
    }
    for one in &trials.not_tried {
        let line = format!("Not tried: {}: {}.", one.finding, escape(one.why.as_bytes()));
        writeln!(out, "{}", look.note(&line))?;
    }
    Ok(())
}

fn original(wall_ns: &Summary) -> String {
    format!(
        "wall {} (median of {}, remedies and original in turn)",
        time(wall_ns.median as u64),
        things(wall_ns.count as u64, "round", "rounds"),
    )
}

fn table(out: &mut dyn Write, tried: &[Trial], look: Look) -> io::Result<()> {
    let mut table = Table::new(vec![
        Column::text("tried"),
        Column::number("predicted"),
        Column::number("measured"),
        Column::number("share").dropped(2),
        Column::text("95 % interval").dropped(3),
        Column::text("output").dropped(1),
        Column::text("verdict"),
    ]);
    for trial in tried {
        let measured = trial.measured.as_ref();
        table.row(vec![
            printable(&String::from_utf8_lossy(trial.what.bytes())),
            time_or_dash(trial.predicted.and_then(|saving| saving.at_most_ns)),
            measured.map_or_else(|| "-".to_owned(), |difference| signed(difference.saved_ns)),
            measured.map_or_else(|| "-".to_owned(), share),
            measured.and_then(|difference| difference.interval).map_or_else(String::new, |interval| {
                format!("{} to {}", signed(interval.low), signed(interval.high))
            }),
            effect(trial.effect).to_owned(),
            verdict(trial.verdict).to_owned(),
        ]);
    }
    writeln!(out)?;
    table.lines(look, 0).iter().try_for_each(|line| writeln!(out, "{line}"))
}

/// The command line of what to use, and what is not known of it.
fn best(out: &mut dyn Write, trials: &Trials, look: Look) -> io::Result<()> {
    let Some(trial) = trials.recommended.and_then(|at| trials.tried.get(at)) else {
        let line = "None of them is faster and does the same, as far as was seen.";
        return writeln!(out, "\n{}", look.text(line));
    };
    let caveat = if trials.output_compared { "" } else { " (only the exit status was compared)" };
    writeln!(out, "\n{}", look.text(&format!("The most is saved by{caveat}:")))?;
    writeln!(out, "  {}", look.title(&printable(&String::from_utf8_lossy(trial.shell.bytes()))))?;
    if let Some((first, others)) = trials.writes.split_first() {
        let more = if others.is_empty() { String::new() } else { format!(" ({} more)", others.len()) };
        let left = match trials.interrupted {
            Some(_) => "; it may be left as a remedy has written it",
            None => "",
        };
        let line = format!("It writes {}{more}, which is not compared{left}.", escape(first.bytes()));
        writeln!(out, "{}", look.warning(&line))?;
    }
    Ok(())
}

/// A time saved; with a minus where more was taken.
fn signed(ns: f64) -> String {
    let magnitude = time(ns.abs().round() as u64);
    if ns < 0.0 { format!("-{magnitude}") } else { magnitude }
}

fn share(difference: &Difference) -> String {
    let magnitude = percent(difference.share.abs());
    if difference.share < 0.0 { format!("-{magnitude}") } else { magnitude }
}

fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Same => "the same",
        Effect::StatusSame => "status the same",
        Effect::OutputDiffers => "differs",
        Effect::StatusDiffers => "status differs",
    }
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Faster => "faster",
        Verdict::NoDifference => "no difference seen",
        Verdict::Slower => "slower",
        Verdict::NotTheSame => "does something else: not recommended",
        Verdict::TooFew => "too few rounds",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::trial::NotTried;
    use crate::log::Run;

    fn runs(base_ns: u64) -> Vec<Run> {
        (0..8).map(|n| Run { wall_ns: base_ns + n * 10_000, ..Run::default() }).collect()
    }

    fn tried(what: &str, other_ns: u64, effect: Effect) -> Trial {
        let measured = Difference::of(&runs(5_000_000), &runs(other_ns));
        Trial {
            finding: Some("python-path"),
            what: what.into(),
            shell: format!("env {what} tool").as_str().into(),
            remedy: None,
            safety: None,
            predicted: None,
            verdict: Verdict::of(measured.as_ref(), effect),
            measured,
            beyond_best: None,
            effect,
        }
    }

    fn text(trials: &Trials) -> String {
        let mut out = Vec::new();
        write(&mut out, trials, Look::PLAIN).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_saves_most_and_does_the_same_is_recommended() {
        let trials = Trials {
            command: vec!["tool".to_owned()],
            output_compared: true,
            tried: vec![
                tried("A=1", 4_000_000, Effect::Same),
                tried("B=1", 3_000_000, Effect::Same),
                tried("C=1", 1_000_000, Effect::OutputDiffers),
                tried("D=1", 6_000_000, Effect::Same),
            ],
            recommended: Some(1),
            ..Trials::default()
        };
        let text = text(&trials);
        assert!(text.contains("\n  env B=1 tool\n"), "{text}");
        assert!(text.contains("does something else: not recommended") && text.contains("-1.00 ms"), "{text}");
    }

    #[test]
    fn hostile_names_and_nothing_at_all() {
        let trials = Trials {
            command: vec!["t\u{1b}[2J".to_owned()],
            tried: vec![tried("\u{1b}]0;x\u{7}\n", 4_000_000, Effect::StatusSame)],
            not_tried: vec![NotTried { finding: "wrapper", why: "\u{1b}c".to_owned() }],
            ..Trials::default()
        };
        let shown = text(&trials);
        assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown:?}");
        assert!(shown.contains("only exit statuses were compared"), "{shown}");
        assert!(text(&Trials::default()).contains("Nothing was found"));
    }

    #[test]
    fn what_is_not_known_stands_beside_the_recommendation() {
        let mut trials = Trials {
            tried: vec![tried("A='it'\\''s'", 4_000_000, Effect::StatusSame)],
            recommended: Some(0),
            writes: vec!["/out/a\n".into(), "/out/b".into()],
            ..Trials::default()
        };
        let shown = text(&trials);
        let expected = "saved by (only the exit status was compared):\n  env A='it'\\''s' tool\n\
                        It writes /out/a\\n (1 more), which is not compared.\n";
        assert!(shown.contains(expected), "{shown}");
        trials.interrupted = Some(Interrupted { signal: "SIGINT".to_owned(), number: 2, round: 9 });
        let shown = text(&trials);
        assert!(shown.contains("Ended by SIGINT in round 9:"), "{shown}");
        assert!(shown.contains("may be left as a remedy"), "{shown}");
    }
}
