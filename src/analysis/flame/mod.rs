//! A flame graph of the calls of any log, or of some of them.
//!
//! All events are looked at, since phases, processes and prices hang on all of them; which calls are
//! drawn is the caller's choice. Memory is bounded: a log may name more files than anyone can look at, so
//! beyond a number of distinct stacks all further ones are one frame, `(other)`.

mod scripts;

use rustc_hash::FxHashMap;

use super::alignment::Aligning;
use super::base::{Base, Seen};
use super::cost::{Cell, Group, LongCalls, Prices, Quality};
use super::filesystem;
use super::fold::{self, By, Graph, Inputs, Kind, Metric, Place};
use super::imports::{self, Imports, Measured};
use super::integrity::Integrity;
use super::intern::{Id, Interner};
use super::partition::Waits;
use super::phases::Boundary;
use super::replayed::ReplayedCosts;
use super::stacks::Stacks;
use crate::event::{self, Event};
use crate::log::{Header, Replayed};
use crate::syscall::{Family, Ret};
use scripts::Scripts;

/// How much is told apart.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// Distinct combinations of call, outcome, file, process and phase.
    stacks: usize,
    /// Bytes of the files' names.
    names: usize,
    /// Frames made of them.
    frames: usize,
}

const LIMITS: Limits = Limits { stacks: 1 << 18, names: 32 << 20, frames: fold::MOST_FRAMES };

/// Takes the events of a log, gives the graph.
#[derive(Debug)]
pub struct Flame {
    by: By,
    base: Base,
    command: Vec<String>,
    backend: String,
    replayed: Option<Replayed>,
    objects: Interner,
    cells: FxHashMap<Place, (Cell, u64)>,
    /// What came after there were too many.
    other: FxHashMap<Group, (Cell, u64)>,
    stacks: Stacks,
    /// By import, what draws it.
    imports: Option<Box<Imports>>,
    /// By stack, what threads waited for.
    waits: Option<Box<Waits>>,
    /// By stack, which scripts processes run.
    scripts: Option<Scripts>,
    /// CPU samples by thread's name, script and stack: how many, and what they stand for in nanoseconds.
    samples: FxHashMap<(Id, Id, u32), (u64, u64)>,
    limits: Limits,
    with_arguments: bool,
    calls: u64,
    sampled: u64,
    /// Calls that have a stack.
    calls_with_stack: u64,
    sampling: Option<Sampling>,
    aligning: Option<Aligning>,
    /// Which frames stacks were asked to have.
    frames: Option<String>,
}

/// A flame graph and what is to be said of it.
#[derive(Debug)]
pub struct Drawing {
    /// The frames.
    pub graph: Graph,
    /// The command.
    pub command: Vec<String>,
    /// What they are.
    pub by: By,
    /// What their width is.
    pub metric: Metric,
    /// Name of the capture backend.
    pub backend: String,
    /// What costs are.
    pub quality: Quality,
    /// What was taken off the duration of each call traced from its own CPU.
    pub stop_ns: u64,
    /// Calls in it; CPU samples by [`Metric::Cpu`].
    pub calls: u64,
    /// Calls in it that have a stack.
    pub calls_with_stack: u64,
    /// How CPU samples were taken, if any were asked for.
    pub sampled: Option<Sampling>,
    /// CPU samples that are left out, since they were taken in what records calls, and the CPU time that they stand for.
    pub tracers: (u64, u64),
    /// Where stacks are those of another run: calls of the log, and those with a counterpart there.
    pub aligned: Option<(u64, u64)>,
    /// Calls that took long when traced, which an estimate of costs may hold or not.
    pub long_calls: LongCalls,
    /// Those that were not told apart.
    pub other_calls: u64,
    /// What they waited for other processes, the network or a clock, where [`Metric::Time`] leaves it out.
    pub waited_ns: u64,
    /// Where costs are those of a replay: of which calls, and made how.
    pub replayed: Option<ReplayedCosts>,
    /// What is missing from the log.
    pub integrity: Integrity,
}

/// What differs between drawings of imports and of all else: see [`Drawing`].
struct Drawn {
    graph: Graph,
    metric: Metric,
    calls: u64,
    other_calls: u64,
    waited_ns: u64,
    tracers: (u64, u64),
}

