//! One call of a log as an operation of a replay.

use trace_replay::{
    At, AttributeCall, CopyCall, Offset, Op, PathId, PlanBuilder, PlanError, ProcessId, RangeLock, Scope,
    Seen, SharedPart, StatCall,
};

use super::is_incomplete;
use super::kind::{self, Kind};
use crate::event::{Abi, Event, Flags};
use crate::syscall::passed::{CloneRange, CopyOffsets, FICLONERANGE, FileLock, is_lock_command};

/// Commands of `fcntl(2)`.
const F_DUPFD: u64 = 0;
const F_GETFD: u64 = 1;
const F_SETFD: u64 = 2;
const F_GETFL: u64 = 3;
const F_GETLK: u64 = 5;
const F_OFD_GETLK: u64 = 36;
const F_DUPFD_CLOEXEC: u64 = 1030;
/// Requests of `ioctl(2)`: close-on-exec, and questions.
const FIONCLEX: u32 = 0x5450;
const FIOCLEX: u32 = 0x5451;
const TCGETS: u32 = 0x5401;
const TIOCGWINSZ: u32 = 0x5413;
const FIONREAD: u32 = 0x541b;
/// Shares a file's blocks (`linux/fs.h`).
const FICLONE: u32 = 0x4004_9409;
/// `mmap(2)`.
const MAP_ANONYMOUS: u64 = 0x20;
const MAP_SHARED: u64 = 1;
const PROT_WRITE: u64 = 2;

/// The operation of a call. `process` knows the processes of the plan by their ids.
pub fn of(
    event: &Event<'_>,
    builder: &mut PlanBuilder,
    process: impl Fn(u32) -> Option<ProcessId>,
) -> Result<Op, PlanError> {
    let kind = kind::of(event.abi, event.nr);
    if is_incomplete(event) && !matches!(kind, Kind::Inert | Kind::Waits | Kind::Futex | Kind::Write) {
        return Ok(Op::Unknown(Scope::Process));
    }
    let mut call = Call { event, builder };
    Ok(match kind {
        Kind::Exec if event.ret == Some(0) => Op::Exec,
        // A failed exec changes nothing.
        Kind::Inert | Kind::Exec => Op::Inert,
        Kind::Waits | Kind::Futex => Op::Unknown(Scope::All),
        Kind::Write => call.write(),
        Kind::Wait => match event.ret {
            Some(pid) if pid > 0 => {
                process(pid as u32).map_or(Op::Unknown(Scope::All), |child| Op::Wait { child })
            }
            _ => Op::Inert,
        },
        Kind::Map => call.map(),
        Kind::Unknown => Op::Unknown(Scope::Process),
        Kind::Fcntl => call.fcntl(),
        Kind::Ioctl => call.ioctl(),
        _ => {
            let op = match call.on_files(kind)? {
                None => call.changes(kind)?,
                read => read,
            };
            return Ok(op.unwrap_or(Op::Unknown(Scope::Process)));
        }
    })
}

struct Call<'a, 'e> {
    event: &'a Event<'e>,
    builder: &'a mut PlanBuilder,
}

