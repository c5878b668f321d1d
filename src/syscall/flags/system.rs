//! The rest: System V IPC, keys, security, modules, the machine.

use super::flag_sets;

flag_sets! {
    /// System V IPC keys.
    IPC_KEY: int "" { IPC_PRIVATE = 0 }
    /// `shmget(2)` flags.
    SHMGET: int "SHM_???" Shifted(0xfc00_0000) { SHM_HUGE_SHIFT = 26 } Octal(0o777) {} {
        IPC_CREAT = 0o1000, IPC_EXCL = 0o2000, SHM_HUGETLB = 0o4000, SHM_NORESERVE = 0o10_000,
    }
    /// `semget(2)` flags.
    SEMGET: int "IPC_???" Octal(0o777) {} { IPC_CREAT = 0o1000, IPC_EXCL = 0o2000, IPC_NOWAIT = 0o4000 }
    /// `msgget(2)` flags.
    MSGGET: int "IPC_???" Octal(0o777) {} { IPC_CREAT = 0o1000, IPC_EXCL = 0o2000, IPC_NOWAIT = 0o4000 }
    /// `shmat(2)` flags.
    SHMAT: int "SHM_???" {
        SHM_RDONLY = 0o10_000, SHM_RND = 0o20_000, SHM_REMAP = 0o40_000, SHM_EXEC = 0o100_000,
    }
    /// `shmctl(2)` operations.
    SHMCTL: int "SHM_???" LastChoice(0xffff_feff) {
        IPC_RMID = 0, IPC_SET = 1, IPC_STAT = 2, IPC_INFO = 3, SHM_LOCK = 11, SHM_UNLOCK = 12,
        SHM_STAT = 13, SHM_INFO = 14, SHM_STAT_ANY = 15,
    } { IPC_64 = 0x100 }
    /// `semctl(2)` operations.
    SEMCTL: int "SEM_???" LastChoice(0xffff_feff) {
        IPC_RMID = 0, IPC_SET = 1, IPC_STAT = 2, IPC_INFO = 3, GETPID = 11, GETVAL = 12, GETALL = 13,
        GETNCNT = 14, GETZCNT = 15, SETVAL = 16, SETALL = 17, SEM_STAT = 18, SEM_INFO = 19,
        SEM_STAT_ANY = 20,
    } { IPC_64 = 0x100 }
    /// `msgctl(2)` operations.
    MSGCTL: int "MSG_???" LastChoice(0xffff_feff) {
        IPC_RMID = 0, IPC_SET = 1, IPC_STAT = 2, IPC_INFO = 3, MSG_STAT = 11, MSG_INFO = 12,
        MSG_STAT_ANY = 13,
    } { IPC_64 = 0x100 }
    /// `msgrcv(2)` and `msgsnd(2)` flags.
    MSGRCV: int "MSG_???" {
        MSG_NOERROR = 0o10_000, MSG_EXCEPT = 0o20_000, MSG_COPY = 0o40_000, IPC_NOWAIT = 0o4000,
    }
    /// `ipc(2)` calls (i386), with a version in the upper half.
    IPC: int "" Choice(0xffff) {
        SEMOP = 1, SEMGET = 2, SEMCTL = 3, SEMTIMEDOP = 4, MSGSND = 11, MSGRCV = 12, MSGGET = 13,
        MSGCTL = 14, SHMAT = 21, SHMDT = 22, SHMGET = 23, SHMCTL = 24,
    } {}
    /// `add_key(2)` special keyrings, negative numbers as the kernel's `int`.
    KEY_SPEC: int "" {
        KEY_SPEC_THREAD_KEYRING = 0xffff_ffff, KEY_SPEC_PROCESS_KEYRING = 0xffff_fffe,
        KEY_SPEC_SESSION_KEYRING = 0xffff_fffd, KEY_SPEC_USER_KEYRING = 0xffff_fffc,
        KEY_SPEC_USER_SESSION_KEYRING = 0xffff_fffb, KEY_SPEC_GROUP_KEYRING = 0xffff_fffa,
        KEY_SPEC_REQKEY_AUTH_KEY = 0xffff_fff9, KEY_SPEC_REQUESTOR_KEYRING = 0xffff_fff8,
    }
    /// `keyctl(2)` operations.
    KEYCTL: int "KEYCTL_???" {
        KEYCTL_GET_KEYRING_ID = 0, KEYCTL_JOIN_SESSION_KEYRING = 1, KEYCTL_UPDATE = 2, KEYCTL_REVOKE = 3,
        KEYCTL_CHOWN = 4, KEYCTL_SETPERM = 5, KEYCTL_DESCRIBE = 6, KEYCTL_CLEAR = 7, KEYCTL_LINK = 8,
        KEYCTL_UNLINK = 9, KEYCTL_SEARCH = 10, KEYCTL_READ = 11, KEYCTL_INSTANTIATE = 12,
        KEYCTL_NEGATE = 13, KEYCTL_SET_REQKEY_KEYRING = 14, KEYCTL_SET_TIMEOUT = 15,
        KEYCTL_ASSUME_AUTHORITY = 16, KEYCTL_GET_SECURITY = 17, KEYCTL_SESSION_TO_PARENT = 18,
        KEYCTL_REJECT = 19, KEYCTL_INSTANTIATE_IOV = 20, KEYCTL_INVALIDATE = 21,
        KEYCTL_GET_PERSISTENT = 22, KEYCTL_DH_COMPUTE = 23, KEYCTL_PKEY_QUERY = 24,
        KEYCTL_PKEY_ENCRYPT = 25, KEYCTL_PKEY_DECRYPT = 26, KEYCTL_PKEY_SIGN = 27, KEYCTL_PKEY_VERIFY = 28,
        KEYCTL_RESTRICT_KEYRING = 29, KEYCTL_MOVE = 30, KEYCTL_CAPABILITIES = 31, KEYCTL_WATCH_KEY = 32,
    }
    /// `syslog(2)` actions.
    SYSLOG: int "SYSLOG_ACTION_???" {
        SYSLOG_ACTION_CLOSE = 0, SYSLOG_ACTION_OPEN = 1, SYSLOG_ACTION_READ = 2,
        SYSLOG_ACTION_READ_ALL = 3, SYSLOG_ACTION_READ_CLEAR = 4, SYSLOG_ACTION_CLEAR = 5,
        SYSLOG_ACTION_CONSOLE_OFF = 6, SYSLOG_ACTION_CONSOLE_ON = 7, SYSLOG_ACTION_CONSOLE_LEVEL = 8,
        SYSLOG_ACTION_SIZE_UNREAD = 9, SYSLOG_ACTION_SIZE_BUFFER = 10,
    }
    /// `reboot(2)` first magic number.
    REBOOT_MAGIC: int "LINUX_REBOOT_MAGIC_???" { LINUX_REBOOT_MAGIC1 = 0xfee1_dead }
    /// `reboot(2)` second magic number.
    REBOOT_MAGIC2: int "LINUX_REBOOT_MAGIC_???" {
        LINUX_REBOOT_MAGIC2 = 672_274_793, LINUX_REBOOT_MAGIC2A = 85_072_278,
        LINUX_REBOOT_MAGIC2B = 369_367_448, LINUX_REBOOT_MAGIC2C = 537_993_216,
    }
    /// `reboot(2)` operations.
    REBOOT: int "LINUX_REBOOT_CMD_???" {
        LINUX_REBOOT_CMD_CAD_OFF = 0, LINUX_REBOOT_CMD_RESTART = 0x0123_4567,
        LINUX_REBOOT_CMD_POWER_OFF = 0x4321_fedc, LINUX_REBOOT_CMD_KEXEC = 0x4558_4543,
        LINUX_REBOOT_CMD_CAD_ON = 0x89ab_cdef, LINUX_REBOOT_CMD_RESTART2 = 0xa1b2_c3d4,
        LINUX_REBOOT_CMD_HALT = 0xcdef_0123, LINUX_REBOOT_CMD_SW_SUSPEND = 0xd000_fce2,
    }
    /// `delete_module(2)` flags.
    DELETE_MODULE: int "O_???" { O_NONBLOCK = 0o4000, O_TRUNC = 0o1000 }
    /// `finit_module(2)` flags.
    FINIT_MODULE: int "MODULE_INIT_???" {
        MODULE_INIT_IGNORE_MODVERSIONS = 1, MODULE_INIT_IGNORE_VERMAGIC = 2,
        MODULE_INIT_COMPRESSED_FILE = 4,
    }
    /// `kexec_load(2)` flags, with an architecture in the upper half.
    KEXEC: long "KEXEC_???" Choice(0xffff_0000) {
        KEXEC_ARCH_DEFAULT = 0, KEXEC_ARCH_386 = 0x3_0000, KEXEC_ARCH_X86_64 = 0x3e_0000,
        KEXEC_ARCH_ARM = 0x28_0000, KEXEC_ARCH_AARCH64 = 0xb7_0000, KEXEC_ARCH_RISCV = 0xf3_0000,
    } {
        KEXEC_ON_CRASH = 1, KEXEC_PRESERVE_CONTEXT = 2, KEXEC_UPDATE_ELFCOREHDR = 4,
        KEXEC_CRASH_HOTPLUG_SUPPORT = 8,
    }
    /// `kexec_file_load(2)` flags.
    KEXEC_FILE: long "KEXEC_FILE_???" {
        KEXEC_FILE_UNLOAD = 1, KEXEC_FILE_ON_CRASH = 2, KEXEC_FILE_NO_INITRAMFS = 4,
        KEXEC_FILE_DEBUG = 8, KEXEC_FILE_NO_CMA = 0x10, KEXEC_FILE_FORCE_DTB = 0x20,
    }
    /// `kcmp(2)` kinds of resource.
    KCMP: int "KCMP_???" {
        KCMP_FILE = 0, KCMP_VM = 1, KCMP_FILES = 2, KCMP_FS = 3, KCMP_SIGHAND = 4, KCMP_IO = 5,
        KCMP_SYSVSEM = 6, KCMP_EPOLL_TFD = 7,
    }
    /// `seccomp(2)` operations.
    SECCOMP: int "SECCOMP_SET_MODE_???" {
        SECCOMP_SET_MODE_STRICT = 0, SECCOMP_SET_MODE_FILTER = 1, SECCOMP_GET_ACTION_AVAIL = 2,
        SECCOMP_GET_NOTIF_SIZES = 3,
    }
    /// `seccomp(2)` filter flags.
    SECCOMP_FILTER: int "SECCOMP_FILTER_FLAG_???" {
        SECCOMP_FILTER_FLAG_TSYNC = 1, SECCOMP_FILTER_FLAG_LOG = 2, SECCOMP_FILTER_FLAG_SPEC_ALLOW = 4,
        SECCOMP_FILTER_FLAG_NEW_LISTENER = 8, SECCOMP_FILTER_FLAG_TSYNC_ESRCH = 0x10,
        SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV = 0x20,
    }
    /// `getrandom(2)` flags.
    GETRANDOM: int "GRND_???" { GRND_NONBLOCK = 1, GRND_RANDOM = 2, GRND_INSECURE = 4 }
    /// `bpf(2)` commands.
    BPF: int "BPF_???" {
        BPF_MAP_CREATE = 0, BPF_MAP_LOOKUP_ELEM = 1, BPF_MAP_UPDATE_ELEM = 2, BPF_MAP_DELETE_ELEM = 3,
        BPF_MAP_GET_NEXT_KEY = 4, BPF_PROG_LOAD = 5, BPF_OBJ_PIN = 6, BPF_OBJ_GET = 7,
        BPF_PROG_ATTACH = 8, BPF_PROG_DETACH = 9, BPF_PROG_TEST_RUN = 10, BPF_PROG_GET_NEXT_ID = 11,
        BPF_MAP_GET_NEXT_ID = 12, BPF_PROG_GET_FD_BY_ID = 13, BPF_MAP_GET_FD_BY_ID = 14,
        BPF_OBJ_GET_INFO_BY_FD = 15, BPF_PROG_QUERY = 16, BPF_RAW_TRACEPOINT_OPEN = 17,
        BPF_BTF_LOAD = 18, BPF_BTF_GET_FD_BY_ID = 19, BPF_TASK_FD_QUERY = 20,
        BPF_MAP_LOOKUP_AND_DELETE_ELEM = 21, BPF_MAP_FREEZE = 22, BPF_BTF_GET_NEXT_ID = 23,
        BPF_MAP_LOOKUP_BATCH = 24, BPF_MAP_LOOKUP_AND_DELETE_BATCH = 25, BPF_MAP_UPDATE_BATCH = 26,
        BPF_MAP_DELETE_BATCH = 27, BPF_LINK_CREATE = 28, BPF_LINK_UPDATE = 29,
        BPF_LINK_GET_FD_BY_ID = 30, BPF_LINK_GET_NEXT_ID = 31, BPF_ENABLE_STATS = 32,
        BPF_ITER_CREATE = 33, BPF_LINK_DETACH = 34, BPF_PROG_BIND_MAP = 35, BPF_TOKEN_CREATE = 36,
        BPF_PROG_STREAM_READ_BY_FD = 37,
    }
    /// `perf_event_open(2)` flags.
    PERF: long "PERF_FLAG_???" {
        PERF_FLAG_FD_NO_GROUP = 1, PERF_FLAG_FD_OUTPUT = 2, PERF_FLAG_PID_CGROUP = 4,
        PERF_FLAG_FD_CLOEXEC = 8,
    }
    /// `membarrier(2)` commands.
    MEMBARRIER: int "MEMBARRIER_CMD_???" {
        MEMBARRIER_CMD_QUERY = 0, MEMBARRIER_CMD_GLOBAL = 1, MEMBARRIER_CMD_GLOBAL_EXPEDITED = 2,
        MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED = 4, MEMBARRIER_CMD_PRIVATE_EXPEDITED = 8,
        MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED = 0x10,
        MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE = 0x20,
        MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE = 0x40,
        MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ = 0x80,
        MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ = 0x100, MEMBARRIER_CMD_GET_REGISTRATIONS = 0x200,
    }
    /// `membarrier(2)` flags.
    MEMBARRIER_FLAGS: int "MEMBARRIER_CMD_FLAG_???" { MEMBARRIER_CMD_FLAG_CPU = 1 }
    /// `rseq(2)` flags.
    RSEQ: int "RSEQ_FLAG_???" { RSEQ_FLAG_UNREGISTER = 1 }
    /// `landlock_create_ruleset(2)` flags.
    LANDLOCK_CREATE: int "LANDLOCK_CREATE_RULESET_???" {
        LANDLOCK_CREATE_RULESET_VERSION = 1, LANDLOCK_CREATE_RULESET_ERRATA = 2,
    }
    /// `landlock_add_rule(2)` rule types.
    LANDLOCK_RULE: int "LANDLOCK_RULE_???" { LANDLOCK_RULE_PATH_BENEATH = 1, LANDLOCK_RULE_NET_PORT = 2 }
    /// `landlock_restrict_self(2)` flags.
    LANDLOCK_RESTRICT: int "LANDLOCK_RESTRICT_SELF_???" {
        LANDLOCK_RESTRICT_SELF_LOG_SAME_EXEC_OFF = 1, LANDLOCK_RESTRICT_SELF_LOG_NEW_EXEC_ON = 2,
        LANDLOCK_RESTRICT_SELF_LOG_SUBDOMAINS_OFF = 4,
    }
    /// `lsm_get_self_attr(2)` attributes.
    LSM_ATTR: int "LSM_ATTR_???" {
        LSM_ATTR_UNDEF = 0, LSM_ATTR_CURRENT = 100, LSM_ATTR_EXEC = 101, LSM_ATTR_FSCREATE = 102,
        LSM_ATTR_KEYCREATE = 103, LSM_ATTR_PREV = 104, LSM_ATTR_SOCKCREATE = 105,
    }
    /// `lsm_get_self_attr(2)` flags.
    LSM_GET: int "LSM_FLAG_???" { LSM_FLAG_SINGLE = 1 }
}
