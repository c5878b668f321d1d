//! The x86-64 system calls of Linux 6.18.

use super::flags;
use super::spec::{Spec, syscalls};

pub(super) static TABLE: &[Spec] = syscalls! {
    0 read(fd: Fd, buf: OutBuf, count: Size) -> Size, Read, [DESC];
    257 openat(dirfd: DirFd, pathname: Path, flags: Flags(&flags::OPEN), mode: Mode) -> Fd, Open, [FILE DESC];
};
