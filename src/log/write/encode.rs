//! From the columns of a batch to the bytes of an Arrow stream.
//!
//! Arrow's own writer makes the bytes, and each message gets its checksums. The columns are copied into its arrays, because it keeps the
//! dictionaries of one batch until the next, and the batch is to be filled again meanwhile.

use std::sync::Arc;

use arrow_array::types::{ArrowPrimitiveType, Int8Type, Int32Type, Int64Type, UInt32Type, UInt64Type};
use arrow_array::{
    ArrayRef, BinaryArray, DictionaryArray, ListArray, PrimitiveArray, RecordBatch, StringArray,
};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{IpcWriteOptions, StreamWriter};
use arrow_schema::{ArrowError, SchemaRef};

use super::columns::{BytesColumn, ListColumn, TextColumn};
use super::rows::Rows;
use crate::event::{Abi, Kind};
use crate::log::{checksum, schema};
use crate::syscall::Family;

/// Buffers begin at multiples of this many bytes. Compressed ones need no more, and 64 (Arrow's
/// default) would add some 2 KiB of padding to each batch.
const ALIGNMENT: usize = 8;

/// zstd's level.
const COMPRESSION_LEVEL: i32 = 3;

/// Makes the bytes of a stream: the schema first, then batches, then the end marker.
pub(in crate::log) struct Encoder {
    schema: SchemaRef,
    stream: StreamWriter<Vec<u8>>,
    /// What is to be written out.
    output: Vec<u8>,
    kinds: ArrayRef,
    abis: ArrayRef,
    families: ArrayRef,
}

impl Encoder {
    /// An encoder whose first output is the schema message.
    pub(in crate::log) fn new(schema: SchemaRef) -> Result<Self, ArrowError> {
        let names = |names: Vec<&str>| Arc::new(StringArray::from(names)) as ArrayRef;
        let mut encoder = Self {
            stream: stream(&schema)?,
            output: Vec::new(),
            schema,
            kinds: names(Kind::ALL.iter().map(|kind| kind.name()).collect()),
            abis: names(Abi::ALL.iter().map(|abi| abi.name()).collect()),
            families: names(Family::ALL.iter().map(|family| family.name()).collect()),
        };
        encoder.seal()?;
        Ok(encoder)
    }

    /// Adds checksums to what Arrow's writer has made.
    fn seal(&mut self) -> Result<(), ArrowError> {
        let made = self.stream.get_mut();
        let sealed = checksum::seal(made, &mut self.output);
        made.clear();
        sealed
    }

    /// Forgets which dictionaries were written, after output was thrown away; the schema message too, if it was in that.
    pub(in crate::log) fn restart(&mut self, is_begun: bool) -> Result<(), ArrowError> {
        self.stream = stream(&self.schema)?;
        self.output.clear();
        if is_begun {
            self.stream.get_mut().clear();
        }
        self.seal()
    }

    /// The bytes made since the last call, to be written out.
    pub(in crate::log) fn take_output<T>(&mut self, write: impl FnOnce(&[u8]) -> T) -> T {
        let result = write(&self.output);
        self.output.clear();
        result
    }

    /// Adds a batch to the output.
    pub(in crate::log) fn encode(&mut self, rows: &Rows) -> Result<(), ArrowError> {
        let batch = self.batch(rows)?;
        self.stream.write(&batch)?;
        self.seal()
    }

    /// Adds the first rows of a batch to the output, with the texts that they need.
    pub(in crate::log) fn encode_first(&mut self, rows: &Rows, count: usize) -> Result<(), ArrowError> {
        let batch = self.batch(rows)?.slice(0, count);
        let columns = batch.columns().iter().map(|column| with_own_texts(column));
        let batch = RecordBatch::try_new(self.schema.clone(), columns.collect::<Result<_, _>>()?)?;
        self.stream.write(&batch)?;
        self.seal()
    }

    /// Bytes made since the output was taken last.
    pub(in crate::log) fn output_len(&self) -> u64 {
        self.output.len() as u64
    }

    /// Adds the end marker to the output.
    pub(in crate::log) fn finish(&mut self) -> Result<(), ArrowError> {
        self.stream.finish()?;
        self.seal()
    }

