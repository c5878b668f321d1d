//! Drawings, read again by a parser of XML that checks them whole.

use quick_xml::events::Event as Xml;

use super::*;
use crate::analysis::testing::{call, header};
use crate::analysis::waterfall::Waterfall;
use crate::event::{Event, Kind};

/// The texts of titles and labels of a drawing.
fn texts(svg: &str) -> Vec<String> {
    let mut reader = quick_xml::Reader::from_str(svg);
    reader.config_mut().check_end_names = true;
    let (mut texts, mut depth, mut open) = (Vec::new(), 0, false);
    loop {
        match reader.read_event().expect("well-formed XML") {
            Xml::Eof => break,
            Xml::Start(start) => {
                depth += 1;
                check_attributes(&start);
                open = matches!(start.name().as_ref(), b"title" | b"text");
                if open {
                    texts.push(String::new());
                }
            }
            Xml::End(_) => (depth, open) = (depth - 1, false),
            Xml::Text(part) if open => {
                texts.last_mut().unwrap().push_str(&part.decode().expect("UTF-8"));
            }
            Xml::GeneralRef(name) if open => {
                let known = [("amp", '&'), ("lt", '<'), ("gt", '>'), ("quot", '"')];
                let name = name.decode().unwrap();
                let (_, letter) = known.iter().find(|(known, _)| *known == name).expect("an XML entity");
                texts.last_mut().unwrap().push(*letter);
            }
            Xml::Empty(empty) => check_attributes(&empty),
            _ => {}
        }
    }
    assert_eq!(depth, 0);
    texts
}

fn check_attributes(tag: &quick_xml::events::BytesStart<'_>) {
    for attribute in tag.attributes() {
        attribute.expect("a well-formed attribute");
    }
}

fn drawn(events: &[Event<'_>]) -> String {
    let mut waterfall = Waterfall::new(&header());
    for event in events {
        waterfall.add(event);
    }
    let mut out = Vec::new();
    assert!(svg(&mut out, &waterfall.finish()).unwrap());
    String::from_utf8(out).unwrap()
}

#[test]
fn names_cannot_break_the_drawing_and_it_says_what_it_shows() {
    let long = vec![b'<'; 1 << 20];
    let odd = b"/tmp/\x1b[31m<&>\"';\xff\n]]>\x00";
    let exec = Event {
        pid: 1,
        tid: 1,
        end_ns: Some(0),
        path: Some(odd),
        argv: Some(&long),
        ..Event::new(Kind::Exec)
    };
    let wide = |at_ms: u64, path| Event {
        path: Some(path),
        path_abs: Some(path),
        ..call("openat", at_ms * 1_000_000, 5_000_000, -2)
    };
    let exit = Event { start_ns: 40_000_000, kind: Kind::Exit, ..exec };
    let svg = drawn(&[exec, wide(5, odd), wide(20, &long), exit]);
    assert!(svg.len() < 100_000, "{}", svg.len());
    assert!(!svg.chars().any(|c| c.is_control() && c != '\n'));
    let texts = texts(&svg);
    let has = |part: &str| assert!(texts.iter().any(|text| text.contains(part)), "{part}: {texts:#?}");
    has("openat ENOENT /tmp/\\33[31m<&>\"';\\377\\n]]>\\0");
    has("no untraced runs in this log");
    has("tracer's stops are in them");
    has("The log does not tell when threads leave their CPUs");
    has("ms");
    assert!(!svg.contains("http://") || svg.matches("http://").count() == 1, "it fetches nothing");
}

#[test]
fn without_threads_or_times_there_is_nothing_to_draw() {
    let none = Waterfall::new(&header()).finish();
    assert!(!svg(&mut Vec::new(), &none).unwrap());
    let mut waterfall = Waterfall::new(&header());
    waterfall.add(&call("getpid", 0, 0, 1));
    assert!(!svg(&mut Vec::new(), &waterfall.finish()).unwrap());
}

#[test]
fn names_are_as_long_as_there_is_room() {
    assert_eq!(fit("interpreter init", 200.0, 10.0).as_deref(), Some("interpreter init"));
    assert_eq!(fit("interpreter init", 50.0, 10.0).as_deref(), Some("interpr…"));
    assert_eq!((fit("interpreter init", 10.0, 10.0), fit("", 100.0, 10.0)), (None, None));
    assert!(fit(&"文".repeat(1000), 100.0, 10.0).is_some_and(|name| name.chars().count() < 11));
}

#[test]
fn ticks_are_round_numbers() {
    let ticks = [1.2e6, 3e6, 5e6, 7e8, 0.0].map(|least| step(least) as u64);
    assert_eq!(ticks, [2_000_000, 5_000_000, 5_000_000, 1_000_000_000, 1]);
}
