//! Recorded logs: each version of the format stays readable, and the size of a log does not creep up.

use std::fs;
use std::path::{Path, PathBuf};

use super::sample;
use crate::event::{Event, Kind};
use crate::log::{Ending, Header, Reader, Writer};

/// Set to write the fixtures of the present format anew.
const BLESS: &str = "TRACE_TEST_BLESS";

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/logs").join(name)
}

/// Reads a fixture to its end, where the events should be these.
fn read(path: &Path, format: u32, events: &[Event<'_>], happened: u64) {
    let mut reader = Reader::open(path).unwrap();
    assert_eq!(reader.header(), &Header { format, ..sample::header() });
    let mut expected = events.iter();
    let ending = reader.for_each(|event| assert_eq!(Some(event), expected.next())).unwrap();
    assert_eq!(ending, Ending::Complete { events: happened, lost: Some(14) });
    assert_eq!(expected.next(), None);
}

/// It had no stacks.
#[test]
fn format_1_is_read() {
    let (_, mut events) = sample::log_of_batches(2);
    events.retain(|event| !matches!(event.kind, Kind::Sample | Kind::Frame | Kind::Stack));
    for event in events.iter_mut().filter(|event| event.text == Some(b"events")) {
        event.ret = Some(36);
    }
    read(&fixture("format-1.trace"), 1, &events, 36);
}

#[test]
fn format_2_is_read() {
    let path = fixture("format-2.trace");
    let (log, events) = sample::log_of_batches(2);
    if std::env::var_os(BLESS).is_some() {
        fs::write(&path, log).unwrap();
    }
    read(&path, 2, &events, 38);
}

#[test]
fn a_recorded_install_keeps_its_size() {
    let place = sample::place();
    let mut reader = Reader::open(&fixture("pip-install.trace")).unwrap();
    let mut writer = Writer::create(&place.path, reader.header()).unwrap();
    let mut syscalls = 0;
    let ending = reader
        .for_each(|event: &Event<'_>| {
            syscalls += u64::from(event.kind == Kind::Syscall);
            if event.kind != Kind::Total {
                writer.push(event);
            }
        })
        .unwrap();
    assert_eq!(ending, Ending::Complete { events: 11_987, lost: Some(0) });
    assert!(syscalls > 11_900, "{syscalls}");
    let summary = writer.finish().unwrap();
    // A short log: its header alone takes 4 KiB. Whole ones take 14 to 15 bytes an event.
    let bytes_per_event = summary.bytes as f64 / summary.events as f64;
    assert!(bytes_per_event < 17.0, "{bytes_per_event}");
}