    fn batch(&self, rows: &Rows) -> Result<RecordBatch, ArrowError> {
        let [path, path_abs, path2, path2_abs, file, file2, text, peer] = &rows.texts;
        let [a0, a1, a2, a3, a4, a5] = &rows.args;
        let stat = NullBuffer::from(&rows.stat_valid[..]);
        // In the order of `schema::Column`.
        let mut columns: Vec<ArrayRef> = vec![
            enumeration(&rows.kind, &self.kinds)?,
            numbers::<UInt32Type>(&rows.pid, None),
            numbers::<UInt32Type>(&rows.tid, None),
            texts(&rows.comm)?,
            numbers::<UInt64Type>(&rows.start, None),
            numbers::<UInt64Type>(&rows.duration.values, Some(NullBuffer::from(&rows.duration.valid[..]))),
            texts(&rows.syscall)?,
            enumeration(&rows.family, &self.families)?,
            enumeration(&rows.abi, &self.abis)?,
            numbers::<UInt32Type>(&rows.nr, None),
            numbers::<UInt64Type>(a0, None),
            numbers::<UInt64Type>(a1, None),
            numbers::<UInt64Type>(a2, None),
            numbers::<UInt64Type>(a3, None),
            numbers::<UInt64Type>(a4, None),
            numbers::<UInt64Type>(a5, None),
            numbers::<Int64Type>(&rows.ret.values, Some(NullBuffer::from(&rows.ret.valid[..]))),
            texts(&rows.errno)?,
            numbers::<UInt64Type>(&rows.ip, None),
            texts(path)?,
            texts(path_abs)?,
            texts(path2)?,
            texts(path2_abs)?,
            texts(file)?,
            texts(file2)?,
            texts(text)?,
            texts(peer)?,
            lists(&rows.argv)?,
            numbers::<UInt32Type>(&rows.mode, Some(stat.clone())),
            numbers::<UInt32Type>(&rows.nlink, Some(stat.clone())),
            numbers::<Int64Type>(&rows.size, Some(stat.clone())),
            numbers::<Int64Type>(&rows.mtime, Some(stat.clone())),
            numbers::<UInt64Type>(&rows.ino, Some(stat.clone())),
            numbers::<UInt64Type>(&rows.dev, Some(stat)),
            numbers::<UInt32Type>(&rows.flags, None),
            numbers::<UInt32Type>(&rows.stack.values, Some(NullBuffer::from(&rows.stack.valid[..]))),
        ];
        if self.schema.column_with_name(schema::Column::Replayed.name()).is_some() {
            let valid = NullBuffer::from(&rows.replayed.valid[..]);
            columns.push(numbers::<UInt64Type>(&rows.replayed.values, Some(valid)));
        }
        if self.schema.column_with_name(schema::Column::Memory.name()).is_some() {
            columns.push(bytes(&rows.memory)?);
        }
        RecordBatch::try_new(self.schema.clone(), columns)
    }
}

fn stream(schema: &SchemaRef) -> Result<StreamWriter<Vec<u8>>, ArrowError> {
    let options = IpcWriteOptions::try_new(ALIGNMENT, false, arrow_ipc::MetadataVersion::V5)?
        .try_with_compression(Some(CompressionType::ZSTD))?
        .try_with_compression_level(Some(COMPRESSION_LEVEL))?;
    StreamWriter::try_new_with_options(Vec::new(), schema, options)
}

fn numbers<T: ArrowPrimitiveType>(values: &[T::Native], nulls: Option<NullBuffer>) -> ArrayRef {
    // An array without nulls has no bitmap to be compressed.
    let nulls = nulls.filter(|nulls| nulls.null_count() > 0);
    Arc::new(PrimitiveArray::<T>::new(ScalarBuffer::from(values.to_vec()), nulls))
}

/// Keys into a dictionary, -1 for null. A null's key is stored as 0: no reader then finds one that
/// points outside of the dictionary.
fn keys<T: ArrowPrimitiveType>(keys: &[T::Native]) -> PrimitiveArray<T>
where
    T::Native: PartialOrd + Default,
{
    let null = T::Native::default();
    let valid: NullBuffer = keys.iter().map(|&key| key >= null).collect();
    let keys = keys.iter().map(|&key| if key >= null { key } else { null }).collect();
    PrimitiveArray::new(keys, Some(valid).filter(|nulls| nulls.null_count() > 0))
}

fn enumeration(values: &[i8], names: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    Ok(Arc::new(DictionaryArray::try_new(keys::<Int8Type>(values), names.clone())?))
}

fn texts(column: &TextColumn) -> Result<ArrayRef, ArrowError> {
    let names = strings(column.dictionary.offsets(), column.dictionary.text())?;
    Ok(Arc::new(DictionaryArray::try_new(keys::<Int32Type>(&column.keys), Arc::new(names))?))
}

/// A column of the first rows of a batch without texts that come only later: keys are given in the order of the texts.
fn with_own_texts(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let Some(texts) = column.as_any().downcast_ref::<DictionaryArray<Int32Type>>() else {
        return Ok(column.clone());
    };
    let last = texts.keys().iter().flatten().max();
    let count = last.map_or(0, |last| usize::try_from(last).unwrap_or(0) + 1);
    let own = texts.values().slice(0, count.min(texts.values().len()));
    Ok(Arc::new(DictionaryArray::try_new(texts.keys().clone(), own)?))
}

fn strings(offsets: &[i32], text: &[u8]) -> Result<StringArray, ArrowError> {
    StringArray::try_new(OffsetBuffer::new(offsets.to_vec().into()), Buffer::from(text), None)
}

fn bytes(column: &BytesColumn) -> Result<ArrayRef, ArrowError> {
    let offsets = OffsetBuffer::new(column.offsets.clone().into());
    let valid = NullBuffer::from(&column.valid[..]);
    Ok(Arc::new(BinaryArray::try_new(offsets, Buffer::from(&column.bytes[..]), Some(valid))?))
}

fn lists(column: &ListColumn) -> Result<ArrayRef, ArrowError> {
    let items = Arc::new(strings(&column.item_offsets, column.text.as_bytes())?);
    let offsets = OffsetBuffer::new(column.offsets.clone().into());
    let valid = NullBuffer::from(&column.valid[..]);
    Ok(Arc::new(ListArray::try_new(schema::item_field(), offsets, items, Some(valid))?))
}
