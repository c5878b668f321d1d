//! The sets that have values of their own on x86 (32 and 64 bits), and all the others.
//!
//! From `arch/x86/include/uapi/asm`; the open flags are those of `asm-generic/fcntl.h`, which other
//! architectures change.

use super::{FlagSet, flag_sets};

pub use super::file::*;
pub use super::io::*;
pub use super::ioctl::*;
pub use super::memory::*;
pub use super::mount::*;
pub use super::net::*;
pub use super::process::*;
pub use super::signal::SIGMASK;
pub use super::system::*;
pub use super::time::*;

/// The flags of `open(2)` in 64 bits: `openat2(2)`.
pub static OPEN_LONG: FlagSet =
    FlagSet { unknown: OPEN.unknown, wide: true, fields: OPEN.fields, values: OPEN.values };

/// The flags of `open(2)` where there is no access mode: `dup3(2)`, `pipe2(2)`.
pub static OPEN_BITS: FlagSet =
    FlagSet { unknown: OPEN.unknown, wide: false, fields: &[], values: OPEN.values };

flag_sets! {
    /// `open(2)` flags: an access mode and bits.
    OPEN: int "O_???" Choice(3) { O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2, O_ACCMODE = 3 } {
        O_CREAT = 0o100, O_EXCL = 0o200, O_NOCTTY = 0o400, O_TRUNC = 0o1000, O_APPEND = 0o2000,
        O_NONBLOCK = 0o4000, O_SYNC = 0o4_010_000, __O_SYNC = 0o4_000_000, O_DSYNC = 0o10_000,
        O_DIRECT = 0o40_000, O_LARGEFILE = 0o100_000, O_NOFOLLOW = 0o400_000, O_NOATIME = 0o1_000_000,
        O_CLOEXEC = 0o2_000_000, O_PATH = 0o10_000_000, O_TMPFILE = 0o20_200_000,
        __O_TMPFILE = 0o20_000_000, O_DIRECTORY = 0o200_000, FASYNC = 0o20_000,
    }
    /// `mmap(2)` flags.
    MAP: int "MAP_???" Choice(0xf) {
        MAP_FILE = 0, MAP_SHARED = 1, MAP_PRIVATE = 2, MAP_SHARED_VALIDATE = 3, MAP_DROPPABLE = 8,
    } Shifted(0xfc00_0000) { MAP_HUGE_SHIFT = 26 } {
        MAP_FIXED = 0x10, MAP_ANONYMOUS = 0x20, MAP_32BIT = 0x40, MAP_ABOVE4G = 0x80,
        MAP_NORESERVE = 0x4000, MAP_POPULATE = 0x8000, MAP_NONBLOCK = 0x1_0000, MAP_GROWSDOWN = 0x100,
        MAP_DENYWRITE = 0x800, MAP_EXECUTABLE = 0x1000, MAP_LOCKED = 0x2000, MAP_STACK = 0x2_0000,
        MAP_HUGETLB = 0x4_0000, MAP_SYNC = 0x8_0000, MAP_FIXED_NOREPLACE = 0x10_0000,
    }
    /// `arch_prctl(2)` operations.
    ARCH_PRCTL: int "ARCH_???" {
        ARCH_SET_GS = 0x1001, ARCH_SET_FS = 0x1002, ARCH_GET_FS = 0x1003, ARCH_GET_GS = 0x1004,
        ARCH_GET_CPUID = 0x1011, ARCH_SET_CPUID = 0x1012,
        ARCH_GET_XCOMP_SUPP = 0x1021, ARCH_GET_XCOMP_PERM = 0x1022, ARCH_REQ_XCOMP_PERM = 0x1023,
        ARCH_GET_XCOMP_GUEST_PERM = 0x1024, ARCH_REQ_XCOMP_GUEST_PERM = 0x1025,
        ARCH_MAP_VDSO_X32 = 0x2001, ARCH_MAP_VDSO_32 = 0x2002, ARCH_MAP_VDSO_64 = 0x2003,
        ARCH_GET_UNTAG_MASK = 0x4001, ARCH_ENABLE_TAGGED_ADDR = 0x4002,
        ARCH_GET_MAX_TAG_BITS = 0x4003, ARCH_FORCE_TAGGED_SVA = 0x4004,
        ARCH_SHSTK_ENABLE = 0x5001, ARCH_SHSTK_DISABLE = 0x5002, ARCH_SHSTK_LOCK = 0x5003,
        ARCH_SHSTK_UNLOCK = 0x5004, ARCH_SHSTK_STATUS = 0x5005,
    }
}
