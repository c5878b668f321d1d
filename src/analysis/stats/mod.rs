//! One table over a log: calls, errors, costs, by one of several things.

mod options;
mod rows;
#[cfg(test)]
mod tests;

use rustc_hash::FxHashMap;
use serde::Serialize;

use super::base::{Base, Seen};
use super::cost::{Cell, Group, Groups, LongCalls, NullCall, Quality, Times};
use super::durations::Durations;
use super::filesystem;
use super::integrity::Integrity;
use super::intern::Interner;
use super::replayed::ReplayedCosts;
use super::text::{Text, directory};
use super::wall::{self, Untraced, Wall};
use crate::event::Event;
use crate::log::{Header, Replayed};
use crate::syscall::Classes;
pub use options::{By, Options, Sort};

/// What a row is counted under while events pass.
type Bucket = u32;

/// Takes the events of a log, gives the table.
#[derive(Debug)]
pub struct Stats {
    by: By,
    base: Base,
    untraced: Option<Untraced>,
    replayed: Option<Replayed>,
    null_call: Option<NullCall>,
    /// Paths and directories.
    names: Interner,
    cells: FxHashMap<(Bucket, Group, u16), Cell>,
    /// Durations by bucket, where a bucket is not made of whole groups: those traced from the same CPU,
    /// and from another.
    durations: Vec<[Durations; 2]>,
    counted: u64,
    /// Where not all calls are wanted: those that are.
    chosen: Option<Groups>,
    not_chosen: u64,
}

/// The table as a value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Table {
    /// What rows are.
    pub by: By,
    /// What is missing from the log.
    pub integrity: Integrity,
    /// What all costs are.
    pub quality: Quality,
    /// What was taken off the duration of each call traced from its own CPU.
    pub stop_ns: u64,
    /// Calls that took long when traced.
    pub long_calls: LongCalls,
    /// What shares are parts of.
    pub wall: Wall,
    /// Where costs are those of a replay: of which calls, and made how.
    pub replayed: Option<ReplayedCosts>,
    /// The rows, sorted.
    pub rows: Vec<Row>,
    /// Rows beyond the number asked for, taken together.
    pub left_out: Option<LeftOut>,
    /// All calls of the log that were chosen, those in no row included.
    pub total: Total,
    /// Calls of the log that were not chosen.
    pub not_chosen_calls: u64,
    /// Calls that are in no row, for they have nothing of the kind (no path, no class).
    pub uncounted_calls: u64,
    /// Whether a call can be in several rows (classes), so that rows add up to more than the total.
    pub overlapping: bool,
    /// The traced call that does nothing, to compare traced durations with.
    pub null_call: Option<NullCall>,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// What is counted.
    pub name: Text,
    /// Calls.
    pub calls: u64,
    /// Failed ones.
    pub errors: u64,
    /// Failed ones by errno, most first.
    pub errnos: Vec<Errno>,
    /// What the calls cost together; `None` where costs are unknown.
    pub total_ns: Option<u64>,
    /// The same as a part of the wall time.
    pub share: Option<f64>,
    /// Cost of one call on average.
    pub mean_ns: Option<u64>,
    /// Times of one call.
    #[serde(flatten)]
    pub times: Times,
}

/// Calls that failed in one way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Errno {
    /// Its name.
    pub errno: String,
    /// How many calls.
    pub calls: u64,
}

/// Rows that were not asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// How many.
    pub rows: u64,
    /// Calls in them.
    pub calls: u64,
    /// Failed ones.
    pub errors: u64,
    /// What they cost together.
    pub total_ns: Option<u64>,
}

/// All calls of a log.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Total {
    /// Calls.
    pub calls: u64,
    /// Failed ones.
    pub errors: u64,
    /// What they cost together.
    pub total_ns: Option<u64>,
    /// The same as a part of the wall time.
    pub share: Option<f64>,
    /// Processes.
    pub processes: u64,
    /// Length of the traced run; `None`: the log has no times.
    pub traced_ns: Option<u64>,
}

