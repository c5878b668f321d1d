//! One log of two runs: the calls of one, whose times count, with the stacks of the other.
//!
//! Calls are put side by side by what they are ([`align`](crate::analysis::align)). A call without a counterpart has no
//! stack, and a flag that says so.

use std::path::Path;

use super::failure::Failure;
use crate::analysis::align::Outline;
use crate::analysis::alignment::{Aligning, Alignment};
use crate::capture::StackFrames;
use crate::event::{Event, Flags, Kind, mark};
use crate::log::{self, Reader, Source, Writer};

/// What a run with stacks tells of its calls.
#[derive(Default)]
pub struct Told {
    outline: Outline,
    /// By call.
    stacks: Vec<Option<u32>>,
}

impl Told {
    /// Takes in an event.
    pub fn add(&mut self, event: &Event<'_>) {
        self.outline.add(event);
        if event.kind == Kind::Syscall {
            self.stacks.push(event.stack);
        }
    }

    /// What a log tells.
    pub fn of(log: &Path) -> Result<Self, log::Error> {
        let mut told = Self::default();
        Reader::open(log)?.for_each(|event| told.add(event))?;
        Ok(told)
    }
}

/// The log of a run with stacks.
pub struct Stacked<'a> {
    /// Where it is.
    pub log: &'a Path,
    /// What it tells.
    pub told: &'a Told,
    /// Which frames its stacks have.
    pub frames: StackFrames,
}

/// Writes the log to `output`: `before` is told of each call and its stack, and may write something before it.
pub fn join(
    costs: &Path,
    stacked: &Stacked<'_>,
    output: &Path,
    mut before: impl FnMut(&Event<'_>, Option<u32>, &mut Writer),
) -> Result<Alignment, Failure> {
    let told = stacked.told;
    let mut here = Outline::default();
    Source::open(costs, None)?.for_each(|event| here.add(event))?;
    let counterparts = here.counterparts(&told.outline);
    let known = counterparts.iter().flatten().count();
    let mut source = Source::open(costs, None)?;
    let mut header = source.header().clone();
    let others = told.outline.calls().saturating_sub(known);
    let aligned = format!("{} {known} {others}", counterparts.len());
    header.options.insert(log::ALIGNED.to_owned(), aligned);
    header.options.insert(log::STACKS.to_owned(), stacked.frames.name().to_owned());
    let mut aligning = Aligning::new(&header);
    let mut definitions = Some(Reader::open(stacked.log)?);
    let mut broken = None;
    let mut at = 0;
    log::rewrite(&mut source, output, header, |event, writer| {
        if let Some(mut reader) = definitions.take() {
            let begin = Event {
                pid: event.pid,
                tid: event.tid,
                comm: event.comm,
                start_ns: event.start_ns,
                end_ns: Some(event.start_ns),
                ..Event::new(Kind::Mark)
            };
            let defined = reader.for_each(|event| {
                let is_unread =
                    event.kind == Kind::Mark && event.text == Some(mark::UNREAD_PYTHON.as_bytes());
                if matches!(event.kind, Kind::Frame | Kind::Stack) {
                    writer.push(event);
                } else if is_unread {
                    // Why stacks are missing is as true of this log; when it was is not.
                    writer.push(&Event { text: event.text, ..begin });
                }
            });
            broken = defined.err();
        }
        match event.kind {
            // Those of the other run have taken the numbers.
            Kind::Frame | Kind::Stack => {}
            Kind::Syscall => {
                let there = counterparts.get(at).copied().flatten();
                at += 1;
                let stack = there.and_then(|there| told.stacks.get(there as usize).copied().flatten());
                before(event, stack, writer);
                let mut flags = event.flags;
                if there.is_none() {
                    flags.set(Flags::UNMATCHED);
                }
                let event = Event { flags, stack, ..*event };
                if let Some(aligning) = &mut aligning {
                    aligning.add(&event);
                }
                writer.push(&event);
            }
            _ => writer.push(&Event { stack: None, ..*event }),
        }
    })?;
    match (broken, aligning) {
        (Some(error), _) => Err(error.into()),
        (None, Some(aligning)) => Ok(aligning.finish()),
        (None, None) => {
            Err(Failure::of_trace(anyhow::anyhow!("the joined log does not say how it was joined")))
        }
    }
}
