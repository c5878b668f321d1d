//! What flash memory has: chips (MTD) and volumes on them (UBI).

use super::flag_sets;

flag_sets! {
    /// `type` of `struct mtd_info_user`.
    CHIP_KIND: int "MTD_???" {
        MTD_ABSENT = 0, MTD_RAM = 1, MTD_ROM = 2, MTD_NORFLASH = 3, MTD_NANDFLASH = 4, MTD_DATAFLASH = 6,
        MTD_UBIVOLUME = 7, MTD_MLCNANDFLASH = 8,
    }
    /// `flags` of it.
    CHIP_FLAGS: int "MTD_???" {
        MTD_WRITEABLE = 0x400, MTD_BIT_WRITEABLE = 0x800, MTD_NO_ERASE = 0x1000, MTD_POWERUP_LOCK = 0x2000,
        MTD_SLC_ON_MLC_EMULATION = 0x4000,
    }
    /// `MTDFILEMODE`.
    CHIP_MODE: int "MTD_FILE_MODE_???" {
        MTD_FILE_MODE_NORMAL = 0, MTD_FILE_MODE_OTP_FACTORY = 1, MTD_FILE_MODE_OTP_USER = 2, MTD_FILE_MODE_RAW = 3,
    }
    /// `OTPSELECT`.
    CHIP_ONCE: int "MTD_OTP_???" { MTD_OTP_OFF = 0, MTD_OTP_FACTORY = 1, MTD_OTP_USER = 2 }
    /// `useecc` of `struct nand_oobinfo`.
    CHIP_CODES: int "MTD_NANDECC_???" {
        MTD_NANDECC_OFF = 0, MTD_NANDECC_PLACE = 1, MTD_NANDECC_AUTOPLACE = 2, MTD_NANDECC_PLACEONLY = 3,
        MTD_NANDECC_AUTOPL_USR = 4,
    }
    /// `mode` of `struct mtd_write_req`.
    CHIP_WRITE: int "MTD_OPS_???" { MTD_OPS_PLACE_OOB = 0, MTD_OPS_AUTO_OOB = 1, MTD_OPS_RAW = 2 }
    /// `vol_type` of `struct ubi_mkvol_req`.
    VOLUME_KIND: int "UBI_???_VOLUME" { UBI_DYNAMIC_VOLUME = 3, UBI_STATIC_VOLUME = 4 }
    /// `flags` of it.
    VOLUME_FLAGS: int "UBI_VOL_???" { UBI_VOL_SKIP_CRC_CHECK_FLG = 1 }
    /// `dtype` of `struct ubi_map_req`.
    VOLUME_TERM: int "UBI_???" { UBI_LONGTERM = 1, UBI_SHORTTERM = 2, UBI_UNKNOWN = 3 }
    /// `property` of `struct ubi_set_vol_prop_req`.
    VOLUME_PROPERTY: int "UBI_VOL_PROP_???" { UBI_VOL_PROP_DIRECT_WRITE = 1 }
}
