//! From counted cells to rows.

use std::cmp::Reverse;

use rustc_hash::FxHashMap;

use super::{Bucket, By, Errno, Row, Stats, Total};
use crate::analysis::cost::{Group, Prices, Quality, Times};
use crate::analysis::durations::Durations;
use crate::analysis::errno;
use crate::analysis::lookups::plus;
use crate::analysis::phases::{Boundary, phase_of_segment};
use crate::analysis::text::Text;
use crate::analysis::wall::Wall;
use crate::syscall::{Classes, Family};

/// A row being added up.
#[derive(Default)]
struct Sum {
    calls: u64,
    timed: u64,
    errnos: FxHashMap<u16, u64>,
    total_ns: Option<u64>,
}

impl Stats {
    /// One row for each bucket, in the order of buckets: phases come in order of time.
    pub(super) fn rows(&mut self, prices: &Prices, wall: Wall) -> Vec<Row> {
        let span_ns = self.base.span_ns();
        let boundaries = match self.by {
            By::Phase => self.base.timeline.finish(&self.base.processes, span_ns).unwrap_or_default().1,
            _ => Vec::new(),
        };
        let row_of = |bucket: Bucket| match self.by {
            By::Phase => phase_of_segment(&boundaries, bucket as u16) as Bucket,
            _ => bucket,
        };
        let mut sums: FxHashMap<Bucket, Sum> = FxHashMap::default();
        for ((bucket, group, errno), cell) in &self.cells {
            let sum = sums.entry(row_of(*bucket)).or_default();
            sum.calls += cell.calls;
            sum.timed += cell.timed;
            if *errno != 0 {
                *sum.errnos.entry(*errno).or_default() += cell.calls;
            }
            sum.total_ns = plus(sum.total_ns, prices.cost(*group, cell));
        }
        let mut times = self.times(prices, row_of);
        let mut sums: Vec<(Bucket, Sum)> = sums.into_iter().collect();
        sums.sort_unstable_by_key(|(bucket, _)| *bucket);
        let is_replayed = prices.model.quality == Quality::Replayed;
        let rows = sums.into_iter().map(|(bucket, mut sum)| {
            if is_replayed {
                // Calls that were not replayed cost something nobody knows, not nothing.
                sum.total_ns = sum.total_ns.filter(|_| sum.timed > 0);
            } else {
                sum.timed = sum.calls;
            }
            let times = times.remove(&bucket).unwrap_or_else(|| self.group_times(prices, bucket));
            row(self.name(bucket, &boundaries), sum, times, wall)
        });
        rows.collect()
    }

    /// Times of buckets that have their own durations.
    fn times(&self, prices: &Prices, row_of: impl Fn(Bucket) -> Bucket) -> FxHashMap<Bucket, Times> {
        let mut rows: FxHashMap<Bucket, [Durations; 2]> = FxHashMap::default();
        for (bucket, own) in self.durations.iter().enumerate() {
            let row = rows.entry(row_of(bucket as Bucket)).or_default();
            row.iter_mut().zip(own).for_each(|(row, own)| row.merge(own));
        }
        let model = &prices.model;
        let stops = [model.pinned, model.beside.unwrap_or(model.pinned)];
        rows.into_iter().map(|(row, own)| (row, model.times(own.iter().zip(stops)))).collect()
    }

    /// Times of a bucket that is made of whole groups.
    fn group_times(&self, prices: &Prices, bucket: Bucket) -> Times {
        let calls = &self.base.calls;
        self.groups().times(&prices.model, |group: Group| match self.by {
            By::Syscall => u32::from(group.call()) == bucket,
            By::Family => calls.get(group.call()).family() as u32 == bucket,
            By::Class => {
                let class = Classes::ALL.get(bucket as usize).map_or(Classes::NONE, |(class, _)| *class);
                calls.get(group.call()).classes().intersects(class)
            }
            _ => false,
        })
    }

    fn name(&self, bucket: Bucket, boundaries: &[Boundary]) -> Text {
        let at = bucket as usize;
        match self.by {
            By::Syscall => Text::from(&*self.base.calls.get(bucket as u16).name),
            By::Family => Text::from(Family::ALL.get(at).map_or("other", |family| family.name())),
            By::Class => Text::from(Classes::ALL.get(at).map_or("", |(_, name)| name)),
            By::Path | By::Dir => Text::from(self.names.get(bucket)),
            By::Process => self.base.processes.list().get(at).map_or_else(Text::default, |process| {
                let name = self.base.processes.name(process);
                Text::from([process.pid.to_string().as_bytes(), b" ", name].concat().as_slice())
            }),
            By::Phase => boundaries
                .get(at)
                .map_or_else(|| Text::from("all"), |boundary| Text::from(boundary.name.as_slice())),
        }
    }

    /// What all calls of the log amount to, whatever the rows hold.
    pub(super) fn total(&self, prices: &Prices, wall: Wall) -> Total {
        let sum = self.groups().sum(prices);
        Total {
            calls: sum.calls,
            errors: sum.errors,
            total_ns: sum.cost_ns,
            share: sum.cost_ns.map(|ns| wall.share(ns)),
            processes: self.base.processes.list().len() as u64,
            traced_ns: Some(self.base.span_ns()).filter(|ns| *ns > 0),
        }
    }
}

fn row(name: Text, sum: Sum, times: Times, wall: Wall) -> Row {
    let mut errnos: Vec<(u16, u64)> = sum.errnos.into_iter().collect();
    errnos.sort_unstable_by_key(|&(errno, calls)| (Reverse(calls), errno));
    Row {
        name,
        calls: sum.calls,
        errors: errnos.iter().map(|(_, calls)| calls).sum(),
        errnos: errnos.into_iter().map(|(errno, calls)| Errno { errno: errno::name(errno), calls }).collect(),
        total_ns: sum.total_ns,
        share: sum.total_ns.map(|ns| wall.share(ns)),
        mean_ns: sum.total_ns.map(|ns| ns / sum.timed.max(1)),
        times,
    }
}
