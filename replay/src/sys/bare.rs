//! The same calls in a bare loop: numbers and arguments, nothing decided, nothing kept but descriptors. What a replay's
//! own bookkeeping is measured against.

use std::mem::MaybeUninit;

use super::calls::{Scratch, read_only};
use crate::bind::{Action, Start};
use crate::plan::StatCall;
use crate::run::Run;

/// No descriptor.
const NONE: u32 = u32::MAX;

/// A system call with all arguments but the descriptor.
struct Bare {
    number: libc::c_long,
    /// Whose descriptor is the first argument; else it is as it stands.
    handle: u32,
    /// Which handle's descriptor the result is.
    into: u32,
    arguments: [usize; 5],
}

/// A program as such calls. The paths are the program's, which `run` keeps.
pub(crate) struct BareLoop {
    calls: Vec<Bare>,
    descriptors: Vec<i32>,
    _buffers: Buffers,
}

struct Buffers {
    _scratch: Scratch,
    _stat: Box<MaybeUninit<libc::stat>>,
    _statx: Box<MaybeUninit<libc::statx>>,
}

impl BareLoop {
    pub(crate) fn new(run: &Run) -> Self {
        let program = &run.program;
        let mut scratch = Scratch::new(program.room());
        let mut stat = Box::new(MaybeUninit::<libc::stat>::uninit());
        let mut statx = Box::new(MaybeUninit::<libc::statx>::uninit());
        let places = [scratch.as_mut_ptr() as usize, stat.as_mut_ptr() as usize, statx.as_mut_ptr() as usize];
        let steps = program.steps.iter().filter(|step| step.action.is_executed());
        let calls = steps.map(|step| bare(&step.action, run, places)).collect();
        let buffers = Buffers { _scratch: scratch, _stat: stat, _statx: statx };
        Self { calls, descriptors: vec![-1; program.handles], _buffers: buffers }
    }

    /// Takes over what is open before the first step.
    pub(crate) fn prepare(&mut self, run: &Run) {
        for &(handle, _) in &run.program.initial {
            self.descriptors[handle.index()] = run.descriptors.take(handle);
        }
    }

    /// Makes all calls.
    pub(crate) fn run(&mut self) {
        for call in &self.calls {
            let [first, second, third, fourth, fifth] = call.arguments;
            let first =
                if call.handle == NONE { first } else { self.descriptors[call.handle as usize] as usize };
            // SAFETY: pointers among the arguments are to paths of the program and to buffers of this loop, which
            // are large enough for every call.
            let result = unsafe { libc::syscall(call.number, first, second, third, fourth, fifth) };
            if call.into != NONE {
                self.descriptors[call.into as usize] = result as i32;
            }
        }
    }

    /// Closes what the program leaves open.
    pub(crate) fn end(&mut self) {
        let mut closed = vec![false; self.descriptors.len()];
        for call in self.calls.iter().filter(|call| call.number == libc::SYS_close) {
            closed[call.handle as usize] = true;
        }
        for (fd, closed) in self.descriptors.iter_mut().zip(closed) {
            if !closed && *fd >= 0 {
                super::calls::close(*fd);
            }
            *fd = -1;
        }
    }
}

fn bare(action: &Action, run: &Run, [buffer, stat, statx]: [usize; 3]) -> Bare {
    let path = |path| run.program.plan.paths.c_str(path).as_ptr() as usize;
    let into = action.defines().map_or(NONE, |handle| handle.0);
    let of = |number, handle: u32, arguments: [usize; 4]| {
        let [second, third, fourth, fifth] = arguments;
        Bare { number, handle, into, arguments: [libc::AT_FDCWD as usize, second, third, fourth, fifth] }
    };
    let elsewhere = |start: &Start| !run.descriptors.is_here(*start);
    let at = |start: Start| start.filter(|_| elsewhere(&start)).map_or(NONE, |handle| handle.0);
    let open = |start, name, flags: u32| {
        let flags = read_only(flags) | libc::O_CLOEXEC as u32;
        of(libc::SYS_openat, at(start), [path(name), flags as usize, 0, 0])
    };
    match *action {
        Action::Open { start, path, flags, .. } => open(start, path, flags),
        Action::EnterPath { start, path, .. } => open(start, path, (libc::O_PATH | libc::O_DIRECTORY) as u32),
        Action::EnterHandle { handle, .. } | Action::Dup { handle, .. } => {
            of(libc::SYS_fcntl, handle.0, [libc::F_DUPFD_CLOEXEC as usize, 3, 0, 0])
        }
        Action::Close { handle } => of(libc::SYS_close, handle.0, [0; 4]),
        Action::Read { handle, count } => of(libc::SYS_read, handle.0, [buffer, count as usize, 0, 0]),
        Action::Pread { handle, count, offset } => {
            of(libc::SYS_pread64, handle.0, [buffer, count as usize, offset as usize, 0])
        }
        Action::Seek { handle, offset, whence } => {
            of(libc::SYS_lseek, handle.0, [offset as usize, whence as usize, 0, 0])
        }
        Action::Stat { start, path: name, flags, call: StatCall::Stat } => {
            of(libc::SYS_newfstatat, at(start), [path(name), stat, flags as usize, 0])
        }
        Action::Stat { start, path: name, flags, call: StatCall::Statx(mask) } => {
            of(libc::SYS_statx, at(start), [path(name), flags as usize, mask as usize, statx])
        }
        Action::Fstat { handle } => of(libc::SYS_fstat, handle.0, [stat, 0, 0, 0]),
        Action::Access { start, path: name, mode, flags: 0 } => {
            of(libc::SYS_faccessat, at(start), [path(name), mode as usize, 0, 0])
        }
        Action::Access { start, path: name, mode, flags } => {
            of(libc::SYS_faccessat2, at(start), [path(name), mode as usize, flags as usize, 0])
        }
        Action::ReadLink { start, path: name, size } => {
            of(libc::SYS_readlinkat, at(start), [path(name), buffer, size as usize, 0])
        }
        Action::ListDir { handle, count } => {
            of(libc::SYS_getdents64, handle.0, [buffer, count as usize, 0, 0])
        }
        // A bare loop is of reading calls.
        Action::Change(_) | Action::Order(_) => of(libc::SYS_getpid, NONE, [0; 4]),
    }
}
