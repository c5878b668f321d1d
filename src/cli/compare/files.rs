//! What `trace compare -o DIR` keeps: a log of each side, and a flame graph of each difference.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::super::drawing_file;
use super::super::failure::{Failure, note};
use super::super::input;
use crate::analysis::cost::Quality;
use crate::analysis::flame::Flame;
use crate::analysis::fold::{By, Metric};
use crate::log::Columns;
use crate::report::compare::LETTERS;
use crate::report::flame::{self, Caption};

/// Makes the directory, or takes it as it is.
pub fn make_directory(directory: &Path) -> Result<(), Failure> {
    let made = std::fs::create_dir_all(directory);
    made.with_context(|| format!("cannot make the directory {}", directory.display()))
        .map_err(Failure::of_trace)
}

/// The log of a side.
pub fn log_of(directory: &Path, side: usize) -> PathBuf {
    directory.join(format!("{}.trace", LETTERS[side % LETTERS.len()].to_lowercase()))
}

/// Draws how each side differs from the first: red is more, blue is less. By path, and by stack where both logs have stacks.
pub fn flame_graphs(directory: &Path, logs: &[Option<PathBuf>], place: &input::Place) -> Result<(), Failure> {
    let Some((Some(reference), others)) = logs.split_first() else { return Ok(()) };
    for (at, log) in others.iter().enumerate().filter_map(|(at, log)| Some((at + 1, log.as_ref()?))) {
        for (by, what) in [(By::Path, ""), (By::Stack, "-stacks")] {
            let (base, other) = (read(reference, place, by)?, read(log, place, by)?);
            let Some(metric) = metric(by, [&base, &other]) else { continue };
            let letter = |side: usize| LETTERS[side % LETTERS.len()].to_lowercase();
            let path = directory.join(format!("{}-{}{what}.svg", letter(0), letter(at)));
            let mut drawing = other.finish(metric);
            drawing.graph.compare(&base.finish(metric).graph);
            let caption = Caption { filter: None, other: Some(&reference.display().to_string()) };
            let mut svg = Vec::new();
            if flame::svg(&mut svg, &drawing, &caption).map_err(Failure::of_trace)? {
                drawing_file::replace_svg(&path, &svg).map_err(Failure::of_trace)?;
                note(format_args!("flame graph of the difference in {}", path.display()));
            }
        }
    }
    Ok(())
}

/// What both drawings can show; `None`: one of them has no stacks.
fn metric(by: By, both: [&Flame; 2]) -> Option<Metric> {
    let all = |has: fn(&Flame) -> bool| both.into_iter().all(has);
    let best = if all(|flame| flame.quality() != Quality::Unknown) { Metric::Time } else { Metric::Count };
    match by {
        By::Stack if all(|flame| flame.calls_with_stack() > 0) => Some(best),
        By::Stack if all(|flame| flame.samples() > 0) => Some(Metric::Cpu),
        By::Stack => None,
        _ => Some(best),
    }
}

fn read(log: &Path, place: &input::Place, by: By) -> Result<Flame, Failure> {
    let mut reader = input::open(log, place, Columns::ALL).map_err(|failure| failure.or_code(125))?;
    let mut flame = Flame::new(reader.header(), by).without_arguments();
    let ending = reader.for_each(|event| flame.add(event, true));
    ending.map_err(|error| Failure::of_trace(input::named(log, error)))?;
    Ok(flame)
}