/// How CPU samples were taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sampling {
    /// How many a second were asked for.
    pub hz: u32,
    /// What took them, where it was not perf events.
    pub by: Option<String>,
    /// How long each held up the program, where that is known.
    pub cost_ns: Option<u64>,
    /// By perf events, and without the kernel's part, which was not permitted.
    pub user_only: bool,
}

impl Sampling {
    fn of(header: &Header) -> Option<Self> {
        let by = header.sampled_by().map(str::to_owned);
        let user_only = header.sampled_user_only();
        Some(Self { hz: header.sample_hz()?, by, cost_ns: header.sample_cost_ns(), user_only })
    }
}

impl Flame {
    /// For the events of the log with this header.
    #[must_use]
    pub fn new(header: &Header, by: By) -> Self {
        Self {
            by,
            base: Base::new(header),
            command: header.command.clone(),
            backend: header.backend.clone(),
            replayed: header.replayed.clone(),
            objects: Interner::default(),
            cells: FxHashMap::default(),
            other: FxHashMap::default(),
            stacks: Stacks::default(),
            imports: (by == By::Import).then(|| Box::new(Imports::new(header))),
            waits: (by == By::Stack && header.sample_hz().is_some()).then(Box::default),
            scripts: (by == By::Stack).then(|| Scripts::new(&header.cwd)),
            samples: FxHashMap::default(),
            limits: LIMITS,
            with_arguments: true,
            calls: 0,
            sampled: 0,
            calls_with_stack: 0,
            sampling: Sampling::of(header),
            aligning: Aligning::new(header),
            frames: header.stacks().map(str::to_owned),
        }
    }

    /// Names processes without their arguments, so that two runs that were told different things can be held
    /// side by side.
    #[must_use]
    pub fn without_arguments(mut self) -> Self {
        self.with_arguments = false;
        self
    }

    /// What the costs of the log are, which its header tells.
    #[must_use]
    pub fn quality(&self) -> Quality {
        self.base.model.quality
    }

    /// Takes in one event; a call is drawn if it is `chosen`.
    pub fn add(&mut self, event: &Event<'_>, chosen: bool) {
        if let Some(imports) = &mut self.imports {
            imports.add(event, chosen);
        }
        if let Some(aligning) = &mut self.aligning {
            aligning.add(event);
        }
        if let Some(waits) = &mut self.waits {
            waits.add(event);
        }
        if self.by == By::Stack {
            self.stacks.add(event);
            if let Some(scripts) = &mut self.scripts {
                scripts.add(event);
            }
            if event.kind == event::Kind::Sample && chosen {
                self.sample(event);
            }
        }
        let Some(seen) = self.base.add(event) else { return };
        if !chosen {
            return;
        }
        self.calls += 1;
        self.calls_with_stack += u64::from(event.stack.is_some());
        let bytes = self.bytes(event, &seen);
        let (cell, sum) = match self.place(&seen, event) {
            Some(place) => self.cells.entry(place).or_default(),
            None => self.other.entry(seen.group).or_default(),
        };
        cell.add(seen.duration_ns);
        *sum = sum.saturating_add(bytes);
    }

    /// What to count a call under; `None`: there are too many stacks, and this would be a new one.
    fn place(&mut self, seen: &Seen<'_>, event: &Event<'_>) -> Option<Place> {
        let object = match self.by {
            By::Process | By::Import => b"",
            By::Stack => script(self.scripts.as_ref(), event),
            By::Phase | By::Path => seen.object.unwrap_or_default(),
        };
        // Each pipe has its own name; as a kind they are one.
        let object = filesystem::not_a_file(object).map_or(object, str::as_bytes);
        let full = self.cells.len() >= self.limits.stacks || self.objects.bytes() >= self.limits.names;
        let object = if full { self.objects.find(object)? } else { self.objects.id(object) };
        let place = Place {
            segment: match self.by {
                By::Phase => seen.segment,
                By::Process => self.programs(seen),
                By::Path | By::Stack | By::Import => 0,
            },
            errno: seen.errno,
            process: if self.by == By::Path { 0 } else { seen.process },
            group: seen.group,
            object,
            stack: event.stack.filter(|_| self.by == By::Stack).unwrap_or(0),
        };
        (!full || self.cells.contains_key(&place)).then_some(place)
    }

