//! Names of what stands in structures and results, where no argument has them.

use super::{FlagSet, flag_sets};

flag_sets! {
    /// `events` and `revents` of `struct pollfd`.
    POLL: long "POLL???" {
        POLLIN = 1, POLLPRI = 2, POLLOUT = 4, POLLERR = 8, POLLHUP = 0x10, POLLNVAL = 0x20, POLLRDNORM = 0x40,
        POLLRDBAND = 0x80, POLLWRNORM = 0x100, POLLWRBAND = 0x200, POLLMSG = 0x400, POLLREMOVE = 0x1000,
        POLLRDHUP = 0x2000, POLL_BUSY_LOOP = 0x8000,
    }
    /// `events` of `struct epoll_event`.
    EPOLL_EVENTS: int "EPOLL???" {
        EPOLLIN = 1, EPOLLPRI = 2, EPOLLOUT = 4, EPOLLERR = 8, EPOLLHUP = 0x10, EPOLLNVAL = 0x20, EPOLLRDNORM = 0x40, EPOLLRDBAND = 0x80, EPOLLWRNORM = 0x100,
        EPOLLWRBAND = 0x200, EPOLLMSG = 0x400, EPOLLRDHUP = 0x2000,
        EPOLLEXCLUSIVE = 0x1000_0000, EPOLLWAKEUP = 0x2000_0000, EPOLLONESHOT = 0x4000_0000, EPOLLET = 0x8000_0000,
    }
    /// `sa_flags` of `struct sigaction`.
    SIGACTION: long "SA_???" {
        SA_RESTORER = 0x0400_0000, SA_ONSTACK = 0x0800_0000, SA_RESTART = 0x1000_0000, SA_INTERRUPT = 0x2000_0000, SA_NODEFER = 0x4000_0000, SA_RESETHAND = 0x8000_0000,
        SA_SIGINFO = 4, SA_NOCLDSTOP = 1, SA_NOCLDWAIT = 2, SA_UNSUPPORTED = 0x400,
        SA_EXPOSE_TAGBITS = 0x800,
    }
    /// Whether a process can be dumped (`PR_SET_DUMPABLE`).
    SUID_DUMP: int "SUID_DUMP_???" { SUID_DUMP_DISABLE = 0, SUID_DUMP_USER = 1, SUID_DUMP_ROOT = 2 }
    /// `ss_flags` of `stack_t`.
    SIGNAL_STACK: int "SS_???" { SS_ONSTACK = 1, SS_DISABLE = 2, SS_AUTODISARM = 0x8000_0000 }
    /// Type of an entry of a directory.
    FILE_TYPE: int "DT_???" {
        DT_UNKNOWN = 0, DT_FIFO = 1, DT_CHR = 2, DT_DIR = 4, DT_BLK = 6, DT_REG = 8, DT_LNK = 10, DT_SOCK = 12,
        DT_WHT = 14,
    }
    /// `cmsg_type` of control messages of `SOL_SOCKET`.
    CONTROL_MESSAGE: int "SCM_???" {
        SCM_RIGHTS = 1, SCM_CREDENTIALS = 2, SCM_SECURITY = 3, SCM_PIDFD = 4, SO_TIMESTAMP_OLD = 29,
        SO_TIMESTAMPNS_OLD = 35, SO_TIMESTAMPING_OLD = 37, SO_TIMESTAMP_NEW = 63, SO_TIMESTAMPNS_NEW = 64,
        SO_TIMESTAMPING_NEW = 65, SO_WIFI_STATUS = 41, SCM_TIMESTAMPING_OPT_STATS = 54,
        SCM_TIMESTAMPING_PKTINFO = 58, SO_TXTIME = 61,
    }
    /// The same of the internet's.
    IP_CONTROL: int "IP_???" {
        IP_TOS = 1, IP_TTL = 2, SCM_SECURITY = 3, IP_RECVOPTS = 6, IP_RETOPTS = 7, IP_PKTINFO = 8,
        IP_RECVERR = 11, IP_ORIGDSTADDR = 20, IP_CHECKSUM = 23,
    }
    /// Flags of an inode (`FS_IOC_GETFLAGS`).
    INODE_FLAGS: int "FS_???" {
        FS_SECRM_FL = 1, FS_UNRM_FL = 2, FS_COMPR_FL = 4, FS_SYNC_FL = 8, FS_IMMUTABLE_FL = 0x10,
        FS_APPEND_FL = 0x20, FS_NODUMP_FL = 0x40, FS_NOATIME_FL = 0x80, FS_DIRTY_FL = 0x100,
        FS_COMPRBLK_FL = 0x200, FS_NOCOMP_FL = 0x400, FS_ENCRYPT_FL = 0x800, FS_INDEX_FL = 0x1000,
        FS_IMAGIC_FL = 0x2000, FS_JOURNAL_DATA_FL = 0x4000, FS_NOTAIL_FL = 0x8000, FS_DIRSYNC_FL = 0x1_0000,
        FS_TOPDIR_FL = 0x2_0000, FS_HUGE_FILE_FL = 0x4_0000, FS_EXTENT_FL = 0x8_0000, FS_VERITY_FL = 0x10_0000,
        FS_EA_INODE_FL = 0x20_0000, FS_EOFBLOCKS_FL = 0x40_0000, FS_NOCOW_FL = 0x80_0000, FS_DAX_FL = 0x200_0000,
        FS_INLINE_DATA_FL = 0x1000_0000, FS_PROJINHERIT_FL = 0x2000_0000, FS_CASEFOLD_FL = 0x4000_0000,
        FS_RESERVED_FL = 0x8000_0000,
    }
    /// `stx_attributes` of `struct statx`.
    STATX_ATTR: long "STATX_ATTR_???" {
        STATX_ATTR_COMPRESSED = 4, STATX_ATTR_IMMUTABLE = 0x10, STATX_ATTR_APPEND = 0x20,
        STATX_ATTR_NODUMP = 0x40, STATX_ATTR_ENCRYPTED = 0x800, STATX_ATTR_AUTOMOUNT = 0x1000,
        STATX_ATTR_MOUNT_ROOT = 0x2000, STATX_ATTR_VERITY = 0x10_0000, STATX_ATTR_DAX = 0x20_0000,
    }
    /// `f_type` of `struct statfs` (`linux/magic.h`).
    FS_MAGIC: long "" {
        EXT2_SUPER_MAGIC = 0xef53, PROC_SUPER_MAGIC = 0x9fa0, TMPFS_MAGIC = 0x0102_1994,
        SYSFS_MAGIC = 0x6265_6572, DEVPTS_SUPER_MAGIC = 0x1cd1, CGROUP2_SUPER_MAGIC = 0x6367_7270,
        CGROUP_SUPER_MAGIC = 0x0027_e0eb, BTRFS_SUPER_MAGIC = 0x9123_683e, XFS_SUPER_MAGIC = 0x5846_5342,
        OVERLAYFS_SUPER_MAGIC = 0x794c_7630, NFS_SUPER_MAGIC = 0x6969, FUSE_SUPER_MAGIC = 0x6573_5546,
        SQUASHFS_MAGIC = 0x7371_7368, RAMFS_MAGIC = 0x8584_58f6, DEBUGFS_MAGIC = 0x6462_6720,
        TRACEFS_MAGIC = 0x7472_6163, BPF_FS_MAGIC = 0xcafe_4a11, PIPEFS_MAGIC = 0x5049_5045,
        SOCKFS_MAGIC = 0x534f_434b, HUGETLBFS_MAGIC = 0x9584_58f6, MSDOS_SUPER_MAGIC = 0x4d44,
        ISOFS_SUPER_MAGIC = 0x9660, F2FS_SUPER_MAGIC = 0xf2f5_2010, V9FS_MAGIC = 0x0102_1997,
        SECURITYFS_MAGIC = 0x7363_6673, SELINUX_MAGIC = 0xf97c_ff8c, ANON_INODE_FS_MAGIC = 0x0904_1934,
        NSFS_MAGIC = 0x6e73_6673, AUTOFS_SUPER_MAGIC = 0x0187, BINFMTFS_MAGIC = 0x4249_4e4d,
        EFIVARFS_MAGIC = 0xde5e_81e4, PSTOREFS_MAGIC = 0x6165_676c,
    }
    /// `f_flags` of `struct statfs`.
    FS_STATE: long "ST_???" {
        ST_VALID = 0x20, ST_RDONLY = 1, ST_NOSUID = 2, ST_NODEV = 4, ST_NOEXEC = 8, ST_SYNCHRONOUS = 0x10,
        ST_MANDLOCK = 0x40, ST_NOATIME = 0x400, ST_NODIRATIME = 0x800, ST_RELATIME = 0x1000,
        ST_NOSYMFOLLOW = 0x2000,
    }
    /// Line discipline of a terminal.
    TTY_LINE: int "N_???" {
        N_TTY = 0, N_SLIP = 1, N_MOUSE = 2, N_PPP = 3, N_STRIP = 4, N_AX25 = 5, N_X25 = 6,
    }
    /// `c_iflag` of `struct termios`.
    TERMIOS_I: int "" {
        IGNBRK = 1, BRKINT = 2, IGNPAR = 4, PARMRK = 8, INPCK = 0x10, ISTRIP = 0x20, INLCR = 0x40, IGNCR = 0x80,
        ICRNL = 0x100, IUCLC = 0x200, IXON = 0x400, IXANY = 0x800, IXOFF = 0x1000, IMAXBEL = 0x2000, IUTF8 = 0x4000,
    }
    /// `c_oflag`.
    TERMIOS_O: int ""
        Choice(0x100) { NL0 = 0, NL1 = 0x100 }
        Choice(0x600) { CR0 = 0, CR1 = 0x200, CR2 = 0x400, CR3 = 0x600 }
        Choice(0x1800) { TAB0 = 0, TAB1 = 0x800, TAB2 = 0x1000, TAB3 = 0x1800 }
        Choice(0x2000) { BS0 = 0, BS1 = 0x2000 }
        Choice(0x4000) { VT0 = 0, VT1 = 0x4000 }
        Choice(0x8000) { FF0 = 0, FF1 = 0x8000 }
    {
        OPOST = 1, OLCUC = 2, ONLCR = 4, OCRNL = 8, ONOCR = 0x10, ONLRET = 0x20, OFILL = 0x40, OFDEL = 0x80,
    }
    /// `c_cflag`.
    TERMIOS_C: int ""
        Choice(0x100f) {
            B0 = 0, B50 = 1, B75 = 2, B110 = 3, B134 = 4, B150 = 5, B200 = 6, B300 = 7, B600 = 8, B1200 = 9,
            B1800 = 10, B2400 = 11, B4800 = 12, B9600 = 13, B19200 = 14, B38400 = 15, B57600 = 0x1001,
            B115200 = 0x1002, B230400 = 0x1003, B460800 = 0x1004, B500000 = 0x1005, B576000 = 0x1006,
            B921600 = 0x1007, B1000000 = 0x1008, B1152000 = 0x1009, B1500000 = 0x100a, B2000000 = 0x100b,
            B2500000 = 0x100c, B3000000 = 0x100d, B3500000 = 0x100e, B4000000 = 0x100f,
        }
        Choice(0x30) { CS5 = 0, CS6 = 0x10, CS7 = 0x20, CS8 = 0x30 }
    {
        CSTOPB = 0x40, CREAD = 0x80, PARENB = 0x100, PARODD = 0x200, HUPCL = 0x400, CLOCAL = 0x800,
        CMSPAR = 0x4000_0000, CRTSCTS = 0x8000_0000,
    }
    /// `c_lflag`.
    TERMIOS_L: int "" {
        ISIG = 1, ICANON = 2, XCASE = 4, ECHO = 8, ECHOE = 0x10, ECHOK = 0x20, ECHONL = 0x40, NOFLSH = 0x80,
        TOSTOP = 0x100, ECHOCTL = 0x200, ECHOPRT = 0x400, ECHOKE = 0x800, FLUSHO = 0x1000, PENDIN = 0x4000,
        IEXTEN = 0x8000, EXTPROC = 0x1_0000,
    }
    /// Places in `c_cc`.
    TERMIOS_CC: int "" {
        VINTR = 0, VQUIT = 1, VERASE = 2, VKILL = 3, VEOF = 4, VTIME = 5, VMIN = 6, VSWTC = 7, VSTART = 8,
        VSTOP = 9, VSUSP = 10, VEOL = 11, VREPRINT = 12, VDISCARD = 13, VWERASE = 14, VLNEXT = 15, VEOL2 = 16,
    }
    /// Version of the structures of capget(2).
    CAP_VERSION: int "_LINUX_CAPABILITY_VERSION_???" {
        _LINUX_CAPABILITY_VERSION_1 = 0x1998_0330, _LINUX_CAPABILITY_VERSION_2 = 0x2007_1026,
        _LINUX_CAPABILITY_VERSION_3 = 0x2008_0522,
    }
    /// Capabilities by number.
    CAPABILITY: int "CAP_???" {
        CAP_CHOWN = 0, CAP_DAC_OVERRIDE = 1, CAP_DAC_READ_SEARCH = 2, CAP_FOWNER = 3, CAP_FSETID = 4,
        CAP_KILL = 5, CAP_SETGID = 6, CAP_SETUID = 7, CAP_SETPCAP = 8, CAP_LINUX_IMMUTABLE = 9,
        CAP_NET_BIND_SERVICE = 10, CAP_NET_BROADCAST = 11, CAP_NET_ADMIN = 12, CAP_NET_RAW = 13,
        CAP_IPC_LOCK = 14, CAP_IPC_OWNER = 15, CAP_SYS_MODULE = 16, CAP_SYS_RAWIO = 17, CAP_SYS_CHROOT = 18,
        CAP_SYS_PTRACE = 19, CAP_SYS_PACCT = 20, CAP_SYS_ADMIN = 21, CAP_SYS_BOOT = 22, CAP_SYS_NICE = 23,
        CAP_SYS_RESOURCE = 24, CAP_SYS_TIME = 25, CAP_SYS_TTY_CONFIG = 26, CAP_MKNOD = 27, CAP_LEASE = 28,
        CAP_AUDIT_WRITE = 29, CAP_AUDIT_CONTROL = 30, CAP_SETFCAP = 31, CAP_MAC_OVERRIDE = 32,
        CAP_MAC_ADMIN = 33, CAP_SYSLOG = 34, CAP_WAKE_ALARM = 35, CAP_BLOCK_SUSPEND = 36,
        CAP_AUDIT_READ = 37, CAP_PERFMON = 38, CAP_BPF = 39, CAP_CHECKPOINT_RESTORE = 40,
    }
}

