use super::*;
use crate::analysis::compare::{Sample, compare};
use crate::log::Run;

fn sample(name: &str, wall_ns: u64) -> Sample {
    let run = |at: u64| Run {
        wall_ns: wall_ns + at * 1_000,
        user_ns: wall_ns / 2,
        minor_faults: 9,
        ..Run::default()
    };
    Sample { name: name.to_owned(), runs: (0..12).map(run).collect(), profiles: Vec::new() }
}

fn text(samples: &[Sample]) -> String {
    let mut out = Vec::new();
    write(&mut out, &compare(samples, true), false, Look::PLAIN).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn medians_stand_in_the_order_of_the_sides_that_are_named() {
    let text = text(&[sample("a", 10_000_000), sample("b", 10_080_000), sample("c", 10_000_000)]);
    for expected in [
        "\nNo difference in wall time between A and B is sure: 10.0 ms against 10.1 ms.\n",
        "\nNo difference in wall time between A and C is sure: 10.0 ms against 10.0 ms.\n",
    ] {
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn verdicts_of_several_sides_say_whose_they_are() {
    let text = text(&[sample("a", 10_000_000), sample("b", 10_000_000), sample("c", 30_000_000)]);
    let wall = text.lines().find(|line| line.starts_with("wall")).unwrap_or_default();
    assert!(wall.ends_with("  B alike"), "{text}");
}

#[test]
fn the_answer_comes_first() {
    let text = text(&[sample("old\u{1b}[2J", 20_000_000), sample("new", 10_000_000)]);
    assert!(text.starts_with("A  old\\33[2J   12 untraced runs\nB  new   12 untraced runs\n\n"), "{text}");
    assert!(
        text.contains("\nB is 2.00 (2.00 to 2.00) times as fast as A: 10.0 ms against 20.0 ms.\n"),
        "{text}"
    );
    let faults = text.lines().find(|line| line.starts_with("minor faults")).unwrap_or_default();
    assert!(faults.ends_with("1.00  1.00 to 1.00  alike"), "{text}");
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
}

#[test]
fn no_difference_is_said_to_be_none() {
    let text = text(&[sample("a", 10_000_000), sample("b", 10_000_000)]);
    assert!(
        text.contains("No difference in wall time between A and B is sure: 10.0 ms against 10.0 ms."),
        "{text}"
    );
}

#[test]
fn what_is_slower_is_told_so() {
    let text = text(&[sample("a", 10_000_000), sample("b", 30_000_000), sample("c", 10_000_000)]);
    assert!(
        text.contains("B is 3.00 (3.00 to 3.00) times as slow as A: 30.0 ms against 10.0 ms.\nNo difference"),
        "{text}"
    );
}
