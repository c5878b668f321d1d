//! Extended attributes, and what is told of a file system.
//!
//! These calls take a path or a descriptor, and (before Linux 6.13) no directory to start from: a relative path's file
//! is opened for them, which makes them a little dearer than they were.

use std::ffi::CStr;

use super::calls::{Observed, Scratch, bare, close, open, result};
use crate::plan::AttributeCall;

/// What a call is made on.
enum Target<'a> {
    /// A path that needs nothing to start from.
    Path(&'a CStr),
    Descriptor(i32),
    /// The same, opened for this call.
    Opened(i32),
}

impl<'a> Target<'a> {
    fn new(start: i32, path: &'a CStr, flags: i32) -> Result<Self, i64> {
        match path.to_bytes() {
            [] => Ok(Self::Descriptor(start)),
            [b'/', ..] => Ok(Self::Path(path)),
            _ => match open(start, path, (flags | libc::O_CLOEXEC) as u32, 0) {
                fd if fd < 0 => Err(fd),
                fd => Ok(Self::Opened(fd as i32)),
            },
        }
    }
}

impl Drop for Target<'_> {
    fn drop(&mut self) {
        if let Self::Opened(fd) = *self {
            close(fd);
        }
    }
}

/// A call on an attribute of what a path leads to, or of an open file.
pub(super) struct Attribute<'a> {
    pub(super) start: i32,
    pub(super) path: &'a CStr,
    pub(super) call: AttributeCall,
    pub(super) name: &'a CStr,
    pub(super) size: u32,
    pub(super) seed: u32,
    pub(super) flags: u8,
    pub(super) nofollow: bool,
}

impl Attribute<'_> {
    pub(super) fn perform(&self, scratch: &mut Scratch) -> Observed {
        let nofollow = if self.nofollow { libc::O_NOFOLLOW } else { 0 };
        match Target::new(self.start, self.path, libc::O_RDONLY | libc::O_NONBLOCK | nofollow) {
            Ok(target) => bare(self.on(&target, scratch)),
            Err(failed) => bare(failed),
        }
    }

    fn on(&self, target: &Target, scratch: &mut Scratch) -> i64 {
        let (file, number) = match *target {
            Target::Path(path) => (path.as_ptr() as libc::c_long, usize::from(self.nofollow)),
            Target::Descriptor(fd) | Target::Opened(fd) => (libc::c_long::from(fd), 2),
        };
        let (name, size) = (self.name.as_ptr(), self.size as usize);
        // SAFETY: `file` is a path that ends with NUL, or a descriptor where the call takes one; the name ends with NUL; the
        // buffers have `size` bytes.
        result(unsafe {
            match self.call {
                AttributeCall::Get => {
                    let calls = [libc::SYS_getxattr, libc::SYS_lgetxattr, libc::SYS_fgetxattr];
                    libc::syscall(calls[number], file, name, scratch.pointer_for(self.size), size)
                }
                AttributeCall::List => {
                    let calls = [libc::SYS_listxattr, libc::SYS_llistxattr, libc::SYS_flistxattr];
                    libc::syscall(calls[number], file, scratch.pointer_for(self.size), size)
                }
                AttributeCall::Set => {
                    let calls = [libc::SYS_setxattr, libc::SYS_lsetxattr, libc::SYS_fsetxattr];
                    let value = scratch.pattern(self.seed, self.size);
                    libc::syscall(calls[number], file, name, value, size, libc::c_long::from(self.flags))
                }
                AttributeCall::Remove => {
                    let calls = [libc::SYS_removexattr, libc::SYS_lremovexattr, libc::SYS_fremovexattr];
                    libc::syscall(calls[number], file, name)
                }
            }
        })
    }
}

/// `statfs` and `fstatfs`: what they say is of the file system that the tree is on, and not kept.
pub(super) fn file_system(start: i32, path: &CStr) -> Observed {
    let target = match Target::new(start, path, libc::O_PATH) {
        Ok(target) => target,
        Err(failed) => return bare(failed),
    };
    let mut statfs = std::mem::MaybeUninit::<libc::statfs>::uninit();
    // SAFETY: the path ends with NUL, and `statfs` has room for the struct.
    bare(result(unsafe {
        match target {
            Target::Path(path) => libc::syscall(libc::SYS_statfs, path.as_ptr(), statfs.as_mut_ptr()),
            Target::Descriptor(fd) | Target::Opened(fd) => {
                libc::syscall(libc::SYS_fstatfs, fd, statfs.as_mut_ptr())
            }
        }
    }))
}