    /// The graph of imports.
    fn of_imports(mut self, tree: imports::Tree, metric: Metric) -> Drawing {
        let measured = match metric {
            Metric::Wall | Metric::Cpu => Measured::Wall,
            Metric::Time | Metric::Elapsed => Measured::Cost,
            Metric::Count | Metric::Bytes => Measured::Calls,
        };
        let calls = match measured {
            Measured::Wall => tree.imports.len() as u64,
            Measured::Cost | Measured::Calls => {
                tree.imports.iter().flat_map(|import| &import.cells).map(|cell| cell.calls).sum()
            }
        };
        let graph = imports::graph(&tree, measured);
        let drawn = Drawn { graph, metric, calls, other_calls: 0, waited_ns: 0, tracers: (0, 0) };
        let prices = self.base.prices();
        self.drawing(drawn, &prices, tree.integrity)
    }

    /// What was drawn, with what the log says of itself.
    fn drawing(self, drawn: Drawn, prices: &Prices, integrity: Integrity) -> Drawing {
        Drawing {
            graph: drawn.graph,
            command: self.command,
            by: self.by,
            metric: drawn.metric,
            backend: self.backend,
            quality: prices.model.quality,
            stop_ns: prices.model.pinned.duration_ns,
            tracers: drawn.tracers,
            aligned: self.aligning.map(|aligning| aligning.known()),
            long_calls: prices.long,
            calls: drawn.calls,
            sampled: self.sampling,
            calls_with_stack: self.calls_with_stack,
            other_calls: drawn.other_calls,
            waited_ns: drawn.waited_ns,
            replayed: self.replayed.map(|how| ReplayedCosts::of(how, &self.base)),
            integrity,
        }
    }

    fn sample(&mut self, event: &Event<'_>) {
        self.sampled += 1;
        let comm = self.objects.id(&event.comm[..event.comm.len().min(16)]);
        let script = self.objects.id(script(self.scripts.as_ref(), event));
        let place = (comm, script, event.stack.unwrap_or(0));
        // Beyond the limit, all are of no known stack.
        let full = self.samples.len() >= self.limits.stacks && !self.samples.contains_key(&place);
        let (count, cpu_ns) = self.samples.entry(if full { (0, 0, 0) } else { place }).or_default();
        *count += 1;
        *cpu_ns = cpu_ns.saturating_add(event.args[1]);
    }

    /// What is missing from the log.
    #[must_use]
    pub fn integrity(&self) -> Integrity {
        self.base.watch.clone().finish()
    }

    /// Which frames the stacks of calls were asked to have, if any were asked for.
    #[must_use]
    pub fn stacks_asked(&self) -> Option<&str> {
        self.frames.as_deref()
    }

    /// Whether CPU samples were asked for.
    #[must_use]
    pub fn samples_asked(&self) -> bool {
        self.sampling.is_some()
    }

    /// CPU samples that were chosen.
    #[must_use]
    pub fn samples(&self) -> u64 {
        self.sampled
    }

    /// Whether it is known when threads were on no CPU.
    #[must_use]
    pub fn has_waits(&self) -> bool {
        self.waits.as_ref().is_some_and(|waits| !waits.is_empty())
    }

