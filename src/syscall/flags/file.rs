//! Calls that take a path: how it is looked up, and what is done with the file.

use super::flag_sets;

flag_sets! {
    /// `access(2)` mode.
    ACCESS: int "?_OK" { F_OK = 0, R_OK = 4, W_OK = 2, X_OK = 1 }
    /// Lookup flags of most `*at` calls. Bit 9 means something else to each call that takes it: see
    /// [`AT_ACCESS`], [`AT_HANDLE`].
    AT: int "AT_???" {
        AT_SYMLINK_NOFOLLOW = 0x100, AT_REMOVEDIR = 0x200, AT_SYMLINK_FOLLOW = 0x400,
        AT_NO_AUTOMOUNT = 0x800, AT_EMPTY_PATH = 0x1000, AT_RECURSIVE = 0x8000,
    }
    /// `execveat(2)` flags.
    AT_EXEC: int "AT_???" {
        AT_SYMLINK_NOFOLLOW = 0x100, AT_EMPTY_PATH = 0x1000, AT_EXECVE_CHECK = 0x1_0000,
    }
    /// `faccessat2(2)` flags.
    AT_ACCESS: int "AT_???" { AT_SYMLINK_NOFOLLOW = 0x100, AT_EACCESS = 0x200, AT_EMPTY_PATH = 0x1000 }
    /// `name_to_handle_at(2)` flags.
    AT_HANDLE: int "AT_???" {
        AT_HANDLE_MNT_ID_UNIQUE = 1, AT_HANDLE_CONNECTABLE = 2, AT_HANDLE_FID = 0x200,
        AT_SYMLINK_FOLLOW = 0x400, AT_EMPTY_PATH = 0x1000,
    }
    /// `statx(2)` flags: how fresh the answer has to be, and lookup flags.
    AT_STATX: int "AT_???" Absent(0x6000) { AT_STATX_SYNC_AS_STAT = 0 } {
        AT_STATX_FORCE_SYNC = 0x2000, AT_STATX_DONT_SYNC = 0x4000,
        AT_SYMLINK_NOFOLLOW = 0x100, AT_REMOVEDIR = 0x200, AT_SYMLINK_FOLLOW = 0x400,
        AT_NO_AUTOMOUNT = 0x800, AT_EMPTY_PATH = 0x1000, AT_RECURSIVE = 0x8000,
    }
    /// `mount_setattr(2)` flags.
    AT_MOUNT: int "AT_???" {
        AT_SYMLINK_NOFOLLOW = 0x100, AT_NO_AUTOMOUNT = 0x800, AT_EMPTY_PATH = 0x1000, AT_RECURSIVE = 0x8000,
    }
    /// `statx(2)` mask.
    STATX: int "STATX_???" {
        STATX_ALL = 0xfff, STATX_BASIC_STATS = 0x7ff, STATX_TYPE = 1, STATX_MODE = 2, STATX_NLINK = 4,
        STATX_UID = 8, STATX_GID = 0x10, STATX_ATIME = 0x20, STATX_MTIME = 0x40, STATX_CTIME = 0x80,
        STATX_INO = 0x100, STATX_SIZE = 0x200, STATX_BLOCKS = 0x400, STATX_BTIME = 0x800,
        STATX_MNT_ID = 0x1000, STATX_DIOALIGN = 0x2000, STATX_MNT_ID_UNIQUE = 0x4000,
        STATX_SUBVOL = 0x8000, STATX_WRITE_ATOMIC = 0x1_0000, STATX_DIO_READ_ALIGN = 0x2_0000,
    }
    /// How `openat2(2)` may resolve the path.
    RESOLVE: long "RESOLVE_???" {
        RESOLVE_NO_XDEV = 1, RESOLVE_NO_MAGICLINKS = 2, RESOLVE_NO_SYMLINKS = 4, RESOLVE_BENEATH = 8,
        RESOLVE_IN_ROOT = 0x10, RESOLVE_CACHED = 0x20,
    }
    /// `renameat2(2)` flags.
    RENAME: int "RENAME_??" { RENAME_NOREPLACE = 1, RENAME_EXCHANGE = 2, RENAME_WHITEOUT = 4 }
    /// `setxattr(2)` flags.
    XATTR: int "XATTR_???" { XATTR_CREATE = 1, XATTR_REPLACE = 2 }
    /// `fallocate(2)` mode.
    FALLOCATE: int "FALLOC_FL_???" {
        FALLOC_FL_KEEP_SIZE = 1, FALLOC_FL_PUNCH_HOLE = 2, FALLOC_FL_NO_HIDE_STALE = 4,
        FALLOC_FL_COLLAPSE_RANGE = 8, FALLOC_FL_ZERO_RANGE = 0x10, FALLOC_FL_INSERT_RANGE = 0x20,
        FALLOC_FL_UNSHARE_RANGE = 0x40, FALLOC_FL_WRITE_ZEROES = 0x80,
    }
    /// `inotify_add_watch(2)` mask.
    INOTIFY: int "IN_???" {
        IN_ACCESS = 1, IN_MODIFY = 2, IN_ATTRIB = 4, IN_CLOSE_WRITE = 8, IN_CLOSE_NOWRITE = 0x10,
        IN_OPEN = 0x20, IN_MOVED_FROM = 0x40, IN_MOVED_TO = 0x80, IN_CREATE = 0x100, IN_DELETE = 0x200,
        IN_DELETE_SELF = 0x400, IN_MOVE_SELF = 0x800, IN_UNMOUNT = 0x2000, IN_Q_OVERFLOW = 0x4000,
        IN_IGNORED = 0x8000, IN_ONLYDIR = 0x100_0000, IN_DONT_FOLLOW = 0x200_0000,
        IN_EXCL_UNLINK = 0x400_0000, IN_MASK_CREATE = 0x1000_0000, IN_MASK_ADD = 0x2000_0000,
        IN_ISDIR = 0x4000_0000, IN_ONESHOT = 0x8000_0000,
    }
    /// `inotify_init1(2)` flags.
    INOTIFY_INIT: int "IN_???" { IN_NONBLOCK = 0o4000, IN_CLOEXEC = 0o2_000_000 }
    /// `fanotify_init(2)` flags.
    FANOTIFY_INIT: int "FAN_???" Class(0xc, "FAN_CLASS_???") {
        FAN_CLASS_NOTIF = 0, FAN_CLASS_CONTENT = 4, FAN_CLASS_PRE_CONTENT = 8,
    } {
        FAN_CLOEXEC = 1, FAN_NONBLOCK = 2, FAN_UNLIMITED_QUEUE = 0x10, FAN_UNLIMITED_MARKS = 0x20,
        FAN_ENABLE_AUDIT = 0x40, FAN_REPORT_PIDFD = 0x80, FAN_REPORT_TID = 0x100, FAN_REPORT_FID = 0x200,
        FAN_REPORT_DIR_FID = 0x400, FAN_REPORT_NAME = 0x800, FAN_REPORT_TARGET_FID = 0x1000,
        FAN_REPORT_FD_ERROR = 0x2000, FAN_REPORT_MNT = 0x4000,
    }
    /// `fanotify_mark(2)` flags.
    FANOTIFY_MARK: int "FAN_MARK_???" {
        FAN_MARK_ADD = 1, FAN_MARK_REMOVE = 2, FAN_MARK_DONT_FOLLOW = 4, FAN_MARK_ONLYDIR = 8,
        FAN_MARK_MNTNS = 0x110, FAN_MARK_MOUNT = 0x10, FAN_MARK_IGNORED_MASK = 0x20,
        FAN_MARK_IGNORED_SURV_MODIFY = 0x40, FAN_MARK_FLUSH = 0x80, FAN_MARK_FILESYSTEM = 0x100,
        FAN_MARK_EVICTABLE = 0x200, FAN_MARK_IGNORE = 0x400,
    }
    /// `fanotify_mark(2)` mask.
    FANOTIFY: long "FAN_???" {
        FAN_ACCESS = 1, FAN_MODIFY = 2, FAN_ATTRIB = 4, FAN_CLOSE_WRITE = 8, FAN_CLOSE_NOWRITE = 0x10,
        FAN_OPEN = 0x20, FAN_MOVED_FROM = 0x40, FAN_MOVED_TO = 0x80, FAN_CREATE = 0x100,
        FAN_DELETE = 0x200, FAN_DELETE_SELF = 0x400, FAN_MOVE_SELF = 0x800, FAN_OPEN_EXEC = 0x1000,
        FAN_Q_OVERFLOW = 0x4000, FAN_FS_ERROR = 0x8000, FAN_OPEN_PERM = 0x1_0000,
        FAN_ACCESS_PERM = 0x2_0000, FAN_OPEN_EXEC_PERM = 0x4_0000, FAN_DIR_MODIFY = 0x8_0000,
        FAN_PRE_ACCESS = 0x10_0000, FAN_MNT_ATTACH = 0x100_0000, FAN_MNT_DETACH = 0x200_0000,
        FAN_ONDIR = 0x4000_0000, FAN_EVENT_ON_CHILD = 0x800_0000, FAN_RENAME = 0x1000_0000,
    }
}