impl Call<'_, '_> {
    /// `None`: a path it needs is not in the log.
    fn on_files(&mut self, kind: Kind) -> Result<Option<Op>, PlanError> {
        let args = self.event.args;
        let fd = args[0] as i32;
        let at = At::from_raw(fd);
        let (count, bytes) = (args[2], self.event.ret.map_or(0, |ret| u64::try_from(ret).unwrap_or(0)));
        Ok(Some(match kind {
            Kind::Open => return self.open(At::Cwd, args[1] as u32, args[2], 0),
            Kind::OpenAt => return self.open(at, args[2] as u32, args[3], 0),
            Kind::Creat => {
                return self.open(
                    At::Cwd,
                    (libc::O_CREAT | libc::O_WRONLY | libc::O_TRUNC) as u32,
                    args[1],
                    0,
                );
            }
            Kind::OpenAt2 => {
                let Some((flags, mode, resolve)) = open_how(self.event.text) else { return Ok(None) };
                return self.open(at, flags, mode, resolve);
            }
            Kind::Close => Op::Close { fd },
            // With flags it closes nothing, or takes a table of its own first.
            Kind::CloseRange if args[2] == 0 => {
                Op::CloseRange { first: args[0] as u32, last: args[1] as u32 }
            }
            Kind::Read | Kind::ReadVector | Kind::Pread | Kind::PreadVector | Kind::ListDir
                if !self.is_of_file() =>
            {
                Op::Unknown(Scope::All)
            }
            Kind::Read => Op::Read { fd, count },
            Kind::ReadVector => Op::Read { fd, count: bytes },
            Kind::Pread => Op::Pread { fd, count, offset: self.offset() },
            Kind::PreadVector => Op::Pread { fd, count: bytes, offset: self.offset() },
            Kind::Seek => Op::Seek { fd, offset: self.signed(args[1]), whence: args[2] as u32 },
            Kind::ListDir => Op::ListDir { fd, count },
            Kind::Fstat => Op::Fstat { fd },
            Kind::Stat => return self.stat(At::Cwd, 0, StatCall::Stat),
            Kind::Lstat => return self.stat(At::Cwd, libc::AT_SYMLINK_NOFOLLOW as u32, StatCall::Stat),
            Kind::StatAt => return self.stat(at, args[3] as u32, StatCall::Stat),
            Kind::Statx => return self.stat(at, args[2] as u32, StatCall::Statx(args[3] as u32)),
            Kind::Access => return self.access(At::Cwd, args[1], 0),
            Kind::AccessAt => return self.access(at, args[2], 0),
            Kind::AccessAt2 => return self.access(at, args[2], args[3]),
            Kind::ReadLink => return self.read_link(At::Cwd, args[2]),
            Kind::ReadLinkAt => return self.read_link(at, args[3]),
            Kind::Dup => Op::Dup { fd, cloexec: false },
            Kind::DupTo => {
                Op::DupTo { fd, to: args[1] as i32, cloexec: args[2] & libc::O_CLOEXEC as u64 != 0 }
            }
            Kind::Chdir => return Ok(self.path()?.map(|path| Op::Chdir { path })),
            Kind::Fchdir => Op::Fchdir { fd },
            Kind::Getcwd => Op::Getcwd,
            _ => return Ok(None),
        }))
    }

    /// Calls that change files. `None`: a path it needs is not in the log, or what it does cannot be told.
    fn changes(&mut self, kind: Kind) -> Result<Option<Op>, PlanError> {
        let args = self.event.args;
        let fd = args[0] as i32;
        let (at, at2) = (At::from_raw(fd), At::from_raw(args[2] as i32));
        let bytes = self.event.ret.map_or(0, |ret| u64::try_from(ret).unwrap_or(0));
        let nofollow = libc::AT_SYMLINK_NOFOLLOW as u32;
        Ok(Some(match kind {
            Kind::Pwrite => Op::Pwrite { fd, count: args[2], offset: self.offset() },
            Kind::PwriteVector => Op::Pwrite { fd, count: bytes, offset: self.offset() },
            Kind::Ftruncate => Op::Ftruncate { fd, length: self.signed(args[1]) },
            Kind::Allocate if self.event.abi != Abi::I386 => {
                Op::Allocate { fd, mode: args[1] as u32, offset: args[2] as i64, length: args[3] as i64 }
            }
            Kind::Rename => return self.rename(At::Cwd, At::Cwd, 0),
            // `renameat` takes no flags: its fifth argument is 0.
            Kind::RenameAt => return self.rename(at, at2, args[4]),
            Kind::Link => return self.hard_link(At::Cwd, At::Cwd, 0),
            Kind::LinkAt => return self.hard_link(at, at2, args[4]),
            Kind::Symlink => return self.symlink(At::Cwd),
            Kind::SymlinkAt => return self.symlink(At::from_raw(args[1] as i32)),
            Kind::Fchmod => Op::Fchmod { fd, mode: args[1] as u16 },
            // Ids of 16 bits.
            Kind::Chown | Kind::Lchown | Kind::Fchown if self.event.abi == Abi::I386 => return Ok(None),
            Kind::Fchown => Op::Fchown { fd, owner: args[1] as u32, group: args[2] as u32 },
            Kind::TimesAt if self.event.path.is_none() && args[1] == 0 => Op::FsetTimes { fd },
            Kind::Sync => Op::Sync { fd, data_only: false },
            Kind::SyncData => Op::Sync { fd, data_only: true },
            Kind::Lock => Op::Lock { fd, operation: args[1] as u32 },
            Kind::CopyRange => return Ok(self.copy_range()),
            // An offset that is not in the log mostly is where the last one ended, as the file's own is.
            Kind::SendFile if self.is_of_file() => {
                let from_offset = self.offsets().from.and_then(Offset::at).unwrap_or(Offset::OWN);
                let (from, to, to_offset) = (args[1] as i32, fd, Offset::OWN);
                Op::Copy { from, from_offset, to, to_offset, count: args[3], call: CopyCall::Send }
            }
            Kind::Attribute => return self.attribute(),
            Kind::FileSystemOf => Op::FileSystem { at, path: self.builder.path(b"")? },
            Kind::Umask => Op::Umask { mask: args[0] as u16 & 0o777 },
            _ => {
                let Some(path) = self.path()? else { return Ok(None) };
                match kind {
                    Kind::FileSystem if self.event.path != Some(b"") => Op::FileSystem { at: At::Cwd, path },
                    Kind::Truncate => Op::Truncate { path, length: self.signed(args[1]) },
                    Kind::MakeDir => Op::MakeDir { at: At::Cwd, path, mode: args[1] as u16 },
                    Kind::MakeDirAt => Op::MakeDir { at, path, mode: args[2] as u16 },
                    Kind::Unlink => Op::Unlink { at: At::Cwd, path, flags: 0 },
                    Kind::RemoveDir => Op::Unlink { at: At::Cwd, path, flags: libc::AT_REMOVEDIR as u32 },
                    Kind::UnlinkAt => Op::Unlink { at, path, flags: args[2] as u32 },
                    Kind::Chmod => Op::Chmod { at: At::Cwd, path, mode: args[1] as u16 },
                    // Only `fchmodat2` has flags.
                    Kind::ChmodAt if args[3] == 0 => Op::Chmod { at, path, mode: args[2] as u16 },
                    Kind::Chown => self.chown(At::Cwd, path, 0),
                    Kind::Lchown => self.chown(At::Cwd, path, nofollow),
                    Kind::ChownAt => Op::Chown {
                        at,
                        path,
                        owner: args[2] as u32,
                        group: args[3] as u32,
                        flags: args[4] as u32,
                    },
                    Kind::Times => Op::SetTimes { at: At::Cwd, path, flags: 0 },
                    Kind::TimesAt => Op::SetTimes { at, path, flags: args[3] as u32 },
                    _ => return Ok(None),
                }
            }
        }))
    }

