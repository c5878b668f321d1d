//! Strategy 12, the other half: an asynchronous application on tokio-uring. A task does one step after the other as long as
//! each makes another ready, as a task that handles a file would; whatever else becomes ready gets a task of its own.
//!
//! Opens by absolute path, stats, reads and closes go through its ring; for the rest the crate has nothing (a path relative
//! to a directory it would take from the process's own, which a ring must not), and they are plain calls.

use std::cell::{Cell, RefCell};
use std::ffi::OsStr;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::Notify;
use tokio_uring::fs::{File, OpenOptions, StatxBuilder};
use tokio_uring::{Runtime, builder};

use super::ready::Ready;
use super::{Counts, Engine};
use crate::bind::{Action, Handle, Start};
use crate::graph::Graph;
use crate::plan::StatCall;
use crate::program::Program;
use crate::run::Run;
use crate::sys::calls::{Observed, Scratch, digest_of_statx, read_only};

/// The offset that stands for the file's own.
const OWN_OFFSET: u64 = u64::MAX;

/// The files that are open as the crate's own, and buffers to read into.
#[derive(Debug, Default)]
struct Shared {
    files: Vec<Option<Rc<File>>>,
    buffers: Vec<Vec<u8>>,
}

/// What the tasks of a run share; they are all on one thread.
struct Tasks {
    run: RefCell<Option<Arc<Run>>>,
    ready: RefCell<Ready>,
    shared: RefCell<Shared>,
    scratch: RefCell<Scratch>,
    counts: Cell<Counts>,
    /// How many there are, and the news that there is none any more.
    alive: Cell<usize>,
    over: Notify,
}

pub(crate) struct TokioUring {
    runtime: Runtime,
    tasks: Rc<Tasks>,
}

impl TokioUring {
    pub(crate) fn new(program: &Program, graph: Arc<Graph>, depth: u32) -> io::Result<Self> {
        let files = (0..program.handles).map(|_| None).collect();
        let tasks = Tasks {
            run: RefCell::new(None),
            ready: RefCell::new(Ready::new(graph)),
            shared: RefCell::new(Shared { files, buffers: Vec::new() }),
            scratch: RefCell::new(Scratch::new(program.room())),
            counts: Cell::new(Counts::default()),
            alive: Cell::new(0),
            over: Notify::new(),
        };
        Ok(Self { runtime: Runtime::new(builder().entries(depth))?, tasks: Rc::new(tasks) })
    }
}

/// A directory that was not opened through the crate.
struct NotOurs;

impl Shared {
    fn file(&self, handle: Handle) -> Option<Rc<File>> {
        self.files[handle.index()].clone()
    }

    /// What a path can start from without the process's own directory.
    fn start(&self, start: Start) -> Result<Option<Rc<File>>, NotOurs> {
        start.map(|handle| self.file(handle).ok_or(NotOurs)).transpose()
    }

    fn buffer(&mut self, count: u32) -> Vec<u8> {
        let mut buffer = self.buffers.pop().unwrap_or_default();
        buffer.clear();
        buffer.reserve_exact(count as usize);
        buffer
    }
}

/// An operation of the crate, with all it needs.
enum Operation {
    Open { options: OpenOptions, step: u32, into: Option<Handle> },
    Stat { file: Option<Rc<File>>, step: u32, flags: u32, mask: u32 },
    Fstat { file: Rc<File> },
    Read { file: Rc<File>, buffer: Vec<u8>, count: u32, offset: u64 },
    Close { file: Rc<File> },
}

/// The operation of a step; `None`: the crate has none.
fn operation(run: &Run, step: u32, shared: &mut Shared) -> Option<Operation> {
    Some(match *run.program.action(step) {
        Action::Open { start: None, flags, resolve: 0, into, .. } => {
            let mut options = OpenOptions::new();
            options.read(true).custom_flags(read_only(flags) as i32);
            Operation::Open { options, step, into }
        }
        Action::Stat { start, flags, call, .. } => {
            let mask = match call {
                StatCall::Stat => libc::STATX_BASIC_STATS,
                StatCall::Statx(mask) => mask,
            };
            Operation::Stat { file: shared.start(start).ok()?, step, flags, mask }
        }
        Action::Fstat { handle } => Operation::Fstat { file: shared.file(handle)? },
        Action::Read { handle, count } => {
            let file = shared.file(handle)?;
            Operation::Read { file, buffer: shared.buffer(count), count, offset: OWN_OFFSET }
        }
        Action::Pread { handle, count, offset } => {
            let (file, offset) = (shared.file(handle)?, u64::try_from(offset).ok()?);
            Operation::Read { file, buffer: shared.buffer(count), count, offset }
        }
        Action::Close { handle } => {
            let file = shared.files[handle.index()].take()?;
            run.descriptors.take(handle);
            Operation::Close { file }
        }
        _ => return None,
    })
}

