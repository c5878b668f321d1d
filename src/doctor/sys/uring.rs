//! A ring of `io_uring` (`io_uring_setup(2)`, `io_uring_enter(2)`), and one operation that does nothing.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicU32, Ordering};

use super::{checked, owned};

/// `struct io_uring_params` of `linux/io_uring.h`.
#[repr(C)]
#[derive(Default)]
pub struct Params {
    entries: u32,
    completions: u32,
    settings: [u32; 8],
    submission: Offsets,
    completion: Offsets,
}

/// `struct io_sqring_offsets` and `struct io_cqring_offsets`, which begin alike: where things lie in a ring.
#[repr(C)]
#[derive(Default)]
struct Offsets {
    head: u32,
    tail: u32,
    mask: u32,
    entries: u32,
    /// `flags`, `overflow`.
    _others: u32,
    /// `cqes` of the completion ring.
    completions: u32,
    /// `array` of the submission ring.
    array: u32,
    _reserved: [u32; 3],
}

/// Places of the rings in the descriptor.
const SUBMISSIONS: i64 = 0;
const COMPLETIONS: i64 = 0x800_0000;
const ENTRIES: i64 = 0x1000_0000;

/// `IORING_ENTER_GETEVENTS`.
const GET_EVENTS: u32 = 1;
/// Of a submission entry, whose operation 0 is `IORING_OP_NOP`.
const ENTRY_SIZE: usize = 64;
const USER_DATA: usize = 32;
/// Of a completion: `user_data`, `res`, `flags`.
const COMPLETION_SIZE: usize = 16;
/// What the operation is known by.
const MARK: u64 = 0x7472_6163_6521;

/// Makes a ring.
pub fn set_up() -> io::Result<(OwnedFd, Params)> {
    let mut params = Params::default();
    // SAFETY: `params` is live and as large as the kernel's struct.
    let ring = owned(unsafe { libc::syscall(libc::SYS_io_uring_setup, 2_u32, &raw mut params) })?;
    Ok((ring, params))
}

/// Submits an operation that does nothing, and waits for its completion.
pub fn complete_nop(ring: &OwnedFd, params: &Params) -> io::Result<i64> {
    let submission = &params.submission;
    let size = submission.array as usize + 4 * params.entries as usize;
    let rings = map(ring, size, SUBMISSIONS)?;
    let entries = map(ring, ENTRY_SIZE * params.entries as usize, ENTRIES)?;
    let completion = &params.completion;
    let size = completion.completions as usize + COMPLETION_SIZE * params.completions as usize;
    let completions = map(ring, size, COMPLETIONS)?;
    // SAFETY: the places are those that the kernel named, inside mappings of the sizes it documents, aligned as
    // their types; entry and array are ours until the tail is moved, the completion is ours after the wait.
    unsafe {
        entries.byte_add(USER_DATA).cast::<u64>().write(MARK);
        rings.byte_add(submission.array as usize).cast::<u32>().write(0);
        let tail = AtomicU32::from_ptr(rings.byte_add(submission.tail as usize).cast());
        tail.fetch_add(1, Ordering::Release);
        checked(libc::syscall(
            libc::SYS_io_uring_enter,
            ring.as_raw_fd(),
            1_u32,
            1_u32,
            GET_EVENTS,
            std::ptr::null::<u8>(),
            0_usize,
        ))?;
        let done = AtomicU32::from_ptr(completions.byte_add(completion.tail as usize).cast())
            .load(Ordering::Acquire);
        let first = completions.byte_add(completion.completions as usize);
        let (mark, result) = (first.cast::<u64>().read(), first.byte_add(8).cast::<i32>().read());
        if done == 1 && mark == MARK && result >= 0 { Ok(1) } else { Err(io::ErrorKind::InvalidData.into()) }
    }
}

/// Maps a part of the ring. It stays mapped until the child ends.
fn map(ring: &OwnedFd, size: usize, at: i64) -> io::Result<*mut libc::c_void> {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let kind = libc::MAP_SHARED | libc::MAP_POPULATE;
    // SAFETY: a new mapping at an address that the kernel chooses.
    let mapping = unsafe { libc::mmap(std::ptr::null_mut(), size, access, kind, ring.as_raw_fd(), at) };
    if mapping == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(mapping) }
}