    /// What it is passed by address is not in every log.
    fn copy_range(&self) -> Option<Op> {
        let args = self.event.args;
        let offsets = self.offsets();
        let offset = |address, passed: Option<i64>| match (address, passed) {
            (0, _) => Some(Offset::OWN),
            (_, passed) => Offset::at(passed?),
        };
        let (from_offset, to_offset) = (offset(args[1], offsets.from)?, offset(args[3], offsets.to)?);
        let (from, to, count) = (args[0] as i32, args[2] as i32, args[4]);
        Some(Op::Copy { from, from_offset, to, to_offset, count, call: CopyCall::Range })
    }

    fn offsets(&self) -> CopyOffsets {
        self.event.text.map(CopyOffsets::parse).unwrap_or_default()
    }

    fn write(&self) -> Op {
        let (fd, scope) = (self.event.args[0] as i32, self.reach());
        let name = crate::syscall::lookup(self.event.abi, self.event.nr).map_or("", |spec| spec.name);
        let bytes = self.event.ret.map_or(0, |ret| u64::try_from(ret).unwrap_or(0));
        match name {
            "write" => Op::Write { fd, count: self.event.args[2], scope },
            "writev" => Op::Write { fd, count: bytes, scope },
            _ => Op::Unknown(scope),
        }
    }

    fn path2(&mut self) -> Result<Option<PathId>, PlanError> {
        let whole = |path: &&[u8]| !self.event.flags.has(Flags::TRUNCATED) || path.len() < 4095;
        self.event.path2.filter(whole).map(|path| self.builder.path(path)).transpose()
    }

    fn rename(&mut self, from_at: At, to_at: At, flags: u64) -> Result<Option<Op>, PlanError> {
        let (Some(from), Some(to)) = (self.path()?, self.path2()?) else { return Ok(None) };
        Ok(Some(Op::Rename { from_at, from, to_at, to, flags: flags as u32 }))
    }

    fn hard_link(&mut self, from_at: At, to_at: At, flags: u64) -> Result<Option<Op>, PlanError> {
        let (Some(from), Some(to)) = (self.path()?, self.path2()?) else { return Ok(None) };
        Ok(Some(Op::Link { from_at, from, to_at, to, flags: flags as u32 }))
    }

    fn symlink(&mut self, at: At) -> Result<Option<Op>, PlanError> {
        let target = self.event.text.map(|target| self.builder.path(target)).transpose()?;
        Ok(target.zip(self.path()?).map(|(target, path)| Op::Symlink { target, at, path }))
    }

