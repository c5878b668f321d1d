//! The columns of a log: their names, types and order.
//!
//! `docs/log-format.md` describes each one for readers in other languages; a test holds the two
//! together. Dictionary keys are signed because pandas takes no others.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef};

use super::{Header, error::Error};

/// Key of the schema metadata under which the [`Header`] stands, as JSON.
pub(super) const HEADER_KEY: &str = "trace";

/// Declares [`Column`] with its names, one line a column, in the order of the file.
macro_rules! columns {
    ($($(#[$doc:meta])* $variant:ident $name:literal $kind:ident $nullable:literal,)*) => {
        /// One column of a log.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Column {
            $($(#[$doc])* $variant,)*
        }

        impl Column {
            /// Every column in the order of the file.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// Its name in the file.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            const fn storage(self) -> Storage {
                match self { $(Self::$variant => Storage::$kind),* }
            }

            const fn is_nullable(self) -> bool {
                match self { $(Self::$variant => $nullable),* }
            }
        }
    };
}

/// How the values of a column are stored.
#[derive(Clone, Copy, PartialEq)]
enum Storage {
    /// Dictionary of a fixed enumeration, written once.
    Enum,
    /// Dictionary of texts, written anew for each batch.
    Text,
    U32,
    U64,
    I64,
    /// List of texts.
    Texts,
}

columns! {
    /// [`crate::event::Kind`].
    Kind "kind" Enum false,
    /// Process.
    Pid "pid" U32 false,
    /// Thread.
    Tid "tid" U32 false,
    /// Name of the thread.
    Comm "comm" Text false,
    /// Start.
    Start "start_ns" U64 false,
    /// Duration; null: never returned.
    Duration "duration_ns" U64 true,
    /// Name of the call, for other tools: `nr` and `abi` say the same.
    Syscall "syscall" Text true,
    /// Family of the call, for other tools.
    Family "family" Enum true,
    /// [`crate::event::Abi`].
    Abi "abi" Enum false,
    /// Number of the call or signal.
    Nr "nr" U32 false,
    /// First argument.
    A0 "a0" U64 false,
    /// Second argument.
    A1 "a1" U64 false,
    /// Third argument.
    A2 "a2" U64 false,
    /// Fourth argument.
    A3 "a3" U64 false,
    /// Fifth argument.
    A4 "a4" U64 false,
    /// Sixth argument.
    A5 "a5" U64 false,
    /// Return value.
    Ret "ret" I64 true,
    /// Name of the error, for other tools: `ret` says the same.
    Errno "errno" Text true,
    /// Instruction pointer.
    Ip "ip" U64 false,
    /// First path as passed; null where it equals `path_abs`.
    Path "path" Text true,
    /// First path made absolute.
    PathAbs "path_abs" Text true,
    /// Second path as passed; null where it equals `path2_abs`.
    Path2 "path2" Text true,
    /// Second path made absolute.
    Path2Abs "path2_abs" Text true,
    /// File behind the first descriptor.
    File "file" Text true,
    /// File behind the second descriptor.
    File2 "file2" Text true,
    /// Text returned, or name of a mark, loss or total.
    Text "text" Text true,
    /// Socket address.
    Peer "peer" Text true,
    /// Arguments of an exec.
    Argv "argv" Texts true,
    /// Stat: mode.
    StMode "st_mode" U32 true,
    /// Stat: links.
    StNlink "st_nlink" U32 true,
    /// Stat: size.
    StSize "st_size" I64 true,
    /// Stat: modification time.
    StMtime "st_mtime_ns" I64 true,
    /// Stat: inode.
    StIno "st_ino" U64 true,
    /// Stat: device.
    StDev "st_dev" U64 true,
    /// [`crate::event::Flags`] in the low half, [`PATH_ABSENT`] and [`PATH2_ABSENT`] in the high one.
    Flags "flags" U32 false,
}

/// Bit of the `flags` column: `path` is null because the event has none, although it has a `path_abs`.
pub(super) const PATH_ABSENT: u32 = 1 << 16;
/// The same for `path2` and `path2_abs`.
pub(super) const PATH2_ABSENT: u32 = 1 << 17;

impl Column {
    /// Its type in the file.
    #[must_use]
    pub fn data_type(self) -> DataType {
        let dictionary = |keys| DataType::Dictionary(Box::new(keys), Box::new(DataType::Utf8));
        match self.storage() {
            Storage::Enum => dictionary(DataType::Int8),
            Storage::Text => dictionary(DataType::Int32),
            Storage::U32 => DataType::UInt32,
            Storage::U64 => DataType::UInt64,
            Storage::I64 => DataType::Int64,
            Storage::Texts => DataType::List(item_field()),
        }
    }
}

/// The elements of the list column.
pub(super) fn item_field() -> Arc<Field> {
    Arc::new(Field::new("item", DataType::Utf8, false))
}

/// The schema of a log with this header.
pub(super) fn schema(header: &Header) -> Result<SchemaRef, serde_json::Error> {
    let fields: Vec<Field> = Column::ALL
        .iter()
        .map(|column| Field::new(column.name(), column.data_type(), column.is_nullable()))
        .collect();
    let metadata = HashMap::from([(HEADER_KEY.to_owned(), serde_json::to_string(header)?)]);
    Ok(Arc::new(Schema::new_with_metadata(fields, metadata)))
}

/// Where each column stands in a schema that was read; an error if one is missing or of another
/// type. Columns this version does not know are no error: they are passed over.
pub(super) fn positions(schema: &Schema) -> Result<[usize; Column::ALL.len()], Error> {
    let mut positions = [0; Column::ALL.len()];
    for column in Column::ALL {
        let problem = match schema.column_with_name(column.name()) {
            Some((at, field)) if field.data_type() == &column.data_type() => {
                positions[column as usize] = at;
                continue;
            }
            Some((_, field)) => {
                format!("is of type {} and should be {}", field.data_type(), column.data_type())
            }
            None => "is missing".to_owned(),
        };
        return Err(Error::Column { column: column.name(), problem });
    }
    Ok(positions)
}

/// A set of columns to be read; the fields of an event that are not in it may be left empty.
///
/// [`Column::Kind`], [`Column::Text`] and [`Column::Ret`] are always read: the totals at the end of
/// a log stand in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Columns(u64);

impl Columns {
    /// All columns that an event is made of.
    pub const ALL: Self =
        Self((1 << Column::ALL.len()) - 1).without(&[Column::Syscall, Column::Family, Column::Errno]);
    /// The six arguments.
    pub const ARGS: Self =
        Self::of(&[Column::A0, Column::A1, Column::A2, Column::A3, Column::A4, Column::A5]);
    /// What a stat-like call returned.
    pub const STAT: Self = Self::of(&[
        Column::StMode,
        Column::StNlink,
        Column::StSize,
        Column::StMtime,
        Column::StIno,
        Column::StDev,
    ]);

    /// These columns.
    #[must_use]
    pub const fn of(columns: &[Column]) -> Self {
        let mut bits = 0;
        let mut at = 0;
        while at < columns.len() {
            bits |= 1 << columns[at] as u8;
            at += 1;
        }
        Self(bits)
    }

    const fn without(self, columns: &[Column]) -> Self {
        Self(self.0 & !Self::of(columns).0)
    }

    /// Both sets together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether a column is in the set.
    #[must_use]
    pub const fn has(self, column: Column) -> bool {
        self.0 & (1 << column as u8) != 0
    }

    /// The set with the columns that the reader needs to give those of the set.
    pub(super) const fn completed(self) -> Self {
        let mut all = self.and(Self::of(&[Column::Kind, Column::Text, Column::Ret]));
        if all.has(Column::Duration) {
            all = all.and(Self::of(&[Column::Start]));
        }
        if all.has(Column::Path) {
            all = all.and(Self::of(&[Column::PathAbs, Column::Flags]));
        }
        if all.has(Column::Path2) {
            all = all.and(Self::of(&[Column::Path2Abs, Column::Flags]));
        }
        if Self::of(&[Column::StNlink, Column::StSize, Column::StMtime, Column::StIno, Column::StDev]).0
            & all.0
            != 0
        {
            all = all.and(Self::of(&[Column::StMode]));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_is_documented() {
        let page = include_str!("../../docs/log-format.md");
        for column in Column::ALL {
            let row = format!("| `{}` |", column.name());
            assert!(page.contains(&row), "docs/log-format.md has no row for {}", column.name());
        }
    }

    #[test]
    fn columns_stand_in_the_order_of_their_numbers() {
        for (at, column) in Column::ALL.iter().enumerate() {
            assert_eq!(*column as usize, at);
        }
    }

    #[test]
    fn projections_bring_what_they_need() {
        let path = Columns::of(&[Column::Path]).completed();
        assert!(path.has(Column::PathAbs) && path.has(Column::Flags) && path.has(Column::Kind));
        assert!(!path.has(Column::Path2Abs) && !path.has(Column::StMode));
        assert!(Columns::of(&[Column::StSize]).completed().has(Column::StMode));
        assert_eq!(Columns::ALL.completed(), Columns::ALL);
        assert!(!Columns::ALL.has(Column::Syscall));
    }
}
