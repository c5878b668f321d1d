//! The picture of a start, as one SVG that fetches nothing: what goes on when, above each other on one time axis.
//!
//! ```text
//! title, what times are, what was left out
//! axis        0      2      4      6      8 ms
//! phases      [exec][loader][interpreter init ]
//! critical    what the path's threads do
//! CPUs, calls about files, imports
//! threads     a bar each, with the critical path below it
//! legend
//! ```
//!
//! Its size is bounded: a column of the axis is two pixels, rows and names are limited by the analysis, and calls, imports and
//! names that have no room are in the hover text of what they belong to, or counted.

mod colours;
mod columns;
mod head;
mod imports;
mod json;
mod legend;
#[cfg(test)]
mod tests;
mod threads;

use std::io::{self, Write};

use super::escape::{escape, shorten};
use super::svg::{escaped, rule, text};
use super::units::{things, time};
use crate::analysis::waterfall::{COLUMNS, Picture};
use colours::phase_colour;
pub use json::json;

const WIDTH: f64 = 1280.0;
/// The axis.
const LEFT: f64 = 236.0;
const RIGHT: f64 = 1236.0;
/// Below a part of the picture.
const GAP: f64 = 10.0;
/// Heights of parts.
const PHASES: f64 = 20.0;
const CRITICAL: f64 = 24.0;
const CURVE: f64 = 30.0;
/// Ticks of the axis at most.
const MOST_TICKS: f64 = 11.0;
/// Characters of a name in hover text.
const NAME: usize = 160;

/// Light where nothing is said, dark where the reader's system is.
const STYLE: &str = "<style>\
.bg{fill:#ffffff}.ink{fill:#1c1e21}.dim{fill:#5c636b}.warn{fill:#b00020}.grid{stroke:#e3e6ea}.life{fill:#eceff2}\
.edge{stroke:#1c1e21}.in{fill:#1c1e21;pointer-events:none}.quiet{pointer-events:none}\
@media (prefers-color-scheme:dark){.bg{fill:#16181c}.ink{fill:#e6e8ea}.dim{fill:#a0a7af}.warn{fill:#ff7b89}\
.grid{stroke:#2c3036}.life{fill:#2a2e34}.edge{stroke:#e6e8ea}}\
</style>";

/// Whether there is something to draw, and an axis to draw it on.
fn has_axis(picture: &Picture) -> bool {
    !picture.rows.is_empty() && picture.knows_times && picture.length_ns > 0.0
}

/// The parts above each other, and the axis that they share.
struct Sheet<'a> {
    picture: &'a Picture,
    /// Pixels a nanosecond.
    scale: f64,
    /// What is drawn so far, from the title on.
    body: Vec<u8>,
    y: f64,
}

/// Writes the picture. Gives `false`, and writes nothing, if there is nothing to draw, or no time is known.
pub fn svg(out: &mut dyn Write, picture: &Picture) -> io::Result<bool> {
    if !has_axis(picture) {
        return Ok(false);
    }
    let scale = (RIGHT - LEFT) / picture.length_ns;
    let mut sheet = Sheet { picture, scale, body: Vec::new(), y: 0.0 };
    head::write(&mut sheet)?;
    let top = sheet.y + 14.0;
    sheet.y = top + 8.0;
    sheet.phases()?;
    sheet.critical()?;
    sheet.curves()?;
    imports::write(&mut sheet)?;
    threads::write(&mut sheet)?;
    let bottom = sheet.y;
    legend::write(&mut sheet)?;
    let height = sheet.y.ceil();
    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"11\">\n{STYLE}\n\
         <rect class=\"bg\" width=\"{WIDTH}\" height=\"{height}\"/>"
    )?;
    sheet.axis(out, top, bottom)?;
    out.write_all(&sheet.body)?;
    writeln!(out, "</svg>")?;
    Ok(true)
}

