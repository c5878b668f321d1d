//! What the kernel calls the protocol of a socket of another process.

use std::ffi::CStr;

/// The longest name of a protocol (`struct proto` in `net/sock.h`).
const LONGEST: usize = 32;

/// `TCP`, `UNIX-STREAM`: the attribute `system.sockprotoname` of the link at this path below `/proc`.
pub fn protocol(path: &CStr) -> Option<Vec<u8>> {
    let mut name = [0_u8; LONGEST];
    // SAFETY: both names end with NUL, and the buffer is as long as is said.
    let length = unsafe {
        libc::getxattr(path.as_ptr(), c"system.sockprotoname".as_ptr(), name.as_mut_ptr().cast(), name.len())
    };
    let name = name.get(..usize::try_from(length).ok()?)?;
    let end = name.iter().position(|&byte| byte == 0).unwrap_or(name.len());
    Some(name[..end].to_vec()).filter(|name| !name.is_empty())
}
