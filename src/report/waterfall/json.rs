//! The picture of a start as JSON: what is drawn, in nanoseconds on its axis.
//!
//! What goes on in the columns of the axis is one list a kind, of the kinds that there are.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::analysis::cost::Quality;
use crate::analysis::integrity::Integrity;
use crate::analysis::partition::Part;
use crate::analysis::phases::PhaseKind;
use crate::analysis::text::Text;
use crate::analysis::waterfall::{COLUMNS, Class, Picture, Row, Shares};

#[derive(Serialize)]
struct Whole<'a> {
    command: &'a [String],
    backend: &'a str,
    integrity: &'a Integrity,
    quality: Quality,
    traced_ns: u64,
    wall_ns: Option<u64>,
    untraced_runs: u64,
    scaled_by: Option<f64>,
    until: Option<&'a str>,
    knows_cpu: bool,
    length_ns: u64,
    columns: usize,
    cell_ns: u64,
    calls: u64,
    file_calls: FileCalls,
    phases: Vec<Phase<'a>>,
    imports: Imports<'a>,
    critical: Option<Critical>,
    busy: &'a [f64],
    threads: Vec<Lane<'a>>,
    other_threads: Option<Others>,
    not_told_apart: u64,
}

#[derive(Serialize)]
struct FileCalls {
    calls: u64,
    failed: u64,
    columns: Vec<f64>,
    failed_columns: Vec<f64>,
}

#[derive(Serialize)]
struct Phase<'a> {
    name: &'a Text,
    kind: PhaseKind,
    from_ns: u64,
    to_ns: u64,
}

#[derive(Serialize)]
struct Imports<'a> {
    told: bool,
    left_out: u64,
    list: Vec<Import<'a>>,
}

#[derive(Serialize)]
struct Import<'a> {
    name: &'a Text,
    depth: usize,
    from_ns: u64,
    to_ns: u64,
}

#[derive(Serialize)]
struct Critical {
    parts: Parts,
    columns: Columns,
    stretches: Vec<Stretch>,
}

#[derive(Serialize)]
struct Stretch {
    /// Index of the thread; `None`: it has no row.
    thread: Option<usize>,
    from_ns: u64,
    to_ns: u64,
}

#[derive(Serialize)]
struct Lane<'a> {
    pid: u32,
    tid: u32,
    name: &'a Text,
    argv: &'a [Text],
    depth: usize,
    is_thread: bool,
    status: Option<i64>,
    calls: u64,
    from_ns: u64,
    to_ns: u64,
    critical_ns: u64,
    parts: Parts,
    first_column: usize,
    columns: Columns,
    programs: Vec<Program<'a>>,
    long_calls: Vec<Long<'a>>,
}

#[derive(Serialize)]
struct Program<'a> {
    at_ns: u64,
    name: &'a Text,
}

#[derive(Serialize)]
struct Long<'a> {
    call: &'a str,
    object: &'a Text,
    errno: Option<u16>,
    from_ns: u64,
    to_ns: u64,
}

#[derive(Serialize)]
struct Others {
    threads: u64,
    processes: u64,
    calls: u64,
    most: f64,
    columns: Columns,
}

/// How long each kind lasts, of those that there are.
struct Parts(Shares);

/// The same in each column.
struct Columns(BTreeMap<usize, Vec<u64>>);

impl Serialize for Parts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let there = Class::ALL.into_iter().map(|class| (class, ns(self.0.get(class))));
        let there: Vec<_> = there.filter(|(_, ns)| *ns > 0).collect();
        let mut map = serializer.serialize_map(Some(there.len()))?;
        for (class, ns) in there {
            entry(&mut map, class, &ns)?;
        }
        map.end()
    }
}

impl Serialize for Columns {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (place, list) in &self.0 {
            entry(&mut map, Class::ALL[*place], list)?;
        }
        map.end()
    }
}

