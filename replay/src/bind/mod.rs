//! From a plan to steps: what each descriptor number and working directory stood for at each moment of the log.
//!
//! One pass in log order. Each open, dup and chdir defines a new [`Handle`]; each use names the handle that the
//! number meant then, in the table of the thread that used it. Calls that cannot be replayed are left out
//! with a reason ([`Skip`]); what depends on the files themselves is decided later, by the rehearsal.

mod changes;
mod skip;
mod step;
mod tables;
#[cfg(test)]
mod tests;

pub use skip::Skip;
pub(crate) use step::{Action, Change, Handle, Order, Start, Step};

use crate::plan::{At, Call, Event, MAX_TRANSFER, Op, PathId, Plan, PlanError, Scope, WRITING_FLAGS};
use tables::{Slot, Tables};

/// A plan with its descriptors resolved.
#[derive(Debug)]
pub(crate) struct Bound {
    /// In log order.
    pub(crate) steps: Vec<Step>,
    /// How many handles the steps name.
    pub(crate) handles: usize,
    /// The open file description of each handle; dup shares it.
    pub(crate) descriptions: Vec<u32>,
    /// Handles that are open before the first step, and what they are.
    pub(crate) initial: Vec<(Handle, PathId)>,
    /// Of each call: why it has no step.
    pub(crate) skips: Vec<Option<Skip>>,
}

/// Resolves every descriptor of a plan. Calls that change files have no step but a barrier.
pub(crate) fn bind(plan: &Plan) -> Result<Bound, PlanError> {
    resolve(plan, false)
}

/// The same, with steps that change files: for a scratch tree.
pub(crate) fn bind_all(plan: &Plan) -> Result<Bound, PlanError> {
    resolve(plan, true)
}

fn resolve(plan: &Plan, changes: bool) -> Result<Bound, PlanError> {
    let mut binder = Binder::new(plan, changes);
    for &event in &plan.events {
        binder.event(event)?;
    }
    Ok(binder.finish())
}

struct Binder<'a> {
    plan: &'a Plan,
    tables: Tables,
    bound: Bound,
    /// Handles whose open is not replayed.
    missing: Vec<bool>,
    /// Handles that an open of a path made, whether it is replayed or not.
    named: Vec<bool>,
    /// Whether changes have steps.
    changes: bool,
    /// Of processes that no other was seen to make.
    umask: u16,
}

impl<'a> Binder<'a> {
    fn new(plan: &'a Plan, changes: bool) -> Self {
        let bound = Bound {
            steps: Vec::with_capacity(plan.calls.len()),
            handles: 0,
            descriptions: Vec::new(),
            initial: Vec::new(),
            skips: vec![None; plan.calls.len()],
        };
        Self {
            plan,
            tables: Tables::new(plan.limits.copied_descriptors),
            bound,
            missing: Vec::new(),
            named: Vec::new(),
            changes,
            umask: changes::first_umask(plan),
        }
    }

    fn finish(mut self) -> Bound {
        self.bound.handles = self.tables.handles();
        self.bound
    }

    fn event(&mut self, event: Event) -> Result<(), PlanError> {
        match event {
            Event::Call(id) => return self.call(id.0),
            Event::Start(thread) => {
                let started = self.plan.threads[thread.index()];
                let Some(parent) = started.parent else {
                    let cwd = started.cwd.map(|path| self.initial(path));
                    self.tables.add_root(cwd, self.umask);
                    return Ok(());
                };
                self.tables.add_child(parent.0, started.share)?;
                self.step(Step::IMPLICIT, parent.0, Action::Order(Order::Start { child: thread.0 }));
            }
            Event::Exit(thread) => {
                let freed = self.tables.exit(thread.0);
                self.close_all(thread.0, freed);
            }
            Event::Inherited { thread, fd, path } => {
                let handle = self.initial(path);
                let freed = self.tables.insert(thread.0, fd, Slot { handle, cloexec: false });
                self.close_all(thread.0, freed);
            }
        }
        Ok(())
    }

    fn call(&mut self, id: u32) -> Result<(), PlanError> {
        let call = self.plan.calls[id as usize];
        let skip = if call.ret == Call::NO_RETURN {
            self.bound.skips[id as usize] = Some(Skip::Unfinished);
            return Ok(());
        } else {
            self.bind_call(id, &call)?
        };
        self.bound.skips[id as usize] = skip.err();
        Ok(())
    }

