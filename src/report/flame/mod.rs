//! Flame graphs: as SVG by inferno, and as folded text for other programs.

mod caption;
mod colours;
mod folded;
mod json;
mod speedscope;
#[cfg(test)]
mod tests;

use std::io::{self, Write};

use inferno::flamegraph::{
    self, Direction, TextTruncateDirection, color::BackgroundColor, color::Color, color::StrokeColor,
};

use crate::analysis::flame::Drawing;
use crate::analysis::fold::{By, FrameId, Graph, Kind, Metric};
pub use caption::{Caption, beside, by, sampled_otherwise, title, what};
use folded::{Stack, frame_text};
pub use folded::{folded, is_folded};
pub use json::json;
pub use speedscope::{BEGIN as SPEEDSCOPE, speedscope};

/// Frames narrower than this part of the picture are not drawn: less than a pixel of a wide window.
const NARROWEST: f64 = 0.000_5;
/// The picture is drawn in whole numbers up to this many bits, which sums and colours of inferno bear.
const BITS: u32 = 52;
/// Frames that would not be seen, where nothing but the root is below them.
const NARROW: &str = "(too narrow to show)";

/// Writes the flame graph. Gives `false`, and writes nothing, if no frame has a width.
pub fn svg(out: &mut dyn Write, drawing: &Drawing, caption: &Caption<'_>) -> io::Result<bool> {
    let graph = &drawing.graph;
    let totals = graph.totals();
    let [all, _] = totals[Graph::ROOT as usize];
    if all == 0 {
        return Ok(false);
    }
    let shift = (u128::BITS - all.leading_zeros()).saturating_sub(BITS);
    let (mut lines, mut palette) = lines(graph, &totals, shift, caption.other.is_some());
    let mut options = flamegraph::Options::default();
    options.title = title(&drawing.command);
    options.subtitle = Some(caption::subtitle(drawing, caption));
    options.count_name.clear();
    options.count_name.push_str(unit(drawing.metric));
    options.name_type.clear();
    options.factor = 2_f64.powi(shift as i32);
    // Frames too narrow are already part of what they stand upon.
    options.min_width = 0.0;
    options.bgcolors = Some(BackgroundColor::Flat(Color { r: 253, g: 253, b: 253 }));
    if caption.other.is_some() {
        // Frames that did not change are white.
        options.stroke_color = StrokeColor::Color(Color { r: 214, g: 214, b: 214 });
    }
    options.text_truncate_direction = TextTruncateDirection::Right;
    options.palette_map = Some(&mut palette);
    // The order of lines is the order of frames, which inferno sorts otherwise, and takes from the end here.
    options.flame_chart = true;
    if drawing.by == By::Import {
        // What imports stands above what is imported, as in a listing.
        options.direction = Direction::Inverted;
    }
    lines.reverse();
    flamegraph::from_lines(&mut options, lines.iter().map(String::as_str), out).map_err(io::Error::other)?;
    Ok(true)
}

/// What the width of frames is counted in.
fn unit(metric: Metric) -> &'static str {
    match metric {
        Metric::Time | Metric::Elapsed | Metric::Cpu | Metric::Wall => "ns",
        Metric::Count => "calls",
        Metric::Bytes => "bytes",
    }
}

/// The lines inferno draws, and the colours of their frames. Frames that would not be seen count as part of
/// what they stand upon.
fn lines(
    graph: &Graph,
    totals: &[[u128; 2]],
    shift: u32,
    compared: bool,
) -> (Vec<String>, flamegraph::color::PaletteMap) {
    let narrowest = totals[Graph::ROOT as usize][0] as f64 * NARROWEST;
    let shown = |id: FrameId| totals[id as usize][0] as f64 >= narrowest;
    let mut hidden = vec![[0_u128; 2]; totals.len()];
    for (_, id) in graph.walk().filter(|&(_, id)| !shown(id)) {
        let below = graph.parent(id);
        if below == Graph::ROOT || shown(below) {
            let sum = &mut hidden[below as usize];
            *sum = [sum[0] + totals[id as usize][0], sum[1] + totals[id as usize][1]];
        }
    }
    let mut palette = flamegraph::color::PaletteMap::default();
    palette.insert("", colours::of(Kind::All, ""));
    let mut stack = Stack::default();
    let mut lines = Vec::new();
    for (depth, id) in graph.walk().filter(|&(_, id)| shown(id)) {
        let text = frame_text(graph.name(id));
        let kind = graph.kind(id);
        // Inferno knows colours by name alone; a name that is a directory's somewhere is shown as one.
        if kind != Kind::File || palette.get(&text).is_none() {
            palette.insert(&text, colours::of(kind, &text));
        }
        stack.set(depth, &text);
        let [own, before] = graph.own(id).map(u128::from);
        let [more, more_before] = hidden[id as usize];
        lines.extend(line(stack.text(), [own + more, before + more_before], shift, compared));
    }
    // What stands upon nothing but the root is part of no frame then.
    palette.insert(NARROW, colours::of(Kind::Other, NARROW));
    let narrow = hidden[Graph::ROOT as usize];
    lines.extend(line(NARROW, narrow, shift, compared).filter(|_| narrow[0] >> shift > 0));
    (lines, palette)
}

/// The line of what is a frame's own, if there is any of it.
fn line(stack: &str, own: [u128; 2], shift: u32, compared: bool) -> Option<String> {
    let [own, before] = own.map(|value| (value >> shift).min(1 << BITS));
    match (own, before, compared) {
        (0, 0, _) | (0, _, false) => None,
        (_, _, false) => Some(format!("{stack} {own}")),
        (_, _, true) => Some(format!("{stack} {before} {own}")),
    }
}
