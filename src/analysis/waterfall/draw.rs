//! From what was kept of a run to its picture: which threads have rows, and what is in each column.

use rustc_hash::{FxHashMap, FxHashSet};

use super::class::Shares;
use super::lane::{Lane, LaneId};
use super::longest::{Long, shortened};
use super::picture::{Band, COLUMNS, Critical, Import, Imports, Named, Others, Picture, Row};
use super::scale::Scale;
use super::{Told, Waterfall};
use crate::analysis::calls::Calls;
use crate::analysis::modules::Modules;
use crate::analysis::partition::Stretch;
use crate::analysis::phases::Phases;
use crate::analysis::process::{Process, Processes};
use crate::analysis::startup::Report;
use crate::analysis::text::{Text, arguments};

/// Rows of threads at most.
const MOST_ROWS: usize = 64;
/// Calls narrower than this part of the axis have no name of their own.
const NARROWEST: f64 = 0.002;
/// Words of a command line that are kept, programs of a process, stretches of the path.
const MOST_WORDS: usize = 12;
const MOST_PROGRAMS: usize = 16;
const MOST_STRETCHES: usize = 2000;

/// The columns of a time axis.
struct Axis {
    scale: Scale,
    column_ns: f64,
}

impl Axis {
    /// Gives the part of a stretch of the traced run that lies in each column.
    fn each(&self, from_ns: u64, to_ns: u64, mut take: impl FnMut(usize, f64)) {
        let (mut from, to) = (self.scale.at(from_ns), self.scale.at(to_ns));
        while from < to {
            let column = ((from / self.column_ns) as usize).min(COLUMNS - 1);
            let end = if column == COLUMNS - 1 { to } else { to.min((column + 1) as f64 * self.column_ns) };
            take(column, end - from);
            // A column is wider than what rounding takes off.
            from = end.max(from + self.column_ns * 1e-9);
        }
    }

    /// Adds what a thread does from one moment to another to the columns: all that is in no call is computing.
    fn add(&self, lane: &Lane, (from_ns, to_ns): (u64, u64), knows_cpu: bool, columns: &mut [Shares]) {
        let mut own: FxHashMap<usize, (f64, Shares)> = FxHashMap::default();
        self.each(from_ns, to_ns, |column, ns| own.entry(column).or_default().0 += ns);
        lane.each((from_ns, to_ns), knows_cpu, |from_ns, to_ns, class, instead| {
            self.each(from_ns, to_ns, |column, ns| {
                let (_, shares) = own.entry(column).or_default();
                shares.add(class, ns);
                if let Some(instead) = instead {
                    shares.add(instead, -ns);
                }
            });
        });
        for (column, (alive, mut shares)) in own {
            shares.fill(alive);
            if let Some(sum) = columns.get_mut(column) {
                sum.append(&shares);
            }
        }
    }
}

/// What the report has of processes, before it is made.
struct Known {
    name: Text,
    argv: Vec<Text>,
    status: Option<i64>,
    depth: usize,
    programs: Vec<(u64, Text)>,
}