    /// The outer result is the plan's fault, the inner one only this call's.
    fn bind_call(&mut self, id: u32, call: &Call) -> Result<Result<(), Skip>, PlanError> {
        let thread = call.thread.0;
        let failed = call.ret < 0;
        match call.op {
            Op::Inert => return Ok(Err(Skip::Inert)),
            Op::Unknown(scope) => {
                self.step(id, thread, Action::Order(Order::Barrier(scope)));
                return Ok(Err(if scope == Scope::All { Skip::Meets } else { Skip::Unknown }));
            }
            Op::Wait { child } => {
                self.step(id, thread, Action::Order(Order::Wait { process: child.0 }));
                return Ok(Err(Skip::OrdersOnly));
            }
            Op::Exec if !failed => {
                self.step(id, thread, Action::Order(Order::Barrier(Scope::Process)));
                let closed = self.tables.exec(thread)?;
                self.close_all(thread, closed);
                return Ok(Err(Skip::OrdersOnly));
            }
            Op::Exec | Op::Map { .. } => return Ok(Err(Skip::OrdersOnly)),
            Op::SetCloexec { fd, on } => {
                self.tables.set_cloexec(thread, fd, on);
                return Ok(Err(Skip::OrdersOnly));
            }
            Op::CloseRange { first, last } => {
                if !failed && first <= last {
                    let as_fd = |fd: u32| i32::try_from(fd).unwrap_or(i32::MAX);
                    let closed = self.tables.remove_range(thread, as_fd(first), as_fd(last));
                    self.close_all(thread, closed);
                }
                return Ok(Err(Skip::OrdersOnly));
            }
            Op::Umask { mask } => {
                self.tables.set_umask(thread, mask);
                return Ok(Err(Skip::OrdersOnly));
            }
            // Only in a scratch tree: what is asked of may be anything.
            Op::Attribute { .. } | Op::FileSystem { .. } => return Ok(self.change(id, call)),
            op if op.changes_files() => return Ok(self.change(id, call)),
            _ => {}
        }
        Ok(self.file_call(id, call))
    }

    /// A call on a file: a step, unless there is a reason against it.
    fn file_call(&mut self, id: u32, call: &Call) -> Result<(), Skip> {
        let thread = call.thread.0;
        let action = match call.op {
            Op::Open { .. } => return self.open(id, call),
            Op::Close { fd } => return self.close(id, thread, fd, call.ret),
            Op::Dup { fd, cloexec } => return self.dup(id, call, fd, call.ret, cloexec),
            Op::DupTo { fd, to, cloexec } => return self.dup_to(id, call, fd, to, cloexec),
            Op::Chdir { path } => return self.chdir(id, call, path),
            Op::Fchdir { fd } => return self.fchdir(id, call, fd),
            Op::Getcwd => return Err(Skip::OwnDirectory),
            Op::Read { fd, count } => {
                Action::Read { handle: self.handle(thread, fd)?, count: self.room(count, call)? }
            }
            Op::Pread { fd, count, offset } => {
                Action::Pread { handle: self.handle(thread, fd)?, count: self.room(count, call)?, offset }
            }
            Op::ListDir { fd, count } => {
                Action::ListDir { handle: self.handle(thread, fd)?, count: self.room(count, call)? }
            }
            Op::Seek { fd, offset, whence } => {
                Action::Seek { handle: self.handle(thread, fd)?, offset, whence }
            }
            Op::Fstat { fd } => Action::Fstat { handle: self.handle(thread, fd)? },
            Op::Stat { at, path, flags, call } => {
                Action::Stat { start: self.start(thread, at, path)?, path, flags, call }
            }
            Op::Access { at, path, mode, flags } => {
                Action::Access { start: self.start(thread, at, path)?, path, mode, flags }
            }
            Op::ReadLink { at, path, size } => {
                Action::ReadLink { start: self.start(thread, at, path)?, path, size: self.room(size, call)? }
            }
            _ => return Err(Skip::Unknown),
        };
        self.step(id, thread, action);
        Ok(())
    }

    fn open(&mut self, id: u32, call: &Call) -> Result<(), Skip> {
        let Op::Open { at, path, flags, resolve, .. } = call.op else { return Err(Skip::Unknown) };
        let thread = call.thread.0;
        let writes = flags & WRITING_FLAGS != 0;
        if writes && self.changes {
            return self.open_to_write(id, call);
        }
        let start = if writes { Err(Skip::Writes) } else { self.start(thread, at, path) };
        if call.ret < 0 {
            self.step(id, thread, Action::Open { start: start?, path, flags, resolve, into: None });
            return Ok(());
        }
        let into = self.new_handle(None, start.is_err());
        if let Ok(start) = start {
            self.step(id, thread, Action::Open { start, path, flags, resolve, into: Some(into) });
        }
        let cloexec = flags & libc::O_CLOEXEC as u32 != 0;
        let freed = self.tables.insert_free(thread, call.ret as i32, Slot { handle: into, cloexec });
        self.close_all(thread, freed);
        start.map(|_| ())
    }

    fn close(&mut self, id: u32, thread: u32, fd: i32, ret: i64) -> Result<(), Skip> {
        let Some((handle, is_last)) = (if ret < 0 { None } else { self.tables.close(thread, fd) }) else {
            return Err(self.handle(thread, fd).err().unwrap_or(Skip::InheritedDescriptor));
        };
        if !is_last {
            return Err(Skip::StaysOpen);
        }
        let handle = self.present(handle)?;
        self.step(id, thread, Action::Close { handle });
        Ok(())
    }

