//! One pass over the steps, keeping for each resource who made its version and who has used it since.
//!
//! The numbers are those of the project's list of ordering rules:
//! 1 threads, 2 processes, 3 descriptor slots, 4 open file descriptions, 10 working directories, 12 unknown calls.
//! 5 to 9 and 11 (contents, names, listings, removals, attributes, locks) order those that write with all others, so a program of
//! reading calls needs none of them; of the others each step says what it reads and writes ([`FileUses`]).

use super::uses::FileUses;
use super::{Graph, Lookahead};
use crate::bind::{Action, Handle, Order, Step};
use crate::plan::Scope;
use crate::program::Program;
use crate::rule::{Rule, Rules};

const NONE: u32 = u32::MAX;

/// What is known of a thread.
#[derive(Clone, Default)]
struct Thread {
    process: u32,
    /// Its last steps, as many as the window, in a circle.
    last: Vec<u32>,
    steps: usize,
    /// The step that began it or that waited for a process, whichever came last.
    gate: Option<u32>,
}

/// What is known of a process.
#[derive(Clone, Default)]
struct Process {
    barrier: Option<u32>,
    /// Steps since then.
    since: Vec<u32>,
}

/// Who made a handle, and who has used it: a list through `Builder::next_use`.
#[derive(Clone, Copy)]
struct Uses {
    maker: u32,
    last: u32,
}

pub(super) struct Builder<'a> {
    program: &'a Program,
    rules: Rules,
    window: Option<u32>,
    threads: Vec<Thread>,
    processes: Vec<Process>,
    uses: Vec<Uses>,
    /// Of each use (a step has up to two), the use before of the same handle.
    next_use: Vec<u32>,
    /// Of each description: the last step that moved its offset.
    moved: Vec<u32>,
    barrier: Option<u32>,
    since_barrier: Vec<u32>,
    files: Option<FileUses>,
    closes: Vec<u32>,
    opens: usize,
    budget: usize,
    ends: Vec<u32>,
    predecessors: Vec<u32>,
}

pub(super) fn build(program: &Program, lookahead: Lookahead, rules: Rules, budget: usize) -> Graph {
    let steps = program.steps.len();
    let threads = program.plan.threads.iter();
    let mut builder = Builder {
        program,
        rules,
        window: lookahead.window(),
        threads: threads.map(|thread| Thread { process: thread.process.0, ..Thread::default() }).collect(),
        processes: vec![Process::default(); program.plan.processes()],
        uses: vec![Uses { maker: NONE, last: NONE }; program.handles],
        next_use: vec![NONE; steps * 2],
        moved: vec![NONE; program.handles],
        barrier: None,
        since_barrier: Vec::new(),
        files: program.accesses.as_ref().map(FileUses::new),
        closes: Vec::new(),
        opens: program.initial.len(),
        budget,
        ends: Vec::with_capacity(steps),
        predecessors: Vec::with_capacity(steps * 2),
    };
    for (index, step) in program.steps.iter().enumerate() {
        builder.step(index as u32, step);
    }
    Graph::from_predecessors(&builder.ends, &builder.predecessors)
}

