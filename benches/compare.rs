//! How long `trace compare` takes for two logs of two million events each, and how much memory: under 3 s and 1 GB.
//!
//! The logs are a recorded `pip install` over and over, each copy with process ids of its own, so that names and
//! processes are many.

use std::io::Cursor;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use trace::event::Event;
use trace::log::{Batch, Reader, Writer};

static LOG: &[u8] = include_bytes!("../fixtures/logs/pip-install.trace");
const EVENTS: usize = 2_000_000;
const ROUNDS: usize = 5;

fn main() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let logs = ["a.trace", "b.trace"].map(|name| place.path().join(name));
    let events: usize = logs.iter().map(|log| make(log)).sum();
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        let mut compare = Command::new(env!("CARGO_BIN_EXE_trace"));
        let done = compare.arg("compare").args(&logs).stdout(Stdio::null()).status().expect("trace runs");
        assert!(done.success(), "trace compare has failed");
        times.push(begin.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_CHILDREN);
    let memory = usage.expect("getrusage works").max_rss() / 1024;
    println!(
        "trace compare, {events} events in two logs: {:.2} s (median of {ROUNDS}), {memory} MiB",
        times[ROUNDS / 2]
    );
}

/// Writes a log of so many events; gives how many they are.
fn make(log: &Path) -> usize {
    let mut reader = Reader::new(Cursor::new(LOG)).expect("the fixture is a log");
    let batches: Vec<Batch> =
        std::iter::from_fn(|| reader.next_batch().expect("the fixture is whole")).collect();
    let events: Vec<Event<'_>> = batches.iter().flat_map(Batch::events).collect();
    let mut writer = Writer::create(log, reader.header()).expect("a new log");
    for at in 0..EVENTS {
        let copy = (at / events.len()) as u32;
        let event = events[at % events.len()];
        let (pid, tid) = (event.pid + copy * 1000, event.tid + copy * 1000);
        writer.push(&Event { pid, tid, ..event });
    }
    writer.finish().expect("there is room");
    EVENTS
}
