//! Logs that are cut, damaged or hostile: never a panic, never unbounded memory, and everything
//! before the damage is read.

use std::io::Cursor;
use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::sample::{self, Owned};
use crate::event::Event;
use crate::log::read::{Frames, Next};
use crate::log::{Ending, Error, Reader};

/// Where the messages of a log begin, and what ends there; and the end of the log.
fn message_offsets(log: &[u8]) -> Vec<usize> {
    let mut frames = Frames::new(Cursor::new(log.to_vec()));
    frames.first().unwrap();
    let mut offsets = vec![frames.offset() as usize];
    while let Next::Some(frame) = frames.next(0).unwrap() {
        let body = arrow_ipc::root_as_message(&frame.metadata).unwrap().bodyLength();
        frames.body(&frame, body, 0).unwrap();
        offsets.push(frames.offset() as usize);
    }
    offsets
}

fn assert_prefix(read: &[Owned], events: &[Event<'_>]) {
    assert!(read.len() <= events.len());
    for (found, expected) in read.iter().zip(events) {
        assert_eq!(&found.get(), expected);
    }
}

#[test]
fn a_log_cut_anywhere_is_read_up_to_its_last_whole_batch() {
    let (log, events) = sample::log_of_batches(3);
    let header_len = message_offsets(&log)[0];
    let mut seen = Vec::new();
    let boundaries = message_offsets(&log);
    let is_near = |len: usize| boundaries.iter().any(|boundary| boundary.abs_diff(len) < 12);
    for len in (0..log.len()).filter(|len| is_near(*len) || len % 5 == 0) {
        let (read, ending) = sample::read(&log[..len]);
        match ending {
            Err(Error::Empty) => assert_eq!(len, 0),
            Err(Error::CutHeader) => assert!((1..header_len).contains(&len), "{len}"),
            Ok(Ending::Cut { events: count, unread }) => {
                assert!(len >= header_len);
                assert_prefix(&read, &events);
                // Each batch has a total and two definitions, the last one two totals more.
                let totals = read.len() as u64 - count;
                assert_eq!(totals, [0, 3, 6, 11][read.len().div_ceil(23)], "{len}");
                assert!(unread < (log.len() - header_len) as u64);
                if seen.last() != Some(&count) {
                    assert_eq!(unread, 0, "at the end of a batch nothing is left over");
                    seen.push(count);
                }
            }
            other => panic!("cut at {len}: {other:?}"),
        }
    }
    assert_eq!(seen, [0, 19, 38, 57]);
    assert!(matches!(sample::read(&log).1, Ok(Ending::Complete { events: 57, lost: Some(21) })));
}

#[test]
fn garbage_names_its_place_and_what_is_before_it_is_read() {
    let (log, events) = sample::log_of_batches(3);
    let offsets = message_offsets(&log);
    for &offset in &offsets {
        let mut damaged = log.clone();
        damaged[offset..offset + 8].copy_from_slice(b"garbage!");
        let (read, ending) = sample::read(&damaged);
        assert_prefix(&read, &events);
        match ending {
            Err(Error::Damaged { offset: at, events: before, .. }) => {
                assert_eq!(at as usize, offset);
                assert!(before as usize <= read.len());
            }
            other => panic!("garbage at {offset}: {other:?}"),
        }
    }
}

#[test]
fn something_after_the_end_is_an_error() {
    let (mut log, events) = sample::log_of_batches(2);
    log.push(0);
    let (read, ending) = sample::read(&log);
    assert_eq!(read.len(), events.len());
    assert!(matches!(ending, Err(Error::Damaged { events: 38, .. })));
}

#[test]
fn totals_that_do_not_add_up_are_an_error() {
    let (log, _) = sample::log_of_batches(3);
    // Take the second batch out, with the dictionaries it replaced, which the third replaces again.
    let offsets = message_offsets(&log);
    let (kept, _) = sample::log_of_batches(1);
    let first_end = message_offsets(&kept).len() - 1;
    let last_batches: Vec<usize> = (first_end..offsets.len()).collect();
    let mut without = log[..offsets[first_end]].to_vec();
    let middle = last_batches.iter().copied().find(|&at| {
        let (read, _) = sample::read(&log[..offsets[at]]);
        read.len() == 2 * sample::events().len()
    });
    without.extend_from_slice(&log[offsets[middle.unwrap()]..]);
    let (_, ending) = sample::read(&without);
    assert!(matches!(ending, Err(Error::Damaged { events: 38, .. })), "{ending:?}");
}

#[test]
fn things_that_are_no_logs() {
    assert!(matches!(sample::read(b"").1, Err(Error::Empty)));
    assert!(matches!(sample::read(b"123 openat(AT_FDCWD, \"/\") = 3\n").1, Err(Error::NotALog(_))));
    let error = sample::read(b"\x7fELF\x02\x01\x01").1.unwrap_err();
    assert!(error.to_string().contains("it is a program: `trace record` runs it"), "{error}");
    assert!(matches!(sample::read(&[0xff; 3]).1, Err(Error::CutHeader)));
    assert!(matches!(sample::read(&[0xff; 100]).1, Err(Error::NotALog(_))));
    let mut claims_much = vec![0xff; 4];
    claims_much.extend_from_slice(&(20_u32 << 20).to_le_bytes());
    claims_much.extend_from_slice(&[7; 1000]);
    assert!(matches!(sample::read(&claims_much).1, Err(Error::CutHeader)));
    // A stream that is Arrow's, but has no header of ours.
    let schema =
        arrow_schema::Schema::new(vec![arrow_schema::Field::new("a", arrow_schema::DataType::Int8, false)]);
    let mut bytes = Vec::new();
    arrow_ipc::writer::StreamWriter::try_new(&mut bytes, &schema).unwrap().finish().unwrap();
    assert!(matches!(sample::read(&bytes).1, Err(Error::NoHeader)));
}

/// A log of one batch whose schema was changed.
fn with_schema(change: impl Fn(&mut Vec<arrow_schema::Field>, &mut String)) -> Vec<u8> {
    let schema = crate::log::schema::schema(&sample::header()).unwrap();
    let mut fields: Vec<arrow_schema::Field> =
        schema.fields().iter().map(|field| (**field).clone()).collect();
    let mut json = schema.metadata()["trace"].clone();
    change(&mut fields, &mut json);
    let schema = arrow_schema::Schema::new_with_metadata(fields, [("trace".to_owned(), json)]);
    let mut bytes = Vec::new();
    arrow_ipc::writer::StreamWriter::try_new(&mut bytes, &schema).unwrap().finish().unwrap();
    bytes
}

#[test]
fn newer_and_damaged_headers() {
    let newer = with_schema(|fields, json| {
        fields.clear();
        *json = r#"{"format": 99, "writer": "9.9.9", "all": "else"}"#.to_owned();
    });
    let error = sample::read(&newer).1.unwrap_err();
    assert!(matches!(&error, Error::Newer { found: 99, .. }), "{error}");
    assert!(error.to_string().contains("use trace 9.9.9 or newer"), "{error}");
    let damaged = with_schema(|_, json| json.truncate(json.len() / 2));
    assert!(matches!(sample::read(&damaged).1, Err(Error::Header(_))));
}

#[test]
fn missing_and_mistyped_columns_are_named() {
    let missing = with_schema(|fields, _| fields.retain(|field| field.name() != "ip"));
    let error = sample::read(&missing).1.unwrap_err();
    assert_eq!(error.to_string(), "the log's table is damaged: column `ip` is missing");
    let mistyped = with_schema(|fields, _| {
        let at = fields.iter().position(|field| field.name() == "ret").unwrap();
        fields[at] = fields[at].clone().with_data_type(arrow_schema::DataType::Utf8);
    });
    let error = sample::read(&mistyped).1.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the log's table is damaged: column `ret` is of type Utf8 and should be Int64"
    );
    let further = with_schema(|fields, _| {
        fields.insert(0, arrow_schema::Field::new("new", arrow_schema::DataType::Float64, true));
    });
    assert!(matches!(sample::read(&further).1, Ok(Ending::Cut { events: 0, .. })));
}

