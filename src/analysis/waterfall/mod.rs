//! The picture of a start: phases, imports, threads, what each does when, and the critical path, on one time axis.
//!
//! Memory does not grow with the log. Of each thread (`lane`) long times are kept as they are, short ones are added up once
//! there are too many; calls about files are counted in bins; names are kept of the longest calls only. What the picture
//! leaves out or adds up is part of the value.

mod class;
mod draw;
mod histogram;
mod lane;
mod longest;
mod picture;
mod scale;
#[cfg(test)]
mod tests;

use rustc_hash::FxHashMap;

use super::filesystem;
use super::imports::Line;
use super::partition::{Follower, Part, SIGCHLD, is_interrupted, wait_of};
use super::startup::Startup;
use super::text::Text;
use crate::event::{Event, Kind, mark};
use crate::log::Header;
use crate::syscall::Ret;
pub use class::{Class, Shares};
use histogram::Histogram;
use lane::{Away, Lane, LaneId, Piece};
use longest::{Long, Longest};
pub use picture::{Band, COLUMNS, Critical, Import, Imports, Named, Others, Picture, Row};

/// Threads told apart.
const MOST_LANES: usize = 1 << 16;
/// Times that are kept of all threads together.
const MOST_ENTRIES: usize = 1 << 18;
/// Imports that are kept.
const MOST_IMPORTS: usize = 1 << 14;

/// An import that Python has told of.
#[derive(Debug)]
struct Told {
    name: Text,
    depth: usize,
    start_ns: u64,
    end_ns: u64,
}

/// Takes the events of a log, gives its picture.
#[derive(Debug)]
pub struct Waterfall {
    startup: Startup,
    follower: Follower,
    lanes: Vec<Lane>,
    by_tid: FxHashMap<u32, LaneId>,
    entries: usize,
    cell_ns: u64,
    knows_cpu: bool,
    /// Some calls are known to last.
    knows_times: bool,
    last_ns: u64,
    file_calls: Histogram,
    all_file_calls: [u64; 2],
    calls: u64,
    waits: Longest,
    work: Longest,
    told: Vec<Told>,
    left_out: u64,
    not_told_apart: u64,
}

impl Waterfall {
    /// For the events of the log with this header.
    #[must_use]
    pub fn new(header: &Header) -> Self {
        Self {
            startup: Startup::new(header),
            follower: Follower::default(),
            lanes: Vec::new(),
            by_tid: FxHashMap::default(),
            entries: 0,
            cell_ns: 0,
            knows_cpu: false,
            knows_times: false,
            last_ns: 0,
            file_calls: Histogram::default(),
            all_file_calls: [0; 2],
            calls: 0,
            waits: Longest::default(),
            work: Longest::default(),
            told: Vec::new(),
            left_out: 0,
            not_told_apart: 0,
        }
    }

    /// Takes in one event.
    pub fn add(&mut self, event: &Event<'_>) {
        if self.startup.is_over() && event.text != Some(mark::OFF_CPU.as_bytes()) {
            return;
        }
        self.startup.add(event);
        if !event.kind.happened() || event.kind == Kind::Lost {
            return;
        }
        let end_ns = event.end_ns.unwrap_or(event.start_ns).max(event.start_ns);
        self.knows_times |= end_ns > 0;
        self.last_ns = self.last_ns.max(end_ns);
        match event.kind {
            Kind::Syscall => self.call(event, end_ns),
            Kind::Mark if event.text == Some(mark::OFF_CPU.as_bytes()) => self.away(event, end_ns),
            Kind::Mark => self.imported(event),
            Kind::Fork => self.fork(event),
            Kind::Exit => {
                if let Some(lane) = self.lane(event) {
                    (lane.ended, lane.end_ns) = (true, lane.end_ns.max(event.start_ns));
                }
                self.follower.other(event);
            }
            Kind::Exec => {
                self.lane(event);
                self.follower.other(event);
            }
            Kind::Signal => {
                if let Some(lane) = self.lane(event).filter(|_| event.nr == SIGCHLD) {
                    lane.child_ended(event.start_ns);
                }
                self.follower.other(event);
            }
            Kind::Sample | Kind::Lost | Kind::Total | Kind::Frame | Kind::Stack => {}
        }
        if self.entries > MOST_ENTRIES {
            self.compact();
        }
    }

    /// The lane of a thread that has done something.
    fn lane(&mut self, event: &Event<'_>) -> Option<&mut Lane> {
        let known = self.by_tid.get(&event.tid).copied();
        let alive = known.filter(|&at| !self.lanes[at as usize].ended || event.kind == Kind::Exit);
        let process = self.startup.base.processes.current();
        let at = match alive {
            Some(at) => at,
            None => self.make((event.pid, event.tid), event.start_ns)?,
        };
        let lane = &mut self.lanes[at as usize];
        lane.process = process;
        lane.end_ns = lane.end_ns.max(event.end_ns.unwrap_or(event.start_ns));
        if !event.comm.is_empty() && lane.comm != event.comm {
            event.comm.clone_into(&mut lane.comm);
        }
        Some(lane)
    }

