//! A call with its descriptors resolved: what an engine executes.

use crate::plan::{AttributeCall, CopyCall, Offset, PathId, RangeLock, Scope, SharedPart, StatCall};

/// One generation of a descriptor, or a working directory held open: defined once, used, closed once. Program
/// numbers are reused and shared; handles are not, so replay may give them any number in any order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Handle(pub(crate) u32);

impl Handle {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// Where a path starts: `None` for an absolute one. (Never the process's own working directory: a ring resolves
/// a relative path when it gets to it, and that can be after the directory has changed. Plain calls may be made from
/// there: `Descriptors::plain_start`.)
pub(crate) type Start = Option<Handle>;

/// What to do. Calls that cannot be made as recorded without changing the replaying process itself have a
/// stand-in, named at the variant.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Action {
    Open {
        start: Start,
        path: PathId,
        flags: u32,
        resolve: u16,
        into: Option<Handle>,
    },
    /// `chdir`, as an `O_PATH` open of the directory.
    EnterPath {
        start: Start,
        path: PathId,
        into: Option<Handle>,
    },
    /// `fchdir`, as a dup.
    EnterHandle {
        handle: Handle,
        into: Handle,
    },
    Close {
        handle: Handle,
    },
    Read {
        handle: Handle,
        count: u32,
    },
    Pread {
        handle: Handle,
        count: u32,
        offset: i64,
    },
    Seek {
        handle: Handle,
        offset: i64,
        whence: u32,
    },
    Stat {
        start: Start,
        path: PathId,
        flags: u32,
        call: StatCall,
    },
    Fstat {
        handle: Handle,
    },
    Access {
        start: Start,
        path: PathId,
        mode: u32,
        flags: u32,
    },
    ReadLink {
        start: Start,
        path: PathId,
        size: u32,
    },
    ListDir {
        handle: Handle,
        count: u32,
    },
    /// `dup`, `dup2`, `dup3` and `F_DUPFD`, as `F_DUPFD_CLOEXEC` to any free number.
    Dup {
        handle: Handle,
        into: Handle,
    },
    /// Only in a scratch tree.
    Change(Change),
    /// Not executed, orders only.
    Order(Order),
}

/// What changes files. Made only by [`bind_all`](super::bind_all), executed only in a scratch tree.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change {
    /// An open that may write, create or empty a file.
    Open {
        start: Start,
        path: PathId,
        flags: u32,
        /// The umask is taken off already.
        mode: u16,
        resolve: u16,
        into: Option<Handle>,
    },
    /// What is written is told by `seed`, for the log has no contents: another one for each call.
    Write {
        handle: Handle,
        count: u32,
        seed: u32,
    },
    Pwrite {
        handle: Handle,
        count: u32,
        seed: u32,
        offset: i64,
    },
    Truncate {
        start: Start,
        path: PathId,
        length: i64,
    },
    Ftruncate {
        handle: Handle,
        length: i64,
    },
    Allocate {
        handle: Handle,
        mode: u32,
        offset: i64,
        length: i64,
    },
    Rename {
        from_start: Start,
        from: PathId,
        to_start: Start,
        to: PathId,
        flags: u32,
    },
    Link {
        from_start: Start,
        from: PathId,
        to_start: Start,
        to: PathId,
        flags: u32,
    },
    Symlink {
        target: PathId,
        start: Start,
        path: PathId,
    },
    MakeDir {
        start: Start,
        path: PathId,
        mode: u16,
    },
    Unlink {
        start: Start,
        path: PathId,
        flags: u32,
    },
    Chmod {
        start: Start,
        path: PathId,
        mode: u16,
    },
    Fchmod {
        handle: Handle,
        mode: u16,
    },
    Chown {
        start: Start,
        path: PathId,
        owner: u32,
        group: u32,
        flags: u32,
    },
    Fchown {
        handle: Handle,
        owner: u32,
        group: u32,
    },
    SetTimes {
        start: Start,
        path: PathId,
        flags: u32,
    },
    FsetTimes {
        handle: Handle,
    },
    /// With an empty path, of what is open as `start`.
    Attribute {
        start: Start,
        path: PathId,
        nofollow: bool,
        call: AttributeCall,
        name: PathId,
        size: u32,
        flags: u8,
        seed: u32,
    },
    /// The same; changes nothing.
    FileSystem {
        start: Start,
        path: PathId,
    },
    Sync {
        handle: Handle,
        data_only: bool,
    },
    /// Never waits: in the log's order nobody has to.
    Lock {
        handle: Handle,
        operation: u32,
    },
    /// Never waits either.
    LockRange {
        handle: Handle,
        lock: RangeLock,
    },
    Copy {
        from: Handle,
        from_offset: Offset,
        to: Handle,
        to_offset: Offset,
        count: u32,
        call: CopyCall,
    },
    Clone {
        from: Handle,
        to: Handle,
    },
    CloneRange {
        from: Handle,
        to: Handle,
        part: SharedPart,
    },
}

impl Change {
    /// The handle it makes.
    pub(crate) fn defines(&self) -> Option<Handle> {
        if let Self::Open { into, .. } = *self { into } else { None }
    }