#[test]
fn lengths_that_claim_terabytes_cost_nothing() {
    if std::env::var(sample::ALONE).is_err() {
        let test = "log::tests::damage::lengths_that_claim_terabytes_cost_nothing";
        return sample::assert_success(&mut sample::run_alone(test, Path::new("unused")));
    }
    // An allocation beyond the limit would end the process.
    let limit = 1 << 30;
    nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_AS, limit, limit).unwrap();
    let (log, events) = sample::log_of_batches(1);
    let log = sample::without_checksums(&log);
    // Every aligned 8 bytes in turn: body lengths, buffer offsets and lengths, row counts, lengths
    // of uncompressed buffers are among them.
    for claim in [1_i64 << 40, i64::MAX, i64::MIN, -2, 0x0fff_ffff_ffff] {
        for at in (message_offsets(&log)[0]..log.len() - 8).step_by(8) {
            let mut hostile = log.clone();
            hostile[at..at + 8].copy_from_slice(&claim.to_le_bytes());
            let (read, _) = sample::read(&hostile);
            assert!(read.len() <= events.len());
        }
    }
}

#[test]
fn decompression_bombs_are_refused() {
    let (log, _) = sample::log_of_batches(1);
    let log = sample::without_checksums(&log);
    let text = vec![b'a'; 65 << 20];
    let bomb = zstd_of(&text);
    // As the data of the first dictionary: longer than the message, so its body grows.
    let offsets = message_offsets(&log);
    let mut hostile = log[..offsets[0]].to_vec();
    hostile.extend(dictionary_message(0, &["kind"; 3], Some((text.len() as i64, &bomb))));
    let (_, ending) = sample::read(&hostile);
    let error = ending.unwrap_err().to_string();
    assert!(error.contains("it claims"), "{error}");
}

