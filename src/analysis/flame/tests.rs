//! What is drawn, what is left out, and that no more is kept than the limits say.

use super::*;
use crate::analysis::testing::{call, fixture, header, strace};

fn stat(path: &str, ret: i64) -> Event<'_> {
    let path = Some(path.as_bytes());
    Event { path, path_abs: path, ..call("newfstatat", 0, 6_900, ret) }
}

fn row(depth: usize, name: &str, value: u64) -> (usize, String, u64) {
    (depth, name.to_owned(), value)
}

fn rows(graph: &Graph) -> Vec<(usize, String, u64)> {
    let name = |id| String::from_utf8(graph.name(id).to_vec()).unwrap();
    graph.walk().map(|(depth, id)| (depth, name(id), graph.own(id)[0])).collect()
}

#[test]
fn beyond_a_number_of_stacks_all_are_one_frame_and_nothing_is_lost() {
    for metric in [Metric::Count, Metric::Time] {
        let limits = Limits { stacks: 2, ..LIMITS };
        let mut flame = Flame { limits, ..Flame::new(&header(), By::Path) };
        for (path, ret) in [("/a", 0), ("/b", 0), ("/c", 0), ("/a", 0), ("/b", -2), ("/d", 0)] {
            flame.add(&stat(path, ret), true);
        }
        assert_eq!(flame.cells.len(), 2);
        assert_eq!(flame.objects.len(), 2, "names beyond are not kept");
        let drawing = flame.finish(metric);
        assert_eq!((drawing.calls, drawing.other_calls), (6, 3));
        let each = if metric == Metric::Count { 1 } else { 1000 };
        let drawn =
            [(0, "/a", 0), (1, "newfstatat", 2), (0, "/b", 0), (1, "newfstatat", 1), (0, "(other)", 3)];
        assert_eq!(rows(&drawing.graph), drawn.map(|(depth, name, calls)| row(depth, name, calls * each)));
    }
}

#[test]
fn beyond_a_number_of_frames_stacks_end_where_they_are() {
    let limits = Limits { frames: 5, ..LIMITS };
    let mut flame = Flame { limits, ..Flame::new(&header(), By::Path) };
    for path in ["/a/b/c", "/a/b/d", "/a/newfstatat", "/e"] {
        flame.add(&stat(path, 0), true);
    }
    let drawing = flame.finish(Metric::Count);
    let drawn = [(0, "/a", 1), (1, "/b", 1), (2, "/c", 0), (3, "newfstatat", 1), (0, "(other)", 1)];
    assert_eq!(rows(&drawing.graph), drawn.map(|(depth, name, value)| row(depth, name, value)));
    assert_eq!(drawing.other_calls, 3);
}

#[test]
fn calls_that_are_not_chosen_are_not_drawn_but_still_tell_phases_and_prices() {
    let value = |graph: &Graph| u64::try_from(graph.total()[0]).unwrap();
    for metric in [Metric::Time, Metric::Count] {
        let mut parts = [true, false].map(|failed| (failed, Flame::new(&header(), By::Phase)));
        let mut all = Flame::new(&header(), By::Phase);
        strace(&fixture("3.11-script"), |event| {
            all.add(event, true);
            for (failed, part) in &mut parts {
                part.add(event, event.errno().is_some() == *failed);
            }
        });
        let all = value(&all.finish(metric).graph);
        let parts = parts.map(|(_, part)| value(&part.finish(metric).graph));
        assert!(parts.iter().all(|part| *part > 0));
        assert_eq!(parts.iter().sum::<u64>(), all, "{metric:?}");
    }
}

#[test]
fn waits_for_others_are_left_out_of_time_and_said() {
    let events = [(2_000_000, 1), (6_900, 2), (6_900, 3), (6_900, 4)];
    let drawn = |metric| {
        let mut flame = Flame::new(&header(), By::Process);
        for (duration_ns, at_ns) in events {
            flame.add(&call("poll", at_ns, duration_ns, 1), true);
        }
        let drawing = flame.finish(metric);
        (drawing.graph.total()[0], drawing.waited_ns)
    };
    let waited = 2_000_000 - 6_900;
    assert_eq!(drawn(Metric::Time), (4_000, waited));
    assert_eq!(drawn(Metric::Elapsed), (4_000 + u128::from(waited), waited));
}