    /// The table follows the log even where the dup itself is not replayed.
    fn dup(&mut self, id: u32, call: &Call, fd: i32, to: i64, cloexec: bool) -> Result<(), Skip> {
        let thread = call.thread.0;
        let handle = self.handle(thread, fd);
        if to < 0 {
            return Err(handle.err().unwrap_or(Skip::InheritedDescriptor));
        }
        let into = self.new_handle(handle.ok(), handle.is_err());
        self.named[into.index()] = self.has_name(thread, fd);
        if let Ok(handle) = handle {
            self.step(id, thread, Action::Dup { handle, into });
        }
        let freed = self.tables.insert(thread, to as i32, Slot { handle: into, cloexec });
        self.close_all(thread, freed);
        handle.map(|_| ())
    }

    fn dup_to(&mut self, id: u32, call: &Call, fd: i32, to: i32, cloexec: bool) -> Result<(), Skip> {
        if fd == to && call.ret >= 0 {
            return Err(Skip::OrdersOnly);
        }
        self.dup(id, call, fd, if call.ret < 0 { call.ret } else { i64::from(to) }, cloexec)
    }

    fn chdir(&mut self, id: u32, call: &Call, path: PathId) -> Result<(), Skip> {
        let thread = call.thread.0;
        let start = self.start(thread, At::Cwd, path);
        if call.ret < 0 {
            self.step(id, thread, Action::EnterPath { start: start?, path, into: None });
            return Ok(());
        }
        let into = self.new_handle(None, start.is_err());
        if let Ok(start) = start {
            self.step(id, thread, Action::EnterPath { start, path, into: Some(into) });
        }
        let freed = self.tables.enter(thread, into);
        self.close_all(thread, freed);
        start.map(|_| ())
    }

    fn fchdir(&mut self, id: u32, call: &Call, fd: i32) -> Result<(), Skip> {
        let thread = call.thread.0;
        let handle = self.handle(thread, fd);
        if call.ret < 0 {
            return Err(handle.err().unwrap_or(Skip::InheritedDescriptor));
        }
        let into = self.new_handle(handle.ok(), handle.is_err());
        if let Ok(handle) = handle {
            self.step(id, thread, Action::EnterHandle { handle, into });
        }
        let freed = self.tables.enter(thread, into);
        self.close_all(thread, freed);
        handle.map(|_| ())
    }

    fn initial(&mut self, path: PathId) -> Handle {
        let handle = self.new_handle(None, false);
        self.bound.initial.push((handle, path));
        handle
    }

    fn new_handle(&mut self, same_description_as: Option<Handle>, is_missing: bool) -> Handle {
        let handle = self.tables.new_handle();
        let description = match same_description_as {
            Some(other) => self.bound.descriptions[other.index()],
            None => handle.0,
        };
        self.bound.descriptions.push(description);
        self.missing.push(is_missing);
        self.named.push(same_description_as.is_none_or(|other| self.named[other.index()]));
        handle
    }

    fn handle(&mut self, thread: u32, fd: i32) -> Result<Handle, Skip> {
        let slot = self.tables.slot(thread, fd).ok_or(Skip::InheritedDescriptor)?;
        self.present(slot.handle)
    }

    /// Whether a path was opened to have this descriptor.
    fn has_name(&mut self, thread: u32, fd: i32) -> bool {
        self.tables.slot(thread, fd).is_some_and(|slot| self.named[slot.handle.index()])
    }

    fn present(&self, handle: Handle) -> Result<Handle, Skip> {
        if self.missing[handle.index()] { Err(Skip::DependsOnSkipped) } else { Ok(handle) }
    }

    fn start(&mut self, thread: u32, at: At, path: PathId) -> Result<Start, Skip> {
        if self.plan.paths.bytes(path).starts_with(b"/") {
            return Ok(None);
        }
        match at {
            At::Fd(fd) => self.handle(thread, fd).map(Some),
            At::Cwd => {
                let cwd = self.tables.cwd(thread).ok_or(Skip::UnknownDirectory)?;
                self.present(cwd).map(Some)
            }
        }
    }

    /// The room a transfer needs: what was asked for, as the kernel cuts it. More than the limit is given only
    /// as much as the result needs, which leaves the result as it is.
    fn room(&self, asked: u64, call: &Call) -> Result<u32, Skip> {
        let limit = self.plan.limits.transfer.min(MAX_TRANSFER);
        let returned = u64::try_from(call.ret).unwrap_or(0);
        if returned > limit { Err(Skip::TooLarge) } else { Ok(asked.min(limit) as u32) }
    }

    /// What the kernel closes by itself.
    fn close_all(&mut self, thread: u32, freed: impl IntoIterator<Item = Handle>) {
        for handle in freed {
            if !self.missing[handle.index()] {
                self.step(Step::IMPLICIT, thread, Action::Close { handle });
            }
        }
    }

    fn step(&mut self, call: u32, thread: u32, action: Action) {
        self.bound.steps.push(Step { action, call, thread });
    }
}
