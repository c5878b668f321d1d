//! Reading another process's memory with `process_vm_readv(2)`.

use std::io;

/// A stretch of the other process's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First address.
    pub address: u64,
    /// Length in bytes.
    pub length: usize,
}

/// Most stretches one [`read_spans`] takes.
pub const MOST_SPANS: usize = 6;

/// Reads the stretches one after the other into `buffer`; stops before the first that cannot be read
/// whole. Returns the bytes read, which are whole stretches always.
pub fn read_spans(pid: i32, spans: &[Span], buffer: &mut [u8]) -> io::Result<usize> {
    let mut remote = [libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 }; MOST_SPANS];
    let mut total = 0;
    let mut count = 0;
    for (slot, span) in remote.iter_mut().zip(spans) {
        slot.iov_base = span.address as *mut libc::c_void;
        slot.iov_len = span.length.min(buffer.len() - total);
        total += slot.iov_len;
        count += 1;
    }
    let local = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: total };
    // SAFETY: `local` covers `total` bytes of `buffer`, which is borrowed mutably; remote addresses
    // are checked by the kernel.
    let read = unsafe { libc::process_vm_readv(pid, &raw const local, 1, remote.as_ptr(), count, 0) };
    if read < 0 { Err(io::Error::last_os_error()) } else { Ok(read as usize) }
}

/// The bytes of a plain value of this process.
#[cfg(test)]
pub fn own_bytes<T: Copy>(value: &T) -> &[u8] {
    // SAFETY: the value is live for the lifetime of the result; used on C structs without padding
    // that matters (the kernel fills them whole).
    unsafe { std::slice::from_raw_parts(std::ptr::from_ref(value).cast(), size_of::<T>()) }
}

/// statx(2) of a path.
#[cfg(test)]
pub fn own_statx(path: &std::ffi::CStr) -> libc::statx {
    // SAFETY: zeroed is valid for this struct of integers; path and buffer are live.
    unsafe {
        let mut buffer: libc::statx = std::mem::zeroed();
        libc::statx(libc::AT_FDCWD, path.as_ptr(), 0, libc::STATX_BASIC_STATS, &raw mut buffer);
        buffer
    }
}
