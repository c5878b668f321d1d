//! A ring that executes actions: each operation in flight has a place of its own for what the kernel writes.
//!
//! Soundness: what an operation points to (its path, its place) lives as long as the operation. The paths are
//! the program's, which the ring holds from `begin` to `end`; the places are the ring's, and never
//! move; and a ring that is dropped first waits for what is in flight.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::RawFd;
use std::sync::Arc;

use io_uring::{IoUring, Probe, opcode, squeue, types};

use super::calls::{Observed, Room, close, digest_of_statx, pattern, pattern_offset, read_only};
use super::changes::open_flags;
use super::tuned;
use super::tuning::Tuning;
use crate::bind::{Action, Change};
use crate::plan::StatCall;
use crate::run::Run;

/// Buffers of all places together: larger transfers are plain calls.
const MOST_ROOM: usize = 1 << 30;
/// Bits of `user_data` for the step; the others are the place.
const STEP_BITS: u32 = 32;

/// What became of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// It is in the submission queue.
    Taken {
        /// As another operation with the same answer.
        stand_in: bool,
    },
    /// A ring has no such operation.
    NotForRings,
    /// As many as the depth are in flight.
    Full,
}

/// Where the kernel puts what an operation returns.
struct Place {
    buffer: Vec<u8>,
    statx: MaybeUninit<libc::statx>,
    how: types::OpenHow,
    /// The operation's file is a slot of the ring.
    direct: bool,
}

/// A ring of a fixed depth.
pub(crate) struct Ring {
    uring: IoUring,
    places: Box<[Place]>,
    free: Vec<u32>,
    in_flight: usize,
    unsubmitted: usize,
    /// Entries of the chain that is put together.
    entries: Vec<squeue::Entry>,
    /// What writes write; never changed.
    pattern: Vec<u8>,
    /// Of every operation.
    flags: squeue::Flags,
    run: Option<Arc<Run>>,
}

impl std::fmt::Debug for Ring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ring")
            .field("depth", &self.places.len())
            .field("in_flight", &self.in_flight)
            .finish_non_exhaustive()
    }
}

/// Whether rings can be used here, and if not, why not.
pub(crate) fn probe() -> Result<(), String> {
    let ring = IoUring::new(2).map_err(|error| match error.raw_os_error() {
        Some(libc::EPERM) => {
            "not permitted (sysctl kernel.io_uring_disabled, or a seccomp filter)".to_owned()
        }
        Some(libc::ENOSYS) => "not there (an old kernel, or a container's seccomp filter)".to_owned(),
        Some(libc::ENOMEM) => "no memory may be locked (ulimit -l)".to_owned(),
        _ => error.to_string(),
    })?;
    let mut probe = Probe::new();
    ring.submitter().register_probe(&mut probe).map_err(|error| format!("cannot be asked: {error}"))?;
    let needed = [
        ("openat", opcode::OpenAt::CODE),
        ("openat2", opcode::OpenAt2::CODE),
        ("statx", opcode::Statx::CODE),
        ("read", opcode::Read::CODE),
        ("close", opcode::Close::CODE),
    ];
    match needed.iter().find(|(_, code)| !probe.is_supported(*code)) {
        Some((name, _)) => Err(format!("has no {name} operation (kernel older than 5.6)")),
        None => Ok(()),
    }
}

impl Ring {
    /// A ring for `depth` operations at a time that transfer up to `room` bytes each.
    pub(crate) fn new(depth: u32, room: Room) -> io::Result<Self> {
        Self::tuned(depth, room, None)
    }

    /// The same, set up otherwise.
    pub(crate) fn tuned(depth: u32, room: Room, tuning: Option<Tuning>) -> io::Result<Self> {
        let depth = depth.max(1);
        let buffer = room.read.min(MOST_ROOM / depth as usize);
        let place = |_| Place {
            buffer: vec![0; buffer],
            statx: MaybeUninit::uninit(),
            how: types::OpenHow::new(),
            direct: false,
        };
        Ok(Self {
            uring: tuned::ring(depth, tuning)?,
            flags: tuned::flags(tuning),
            places: (0..depth).map(place).collect(),
            free: (0..depth).rev().collect(),
            in_flight: 0,
            unsubmitted: 0,
            entries: Vec::with_capacity(depth as usize),
            pattern: pattern(room.written),
            run: None,
        })
    }

