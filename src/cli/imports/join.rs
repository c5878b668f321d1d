//! One log of two: the calls of one run with the stacks of another, and a mark for each import.
//!
//! The times are those of the first run. What it wrote to its standard error is known; a write of so many bytes wrote the next
//! line of that length, whichever thread made it. Where an import was asked for is what the other run tells of the
//! import of that name: threads need not come in the same order. What has no counterpart has no stack, and is told of.

use std::path::Path;

use rustc_hash::FxHashMap;

use super::super::failure::{Failure, note};
use super::super::joined::{self, Stacked};
use super::runs::Run;
use crate::analysis::imports::Line;
use crate::capture::StackFrames;
use crate::event::{Event, Kind};
use crate::log::Reader;
use crate::report::alignment;
use crate::report::units::things;
use crate::syscall::decode::{Memory, Phase, Snapshot};
use crate::syscall::{Family, lookup};

/// Standard error.
const STDERR: u64 = 2;
/// How far ahead a line is looked for: threads that write at the same time may end in another order.
const FARTHEST: usize = 256;

/// The end of an import.
struct Ending {
    depth: u64,
    stack: Option<u32>,
}

/// What the run with stacks tells of its calls.
#[derive(Default)]
struct Told {
    calls: joined::Told,
    /// By module: the ends of its imports.
    imports: FxHashMap<Vec<u8>, Vec<Ending>>,
}

impl Told {
    /// The end of an import; `None`: this run has no such import.
    fn take(&mut self, line: &Line<'_>) -> Option<Ending> {
        let known = self.imports.get_mut(line.name)?;
        // The depth counts the imports of all threads.
        let at = known.iter().position(|ending| ending.depth == line.depth).unwrap_or(0);
        (at < known.len()).then(|| known.remove(at))
    }

    fn left(&self) -> usize {
        self.imports.values().map(Vec::len).sum()
    }
}

/// The lines that a run wrote, each to be had once.
struct Lines<'a> {
    all: Vec<Option<&'a [u8]>>,
    /// Those before have been had.
    from: usize,
}

impl<'a> Lines<'a> {
    fn of(said: &'a [u8]) -> Self {
        Self { all: said.split_inclusive(|&byte| byte == b'\n').map(Some).collect(), from: 0 }
    }

    /// The import that a write of so many bytes told of, if it did.
    fn take(&mut self, length: usize) -> Option<Line<'a>> {
        let next = self.all.get_mut(self.from..)?.iter_mut().take(FARTHEST);
        let is_it = |line: &&mut Option<&[u8]>| line.is_some_and(|line| line.len() == length);
        let line = { next }.find(is_it).and_then(Option::take);
        while self.all.get(self.from).is_some_and(Option::is_none) {
            self.from += 1;
        }
        Line::all(line?).next()
    }

    /// Imports in lines that nobody has had.
    fn left(&self) -> usize {
        self.all.iter().flatten().filter(|line| Line::all(line).next().is_some()).count()
    }
}

/// Bytes that a call wrote to a file of this name by the descriptor of standard error.
fn wrote(event: &Event<'_>, file: &[u8]) -> Option<usize> {
    let is_write = lookup(event.abi, event.nr).is_some_and(|spec| spec.family == Family::Write);
    let there = event.file.is_some_and(|name| name.ends_with(file));
    let wrote = event.ret.filter(|_| is_write && there && event.args[0] == STDERR)?;
    usize::try_from(wrote).ok()
}

/// Writes the log.
pub fn join(times: &Run, stacks: &Path, output: &Path) -> Result<(), Failure> {
    let said = times.said().map_err(Failure::of_trace)?;
    let mut lines = Lines::of(&said);
    let name = times.said_name().map_err(Failure::of_trace)?;
    let mut told = read(stacks)?;
    let calls = std::mem::take(&mut told.calls);
    let stacked = Stacked { log: stacks, told: &calls, frames: StackFrames::Python };
    let mut without = 0;
    let alignment = joined::join(&times.log(), &stacked, output, |event, stack, writer| {
        if let Some(line) = wrote(event, &name).and_then(|length| lines.take(length)) {
            let known = told.take(&line);
            without += usize::from(known.is_none());
            writer.push(&line.mark(event, known.map_or(stack, |ending| ending.stack)));
        }
    })?;
    if alignment.aligned < alignment.calls {
        note(alignment::sentences(&alignment));
    }
    tell_imports(lines.left(), without, told.left());
    Ok(())
}

/// Says which imports only one of the runs has.
fn tell_imports(lost: usize, without: usize, left: usize) {
    if lost > 0 {
        let imports = things(lost as u64, "import is", "imports are");
        note(format_args!("{imports} left out: nothing is known of when Python told of them"));
    }
    if without > 0 {
        let imports = things(without as u64, "import was", "imports were");
        note(format_args!("{imports} not made in the run with stacks: who asked for them is not known"));
    }
    if left > 0 {
        let imports = things(left as u64, "import", "imports");
        let were = if left == 1 { "was" } else { "were" };
        note(format_args!("{imports} of the run with stacks {were} not made in the other"));
    }
}

fn read(log: &Path) -> Result<Told, Failure> {
    let mut told = Told::default();
    Reader::open(log)?.for_each(|event| {
        told.calls.add(event);
        if event.kind != Kind::Syscall {
            return;
        }
        let spec = lookup(event.abi, event.nr);
        if let Some(memory) = event.memory.filter(|_| spec.is_some_and(|spec| spec.family == Family::Write)) {
            for line in Line::all(&written(event, memory)) {
                told.imports
                    .entry(line.name.to_vec())
                    .or_default()
                    .push(Ending { depth: line.depth, stack: event.stack });
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
    fn lines_are_found_by_their_length_and_had_once() {
        let said = b"import time: 1 | 1 | a\nhello\nimport time: 22 | 2 | b\nimport time: 3 | 3 | c\n";
        let mut lines = Lines::of(said);
        let mut took = |length| lines.take(length).map(|line| line.self_us);
        // Another thread's line may come first; what is no such line is nobody's.
        assert_eq!(
            [took(24), took(23), took(6), took(24), took(23)],
            [Some(22), Some(1), None, None, Some(3)]
        );
        assert_eq!(lines.left(), 0);
    }

    #[test]
    fn who_asked_for_an_import_is_told_by_its_name() {
        let mut told = Told::default();
        told.imports.insert(
            b"a".to_vec(),
            vec![Ending { depth: 0, stack: Some(7) }, Ending { depth: 2, stack: Some(8) }],
        );
        let mut take = |name: &'static str, depth| {
            let line = Line { depth, self_us: 1, cumulative_us: 1, name: name.as_bytes() };
            told.take(&line).and_then(|ending| ending.stack)
        };
        assert_eq!([take("a", 2), take("a", 2), take("a", 0), take("b", 0)], [Some(8), Some(7), None, None]);
    }
}
