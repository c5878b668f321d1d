//! One log of two: the calls of one run with the stacks of another, and a mark for each import.
//!
//! Which call wrote which of Python's lines is known of the run with stacks; the times are those of the other run's lines, of
//! which only the text is known: a line of the same name there. What has no counterpart has no stack, and is told of.

use std::path::Path;

use rustc_hash::FxHashMap;

use super::super::failure::{Failure, note};
use super::runs::Run;
use crate::analysis::align::Outline;
use crate::analysis::imports::Line;
use crate::event::{Event, Kind};
use crate::log::{self, Reader, Source};
use crate::report::escape::escape;
use crate::report::units::{percent, things};
use crate::syscall::decode::{Memory, Phase, Snapshot};
use crate::syscall::{Family, lookup};

/// Calls without a counterpart that are named.
const NAMED: usize = 3;
/// How far ahead a line is looked for: several processes may write at the same time.
const FARTHEST: usize = 4096;

/// What the run with stacks tells of its calls.
#[derive(Default)]
struct Told {
    outline: Outline,
    /// By call.
    stacks: Vec<Option<u32>>,
    /// What calls wrote that tell of imports.
    lines: FxHashMap<u32, Vec<u8>>,
}

/// The lines that a run wrote, each to be had once.
struct Lines<'a> {
    all: Vec<Option<Line<'a>>>,
    /// Those before have been had.
    from: usize,
}

impl<'a> Lines<'a> {
    fn of(said: &'a [u8]) -> Self {
        Self { all: Line::all(said).map(Some).collect(), from: 0 }
    }

    /// The next line about the same import.
    fn take(&mut self, like: &Line<'_>) -> Option<Line<'a>> {
        let is_like = |line: &Line<'a>| (line.name, line.depth) == (like.name, like.depth);
        let next = self.all.get_mut(self.from..)?.iter_mut().take(FARTHEST);
        let found = next.map(|line| line.take_if(|line| is_like(line))).find(Option::is_some).flatten();
        while self.all.get(self.from).is_some_and(Option::is_none) {
            self.from += 1;
        }
        found
    }
}

/// Writes the log.
pub fn join(times: &Run, stacks: &Path, output: &Path) -> Result<(), Failure> {
    let costs = &times.log();
    let said = times.said().map_err(Failure::of_trace)?;
    let mut lines = Lines::of(&said);
    let told = read(stacks)?;
    let mut here = Outline::default();
    Reader::open(costs)?.for_each(|event| here.add(event))?;
    let counterparts = here.counterparts(&told.outline);
    let known = counterparts.iter().flatten().count();
    let mut source = Source::open(costs, None)?;
    let mut header = source.header().clone();
    header.options.insert(log::ALIGNED.to_owned(), format!("{} {known}", counterparts.len()));
    header.options.insert("stacks".to_owned(), "python".to_owned());
    let mut alone: Vec<String> = Vec::new();
    let mut definitions = Some(Reader::open(stacks)?);
    let mut broken = None;
    let (mut at, mut untold) = (0, 0);
    log::rewrite(&mut source, output, header, |event, writer| {
        if let Some(mut reader) = definitions.take() {
            let defined = reader.for_each(|event| {
                if matches!(event.kind, Kind::Frame | Kind::Stack) {
                    writer.push(event);
                }
            });
            broken = defined.err();
        }
        if event.kind != Kind::Syscall {
            writer.push(event);
            return;
        }
        let there = counterparts.get(at).copied().flatten();
        at += 1;
        if there.is_none() && alone.len() < NAMED {
            alone.push(named(event));
        }
        let stack = there.and_then(|there| told.stacks.get(there as usize).copied().flatten());
        let written = there.and_then(|there| told.lines.get(&there));
        for line in written.into_iter().flat_map(|written| Line::all(written)) {
            match lines.take(&line) {
                Some(line) => writer.push(&line.mark(event, stack)),
                None => untold += 1,
            }
        }
        writer.push(&Event { stack, ..*event });
    })?;
    if let Some(error) = broken {
        return Err(error.into());
    }
    tell(counterparts.len(), known, &alone);
    let left = lines.all.iter().flatten().count() as u64;
    if left > 0 {
        note(format_args!(
            "{} left out: not found in the run with stacks",
            things(left, "import is", "imports are")
        ));
    }
    if untold > 0 {
        note(format_args!(
            "{} of the run with stacks were not made in the other",
            things(untold, "import", "imports")
        ));
    }
    Ok(())
}

/// Says which calls one run had alone.
fn tell(calls: usize, known: usize, alone: &[String]) {
    if known == calls || calls == 0 {
        return;
    }
    let more = if calls - known > alone.len() { ", ..." } else { "" };
    let lacking = things((calls - known) as u64, "call has", "calls have");
    let share = percent(known as f64 / calls as f64);
    note(format_args!(
        "{lacking} no counterpart in the run with stacks ({}{more}); {share} of all do",
        alone.join(", ")
    ));
}

/// A call, as a person recognizes it.
fn named(event: &Event<'_>) -> String {
    let name = lookup(event.abi, event.nr).map_or("a call", |spec| spec.name);
    match event.path_abs.or(event.path).or(event.file) {
        Some(path) => format!("{name} {}", escape(path)),
        None => name.to_owned(),
    }
}

fn read(log: &Path) -> Result<Told, Failure> {
    let mut told = Told::default();
    Reader::open(log)?.for_each(|event| {
        told.outline.add(event);
        if event.kind != Kind::Syscall {
            return;
        }
        let number = told.stacks.len() as u32;
        told.stacks.push(event.stack);
        let spec = lookup(event.abi, event.nr);
        if let Some(memory) = event.memory.filter(|_| spec.is_some_and(|spec| spec.family == Family::Write)) {
            let written = written(event, memory);
            if Line::all(&written).next().is_some() {
                told.lines.insert(number, written);
            }
        }
    })?;
    Ok(told)
}

/// What a `write` wrote, as far as it was kept.
fn written(event: &Event<'_>, memory: &[u8]) -> Vec<u8> {
    let [_, address, length, ..] = event.args;
    let mut bytes = vec![0; usize::try_from(length).map_or(0, |length| length.min(memory.len()))];
    let got = Snapshot(memory).read(Phase::Entry, address, &mut bytes);
    bytes.truncate(got);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_by_name_and_had_once() {
        let said = b"import time: 1 | 1 | a\nimport time: 2 | 2 |   a\nx\nimport time: 3 | 3 | b\nimport time: 4 | 4 | a\n";
        let mut lines = Lines::of(said);
        let mut took = |name: &'static str, depth| {
            let like = Line { depth, self_us: 9, cumulative_us: 9, name: name.as_bytes() };
            lines.take(&like).map(|line| line.self_us)
        };
        assert_eq!(
            [took("a", 0), took("b", 0), took("a", 1), took("a", 0), took("a", 0)],
            [Some(1), Some(3), Some(2), Some(4), None]
        );
    }
}
