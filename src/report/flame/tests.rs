use std::collections::BTreeMap;

use quick_xml::events::Event as Xml;

use super::caption::subtitle;
use super::*;
use crate::analysis::flame::{Flame, Sampling};
use crate::analysis::fold::{By, Kind};
use crate::analysis::stats::{By as TableBy, Options, Stats};
use crate::analysis::testing::{call, fixture, header, startup, strace, total};
use crate::log::Header;

pub(super) fn graph(stacks: &[(&[&[u8]], u64)]) -> Graph {
    let mut graph = Graph::default();
    for (stack, value) in stacks {
        let top = stack.iter().fold(Graph::ROOT, |below, name| graph.upon(below, Kind::File, name));
        graph.add(top, *value);
    }
    graph
}

fn drawing(graph: Graph) -> Drawing {
    let empty = Flame::new(&header(), By::Path).finish(Metric::Count);
    Drawing { graph, command: vec!["python".to_owned(), "<x> & 'y'".to_owned()], ..empty }
}

fn text(graph: &Graph, compared: bool) -> Vec<String> {
    let mut out = Vec::new();
    folded(&mut out, graph, compared).unwrap();
    String::from_utf8(out).unwrap().lines().map(str::to_owned).collect()
}

/// Name and width of each frame, sorted by name, by a parser of XML that checks it whole.
fn frames(svg: &str) -> Vec<(String, u64)> {
    let mut reader = quick_xml::Reader::from_str(svg);
    reader.config_mut().check_end_names = true;
    let (mut frames, mut titles, mut depth, mut in_title) = (Vec::new(), Vec::new(), 0, false);
    loop {
        match reader.read_event().expect("well-formed XML") {
            Xml::Eof => break,
            Xml::Start(start) => {
                depth += 1;
                in_title = start.name().as_ref() == b"title";
                if in_title {
                    titles.push(String::new());
                }
            }
            Xml::End(_) => (depth, in_title) = (depth - 1, false),
            Xml::Text(part) if in_title => {
                titles.last_mut().unwrap().push_str(&part.decode().expect("UTF-8"));
            }
            Xml::GeneralRef(name) if in_title => {
                let known = [("amp", '&'), ("lt", '<'), ("gt", '>'), ("quot", '"'), ("apos", '\'')];
                let name = name.decode().unwrap();
                let (_, letter) = known.iter().find(|(known, _)| *known == name).expect("an XML entity");
                titles.last_mut().unwrap().push(*letter);
            }
            Xml::Empty(empty) => {
                for attribute in empty.attributes() {
                    let attribute = attribute.expect("a well-formed attribute");
                    if attribute.key.as_ref() == b"fg:w" {
                        let width = String::from_utf8(attribute.value.to_vec()).unwrap().parse().unwrap();
                        let title = titles.last().unwrap();
                        frames.push((title.rsplit_once(" (").unwrap().0.to_owned(), width));
                    }
                }
            }
            _ => {}
        }
    }
    assert_eq!(depth, 0);
    frames.sort();
    frames
}

fn drawn(drawing: &Drawing, caption: &Caption<'_>) -> String {
    let mut out = Vec::new();
    assert!(svg(&mut out, drawing, caption).unwrap());
    String::from_utf8(out).unwrap()
}

#[test]
fn names_cannot_break_out_of_their_line() {
    let odd: [(&[&[u8]], u64); 4] = [
        (&[b"sh", b"a;b c\n9", b"\xff"], 70),
        (&[b"# sh", b" x", b"Report 2024"], 1),
        (&[b"#", b"a 1 2.5 ", b"--"], 2),
        (&[b"nothing"], 0),
    ];
    let lines = text(&graph(&odd), false);
    assert_eq!(
        lines,
        ["sh;a\\073b c\\n9;\\377 70", "\\043 sh;\\040x;Report\\0402024 1", "\\043;a 1 2.5\\040;-- 2",]
    );
    assert!(lines.iter().all(|line| is_folded(line.as_bytes())));
    for other in ["", "no number", " 12", "a 1b", "x "] {
        assert!(!is_folded(other.as_bytes()), "{other}");
    }
}