    /// The steps to come are those of this run.
    pub(crate) fn begin(&mut self, run: &Arc<Run>) {
        debug_assert_eq!(self.in_flight, 0, "a run ends before the next begins");
        self.run = Some(Arc::clone(run));
    }

    /// The run is over.
    pub(crate) fn end(&mut self) {
        debug_assert_eq!(self.in_flight, 0, "nothing is in flight at the end");
        if self.in_flight == 0 {
            self.run = None;
        }
    }

    /// Operations pushed and not completed.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Makes a direct descriptor's slot for each place.
    pub(crate) fn make_slots(&mut self) -> io::Result<()> {
        self.uring.submitter().register_files_sparse(self.places.len() as u32)
    }

    /// Queues a step of the run.
    pub(crate) fn push(&mut self, step: u32) -> Pushed {
        self.push_chain(&[step], false)
    }

    /// Queues steps of the run, each to begin when the one before has ended, however it did; `direct`: the first opens
    /// a file, the last closes it, and it has no descriptor but a slot of the ring.
    pub(crate) fn push_chain(&mut self, steps: &[u32], direct: bool) -> Pushed {
        let Some(run) = &self.run else { return Pushed::NotForRings };
        let Some(first_free) = self.free.len().checked_sub(steps.len()) else { return Pushed::Full };
        // A slot is free when the place of the same number is: that of the close, which completes last.
        let slot = direct.then(|| self.free.last().copied()).flatten();
        self.entries.clear();
        let mut stand_in = false;
        for (position, &step) in steps.iter().enumerate() {
            let place = self.free[first_free + position];
            let action = run.program.action(step);
            stand_in |= matches!(action, Action::Access { .. });
            let entry = match action {
                Action::Change(change) => {
                    change_entry(change, run, &mut self.places[place as usize], slot, &self.pattern)
                }
                action => entry(action, run, &mut self.places[place as usize], slot),
            };
            let Some(entry) = entry else { return Pushed::NotForRings };
            let is_last = position + 1 == steps.len();
            let link = if is_last { squeue::Flags::empty() } else { squeue::Flags::IO_HARDLINK };
            let user_data = u64::from(place) << STEP_BITS | u64::from(step);
            self.entries.push(entry.flags(self.flags | link).user_data(user_data));
        }
        let is_polled = self.uring.params().is_setup_sqpoll();
        // SAFETY: the entries point to paths of the program, which `self.run` keeps, and to their places, which are
        // taken until the operations complete.
        while unsafe { self.uring.submission().push_multiple(&self.entries) }.is_err() {
            // A thread of the kernel's may tell that an operation is done before it gives its entry back.
            if !is_polled || self.uring.submitter().squeue_wait().is_err() {
                return Pushed::Full;
            }
        }
        self.free.truncate(first_free);
        self.in_flight += steps.len();
        self.unsubmitted += steps.len();
        for &step in steps {
            if let Action::Close { handle } = *run.program.action(step) {
                run.descriptors.take(handle);
            }
        }
        Pushed::Taken { stand_in }
    }

    /// Enters the kernel once: hands over what is queued, and waits for so many completions.
    pub(crate) fn submit_and_wait(&mut self, wait: usize) -> io::Result<()> {
        match self.uring.submit_and_wait(wait) {
            Ok(_) => {}
            // Interrupted, or the completions have to be read first: the caller does, and comes again.
            Err(error) if matches!(error.raw_os_error(), Some(libc::EINTR | libc::EBUSY | libc::EAGAIN)) => {}
            Err(error) => return Err(error),
        }
        self.unsubmitted = self.uring.submission().len();
        Ok(())
    }

    /// Hands over what is queued; waits for a completion if there is nothing else to do (`idle`). How often it has
    /// entered the kernel.
    pub(crate) fn hand_over(&mut self, idle: bool) -> io::Result<u64> {
        if !idle && self.unsubmitted == 0 {
            return Ok(0);
        }
        self.submit_and_wait(usize::from(idle))?;
        Ok(1)
    }

