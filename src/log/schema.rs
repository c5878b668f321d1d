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
    /// Bytes, in logs that have the column at all.
    Bytes,
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
    /// [`crate::event::Flags`] in the low half, what the log itself needs in the high one.
    Flags "flags" U32 false,
    /// Stack, as the number of the row of kind `stack` that defines it. Logs of format 1 have no such column.
    Stack "stack" U32 true,
    /// What the call took when it was replayed: only in logs whose header has `replayed`.
    Replayed "replayed_ns" U64 true,
    /// What pointers pointed to; only in logs that were to keep it ([`Header::keeps_memory`]).
    Memory "memory" Bytes true,
}

/// Bit of the `flags` column: `path` is null because the event has none, although it has a `path_abs`.
pub(super) const PATH_ABSENT: u32 = 1 << 16;
/// The same for `path2` and `path2_abs`.
pub(super) const PATH2_ABSENT: u32 = 1 << 17;

impl Column {
    /// Whether a log with this header has it.
    fn is_in(self, header: &Header) -> bool {
        match self {
            Self::Memory => header.keeps_memory(),
            Self::Replayed => header.replayed.is_some(),
            _ => true,
        }
    }

    /// Whether a log may be without it, be it of an earlier format.
    const fn is_optional(self) -> bool {
        matches!(self, Self::Memory | Self::Replayed | Self::Stack)
    }

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
            Storage::Bytes => DataType::Binary,
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
        .filter(|column| column.is_in(header))
        .map(|column| Field::new(column.name(), column.data_type(), column.is_nullable()))
        .collect();
    let metadata = HashMap::from([(HEADER_KEY.to_owned(), serde_json::to_string(header)?)]);
    Ok(Arc::new(Schema::new_with_metadata(fields, metadata)))
}

/// Where each column stands in a schema that was read, `None` for one that it may be without; an error if another
/// is missing or of another type. Columns this version does not know are no error: they are passed over.
pub(super) fn positions(schema: &Schema) -> Result<[Option<usize>; Column::ALL.len()], Error> {
    let mut positions = [None; Column::ALL.len()];
    for column in Column::ALL {
        let problem = match schema.column_with_name(column.name()) {
            Some((at, field)) if field.data_type() == &column.data_type() => {
                positions[column as usize] = Some(at);
                continue;
            }
            Some((_, field)) => {
                format!("is of type {} and should be {}", field.data_type(), column.data_type())
            }
            None if column.is_optional() => continue,
            None => "is missing".to_owned(),
        };
        return Err(Error::Column { column: column.name(), problem });
    }
    Ok(positions)
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
}
