//! What goes on in each column of the axis, stacked: as high as its part of the column's time.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::colours::class_colour;
use super::column_x;
use crate::analysis::waterfall::{COLUMNS, Class, Shares};

/// Writes columns from the first one given on, one path a class; `whole` is how many threads the full height is.
pub fn write(
    out: &mut dyn Write,
    (first, columns): (usize, &[Shares]),
    length_ns: f64,
    (top, height): (f64, f64),
    whole: f64,
) -> io::Result<()> {
    let column_ns = length_ns / COLUMNS as f64 * whole;
    let mut paths: Vec<Path> = Class::ALL.iter().map(|_| Path::default()).collect();
    for (at, shares) in columns.iter().enumerate() {
        // What was added up may be a little more than there is room for.
        let full = shares.sum().max(column_ns);
        let mut below = 0.0;
        for (class, path) in Class::ALL.into_iter().zip(&mut paths) {
            let above = below + shares.get(class) / full;
            let [low, high] = [below, above].map(|part| (part * height).round() as i32);
            path.add(first + at, low, high);
            below = above;
        }
    }
    for (class, path) in Class::ALL.into_iter().zip(paths) {
        path.finish(out, first + columns.len(), top + height, class_colour(class))?;
    }
    Ok(())
}

/// Writes one value a column, the most being as high as there is room.
pub fn curve(
    out: &mut dyn Write,
    values: &[f64],
    most: f64,
    (top, height): (f64, f64),
    colour: &str,
) -> io::Result<()> {
    let mut path = Path::default();
    for (at, value) in values.iter().enumerate() {
        let high = (value / most.max(1e-12) * height).min(height);
        // What is there is to be seen.
        path.add(at, 0, if *value > 0.0 { (high.round() as i32).max(1) } else { 0 });
    }
    path.finish(out, values.len(), top + height, colour)
}

/// Rectangles of one colour, neighbours of the same height being one.
#[derive(Default)]
struct Path {
    text: String,
    /// From which column on, from where and up to where.
    open: Option<(usize, i32, i32)>,
}

impl Path {
    fn add(&mut self, column: usize, low: i32, high: i32) {
        match self.open {
            Some((_, known_low, known_high)) if (known_low, known_high) == (low, high) => return,
            Some(_) => self.close(column),
            None => {}
        }
        self.open = (high > low).then_some((column, low, high));
    }

    /// Vertical positions are upwards from the base until the path is moved there.
    fn close(&mut self, column: usize) {
        let Some((from, low, high)) = self.open.take() else { return };
        let (x, width) = (column_x(from), column_x(column) - column_x(from));
        write!(self.text, "M{x} {}h{width}v{}h-{width}z", -high, high - low)
            .expect("writing to a string cannot fail");
    }

    fn finish(mut self, out: &mut dyn Write, end: usize, base: f64, colour: &str) -> io::Result<()> {
        self.close(end);
        if self.text.is_empty() {
            return Ok(());
        }
        let Self { text, .. } = self;
        writeln!(
            out,
            "<path class=\"quiet\" fill=\"{colour}\" transform=\"translate(0 {base:.1})\" d=\"{text}\"/>"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_of_one_height_are_one_rectangle() {
        let mut out = Vec::new();
        curve(&mut out, &[1.0, 1.0, 2.0, 0.0, 0.001], 2.0, (0.0, 10.0), "#fff").unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("d=\"M236 -5h4v5h-4zM240 -10h2v10h-2zM244 -1h2v1h-2z\""), "{text}");
    }
}