/// zstd's frame for these bytes, made by Arrow: the buffer of a batch without its length.
fn zstd_of(text: &[u8]) -> Vec<u8> {
    let message = dictionary_message(0, &[str::from_utf8(text).unwrap()], None);
    let metadata_len = u32::from_le_bytes(message[4..8].try_into().unwrap()) as usize;
    let parsed = arrow_ipc::root_as_message(&message[8..8 + metadata_len]).unwrap();
    let batch = parsed.header_as_dictionary_batch().unwrap().data().unwrap();
    let data = batch.buffers().unwrap().get(2);
    let start = 8 + metadata_len + data.offset() as usize + 8;
    message[start..start + data.length() as usize - 8].to_vec()
}

/// A dictionary message as Arrow writes it; with the data buffer's contents and claim replaced.
fn dictionary_message(id: usize, texts: &[&str], data: Option<(i64, &[u8])>) -> Vec<u8> {
    use std::sync::Arc;

    use arrow_array::types::Int8Type;
    use arrow_array::{DictionaryArray, Int8Array, RecordBatch, StringArray};
    use arrow_ipc::writer::{IpcWriteOptions, StreamWriter};
    assert_eq!(id, 0, "the first column of a stream has the first id");
    let array: DictionaryArray<Int8Type> =
        DictionaryArray::new(Int8Array::from(vec![0]), Arc::new(StringArray::from(texts.to_vec())));
    let batch = RecordBatch::try_from_iter([("kind", Arc::new(array) as _)]).unwrap();
    let options =
        IpcWriteOptions::default().try_with_compression(Some(arrow_ipc::CompressionType::ZSTD)).unwrap();
    let mut stream = StreamWriter::try_new_with_options(Vec::new(), &batch.schema(), options).unwrap();
    stream.get_mut().clear();
    stream.write(&batch).unwrap();
    let bytes = stream.get_mut().clone();
    let metadata_len = u32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize;
    let parsed = arrow_ipc::root_as_message(&bytes[8..8 + metadata_len]).unwrap();
    let body_len = parsed.bodyLength() as usize;
    let mut message = bytes[..8 + metadata_len + body_len].to_vec();
    if let Some((claim, content)) = data {
        let buffer = parsed.header_as_dictionary_batch().unwrap().data().unwrap().buffers().unwrap().get(2);
        let start = 8 + metadata_len + buffer.offset() as usize;
        message[start..start + 8].copy_from_slice(&claim.to_le_bytes());
        let room = (message.len() - start - 8).min(content.len());
        message[start + 8..start + 8 + room].copy_from_slice(&content[..room]);
    }
    message
}

/// A log with the places where its messages begin and the rows that can be read before each.
struct Whole {
    log: Vec<u8>,
    events: Vec<Event<'static>>,
    offsets: Vec<usize>,
    rows: Vec<usize>,
}

static SEALED: LazyLock<Whole> = LazyLock::new(|| {
    let (log, events) = sample::log_of_batches(3);
    whole(log, events)
});

/// By its checksums it is known that it is damaged, so nothing else of it is looked at; without them all is.
static UNSEALED: LazyLock<Whole> = LazyLock::new(|| {
    let (log, events) = sample::log_of_batches(3);
    whole(sample::without_checksums(&log), events)
});

fn whole(log: Vec<u8>, events: Vec<Event<'static>>) -> Whole {
    let offsets = message_offsets(&log);
    let rows = offsets.iter().map(|&offset| sample::read(&log[..offset]).0.len()).collect();
    Whole { log, events, offsets, rows }
}