    /// The handles it needs open.
    pub(crate) fn uses(&self) -> [Option<Handle>; 2] {
        match *self {
            Self::Open { start, .. }
            | Self::Truncate { start, .. }
            | Self::Symlink { start, .. }
            | Self::MakeDir { start, .. }
            | Self::Unlink { start, .. }
            | Self::Chmod { start, .. }
            | Self::Chown { start, .. }
            | Self::SetTimes { start, .. }
            | Self::Attribute { start, .. }
            | Self::FileSystem { start, .. } => [start, None],
            Self::Rename { from_start, to_start, .. } | Self::Link { from_start, to_start, .. } => {
                [from_start, to_start.filter(|start| Some(*start) != from_start)]
            }
            Self::Copy { from, to, .. } | Self::Clone { from, to } | Self::CloneRange { from, to, .. } => {
                [Some(from), Some(to).filter(|to| *to != from)]
            }
            Self::Write { handle, .. }
            | Self::Pwrite { handle, .. }
            | Self::Ftruncate { handle, .. }
            | Self::Allocate { handle, .. }
            | Self::Fchmod { handle, .. }
            | Self::Fchown { handle, .. }
            | Self::FsetTimes { handle }
            | Self::Sync { handle, .. }
            | Self::Lock { handle, .. }
            | Self::LockRange { handle, .. } => [Some(handle), None],
        }
    }

    /// The handles whose offset it uses and moves.
    pub(crate) fn moves_offsets_of(&self) -> [Option<Handle>; 2] {
        match *self {
            Self::Write { handle, .. } => [Some(handle), None],
            Self::Copy { from, from_offset, to, to_offset, .. } => {
                let moved = |handle, offset| (offset == Offset::OWN).then_some(handle);
                [moved(from, from_offset), moved(to, to_offset)]
            }
            // Where it is may be told from the offset.
            Self::LockRange { handle, lock } if lock.whence == libc::SEEK_CUR as i16 => [Some(handle), None],
            _ => [None, None],
        }
    }

    /// Sets what Landlock does not govern.
    pub(crate) fn sets_attributes(&self) -> bool {
        matches!(
            self,
            Self::Chmod { .. }
                | Self::Fchmod { .. }
                | Self::Chown { .. }
                | Self::Fchown { .. }
                | Self::SetTimes { .. }
                | Self::FsetTimes { .. }
                | Self::Attribute { call: AttributeCall::Set | AttributeCall::Remove, .. }
        )
    }
}

/// What a step without execution orders.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Order {
    /// A thread begins, made by the step's thread.
    Start { child: u32 },
    /// A thread has learnt that a process ended.
    Wait { process: u32 },
    /// Effects unknown.
    Barrier(Scope),
}

/// An action of a thread, in the order of the log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) action: Action,
    /// Which call of the plan this is; [`Step::IMPLICIT`] for what the kernel did without one (closing at exit and exec).
    pub(crate) call: u32,
    pub(crate) thread: u32,
}

impl Step {
    pub(crate) const IMPLICIT: u32 = u32::MAX;
}

impl Action {
    pub(crate) fn is_executed(&self) -> bool {
        !matches!(self, Self::Order(_))
    }

    /// The handle it makes.
    pub(crate) fn defines(&self) -> Option<Handle> {
        match *self {
            Self::Open { into, .. } | Self::EnterPath { into, .. } => into,
            Self::EnterHandle { into, .. } | Self::Dup { into, .. } => Some(into),
            Self::Change(change) => change.defines(),
            _ => None,
        }
    }

    /// The handles it needs open and leaves open.
    pub(crate) fn uses(&self) -> [Option<Handle>; 2] {
        let used = match *self {
            Self::Change(change) => return change.uses(),
            Self::Open { start, .. }
            | Self::EnterPath { start, .. }
            | Self::Stat { start, .. }
            | Self::Access { start, .. }
            | Self::ReadLink { start, .. } => start,
            Self::EnterHandle { handle, .. }
            | Self::Read { handle, .. }
            | Self::Pread { handle, .. }
            | Self::Seek { handle, .. }
            | Self::Fstat { handle }
            | Self::ListDir { handle, .. }
            | Self::Dup { handle, .. } => Some(handle),
            Self::Close { .. } | Self::Order(_) => None,
        };
        [used, None]
    }

    /// The handle it is about: the one it closes, or the first it uses.
    pub(crate) fn subject(&self) -> Option<Handle> {
        self.closes().or(self.uses()[0])
    }

    /// The handle it closes.
    pub(crate) fn closes(&self) -> Option<Handle> {
        match *self {
            Self::Close { handle } => Some(handle),
            _ => None,
        }
    }

    /// The handles whose offset it uses and moves.
    pub(crate) fn moves_offsets_of(&self) -> [Option<Handle>; 2] {
        match *self {
            Self::Read { handle, .. } | Self::Seek { handle, .. } | Self::ListDir { handle, .. } => {
                [Some(handle), None]
            }
            Self::Change(change) => change.moves_offsets_of(),
            _ => [None, None],
        }
    }

    /// The path it looks up and where from.
    pub(crate) fn lookup(&self) -> Option<(Start, PathId)> {
        match *self {
            Self::Open { start, path, .. }
            | Self::EnterPath { start, path, .. }
            | Self::Stat { start, path, .. }
            | Self::Access { start, path, .. }
            | Self::ReadLink { start, path, .. } => Some((start, path)),
            _ => None,
        }
    }

    /// The most bytes it may transfer.
    pub(crate) fn room(&self) -> u32 {
        match *self {
            Self::Read { count, .. } | Self::Pread { count, .. } | Self::ListDir { count, .. } => count,
            Self::ReadLink { size, .. }
            | Self::Change(Change::Attribute {
                call: AttributeCall::Get | AttributeCall::List, size, ..
            }) => size,
            _ => 0,
        }
    }

    /// The most bytes it may write from a buffer.
    pub(crate) fn written(&self) -> u32 {
        match *self {
            Self::Change(Change::Write { count, .. } | Change::Pwrite { count, .. }) => count,
            Self::Change(Change::Attribute { call: AttributeCall::Set, size, .. }) => size,
            _ => 0,
        }
    }
}