/// Draws.
pub fn draw(mut waterfall: Waterfall) -> Picture {
    waterfall.lanes.iter_mut().for_each(Lane::sort);
    let knows_cpu = waterfall.knows_cpu;
    let mut stretches = std::mem::take(&mut waterfall.follower).finish();
    if let Some(stretches) = &mut stretches {
        stretches.reverse();
    }
    let chosen = choose(&waterfall.lanes, stretches.as_deref().unwrap_or_default());
    let base = &waterfall.startup.base;
    let known: Vec<Known> =
        chosen.iter().map(|&at| known(&base.processes, &waterfall.lanes[at as usize])).collect();
    let waits = std::mem::take(&mut waterfall.waits).finish();
    let work = std::mem::take(&mut waterfall.work).finish();
    let named = name_calls(&base.calls, waits.into_iter().chain(work));
    let (begin_ns, end_ns) = base.span.unwrap_or_default();
    let (report, _) = waterfall.startup.finish();
    let scale = Scale::of(&report.phases, begin_ns, end_ns);
    let axis = Axis { column_ns: (scale.length() / COLUMNS as f64).max(1e-3), scale };

    let mut busy = vec![0.0; COLUMNS];
    let mut others = Others { threads: 0, processes: 0, calls: 0, columns: none(), most: 0.0 };
    let row_of: FxHashMap<LaneId, usize> = chosen.iter().enumerate().map(|(row, &at)| (at, row)).collect();
    let mut rows: Vec<Option<Row>> = Vec::new();
    rows.resize_with(chosen.len(), || None);
    for (at, lane) in waterfall.lanes.iter().enumerate() {
        let mut columns = none();
        axis.add(lane, (lane.start_ns, lane.end_ns), knows_cpu, &mut columns);
        for (sum, shares) in busy.iter_mut().zip(&columns) {
            *sum += shares.on_cpu() / axis.column_ns;
        }
        if let Some(&at) = row_of.get(&(at as LaneId)) {
            rows[at] = Some(row(&axis, lane, &known[at], &columns));
        } else {
            others.threads += 1;
            others.processes += u64::from(lane.tid == lane.pid);
            others.calls += lane.calls;
            others.columns.iter_mut().zip(&columns).for_each(|(sum, shares)| sum.append(shares));
        }
    }
    others.most = others.columns.iter().map(Shares::sum).fold(0.0, f64::max) / axis.column_ns;
    let mut rows: Vec<Row> = rows.into_iter().flatten().collect();
    put_names(&axis, &mut rows, &row_of, &named);
    let critical = stretches
        .map(|stretches| critical(&axis, &waterfall.lanes, &stretches, (knows_cpu, &row_of), &mut rows));
    let mut file_calls = vec![[0.0; 2]; COLUMNS];
    for (from_ns, to_ns, bin) in waterfall.file_calls.bins() {
        let (from, to) = (axis.scale.at(from_ns), axis.scale.at(to_ns));
        let all = (to - from).max(1e-9);
        axis.each(from_ns, to_ns, |column, ns| {
            file_calls[column][0] += bin[0] as f64 * ns / all;
            file_calls[column][1] += bin[1] as f64 * ns / all;
        });
    }
    Picture {
        imports: imports(&axis, waterfall.told, waterfall.left_out, &report.modules),
        knows_cpu,
        knows_times: waterfall.knows_times,
        length_ns: axis.scale.length(),
        cell_ns: waterfall.cell_ns,
        calls: waterfall.calls,
        phases: bands(&report.phases),
        critical,
        busy,
        file_calls,
        all_file_calls: waterfall.all_file_calls,
        rows,
        others: (others.threads > 0).then_some(others),
        not_told_apart: waterfall.not_told_apart,
        ..of_report(report)
    }
}

fn none() -> Vec<Shares> {
    vec![Shares::default(); COLUMNS]
}

fn sum(columns: &[Shares]) -> Shares {
    let mut sum = Shares::default();
    for shares in columns {
        sum.append(shares);
    }
    sum
}

/// What the report of a start says of the whole run.
fn of_report(report: Report) -> Picture {
    Picture {
        wall_ns: report.untraced.as_ref().map(crate::analysis::wall::Untraced::wall_ns),
        untraced_runs: report.untraced.as_ref().map_or(0, |untraced| untraced.figures.wall_ns.count as u64),
        scaled_by: report.phases.scaled_by,
        command: report.command,
        backend: report.backend,
        integrity: report.integrity,
        quality: report.quality,
        traced_ns: report.traced_ns.unwrap_or(0),
        until: report.until,
        knows_cpu: false,
        knows_times: false,
        length_ns: 0.0,
        cell_ns: 0,
        calls: 0,
        phases: Vec::new(),
        imports: Imports::default(),
        critical: None,
        busy: Vec::new(),
        file_calls: Vec::new(),
        all_file_calls: [0; 2],
        rows: Vec::new(),
        others: None,
        not_told_apart: 0,
    }
}

fn bands(phases: &Phases) -> Vec<Band> {
    let band = |phase: &crate::analysis::phases::Phase| Band {
        name: phase.name.clone(),
        kind: phase.kind,
        from: phase.at_ns as f64,
        to: phase.at_ns.saturating_add(phase.takes_ns) as f64,
    };
    phases.phases.iter().map(band).collect()
}

