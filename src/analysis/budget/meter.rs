//! Measures the metrics of budgets while the events of one run pass.

use std::cmp::Reverse;

use rustc_hash::FxHashMap;
use serde::Serialize;

use super::expression::{Condition, Field, Figure, Metric, Outcome, Quantity, Subject};
use crate::analysis::base::{Base, Seen};
use crate::analysis::calls::Call;
use crate::analysis::cost::{Cell, Group, Prices, Quality};
use crate::analysis::filesystem;
use crate::analysis::integrity::Integrity;
use crate::analysis::intern::{Id, Interner};
use crate::analysis::text::{Text, directory};
use crate::analysis::wall::{self, Untraced};
use crate::event::Event;
use crate::log::Header;
use crate::syscall::Ret;

/// Directories that are named for one metric.
const DIRECTORIES: usize = 5;

/// Takes the events of one run.
#[derive(Debug)]
pub struct Meter {
    base: Base,
    untraced: Option<Untraced>,
    metrics: Vec<Metric>,
    /// The metrics that a call can count for, by its id.
    of_call: Vec<Option<Box<[usize]>>>,
    objects: Interner,
    /// Whether the conditions on paths hold for an object.
    paths: FxHashMap<(usize, Id), bool>,
    cells: FxHashMap<(usize, Id, Group), Sum>,
}

/// Calls of one metric on one object.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    cell: Cell,
    bytes: u64,
}

/// The part of one directory in a value.
#[derive(Debug, Default)]
struct Share<'a> {
    amount: u64,
    paths: u64,
    /// The path with the largest part; of equal ones the first.
    largest: Option<(u64, Reverse<&'a [u8]>)>,
}

/// What one run came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reading {
    /// What is missing from the log.
    pub integrity: Integrity,
    /// What costs are.
    pub quality: Quality,
    /// For each metric, what it is.
    pub values: Vec<Value>,
}

/// What one metric came to.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Value {
    /// In the metric's unit; `None`: the log does not tell.
    pub amount: Option<u64>,
    /// Where most of it is, most first.
    pub places: Vec<Place>,
    /// Directories (or programs) beyond those.
    pub more_places: u64,
}

/// A directory with what it has part in a value; for processes and programs, a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The directory or program; empty where calls are about no file.
    pub name: Text,
    /// Its part, in the metric's unit.
    pub amount: u64,
    /// How many paths of it.
    pub paths: u64,
    /// The path that has the largest part.
    pub example: Text,
}

impl Meter {
    /// For the events of the log with this header.
    #[must_use]
    pub fn new(header: &Header, metrics: Vec<Metric>) -> Self {
        Self {
            base: Base::new(header),
            untraced: wall::untraced(header),
            metrics,
            of_call: Vec::new(),
            objects: Interner::default(),
            paths: FxHashMap::default(),
            cells: FxHashMap::default(),
        }
    }

    /// Takes in one event.
    pub fn add(&mut self, event: &Event<'_>) {
        let Some(seen) = self.base.add(event) else { return };
        let at = usize::from(seen.call);
        if self.of_call.len() <= at {
            self.of_call.resize(at + 1, None);
        }
        let (metrics, call) = (&self.metrics, self.base.calls.get(seen.call));
        let chosen = self.of_call[at].get_or_insert_with(|| chosen(metrics, call));
        if chosen.is_empty() {
            return;
        }
        let object = seen.object.unwrap_or_default();
        // Each pipe has its own name; as a kind they are one.
        let object = filesystem::not_a_file(object).map_or(object, str::as_bytes);
        let id = self.objects.id(object);
        for &at in chosen.iter() {
            let metric = &metrics[at];
            let path = |conditions: &[Condition]| holds(conditions, Field::Path, object);
            if !counts(metric, &seen)
                || !holds(&metric.conditions, Field::Thread, event.comm)
                || !*self.paths.entry((at, id)).or_insert_with(|| path(&metric.conditions))
            {
                continue;
            }
            let sum = self.cells.entry((at, id, seen.group)).or_default();
            sum.cell.add(seen.duration_ns);
            sum.bytes += bytes(call, event);
        }
    }

    /// What the metrics come to.
    #[must_use]
    pub fn finish(mut self) -> Reading {
        let prices = self.base.prices();
        let mut amounts: Vec<FxHashMap<Id, Option<u64>>> = vec![FxHashMap::default(); self.metrics.len()];
        for (&(at, id, group), sum) in &self.cells {
            let amount = amount(self.metrics[at].quantity, &prices, group, sum);
            let all = amounts[at].entry(id).or_insert(Some(0));
            *all = all.zip(amount).map(|(a, b)| a.saturating_add(b));
        }
        let metrics = self.metrics.iter().zip(amounts);
        let values = metrics.map(|(metric, amounts)| match metric.subject {
            Subject::Run(figure) => self.figure(figure),
            _ => self.value(metric, &prices, &amounts),
        });
        let values = values.collect();
        Reading { integrity: self.base.watch.finish(), quality: prices.model.quality, values }
    }

