//! A flame graph as speedscope reads it: one JSON object (its schema is named in it), every frame once.

use std::io::{self, Write};

use rustc_hash::FxHashMap;
use serde::Serialize;

use super::caption::title;
use crate::analysis::flame::Drawing;
use crate::analysis::fold::Metric;
use crate::report::escape::escape;

/// How each file of ours begins.
pub const BEGIN: &[u8] =
    br#"{"$schema":"https://www.speedscope.app/file-format-schema.json","exporter":"trace","#;

#[derive(Serialize)]
struct File<'a> {
    #[serde(rename = "$schema")]
    schema: &'a str,
    exporter: &'a str,
    name: &'a str,
    shared: Shared,
    profiles: [Profile<'a>; 1],
}

#[derive(Serialize)]
struct Shared {
    frames: Vec<Frame>,
}

#[derive(Serialize)]
struct Frame {
    name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Profile<'a> {
    r#type: &'a str,
    name: &'a str,
    unit: &'a str,
    start_value: u64,
    end_value: u64,
    samples: Vec<Vec<usize>>,
    weights: Vec<u64>,
}

/// Writes the graph. False: no frame has a width, and nothing is written.
pub fn speedscope(out: &mut dyn Write, drawing: &Drawing) -> io::Result<bool> {
    let mut frames = Vec::new();
    let mut known: FxHashMap<&[u8], usize> = FxHashMap::default();
    let (mut samples, mut weights, mut stack) = (Vec::new(), Vec::new(), Vec::new());
    for (depth, id) in drawing.graph.walk() {
        let name = drawing.graph.name(id);
        let frame = *known.entry(name).or_insert_with(|| {
            frames.push(Frame { name: escape(name) });
            frames.len() - 1
        });
        stack.truncate(depth);
        stack.push(frame);
        let [own, _] = drawing.graph.own(id);
        if own > 0 {
            samples.push(stack.clone());
            weights.push(own);
        }
    }
    if samples.is_empty() {
        return Ok(false);
    }
    let name = title(&drawing.command);
    let unit = match drawing.metric {
        Metric::Time | Metric::Elapsed | Metric::Cpu | Metric::Wall => "nanoseconds",
        Metric::Bytes => "bytes",
        Metric::Count => "none",
    };
    let end_value = weights.iter().copied().fold(0, u64::saturating_add);
    let profile =
        Profile { r#type: "sampled", name: &name, unit, start_value: 0, end_value, samples, weights };
    let file = File {
        schema: "https://www.speedscope.app/file-format-schema.json",
        exporter: "trace",
        name: &name,
        shared: Shared { frames },
        profiles: [profile],
    };
    crate::report::json::write_line(out, &file)?;
    Ok(true)
}