#[test]
fn logs_without_checksums_are_read_too() {
    let (sealed, unsealed) = (sample::read(&SEALED.log), sample::read(&UNSEALED.log));
    assert!(matches!(unsealed.1, Ok(Ending::Complete { events: 57, lost: Some(21) })));
    assert_eq!(sealed.0.len(), unsealed.0.len());
    assert!(SEALED.log.len() > UNSEALED.log.len());
}

#[test]
fn no_flipped_bit_changes_what_is_read() {
    let whole = &*SEALED;
    let header = Reader::new(Cursor::new(whole.log.clone())).unwrap().header().clone();
    let is_near = |at: usize| whole.offsets.iter().any(|offset| offset.abs_diff(at) < 24);
    for at in (0..whole.log.len()).filter(|at| is_near(*at) || at % 11 == 0) {
        let mut damaged = whole.log.clone();
        damaged[at] ^= 1 << (at % 8);
        let (read, ending) = sample::read(&damaged);
        assert_prefix(&read, &whole.events);
        if let Ok(reader) = Reader::new(Cursor::new(damaged)) {
            assert_eq!(*reader.header(), header, "{at}");
        }
        match ending {
            Ok(Ending::Complete { .. }) => assert_eq!(read.len(), whole.events.len(), "{at}"),
            Ok(Ending::Cut { .. }) => {
                assert!(read.len() < whole.events.len() || at + 8 >= whole.log.len(), "{at}");
            }
            Err(_) => {}
        }
    }
}

#[test]
fn a_flipped_bit_in_a_body_is_named_and_repair_keeps_what_is_before() {
    let whole = &*SEALED;
    // Within the body of a message of the last batch: its end is where the next one begins.
    let at = whole.offsets[whole.offsets.len() - 1] - 5;
    let mut damaged = whole.log.clone();
    damaged[at] ^= 4;
    let error = sample::read(&damaged).1.unwrap_err();
    assert!(matches!(error, Error::Damaged { events: 38, .. }), "{error:?}");
    assert!(error.to_string().contains("its checksum is not that of what it holds"), "{error}");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("damaged");
    std::fs::write(&path, &damaged).unwrap();
    let repaired = crate::log::repair(&path, &path).unwrap();
    assert!(matches!(&repaired.found, crate::log::Found::Damaged(how) if how.contains("checksum")));
    assert_eq!(repaired.events, 38);
    let (read, ending) = sample::read(&std::fs::read(&path).unwrap());
    assert_prefix(&read[..38], &whole.events);
    assert!(matches!(ending, Ok(Ending::Complete { lost: None, .. })), "{ending:?}");
}

/// Reads a damaged log: the events before the damage are those written.
fn survive(whole: &Whole, damaged: &[u8], first_damage: usize) {
    let (read, ending) = sample::read(damaged);
    let messages = whole.offsets.iter().filter(|&&offset| offset <= first_damage).count();
    let rows = messages.checked_sub(1).map_or(0, |last| whole.rows[last]);
    assert!(read.len() >= rows, "{} of {rows} rows", read.len());
    assert_prefix(&read[..rows], &whole.events);
    if let Ok(Ending::Complete { events, .. }) = ending {
        assert_eq!(events, 57, "a log that is not all there never counts as complete");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn flipped_bytes(at in any::<prop::sample::Index>(), flip in 1..=255_u8, more in any::<Option<(prop::sample::Index, u8)>>()) {
        for whole in [&*SEALED, &*UNSEALED] {
            let mut damaged = whole.log.clone();
            let mut first = at.index(damaged.len());
            damaged[first] ^= flip;
            if let Some((at, byte)) = more {
                let other = at.index(damaged.len());
                damaged[other] = byte;
                first = first.min(other);
            }
            survive(whole, &damaged, first);
        }
    }

    #[test]
    fn ranges_overwritten(
        at in any::<prop::sample::Index>(),
        bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(0), Just(0xff)], 1..24),
        cut in any::<Option<prop::sample::Index>>(),
    ) {
        for whole in [&*SEALED, &*UNSEALED] {
            let mut damaged = whole.log.clone();
            let start = at.index(damaged.len());
            let end = (start + bytes.len()).min(damaged.len());
            damaged[start..end].copy_from_slice(&bytes[..end - start]);
            let cut = cut.map_or(damaged.len(), |cut| cut.index(damaged.len()));
            damaged.truncate(cut);
            survive(whole, &damaged, start.min(cut));
        }
    }
}