impl Builder<'_> {
    fn step(&mut self, index: u32, step: &Step) {
        let begin = self.predecessors.len();
        self.thread(index, step.thread);
        self.barriers(index, step.thread);
        match step.action {
            Action::Order(order) => self.order(index, step.thread, order),
            ref action => self.handles(index, action),
        }
        self.files(index);
        self.keep_distinct(begin);
        self.ends.push(self.predecessors.len() as u32);
    }

    fn after(&mut self, predecessor: u32) {
        if predecessor != NONE {
            self.predecessors.push(predecessor);
        }
    }

    fn after_all(&mut self, predecessors: &[u32], but: u32) {
        self.predecessors.extend(predecessors.iter().filter(|&&step| step != but));
    }

    fn keep_distinct(&mut self, begin: usize) {
        let own = &mut self.predecessors[begin..];
        own.sort_unstable();
        let mut kept = 0;
        for index in 0..own.len() {
            if index == 0 || own[index] != own[kept - 1] {
                own[kept] = own[index];
                kept += 1;
            }
        }
        self.predecessors.truncate(begin + kept);
    }

    /// Rule 1, and rule 2 for threads begun or held up by others.
    fn thread(&mut self, index: u32, thread: u32) {
        let state = &mut self.threads[thread as usize];
        let gate = state.gate;
        let mut before = NONE;
        if let Some(window) = self.window {
            let place = state.steps % window as usize;
            state.steps += 1;
            if place < state.last.len() {
                before = std::mem::replace(&mut state.last[place], index);
            } else {
                state.last.push(index);
            }
        }
        self.after(before);
        if let Some(gate) = gate.filter(|_| self.rules.has(Rule::Process)) {
            self.after(gate);
        }
    }

    /// Rule 12, the side of those that wait for a barrier.
    fn barriers(&mut self, index: u32, thread: u32) {
        let process = self.threads[thread as usize].process as usize;
        if self.rules.has(Rule::Unknown) {
            for barrier in [self.processes[process].barrier, self.barrier].into_iter().flatten() {
                self.after(barrier);
            }
        }
        self.processes[process].since.push(index);
        self.since_barrier.push(index);
    }

    fn order(&mut self, index: u32, thread: u32, order: Order) {
        match order {
            Order::Start { child } => self.threads[child as usize].gate = Some(index),
            Order::Wait { process } => {
                if self.rules.has(Rule::Process) {
                    self.after_process(index, process);
                }
                self.threads[thread as usize].gate = Some(index);
            }
            Order::Barrier(_) if !self.rules.has(Rule::Unknown) => {}
            Order::Barrier(Scope::Process) => {
                let process = self.threads[thread as usize].process;
                self.after_process(index, process);
            }
            Order::Barrier(Scope::All) => {
                let since = std::mem::take(&mut self.since_barrier);
                self.after_all(&since, index);
                self.barrier = Some(index);
            }
        }
    }

    /// After everything that a process has done; whatever it does from now on waits for this step. (After a
    /// wait for its end it does nothing more.)
    fn after_process(&mut self, index: u32, process: u32) {
        let state = &mut self.processes[process as usize];
        let barrier = state.barrier.replace(index);
        let since = std::mem::take(&mut state.since);
        self.after(barrier.unwrap_or(NONE));
        self.after_all(&since, index);
    }

    /// Rules 5 to 9, and 11.
    fn files(&mut self, index: u32) {
        let Some((accesses, uses)) = self.program.accesses.as_ref().zip(self.files.as_mut()) else { return };
        for (resource, how) in accesses.of(index as usize) {
            if self.rules.has(accesses.rule(resource)) {
                let predecessors = &mut self.predecessors;
                uses.add(index, resource, how, |before| {
                    if before != index {
                        predecessors.push(before);
                    }
                });
            }
        }
    }

    fn handles(&mut self, index: u32, action: &Action) {
        for (place, handle) in action.uses().into_iter().enumerate() {
            if let Some(handle) = handle {
                self.use_handle(index * 2 + place as u32, handle, action);
            }
        }
        for handle in action.moves_offsets_of().into_iter().flatten() {
            let description = self.program.descriptions[handle.index()] as usize;
            let before = std::mem::replace(&mut self.moved[description], index);
            if self.rules.has(Rule::Description) {
                self.after(before);
            }
        }
        if let Some(handle) = action.defines() {
            self.uses[handle.index()].maker = index;
            self.open();
        }
        if let Some(handle) = action.closes() {
            self.close(index, handle);
        }
    }

    /// Rules 3 and 10: after the step that made it.
    fn use_handle(&mut self, place: u32, handle: Handle, action: &Action) {
        let uses = &mut self.uses[handle.index()];
        self.next_use[place as usize] = std::mem::replace(&mut uses.last, place);
        let maker = uses.maker;
        let is_directory = action.lookup().is_some() && self.is_working_directory(maker);
        if if is_directory { self.rules.has(Rule::Directory) } else { self.rules.has(Rule::Slot) } {
            self.after(maker);
        }
    }

    fn is_working_directory(&self, maker: u32) -> bool {
        let made = self.program.steps.get(maker as usize).map(|step| step.action);
        matches!(made, Some(Action::EnterPath { .. } | Action::EnterHandle { .. }))
    }

    /// Rule 3: after the step that made it and all that used it.
    fn close(&mut self, index: u32, handle: Handle) {
        self.closes.push(index);
        if !self.rules.has(Rule::Slot) {
            return;
        }
        let Uses { maker, last } = self.uses[handle.index()];
        self.after(maker);
        let mut user = last;
        while user != NONE {
            self.after(user / 2);
            user = self.next_use[user as usize];
        }
    }

    /// In log order at most `budget` descriptors are open. The n-th open waits for the close number
    /// n - budget of the log: a close of its own for each open, so there are never more in any order.
    fn open(&mut self) {
        self.opens += 1;
        if let Some(close) = self.opens.checked_sub(self.budget + 1).filter(|_| self.rules.has(Rule::Budget))
        {
            self.after(self.closes.get(close).copied().unwrap_or(NONE));
        }
    }
}
