//! What the guard of stopped processes does once the recorder is gone.
//!
//! It runs in a forked child that may not allocate, hence the bare bpf(2).

use super::process::kill;

/// The part of `union bpf_attr` that moves through a map.
#[repr(C)]
struct NextKey {
    map_fd: u32,
    pad: u32,
    from: u64,
    to: u64,
    flags: u64,
}

/// Continues (SIGCONT) every process that is a key of this map.
pub fn continue_all(map_fd: i32) {
    let mut pid = None;
    while let Some(next) = next_key(map_fd, pid) {
        kill(next.cast_signed(), libc::SIGCONT);
        pid = Some(next);
    }
}

/// The key behind `key`, or the first one.
fn next_key(map_fd: i32, key: Option<u32>) -> Option<u32> {
    const BPF_MAP_GET_NEXT_KEY: libc::c_int = 4;
    let mut next = 0_u32;
    let from = key.as_ref().map_or(0, |key| std::ptr::from_ref(key).expose_provenance() as u64);
    let to = (&raw mut next).expose_provenance() as u64;
    let attributes = NextKey { map_fd: map_fd.cast_unsigned(), pad: 0, from, to, flags: 0 };
    // SAFETY: the kernel reads and writes as many bytes at the two addresses as the map's keys have, which are
    // four; both values are live.
    let done = unsafe {
        libc::syscall(libc::SYS_bpf, BPF_MAP_GET_NEXT_KEY, &raw const attributes, size_of::<NextKey>())
    };
    (done == 0).then_some(next)
}