    fn make(&mut self, (pid, tid): (u32, u32), start_ns: u64) -> Option<LaneId> {
        if self.lanes.len() >= MOST_LANES {
            self.not_told_apart += 1;
            return None;
        }
        let at = self.lanes.len() as LaneId;
        let before = self.by_tid.insert(tid, at);
        let process = self.startup.base.processes.current();
        self.lanes.push(Lane { pid, tid, process, start_ns, end_ns: start_ns, before, ..Lane::default() });
        Some(at)
    }

    fn fork(&mut self, event: &Event<'_>) {
        self.lane(event);
        self.follower.other(event);
        let Some(child) = event.ret.and_then(|tid| u32::try_from(tid).ok()) else { return };
        let pid = u32::try_from(event.args[1]).unwrap_or(child);
        let known = self.by_tid.get(&child).copied();
        match known.filter(|&at| !self.lanes[at as usize].ended) {
            // Its own events came first.
            Some(at) => {
                let lane = &mut self.lanes[at as usize];
                lane.start_ns = lane.start_ns.min(event.start_ns);
            }
            None => {
                self.make((pid, child), event.start_ns);
            }
        }
    }

    fn call(&mut self, event: &Event<'_>, end_ns: u64) {
        let id = self.startup.base.calls.id(event.abi, event.nr);
        let known = self.startup.base.calls.get(id);
        self.follower.call(event, (id, known));
        let (family, object) = (known.family(), filesystem::object(event));
        let on_file = filesystem::is_file_work(family, object);
        let ends_thread = known.spec.is_some_and(|spec| spec.ret == Ret::Never);
        let on = if on_file { Class::FileCall } else { Class::OtherCall };
        let wait = match Class::of_wait(wait_of(event, known)) {
            // Not where nothing but the call itself is there to wait for.
            Class::Off(Part::Other) if !may_wait(family) => Class::Off(Part::Disk),
            wait => wait,
        };
        let errno = event.errno().map_or(0, |errno| errno as u16);
        self.calls += 1;
        if on_file {
            self.file_calls.add(event.start_ns, errno != 0);
            self.all_file_calls[0] += 1;
            self.all_file_calls[1] += u64::from(errno != 0);
        }
        let Some(lane) = self.lane(event) else { return };
        let start_ns = event.start_ns;
        // What never returns lasts as long as its thread, unless it is what ends that.
        let ns = match event.end_ns {
            None if ends_thread => 0,
            None => u64::MAX,
            Some(_) => end_ns - start_ns,
        };
        lane.add(Piece { start_ns, ns, on, wait, many: false }, is_interrupted(event));
        self.entries += 1;
        let lane = self.by_tid.get(&event.tid).copied().unwrap_or_default();
        let call = Long { lane, start_ns, end_ns, wait, on, call: id, errno, object: Box::default() };
        let longest = if wait == Class::Off(Part::Disk) { &mut self.work } else { &mut self.waits };
        longest.add(&call, object.unwrap_or_default());
    }

    fn away(&mut self, event: &Event<'_>, end_ns: u64) {
        self.knows_cpu = true;
        self.follower.other(event);
        let mut at = self.by_tid.get(&event.tid).copied();
        // Told late, it may be of the thread that had the number before.
        while let Some(lane) = at.map(|at| &self.lanes[at as usize])
            && lane.start_ns > event.start_ns
            && lane.before.is_some()
        {
            at = lane.before;
        }
        if let Some(at) = at {
            let (start_ns, is_ready) = (event.start_ns, event.args[0] != 0);
            self.lanes[at as usize].away.push(Away { start_ns, ns: end_ns - start_ns, is_ready });
            self.entries += 1;
        }
    }

    fn imported(&mut self, event: &Event<'_>) {
        let Some(line) = Line::of_mark(event) else { return };
        if self.told.len() >= MOST_IMPORTS {
            self.left_out += 1;
            return;
        }
        let end_ns = event.start_ns;
        let start_ns = end_ns.saturating_sub(line.cumulative_us.saturating_mul(1000));
        let name = Text::from(&*longest::shortened(line.name));
        let depth = usize::try_from(line.depth).unwrap_or(usize::MAX);
        self.told.push(Told { name, depth, start_ns, end_ns });
    }

    /// Adds up short times until there are few enough.
    fn compact(&mut self) {
        while self.entries > MOST_ENTRIES / 2 {
            // What is shorter than a part of a column is not to be seen anyway.
            let least = (self.last_ns / (COLUMNS as u64 * 4)).next_power_of_two().max(1 << 10);
            self.cell_ns = least.max(self.cell_ns.saturating_mul(2)).max(1 << 10);
            self.lanes.iter_mut().for_each(|lane| lane.compact(self.cell_ns));
            self.entries = self.lanes.iter().map(Lane::entries).sum();
            if self.cell_ns > self.last_ns {
                // One entry or two of each thread and class: no less is possible.
                break;
            }
        }
    }

    /// The picture.
    #[must_use]
    pub fn finish(self) -> Picture {
        draw::draw(self)
    }
}

/// Whether calls of a family can wait for somebody.
fn may_wait(family: crate::syscall::Family) -> bool {
    use crate::syscall::Family as F;
    matches!(family, F::Read | F::Write | F::Poll | F::Signal | F::Ipc)
}
