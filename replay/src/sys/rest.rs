//! Calls that a pending signal cuts short are gone on with.
//!
//! `getdents64` returns what it has when the thread has a signal pending (`fs/readdir.c`, `filldir64`), and a copy what it has
//! copied, of 64 KiB at a time (`fs/splice.c`, `splice_from_pipe_next`). One is pending, as far as they look, whenever the kernel has
//! work for a thread that used a ring: a worker that has completed an operation, and, tens of milliseconds later, a ring that was
//! closed (`io_uring/io_uring.c`, `io_ring_exit_work`). A program goes on until there is nothing more; here the rest is asked for at
//! once.

use super::calls::{Descriptors, Observed, Scratch, list};
use super::changes::copy;
use crate::bind::{Action, Change};
use crate::plan::Offset;

/// Adds to what a call came to what it came to too little; how many calls that took.
///
/// `wanted`: what it has to return.
#[inline]
pub(crate) fn go_on(
    action: &Action,
    wanted: impl FnOnce() -> i64,
    descriptors: &Descriptors,
    observed: &mut Observed,
    scratch: &mut Scratch,
) -> u64 {
    match *action {
        Action::ListDir { handle, .. } => list_rest(descriptors.get(handle), wanted(), observed, scratch),
        Action::Change(ref change @ Change::Copy { .. }) => {
            copy_rest(change, wanted(), descriptors, observed)
        }
        _ => 0,
    }
}

fn list_rest(fd: i32, wanted: i64, observed: &mut Observed, scratch: &mut Scratch) -> u64 {
    let mut calls = 0;
    let mut last = observed.ret;
    while last > 0 && observed.ret < wanted {
        // No more than the first call had room for.
        let more = list(fd, (wanted - observed.ret) as u32, scratch);
        last = more.ret;
        observed.ret += last.max(0);
        observed.digest = observed.digest.wrapping_add(more.digest);
        calls += 1;
    }
    calls
}

fn copy_rest(change: &Change, wanted: i64, descriptors: &Descriptors, observed: &mut Observed) -> u64 {
    let Change::Copy { from, from_offset, to, to_offset, call, .. } = *change else { return 0 };
    let mut calls = 0;
    let mut last = observed.ret;
    while last > 0 && observed.ret < wanted {
        // An open file's own offset has moved by itself.
        let moved = |offset: Offset| match offset.bytes() {
            Some(bytes) => Offset::at(bytes as i64 + observed.ret).unwrap_or(offset),
            None => Offset::OWN,
        };
        let (from, to) =
            ((descriptors.get(from), moved(from_offset)), (descriptors.get(to), moved(to_offset)));
        last = copy(from, to, (wanted - observed.ret) as usize, call).ret;
        observed.ret += last.max(0);
        calls += 1;
    }
    calls
}

#[cfg(test)]
mod tests {
    use std::os::fd::IntoRawFd;

    use super::*;
    use crate::bind::Handle;
    use crate::plan::{CopyCall, Paths};
    use crate::sys::calls::{Room, perform};

    #[test]
    fn a_copy_that_was_cut_short_is_gone_on_with() {
        const BYTES: usize = 300_000;
        let contents: Vec<u8> = (0..BYTES).map(|at| (at / 7 % 251) as u8).collect();
        let at = |bytes| Offset::at(bytes).unwrap();
        let cases = [
            (CopyCall::Range, Offset::OWN, Offset::OWN, BYTES),
            (CopyCall::Range, at(0), at(0), BYTES),
            (CopyCall::Send, Offset::OWN, Offset::OWN, BYTES),
            (CopyCall::Send, at(0), Offset::OWN, 2 * BYTES),
            (CopyCall::Send, at(0), Offset::OWN, 65_536),
        ];
        for (call, from_offset, to_offset, wanted) in cases {
            let directory = tempfile::tempdir().unwrap();
            let [from, to] = ["from", "to"].map(|name| directory.path().join(name));
            std::fs::write(&from, &contents).unwrap();
            let descriptors = Descriptors::new(2);
            let [from_handle, to_handle] = [Handle(0), Handle(1)];
            descriptors.set(from_handle, std::fs::File::open(&from).unwrap().into_raw_fd());
            descriptors.set(to_handle, std::fs::File::create(&to).unwrap().into_raw_fd());
            let mut scratch = Scratch::new(Room::default());
            // As if the kernel had given it no more.
            let cut = Action::Change(Change::Copy {
                from: from_handle,
                from_offset,
                to: to_handle,
                to_offset,
                count: 65_536,
                call,
            });
            let mut observed = perform(&cut, &Paths::default(), &descriptors, &mut scratch);
            assert_eq!(observed.ret, 65_536);
            let calls = go_on(&cut, || wanted as i64, &descriptors, &mut observed, &mut scratch);
            // At the end of the file it ends, however much is wanted.
            let copied = wanted.min(BYTES);
            assert_eq!(observed.ret, copied as i64, "{call:?}");
            assert_eq!(calls == 0, wanted == 65_536, "{call:?}: {calls}");
            assert!(std::fs::read(&to).unwrap() == contents[..copied], "{call:?}");
            descriptors.close_all();
        }
    }
}
