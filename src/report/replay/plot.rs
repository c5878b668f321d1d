//! The cost of a log's calls against how many of them may be under way together, as an SVG.
//!
//! Both axes are logarithmic: a ring of depth 1 takes fifty times what a deep one does, and the differences that
//! matter are small.

use std::io::{self, Write};

use crate::analysis::replay::{Range, Replay, Row};
use crate::report::escape::{command_line, shorten};
use crate::report::svg::{escaped, rule, text};
use crate::report::units::{count, things, time};

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 540.0;
const LEFT: f64 = 90.0;
const RIGHT: f64 = 700.0;
const TOP: f64 = 76.0;
const BOTTOM: f64 = 470.0;
/// Characters of the title.
const TITLE: usize = 90;
/// Told apart by people who do not see all colours (Okabe and Ito 2008), and by their shapes.
const LOOKS: [(&str, Shape); 4] = [
    ("#0072b2", Shape::Circle),
    ("#d55e00", Shape::Square),
    ("#009e73", Shape::Diamond),
    ("#cc79a7", Shape::Triangle),
];
/// Levels, which have no batches.
const LEVELS: [(&str, &str, &str); 2] =
    [("serial", "plain calls, one by one", "#000000"), ("each lookup once", "each lookup once", "#777777")];

#[derive(Clone, Copy)]
enum Shape {
    Circle,
    Square,
    Diamond,
    Triangle,
}

/// One line of the plot.
struct Series {
    name: &'static str,
    /// How many calls together at most, and what all calls took, in nanoseconds.
    points: Vec<(u32, Range)>,
}

/// Writes the plot. Gives `false`, and writes nothing, if nothing with batches was measured.
pub fn plot(out: &mut dyn Write, replay: &Replay) -> io::Result<bool> {
    let all = series(&replay.sweep);
    if all.is_empty() {
        return Ok(false);
    }
    let levels = levels(&replay.rows);
    let axes = Axes::of(&all, &levels);
    head(out, replay)?;
    axes.draw(out)?;
    for (at, (label, colour, range)) in levels.iter().enumerate() {
        level(out, &axes, colour, *range)?;
        key(out, at, colour, None, label)?;
    }
    for (at, series) in all.iter().enumerate() {
        let (colour, shape) = LOOKS[at % LOOKS.len()];
        line(out, &axes, series, colour, shape)?;
        key(out, levels.len() + at, colour, Some(shape), series.name)?;
    }
    writeln!(out, "</svg>")?;
    Ok(true)
}

/// In the order of the rows, points in the order of batches.
fn series(rows: &[Row]) -> Vec<Series> {
    let mut all: Vec<Series> = Vec::new();
    for row in rows {
        let (Some(at_once), Some(measured)) = (row.at_once, row.measured) else { continue };
        let point = (at_once, measured.calls_ns);
        match all.iter_mut().find(|series| series.name == row.way) {
            Some(series) => series.points.push(point),
            None => all.push(Series { name: row.way, points: vec![point] }),
        }
    }
    for series in &mut all {
        series.points.sort_by_key(|(at_once, _)| *at_once);
    }
    all.truncate(LOOKS.len());
    all
}

fn levels(rows: &[Row]) -> Vec<(&'static str, &'static str, Range)> {
    let of = |way: &str| rows.iter().find(|row| row.way == way).and_then(|row| row.measured);
    LEVELS.iter().filter_map(|&(way, label, colour)| Some((label, colour, of(way)?.calls_ns))).collect()
}

fn head(out: &mut dyn Write, replay: &Replay) -> io::Result<()> {
    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"13\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>"
    )?;
    let command = shorten(&command_line(&replay.command), TITLE);
    text(out, (LEFT, 26.0), "start", "font-size=\"16\"", &command)?;
    let calls = things(replay.coverage.replayed as u64, "call", "calls");
    let blocks = replay.sweep.iter().filter_map(|row| row.measured).map(|measured| measured.blocks).max();
    let below = format!(
        "{calls} replayed, caches {}, median of {} with 95 % interval",
        replay.cache,
        things(blocks.unwrap_or(0) as u64, "block", "blocks")
    );
    text(out, (LEFT, 46.0), "start", "fill=\"#555555\"", &below)?;
    let bound = "lookahead all: a bound, for a program does not know its next calls";
    text(out, (LEFT, 63.0), "start", "fill=\"#555555\"", bound)
}

struct Axes {
    /// Smallest and largest batch, as powers of two.
    batches: (f64, f64),
    /// Shortest and longest time, as powers of ten.
    times: (f64, f64),
}

impl Axes {
    fn of(all: &[Series], levels: &[(&str, &str, Range)]) -> Self {
        let batches = all.iter().flat_map(|series| series.points.iter().map(|(at_once, _)| *at_once));
        let largest = batches.max().unwrap_or(1).max(2);
        let ranges = all.iter().flat_map(|series| series.points.iter().map(|(_, range)| *range));
        let ranges = ranges.chain(levels.iter().map(|(.., range)| *range));
        let (low, high) = ranges.fold((f64::INFINITY, 1.0), |(low, high): (f64, f64), range| {
            (low.min(range.low.max(1.0)), high.max(range.high))
        });
        // A little room above and below.
        let times = (low.log10() - 0.05, high.max(low * 1.1).log10() + 0.05);
        Self { batches: (0.0, f64::from(largest).log2()), times }
    }