    /// Tells each completed step with what came of it.
    pub(crate) fn completed(&mut self, mut tell: impl FnMut(u32, Observed)) {
        let Some(run) = &self.run else { return };
        for completion in self.uring.completion() {
            let place = (completion.user_data() >> STEP_BITS) as u32;
            let step = completion.user_data() as u32;
            self.free.push(place);
            self.in_flight -= 1;
            let action = run.program.action(step);
            tell(step, observe(action, i64::from(completion.result()), run, &self.places[place as usize]));
        }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        while self.in_flight > 0 {
            if self.submit_and_wait(1).is_err() {
                // The kernel may still write there: better lost than freed.
                std::mem::forget(std::mem::take(&mut self.places));
                std::mem::forget(self.run.take());
                return;
            }
            self.completed(|_, _| ());
        }
    }
}

/// The operation of an action, if rings have one: lists, links, seeks and dups they have not. With a slot, its file
/// is that.
fn entry(action: &Action, run: &Run, place: &mut Place, slot: Option<u32>) -> Option<squeue::Entry> {
    let paths = &run.program.plan.paths;
    let descriptors = &run.descriptors;
    let at = |start| types::Fd(descriptors.start(start));
    place.direct = slot.is_some();
    Some(match *action {
        Action::Open { start, path, flags, resolve: 0, .. } => {
            let open = opcode::OpenAt::new(at(start), paths.c_str(path).as_ptr());
            let flags = read_only(flags) as i32;
            match slot {
                Some(slot) => {
                    let slot = types::DestinationSlot::try_from_slot_target(slot).ok()?;
                    open.flags(flags & !libc::O_CLOEXEC).file_index(Some(slot)).build()
                }
                None => open.flags(flags | libc::O_CLOEXEC).build(),
            }
        }
        Action::Open { start, path, flags, resolve, .. } => {
            place.how = types::OpenHow::new()
                .flags(u64::from(read_only(flags) | libc::O_CLOEXEC as u32))
                .resolve(u64::from(resolve));
            opcode::OpenAt2::new(at(start), paths.c_str(path).as_ptr(), &raw const place.how).build()
        }
        Action::EnterPath { start, path, .. } => {
            let open = opcode::OpenAt::new(at(start), paths.c_str(path).as_ptr());
            open.flags(libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC).build()
        }
        Action::Close { handle } => match slot {
            Some(slot) => opcode::Close::new(types::Fixed(slot)).build(),
            None => opcode::Close::new(types::Fd(descriptors.get(handle))).build(),
        },
        // The offset -1 is the file's own.
        Action::Read { handle, count } => read(place, descriptors.get(handle), slot, count, u64::MAX)?,
        Action::Pread { handle, count, offset } => {
            read(place, descriptors.get(handle), slot, count, u64::try_from(offset).ok()?)?
        }
        Action::Stat { start, path, flags, call } => {
            let mask = match call {
                StatCall::Stat => libc::STATX_BASIC_STATS,
                StatCall::Statx(mask) => mask,
            };
            statx(place, at(start), paths.c_str(path).as_ptr(), flags, mask)
        }
        Action::Fstat { handle } => {
            let flags = libc::AT_EMPTY_PATH as u32;
            statx(place, types::Fd(descriptors.get(handle)), c"".as_ptr(), flags, libc::STATX_BASIC_STATS)
        }
        // Whether a name is there, a statx answers too; whether it may be read, it does not.
        Action::Access { start, path, mode, flags } if mode == libc::F_OK as u32 => {
            let flags = flags & !(libc::AT_EACCESS as u32);
            statx(place, at(start), paths.c_str(path).as_ptr(), flags, 0)
        }
        _ => return None,
    })
}

