//! Measures a command without tracing it, as `trace startup` does, and says what came of it.
//!
//! ```text
//! untraced [--runs N] [--prepare COMMAND] [--ignore-failure] [--json FILE] COMMAND...
//! ```
//!
//! Shows how a program uses the library; the tests of launching and measuring run it as well.

use serde_json::json;
use std::ffi::OsString;
use trace::analysis::interval::Figures;
use trace::capture::launch::{self, Command, LaunchError};
use trace::capture::stdio::Stdio;
use trace::capture::untraced::{self, Ending, Options, RunError};

struct Arguments {
    options: Options,
    json: Option<OsString>,
    command: Vec<OsString>,
}

fn arguments() -> Result<Arguments, String> {
    let mut parsed = Arguments { options: Options::default(), json: None, command: Vec::new() };
    let mut words = std::env::args_os().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{} needs a value", word.display()));
        match word.to_str() {
            Some("--runs") => {
                let runs = value()?;
                let number = runs.to_str().and_then(|runs| runs.parse().ok());
                parsed.options.policy.runs = Some(number.ok_or("--runs needs a number")?);
            }
            Some("--prepare") => parsed.options.prepare = Some(value()?.to_string_lossy().into_owned()),
            Some("--ignore-failure") => parsed.options.ignore_failure = true,
            Some("--json") => parsed.json = Some(value()?),
            _ => {
                parsed.command = std::iter::once(word).chain(words).collect();
                break;
            }
        }
    }
    Ok(parsed)
}

fn main() {
    std::process::exit(match run() {
        Ok(code) => i32::from(code),
        Err(error) => {
            eprintln!("untraced: {error}");
            i32::from(error.downcast_ref().map_or(125, LaunchError::exit_code))
        }
    });
}

fn run() -> anyhow::Result<u8> {
    let arguments = arguments().map_err(anyhow::Error::msg)?;
    let command = Command::resolve(arguments.command)?;
    let mut stdio = Stdio::new()?;
    let outcome = untraced::measure(&command, &mut stdio, &arguments.options, &mut ());
    let figures = Figures::of(&outcome.untraced.runs);
    let ending = outcome.ending.to_string();
    if let Some(file) = arguments.json {
        let result = json!({ "untraced": outcome.untraced, "figures": figures, "ending": ending });
        std::fs::write(file, result.to_string())?;
    } else {
        let wall = figures.map(|figures| figures.wall_ns);
        let (median, runs) = (wall.map_or(f64::NAN, |wall| wall.median / 1e6), outcome.untraced.runs.len());
        eprintln!("untraced: median of {runs} runs {median:.3} ms; {ending}");
    }
    match outcome.ending {
        Ending::Broken { error: RunError::Launch(error), .. } => Err(error.into()),
        Ending::Broken { error, .. } => Err(error.into()),
        _ => Ok(outcome.status.map_or(125, launch::pass_on)),
    }
}