    /// Calls that were chosen.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls
    }

    /// Calls that were chosen and have a stack.
    #[must_use]
    pub fn calls_with_stack(&self) -> u64 {
        self.calls_with_stack
    }

    /// Which of the programs its process became, one after the other, makes the call; 0: none yet.
    fn programs(&self, seen: &Seen<'_>) -> u16 {
        let process = &self.base.processes.list()[seen.process as usize];
        u16::try_from(process.execs.len()).unwrap_or(u16::MAX)
    }

    /// Bytes a call read or wrote.
    fn bytes(&self, event: &Event<'_>, seen: &Seen<'_>) -> u64 {
        let call = self.base.calls.get(seen.call);
        let moves_data = matches!(call.family(), Family::Read | Family::Write | Family::Network)
            && call.spec.is_some_and(|spec| spec.ret == Ret::Size);
        // The kernel moves no more than this in one call (read(2)).
        let plausible = |bytes: &u64| *bytes <= 0x7fff_f000;
        event
            .ret
            .filter(|_| moves_data)
            .and_then(|ret| u64::try_from(ret).ok())
            .filter(plausible)
            .unwrap_or(0)
    }

    /// The graph.
    #[must_use]
    pub fn finish(mut self, metric: Metric) -> Drawing {
        if let Some(imports) = self.imports.take() {
            return self.of_imports(imports.finish(), metric);
        }
        let prices = self.base.prices();
        let span_ns = self.base.span_ns();
        let timeline = self.base.timeline.finish(&self.base.processes, span_ns);
        let boundaries: Vec<Boundary> = timeline.map_or_else(Vec::new, |(_, boundaries)| boundaries);
        let inputs = Inputs {
            calls: &self.base.calls,
            prices: &prices,
            processes: &self.base.processes,
            objects: &self.objects,
            stacks: &self.stacks,
            boundaries: &boundaries,
            with_arguments: self.with_arguments,
            most_frames: self.limits.frames,
        };
        let told_apart = self.cells.iter().map(|(place, (cell, _))| (place.group, cell));
        let others = self.other.iter().map(|(group, (cell, _))| (*group, cell));
        let waited_ns = waited(&prices, told_apart.chain(others));
        let cells = self.cells.iter().map(|(place, (cell, bytes))| (*place, *cell, *bytes));
        let by_samples = matches!(metric, Metric::Cpu | Metric::Wall);
        let mut tracers = (0, 0);
        let (mut graph, cut) = if by_samples {
            let of_program = of_program(sorted(&self.samples), &self.stacks, &mut tracers);
            fold::fold_samples(&inputs, &of_program)
        } else {
            fold::fold(&inputs, cells, self.by, metric)
        };
        if metric == Metric::Wall {
            let waits = self.waits.take().map(|waits| waits.finish()).unwrap_or_default();
            for wait in &waits {
                fold::add_wait(&mut graph, wait);
            }
        }
        if !self.other.is_empty() && !by_samples {
            let other = graph.upon(Graph::ROOT, Kind::Other, fold::OTHER);
            for (group, (cell, bytes)) in &self.other {
                graph.add(other, fold::amount(&prices, metric, *group, cell, *bytes));
            }
        }
        let drawn = Drawn {
            graph,
            metric,
            calls: if by_samples { self.sampled - tracers.0 } else { self.calls },
            other_calls: cut + self.other.values().map(|(cell, _)| cell.calls).sum::<u64>(),
            waited_ns,
            tracers,
        };
        let integrity = std::mem::take(&mut self.base.watch).finish();
        self.drawing(drawn, &prices, integrity)
    }
}

/// The script that the process of an event runs; empty: none, or not known.
fn script<'a>(scripts: Option<&'a Scripts>, event: &Event<'_>) -> &'a [u8] {
    scripts.and_then(|scripts| scripts.find(event.pid, event.start_ns)).unwrap_or_default()
}

/// The samples in the order in which their stacks first occurred.
fn sorted(samples: &FxHashMap<(Id, Id, u32), (u64, u64)>) -> Vec<fold::Sampled> {
    let mut all: Vec<fold::Sampled> =
        samples.iter().map(|(place, (count, cpu_ns))| (*place, *count, *cpu_ns)).collect();
    all.sort_unstable_by_key(|((comm, script, stack), ..)| (*comm, *script, *stack));
    all
}

/// The samples but those in what records calls, which are counted.
fn of_program(
    mut samples: Vec<fold::Sampled>,
    stacks: &Stacks,
    (tracers, tracers_ns): &mut (u64, u64),
) -> Vec<fold::Sampled> {
    let mut frames = Vec::new();
    samples.retain(|((.., stack), count, cpu_ns)| {
        let is_tracers = *stack != 0 && stacks.is_in_tracer(*stack, &mut frames);
        if is_tracers {
            *tracers += count;
            *tracers_ns = tracers_ns.saturating_add(*cpu_ns);
        }
        !is_tracers
    });
    samples
}

/// What calls waited for other processes, the network or a clock.
pub(super) fn waited<'a>(prices: &Prices, cells: impl Iterator<Item = (Group, &'a Cell)>) -> u64 {
    let waited = cells.map(|(group, cell)| {
        let [cost, work] =
            [prices.cost(group, cell), prices.work(group, cell)].map(Option::unwrap_or_default);
        cost.saturating_sub(work)
    });
    waited.fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests;