/// The operation of a change, if rings have one: attributes and copies they have not.
fn change_entry(
    change: &Change,
    run: &Run,
    place: &mut Place,
    slot: Option<u32>,
    pattern: &[u8],
) -> Option<squeue::Entry> {
    let descriptors = &run.descriptors;
    let at = |start| types::Fd(descriptors.start(start));
    let fd = |handle| types::Fd(descriptors.get(handle));
    let name = |path| run.program.plan.paths.c_str(path).as_ptr();
    place.direct = slot.is_some();
    Some(match *change {
        Change::Open { start, path, flags, mode, resolve: 0, .. } => {
            let open = opcode::OpenAt::new(at(start), name(path)).mode(u32::from(mode));
            let flags = open_flags(flags) as i32;
            match slot {
                Some(slot) => {
                    let slot = types::DestinationSlot::try_from_slot_target(slot).ok()?;
                    open.flags(flags & !libc::O_CLOEXEC).file_index(Some(slot)).build()
                }
                None => open.flags(flags).build(),
            }
        }
        // The offset -1 is the file's own.
        Change::Write { handle, count, seed } => {
            write(pattern, descriptors.get(handle), slot, count, seed, u64::MAX)?
        }
        Change::Pwrite { handle, count, seed, offset } => {
            write(pattern, descriptors.get(handle), slot, count, seed, u64::try_from(offset).ok()?)?
        }
        Change::MakeDir { start, path, mode } => {
            opcode::MkDirAt::new(at(start), name(path)).mode(u32::from(mode)).build()
        }
        Change::Unlink { start, path, flags } => {
            opcode::UnlinkAt::new(at(start), name(path)).flags(flags as i32).build()
        }
        Change::Rename { from_start, from, to_start, to, flags } => {
            opcode::RenameAt::new(at(from_start), name(from), at(to_start), name(to)).flags(flags).build()
        }
        Change::Link { from_start, from, to_start, to, flags } => {
            opcode::LinkAt::new(at(from_start), name(from), at(to_start), name(to))
                .flags(flags as i32)
                .build()
        }
        Change::Symlink { target, start, path } => {
            opcode::SymlinkAt::new(at(start), name(target), name(path)).build()
        }
        Change::Sync { handle, data_only } => {
            let flags = if data_only { types::FsyncFlags::DATASYNC } else { types::FsyncFlags::empty() };
            match slot {
                Some(slot) => opcode::Fsync::new(types::Fixed(slot)).flags(flags).build(),
                None => opcode::Fsync::new(fd(handle)).flags(flags).build(),
            }
        }
        Change::Allocate { handle, mode, offset, length } => {
            let (offset, length) = (u64::try_from(offset).ok()?, u64::try_from(length).ok()?);
            opcode::Fallocate::new(fd(handle), length).offset(offset).mode(mode as i32).build()
        }
        _ => return None,
    })
}

fn write(
    pattern: &[u8],
    fd: RawFd,
    slot: Option<u32>,
    count: u32,
    seed: u32,
    offset: u64,
) -> Option<squeue::Entry> {
    let from = pattern.get(pattern_offset(seed)..)?.get(..count as usize)?.as_ptr();
    let write = match slot {
        Some(slot) => opcode::Write::new(types::Fixed(slot), from, count),
        None => opcode::Write::new(types::Fd(fd), from, count),
    };
    Some(write.offset(offset).build())
}

fn read(place: &mut Place, fd: RawFd, slot: Option<u32>, count: u32, offset: u64) -> Option<squeue::Entry> {
    if count as usize > place.buffer.len() {
        return None;
    }
    let buffer = place.buffer.as_mut_ptr();
    let read = match slot {
        Some(slot) => opcode::Read::new(types::Fixed(slot), buffer, count),
        None => opcode::Read::new(types::Fd(fd), buffer, count),
    };
    Some(read.offset(offset).build())
}

fn statx(
    place: &mut Place,
    at: types::Fd,
    path: *const libc::c_char,
    flags: u32,
    mask: u32,
) -> squeue::Entry {
    let buffer = place.statx.as_mut_ptr().cast();
    opcode::Statx::new(at, path, buffer).flags(flags as i32).mask(mask).build()
}

/// What came of an operation, in the terms of the plain call.
fn observe(action: &Action, ret: i64, run: &Run, place: &Place) -> Observed {
    match *action {
        Action::Open { into, .. }
        | Action::EnterPath { into, .. }
        | Action::Change(Change::Open { into, .. })
            if ret >= 0 && !place.direct =>
        {
            match into {
                Some(into) => run.descriptors.set(into, ret as i32),
                // Expected to fail: nobody will close it.
                None => drop(close(ret as i32)),
            }
            Observed { ret, digest: 0 }
        }
        Action::Stat { .. } | Action::Fstat { .. } if ret == 0 => {
            // SAFETY: the operation succeeded, so the kernel has filled the struct.
            Observed { ret, digest: digest_of_statx(unsafe { place.statx.assume_init_ref() }) }
        }
        _ => Observed { ret, digest: 0 },
    }
}
