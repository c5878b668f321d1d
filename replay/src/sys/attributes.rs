//! Extended attributes, and what is told of a file system.
//!
//! These calls take a path or a descriptor, and only since Linux 6.13 a directory to start from: before, a relative path's file
//! is opened for them, which makes them a little dearer than they were, and cannot be done with a link.

use std::ffi::CStr;
use std::sync::OnceLock;

use super::calls::{Observed, Scratch, bare, close, open, result};
use crate::plan::AttributeCall;

/// Calls with a directory to start from, by the numbers that all architectures share (`asm-generic/unistd.h`).
const SET_FROM: libc::c_long = 463;
const GET_FROM: libc::c_long = 464;
const LIST_FROM: libc::c_long = 465;
const REMOVE_FROM: libc::c_long = 466;

/// `struct xattr_args` of `linux/xattr.h`.
#[repr(C)]
struct Value {
    address: u64,
    size: u32,
    flags: u32,
}

/// Whether this kernel has them, and lets them be made.
pub(crate) fn take_directories() -> bool {
    static KNOWN: OnceLock<bool> = OnceLock::new();
    *KNOWN.get_or_init(|| {
        // SAFETY: the name ends with NUL, and no bytes are to be written.
        let tried = unsafe { libc::syscall(LIST_FROM, -1, c"x".as_ptr(), 0, std::ptr::null_mut::<u8>(), 0) };
        result(tried) == -i64::from(libc::EBADF)
    })
}

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
        if !matches!(self.path.to_bytes(), [] | [b'/', ..]) && take_directories() {
            return bare(self.at_directory(scratch));
        }
        let nofollow = if self.nofollow { libc::O_NOFOLLOW } else { 0 };
        match Target::new(self.start, self.path, libc::O_RDONLY | libc::O_NONBLOCK | nofollow) {
            Ok(target) => bare(self.on(&target, scratch)),
            Err(failed) => bare(failed),
        }
    }

    fn at_directory(&self, scratch: &mut Scratch) -> i64 {
        let (start, path, name) = (self.start, self.path.as_ptr(), self.name.as_ptr());
        let flags = if self.nofollow { libc::AT_SYMLINK_NOFOLLOW } else { 0 };
        let value = |address: *const u8, flags: u8| Value {
            address: address as u64,
            size: self.size,
            flags: flags.into(),
        };
        // SAFETY: names end with NUL; the buffers have `size` bytes; values are live, and of the size told.
        result(unsafe {
            match self.call {
                AttributeCall::Get => {
                    let mut value = value(scratch.pointer_for(self.size), 0);
                    libc::syscall(GET_FROM, start, path, flags, name, &raw mut value, size_of::<Value>())
                }
                AttributeCall::List => {
                    let buffer = scratch.pointer_for(self.size);
                    libc::syscall(LIST_FROM, start, path, flags, buffer, self.size as usize)
                }
                AttributeCall::Set => {
                    let value = value(scratch.pattern(self.seed, self.size), self.flags);
                    libc::syscall(SET_FROM, start, path, flags, name, &raw const value, size_of::<Value>())
                }
                AttributeCall::Remove => libc::syscall(REMOVE_FROM, start, path, flags, name),
            }
        })
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