/// The threads that have rows, in the order of rows: those that are longest on the critical path, then those that live
/// longest.
fn choose(lanes: &[Lane], stretches: &[Stretch]) -> Vec<LaneId> {
    let mut critical: FxHashMap<u32, u64> = FxHashMap::default();
    for (tid, from_ns, to_ns) in stretches {
        *critical.entry(*tid).or_default() += to_ns.saturating_sub(*from_ns);
    }
    let mut all: Vec<LaneId> = (0..lanes.len() as LaneId).collect();
    let rank = |at: &LaneId| {
        let lane = &lanes[*at as usize];
        let on_path = critical.get(&lane.tid).copied().unwrap_or(0);
        std::cmp::Reverse((*at == 0, on_path, lane.end_ns - lane.start_ns))
    };
    all.sort_by_key(rank);
    all.truncate(MOST_ROWS);
    // A process's threads stay together, in the order in which processes begin.
    let mut begins: FxHashMap<u32, u64> = FxHashMap::default();
    for &at in &all {
        let lane = &lanes[at as usize];
        let begin = begins.entry(lane.process).or_insert(lane.start_ns);
        *begin = lane.start_ns.min(*begin);
    }
    all.sort_by_key(|&at| {
        let lane = &lanes[at as usize];
        (begins[&lane.process], lane.process, lane.tid != lane.pid, lane.start_ns, at)
    });
    all
}

fn known(processes: &Processes, lane: &Lane) -> Known {
    let list = processes.list();
    let Some(process) = list.get(lane.process as usize) else {
        let name = Text::from(lane.comm.as_slice());
        return Known { name, argv: Vec::new(), status: None, depth: 0, programs: Vec::new() };
    };
    let is_first = lane.tid == lane.pid;
    let mut depth = 0;
    let mut seen: FxHashSet<u32> = FxHashSet::default();
    let mut parent = process.parent;
    while let Some(at) = parent.filter(|at| seen.insert(*at)) {
        depth += 1;
        parent = list.get(at as usize).and_then(|process| process.parent);
    }
    let name = if is_first { name_of(processes, process) } else { lane.comm.clone() };
    let argv = process.execs.last().map_or(&b""[..], |exec| processes.strings.get(exec.argv));
    Known {
        name: (&*shortened(&name)).into(),
        argv: arguments(argv).take(MOST_WORDS).map(|word| (&*shortened(word)).into()).collect(),
        status: process.status.filter(|_| is_first),
        depth,
        programs: if is_first { programs(processes, process) } else { Vec::new() },
    }
}

/// What a process is called: its last program; where it started none, that it is a child of what it was then.
fn name_of(processes: &Processes, process: &Process) -> Vec<u8> {
    if process.execs.is_empty() && process.parent.is_some() {
        let name = processes.name_at_start(process);
        return [b"(", name, b")"].concat();
    }
    processes.name(process).to_vec()
}

fn programs(processes: &Processes, process: &Process) -> Vec<(u64, Text)> {
    let program = |exec: &crate::analysis::process::Exec| {
        let path = shortened(processes.strings.get(exec.path));
        (exec.at_ns, Text::from(&*path))
    };
    process.execs.iter().take(MOST_PROGRAMS).map(program).collect()
}

fn row(axis: &Axis, lane: &Lane, known: &Known, columns: &[Shares]) -> Row {
    let lives = |shares: &Shares| shares.sum() > 0.0;
    let first = columns.iter().position(lives).unwrap_or(0);
    let last = columns.iter().rposition(lives).unwrap_or(first);
    let sum = sum(columns);
    Row {
        pid: lane.pid,
        tid: lane.tid,
        name: known.name.clone(),
        argv: known.argv.clone(),
        depth: known.depth,
        is_thread: lane.tid != lane.pid,
        status: known.status,
        calls: lane.calls,
        from: axis.scale.at(lane.start_ns),
        to: axis.scale.at(lane.end_ns),
        critical: 0.0,
        columns: columns.get(first..=last).unwrap_or_default().to_vec(),
        first,
        sum,
        programs: known.programs.iter().map(|(at_ns, path)| (axis.scale.at(*at_ns), path.clone())).collect(),
        long: Vec::new(),
    }
}

