//! Members of structures that few programs use, and the options of internet sockets.

use super::flag_sets;

flag_sets! {
    /// `sem_flg` of `struct sembuf`.
    SEMBUF: int "SEM_???" { SEM_UNDO = 0o10_000, IPC_NOWAIT = 0o4000 }
    /// What a processor has registers for (`arch/x86/include/asm/fpu/types.h`).
    XFEATURE: long "XFEATURE_???" {
        XFEATURE_FP = 0, XFEATURE_SSE = 1, XFEATURE_YMM = 2, XFEATURE_BNDREGS = 3, XFEATURE_BNDCSR = 4,
        XFEATURE_OPMASK = 5, XFEATURE_ZMM_Hi256 = 6, XFEATURE_Hi16_ZMM = 7,
        XFEATURE_PT_UNIMPLEMENTED_SO_FAR = 8, XFEATURE_PKRU = 9, XFEATURE_PASID = 10, XFEATURE_LBR = 15,
        XFEATURE_XTILE_CFG = 17, XFEATURE_XTILE_DATA = 18,
    }
    /// The same as bits.
    XFEATURE_MASK: long "XFEATURE_MASK_???" {
        XFEATURE_MASK_FPSSE = 3, XFEATURE_MASK_FP = 1, XFEATURE_MASK_SSE = 2, XFEATURE_MASK_YMM = 4,
        XFEATURE_MASK_BNDREGS = 8, XFEATURE_MASK_BNDCSR = 0x10, XFEATURE_MASK_AVX512 = 0xe0,
        XFEATURE_MASK_OPMASK = 0x20, XFEATURE_MASK_ZMM_Hi256 = 0x40, XFEATURE_MASK_Hi16_ZMM = 0x80,
        XFEATURE_MASK_PT = 0x100, XFEATURE_MASK_PKRU = 0x200, XFEATURE_MASK_PASID = 0x400,
        XFEATURE_MASK_LBR = 0x8000, XFEATURE_MASK_XTILE = 0x6_0000, XFEATURE_MASK_XTILE_CFG = 0x2_0000,
        XFEATURE_MASK_XTILE_DATA = 0x4_0000,
    }
    /// `aio_lio_opcode` of `struct iocb`.
    AIO_COMMAND: int "IOCB_CMD_???" {
        IOCB_CMD_PREAD = 0, IOCB_CMD_PWRITE = 1, IOCB_CMD_FSYNC = 2, IOCB_CMD_FDSYNC = 3, IOCB_CMD_PREADX = 4,
        IOCB_CMD_POLL = 5, IOCB_CMD_NOOP = 6, IOCB_CMD_PREADV = 7, IOCB_CMD_PWRITEV = 8,
    }
    /// `aio_flags` of `struct iocb`.
    AIO_FLAGS: int "IOCB_FLAG_???" { IOCB_FLAG_RESFD = 1, IOCB_FLAG_IOPRIO = 2 }
    /// Classes of priorities of reading and writing.
    IO_CLASS: int "IOPRIO_CLASS_???" {
        IOPRIO_CLASS_NONE = 0, IOPRIO_CLASS_RT = 1, IOPRIO_CLASS_BE = 2, IOPRIO_CLASS_IDLE = 3,
    }
    /// `flags` of `struct futex_waitv`.
    FUTEX_WAITER: int "FUTEX_???" { FUTEX_32 = 2, FUTEX_PRIVATE_FLAG = 128 }
    /// What `FUTEX_WAKE_OP` does to the second futex.
    FUTEX_WAKE_OP: int "FUTEX_OP_???" {
        FUTEX_OP_SET = 0, FUTEX_OP_ADD = 1, FUTEX_OP_OR = 2, FUTEX_OP_ANDN = 3, FUTEX_OP_XOR = 4,
    }
    /// How it compares what was there.
    FUTEX_COMPARISON: int "FUTEX_OP_CMP_???" {
        FUTEX_OP_CMP_EQ = 0, FUTEX_OP_CMP_NE = 1, FUTEX_OP_CMP_LT = 2, FUTEX_OP_CMP_LE = 3, FUTEX_OP_CMP_GT = 4,
        FUTEX_OP_CMP_GE = 5,
    }
    /// Sets of registers (`linux/elf.h`).
    NOTE: long "NT_???" {
        NT_PRSTATUS = 1, NT_FPREGSET = 2, NT_PRPSINFO = 3, NT_PRXREG = 4, NT_PLATFORM = 5, NT_AUXV = 6,
        NT_GWINDOWS = 7, NT_ASRS = 8, NT_PSTATUS = 10, NT_PSINFO = 13, NT_PRCRED = 14, NT_UTSNAME = 15,
        NT_LWPSTATUS = 16, NT_LWPSINFO = 17, NT_PRFPXREG = 20, NT_PPC_VMX = 0x100, NT_386_TLS = 0x200,
        NT_386_IOPERM = 0x201, NT_X86_XSTATE = 0x202, NT_S390_HIGH_GPRS = 0x300, NT_ARM_VFP = 0x400,
        NT_PRXFPREG = 0x46e6_2b7f, NT_SIGINFO = 0x5349_4749,
    }
    /// Options of `ptrace(2)`.
    PTRACE_OPTION: long "PTRACE_O_???" {
        PTRACE_O_TRACESYSGOOD = 1, PTRACE_O_TRACEFORK = 2, PTRACE_O_TRACEVFORK = 4, PTRACE_O_TRACECLONE = 8,
        PTRACE_O_TRACEEXEC = 0x10, PTRACE_O_TRACEVFORKDONE = 0x20, PTRACE_O_TRACEEXIT = 0x40,
        PTRACE_O_TRACESECCOMP = 0x80, PTRACE_O_EXITKILL = 0x10_0000, PTRACE_O_SUSPEND_SECCOMP = 0x20_0000,
    }
    /// `modes` of `struct timex`.
    ADJUST: int "ADJ_???" {
        ADJ_OFFSET_SS_READ = 0xa001, ADJ_OFFSET_SINGLESHOT = 0x8001, ADJ_OFFSET = 1, ADJ_FREQUENCY = 2,
        ADJ_MAXERROR = 4, ADJ_ESTERROR = 8, ADJ_STATUS = 0x10, ADJ_TIMECONST = 0x20, ADJ_TAI = 0x80,
        ADJ_SETOFFSET = 0x100, ADJ_MICRO = 0x1000, ADJ_NANO = 0x2000, ADJ_TICK = 0x4000,
    }
    /// `status` of `struct timex`.
    CLOCK_STATUS: int "STA_???" {
        STA_PLL = 1, STA_PPSFREQ = 2, STA_PPSTIME = 4, STA_FLL = 8, STA_INS = 0x10, STA_DEL = 0x20,
        STA_UNSYNC = 0x40, STA_FREQHOLD = 0x80, STA_PPSSIGNAL = 0x100, STA_PPSJITTER = 0x200,
        STA_PPSWANDER = 0x400, STA_PPSERROR = 0x800, STA_CLOCKERR = 0x1000, STA_NANO = 0x2000,
        STA_MODE = 0x4000, STA_CLK = 0x8000,
    }
    /// What adjtimex returns.
    CLOCK_STATE: int "TIME_???" {
        TIME_OK = 0, TIME_INS = 1, TIME_DEL = 2, TIME_OOP = 3, TIME_WAIT = 4, TIME_ERROR = 5,
    }
    /// Levels of the kernel's messages.
    LOG_LEVEL: int "LOGLEVEL_???" {
        LOGLEVEL_EMERG = 0, LOGLEVEL_ALERT = 1, LOGLEVEL_CRIT = 2, LOGLEVEL_ERR = 3, LOGLEVEL_WARNING = 4,
        LOGLEVEL_NOTICE = 5, LOGLEVEL_INFO = 6, LOGLEVEL_DEBUG = 7,
    }
    /// `sigev_notify` of `struct sigevent`.
    SIGEVENT: int "SIGEV_???" {
        SIGEV_SIGNAL = 0, SIGEV_NONE = 1, SIGEV_THREAD = 2, SIGEV_THREAD_ID = 4,
    }
    /// `handled_access_fs` and `allowed_access` of Landlock.
    LANDLOCK_ACCESS: long "LANDLOCK_ACCESS_FS_???" {
        LANDLOCK_ACCESS_FS_EXECUTE = 1, LANDLOCK_ACCESS_FS_WRITE_FILE = 2, LANDLOCK_ACCESS_FS_READ_FILE = 4,
        LANDLOCK_ACCESS_FS_READ_DIR = 8, LANDLOCK_ACCESS_FS_REMOVE_DIR = 0x10,
        LANDLOCK_ACCESS_FS_REMOVE_FILE = 0x20, LANDLOCK_ACCESS_FS_MAKE_CHAR = 0x40,
        LANDLOCK_ACCESS_FS_MAKE_DIR = 0x80, LANDLOCK_ACCESS_FS_MAKE_REG = 0x100,
        LANDLOCK_ACCESS_FS_MAKE_SOCK = 0x200, LANDLOCK_ACCESS_FS_MAKE_FIFO = 0x400,
        LANDLOCK_ACCESS_FS_MAKE_BLOCK = 0x800, LANDLOCK_ACCESS_FS_MAKE_SYM = 0x1000,
        LANDLOCK_ACCESS_FS_REFER = 0x2000,
    }
    /// `mq_flags` of `struct mq_attr`.
    QUEUE_FLAGS: long "O_???" { O_NONBLOCK = 0o4000 }
    /// `propagation` of `struct mount_attr`.
    PROPAGATION: long "MS_???" {
        MS_UNBINDABLE = 0x2_0000, MS_PRIVATE = 0x4_0000, MS_SLAVE = 0x8_0000, MS_SHARED = 0x10_0000,
    }
    /// Architectures as seccomp and ptrace tell them (`linux/audit.h`).
    AUDIT_ARCH: int "AUDIT_ARCH_???" {
        AUDIT_ARCH_I386 = 0x4000_0003, AUDIT_ARCH_X86_64 = 0xc000_003e, AUDIT_ARCH_ARM = 0x4000_0028,
        AUDIT_ARCH_AARCH64 = 0xc000_00b7, AUDIT_ARCH_PPC = 20, AUDIT_ARCH_PPC64 = 0x8000_0015,
        AUDIT_ARCH_PPC64LE = 0xc000_0015, AUDIT_ARCH_RISCV32 = 0x4000_00f3, AUDIT_ARCH_RISCV64 = 0xc000_00f3,
        AUDIT_ARCH_S390 = 22, AUDIT_ARCH_S390X = 0x8000_0016, AUDIT_ARCH_MIPS = 8,
        AUDIT_ARCH_MIPSEL = 0x4000_0008, AUDIT_ARCH_MIPS64 = 0x8000_0008, AUDIT_ARCH_MIPSEL64 = 0xc000_0008,
    }
    /// Which signals `PTRACE_PEEKSIGINFO` is to look at.
    PTRACE_PEEK: int "PTRACE_PEEKSIGINFO_???" {
        PTRACE_PEEKSIGINFO_SHARED = 1,
    }
    /// What a stop is of which `PTRACE_GET_SYSCALL_INFO` tells.
    PTRACE_STOP: int "PTRACE_SYSCALL_INFO_???" {
        PTRACE_SYSCALL_INFO_NONE = 0, PTRACE_SYSCALL_INFO_ENTRY = 1, PTRACE_SYSCALL_INFO_EXIT = 2,
        PTRACE_SYSCALL_INFO_SECCOMP = 3,
    }
}