    /// `getxattr`, `lgetxattr`, `fgetxattr` and so on.
    fn attribute(&mut self) -> Result<Option<Op>, PlanError> {
        let Event { abi, nr, args, text, flags, .. } = *self.event;
        let name = crate::syscall::lookup(abi, nr).map_or("", |spec| spec.name);
        let of = |verb: &str| name.strip_suffix("xattr").and_then(|name| name.strip_suffix(verb));
        let calls = [
            ("get", AttributeCall::Get, args[3]),
            ("list", AttributeCall::List, args[2]),
            ("set", AttributeCall::Set, args[3]),
            ("remove", AttributeCall::Remove, 0),
        ];
        let found = calls.into_iter().find_map(|(verb, call, size)| Some((of(verb)?, call, size)));
        let Some((prefix, call, size)) = found else { return Ok(None) };
        let name = match text {
            _ if call == AttributeCall::List => &b""[..],
            Some(name) if !flags.has(Flags::TRUNCATED) => name,
            _ => return Ok(None),
        };
        let name = self.builder.path(name)?;
        let (at, path) = match (prefix, self.event.path) {
            ("f", _) => (At::Fd(args[0] as i32), self.builder.path(b"")?),
            (_, None | Some(b"")) => return Ok(None),
            _ => match self.path()? {
                Some(path) => (At::Cwd, path),
                None => return Ok(None),
            },
        };
        let size = u32::try_from(size).unwrap_or(u32::MAX);
        let flags = if call == AttributeCall::Set { args[4] as u8 } else { 0 };
        Ok(Some(Op::Attribute { at, path, nofollow: prefix == "l", call, name, size, flags }))
    }

    fn chown(&self, at: At, path: PathId, flags: u32) -> Op {
        Op::Chown { at, path, owner: self.event.args[1] as u32, group: self.event.args[2] as u32, flags }
    }

    fn path(&mut self) -> Result<Option<PathId>, PlanError> {
        // A text may hold a link's target that was cut, the path beside it being whole; of a cut path nothing
        // shorter than the kernel's limit is kept.
        let whole = |path: &&[u8]| !self.event.flags.has(Flags::TRUNCATED) || path.len() < 4095;
        self.event.path.filter(whole).map(|path| self.builder.path(path)).transpose()
    }

    fn open(&mut self, at: At, flags: u32, mode: u64, resolve: u64) -> Result<Option<Op>, PlanError> {
        let Some(path) = self.path()? else { return Ok(None) };
        Ok(Some(Op::Open { at, path, flags, mode: mode as u16, resolve: resolve as u16 }))
    }

    fn stat(&mut self, at: At, flags: u32, call: StatCall) -> Result<Option<Op>, PlanError> {
        // With AT_EMPTY_PATH the kernel takes no pointer for an empty path (6.11).
        let path = match self.path()? {
            None if self.event.args[1] == 0 && flags & libc::AT_EMPTY_PATH as u32 != 0 => {
                self.builder.path(b"")?
            }
            None => return Ok(None),
            Some(path) => path,
        };
        Ok(Some(Op::Stat { at, path, flags, call }))
    }

    fn access(&mut self, at: At, mode: u64, flags: u64) -> Result<Option<Op>, PlanError> {
        Ok(self.path()?.map(|path| Op::Access { at, path, mode: mode as u32, flags: flags as u32 }))
    }

    fn read_link(&mut self, at: At, size: u64) -> Result<Option<Op>, PlanError> {
        Ok(self.path()?.map(|path| Op::ReadLink { at, path, size }))
    }

    fn map(&self) -> Op {
        let args = self.event.args;
        let (prot, flags, fd) = (args[2], args[3], args[4] as i32);
        if flags & MAP_ANONYMOUS != 0 || fd.is_negative() {
            Op::Inert
        } else if flags & MAP_SHARED != 0 && prot & PROT_WRITE != 0 {
            Op::Unknown(Scope::Process)
        } else {
            Op::Map { fd }
        }
    }