/// The longest calls with their names.
fn name_calls(calls: &Calls, all: impl Iterator<Item = Long>) -> Vec<(Long, Box<str>)> {
    let named = all.map(|long| {
        let name = calls.find(long.call).map_or_else(Box::default, |call| call.name.clone());
        (long, name)
    });
    let mut named: Vec<(Long, Box<str>)> = named.collect();
    named.sort_by_key(|(long, _)| (long.start_ns, long.end_ns, long.lane));
    named
}

/// Puts calls that are wide enough into the rows of their threads.
fn put_names(axis: &Axis, rows: &mut [Row], row_of: &FxHashMap<LaneId, usize>, all: &[(Long, Box<str>)]) {
    let least = axis.scale.length() * NARROWEST;
    for (long, call) in all {
        let Some(row) = row_of.get(&long.lane).and_then(|row| rows.get_mut(*row)) else { continue };
        let (from, to) = (axis.scale.at(long.start_ns), axis.scale.at(long.end_ns));
        if to - from >= least {
            let (call, object) = (call.clone(), Text::from(&*long.object));
            row.long.push(Named { call, object, errno: long.errno, from, to });
        }
    }
}

fn critical(
    axis: &Axis,
    lanes: &[Lane],
    stretches: &[Stretch],
    (knows_cpu, row_of): (bool, &FxHashMap<LaneId, usize>),
    rows: &mut [Row],
) -> Critical {
    let mut by_tid: FxHashMap<u32, Vec<LaneId>> = FxHashMap::default();
    for (at, lane) in lanes.iter().enumerate() {
        by_tid.entry(lane.tid).or_default().push(at as LaneId);
    }
    let (mut columns, mut shown) = (none(), Vec::new());
    for &(tid, from_ns, to_ns) in stretches {
        // A number that is used again has several; the last one that had begun is meant.
        let with_tid = by_tid.get(&tid).into_iter().flatten().rev();
        let Some(&at) = { with_tid }.find(|at| lanes[**at as usize].start_ns < to_ns) else { continue };
        axis.add(&lanes[at as usize], (from_ns, to_ns), knows_cpu, &mut columns);
        let (from, to) = (axis.scale.at(from_ns), axis.scale.at(to_ns));
        let row = row_of.get(&at).copied();
        if let Some(row) = row.and_then(|row| rows.get_mut(row)) {
            row.critical += to - from;
        }
        shown.push((row, from, to));
    }
    let sum = sum(&columns);
    shown.dedup_by(|next, last| {
        let joins = next.0 == last.0 && (next.1 - last.2).abs() < axis.column_ns / 4.0;
        if joins {
            last.2 = next.2;
        }
        joins
    });
    if shown.len() > MOST_STRETCHES {
        shown.sort_by(|a, b| (b.2 - b.1).total_cmp(&(a.2 - a.1)));
        shown.truncate(MOST_STRETCHES);
        shown.sort_by(|a, b| a.1.total_cmp(&b.1));
    }
    Critical { columns, sum, stretches: shown }
}

fn imports(axis: &Axis, told: Vec<Told>, left_out: u64, modules: &Modules) -> Imports {
    let are_told = !told.is_empty();
    let mut list: Vec<Import> = if are_told {
        let import = |told: Told| Import {
            name: told.name,
            depth: told.depth,
            from: axis.scale.at(told.start_ns),
            to: axis.scale.at(told.end_ns),
        };
        told.into_iter().map(import).collect()
    } else {
        let opened = modules.modules.iter().take(super::MOST_IMPORTS).map(|module| {
            let at = axis.scale.at(module.opened_ns);
            Import { name: Text::from(&*shortened(module.name.bytes())), depth: 0, from: at, to: at }
        });
        opened.collect()
    };
    list.sort_by(|a, b| a.from.total_cmp(&b.from).then(a.depth.cmp(&b.depth)));
    let beyond = if are_told { left_out } else { modules.loaded.saturating_sub(super::MOST_IMPORTS as u64) };
    Imports { list, are_told, left_out: beyond }
}
