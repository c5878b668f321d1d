//! Plans on a tree of temporary files, for tests.

use std::fs;
use std::path::Path;

use crate::bind::{Action, Order, bind};
use crate::graph::Graph;
use crate::plan::{At, CallId, Op, Plan, PlanBuilder, Recorded, Share, StatCall, ThreadId};
use crate::program::Program;
use crate::sys::calls::{Descriptors, Observed, Scratch, perform};

/// A plan in the making, whose paths lie in a directory of its own.
pub(crate) struct Script {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) builder: PlanBuilder,
    pub(crate) main: ThreadId,
}

pub(crate) const DIRECTORY: u32 = libc::O_DIRECTORY as u32;

impl Script {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut builder = PlanBuilder::default();
        let main = builder.process(Some(directory.path().to_str().unwrap().as_bytes())).unwrap();
        Self { directory, builder, main }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn write(&self, name: &str, contents: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
    }

    pub(crate) fn call(&mut self, thread: ThreadId, op: Op, ret: i64) -> CallId {
        self.builder.call(thread, op, Recorded::returned(ret)).unwrap()
    }

    pub(crate) fn open(&mut self, thread: ThreadId, path: &str, flags: u32, ret: i64) -> CallId {
        let path = self.builder.path(path.as_bytes()).unwrap();
        self.call(thread, Op::Open { at: At::Cwd, path, flags, mode: 0, resolve: 0 }, ret)
    }

    pub(crate) fn stat(&mut self, thread: ThreadId, path: &str, ret: i64) -> CallId {
        let path = self.builder.path(path.as_bytes()).unwrap();
        self.call(thread, Op::Stat { at: At::Cwd, path, flags: 0, call: StatCall::Stat }, ret)
    }

    pub(crate) fn read(&mut self, thread: ThreadId, fd: i32, count: u64, ret: i64) -> CallId {
        self.call(thread, Op::Read { fd, count }, ret)
    }

    pub(crate) fn close(&mut self, thread: ThreadId, fd: i32) -> CallId {
        self.call(thread, Op::Close { fd }, 0)
    }

    pub(crate) fn chdir(&mut self, thread: ThreadId, path: &str) -> CallId {
        let path = self.builder.path(path.as_bytes()).unwrap();
        self.call(thread, Op::Chdir { path }, 0)
    }

    pub(crate) fn fork(&mut self, parent: ThreadId) -> ThreadId {
        self.builder.child(parent, Share::default()).unwrap()
    }

    /// The plan, and its files, which go when the directory is dropped.
    pub(crate) fn build(self) -> (Plan, tempfile::TempDir) {
        (self.builder.build(), self.directory)
    }
}

/// A program whose expectations are the log's, without a rehearsal.
pub(crate) fn unrehearsed(plan: Plan) -> Program {
    let bound = bind(&plan).unwrap();
    let expected = bound.steps.iter().map(|step| {
        let ret = plan.calls.get(step.call as usize).map_or(0, |call| call.ret);
        Observed { ret, digest: 0 }
    });
    let expected = expected.collect();
    let (steps, handles) = (bound.steps, bound.handles);
    let (descriptions, initial, skips) = (bound.descriptions, bound.initial, bound.skips);
    Program { plan, steps, expected, handles, descriptions, initial, skips, accesses: None }
}

/// Runs the steps in an order drawn from those that the graph allows, with `effect` in place of unknown
/// calls; the first step that did not come to what it had to.
pub(crate) fn run_in_some_order(
    program: &Program,
    graph: &Graph,
    seed: u64,
    mut effect: impl FnMut(u32),
) -> Result<Vec<u32>, u32> {
    let mut random = fastrand::Rng::with_seed(seed);
    let descriptors = Descriptors::new(program.handles);
    for &(handle, path) in &program.initial {
        let file = crate::sys::files::locate(libc::AT_FDCWD, program.plan.paths.c_str(path), 0, 0).unwrap();
        descriptors.set(handle, std::os::fd::IntoRawFd::into_raw_fd(file));
    }
    let mut scratch = Scratch::new(program.room());
    let mut waits = graph.waits.clone();
    let mut ready: Vec<u32> = graph.roots().collect();
    let mut order = Vec::new();
    let mut wrong = None;
    while !ready.is_empty() {
        let step = ready.swap_remove(random.usize(..ready.len()));
        order.push(step);
        let action = program.action(step);
        if let Action::Order(Order::Barrier(_)) = action {
            effect(step);
        } else {
            let observed = perform(action, &program.plan.paths, &descriptors, &mut scratch);
            let expected = program.expected[step as usize].ret;
            let opened = action.defines().is_some() && observed.ret >= 0;
            if !opened && observed.ret != expected && wrong.is_none() {
                wrong = Some(step);
            }
        }
        for &successor in graph.successors(step) {
            waits[successor as usize] -= 1;
            if waits[successor as usize] == 0 {
                ready.push(successor);
            }
        }
    }
    descriptors.close_all();
    assert_eq!(order.len(), program.steps.len(), "a cycle");
    wrong.map_or(Ok(order), Err)
}
