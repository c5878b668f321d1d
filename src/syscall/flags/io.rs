//! Descriptors: what is done to and through them. (`open(2)` flags differ between architectures.)

use super::flag_sets;

flag_sets! {
    /// `lseek(2)` origin.
    SEEK: int "SEEK_???" { SEEK_SET = 0, SEEK_CUR = 1, SEEK_END = 2, SEEK_DATA = 3, SEEK_HOLE = 4 }
    /// `fcntl(2)` commands. 12 to 14 are of 32-bit programs.
    FCNTL: int "F_???" {
        F_DUPFD = 0, F_GETFD = 1, F_SETFD = 2, F_GETFL = 3, F_SETFL = 4, F_GETLK = 5, F_SETLK = 6,
        F_SETLKW = 7, F_SETOWN = 8, F_GETOWN = 9, F_SETSIG = 10, F_GETSIG = 11, F_GETLK64 = 12,
        F_SETLK64 = 13, F_SETLKW64 = 14, F_SETOWN_EX = 15, F_GETOWN_EX = 16, F_GETOWNER_UIDS = 17,
        F_OFD_GETLK = 36, F_OFD_SETLK = 37, F_OFD_SETLKW = 38, F_SETLEASE = 1024, F_GETLEASE = 1025,
        F_NOTIFY = 1026, F_DUPFD_QUERY = 1027, F_CREATED_QUERY = 1028, F_CANCELLK = 1029,
        F_DUPFD_CLOEXEC = 1030, F_SETPIPE_SZ = 1031, F_GETPIPE_SZ = 1032, F_ADD_SEALS = 1033,
        F_GET_SEALS = 1034, F_GET_RW_HINT = 1035, F_SET_RW_HINT = 1036, F_GET_FILE_RW_HINT = 1037,
        F_SET_FILE_RW_HINT = 1038,
    }
    /// Flags of 32 bits of which none has a name.
    NAMELESS: int "" {}
    /// Descriptor flags: `F_SETFD` of `fcntl(2)`.
    FD_FLAGS: int "FD_???" { FD_CLOEXEC = 1 }
    /// `F_SETLEASE` of `fcntl(2)`.
    LEASE: long "F_???" { F_RDLCK = 0, F_WRLCK = 1, F_UNLCK = 2, F_EXLCK = 4, F_SHLCK = 8 }
    /// Kinds of owners of descriptors: `F_SETOWN_EX` of `fcntl(2)`.
    OWNER_KIND: int "F_OWNER_???" { F_OWNER_TID = 0, F_OWNER_PID = 1, F_OWNER_PGRP = 2 }
    /// `F_ADD_SEALS` of `fcntl(2)`.
    SEALS: long "F_SEAL_???" {
        F_SEAL_SEAL = 1, F_SEAL_SHRINK = 2, F_SEAL_GROW = 4, F_SEAL_WRITE = 8, F_SEAL_FUTURE_WRITE = 0x10,
        F_SEAL_EXEC = 0x20,
    }
    /// `F_NOTIFY` of `fcntl(2)`.
    DIRECTORY_NOTICE: long "DN_???" {
        DN_ACCESS = 1, DN_MODIFY = 2, DN_CREATE = 4, DN_DELETE = 8, DN_RENAME = 0x10, DN_ATTRIB = 0x20,
        DN_MULTISHOT = 0x8000_0000,
    }
    /// `flock(2)` operations.
    FLOCK: int "LOCK_???" {
        LOCK_SH = 1, LOCK_EX = 2, LOCK_NB = 4, LOCK_UN = 8, LOCK_MAND = 0x20, LOCK_RW = 0xc0, LOCK_READ = 0x40,
        LOCK_WRITE = 0x80,
    }
    /// `splice(2)`, `tee(2)` and `vmsplice(2)` flags.
    SPLICE: int "SPLICE_F_???" {
        SPLICE_F_MOVE = 1, SPLICE_F_NONBLOCK = 2, SPLICE_F_MORE = 4, SPLICE_F_GIFT = 8,
    }
    /// `sync_file_range(2)` flags.
    SYNC_FILE_RANGE: int "SYNC_FILE_RANGE_???" {
        SYNC_FILE_RANGE_WAIT_BEFORE = 1, SYNC_FILE_RANGE_WRITE = 2, SYNC_FILE_RANGE_WAIT_AFTER = 4,
    }
    /// `posix_fadvise(2)` advice.
    FADVISE: int "POSIX_FADV_???" {
        POSIX_FADV_NORMAL = 0, POSIX_FADV_RANDOM = 1, POSIX_FADV_SEQUENTIAL = 2, POSIX_FADV_WILLNEED = 3,
        POSIX_FADV_DONTNEED = 4, POSIX_FADV_NOREUSE = 5,
    }
    /// `preadv2(2)` and `pwritev2(2)` flags.
    RWF: int "RWF_???" {
        RWF_HIPRI = 1, RWF_DSYNC = 2, RWF_SYNC = 4, RWF_NOWAIT = 8, RWF_APPEND = 0x10,
        RWF_NOAPPEND = 0x20, RWF_ATOMIC = 0x40, RWF_DONTCACHE = 0x80, RWF_NOSIGNAL = 0x100,
    }
    /// `close_range(2)` flags.
    CLOSE_RANGE: int "CLOSE_RANGE_???" { CLOSE_RANGE_UNSHARE = 2, CLOSE_RANGE_CLOEXEC = 4 }
    /// `eventfd2(2)` flags.
    EVENTFD: int "EFD_???" { EFD_SEMAPHORE = 1, EFD_CLOEXEC = 0o2_000_000, EFD_NONBLOCK = 0o4000 }
    /// `signalfd4(2)` flags.
    SIGNALFD: int "SFD_???" { SFD_CLOEXEC = 0o2_000_000, SFD_NONBLOCK = 0o4000 }
    /// `timerfd_create(2)` and `timerfd_settime(2)` flags.
    TIMERFD: int "TFD_???" {
        TFD_TIMER_ABSTIME = 1, TFD_TIMER_CANCEL_ON_SET = 2, TFD_CLOEXEC = 0o2_000_000, TFD_NONBLOCK = 0o4000,
    }
    /// `epoll_create1(2)` flags.
    EPOLL_CREATE: int "EPOLL_???" { EPOLL_CLOEXEC = 0o2_000_000 }
    /// `epoll_ctl(2)` operations.
    EPOLL_CTL: int "EPOLL_CTL_???" { EPOLL_CTL_ADD = 1, EPOLL_CTL_DEL = 2, EPOLL_CTL_MOD = 3 }
    /// `io_uring_enter(2)` flags.
    IO_URING_ENTER: int "IORING_ENTER_???" {
        IORING_ENTER_GETEVENTS = 1, IORING_ENTER_SQ_WAKEUP = 2, IORING_ENTER_SQ_WAIT = 4,
        IORING_ENTER_EXT_ARG = 8, IORING_ENTER_REGISTERED_RING = 0x10, IORING_ENTER_ABS_TIMER = 0x20,
        IORING_ENTER_EXT_ARG_REG = 0x40, IORING_ENTER_NO_IOWAIT = 0x80,
    }
    /// `io_uring_register(2)` opcodes.
    IO_URING_REGISTER: int "IORING_REGISTER_???" {
        IORING_REGISTER_BUFFERS = 0, IORING_UNREGISTER_BUFFERS = 1, IORING_REGISTER_FILES = 2,
        IORING_UNREGISTER_FILES = 3, IORING_REGISTER_EVENTFD = 4, IORING_UNREGISTER_EVENTFD = 5,
        IORING_REGISTER_FILES_UPDATE = 6, IORING_REGISTER_EVENTFD_ASYNC = 7, IORING_REGISTER_PROBE = 8,
        IORING_REGISTER_PERSONALITY = 9, IORING_UNREGISTER_PERSONALITY = 10,
        IORING_REGISTER_RESTRICTIONS = 11, IORING_REGISTER_ENABLE_RINGS = 12,
        IORING_REGISTER_FILES2 = 13, IORING_REGISTER_FILES_UPDATE2 = 14, IORING_REGISTER_BUFFERS2 = 15,
        IORING_REGISTER_BUFFERS_UPDATE = 16, IORING_REGISTER_IOWQ_AFF = 17,
        IORING_UNREGISTER_IOWQ_AFF = 18, IORING_REGISTER_IOWQ_MAX_WORKERS = 19,
        IORING_REGISTER_RING_FDS = 20, IORING_UNREGISTER_RING_FDS = 21, IORING_REGISTER_PBUF_RING = 22,
        IORING_UNREGISTER_PBUF_RING = 23, IORING_REGISTER_SYNC_CANCEL = 24,
        IORING_REGISTER_FILE_ALLOC_RANGE = 25, IORING_REGISTER_PBUF_STATUS = 26,
        IORING_REGISTER_NAPI = 27, IORING_UNREGISTER_NAPI = 28, IORING_REGISTER_CLOCK = 29,
        IORING_REGISTER_CLONE_BUFFERS = 30, IORING_REGISTER_SEND_MSG_RING = 31,
        IORING_REGISTER_ZCRX_IFQ = 32, IORING_REGISTER_RESIZE_RINGS = 33,
        IORING_REGISTER_MEM_REGION = 34, IORING_REGISTER_QUERY = 35,
    }
}
