//! A flame graph as JSON of our own: what a drawing says in its title, and every frame once, with its parent.

use std::io::{self, Write};

use rustc_hash::FxHashMap;
use serde::Serialize;

use super::unit;
use crate::analysis::cost::{LongCalls, Quality};
use crate::analysis::flame::Drawing;
use crate::analysis::fold::{By, FrameId, Graph, Kind, Metric};
use crate::analysis::integrity::Integrity;
use crate::analysis::replayed::ReplayedCosts;
use crate::analysis::text::Text;

#[derive(Serialize)]
struct Whole<'a> {
    command: &'a [String],
    backend: &'a str,
    by: By,
    metric: Metric,
    unit: &'a str,
    quality: Quality,
    stop_ns: u64,
    calls: u64,
    calls_with_stack: u64,
    sample_hz: Option<u32>,
    sampled_by: Option<&'a str>,
    sampled_user_only: bool,
    sample_cost_ns: Option<u64>,
    tracers_samples: u64,
    tracers_ns: u64,
    aligned: Option<(u64, u64)>,
    long_calls: LongCalls,
    other_calls: u64,
    waited_ns: u64,
    replayed: Option<&'a ReplayedCosts>,
    integrity: &'a Integrity,
    compared: bool,
    frames: Vec<Frame>,
}

#[derive(Serialize)]
struct Frame {
    name: Text,
    kind: &'static str,
    /// Index in the list; `None`: it stands upon nothing.
    parent: Option<usize>,
    own: u64,
    total: u64,
    /// In the log that this one is compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    own_before: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_before: Option<u64>,
}

/// Writes the graph. False: no frame has a width, and nothing is written.
pub fn json(out: &mut dyn Write, drawing: &Drawing, compared: bool) -> io::Result<bool> {
    let frames = frames(&drawing.graph, compared);
    if frames.is_empty() {
        return Ok(false);
    }
    let whole = Whole {
        command: &drawing.command,
        backend: &drawing.backend,
        by: drawing.by,
        metric: drawing.metric,
        unit: unit(drawing.metric),
        quality: drawing.quality,
        stop_ns: drawing.stop_ns,
        calls: drawing.calls,
        calls_with_stack: drawing.calls_with_stack,
        sample_hz: drawing.sampled.as_ref().map(|sampled| sampled.hz),
        sample_cost_ns: drawing.sampled.as_ref().and_then(|sampled| sampled.cost_ns),
        sampled_by: drawing.sampled.as_ref().and_then(|sampled| sampled.by.as_deref()),
        sampled_user_only: drawing.sampled.as_ref().is_some_and(|sampled| sampled.user_only),
        tracers_samples: drawing.tracers.0,
        tracers_ns: drawing.tracers.1,
        aligned: drawing.aligned,
        long_calls: drawing.long_calls,
        other_calls: drawing.other_calls,
        waited_ns: drawing.waited_ns,
        replayed: drawing.replayed.as_ref(),
        integrity: &drawing.integrity,
        compared,
        frames,
    };
    crate::report::json::write(out, &whole)?;
    Ok(true)
}

/// The frames that have a width in either log, each after the one that it stands upon.
fn frames(graph: &Graph, compared: bool) -> Vec<Frame> {
    let totals = graph.totals();
    let short = |value: u128| u64::try_from(value).unwrap_or(u64::MAX);
    let mut places: FxHashMap<FrameId, usize> = FxHashMap::default();
    let mut frames = Vec::new();
    for (_, id) in graph.walk() {
        let [total, total_before] = totals[id as usize].map(short);
        if total == 0 && (total_before == 0 || !compared) {
            continue;
        }
        places.insert(id, frames.len());
        let [own, own_before] = graph.own(id);
        frames.push(Frame {
            name: graph.name(id).into(),
            kind: kind(graph.kind(id)),
            parent: places.get(&graph.parent(id)).copied(),
            own,
            total,
            own_before: compared.then_some(own_before),
            total_before: compared.then_some(total_before),
        });
    }
    frames
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::All => "all",
        Kind::Process => "process",
        Kind::Phase => "phase",
        Kind::Directory => "directory",
        Kind::File => "file",
        Kind::Call(_) => "call",
        Kind::Code(_) => "code",
        Kind::Errno => "errno",
        Kind::Other => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::graph;
    use super::*;

    #[test]
    fn frames_name_what_they_stand_upon() {
        let mut ours = graph(&[(&[b"a", b"b"], 2), (&[b"a", b"c", b"d"], 3), (&[b"e"], 0)]);
        let found = |graph: &Graph, compared| {
            let frames = frames(graph, compared);
            let place = |frame: &Frame| (frame.parent, frame.own, frame.total, frame.total_before);
            let names: String =
                frames.iter().map(|frame| String::from_utf8_lossy(frame.name.bytes())).collect();
            (names, frames.iter().map(place).collect::<Vec<_>>())
        };
        let alone = [(None, 0, 5, None), (Some(0), 2, 2, None), (Some(0), 0, 3, None), (Some(2), 3, 3, None)];
        assert_eq!(found(&ours, false), ("abcd".to_owned(), alone.to_vec()));
        ours.compare(&graph(&[(&[b"a", b"b"], 7), (&[b"f"], 1)]));
        let both = [
            (None, 0, 5, Some(7)),
            (Some(0), 2, 2, Some(7)),
            (Some(0), 0, 3, Some(0)),
            (Some(2), 3, 3, Some(0)),
            (None, 0, 0, Some(1)),
        ];
        assert_eq!(found(&ours, true), ("abcdf".to_owned(), both.to_vec()));
    }
}