    fn value(&self, metric: &Metric, prices: &Prices, amounts: &FxHashMap<Id, Option<u64>>) -> Value {
        let is_unknown = metric.quantity == Quantity::Cost && prices.model.quality == Quality::Unknown;
        if is_unknown || amounts.values().any(Option::is_none) {
            return Value::default();
        }
        let amounts = amounts.iter().map(|(&id, amount)| (self.objects.get(id), amount.unwrap_or(0)));
        let mut by_directory: FxHashMap<&[u8], Share<'_>> = FxHashMap::default();
        let mut total = 0_u64;
        for (path, amount) in amounts {
            total = total.saturating_add(amount);
            let found = by_directory.entry(directory(path).unwrap_or(path)).or_default();
            found.amount = found.amount.saturating_add(amount);
            found.paths += 1;
            found.largest = found.largest.max(Some((amount, Reverse(path))));
        }
        let places = by_directory.into_iter().filter(|(_, share)| share.amount > 0);
        let places = places.map(|(name, share)| Place {
            name: name.into(),
            amount: share.amount,
            paths: share.paths,
            example: share.largest.map_or(b"".as_slice(), |(_, Reverse(path))| path).into(),
        });
        most(total, places.collect())
    }

    fn figure(&self, figure: Figure) -> Value {
        let processes = &self.base.processes;
        let list = processes.list();
        let figures = self.untraced.as_ref().map(|untraced| &untraced.figures);
        let untraced = |ns: Option<f64>| Value { amount: ns.map(|ns| ns as u64), ..Value::default() };
        let mut names: FxHashMap<&[u8], u64> = FxHashMap::default();
        match figure {
            Figure::Wall => return untraced(figures.map(|figures| figures.wall_ns.median)),
            Figure::Cpu => return untraced(figures.map(|figures| figures.cpu_ns.median)),
            Figure::Processes => {
                for process in list {
                    *names.entry(processes.name(process)).or_default() += 1;
                }
            }
            Figure::Threads => {
                for process in list.iter().filter(|process| process.threads > 0) {
                    *names.entry(processes.name(process)).or_default() += u64::from(process.threads);
                }
            }
            Figure::Programs => {
                for exec in list.iter().flat_map(|process| &process.execs) {
                    *names.entry(processes.strings.get(exec.path)).or_default() += 1;
                }
            }
        }
        let total = names.values().sum();
        let place = |(name, amount): (&[u8], u64)| Place {
            name: name.into(),
            amount,
            paths: 1,
            example: Text::default(),
        };
        most(total, names.into_iter().map(place).collect())
    }
}

/// The metrics that a call can count for.
fn chosen(metrics: &[Metric], call: &Call) -> Box<[usize]> {
    let chosen = metrics.iter().enumerate().filter(|(_, metric)| match &metric.subject {
        Subject::All => true,
        Subject::FileSystem => call.family().is_file_system(),
        Subject::Family(family) => call.family() == *family,
        Subject::Class(classes) => call.classes().intersects(*classes),
        Subject::Syscall(name) => *call.name == **name,
        Subject::Run(_) => false,
    });
    chosen.map(|(at, _)| at).collect()
}

/// Whether a call of the right kind counts, its path and thread aside.
fn counts(metric: &Metric, seen: &Seen<'_>) -> bool {
    let is_work = metric.subject != Subject::FileSystem || seen.group.on_file();
    is_work
        && match metric.outcome {
            Outcome::Any => true,
            Outcome::Failed => seen.errno != 0,
            Outcome::Succeeded => seen.errno == 0,
            Outcome::Errno(errno) => seen.errno == errno,
        }
}

fn holds(conditions: &[Condition], field: Field, text: &[u8]) -> bool {
    let mut of_field = conditions.iter().filter(|condition| condition.field == field);
    of_field.all(|condition| condition.pattern.is_match(text) != condition.negated)
}

/// Bytes that a call has read or written.
fn bytes(call: &Call, event: &Event<'_>) -> u64 {
    let moves = call.spec.is_some_and(|spec| spec.ret == Ret::Size) && moves_data(call);
    event.ret.filter(|_| moves).and_then(|ret| u64::try_from(ret).ok()).unwrap_or(0)
}

/// Whether what a call returns is data read or written, rather than names or attributes.
fn moves_data(call: &Call) -> bool {
    use crate::syscall::Family;
    matches!(call.family(), Family::Read | Family::Write | Family::Network)
}

fn amount(quantity: Quantity, prices: &Prices, group: Group, sum: &Sum) -> Option<u64> {
    match quantity {
        Quantity::Calls => Some(sum.cell.calls),
        Quantity::Bytes => Some(sum.bytes),
        Quantity::Cost => prices.cost(group, &sum.cell),
    }
}

/// A value with the places that have most of it.
fn most(total: u64, mut places: Vec<Place>) -> Value {
    places.sort_by(|a, b| (Reverse(a.amount), &a.name).cmp(&(Reverse(b.amount), &b.name)));
    let more_places = places.len().saturating_sub(DIRECTORIES) as u64;
    places.truncate(DIRECTORIES);
    Value { amount: Some(total), places, more_places }
}
