//! The i386 system calls of Linux 6.18.

use super::spec::{Spec, syscalls};

pub(super) static TABLE: &[Spec] = syscalls! {
    3 read(fd: Fd, buf: OutBuf, count: Size) -> Size, Read, [DESC];
};
