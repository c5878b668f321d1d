//! The columns of a decoded batch, as the types that an event's fields are taken from.

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Int8Type, Int32Type};
use arrow_array::{Array, ArrayRef, BinaryArray, ListArray, RecordBatch, StringArray};
use arrow_buffer::{NullBuffer, ScalarBuffer};

use crate::event::escape;
use crate::log::schema::Column;

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
pub(super) struct Numbers<T: ArrowPrimitiveType>(ScalarBuffer<T::Native>);

impl<T: ArrowPrimitiveType> Numbers<T> {
    pub(super) fn at(&self, row: usize) -> T::Native {
        self.0.get(row).copied().unwrap_or_default()
    }
}

/// Numbers, some of them null; empty if the column was not read.
#[derive(Debug)]
pub(super) struct Nullable<T: ArrowPrimitiveType>(ScalarBuffer<T::Native>, Option<NullBuffer>);

impl<T: ArrowPrimitiveType> Nullable<T> {
    pub(super) fn at(&self, row: usize) -> Option<T::Native> {
        let value = self.0.get(row).copied()?;
        let is_null = self.1.as_ref().is_some_and(|nulls| nulls.is_null(row));
        (!is_null).then_some(value)
    }
}

/// Keys into a dictionary.
#[derive(Debug)]
pub(super) struct Texts {
    keys: Nullable<Int32Type>,
    pub(super) dictionary: Dictionary,
}

impl Texts {
    pub(super) fn key(&self, row: usize) -> Option<u32> {
        self.keys.at(row).map(|key| key as u32)
    }

    pub(super) fn at(&self, row: usize) -> Option<&[u8]> {
        self.dictionary.get(self.key(row)?)
    }
}

/// The enumerated values that the keys of a column mean.
#[derive(Debug)]
pub(super) struct Enumeration<T> {
    keys: Numbers<Int8Type>,
    values: Vec<T>,
}

impl<T: Copy> Enumeration<T> {
    pub(super) fn at(&self, row: usize) -> Option<T> {
        self.values.get(self.keys.at(row) as usize).copied()
    }
}

/// Argument lists, each argument ended by NUL.
#[derive(Debug)]
pub(super) struct Lists {
    bytes: Vec<u8>,
    /// Of each row.
    ranges: Vec<Option<(usize, usize)>>,
}

/// The columns of a decoded batch by name. Their types were checked with the schema.
pub(super) struct Decoded<'a>(pub(super) &'a RecordBatch);

impl Decoded<'_> {
    fn get(&self, column: Column) -> Option<&ArrayRef> {
        self.0.column_by_name(column.name())
    }

    pub(super) fn numbers<T: ArrowPrimitiveType>(&self, column: Column) -> Numbers<T> {
        Numbers(self.nullable::<T>(column).0)
    }

    pub(super) fn nullable<T: ArrowPrimitiveType>(&self, column: Column) -> Nullable<T> {
        let array = self.get(column).and_then(|array| array.as_primitive_opt::<T>());
        array.map_or_else(
            || Nullable(ScalarBuffer::from(Vec::new()), None),
            |array| Nullable(array.values().clone(), array.nulls().cloned()),
        )
    }

    pub(super) fn texts(&self, column: Column) -> Texts {
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

    pub(super) fn enumeration<T>(
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

    /// `None` where the log has no such column, or it was not read.
    pub(super) fn bytes(&self, column: Column) -> Option<BinaryArray> {
        self.get(column).and_then(|array| array.as_binary_opt::<i32>()).cloned()
    }

    pub(super) fn lists(&self, column: Column) -> Lists {
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
                let cut = text.strip_suffix(escape::UNTERMINATED);
                escape::unescape(cut.unwrap_or(text), &mut self.bytes);
                if cut.is_none() {
                    self.bytes.push(0);
                }
            }
            self.ranges.push((!array.is_null(row)).then_some((start, self.bytes.len())));
        }
    }

    pub(super) fn at(&self, row: usize) -> Option<&[u8]> {
        let (start, end) = self.ranges.get(row).copied().flatten()?;
        self.bytes.get(start..end)
    }
}