#[test]
fn a_drawing_is_well_formed_whole_and_the_same_each_time() {
    let stacks: [(&[&[u8]], u64); 5] = [
        (&[b"zsh", b"/lib & <co>", b"]]>"], 900),
        (&[b"bash", b"/x.py-old"], 30),
        (&[b"bash", b"/x.py", b"\xef\xbf\xbe\x1b"], 20),
        (&[b"bash", b"/x.py"], 40),
        (&[b"Report 2024 7"], 10),
    ];
    let drawing = drawing(graph(&stacks));
    let once = drawn(&drawing, &Caption::default());
    assert_eq!(once, drawn(&drawing, &Caption::default()));
    let plain =
        |c: char| c == '\n' || c >= ' ' && !matches!(c, '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}');
    assert!(once.chars().all(plain), "nothing that XML forbids");
    let all = frames(&once);
    let row = |name: &str, width| (name.to_owned(), width);
    assert_eq!(all.len(), 9, "no frame is drawn twice: {all:?}");
    for frame in [
        row("all", 1000),
        row("/lib & <co>", 900),
        row("]]>", 900),
        row("/x.py", 60),
        row("Report 2024\\0407", 10),
    ] {
        assert!(all.contains(&frame), "{frame:?} in {all:?}");
    }
    let empty = self::drawing(Graph::default());
    assert!(once.contains("python '&lt;x&gt; &amp; '\\''y'\\'''") || once.contains("python &apos;&lt;x&gt;"));
    assert!(!svg(&mut Vec::new(), &empty, &Caption::default()).unwrap());
}

#[test]
fn frames_too_narrow_are_part_of_what_they_stand_upon() {
    let mut graph = graph(&[(&[b"a", b"b"], 1_000_000)]);
    let a = graph.upon(Graph::ROOT, Kind::Directory, b"a");
    for n in 0..1000_u32 {
        let file = graph.upon(a, Kind::File, n.to_string().as_bytes());
        graph.add(file, 100);
    }
    let all = frames(&drawn(&drawing(graph), &Caption::default()));
    let row = |name: &str, width| (name.to_owned(), width);
    assert_eq!(all, [row("a", 1_100_000), row("all", 1_100_000), row("b", 1_000_000)]);
}

#[test]
fn narrow_frames_upon_nothing_are_one_frame_and_widths_stay_true() {
    let mut graph = graph(&[(&[b"a"], 900_000)]);
    for n in 0..1000_u32 {
        let process = graph.upon(Graph::ROOT, Kind::Process, n.to_string().as_bytes());
        graph.add(process, 100);
    }
    let all = frames(&drawn(&drawing(graph), &Caption::default()));
    let row = |name: &str, width| (name.to_owned(), width);
    assert_eq!(all, [row("(too narrow to show)", 100_000), row("a", 900_000), row("all", 1_000_000)]);
}

#[test]
fn widths_that_no_sum_holds_are_drawn_in_proportion() {
    let stacks: [(&[&[u8]], u64); 2] = [(&[b"a"], u64::MAX), (&[b"b"], u64::MAX)];
    let all = frames(&drawn(&drawing(graph(&stacks)), &Caption::default()));
    assert_eq!(all.len(), 3);
    assert_eq!(all[0].1, all[2].1);
    let mut small = graph(&[(&[b"a"], 1)]);
    small.compare(&graph(&stacks));
    let caption = Caption { other: Some("x"), ..Caption::default() };
    assert_eq!(frames(&drawn(&drawing(small), &caption)), [("a".to_owned(), 1), ("all".to_owned(), 1)]);
}

#[test]
fn a_comparison_names_both_logs_and_what_is_gone() {
    let mut here = graph(&[(&[b"a", b"b"], 60), (&[b"c"], 40)]);
    here.compare(&graph(&[(&[b"a", b"b"], 20), (&[b"c"], 50), (&[b"d"], 7)]));
    assert_eq!(text(&here, true), ["a;b 20 60", "c 50 40", "d 7 0"]);
    let drawing = drawing(here);
    let caption = Caption { other: Some("old.trace"), ..Caption::default() };
    let svg = drawn(&drawing, &caption);
    assert!(
        svg.contains("red: more, blue: less than in old.trace (77 calls; 7 calls only there, not drawn)")
    );
    assert_eq!(frames(&svg).len(), 4);
    assert!(svg.contains("b (60 calls, 60.00%; +40.00%)") && svg.contains("c (40 calls, 40.00%; -10.00%)"));
}

/// The numbers of a folded text by what stands at a place in each line.
/// A drawing of so many CPU samples, 1 ms of CPU time each.
fn of_samples(by: Option<&str>, samples: u64) -> Drawing {
    let by = by.map(str::to_owned);
    Drawing {
        by: By::Stack,
        metric: Metric::Cpu,
        calls: samples,
        sampled: Some(Sampling { hz: 10_000, by, cost_ns: None, user_only: false }),
        ..drawing(graph(&[(&[b"main"], samples * 1_000_000)]))
    }
}