/// Writes what a kind has, under its name; parts of a thread's time are called as in `trace startup --json`.
fn entry<M: SerializeMap>(map: &mut M, class: Class, value: &impl Serialize) -> Result<(), M::Error> {
    match class {
        Class::Computing => map.serialize_entry("computing", value),
        Class::FileCall => map.serialize_entry("file_call", value),
        Class::OtherCall => map.serialize_entry("other_call", value),
        Class::Off(part) => map.serialize_entry::<Part, _>(&part, value),
    }
}

fn columns(shares: &[Shares]) -> Columns {
    let lists = Class::ALL.into_iter().enumerate().map(|(place, class)| {
        let list: Vec<u64> = shares.iter().map(|shares| ns(shares.get(class))).collect();
        (place, list)
    });
    Columns(lists.filter(|(_, list)| list.iter().any(|ns| *ns > 0)).collect())
}

/// Whole nanoseconds.
fn ns(ns: f64) -> u64 {
    ns.round() as u64
}

/// Writes the picture. False: there is nothing to draw, and nothing is written.
pub fn json(out: &mut dyn Write, picture: &Picture) -> io::Result<bool> {
    if !super::has_axis(picture) {
        return Ok(false);
    }
    crate::report::json::write(out, &whole(picture))?;
    Ok(true)
}

fn whole(picture: &Picture) -> Whole<'_> {
    let [calls, failed] = picture.all_file_calls;
    let list = |place: usize| picture.file_calls.iter().map(|column| column[place]).collect();
    let imports = picture.imports.list.iter().map(|import| Import {
        name: &import.name,
        depth: import.depth,
        from_ns: ns(import.from),
        to_ns: ns(import.to),
    });
    let phases = picture.phases.iter().map(|phase| Phase {
        name: &phase.name,
        kind: phase.kind,
        from_ns: ns(phase.from),
        to_ns: ns(phase.to),
    });
    let critical = picture.critical.as_ref().map(|critical| Critical {
        parts: Parts(critical.sum),
        columns: columns(&critical.columns),
        stretches: critical
            .stretches
            .iter()
            .map(|&(thread, from, to)| Stretch { thread, from_ns: ns(from), to_ns: ns(to) })
            .collect(),
    });
    Whole {
        command: &picture.command,
        backend: &picture.backend,
        integrity: &picture.integrity,
        quality: picture.quality,
        traced_ns: picture.traced_ns,
        wall_ns: picture.wall_ns,
        untraced_runs: picture.untraced_runs,
        scaled_by: picture.scaled_by,
        until: picture.until.as_deref(),
        knows_cpu: picture.knows_cpu,
        length_ns: ns(picture.length_ns),
        columns: COLUMNS,
        cell_ns: picture.cell_ns,
        calls: picture.calls,
        file_calls: FileCalls { calls, failed, columns: list(0), failed_columns: list(1) },
        phases: phases.collect(),
        imports: Imports {
            told: picture.imports.are_told,
            left_out: picture.imports.left_out,
            list: imports.collect(),
        },
        critical,
        busy: &picture.busy,
        threads: picture.rows.iter().map(thread).collect(),
        other_threads: picture.others.as_ref().map(|others| Others {
            threads: others.threads,
            processes: others.processes,
            calls: others.calls,
            most: others.most,
            columns: columns(&others.columns),
        }),
        not_told_apart: picture.not_told_apart,
    }
}

fn thread(row: &Row) -> Lane<'_> {
    let programs = row.programs.iter().map(|(at, name)| Program { at_ns: ns(*at), name });
    let long_calls = row.long.iter().map(|long| Long {
        call: &long.call,
        object: &long.object,
        errno: Some(long.errno).filter(|errno| *errno != 0),
        from_ns: ns(long.from),
        to_ns: ns(long.to),
    });
    Lane {
        pid: row.pid,
        tid: row.tid,
        name: &row.name,
        argv: &row.argv,
        depth: row.depth,
        is_thread: row.is_thread,
        status: row.status,
        calls: row.calls,
        from_ns: ns(row.from),
        to_ns: ns(row.to),
        critical_ns: ns(row.critical),
        parts: Parts(row.sum),
        first_column: row.first,
        columns: columns(&row.columns),
        programs: programs.collect(),
        long_calls: long_calls.collect(),
    }
}
