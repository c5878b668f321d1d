//! From a strategy's row as it was measured to one that is told.

use trace_replay::{Figures, Plan, Strategy, Voided};

use super::super::text::Text;
use super::calls::describe;
use super::facts::{Differing, Measured, Projected, Range, Row};

pub(super) fn row_of(row: &trace_replay::Row, plan: &Plan) -> Row {
    let figures = row.figures.as_ref().ok();
    let is_run = row.strategy != Strategy::Free;
    Row {
        strategy: row.strategy.to_string(),
        lookahead: row.strategy.lookahead().window(),
        at_once: at_once(row.strategy),
        way: way(row.strategy),
        ring: row.strategy.needs_ring(),
        measured: figures.filter(|_| is_run).map(|figures| measured(row, figures)),
        void: row.figures.as_ref().err().map(|voided| void(voided, plan)),
        projection: figures
            .and_then(|figures| figures.projection)
            .map(|projection| Projected::of(projection, row.strategy)),
        helps: figures.and_then(|figures| figures.helps),
    }
}

fn measured(row: &trace_replay::Row, figures: &Figures) -> Measured {
    Measured {
        blocks: figures.blocks,
        wall_ns: figures.wall_ns.into(),
        calls_ns: figures.calls_ns.into(),
        against_serial: figures.against_serial.into(),
        against_threads: figures.against_threads.map(Range::from),
        cpu_ratio: figures.cpu_ratio.into(),
        kernel_entries: row.counts.kernel_entries,
        submissions: row.counts.submissions,
        punts: row.punts,
        punts_at_least: row.punts_at_least,
        stand_ins: row.counts.stand_ins,
        switches: figures.switches,
        setup_ns: row.setup_ns,
    }
}

fn void(voided: &Voided, plan: &Plan) -> Differing {
    Differing {
        call: match (voided.call, &voided.file) {
            (Some(call), _) => describe(plan, call),
            (None, Some(file)) => Text::from([b"after all calls, /", &file[..]].concat().as_slice()),
            (None, None) => Text::from("a close by the kernel"),
        },
        what: voided.what.name(),
        recorded: voided.expected,
        here: voided.observed,
    }
}

/// How many calls may be under way together at most; `None` where that is no choice.
pub(super) fn at_once(strategy: Strategy) -> Option<u32> {
    match strategy {
        Strategy::Threads { threads, .. } => Some(threads),
        Strategy::Ring { depth, .. }
        | Strategy::Hybrid { depth, .. }
        | Strategy::Chains { depth, .. }
        | Strategy::TokioUring { depth, .. } => Some(depth),
        Strategy::RingOne => Some(1),
        _ => None,
    }
}

fn way(strategy: Strategy) -> &'static str {
    match strategy {
        Strategy::Free => "free",
        Strategy::Serial => "serial",
        Strategy::Thinking { .. } => "serial, think time",
        Strategy::Threads { .. } => "threads",
        Strategy::Divided { started: true, .. } => "threads, started for it",
        Strategy::Divided { started: false, .. } => "threads, woken for it",
        Strategy::RingOne | Strategy::Ring { .. } => "ring",
        Strategy::Tuned { .. } => "ring set up otherwise",
        Strategy::Hybrid { .. } => "hybrid",
        Strategy::Chains { .. } => "chains",
        Strategy::Memo { .. } => "each lookup once",
        Strategy::Fewer(_) => "fewer calls",
        Strategy::Relative => "names from open directories",
        Strategy::TokioUring { .. } => "tokio-uring",
        Strategy::TokioBlocking { .. } => "tokio spawn_blocking",
    }
}
