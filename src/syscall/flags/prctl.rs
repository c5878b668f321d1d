//! Names of what `prctl(2)` and `sched_setattr(2)` are passed and return (`linux/prctl.h`, `linux/securebits.h`,
//! `linux/sched.h`).

use super::flag_sets;

flag_sets! {
    /// What is done to ambient capabilities.
    PR_AMBIENT: int "PR_CAP_AMBIENT_???" {
        PR_CAP_AMBIENT_IS_SET = 1, PR_CAP_AMBIENT_RAISE = 2, PR_CAP_AMBIENT_LOWER = 3,
        PR_CAP_AMBIENT_CLEAR_ALL = 4,
    }
    /// What is done about broken memory.
    PR_MCE: int "PR_MCE_KILL_???" { PR_MCE_KILL_CLEAR = 0, PR_MCE_KILL_SET = 1 }
    /// When a process is told of broken memory.
    PR_MCE_POLICY: int "PR_MCE_KILL_???" {
        PR_MCE_KILL_LATE = 0, PR_MCE_KILL_EARLY = 1, PR_MCE_KILL_DEFAULT = 2,
    }
    /// Kinds of speculation.
    PR_SPECULATION: long "PR_SPEC_???" {
        PR_SPEC_STORE_BYPASS = 0, PR_SPEC_INDIRECT_BRANCH = 1, PR_SPEC_L1D_FLUSH = 2,
    }
    /// What is done about one.
    PR_SPECULATION_CONTROL: long "PR_SPEC_???" {
        PR_SPEC_ENABLE = 2, PR_SPEC_DISABLE = 4, PR_SPEC_FORCE_DISABLE = 8, PR_SPEC_DISABLE_NOEXEC = 16,
    }
    /// What can be done about one, and is.
    PR_SPECULATION_STATE: int "PR_SPEC_???" {
        PR_SPEC_NOT_AFFECTED = 0, PR_SPEC_PRCTL = 1, PR_SPEC_ENABLE = 2, PR_SPEC_DISABLE = 4,
        PR_SPEC_FORCE_DISABLE = 8, PR_SPEC_DISABLE_NOEXEC = 16,
    }
    /// What a process with the user id 0 is.
    SECUREBITS: long "SECBIT_???" {
        SECBIT_NOROOT = 1, SECBIT_NOROOT_LOCKED = 2, SECBIT_NO_SETUID_FIXUP = 4,
        SECBIT_NO_SETUID_FIXUP_LOCKED = 8, SECBIT_KEEP_CAPS = 0x10, SECBIT_KEEP_CAPS_LOCKED = 0x20,
        SECBIT_NO_CAP_AMBIENT_RAISE = 0x40, SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED = 0x80,
    }
    /// Whether the counter of cycles may be read.
    PR_TSC: int "PR_TSC_???" { PR_TSC_ENABLE = 1, PR_TSC_SIGSEGV = 2 }
    /// What comes of unaligned access.
    PR_UNALIGN: long "PR_UNALIGN_???" { PR_UNALIGN_NOPRINT = 1, PR_UNALIGN_SIGBUS = 2 }
    /// How floating-point registers are used.
    PR_FP_MODE: long "PR_FP_MODE_???" { PR_FP_MODE_FR = 1, PR_FP_MODE_FRE = 2 }
    /// Keys that sign pointers, on ARM.
    PR_KEYS: long "PR_PAC_???" {
        PR_PAC_APIAKEY = 1, PR_PAC_APIBKEY = 2, PR_PAC_APDAKEY = 4, PR_PAC_APDBKEY = 8, PR_PAC_APGAKEY = 0x10,
    }
    /// Those of them that can be switched on and off.
    PR_ENABLED_KEYS: long "PR_PAC_???" {
        PR_PAC_APIAKEY = 1, PR_PAC_APIBKEY = 2, PR_PAC_APDAKEY = 4, PR_PAC_APDBKEY = 8,
    }
    /// When vectors get another length, on ARM.
    PR_SVE: long "" { PR_SVE_SET_VL_ONEXEC = 0x4_0000, PR_SVE_VL_INHERIT = 0x2_0000 }
    /// The same of those of streaming mode.
    PR_SME: long "" { PR_SME_SET_VL_ONEXEC = 0x4_0000, PR_SME_VL_INHERIT = 0x2_0000 }
    /// What comes of a wrong tag of an address, on ARM.
    PR_TAG_CHECK: long "PR_MTE_TCF_???" {
        PR_MTE_TCF_NONE = 0, PR_MTE_TCF_SYNC = 2, PR_MTE_TCF_ASYNC = 4, PR_MTE_TCF_MASK = 6,
    }
    /// Modes of seccomp.
    SECCOMP_MODE: long "SECCOMP_MODE_???" {
        SECCOMP_MODE_DISABLED = 0, SECCOMP_MODE_STRICT = 1, SECCOMP_MODE_FILTER = 2,
    }
    /// Places in memory that are told the kernel.
    PR_MEMORY: int "PR_SET_MM_???" {
        PR_SET_MM_START_CODE = 1, PR_SET_MM_END_CODE = 2, PR_SET_MM_START_DATA = 3, PR_SET_MM_END_DATA = 4,
        PR_SET_MM_START_STACK = 5, PR_SET_MM_START_BRK = 6, PR_SET_MM_BRK = 7, PR_SET_MM_ARG_START = 8,
        PR_SET_MM_ARG_END = 9, PR_SET_MM_ENV_START = 10, PR_SET_MM_ENV_END = 11, PR_SET_MM_AUXV = 12,
        PR_SET_MM_EXE_FILE = 13, PR_SET_MM_MAP = 14, PR_SET_MM_MAP_SIZE = 15,
    }
    /// What is said of a mapping.
    PR_VMA: long "PR_SET_VMA_???" { PR_SET_VMA_ANON_NAME = 0 }
    /// What is done about which tasks share a core.
    PR_CORE: int "PR_SCHED_CORE_???" {
        PR_SCHED_CORE_GET = 0, PR_SCHED_CORE_CREATE = 1, PR_SCHED_CORE_SHARE_TO = 2,
        PR_SCHED_CORE_SHARE_FROM = 3,
    }
    /// Of whom an id is.
    PID_TYPE: int "PIDTYPE_???" { PIDTYPE_PID = 0, PIDTYPE_TGID = 1, PIDTYPE_PGID = 2, PIDTYPE_SID = 3 }
    /// Whether system calls are passed to a handler.
    PR_DISPATCH: long "PR_SYS_DISPATCH_???" { PR_SYS_DISPATCH_OFF = 0, PR_SYS_DISPATCH_ON = 1 }
    /// `sched_flags` of `struct sched_attr`.
    SCHED_ATTR: long "SCHED_FLAG_???" {
        SCHED_FLAG_RESET_ON_FORK = 1, SCHED_FLAG_RECLAIM = 2, SCHED_FLAG_DL_OVERRUN = 4,
        SCHED_FLAG_KEEP_POLICY = 8, SCHED_FLAG_KEEP_PARAMS = 0x10, SCHED_FLAG_UTIL_CLAMP_MIN = 0x20,
        SCHED_FLAG_UTIL_CLAMP_MAX = 0x40,
    }
}
