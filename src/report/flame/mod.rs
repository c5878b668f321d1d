//! Flame graphs: as SVG by inferno, and as folded text for other programs.

mod caption;
mod colours;
mod folded;
#[cfg(test)]
mod tests;

use std::io::{self, Write};

use inferno::flamegraph::{self, TextTruncateDirection, color::BackgroundColor, color::Color};

use crate::analysis::flame::Drawing;
use crate::analysis::fold::{FrameId, Graph, Kind, Metric};
pub use caption::{Caption, by, title, what};
use folded::{Stack, frame_text};
pub use folded::{folded, is_folded};

/// Frames narrower than this part of the picture are not drawn: less than a pixel of a wide window.
const NARROWEST: f64 = 0.000_5;
/// The picture is drawn in whole numbers up to this many bits, which sums and colours of inferno bear.
const BITS: u32 = 52;

/// Writes the flame graph. Gives `false`, and writes nothing, if no frame has a width.
pub fn svg(out: &mut dyn Write, drawing: &Drawing, caption: &Caption<'_>) -> io::Result<bool> {
    let graph = &drawing.graph;
    let totals = graph.totals();
    let [all, before] = totals[Graph::ROOT as usize];
    if all == 0 {
        return Ok(false);
    }
    let shift = (u128::BITS - all.max(before).leading_zeros()).saturating_sub(BITS);
    let (mut lines, mut palette) = lines(graph, &totals, shift, caption.other.is_some());
    let mut options = flamegraph::Options::default();
    options.title = title(&drawing.command);
    options.subtitle = Some(caption::subtitle(drawing, caption));
    options.count_name.clear();
    options.count_name.push_str(match drawing.metric {
        Metric::Time | Metric::Elapsed => "ns",
        Metric::Count => "calls",
        Metric::Bytes => "bytes",
    });
    options.name_type.clear();
    options.factor = 2_f64.powi(shift as i32);
    // Frames too narrow are already part of what they stand upon.
    options.min_width = 0.0;
    options.bgcolors = Some(BackgroundColor::Flat(Color { r: 253, g: 253, b: 253 }));
    options.text_truncate_direction = TextTruncateDirection::Right;
    options.palette_map = Some(&mut palette);
    // The order of lines is the order of frames, which inferno sorts otherwise, and takes from the end here.
    options.flame_chart = true;
    lines.reverse();
    flamegraph::from_lines(&mut options, lines.iter().map(String::as_str), out).map_err(io::Error::other)?;
    Ok(true)
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
        palette.insert(&text, colours::of(graph.kind(id), &text));
        stack.set(depth, &text);
        let [own, before] = graph.own(id).map(u128::from);
        let [more, more_before] = hidden[id as usize];
        let [own, before] = [(own + more) >> shift, (before + more_before) >> shift];
        if own == 0 && before == 0 {
            continue;
        }
        let change = if compared { format!("{before} ") } else { String::new() };
        lines.push(format!("{} {change}{own}", stack.text()));
    }
    (lines, palette)
}
