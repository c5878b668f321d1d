//! The children of a thread, found without allocating: for a child of ours that may not
//! ([`process`](super::process)).

use std::io::Write;

/// Longest `/proc/TID/task/TID/children` and its NUL byte.
const LONGEST: usize = 64;
/// Read at a time.
const CHUNK: usize = 512;

/// Calls `act` with each child that the thread has made and that still is its own (`/proc/TID/task/TID/children`, proc(5); without it,
/// there are none).
pub fn each_child(tid: i32, act: &mut dyn FnMut(i32)) {
    let mut path = [0; LONGEST];
    // The last byte stays the NUL.
    if write!(&mut path[..LONGEST - 1], "/proc/{tid}/task/{tid}/children").is_err() {
        return;
    }
    // SAFETY: the path ends with a NUL byte.
    let fd = unsafe { libc::open(path.as_ptr().cast(), libc::O_RDONLY | libc::O_CLOEXEC) };
    if fd < 0 {
        return;
    }
    let mut chunk = [0_u8; CHUNK];
    let mut number = 0_i32;
    loop {
        // SAFETY: the chunk has room for as many bytes.
        let got = unsafe { libc::read(fd, chunk.as_mut_ptr().cast(), CHUNK) };
        for &byte in chunk.get(..usize::try_from(got).unwrap_or(0)).unwrap_or_default() {
            if byte.is_ascii_digit() {
                number = number.wrapping_mul(10).wrapping_add(i32::from(byte - b'0'));
            } else if number > 0 {
                act(number);
                number = 0;
            }
        }
        if got <= 0 {
            break;
        }
    }
    if number > 0 {
        act(number);
    }
    // SAFETY: it was opened above.
    unsafe { libc::close(fd) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::sys::process::own_tid;
    use std::process::{Command, Stdio};

    #[test]
    fn children_are_found() {
        let cat = || Command::new("cat").stdin(Stdio::piped()).spawn().expect("cat is everywhere");
        // So many that they do not fit into one chunk.
        let mut children: Vec<_> = (0..100).map(|_| cat()).collect();
        let mut found = Vec::new();
        each_child(own_tid(), &mut |child| found.push(child.cast_unsigned()));
        let mut expected: Vec<u32> = children.iter().map(std::process::Child::id).collect();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected);
        for child in &mut children {
            child.kill().expect("our own");
            child.wait().expect("our own");
        }
        each_child(i32::MAX, &mut |_| panic!("nobody"));
    }
}