    fn fcntl(&self) -> Op {
        let fd = self.event.args[0] as i32;
        match self.event.args[1] {
            command @ (F_DUPFD | F_DUPFD_CLOEXEC) => Op::Dup { fd, cloexec: command == F_DUPFD_CLOEXEC },
            F_SETFD => Op::SetCloexec { fd, on: self.event.args[2] & libc::FD_CLOEXEC as u64 != 0 },
            F_GETFD | F_GETFL => Op::Inert,
            command => match self.event.text.and_then(FileLock::parse) {
                Some(FileLock { kind, whence, start, length }) if is_lock_command(command) => {
                    let asks = matches!(command, F_GETLK | F_OFD_GETLK);
                    let of_description = command >= F_OFD_GETLK;
                    let lock = RangeLock { asks, of_description, kind, whence, start, length };
                    Op::LockRange { fd, lock }
                }
                _ => Op::Unknown(Scope::Process),
            },
        }
    }

    fn ioctl(&self) -> Op {
        let fd = self.event.args[0] as i32;
        match self.event.args[1] as u32 {
            FICLONE => Op::Clone { from: self.event.args[2] as i32, to: fd },
            FICLONERANGE => self.clone_range().unwrap_or(Op::Unknown(Scope::Process)),
            FIOCLEX => Op::SetCloexec { fd, on: true },
            FIONCLEX => Op::SetCloexec { fd, on: false },
            // Questions about terminals, which most files refuse.
            TCGETS | TIOCGWINSZ | FIONREAD => Op::Inert,
            _ => Op::Unknown(Scope::Process),
        }
    }

    fn clone_range(&self) -> Option<Op> {
        let CloneRange { fd, from, length, to } = CloneRange::parse(self.event.text?)?;
        let bytes = |bytes: i64| u64::try_from(bytes).ok();
        let part = SharedPart { from: bytes(from)?, length: bytes(length)?, to: bytes(to)? };
        Some(Op::CloneRange { from: i32::try_from(fd).ok()?, to: self.event.args[0] as i32, part })
    }

    /// Whether the descriptor is of a file in a directory, as far as the log says: a read from anything else waits.
    fn is_of_file(&self) -> bool {
        self.event.file.is_none_or(|file| file.starts_with(b"/"))
    }

    /// How far a write reaches: who reads from a pipe may wait for it.
    fn reach(&self) -> Scope {
        if self.event.file.is_some_and(|file| file.starts_with(b"/")) { Scope::Process } else { Scope::All }
    }

    /// The offset of pread, in two halves for 32-bit programs.
    fn offset(&self) -> i64 {
        let args = self.event.args;
        match self.event.abi {
            Abi::I386 => (args[3] & 0xffff_ffff | args[4] << 32) as i64,
            Abi::X86_64 | Abi::X32 => args[3] as i64,
        }
    }

    /// A `long` of the ABI.
    fn signed(&self, value: u64) -> i64 {
        if self.event.abi == Abi::I386 { i64::from(value as i32) } else { value as i64 }
    }
}

/// `flags=0x80000 mode=0o0 resolve=0x8`, as a capture keeps the structure of `openat2`.
fn open_how(text: Option<&[u8]>) -> Option<(u32, u64, u64)> {
    let mut words = std::str::from_utf8(text?).ok()?.split(' ');
    let mut word = |prefix: &str, radix| u64::from_str_radix(words.next()?.strip_prefix(prefix)?, radix).ok();
    let (flags, mode, resolve) = (word("flags=0x", 16)?, word("mode=0o", 8)?, word("resolve=0x", 16)?);
    Some((u32::try_from(flags).ok()?, mode, u16::try_from(resolve).ok()?.into()))
}

/// What a call shows of where an absolute path leads.
pub fn seen<'a>(event: &Event<'a>) -> Option<(&'a [u8], Seen<'a>)> {
    let path = event.path_abs.filter(|_| !event.flags.has(Flags::TRUNCATED))?;
    let ret = event.ret?;
    let seen = match kind::of(event.abi, event.nr) {
        Kind::ReadLink | Kind::ReadLinkAt if ret == -i64::from(libc::EINVAL) => Seen::NoLink,
        _ if ret < 0 => return None,
        Kind::ReadLink | Kind::ReadLinkAt => Seen::Holds(event.text.filter(|text| text.len() as i64 == ret)?),
        Kind::Open => Seen::Opened(event.file?),
        Kind::OpenAt | Kind::OpenAt2 if At::from_raw(event.args[0] as i32) == At::Cwd => {
            Seen::Opened(event.file?)
        }
        // The directory it starts from is the first.
        Kind::OpenAt | Kind::OpenAt2 => Seen::Opened(event.file2?),
        _ => return None,
    };
    let is_gone =
        matches!(seen, Seen::Opened(real) if !real.starts_with(b"/") || real.ends_with(b" (deleted)"));
    (!is_gone).then_some((path, seen))
}
