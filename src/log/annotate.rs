//! A copy of a log with something more in it, such as what each call took when it was replayed.
//!
//! The durations that were recorded stay as they are: the costs are a column of their own, which logs without
//! them do not have. The log that is read is not touched.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::repair::{cut_row, is_own_total};
use super::{Ending, Error, Header, Replayed, Source, Summary, Writer};
use crate::event::{Event, Kind};

/// Copies a log, of ours or of strace's, to `output`; `cost` gives what the n-th system call took, if it was
/// replayed. A log that was cut short is closed, with a row that says so.
pub fn annotate(
    source: &mut Source,
    output: &Path,
    how: Replayed,
    cost: impl Fn(usize) -> Option<u64>,
) -> Result<Summary, Error> {
    let mut header = source.header().clone();
    header.replayed = Some(how);
    let mut calls = 0;
    rewrite(source, output, header, |event, writer| {
        let replayed_ns = match event.kind {
            Kind::Syscall => {
                calls += 1;
                cost(calls - 1)
            }
            _ => None,
        };
        writer.push(&Event { replayed_ns, ..*event });
    })
}

/// Copies a log to `output` under another header; what is written in the place of each event is the caller's. A log that
/// was cut short is closed, with a row that says so.
pub fn rewrite(
    source: &mut Source,
    output: &Path,
    mut header: Header,
    mut write: impl FnMut(&Event<'_>, &mut Writer),
) -> Result<Summary, Error> {
    header.format = super::FORMAT_VERSION;
    let mut writer = Writer::create(output, &header)?;
    let mut last_ns = 0;
    let ending = source.for_each(|event| {
        last_ns = last_ns.max(event.end_ns.unwrap_or(event.start_ns));
        // These two are written anew.
        if !is_own_total(event) {
            write(event, &mut writer);
        }
    })?;
    if matches!(ending, Ending::Cut { .. }) {
        writer.push(&cut_row(last_ns));
    }
    writer.finish()
}

/// Whether both paths lead to the same file, which is there.
#[must_use]
pub fn is_same_file(one: &Path, other: &Path) -> bool {
    let id = |path: &Path| path.metadata().ok().map(|metadata| (metadata.dev(), metadata.ino()));
    id(one).is_some_and(|one| Some(one) == id(other))
}