    fn x(&self, at_once: u32) -> f64 {
        let (from, to) = self.batches;
        LEFT + (f64::from(at_once.max(1)).log2() - from) / (to - from) * (RIGHT - LEFT)
    }

    fn y(&self, ns: f64) -> f64 {
        let (from, to) = self.times;
        BOTTOM - (ns.max(1.0).log10() - from) / (to - from) * (BOTTOM - TOP)
    }

    /// Both axes with their units, and faint lines.
    fn draw(&self, out: &mut dyn Write) -> io::Result<()> {
        for power in 0..=self.batches.1 as u32 {
            let x = self.x(1 << power);
            rule(out, (x, TOP), (x, BOTTOM), "stroke=\"#eeeeee\"")?;
            text(out, (x, BOTTOM + 18.0), "middle", "", &count(1 << power))?;
        }
        for ns in self.ticks() {
            let y = self.y(ns);
            rule(out, (LEFT, y), (RIGHT, y), "stroke=\"#eeeeee\"")?;
            text(out, (LEFT - 8.0, y + 4.0), "end", "", &time(ns as u64))?;
        }
        rule(out, (LEFT, BOTTOM), (RIGHT, BOTTOM), "stroke=\"#000000\"")?;
        rule(out, (LEFT, TOP), (LEFT, BOTTOM), "stroke=\"#000000\"")?;
        let middle = f64::midpoint(LEFT, RIGHT);
        let batches = "batch size: calls under way together at most (threads, or depth of the ring)";
        text(out, (middle, BOTTOM + 44.0), "middle", "", batches)?;
        let y = f64::midpoint(TOP, BOTTOM);
        let turned = format!("transform=\"rotate(-90 18 {y:.1})\"");
        text(out, (18.0, y), "middle", &turned, "time for all calls")
    }

    /// 1, 2 and 5 of each power of ten.
    fn ticks(&self) -> Vec<f64> {
        let (from, to) = self.times;
        let powers = from.floor() as i32..=to.ceil() as i32;
        let all = powers.flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10_f64.powi(power)));
        all.filter(|ns| (from..=to).contains(&ns.log10())).collect()
    }
}

/// What does not hang on batches: a line across, its interval behind it.
fn level(out: &mut dyn Write, axes: &Axes, colour: &str, range: Range) -> io::Result<()> {
    let (top, bottom) = (axes.y(range.high), axes.y(range.low));
    writeln!(
        out,
        "<rect x=\"{LEFT}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{colour}\" opacity=\"0.12\"/>",
        RIGHT - LEFT,
        (bottom - top).max(0.5)
    )?;
    let y = axes.y(range.median);
    rule(out, (LEFT, y), (RIGHT, y), &format!("stroke=\"{colour}\" stroke-dasharray=\"6 4\""))
}

fn line(out: &mut dyn Write, axes: &Axes, series: &Series, colour: &str, shape: Shape) -> io::Result<()> {
    let at = |(at_once, range): &(u32, Range)| (axes.x(*at_once), axes.y(range.median));
    let points: Vec<String> = series.points.iter().map(at).map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    writeln!(
        out,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"/>",
        points.join(" ")
    )?;
    for point in &series.points {
        let (x, y) = at(point);
        let (at_once, range) = *point;
        let stroke = format!("stroke=\"{colour}\"");
        let (top, bottom) = (axes.y(range.high), axes.y(range.low));
        rule(out, (x, top), (x, bottom), &stroke)?;
        rule(out, (x - 4.0, top), (x + 4.0, top), &stroke)?;
        rule(out, (x - 4.0, bottom), (x + 4.0, bottom), &stroke)?;
        let [low, median, high] = [range.low, range.median, range.high].map(|ns| time(ns as u64));
        let told = format!("{}, {at_once} at once: {median} ({low} to {high})", series.name);
        writeln!(out, "<g><title>{}</title>{}</g>", escaped(&told), mark((x, y), colour, shape))?;
    }
    Ok(())
}

fn mark((x, y): (f64, f64), colour: &str, shape: Shape) -> String {
    let polygon = |corners: &[(f64, f64)]| {
        let points: Vec<String> =
            corners.iter().map(|(dx, dy)| format!("{:.1},{:.1}", x + dx, y + dy)).collect();
        format!("<polygon points=\"{}\" fill=\"{colour}\"/>", points.join(" "))
    };
    match shape {
        Shape::Circle => format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"{colour}\"/>"),
        Shape::Square => polygon(&[(-3.5, -3.5), (3.5, -3.5), (3.5, 3.5), (-3.5, 3.5)]),
        Shape::Diamond => polygon(&[(0.0, -5.0), (5.0, 0.0), (0.0, 5.0), (-5.0, 0.0)]),
        Shape::Triangle => polygon(&[(0.0, -5.0), (4.5, 4.0), (-4.5, 4.0)]),
    }
}

/// One line of the key, beside the plot.
fn key(out: &mut dyn Write, at: usize, colour: &str, shape: Option<Shape>, name: &str) -> io::Result<()> {
    let (x, y) = (RIGHT + 16.0, TOP + 14.0 + 22.0 * at as f64);
    let dashes = if shape.is_some() { "" } else { " stroke-dasharray=\"6 4\"" };
    rule(out, (x, y), (x + 26.0, y), &format!("stroke=\"{colour}\" stroke-width=\"1.5\"{dashes}"))?;
    if let Some(shape) = shape {
        writeln!(out, "{}", mark((x + 13.0, y), colour, shape))?;
    }
    text(out, (x + 34.0, y + 4.0), "start", "", name)
}