#[test]
fn where_few_samples_were_taken_that_is_said() {
    let few = |by, each| {
        let mut drawing = of_samples(by, 50);
        drawing.calls *= each;
        subtitle(&drawing, &Caption::default())
    };
    let told = "50 samples were taken of the 500 that 10,000 a second give for 50.0 ms of CPU time";
    assert!(few(Some("ptrace"), 1).contains(told), "{}", few(Some("ptrace"), 1));
    for caption in [few(None, 1), few(Some("ptrace"), 5)] {
        assert!(!caption.contains("not reliable"), "{caption}");
    }
}

#[test]
fn samples_that_something_else_took_are_told_of() {
    let [perf, ptrace] = [None, Some("ptrace")].map(|by| of_samples(by, 5));
    let told = sampled_otherwise(&perf, &ptrace).unwrap();
    assert!(told.contains("by perf events") && told.contains("by ptrace, in user mode only"), "{told}");
    assert_eq!(sampled_otherwise(&perf, &of_samples(None, 7)), None);
    let of_calls = |drawing| Drawing { metric: Metric::Count, ..drawing };
    assert_eq!(sampled_otherwise(&of_calls(perf), &of_calls(ptrace)), None);
}

fn sums(lines: &[String], key: impl Fn(&[&str]) -> String) -> BTreeMap<String, u64> {
    let mut sums = BTreeMap::new();
    for line in lines {
        let (stack, number) = line.rsplit_once(' ').unwrap();
        let frames: Vec<&str> = stack.split(';').collect();
        *sums.entry(key(&frames)).or_default() += number.parse::<u64>().unwrap();
    }
    sums
}

fn flame(name: &str, header: &Header, by: By, metric: Metric) -> Drawing {
    let mut flame = Flame::new(header, by);
    strace(&fixture(name), |event| flame.add(event, true));
    flame.add(&total(), true);
    flame.finish(metric)
}

fn table(name: &str, header: &Header, by: TableBy) -> BTreeMap<String, [u64; 2]> {
    let mut stats = Stats::new(header, by);
    strace(&fixture(name), |event| stats.add(event));
    let rows = stats.finish(Options::default()).rows.into_iter();
    rows.map(|row| {
        let name = String::from_utf8(row.name.bytes().to_vec()).unwrap();
        (name, [row.calls, row.total_ns.unwrap()])
    })
    .collect()
}

#[test]
fn folded_text_adds_up_to_the_tables() {
    for name in ["3.11-script", "3.11-uses", "2.7-script", "shim", "wrapper"] {
        let header = header();
        for (at, metric) in [Metric::Count, Metric::Elapsed].into_iter().enumerate() {
            let lines = |by| text(&flame(name, &header, by, metric).graph, false);
            let not_errno = |frames: &[&str]| {
                let errno =
                    |frame: &&&str| frame.starts_with('E') && frame.chars().all(|c| c.is_ascii_uppercase());
                frames.iter().rev().find(|frame| !errno(frame)).map(|frame| (*frame).to_owned()).unwrap()
            };
            let expected = |by| -> BTreeMap<String, u64> {
                let rows = table(name, &header, by).into_iter();
                rows.map(|(name, values)| (name, values[at])).filter(|(_, value)| *value > 0).collect()
            };
            assert_eq!(sums(&lines(By::Path), not_errno), expected(TableBy::Syscall), "{name} {metric:?}");
            assert_eq!(sums(&lines(By::Process), not_errno), expected(TableBy::Syscall), "{name} {metric:?}");
            let by_phase = sums(&lines(By::Phase), |frames| frames[1].to_owned());
            assert_eq!(by_phase, expected(TableBy::Phase), "{name} {metric:?}");
        }
    }
}

#[test]
fn startup_draws_what_flame_draws() {
    let (_, drawing) = startup("shim", &header());
    let here = drawn(&drawing, &Caption::default());
    assert_eq!(here, drawn(&flame("shim", &header(), By::Phase, Metric::Time), &Caption::default()));
}

#[test]
fn bytes_are_those_that_reads_and_writes_moved() {
    let mut flame = Flame::new(&header(), By::Path);
    for (name, ret) in [
        ("read", 100),
        ("pwrite64", 20),
        ("sendto", 3),
        ("read", -11),
        ("read", 1 << 40),
        ("lseek", 4096),
        ("readlink", 7),
        ("mmap", 0x7000),
    ] {
        let file = (name != "lseek").then_some(&b"/f"[..]);
        flame.add(&crate::event::Event { file, ..call(name, 0, 6_000, ret) }, true);
    }
    let drawing = flame.finish(Metric::Bytes);
    assert_eq!(text(&drawing.graph, false), ["/f;read 100", "/f;pwrite64 20", "/f;sendto 3"]);
}
