//! A decoded batch, and its rows as [`Event`]s.

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Int8Type, Int32Type, Int64Type, UInt32Type, UInt64Type};
use arrow_array::{Array, ArrayRef, BinaryArray, ListArray, RecordBatch, StringArray};
use arrow_buffer::{NullBuffer, ScalarBuffer};

use super::escape;
use super::schema::{Column, PATH_ABSENT, PATH2_ABSENT};
use crate::event::{Abi, Event, FileStat, Flags, Kind};

/// The texts of one column of a batch, as bytes; a row refers to one by its key.
#[derive(Clone, Debug)]
pub struct Dictionary(BinaryArray);

impl Dictionary {
    fn new(values: &StringArray) -> Self {
        if !values.value_data().contains(&0xF4) || !values.iter().flatten().any(escape::is_escaped) {
            return Self(BinaryArray::from(values.clone()));
        }
        let mut bytes = Vec::new();
        Self(BinaryArray::from_iter_values(values.iter().map(|text| {
            bytes.clear();
            escape::unescape(text.unwrap_or_default(), &mut bytes);
            bytes.clone()
        })))
    }

    /// Number of texts; keys are below it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no texts.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text with this key.
    #[must_use]
    pub fn get(&self, key: u32) -> Option<&[u8]> {
        let key = key as usize;
        (key < self.0.len()).then(|| self.0.value(key))
    }
}

/// Numbers without nulls; empty if the column was not read.
#[derive(Debug)]
struct Numbers<T: ArrowPrimitiveType>(ScalarBuffer<T::Native>);

impl<T: ArrowPrimitiveType> Numbers<T> {
    fn at(&self, row: usize) -> T::Native {
        self.0.get(row).copied().unwrap_or_default()
    }
}

/// Numbers, some of them null; empty if the column was not read.
#[derive(Debug)]
struct Nullable<T: ArrowPrimitiveType>(ScalarBuffer<T::Native>, Option<NullBuffer>);

impl<T: ArrowPrimitiveType> Nullable<T> {
    fn at(&self, row: usize) -> Option<T::Native> {
        let value = self.0.get(row).copied()?;
        let is_null = self.1.as_ref().is_some_and(|nulls| nulls.is_null(row));
        (!is_null).then_some(value)
    }
}

/// Keys into a dictionary.
#[derive(Debug)]
struct Texts {
    keys: Nullable<Int32Type>,
    dictionary: Dictionary,
}

impl Texts {
    fn key(&self, row: usize) -> Option<u32> {
        self.keys.at(row).map(|key| key as u32)
    }

    fn at(&self, row: usize) -> Option<&[u8]> {
        self.dictionary.get(self.key(row)?)
    }
}

/// The enumerated values that the keys of a column mean.
#[derive(Debug)]
struct Enumeration<T> {
    keys: Numbers<Int8Type>,
    values: Vec<T>,
}

impl<T: Copy> Enumeration<T> {
    fn at(&self, row: usize) -> Option<T> {
        self.values.get(self.keys.at(row) as usize).copied()
    }
}

/// Argument lists, each argument ended by NUL.
#[derive(Debug)]
struct Lists {
    bytes: Vec<u8>,
    /// Of each row.
    ranges: Vec<Option<(usize, usize)>>,
}

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
}

impl Batch {
    /// Takes the columns out of a decoded batch. Columns that were not read are empty.
    pub(super) fn new(batch: &RecordBatch) -> Result<Self, String> {
        let columns = Columns(batch);
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
            flags: Flags(flags as u16),
        }
    }

    /// The rows of this kind.
    pub(super) fn rows_of(&self, kind: Kind) -> Vec<usize> {
        (0..self.len).filter(|&row| self.kind.at(row) == Some(kind)).collect()
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

/// The columns of a decoded batch by name. Their types were checked with the schema.
struct Columns<'a>(&'a RecordBatch);

impl Columns<'_> {
    fn get(&self, column: Column) -> Option<&ArrayRef> {
        self.0.column_by_name(column.name())
    }

    fn numbers<T: ArrowPrimitiveType>(&self, column: Column) -> Numbers<T> {
        Numbers(self.nullable::<T>(column).0)
    }

    fn nullable<T: ArrowPrimitiveType>(&self, column: Column) -> Nullable<T> {
        let array = self.get(column).and_then(|array| array.as_primitive_opt::<T>());
        array.map_or_else(
            || Nullable(ScalarBuffer::from(Vec::new()), None),
            |array| Nullable(array.values().clone(), array.nulls().cloned()),
        )
    }

    fn texts(&self, column: Column) -> Texts {
        let array = self.get(column).and_then(|array| array.as_dictionary_opt::<Int32Type>());
        let values =
            array.and_then(|array| array.values().as_string_opt::<i32>().map(|values| (array, values)));
        values.map_or_else(
            || Texts {
                keys: Nullable(ScalarBuffer::from(Vec::new()), None),
                dictionary: Dictionary(BinaryArray::from_iter_values::<&[u8], _>([])),
            },
            |(array, values)| Texts {
                keys: Nullable(array.keys().values().clone(), array.keys().nulls().cloned()),
                dictionary: Dictionary::new(values),
            },
        )
    }

    fn enumeration<T>(
        &self,
        column: Column,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Enumeration<T>, String> {
        let array = self.get(column).and_then(|array| array.as_dictionary_opt::<Int8Type>());
        let Some(array) = array else {
            return Ok(Enumeration { keys: Numbers(ScalarBuffer::from(Vec::new())), values: Vec::new() });
        };
        let names = array.values().as_string_opt::<i32>().into_iter().flatten();
        let values = names
            .map(|name| {
                let name = name.unwrap_or_default();
                parse(name).ok_or_else(|| format!("column `{}` has an unknown value {name:?}", column.name()))
            })
            .collect::<Result<_, _>>()?;
        Ok(Enumeration { keys: Numbers(array.keys().values().clone()), values })
    }

    fn lists(&self, column: Column) -> Lists {
        let mut lists = Lists { bytes: Vec::new(), ranges: Vec::new() };
        if let Some(array) = self.get(column).and_then(|array| array.as_list_opt::<i32>()) {
            lists.fill(array);
        }
        lists
    }
}

impl Lists {
    fn fill(&mut self, array: &ListArray) {
        let Some(items) = array.values().as_string_opt::<i32>() else { return };
        for (row, ends) in array.offsets().windows(2).enumerate() {
            let start = self.bytes.len();
            for item in ends[0]..ends[1] {
                let text = items.value(item as usize);
                match text.strip_suffix(escape::UNTERMINATED) {
                    Some(cut) => escape::unescape(cut, &mut self.bytes),
                    None => {
                        escape::unescape(text, &mut self.bytes);
                        self.bytes.push(0);
                    }
                }
            }
            self.ranges.push((!array.is_null(row)).then_some((start, self.bytes.len())));
        }
    }

    fn at(&self, row: usize) -> Option<&[u8]> {
        let (start, end) = self.ranges.get(row).copied().flatten()?;
        self.bytes.get(start..end)
    }
}