impl Stats {
    /// For the events of the log with this header.
    #[must_use]
    pub fn new(header: &Header, by: By) -> Self {
        Self {
            by,
            base: Base::new(header),
            untraced: wall::untraced(header),
            replayed: header.replayed.clone(),
            null_call: NullCall::of(header),
            names: Interner::default(),
            cells: FxHashMap::default(),
            durations: Vec::new(),
            counted: 0,
            chosen: None,
            not_chosen: 0,
        }
    }

    /// Takes in one event.
    pub fn add(&mut self, event: &Event<'_>) {
        self.add_chosen(event, true);
    }

    /// Takes in one event of a log of which only the calls that are chosen are to be counted. The others still tell phases,
    /// processes and what the tracer's stop costs.
    pub fn add_chosen(&mut self, event: &Event<'_>, is_chosen: bool) {
        if !is_chosen && self.chosen.is_none() {
            // Up to now all were.
            self.chosen = Some(self.base.groups.clone());
        }
        let Some(seen) = self.base.add(event) else { return };
        if is_chosen {
            if let Some(chosen) = &mut self.chosen {
                chosen.record(seen.group, seen.duration_ns);
            }
            self.call(&seen);
        } else {
            self.not_chosen += 1;
        }
    }

    /// The calls that are counted, by group.
    fn groups(&self) -> &Groups {
        self.chosen.as_ref().unwrap_or(&self.base.groups)
    }

    fn call(&mut self, seen: &Seen<'_>) {
        match self.by {
            By::Syscall => self.count(u32::from(seen.call), seen),
            By::Family => {
                let family = self.base.calls.get(seen.call).family();
                self.count(u32::from(family as u8), seen);
            }
            By::Class => self.classes(seen),
            By::Path | By::Dir => self.path(seen),
            By::Process => self.counted_with_duration(seen.process, seen),
            By::Phase => self.counted_with_duration(u32::from(seen.segment), seen),
        }
    }

    fn classes(&mut self, seen: &Seen<'_>) {
        let classes = self.base.calls.get(seen.call).classes();
        let counted = self.counted;
        for (at, (class, _)) in Classes::ALL.iter().enumerate() {
            if classes.intersects(*class) {
                self.count(at as Bucket, seen);
            }
        }
        self.counted = counted + u64::from(self.counted > counted);
    }

    fn path(&mut self, seen: &Seen<'_>) {
        let Some(object) = seen.object else { return };
        let name = match (filesystem::not_a_file(object), self.by) {
            (Some(kind), _) => kind.as_bytes(),
            (None, By::Dir) => directory(object).unwrap_or(b"."),
            (None, _) => object,
        };
        let bucket = self.names.id(name);
        self.counted_with_duration(bucket, seen);
    }

    fn count(&mut self, bucket: Bucket, seen: &Seen<'_>) {
        self.counted += 1;
        self.cells.entry((bucket, seen.group, seen.errno)).or_default().add(seen.duration_ns);
    }

    fn counted_with_duration(&mut self, bucket: Bucket, seen: &Seen<'_>) {
        self.count(bucket, seen);
        let at = bucket as usize;
        if self.durations.len() <= at {
            self.durations.resize_with(at + 1, Default::default);
        }
        if let Some(duration_ns) = seen.duration_ns {
            self.durations[at][usize::from(seen.group.beside())].record(duration_ns);
        }
    }

    /// The table, its rows sorted and cut as the options say.
    #[must_use]
    pub fn finish(mut self, options: Options) -> Table {
        let prices = self.base.prices();
        let wall = Wall::of(self.untraced.as_ref(), self.base.span_ns());
        let mut rows = self.rows(&prices, wall);
        if (self.by, options.sort) != (By::Phase, Sort::Name) {
            options::sort(&mut rows, options.sort);
        }
        let total = self.total(&prices, wall);
        let left_out = options::cut(&mut rows, options.top);
        let replayed = self.replayed.map(|how| ReplayedCosts::of(how, &self.base));
        let integrity = self.base.watch.finish();
        Table {
            by: self.by,
            uncounted_calls: integrity.calls - self.not_chosen - self.counted,
            not_chosen_calls: self.not_chosen,
            integrity,
            quality: prices.model.quality,
            stop_ns: prices.model.pinned.duration_ns,
            long_calls: prices.long,
            wall,
            replayed,
            rows,
            left_out,
            total,
            overlapping: self.by == By::Class,
            null_call: self.null_call,
        }
    }
}
