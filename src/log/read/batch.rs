//! A decoded batch, and its rows as [`Event`]s.

use arrow_array::RecordBatch;
use arrow_array::types::{Int64Type, UInt32Type, UInt64Type};

use super::columns::{Decoded, Dictionary, Enumeration, Lists, Nullable, Numbers, Texts};
use crate::event::{Abi, Event, FileStat, Flags, Kind};
use crate::log::schema::{Column, PATH_ABSENT, PATH2_ABSENT};
use arrow_array::{Array, BinaryArray};

/// Some hundreds to thousands of events, decoded.
#[derive(Debug)]
pub struct Batch {
    len: usize,
    kind: Enumeration<Kind>,
    pid: Numbers<UInt32Type>,
    tid: Numbers<UInt32Type>,
    comm: Texts,
    start: Numbers<UInt64Type>,
    duration: Nullable<UInt64Type>,
    abi: Enumeration<Abi>,
    nr: Numbers<UInt32Type>,
    args: [Numbers<UInt64Type>; 6],
    ret: Nullable<Int64Type>,
    ip: Numbers<UInt64Type>,
    path: Texts,
    path_abs: Texts,
    path2: Texts,
    path2_abs: Texts,
    file: Texts,
    file2: Texts,
    text: Texts,
    peer: Texts,
    argv: Lists,
    mode: Nullable<UInt32Type>,
    nlink: Numbers<UInt32Type>,
    size: Numbers<Int64Type>,
    mtime: Numbers<Int64Type>,
    ino: Numbers<UInt64Type>,
    dev: Numbers<UInt64Type>,
    flags: Numbers<UInt32Type>,
    stack: Nullable<UInt32Type>,
    replayed: Nullable<UInt64Type>,
    memory: Option<BinaryArray>,
}

impl Batch {
    /// Takes the columns out of a decoded batch. Columns that were not read are empty.
    pub(super) fn new(batch: &RecordBatch) -> Result<Self, String> {
        let columns = Decoded(batch);
        Ok(Self {
            len: batch.num_rows(),
            kind: columns
                .enumeration(Column::Kind, |name| Kind::ALL.into_iter().find(|kind| kind.name() == name))?,
            pid: columns.numbers(Column::Pid),
            tid: columns.numbers(Column::Tid),
            comm: columns.texts(Column::Comm),
            start: columns.numbers(Column::Start),
            duration: columns.nullable(Column::Duration),
            abi: columns
                .enumeration(Column::Abi, |name| Abi::ALL.into_iter().find(|abi| abi.name() == name))?,
            nr: columns.numbers(Column::Nr),
            args: [Column::A0, Column::A1, Column::A2, Column::A3, Column::A4, Column::A5]
                .map(|column| columns.numbers(column)),
            ret: columns.nullable(Column::Ret),
            ip: columns.numbers(Column::Ip),
            path: columns.texts(Column::Path),
            path_abs: columns.texts(Column::PathAbs),
            path2: columns.texts(Column::Path2),
            path2_abs: columns.texts(Column::Path2Abs),
            file: columns.texts(Column::File),
            file2: columns.texts(Column::File2),
            text: columns.texts(Column::Text),
            peer: columns.texts(Column::Peer),
            argv: columns.lists(Column::Argv),
            mode: columns.nullable(Column::StMode),
            nlink: columns.numbers(Column::StNlink),
            size: columns.numbers(Column::StSize),
            mtime: columns.numbers(Column::StMtime),
            ino: columns.numbers(Column::StIno),
            dev: columns.numbers(Column::StDev),
            flags: columns.numbers(Column::Flags),
            stack: columns.nullable(Column::Stack),
            replayed: columns.nullable(Column::Replayed),
            memory: columns.bytes(Column::Memory),
        })
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The rows in order, totals included.
    #[must_use]
    pub fn events(&self) -> impl ExactSizeIterator<Item = Event<'_>> + '_ {
        (0..self.len).map(|row| self.event(row))
    }

    /// The key of a row's text in the [`dictionary`](Self::dictionary) of a column, for grouping
    /// without hashing: equal keys are equal texts, and different keys different ones. `None`: the
    /// row has no text there (for `Path` and `Path2`: none, or the one in the absolute column).
    #[must_use]
    pub fn key(&self, column: Column, row: usize) -> Option<u32> {
        self.texts(column)?.key(row)
    }

    /// The texts of a text column, which the keys of this batch, and no other, refer to. `None` for
    /// a column of another type.
    #[must_use]
    pub fn dictionary(&self, column: Column) -> Option<&Dictionary> {
        Some(&self.texts(column)?.dictionary)
    }

    fn texts(&self, column: Column) -> Option<&Texts> {
        Some(match column {
            Column::Comm => &self.comm,
            Column::Path => &self.path,
            Column::PathAbs => &self.path_abs,
            Column::Path2 => &self.path2,
            Column::Path2Abs => &self.path2_abs,
            Column::File => &self.file,
            Column::File2 => &self.file2,
            Column::Text => &self.text,
            Column::Peer => &self.peer,
            _ => return None,
        })
    }

    /// The event in a row below [`len`](Self::len).
    #[must_use]
    pub fn event(&self, row: usize) -> Event<'_> {
        let start_ns = self.start.at(row);
        let flags = self.flags.at(row);
        let path_abs = self.path_abs.at(row);
        let path2_abs = self.path2_abs.at(row);
        Event {
            kind: self.kind.at(row).unwrap_or(Kind::Syscall),
            pid: self.pid.at(row),
            tid: self.tid.at(row),
            comm: self.comm.at(row).unwrap_or_default(),
            start_ns,
            end_ns: self.duration.at(row).map(|duration| start_ns.wrapping_add(duration)),
            abi: self.abi.at(row).unwrap_or_default(),
            nr: self.nr.at(row),
            args: [0, 1, 2, 3, 4, 5].map(|arg: usize| self.args[arg].at(row)),
            ret: self.ret.at(row),
            ip: self.ip.at(row),
            path: self.path.at(row).or(path_abs.filter(|_| flags & PATH_ABSENT == 0)),
            path_abs,
            path2: self.path2.at(row).or(path2_abs.filter(|_| flags & PATH2_ABSENT == 0)),
            path2_abs,
            file: self.file.at(row),
            file2: self.file2.at(row),
            text: self.text.at(row),
            peer: self.peer.at(row),
            argv: self.argv.at(row),
            stat: self.stat(row),
            memory: self.memory(row),
            flags: Flags(flags as u16),
            stack: self.stack.at(row),
            replayed_ns: self.replayed.at(row),
        }
    }

    /// How many rows are something that happened.
    pub(super) fn happened(&self) -> usize {
        (0..self.len).filter(|&row| self.kind.at(row).is_none_or(Kind::happened)).count()
    }

    /// The rows of this kind.
    pub(super) fn rows_of(&self, kind: Kind) -> Vec<usize> {
        (0..self.len).filter(|&row| self.kind.at(row) == Some(kind)).collect()
    }

    fn memory(&self, row: usize) -> Option<&[u8]> {
        let column = self.memory.as_ref()?;
        (row < column.len() && column.is_valid(row)).then(|| column.value(row))
    }

    fn stat(&self, row: usize) -> Option<FileStat> {
        Some(FileStat {
            mode: self.mode.at(row)?,
            nlink: self.nlink.at(row),
            size: self.size.at(row),
            mtime_ns: self.mtime.at(row),
            ino: self.ino.at(row),
            dev: self.dev.at(row),
        })
    }
}