/// Sets of capabilities: a bit each, written as the shift that makes it.
pub static CAPABILITIES: FlagSet = FlagSet {
    unknown: "CAP_???",
    wide: true,
    fields: &[],
    values: &[
        (1 << 0, "1<<CAP_CHOWN"),
        (1 << 1, "1<<CAP_DAC_OVERRIDE"),
        (1 << 2, "1<<CAP_DAC_READ_SEARCH"),
        (1 << 3, "1<<CAP_FOWNER"),
        (1 << 4, "1<<CAP_FSETID"),
        (1 << 5, "1<<CAP_KILL"),
        (1 << 6, "1<<CAP_SETGID"),
        (1 << 7, "1<<CAP_SETUID"),
        (1 << 8, "1<<CAP_SETPCAP"),
        (1 << 9, "1<<CAP_LINUX_IMMUTABLE"),
        (1 << 10, "1<<CAP_NET_BIND_SERVICE"),
        (1 << 11, "1<<CAP_NET_BROADCAST"),
        (1 << 12, "1<<CAP_NET_ADMIN"),
        (1 << 13, "1<<CAP_NET_RAW"),
        (1 << 14, "1<<CAP_IPC_LOCK"),
        (1 << 15, "1<<CAP_IPC_OWNER"),
        (1 << 16, "1<<CAP_SYS_MODULE"),
        (1 << 17, "1<<CAP_SYS_RAWIO"),
        (1 << 18, "1<<CAP_SYS_CHROOT"),
        (1 << 19, "1<<CAP_SYS_PTRACE"),
        (1 << 20, "1<<CAP_SYS_PACCT"),
        (1 << 21, "1<<CAP_SYS_ADMIN"),
        (1 << 22, "1<<CAP_SYS_BOOT"),
        (1 << 23, "1<<CAP_SYS_NICE"),
        (1 << 24, "1<<CAP_SYS_RESOURCE"),
        (1 << 25, "1<<CAP_SYS_TIME"),
        (1 << 26, "1<<CAP_SYS_TTY_CONFIG"),
        (1 << 27, "1<<CAP_MKNOD"),
        (1 << 28, "1<<CAP_LEASE"),
        (1 << 29, "1<<CAP_AUDIT_WRITE"),
        (1 << 30, "1<<CAP_AUDIT_CONTROL"),
        (1 << 31, "1<<CAP_SETFCAP"),
        (1 << 32, "1<<CAP_MAC_OVERRIDE"),
        (1 << 33, "1<<CAP_MAC_ADMIN"),
        (1 << 34, "1<<CAP_SYSLOG"),
        (1 << 35, "1<<CAP_WAKE_ALARM"),
        (1 << 36, "1<<CAP_BLOCK_SUSPEND"),
        (1 << 37, "1<<CAP_AUDIT_READ"),
        (1 << 38, "1<<CAP_PERFMON"),
        (1 << 39, "1<<CAP_BPF"),
        (1 << 40, "1<<CAP_CHECKPOINT_RESTORE"),
    ],
};
