//! How fast events go into a log and come out of it, on a recorded `pip install`.
//!
//! `push` is what the tracer waits for; `write` adds encoding, compression and writing, which the
//! writer's thread does beside it.

use std::hint::black_box;
use std::io::Cursor;
use std::path::Path;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use trace::event::Event;
use trace::log::{Batch, Column, Columns, Header, Reader, Source, Writer};
use trace::plan::Planner;

static LOG: &[u8] = include_bytes!("../fixtures/logs/pip-install.trace");

fn main() {
    divan::main();
}

fn load() -> (Header, Vec<Batch>) {
    let mut reader = Reader::new(Cursor::new(LOG)).expect("the fixture is a log");
    let batches = std::iter::from_fn(|| reader.next_batch().expect("the fixture is whole")).collect();
    (reader.header().clone(), batches)
}

fn events(batches: &[Batch]) -> Vec<Event<'_>> {
    batches.iter().flat_map(Batch::events).collect()
}

fn writer(header: &Header) -> Writer {
    Writer::create(Path::new("/dev/null"), header).expect("/dev/null takes a log")
}

/// The tracer's part. A batch is larger than the fixture, so nobody waits for the other thread.
#[divan::bench]
fn push(bencher: Bencher<'_, '_>) {
    let (header, batches) = load();
    let events = events(&batches);
    bencher.counter(ItemsCount::new(events.len())).with_inputs(|| writer(&header)).bench_local_refs(
        |writer| {
            for event in &events {
                writer.push(event);
            }
        },
    );
}

/// Everything, through several batches.
#[divan::bench]
fn write(bencher: Bencher<'_, '_>) {
    const TIMES: usize = 10;
    let (header, batches) = load();
    let events = events(&batches);
    bencher
        .counter(ItemsCount::new(events.len() * TIMES))
        .with_inputs(|| writer(&header))
        .bench_local_values(|mut writer| {
            for event in std::iter::repeat_n(&events, TIMES).flatten() {
                writer.push(event);
            }
            writer.finish().expect("/dev/null is never full")
        });
}

fn read(bencher: Bencher<'_, '_>, columns: Columns) {
    let rows = events(&load().1).len();
    bencher.counter(ItemsCount::new(rows)).bench_local(|| {
        let reader = Reader::new(Cursor::new(LOG)).expect("the fixture is a log");
        reader.with_columns(columns).for_each(|event| {
            black_box(event);
        })
    });
}

/// Every field of every event.
#[divan::bench]
fn read_all(bencher: Bencher<'_, '_>) {
    read(bencher, Columns::ALL);
}

/// The columns that a table of calls by path needs.
#[divan::bench]
fn read_some(bencher: Bencher<'_, '_>) {
    use Column::{Abi, Duration, Nr, PathAbs, Pid, Ret, Start};
    read(bencher, Columns::of(&[Pid, Start, Duration, Abi, Nr, Ret, PathAbs]));
}

/// Counting by path with the dictionary's keys instead of a hash table of paths.
#[divan::bench]
fn count_by_key(bencher: Bencher<'_, '_>) {
    let (_, batches) = load();
    let rows: usize = batches.iter().map(Batch::len).sum();
    bencher.counter(ItemsCount::new(rows)).bench_local(|| {
        for batch in &batches {
            let paths = batch.dictionary(Column::PathAbs).map_or(0, trace::log::Dictionary::len);
            let mut counts = vec![0_u32; paths];
            for row in 0..batch.len() {
                if let Some(key) = batch.key(Column::PathAbs, row) {
                    counts[key as usize] += 1;
                }
            }
            black_box(counts);
        }
    });
}

/// strace's text as users make it, and with names of files and times; each some megabytes.
const TEXTS: [(&str, &[u8]); 2] = [
    ("strace -f", include_bytes!("../fixtures/logs/strace/plain.strace")),
    ("strace -f -ttt -T -y", include_bytes!("../fixtures/logs/strace/T.strace")),
];

/// Reading strace's text. Every copy of the log is a further run: its processes have ended.
#[divan::bench(args = [0, 1])]
fn read_strace(bencher: Bencher<'_, '_>, which: usize) {
    let text = TEXTS[which].1.repeat(500);
    bencher
        .counter(BytesCount::new(text.len()))
        .with_inputs(|| Cursor::new(text.clone()))
        .bench_local_values(|input| {
            let mut source = Source::new(input, Some(b"/")).expect("it is strace's");
            source.for_each(|event| {
                black_box(event);
            })
        });
}

/// A plan of what is to be replayed, of many runs one after the other.
#[divan::bench]
fn plan(bencher: Bencher<'_, '_>) {
    const TIMES: usize = 20;
    let (header, batches) = load();
    let events = events(&batches);
    bencher.counter(ItemsCount::new(events.len() * TIMES)).bench_local(|| {
        let mut planner = Planner::new(&header, None, None).expect("no root");
        for event in std::iter::repeat_n(&events, TIMES).flatten() {
            planner.add(event).expect("it is not too large");
        }
        planner.finish()
    });
}
