//! Calls that change files: steps where they may be made (in a scratch tree), barriers where not.

use super::{Action, Binder, Change, Handle, Order, Skip, Slot, Step};
use crate::plan::{AttributeCall, Call, MAX_TRANSFER, Op, PathId, Plan, Scope};

/// `XATTR_SIZE_MAX`, `XATTR_LIST_MAX`.
const MOST_OF_ATTRIBUTE: u32 = 1 << 16;
/// Extended attributes with a meaning for the kernel begin with this (xattr(7)).
const KERNELS_ATTRIBUTES: [&[u8]; 2] = [b"system.", b"security."];
/// What most systems start sessions with.
const USUAL_UMASK: u16 = 0o022;

/// The umask that the first process had: what the first `umask` returned, as far as there is one.
pub(super) fn first_umask(plan: &Plan) -> u16 {
    let calls = plan.calls.iter().filter(|call| matches!(call.op, Op::Umask { .. }));
    let mut returned = calls.filter_map(|call| u16::try_from(call.ret).ok());
    returned.next().map_or(USUAL_UMASK, |umask| umask & 0o777)
}

impl Binder<'_> {
    /// A call that changes files.
    pub(super) fn change(&mut self, id: u32, call: &Call) -> Result<(), Skip> {
        let thread = call.thread.0;
        let bound = match call.op {
            _ if self.changes => self.bind_change(id, call),
            // It would keep others from the file itself.
            Op::Lock { .. } | Op::LockRange { .. } => Err(Skip::Unknown),
            op if !op.changes_files() => Err(Skip::Unknown),
            _ => Err(Skip::Writes),
        };
        match bound {
            Ok(change) => {
                self.step(id, thread, Action::Change(change));
                Ok(())
            }
            Err(skip) => {
                let scope = match call.op {
                    Op::Write { scope, .. } => scope,
                    _ => Scope::Process,
                };
                self.step(id, thread, Action::Order(Order::Barrier(scope)));
                // To what nobody was seen to open by a path, and is not known to be a file.
                let is_file = match call.op {
                    Op::Write { fd, .. } => scope == Scope::Process || self.has_name(thread, fd),
                    _ => true,
                };
                Err(if is_file { skip } else { Skip::Meets })
            }
        }
    }

    fn bind_change(&mut self, id: u32, call: &Call) -> Result<Change, Skip> {
        let thread = call.thread.0;
        Ok(match call.op {
            Op::Write { fd, count, .. } => Change::Write {
                handle: self.handle(thread, fd)?,
                count: self.written(count, call)?,
                seed: id,
            },
            Op::Pwrite { fd, count, offset } => {
                let (handle, count) = (self.handle(thread, fd)?, self.written(count, call)?);
                Change::Pwrite { handle, count, seed: id, offset }
            }
            Op::Truncate { path, length } => {
                Change::Truncate { start: self.start(thread, crate::plan::At::Cwd, path)?, path, length }
            }
            Op::Ftruncate { fd, length } => Change::Ftruncate { handle: self.handle(thread, fd)?, length },
            Op::Allocate { fd, mode, offset, length } => {
                Change::Allocate { handle: self.handle(thread, fd)?, mode, offset, length }
            }
            Op::Rename { from_at, from, to_at, to, flags } => {
                let from_start = self.start(thread, from_at, from)?;
                Change::Rename { from_start, from, to_start: self.start(thread, to_at, to)?, to, flags }
            }
            Op::Link { from_at, from, to_at, to, flags } => {
                let from_start = self.start(thread, from_at, from)?;
                Change::Link { from_start, from, to_start: self.start(thread, to_at, to)?, to, flags }
            }
            Op::Symlink { target, at, path } => {
                Change::Symlink { target, start: self.start(thread, at, path)?, path }
            }
            Op::MakeDir { at, path, mode } => Change::MakeDir {
                start: self.start(thread, at, path)?,
                path,
                mode: self.masked(thread, mode),
            },
            Op::Unlink { at, path, flags } => {
                Change::Unlink { start: self.start(thread, at, path)?, path, flags }
            }
            Op::Sync { fd, data_only } => Change::Sync { handle: self.handle(thread, fd)?, data_only },
            Op::Lock { fd, operation } => Change::Lock { handle: self.handle(thread, fd)?, operation },
            Op::LockRange { fd, lock } => Change::LockRange { handle: self.handle(thread, fd)?, lock },
            Op::Copy { from, from_offset, to, to_offset, count, call: made } => {
                let count = self.copied(count, call)?;
                let (from, to) = (self.handle(thread, from)?, self.handle(thread, to)?);
                Change::Copy { from, from_offset, to, to_offset, count, call: made }
            }
            Op::Clone { from, to } => {
                Change::Clone { from: self.handle(thread, from)?, to: self.handle(thread, to)? }
            }
            Op::CloneRange { from, to, part } => {
                Change::CloneRange { from: self.handle(thread, from)?, to: self.handle(thread, to)?, part }
            }
            _ => return self.bind_attributes(id, call),
        })
    }

    fn bind_attributes(&mut self, id: u32, call: &Call) -> Result<Change, Skip> {
        let thread = call.thread.0;
        Ok(match call.op {
            Op::Chmod { at, path, mode } => {
                Change::Chmod { start: self.start(thread, at, path)?, path, mode }
            }
            Op::Fchmod { fd, mode } => Change::Fchmod { handle: self.handle(thread, fd)?, mode },
            Op::Chown { at, path, owner, group, flags } => {
                Change::Chown { start: self.start(thread, at, path)?, path, owner, group, flags }
            }
            Op::Fchown { fd, owner, group } => {
                Change::Fchown { handle: self.handle(thread, fd)?, owner, group }
            }
            Op::SetTimes { at, path, flags } => {
                Change::SetTimes { start: self.start(thread, at, path)?, path, flags }
            }
            Op::FsetTimes { fd } => Change::FsetTimes { handle: self.handle(thread, fd)? },
            Op::Attribute { call: AttributeCall::Set, name, .. }
                if call.ret >= 0 && self.is_kernels(name) =>
            {
                return Err(Skip::UnknownValue);
            }
            Op::Attribute { at, path, nofollow, call, name, size, flags } => {
                if size > MOST_OF_ATTRIBUTE {
                    return Err(Skip::TooLarge);
                }
                let start = self.start(thread, at, path)?;
                Change::Attribute { start, path, nofollow, call, name, size, flags, seed: id }
            }
            Op::FileSystem { at, path } => Change::FileSystem { start: self.start(thread, at, path)?, path },
            _ => return Err(Skip::Unknown),
        })
    }

    /// An open that may write, create or empty a file.
    pub(super) fn open_to_write(&mut self, id: u32, call: &Call) -> Result<(), Skip> {
        let Op::Open { at, path, flags, mode, resolve } = call.op else { return Err(Skip::Unknown) };
        let thread = call.thread.0;
        let start = self.start(thread, at, path);
        let mode = self.masked(thread, mode);
        let open = |start, into| Action::Change(Change::Open { start, path, flags, mode, resolve, into });
        if call.ret < 0 {
            self.step(id, thread, open(start?, None));
            return Ok(());
        }
        let into: Handle = self.new_handle(None, start.is_err());
        if let Ok(start) = start {
            self.step(id, thread, open(start, Some(into)));
        }
        let cloexec = flags & libc::O_CLOEXEC as u32 != 0;
        let freed = self.tables.insert_free(thread, call.ret as i32, Slot { handle: into, cloexec });
        self.close_all(thread, freed);
        start.map(|_| ())
    }

    /// A write is of as many bytes as it wrote: what more it was given had no effect.
    fn written(&self, asked: u64, call: &Call) -> Result<u32, Skip> {
        let limit = self.plan.limits.transfer.min(MAX_TRANSFER);
        match u64::try_from(call.ret) {
            Ok(returned) if returned > limit => Err(Skip::TooLarge),
            Ok(returned) if asked > limit => Ok(returned as u32),
            _ => Ok(asked.min(limit) as u32),
        }
    }

    /// A copy needs no memory here: it may be of as many bytes as a call moves.
    fn copied(&self, asked: u64, call: &Call) -> Result<u32, Skip> {
        match u64::try_from(call.ret) {
            Ok(moved) if (self.plan.limits.transfer..=MAX_TRANSFER).contains(&moved) => Ok(moved as u32),
            _ => self.written(asked, call),
        }
    }

    /// Whether the kernel takes only values that it understands for such an attribute.
    fn is_kernels(&self, name: PathId) -> bool {
        KERNELS_ATTRIBUTES.iter().any(|kind| self.plan.paths.bytes(name).starts_with(kind))
    }

    fn masked(&self, thread: u32, mode: u16) -> u16 {
        mode & 0o7777 & !self.tables.umask(thread)
    }
}

impl Step {
    /// Whether it changes files.
    pub(crate) fn changes_files(&self) -> bool {
        matches!(self.action, Action::Change(_))
    }
}
