//! Events come back exactly as they went in.

use std::thread::sleep;
use std::time::Duration;

use proptest::prelude::*;

use super::sample::{self, Owned};
use crate::event::{Abi, Event, FileStat, Flags, Kind};
use crate::log::{Column, Columns, Ending, Header, KEPT_BYTES, Reader, Writer};

fn written_and_read(events: &[Event<'_>]) -> (Vec<Owned>, Ending) {
    read_back(events, &sample::header())
}

fn read_back(events: &[Event<'_>], header: &Header) -> (Vec<Owned>, Ending) {
    let place = sample::place();
    sample::write_with(&place.path, header, events);
    let mut reader = Reader::open(&place.path).unwrap();
    assert_eq!(reader.header(), header);
    let mut read = Vec::new();
    let ending = reader.for_each(|event| read.push(Owned::of(event).with_comm(event.comm))).unwrap();
    assert_eq!(reader.ending(), Some(ending));
    (read, ending)
}

#[test]
fn events_of_every_kind() {
    let events = sample::events();
    let (read, ending) = written_and_read(&events);
    for (expected, found) in events.iter().zip(&read) {
        assert_eq!(expected, &found.get());
    }
    let totals: Vec<(&[u8], i64)> = read[events.len()..]
        .iter()
        .map(|total| (total.get().text.unwrap(), total.get().ret.unwrap()))
        .collect();
    assert_eq!(totals, [(&b"events"[..], 19), (b"lost", 7)]);
    assert_eq!(ending, Ending::Complete { events: 19, lost: Some(7) });
}

#[test]
fn a_log_without_events() {
    let (read, ending) = written_and_read(&[]);
    assert_eq!(read.len(), 2);
    assert_eq!(ending, Ending::Complete { events: 0, lost: Some(0) });
}

#[test]
fn losses_of_unknown_size_stay_unknown() {
    let lost = Event { text: Some(b"why"), ret: Some(-1), ..Event::new(Kind::Lost) };
    let (_, ending) = written_and_read(&[lost, Event { ret: Some(5), ..lost }]);
    assert_eq!(ending, Ending::Complete { events: 2, lost: None });
}

#[test]
fn many_batches() {
    let count = 100_000_u64;
    let place = sample::place();
    let mut writer = Writer::create(&place.path, &sample::header()).unwrap();
    let path = |i: u64| format!("/usr/lib/{}/file{i}", i % 321);
    for i in 0..count {
        let path = path(i);
        writer.push(&Event { start_ns: i, path_abs: Some(path.as_bytes()), ..Event::new(Kind::Syscall) });
    }
    let summary = writer.finish().unwrap();
    assert_eq!(summary.events, count);
    assert!(summary.batches >= 4, "{summary:?}");
    let mut at = 0;
    let mut reader = Reader::open(&place.path).unwrap();
    let ending = reader
        .for_each(|event| {
            if event.kind == Kind::Syscall {
                assert_eq!(event.start_ns, at);
                assert_eq!(event.path_abs, Some(path(at).as_bytes()));
                at += 1;
            }
        })
        .unwrap();
    assert_eq!((at, ending), (count, Ending::Complete { events: count, lost: Some(0) }));
}

#[test]
fn an_idle_recording_is_flushed() {
    let place = sample::place();
    let mut writer = Writer::create(&place.path, &sample::header()).unwrap();
    let header_len = place.path.metadata().unwrap().len();
    assert!(header_len > 0, "the header is there at once");
    writer.push(&sample::events()[1]);
    // Waits for the condition; the time is only how often it is looked at.
    while place.path.metadata().unwrap().len() == header_len {
        sleep(Duration::from_millis(10));
    }
    let mut reader = Reader::open(&place.path).unwrap();
    assert_eq!(reader.next_batch().unwrap().map(|batch| batch.len()), Some(1));
    assert_eq!(reader.next_batch().unwrap().map(|batch| batch.len()), None);
    assert!(matches!(reader.ending(), Some(Ending::Cut { events: 1, unread: 0 })));
    writer.push(&sample::events()[2]);
    assert_eq!(writer.finish().unwrap().events, 2);
}

#[test]
fn a_dropped_writer_leaves_a_cut_log() {
    let place = sample::place();
    let mut writer = Writer::create(&place.path, &sample::header()).unwrap();
    writer.push(&sample::events()[1]);
    drop(writer);
    let ending = Reader::open(&place.path).unwrap().for_each(|_| {}).unwrap();
    assert_eq!(ending, Ending::Cut { events: 1, unread: 0 });
}

#[test]
fn texts_too_long_are_cut_and_flagged() {
    let long = vec![b'x'; crate::log::MAX_TEXT_LEN + 1];
    let argv = vec![0; crate::log::MAX_ARGV_LEN + 1];
    let events = [
        Event { path: Some(&long), path_abs: Some(&long), ..Event::new(Kind::Syscall) },
        Event { argv: Some(&argv), ..Event::new(Kind::Exec) },
    ];
    let (read, _) = written_and_read(&events);
    let [path, exec, ..] = &read[..] else { panic!() };
    assert_eq!(path.get().path, Some(&long[1..]));
    assert_eq!(path.get().path_abs, path.get().path);
    assert_eq!(exec.get().argv, Some(&argv[1..]));
    for event in [path, exec] {
        assert!(event.get().flags.has(Flags::TRUNCATED));
    }
}

#[test]
fn the_largest_events_can_be_read_back() {
    // Bytes that are not UTF-8 take the most room.
    let text = vec![0xff; crate::log::MAX_TEXT_LEN];
    let argv = vec![0xfe; crate::log::MAX_ARGV_LEN];
    let event = Event {
        comm: &text,
        path: Some(&text),
        path2: Some(&text),
        file: Some(&text),
        file2: Some(&text),
        text: Some(&text),
        peer: Some(&text),
        argv: Some(&argv),
        ..Event::new(Kind::Exec)
    };
    let (read, ending) = written_and_read(&[event; 3]);
    assert_eq!(ending, Ending::Complete { events: 3, lost: Some(0) });
    assert!(read[..3].iter().all(|found| found.get() == event));
}

#[test]
fn projections_read_what_is_asked_for() {
    let place = sample::place();
    let events = sample::events();
    sample::write(&place.path, &events);
    let columns = Columns::of(&[Column::Path, Column::Duration, Column::StSize]);
    let mut reader = Reader::open(&place.path).unwrap().with_columns(columns);
    let mut read = Vec::new();
    while let Some(batch) = reader.next_batch().unwrap() {
        for (row, event) in batch.events().enumerate() {
            assert_eq!(event.comm, b"");
            assert_eq!(event.nr, 0);
            let key = batch.key(Column::PathAbs, row);
            let text = key.and_then(|key| batch.dictionary(Column::PathAbs).unwrap().get(key));
            assert_eq!(text, event.path_abs);
            read.push(Owned::of(&event));
        }
        assert_eq!(batch.key(Column::Comm, 0), None);
        assert!(batch.dictionary(Column::Pid).is_none());
    }
    for (expected, found) in events.iter().zip(&read) {
        let found = found.get();
        assert_eq!(expected.kind, found.kind);
        assert_eq!(expected.path, found.path);
        assert_eq!(expected.duration_ns(), found.duration_ns());
        assert_eq!(expected.stat.map(|stat| stat.size), found.stat.map(|stat| stat.size));
    }
    assert_eq!(read.len(), events.len() + 2);
    assert_eq!(reader.ending(), Some(Ending::Complete { events: 19, lost: Some(7) }));
}

fn text() -> impl Strategy<Value = Option<Vec<u8>>> {
    prop_oneof![
        Just(None),
        Just(Some(b"/usr/lib".to_vec())),
        "[/a-c]{0,6}".prop_map(|text| Some(text.into_bytes())),
        proptest::collection::vec(any::<u8>(), 0..12).prop_map(Some),
        proptest::collection::vec(prop_oneof![Just(0), Just(b'a'), Just(0xf4), Just(0xff)], 0..6)
            .prop_map(Some),
    ]
}

fn stat() -> impl Strategy<Value = Option<FileStat>> {
    proptest::option::of(any::<(u32, u32, i64, i64, u64, u64)>().prop_map(
        |(mode, nlink, size, mtime_ns, ino, dev)| FileStat { mode, nlink, size, mtime_ns, ino, dev },
    ))
}

prop_compose! {
    fn event()(
        kind in proptest::sample::select(Kind::ALL.iter().copied().filter(|kind| *kind != Kind::Total).collect::<Vec<_>>()),
        (pid, tid, abi, nr) in (any::<u32>(), any::<u32>(), 0..Abi::ALL.len(), prop_oneof![any::<u32>(), 0..500_u32]),
        (start_ns, end_ns) in any::<(u64, Option<u64>)>(),
        args in any::<[u64; 6]>(),
        ret in prop_oneof![Just(None), any::<i64>().prop_map(Some), (-600..600_i64).prop_map(Some)],
        ip in any::<u64>(),
        texts in proptest::collection::vec(text(), 11),
        same in any::<bool>(),
        stat in stat(),
        (flags, stack) in any::<(u16, Option<u32>)>(),
    ) -> Owned {
        let text = |at: usize| texts[at].as_deref();
        let event = Event {
            kind,
            pid,
            tid,
            comm: b"",
            start_ns,
            end_ns,
            abi: Abi::ALL[abi],
            nr,
            args,
            ret,
            ip,
            path: text(0),
            path_abs: if same { text(0) } else { text(1) },
            path2: text(2),
            path2_abs: text(3),
            file: text(4),
            file2: text(5),
            text: text(6),
            peer: text(7),
            argv: text(8),
            stat,
            memory: text(10).filter(|_| kind == 0),
            flags: Flags(flags),
            stack,
            replayed_ns: None,
        };
        Owned::of(&event).with_comm(text(9).unwrap_or_default())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_events(events in proptest::collection::vec(event(), 0..60)) {
        let borrowed: Vec<Event<'_>> = events.iter().map(Owned::get).collect();
        let mut keeping = sample::header();
        keeping.options.insert(KEPT_BYTES.to_owned(), "32".to_owned());
        let (read, _) = read_back(&borrowed, &keeping);
        prop_assert_eq!(&read[..events.len()], &events[..]);
        // A log that is not to keep memory has none, and everything else.
        let lean: Vec<Event<'_>> = borrowed.iter().map(|event| Event { memory: None, ..*event }).collect();
        let (read, _) = written_and_read(&borrowed);
        for (read, lean) in read.iter().zip(&lean) {
            prop_assert_eq!(&read.get(), lean);
        }
    }
}