/// Executes an operation; whatever it holds of a file is let go of before it is told to be done.
async fn execute(operation: Operation, run: &Run, shared: &RefCell<Shared>) -> Observed {
    match operation {
        Operation::Open { options, step, into } => match options.open(path(run, step)).await {
            Ok(file) => {
                if let Some(into) = into {
                    run.descriptors.set(into, file.as_raw_fd());
                    shared.borrow_mut().files[into.index()] = Some(Rc::new(file));
                }
                Observed::default()
            }
            Err(error) => failed(&error),
        },
        Operation::Stat { file, step, flags, mask } => {
            let mut builder = StatxBuilder::new();
            if let Some(file) = &file {
                let _ = builder.dirfd(file);
            }
            let builder = match builder.pathname(path(run, step)) {
                Ok(builder) => builder.flags(flags as i32).mask(mask),
                Err(error) => return failed(&error),
            };
            stat_result(builder.statx().await)
        }
        Operation::Fstat { file } => stat_result(file.statx().await),
        Operation::Read { file, buffer, count, offset } => {
            let slice = tokio_uring::buf::BoundedBuf::slice(buffer, ..count as usize);
            let (result, slice) = file.read_at(slice, offset).await;
            shared.borrow_mut().buffers.push(slice.into_inner());
            result.map_or_else(|error| failed(&error), |bytes| Observed { ret: bytes as i64, digest: 0 })
        }
        Operation::Close { file } => match Rc::try_unwrap(file) {
            Ok(file) => file.close().await.map_or_else(|error| failed(&error), |()| Observed::default()),
            // A use that has not ended: the order was not kept.
            Err(_) => Observed::failed(libc::EBUSY),
        },
    }
}

fn path(run: &Run, step: u32) -> &OsStr {
    let lookup = run.program.action(step).lookup();
    OsStr::from_bytes(lookup.map_or(&b""[..], |(_, path)| run.program.plan.paths.bytes(path)))
}

fn failed(error: &io::Error) -> Observed {
    Observed::failed(error.raw_os_error().unwrap_or(libc::EIO))
}

fn stat_result(result: io::Result<libc::statx>) -> Observed {
    result.map_or_else(|error| failed(&error), |statx| Observed { ret: 0, digest: digest_of_statx(&statx) })
}

impl Tasks {
    /// A task for each ready step but the first, which is the caller's.
    fn share_out(tasks: &Rc<Self>) -> Option<u32> {
        let first = tasks.ready.borrow_mut().pop();
        loop {
            let Some(step) = tasks.ready.borrow_mut().pop() else { return first };
            Self::start(tasks, step);
        }
    }

    fn start(tasks: &Rc<Self>, step: u32) {
        tasks.alive.set(tasks.alive.get() + 1);
        tokio_uring::spawn(follow(Rc::clone(tasks), step));
    }

    fn count(&self, submissions: u64, kernel_entries: u64) {
        let mut counts = self.counts.get();
        counts.submissions += submissions;
        counts.kernel_entries += kernel_entries;
        self.counts.set(counts);
    }
}

/// Does a step, and then those that it makes ready.
async fn follow(tasks: Rc<Tasks>, first: u32) {
    let run = tasks.run.borrow().clone();
    let mut next = Some(first);
    while let (Some(step), Some(run)) = (next, &run) {
        if run.program.action(step).is_executed() {
            let operation = operation(run, step, &mut tasks.shared.borrow_mut());
            if let Some(operation) = operation {
                tasks.count(1, 0);
                let observed = execute(operation, run, &tasks.shared).await;
                run.record(step, observed);
            } else {
                let calls = run.perform(step, &mut tasks.scratch.borrow_mut());
                tasks.count(0, calls);
            }
        }
        tasks.ready.borrow_mut().done(step);
        next = Tasks::share_out(&tasks);
    }
    tasks.alive.set(tasks.alive.get() - 1);
    if tasks.alive.get() == 0 {
        tasks.over.notify_one();
    }
}

impl Engine for TokioUring {
    fn prepare(&mut self) -> io::Result<()> {
        self.tasks.ready.borrow_mut().reset();
        Ok(())
    }

    fn run(&mut self, run: &Arc<Run>) -> io::Result<Counts> {
        let tasks = &self.tasks;
        *tasks.run.borrow_mut() = Some(Arc::clone(run));
        tasks.counts.set(Counts::default());
        self.runtime.block_on(async {
            if let Some(first) = Tasks::share_out(tasks) {
                Tasks::start(tasks, first);
                tasks.over.notified().await;
            }
        });
        *tasks.run.borrow_mut() = None;
        // What the program leaves open is closed with the run's other descriptors.
        for file in tasks.shared.borrow_mut().files.iter_mut().filter_map(Option::take) {
            std::mem::forget(file);
        }
        Ok(tasks.counts.get())
    }
}
