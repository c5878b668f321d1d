//! Mounts, swap and quota.

use super::flag_sets;

flag_sets! {
    /// `mount(2)`: what programs for Linux 2.3 passed in the upper half of the flags.
    MOUNT_MAGIC: long "MS_???" { MS_MGC_VAL = 0xc0ed_0000 }
    /// `mount(2)` flags.
    MOUNT: long "MS_???" {
        MS_RDONLY = 1, MS_NOSUID = 2, MS_NODEV = 4, MS_NOEXEC = 8,
        MS_SYNCHRONOUS = 0x10, MS_REMOUNT = 0x20, MS_MANDLOCK = 0x40, MS_DIRSYNC = 0x80,
        MS_NOSYMFOLLOW = 0x100, MS_NOATIME = 0x400, MS_NODIRATIME = 0x800, MS_BIND = 0x1000,
        MS_MOVE = 0x2000, MS_REC = 0x4000, MS_SILENT = 0x8000, MS_POSIXACL = 0x1_0000,
        MS_UNBINDABLE = 0x2_0000, MS_PRIVATE = 0x4_0000, MS_SLAVE = 0x8_0000, MS_SHARED = 0x10_0000,
        MS_RELATIME = 0x20_0000, MS_KERNMOUNT = 0x40_0000, MS_I_VERSION = 0x80_0000,
        MS_STRICTATIME = 0x100_0000, MS_LAZYTIME = 0x200_0000, MS_SUBMOUNT = 0x400_0000,
        MS_NOREMOTELOCK = 0x800_0000, MS_NOSEC = 0x1000_0000, MS_BORN = 0x2000_0000,
        MS_ACTIVE = 0x4000_0000, MS_NOUSER = 0x8000_0000,
    }
    /// `umount2(2)` flags.
    UMOUNT: int "MNT_???" { MNT_FORCE = 1, MNT_DETACH = 2, MNT_EXPIRE = 4, UMOUNT_NOFOLLOW = 8 }
    /// `swapon(2)` flags: a priority in the lower half where `SWAP_FLAG_PREFER` is set.
    SWAPON: int "SWAP_FLAG_???" {
        SWAP_FLAG_PREFER = 0x8000, SWAP_FLAG_DISCARD = 0x1_0000, SWAP_FLAG_DISCARD_ONCE = 0x2_0000,
        SWAP_FLAG_DISCARD_PAGES = 0x4_0000,
    }
    /// `quotactl(2)` commands: the upper 24 bits of the operation.
    QUOTA: int "Q_???" {
        Q_SYNC = 0x80_0001, Q_QUOTAON = 0x80_0002, Q_QUOTAOFF = 0x80_0003, Q_GETFMT = 0x80_0004,
        Q_GETINFO = 0x80_0005, Q_SETINFO = 0x80_0006, Q_GETQUOTA = 0x80_0007, Q_SETQUOTA = 0x80_0008,
        Q_GETNEXTQUOTA = 0x80_0009, Q_XQUOTAON = 0x5801, Q_XQUOTAOFF = 0x5802, Q_XGETQUOTA = 0x5803,
        Q_XSETQLIM = 0x5804, Q_XGETQSTAT = 0x5805, Q_XQUOTARM = 0x5806, Q_XQUOTASYNC = 0x5807,
        Q_XGETQSTATV = 0x5808, Q_XGETNEXTQUOTA = 0x5809,
        Q_V1_QUOTAON = 0x100, Q_V1_QUOTAOFF = 0x200, Q_V1_GETQUOTA = 0x300, Q_V1_SETQUOTA = 0x400,
        Q_V1_SETUSE = 0x500, Q_V1_SYNC = 0x600, Q_SETQLIM = 0x700, Q_V1_GETSTATS = 0x800,
        Q_V2_GETINFO = 0x900, Q_V2_SETINFO = 0xa00, Q_V2_SETGRACE = 0xb00, Q_V2_SETFLAGS = 0xc00,
        Q_V2_GETQUOTA = 0xd00, Q_V2_SETQUOTA = 0xe00, Q_V2_SETUSE = 0xf00, Q_V1_RSQUASH = 0x1000,
        Q_V2_GETSTATS = 0x1100,
    }
    /// `quotactl(2)` types: the lowest 8 bits of the operation.
    QUOTA_TYPE: int "???QUOTA" { USRQUOTA = 0, GRPQUOTA = 1, PRJQUOTA = 2 }
    /// Formats of files of quotas.
    QUOTA_FORMAT: int "QFMT_VFS_???" {
        QFMT_VFS_OLD = 1, QFMT_VFS_V0 = 2, QFMT_OCFS2 = 3, QFMT_VFS_V1 = 4,
    }
    /// `dqi_flags` of `struct if_dqinfo`.
    QUOTA_INFO: int "DQF_???" { DQF_ROOT_SQUASH = 1, DQF_SYS_FILE = 0x1_0000 }
    /// `dqi_valid` of `struct if_dqinfo`.
    QUOTA_INFO_VALID: int "IIF_???" { IIF_BGRACE = 1, IIF_IGRACE = 2, IIF_FLAGS = 4 }
    /// `dqb_valid` of `struct if_dqblk`.
    QUOTA_VALID: int "QIF_???" {
        QIF_BLIMITS = 1, QIF_SPACE = 2, QIF_ILIMITS = 4, QIF_INODES = 8, QIF_BTIME = 0x10, QIF_ITIME = 0x20,
    }
    /// `qs_flags` of `struct fs_quota_stat`.
    QUOTA_STATE: int "FS_QUOTA_???" {
        FS_QUOTA_UDQ_ACCT = 1, FS_QUOTA_UDQ_ENFD = 2, FS_QUOTA_GDQ_ACCT = 4, FS_QUOTA_GDQ_ENFD = 8,
        FS_QUOTA_PDQ_ACCT = 0x10, FS_QUOTA_PDQ_ENFD = 0x20,
    }
    /// `d_flags` of `struct fs_disk_quota`.
    QUOTA_XFS: int "FS_???_QUOTA" { FS_USER_QUOTA = 1, FS_PROJ_QUOTA = 2, FS_GROUP_QUOTA = 4 }
    /// `fsopen(2)` flags.
    FSOPEN: int "FSOPEN_???" { FSOPEN_CLOEXEC = 1 }
    /// `fsmount(2)` flags.
    FSMOUNT: int "FSMOUNT_???" { FSMOUNT_CLOEXEC = 1 }
    /// `fspick(2)` flags.
    FSPICK: int "FSPICK_???" {
        FSPICK_CLOEXEC = 1, FSPICK_SYMLINK_NOFOLLOW = 2, FSPICK_NO_AUTOMOUNT = 4, FSPICK_EMPTY_PATH = 8,
    }
    /// `fsconfig(2)` commands.
    FSCONFIG: int "FSCONFIG_???" {
        FSCONFIG_SET_FLAG = 0, FSCONFIG_SET_STRING = 1, FSCONFIG_SET_BINARY = 2, FSCONFIG_SET_PATH = 3,
        FSCONFIG_SET_PATH_EMPTY = 4, FSCONFIG_SET_FD = 5, FSCONFIG_CMD_CREATE = 6,
        FSCONFIG_CMD_RECONFIGURE = 7, FSCONFIG_CMD_CREATE_EXCL = 8,
    }
    /// `fsmount(2)` attributes.
    FSMOUNT_ATTR: int "MOUNT_ATTR_???" {
        MOUNT_ATTR_RDONLY = 1, MOUNT_ATTR_NOSUID = 2, MOUNT_ATTR_NODEV = 4, MOUNT_ATTR_NOEXEC = 8,
        MOUNT_ATTR_NOATIME = 0x10, MOUNT_ATTR_STRICTATIME = 0x20, MOUNT_ATTR_NODIRATIME = 0x80,
    }
    /// Attributes of `mount_setattr(2)`.
    MOUNT_ATTR: long "MOUNT_ATTR_???" {
        MOUNT_ATTR_RDONLY = 1, MOUNT_ATTR_NOSUID = 2, MOUNT_ATTR_NODEV = 4, MOUNT_ATTR_NOEXEC = 8,
        MOUNT_ATTR_NOATIME = 0x10, MOUNT_ATTR_STRICTATIME = 0x20,
        MOUNT_ATTR_NODIRATIME = 0x80, MOUNT_ATTR_IDMAP = 0x10_0000, MOUNT_ATTR_NOSYMFOLLOW = 0x20_0000,
    }
    /// `open_tree(2)` flags.
    OPEN_TREE: int "OPEN_TREE_???" {
        OPEN_TREE_CLONE = 1, OPEN_TREE_CLOEXEC = 0o2_000_000, AT_SYMLINK_NOFOLLOW = 0x100,
        AT_REMOVEDIR = 0x200, AT_SYMLINK_FOLLOW = 0x400, AT_NO_AUTOMOUNT = 0x800, AT_EMPTY_PATH = 0x1000,
        AT_RECURSIVE = 0x8000,
    }
    /// `move_mount(2)` flags.
    MOVE_MOUNT: int "MOVE_MOUNT_???" {
        MOVE_MOUNT_F_SYMLINKS = 1, MOVE_MOUNT_F_AUTOMOUNTS = 2, MOVE_MOUNT_F_EMPTY_PATH = 4,
        MOVE_MOUNT_T_SYMLINKS = 0x10, MOVE_MOUNT_T_AUTOMOUNTS = 0x20, MOVE_MOUNT_T_EMPTY_PATH = 0x40,
        MOVE_MOUNT_SET_GROUP = 0x100, MOVE_MOUNT_BENEATH = 0x200,
    }
    /// `statmount(2)` flags: none in Linux 6.18.
    STATMOUNT: int "STATMOUNT_???" {}
    /// `listmount(2)` flags.
    LISTMOUNT: int "LISTMOUNT_???" { LISTMOUNT_REVERSE = 1 }
}
