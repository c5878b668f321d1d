//! Memory mappings and their policies. (`mmap(2)` flags differ between architectures.)

use super::{Field, FieldKind, FlagSet, flag_sets};

/// `mbind(2)` modes: the same as a word.
pub static MPOL_WORD: FlagSet = FlagSet {
    unknown: MPOL.unknown,
    wide: true,
    fields: &[Field { mask: !0xe000, kind: FieldKind::Type, unknown: "", values: MPOL.fields[0].values }],
    values: MPOL.values,
};

flag_sets! {
    /// `mmap(2)` protection.
    PROT: long "PROT_???" {
        PROT_NONE = 0, PROT_READ = 1, PROT_WRITE = 2, PROT_EXEC = 4, PROT_SEM = 8,
        PROT_GROWSDOWN = 0x100_0000, PROT_GROWSUP = 0x200_0000,
    }
    /// `mremap(2)` flags.
    MREMAP: long "MREMAP_???" { MREMAP_MAYMOVE = 1, MREMAP_FIXED = 2, MREMAP_DONTUNMAP = 4 }
    /// `msync(2)` flags.
    MSYNC: int "MS_???" { MS_SYNC = 4, MS_ASYNC = 1, MS_INVALIDATE = 2 }
    /// `madvise(2)` advice.
    MADVISE: int "MADV_???" {
        MADV_NORMAL = 0, MADV_RANDOM = 1, MADV_SEQUENTIAL = 2, MADV_WILLNEED = 3, MADV_DONTNEED = 4,
        MADV_FREE = 8, MADV_REMOVE = 9, MADV_DONTFORK = 10, MADV_DOFORK = 11, MADV_MERGEABLE = 12,
        MADV_UNMERGEABLE = 13, MADV_HUGEPAGE = 14, MADV_NOHUGEPAGE = 15, MADV_DONTDUMP = 16,
        MADV_DODUMP = 17, MADV_WIPEONFORK = 18, MADV_KEEPONFORK = 19, MADV_COLD = 20, MADV_PAGEOUT = 21,
        MADV_POPULATE_READ = 22, MADV_POPULATE_WRITE = 23, MADV_DONTNEED_LOCKED = 24, MADV_COLLAPSE = 25,
        MADV_HWPOISON = 100, MADV_SOFT_OFFLINE = 101, MADV_GUARD_INSTALL = 102, MADV_GUARD_REMOVE = 103,
    }
    /// `mlock2(2)` flags.
    MLOCK: int "MLOCK_???" { MLOCK_ONFAULT = 1 }
    /// `mlockall(2)` flags.
    MLOCKALL: int "MCL_???" { MCL_CURRENT = 1, MCL_FUTURE = 2, MCL_ONFAULT = 4 }
    /// `memfd_create(2)` flags.
    MEMFD: int "MFD_???" Shifted(0xfc00_0000) { MFD_HUGE_SHIFT = 26 } {
        MFD_CLOEXEC = 1, MFD_ALLOW_SEALING = 2, MFD_HUGETLB = 4, MFD_NOEXEC_SEAL = 8, MFD_EXEC = 0x10,
    }
    /// `pkey_alloc(2)` access rights.
    PKEY: long "PKEY_???" { PKEY_DISABLE_ACCESS = 1, PKEY_DISABLE_WRITE = 2, PKEY_DISABLE_EXECUTE = 4 }
    /// `map_shadow_stack(2)` flags.
    SHADOW_STACK: int "SHADOW_STACK_???" { SHADOW_STACK_SET_TOKEN = 1 }
    /// `userfaultfd(2)` flags.
    USERFAULTFD: int "UFFD_???" {
        UFFD_USER_MODE_ONLY = 1, O_NONBLOCK = 0o4000, O_CLOEXEC = 0o2_000_000,
    }
    /// `set_mempolicy(2)` modes.
    MPOL: int "MPOL_???" Type(0xffff_1fff) {
        MPOL_DEFAULT = 0, MPOL_PREFERRED = 1, MPOL_BIND = 2, MPOL_INTERLEAVE = 3, MPOL_LOCAL = 4,
        MPOL_PREFERRED_MANY = 5, MPOL_WEIGHTED_INTERLEAVE = 6,
    } { MPOL_F_STATIC_NODES = 0x8000, MPOL_F_RELATIVE_NODES = 0x4000, MPOL_F_NUMA_BALANCING = 0x2000 }
    /// `move_pages(2)` flags.
    MOVE_PAGES: int "MPOL_???" { MPOL_MF_MOVE = 2, MPOL_MF_MOVE_ALL = 4 }
    /// `memfd_secret(2)` flags.
    MEMFD_SECRET: int "" { O_CLOEXEC = 0o2_000_000 }
    /// `mbind(2)` flags.
    MPOL_MF: int "MPOL_???" { MPOL_MF_STRICT = 1, MPOL_MF_MOVE = 2, MPOL_MF_MOVE_ALL = 4 }
    /// `get_mempolicy(2)` flags.
    MPOL_F: long "MPOL_???" { MPOL_F_NODE = 1, MPOL_F_ADDR = 2, MPOL_F_MEMS_ALLOWED = 4 }
}
