//! What the structures of ioctl operations have: terminals, block devices, file systems, clocks, inputs and others.

use super::flag_sets;

flag_sets! {
    /// `TCXONC`.
    TERMINAL_FLOW: long "TC???" { TCOOFF = 0, TCOON = 1, TCIOFF = 2, TCION = 3 }
    /// `TCFLSH`.
    TERMINAL_FLUSH: long "TC???" { TCIFLUSH = 0, TCOFLUSH = 1, TCIOFLUSH = 2 }
    /// Lines of a modem (`TIOCMGET`).
    MODEM: int "TIOCM_???" {
        TIOCM_LE = 1, TIOCM_DTR = 2, TIOCM_RTS = 4, TIOCM_ST = 8, TIOCM_SR = 0x10, TIOCM_CTS = 0x20,
        TIOCM_CAR = 0x40, TIOCM_RNG = 0x80, TIOCM_DSR = 0x100, TIOCM_OUT1 = 0x2000, TIOCM_OUT2 = 0x4000,
        TIOCM_LOOP = 0x8000,
    }
    /// `BLKPG`.
    BLOCK_PARTITION: int "BLKPG_???" {
        BLKPG_ADD_PARTITION = 1, BLKPG_DEL_PARTITION = 2, BLKPG_RESIZE_PARTITION = 3,
    }
    /// `fsx_xflags` of `struct fsxattr`.
    EXTENT: int "FS_XFLAG_???" {
        FS_XFLAG_REALTIME = 1, FS_XFLAG_PREALLOC = 2, FS_XFLAG_IMMUTABLE = 8, FS_XFLAG_APPEND = 0x10,
        FS_XFLAG_SYNC = 0x20, FS_XFLAG_NOATIME = 0x40, FS_XFLAG_NODUMP = 0x80, FS_XFLAG_RTINHERIT = 0x100,
        FS_XFLAG_PROJINHERIT = 0x200, FS_XFLAG_NOSYMLINKS = 0x400, FS_XFLAG_EXTSIZE = 0x800,
        FS_XFLAG_EXTSZINHERIT = 0x1000, FS_XFLAG_NODEFRAG = 0x2000, FS_XFLAG_FILESTREAM = 0x4000,
        FS_XFLAG_DAX = 0x8000, FS_XFLAG_COWEXTSIZE = 0x1_0000, FS_XFLAG_HASATTR = 0x8000_0000,
    }
    /// `fm_flags` of `struct fiemap`.
    EXTENT_MAP: int "FIEMAP_FLAG_???" { FIEMAP_FLAG_SYNC = 1, FIEMAP_FLAG_XATTR = 2, FIEMAP_FLAG_CACHE = 4 }
    /// `fe_flags` of `struct fiemap_extent`.
    EXTENT_STATE: int "FIEMAP_EXTENT_???" {
        FIEMAP_EXTENT_LAST = 1, FIEMAP_EXTENT_UNKNOWN = 2, FIEMAP_EXTENT_DELALLOC = 4, FIEMAP_EXTENT_ENCODED = 8,
        FIEMAP_EXTENT_DATA_ENCRYPTED = 0x80, FIEMAP_EXTENT_NOT_ALIGNED = 0x100, FIEMAP_EXTENT_DATA_INLINE = 0x200,
        FIEMAP_EXTENT_DATA_TAIL = 0x400, FIEMAP_EXTENT_UNWRITTEN = 0x800, FIEMAP_EXTENT_MERGED = 0x1000,
        FIEMAP_EXTENT_SHARED = 0x2000,
    }
    /// Axes of an input device.
    INPUT_AXIS: int "ABS_???" {
        ABS_X = 0, ABS_Y = 1, ABS_Z = 2, ABS_RX = 3, ABS_RY = 4, ABS_RZ = 5, ABS_THROTTLE = 6, ABS_RUDDER = 7,
        ABS_WHEEL = 8, ABS_GAS = 9, ABS_BRAKE = 10, ABS_HAT0X = 16, ABS_HAT0Y = 17, ABS_HAT1X = 18,
        ABS_HAT1Y = 19, ABS_HAT2X = 20, ABS_HAT2Y = 21, ABS_HAT3X = 22, ABS_HAT3Y = 23, ABS_PRESSURE = 24,
        ABS_DISTANCE = 25, ABS_TILT_X = 26, ABS_TILT_Y = 27, ABS_TOOL_WIDTH = 28, ABS_VOLUME = 32,
        ABS_PROFILE = 33, ABS_MISC = 40, ABS_RESERVED = 46, ABS_MT_SLOT = 47, ABS_MT_TOUCH_MAJOR = 48,
        ABS_MT_TOUCH_MINOR = 49, ABS_MT_WIDTH_MAJOR = 50, ABS_MT_WIDTH_MINOR = 51, ABS_MT_ORIENTATION = 52,
        ABS_MT_POSITION_X = 53, ABS_MT_POSITION_Y = 54, ABS_MT_TOOL_TYPE = 55, ABS_MT_BLOB_ID = 56,
        ABS_MT_TRACKING_ID = 57, ABS_MT_PRESSURE = 58, ABS_MT_DISTANCE = 59, ABS_MT_TOOL_X = 60,
        ABS_MT_TOOL_Y = 61,
    }
    /// Kinds of events of an input device.
    INPUT_EVENT: int "EV_???" {
        EV_SYN = 0, EV_KEY = 1, EV_REL = 2, EV_ABS = 3, EV_MSC = 4, EV_SW = 5, EV_LED = 17, EV_SND = 18,
        EV_REP = 20, EV_FF = 21, EV_PWR = 22, EV_FF_STATUS = 23,
    }
    /// `PERF_EVENT_IOC_ENABLE` and its like.
    PERF_GROUP: int "PERF_IOC_FLAG_???" { PERF_IOC_FLAG_GROUP = 1 }
    /// `lo_flags` of `struct loop_info64`.
    LOOP_FLAGS: int "LO_FLAGS_???" {
        LO_FLAGS_READ_ONLY = 1, LO_FLAGS_USE_AOPS = 2, LO_FLAGS_AUTOCLEAR = 4, LO_FLAGS_PARTSCAN = 8,
        LO_FLAGS_DIRECT_IO = 16,
    }
    /// `lo_encrypt_type` of `struct loop_info64`.
    LOOP_CRYPT: int "LO_CRYPT_???" {
        LO_CRYPT_NONE = 0, LO_CRYPT_XOR = 1, LO_CRYPT_DES = 2, LO_CRYPT_FISH2 = 3, LO_CRYPT_BLOW = 4,
        LO_CRYPT_CAST128 = 5, LO_CRYPT_IDEA = 6, LO_CRYPT_DUMMY = 9, LO_CRYPT_SKIPJACK = 10,
        LO_CRYPT_CRYPTOAPI = 18,
    }
    /// `NBD_SET_FLAGS`.
    NBD_FLAGS: int "NBD_IOC_FLAG_???" {
        NBD_FLAG_HAS_FLAGS = 1, NBD_FLAG_READ_ONLY = 2, NBD_FLAG_SEND_FLUSH = 4, NBD_FLAG_SEND_FUA = 8,
        NBD_FLAG_ROTATIONAL = 0x10, NBD_FLAG_SEND_TRIM = 0x20, NBD_FLAG_SEND_WRITE_ZEROES = 0x40,
        NBD_FLAG_SEND_DF = 0x80, NBD_FLAG_CAN_MULTI_CONN = 0x100, NBD_FLAG_SEND_RESIZE = 0x200,
        NBD_FLAG_SEND_CACHE = 0x400,
    }
    /// `RTC_VL_READ`.
    CLOCK_VOLTAGE: int "RTC_VL_???" {
        RTC_VL_DATA_INVALID = 1, RTC_VL_BACKUP_LOW = 2, RTC_VL_BACKUP_EMPTY = 4, RTC_VL_ACCURACY_LOW = 8,
        RTC_VL_BACKUP_SWITCH = 16,
    }
    /// `param` of `struct rtc_param`.
    CLOCK_PARAMETER: long "RTC_PARAM_???" {
        RTC_PARAM_FEATURES = 0, RTC_PARAM_CORRECTION = 1, RTC_PARAM_BACKUP_SWITCH_MODE = 2,
    }
    /// `RTC_PARAM_BACKUP_SWITCH_MODE`.
    CLOCK_BACKUP: long "RTC_BSM_???" {
        RTC_BSM_DISABLED = 0, RTC_BSM_DIRECT = 1, RTC_BSM_LEVEL = 2, RTC_BSM_STANDBY = 3,
    }
    /// What a receiver of infrared light can do (`LIRC_GET_FEATURES`).
    INFRARED: int "LIRC_CAN_???" {
        LIRC_CAN_SEND_PULSE = 2, LIRC_CAN_SEND_LIRCCODE = 0x10, LIRC_CAN_SET_SEND_CARRIER = 0x100,
        LIRC_CAN_SET_SEND_DUTY_CYCLE = 0x200, LIRC_CAN_SET_TRANSMITTER_MASK = 0x400, LIRC_CAN_REC_MODE2 = 0x4_0000,
        LIRC_CAN_REC_SCANCODE = 0x8_0000, LIRC_CAN_REC_LIRCCODE = 0x10_0000, LIRC_CAN_SET_REC_CARRIER = 0x100_0000,
        LIRC_CAN_MEASURE_CARRIER = 0x200_0000, LIRC_CAN_USE_WIDEBAND_RECEIVER = 0x400_0000,
        LIRC_CAN_SET_REC_TIMEOUT = 0x1000_0000, LIRC_CAN_GET_REC_RESOLUTION = 0x2000_0000,
        LIRC_CAN_SET_REC_CARRIER_RANGE = 0x8000_0000,
    }
    /// What it sends and receives.
    INFRARED_MODE: int "LIRC_MODE_???" {
        LIRC_MODE_RAW = 1, LIRC_MODE_PULSE = 2, LIRC_MODE_MODE2 = 4, LIRC_MODE_SCANCODE = 8, LIRC_MODE_LIRCCODE = 0x10,
    }
    /// Modes of a console (`KDGETMODE`).
    CONSOLE_MODE: int "KD_???" { KD_TEXT = 0, KD_GRAPHICS = 1, KD_TEXT0 = 2, KD_TEXT1 = 3 }
    /// Kinds of keyboards (`KDGKBTYPE`).
    KEYBOARD_KIND: int "KB_???" { KB_84 = 1, KB_101 = 2, KB_OTHER = 3 }
    /// Lights of a keyboard (`KDGETLED`).
    KEYBOARD_LIGHTS: int "LED_???" { LED_SCR = 1, LED_NUM = 2, LED_CAP = 4 }
    /// `features` of `struct uffdio_api`.
    FAULT_FEATURES: long "UFFD_FEATURE_???" {
        UFFD_FEATURE_PAGEFAULT_FLAG_WP = 1, UFFD_FEATURE_EVENT_FORK = 2, UFFD_FEATURE_EVENT_REMAP = 4,
        UFFD_FEATURE_EVENT_REMOVE = 8, UFFD_FEATURE_MISSING_HUGETLBFS = 0x10, UFFD_FEATURE_MISSING_SHMEM = 0x20,
        UFFD_FEATURE_EVENT_UNMAP = 0x40, UFFD_FEATURE_SIGBUS = 0x80, UFFD_FEATURE_THREAD_ID = 0x100,
        UFFD_FEATURE_MINOR_HUGETLBFS = 0x200, UFFD_FEATURE_MINOR_SHMEM = 0x400,
        UFFD_FEATURE_EXACT_ADDRESS = 0x800, UFFD_FEATURE_WP_HUGETLBFS_SHMEM = 0x1000,
    }
    /// `mode` of `struct uffdio_copy`.
    FAULT_COPY: long "UFFDIO_COPY_???" { UFFDIO_COPY_MODE_DONTWAKE = 1, UFFDIO_COPY_MODE_WP = 2 }
    /// `mode` of `struct uffdio_register`.
    FAULT_REGISTER: long "UFFDIO_REGISTER_MODE_???" {
        UFFDIO_REGISTER_MODE_MISSING = 1, UFFDIO_REGISTER_MODE_WP = 2, UFFDIO_REGISTER_MODE_MINOR = 4,
    }
    /// `mode` of `struct uffdio_zeropage`.
    FAULT_ZERO: long "UFFDIO_ZEROPAGE_???" { UFFDIO_ZEROPAGE_MODE_DONTWAKE = 1 }
    /// `flags` of `struct seccomp_notif_resp`.
    SECCOMP_ANSWER: int "SECCOMP_USER_NOTIF_FLAG_???" { SECCOMP_USER_NOTIF_FLAG_CONTINUE = 1 }
    /// `flags` of `struct seccomp_notif_addfd`.
    SECCOMP_ADD: int "SECCOMP_ADDFD_FLAG_???" { SECCOMP_ADDFD_FLAG_SETFD = 1, SECCOMP_ADDFD_FLAG_SEND = 2 }
}

/// `RTC_PARAM_FEATURES`: numbers of bits.
pub static CLOCK_FEATURES: super::FlagSet = super::FlagSet {
    unknown: "1<<RTC_FEATURE_???",
    wide: true,
    fields: &[],
    values: &[
        (1, "1<<RTC_FEATURE_ALARM"),
        (1 << 1, "1<<RTC_FEATURE_ALARM_RES_MINUTE"),
        (1 << 2, "1<<RTC_FEATURE_NEED_WEEK_DAY"),
        (1 << 3, "1<<RTC_FEATURE_ALARM_RES_2S"),
        (1 << 4, "1<<RTC_FEATURE_UPDATE_INTERRUPT"),
        (1 << 5, "1<<RTC_FEATURE_CORRECTION"),
        (1 << 6, "1<<RTC_FEATURE_BACKUP_SWITCH_MODE"),
        (1 << 7, "1<<RTC_FEATURE_ALARM_WAKEUP_ONLY"),
    ],
};

/// `newfd_flags` of `struct seccomp_notif_addfd`: those of open as bits, also where they are an access mode.
pub static SECCOMP_FILE: super::FlagSet =
    super::FlagSet { unknown: "O_???", wide: false, fields: &[], values: super::x86::OPEN.values };
