//! Logs with what each call took when it was replayed.

use std::io::Cursor;

use super::sample;
use crate::event::{Event, Kind};
use crate::log::{Ending, FORMAT_VERSION, Reader, Replayed, Source, annotate, is_same_file, repair};

fn how() -> Replayed {
    Replayed { cache: "warm".to_owned(), runs: 9, pauses: true, calls: 3, ..Replayed::default() }
}

/// Of every third call, twice its place.
fn cost(call: usize) -> Option<u64> {
    call.is_multiple_of(3).then_some(call as u64 * 2)
}

#[test]
fn costs_stand_beside_the_calls_and_nothing_else_changes() {
    let place = sample::place();
    let (bytes, events) = sample::log_of_batches(2);
    let mut source = Source::new(Cursor::new(bytes.clone()), None).unwrap();
    let copy = place.directory.path().join("copy");
    annotate(&mut source, &copy, how(), cost).unwrap();
    let check = |path: &std::path::Path| {
        let mut reader = Reader::open(path).unwrap();
        assert_eq!(reader.header().replayed, Some(how()));
        assert_eq!(reader.header().format, FORMAT_VERSION, "older versions pass over the column");
        let mut calls = 0;
        let mut expected = events.iter();
        let ending = reader.for_each(|event| {
            let is_call = event.kind == Kind::Syscall;
            assert_eq!(event.replayed_ns, if is_call { cost(calls) } else { None }, "{event:?}");
            calls += usize::from(is_call);
            let (plain, expected) = (Event { replayed_ns: None, ..*event }, expected.next());
            if event.kind == Kind::Total {
                assert_eq!(expected.map(|total| (total.text, total.ret)), Some((event.text, event.ret)));
            } else {
                assert_eq!(Some(&plain), expected);
            }
        });
        assert_eq!(ending.unwrap(), Ending::Complete { events: 38, lost: Some(14) });
        assert!(calls > 6, "{calls}");
    };
    check(&copy);
    // Whoever copies the log keeps them.
    let repaired = place.directory.path().join("repaired");
    repair(&copy, &repaired).unwrap();
    check(&repaired);
    let (_, ending) = sample::read(&bytes);
    assert_eq!(ending.unwrap(), Ending::Complete { events: 38, lost: Some(14) });
}

#[test]
fn a_log_without_costs_has_no_column_for_them() {
    let names = |replayed| {
        let header = crate::log::Header { replayed, ..sample::header() };
        let schema = crate::log::schema::schema(&header).unwrap();
        schema.fields().iter().any(|field| field.name() == "replayed_ns")
    };
    assert_eq!([names(None), names(Some(how()))], [false, true]);
}

#[test]
fn text_of_strace_becomes_a_log_and_a_cut_log_is_closed_as_one() {
    let place = sample::place();
    let text = "1 stat(\"/etc\", {st_mode=S_IFDIR|0755, st_size=4096, ...}) = 0\n1 getpid() = 1\n";
    let mut source = Source::new(Cursor::new(text), None).unwrap();
    annotate(&mut source, &place.path, how(), cost).unwrap();
    let mut reader = Reader::open(&place.path).unwrap();
    assert_eq!(reader.header().backend, "strace");
    let mut costs = Vec::new();
    let of_call = |event: &Event<'_>| (event.kind == Kind::Syscall).then_some(event.replayed_ns);
    reader.for_each(|event| costs.extend(of_call(event))).unwrap();
    assert_eq!(costs, [Some(0), None]);

    let (bytes, _) = sample::log_of_batches(2);
    let cut = bytes[..bytes.len() - 100].to_vec();
    let mut source = Source::new(Cursor::new(cut), None).unwrap();
    annotate(&mut source, &place.path, how(), cost).unwrap();
    let ending = Reader::open(&place.path).unwrap().for_each(|_| {}).unwrap();
    assert!(matches!(ending, Ending::Complete { lost: None, .. }), "{ending:?}");
}

#[test]
fn files_are_the_same_under_any_name() {
    let place = sample::place();
    sample::write(&place.path, &[]);
    let link = place.directory.path().join("link");
    std::os::unix::fs::symlink(&place.path, &link).unwrap();
    assert!(is_same_file(&place.path, &link));
    assert!(!is_same_file(&place.path, place.directory.path()));
    assert!(!is_same_file(&link.join("no"), &link.join("no")));
}