impl Sheet<'_> {
    fn x(&self, ns: f64) -> f64 {
        (LEFT + ns * self.scale).clamp(LEFT, RIGHT)
    }

    /// The name of a part, left of it.
    fn label(&mut self, height: f64, name: &str, below: &str) -> io::Result<()> {
        let y = self.y + if below.is_empty() { height / 2.0 + 4.0 } else { height / 2.0 - 2.0 };
        text(&mut self.body, (LEFT - 10.0, y), "end", "class=\"ink\"", name)?;
        if !below.is_empty() {
            text(&mut self.body, (LEFT - 10.0, y + 12.0), "end", "class=\"dim\" font-size=\"10\"", below)?;
        }
        Ok(())
    }

    /// A rectangle from one moment to another, with hover text, and with its name where there is room.
    fn block(
        &mut self,
        (from, to): (f64, f64),
        height: f64,
        look: &str,
        told: (&str, &str),
    ) -> io::Result<()> {
        let (name, title) = told;
        let (x, y) = (self.x(from), self.y);
        let width = (self.x(to) - x).max(1.0);
        writeln!(
            self.body,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" {look}><title>{}</title></rect>",
            escaped(title)
        )?;
        if let Some(name) = fit(name, width - 6.0, 10.5) {
            let at = (x + width / 2.0, y + height / 2.0 + 3.8);
            text(&mut self.body, at, "middle", "class=\"in\" font-size=\"10.5\"", &name)?;
        }
        Ok(())
    }

    fn phases(&mut self) -> io::Result<()> {
        let picture = self.picture;
        self.label(PHASES, "phases", "")?;
        for phase in &picture.phases {
            let name = escape(phase.name.bytes());
            let title = span_title(&shorten(&name, NAME), phase.from, phase.to);
            let look = format!("fill=\"{}\"", phase_colour(phase.kind));
            self.block((phase.from, phase.to), PHASES, &look, (&name, &title))?;
        }
        self.y += PHASES + GAP;
        Ok(())
    }

    fn critical(&mut self) -> io::Result<()> {
        let Some(critical) = &self.picture.critical else { return Ok(()) };
        self.label(CRITICAL, "critical path", "what its threads do")?;
        let whole = (0, critical.columns.as_slice());
        columns::write(&mut self.body, whole, self.picture.length_ns, (self.y, CRITICAL), 1.0)?;
        self.y += CRITICAL + GAP;
        Ok(())
    }

    /// CPUs, and calls about files.
    fn curves(&mut self) -> io::Result<()> {
        let picture = self.picture;
        // What was added up may lie a little beside its place.
        let most = (picture.busy.iter().copied().fold(1.0, f64::max) - 0.05).ceil().max(1.0);
        let (name, unit) = if picture.knows_cpu {
            ("on a CPU", things(most as u64, "CPU", "CPUs"))
        } else {
            ("threads not in a wait", things(most as u64, "thread", "threads"))
        };
        self.label(CURVE, name, &format!("full height: {unit}"))?;
        columns::curve(&mut self.body, &picture.busy, most, (self.y, CURVE), colours::BUSY)?;
        self.y += CURVE + GAP;
        let calls: Vec<f64> = picture.file_calls.iter().map(|[all, _]| *all).collect();
        let most = calls.iter().copied().fold(0.0, f64::max);
        if most > 0.0 {
            let [all, failed] = picture.all_file_calls;
            let below = format!("{}, {failed} in vain", things(all, "call", "calls"));
            self.label(CURVE, "file-system calls", &below)?;
            let in_vain: Vec<f64> = picture.file_calls.iter().map(|[_, failed]| *failed).collect();
            columns::curve(&mut self.body, &calls, most, (self.y, CURVE), colours::FILE_CALLS)?;
            columns::curve(&mut self.body, &in_vain, most, (self.y, CURVE), colours::IN_VAIN)?;
            self.y += CURVE + GAP;
        }
        Ok(())
    }

    /// Faint lines behind everything, and what they stand for, above and below.
    fn axis(&self, out: &mut dyn Write, top: f64, bottom: f64) -> io::Result<()> {
        let step = step(self.picture.length_ns / MOST_TICKS);
        let (unit, name) = if self.picture.length_ns >= 1e10 { (1e9, "s") } else { (1e6, "ms") };
        let digits = (-(step / unit).log10().floor()).clamp(0.0, 6.0) as usize;
        let ticks = (self.picture.length_ns / step).floor() as u32;
        for tick in 0..=ticks {
            let ns = f64::from(tick) * step;
            let x = self.x(ns);
            rule(out, (x, top), (x, bottom), "class=\"grid\"")?;
            let label = format!("{:.digits$} {name}", ns / unit);
            for y in [top - 4.0, bottom + 12.0] {
                text(out, (x, y), "middle", "class=\"dim\" font-size=\"10\"", &label)?;
            }
        }
        Ok(())
    }
}

/// 1, 2 or 5 times a power of ten, not less than this.
fn step(least: f64) -> f64 {
    let power = 10_f64.powf(least.max(1.0).log10().floor());
    [1.0, 2.0, 5.0, 10.0].map(|digit| digit * power).into_iter().find(|step| *step >= least).unwrap_or(power)
}

/// `NAME: 1.20 ms, from 3.40 ms to 4.60 ms`
fn span_title(name: &str, from: f64, to: f64) -> String {
    let [long, from, to] = [to - from, from, to].map(|ns| time(ns.max(0.0) as u64));
    format!("{name}: {long}, from {from} to {to}")
}

/// A name as far as there is room for it; `None`: there is none.
fn fit(name: &str, width: f64, size: f64) -> Option<String> {
    /// Fewer characters say nothing.
    const FEWEST: usize = 3;
    let wide = |c: char| if c.is_ascii() { 0.6 } else { 1.05 };
    let needed: f64 = name.chars().take(NAME).map(wide).sum::<f64>() * size;
    if name.is_empty() || needed <= width {
        return (!name.is_empty() && width > 0.0).then(|| name.to_owned());
    }
    let each = needed / name.chars().take(NAME).count() as f64;
    let room = (width / each) as usize;
    (room >= FEWEST).then(|| name.chars().take(room - 1).chain(['…']).collect())
}

/// Where a column begins.
fn column_x(column: usize) -> f64 {
    LEFT + column as f64 * (RIGHT - LEFT) / COLUMNS as f64
}
