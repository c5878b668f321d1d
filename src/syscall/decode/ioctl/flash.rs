//! Operations on flash memory: chips (MTD) and volumes on them (UBI).

use super::super::Decoder;
use super::super::layout::Show::{Address, Enum, Flags, Hex, Int, Own, Uint, Words};
use super::super::layout::Size::{B1, B2, B4, B8};
use super::super::layout::{Layout, layouts};
use super::super::net::{word16, word32};
use super::super::text::write_text;
use super::Use::{In, Nothing, Out, Parts};
use super::{Row, What};
use crate::syscall::flags::{
    CHIP_CODES, CHIP_FLAGS, CHIP_KIND, CHIP_MODE, CHIP_ONCE, CHIP_WRITE, VOLUME_FLAGS, VOLUME_KIND,
    VOLUME_PROPERTY, VOLUME_TERM, write_hex,
};

const INT: What = What::Integer(4);

/// An operation that is passed a structure and fills its first number.
macro_rules! made {
    ($passed:ident) => {
        Parts(
            |call, out, index| call.write_layout(out, call.arg(index), &$passed),
            |call, out, index| write_made(call, out, index, &$passed),
        )
    };
}

pub(super) static ROWS: &[Row] = &[
    (0x8020_4d01, Out(What::Of(&CHIP))),  // MEMGETINFO
    (0x4008_4d02, In(What::Of(&ERASED))), // MEMERASE
    (0xc010_4d03, In(What::Of(&SPARE))),  // MEMWRITEOOB
    (0xc00c_4d03, In(What::Of(&SPARE))),
    (0xc010_4d04, In(What::Of(&SPARE))), // MEMREADOOB
    (0xc00c_4d04, In(What::Of(&SPARE))),
    (0x4008_4d05, In(What::Of(&ERASED))),         // MEMLOCK
    (0x4008_4d06, In(What::Of(&ERASED))),         // MEMUNLOCK
    (0x8004_4d07, Out(INT)),                      // MEMGETREGIONCOUNT
    (0xc010_4d08, parts!(REGION_WANTED, REGION)), // MEMGETREGIONINFO
    (0x80c8_4d0a, Out(What::Of(&CODES))),         // MEMGETOOBSEL
    (0x4008_4d0b, In(What::Unsigned(8))),         // MEMGETBADBLOCK
    (0x4008_4d0c, In(What::Unsigned(8))),         // MEMSETBADBLOCK
    (0x8004_4d0d, In(What::One(&CHIP_ONCE, 4))),  // OTPSELECT
    (0x4004_4d0e, Out(What::Unsigned(4))),        // OTPGETREGIONCOUNT
    (0x400c_4d0f, Out(What::Of(&LOCKED))),        // OTPGETREGIONINFO
    (0x800c_4d10, In(What::Of(&LOCKED))),         // OTPLOCK
    (0x8148_4d11, Out(What::Of(&PLACES))),        // ECCGETLAYOUT
    (0x8010_4d12, Out(What::Of(&CORRECTED))),     // ECCGETSTATS
    (0x4d13, In(What::Choice(&CHIP_MODE))),       // MTDFILEMODE
    (0x4010_4d14, In(What::Of(&ERASED64))),       // MEMERASE64
    (0xc018_4d15, In(What::Of(&SPARE64))),        // MEMWRITEOOB64
    (0xc018_4d16, In(What::Of(&SPARE64))),        // MEMREADOOB64
    (0x8008_4d17, In(What::Of(&ERASED))),         // MEMISLOCKED
    (0xc030_4d18, In(What::Of(&WRITTEN))),        // MEMWRITE
    (0x4008_4f00, In(What::Integer(8))),          // UBI_IOCVOLUP
    (0x4004_4f01, In(INT)),                       // UBI_IOCEBER
    (0x4004_4f02, In(What::Of(&CHANGED))),        // UBI_IOCEBCH
    (0x4008_4f03, In(What::Of(&MAPPED))),         // UBI_IOCEBMAP
    (0x4004_4f04, In(INT)),                       // UBI_IOCEBUNMAP
    (0x8004_4f05, In(INT)),                       // UBI_IOCEBISMAP
    (0x4010_4f06, In(What::Of(&PROPERTY))),       // UBI_IOCSETVOLPROP
    (0x4080_4f07, Nothing),                       // UBI_IOCVOLCRBLK
    (0x4f08, Nothing),                            // UBI_IOCVOLRMBLK
    (0x4098_6f00, made!(MADE)),                   // UBI_IOCMKVOL
    (0x4004_6f01, In(INT)),                       // UBI_IOCRMVOL
    (0x400c_6f02, In(What::Of(&RESIZED))),        // UBI_IOCRSVOL
    (0x5110_6f03, In(What::Of(&RENAMED))),        // UBI_IOCRNVOL
    (0x4004_6f04, In(INT)),                       // UBI_IOCRPEB
    (0x4004_6f05, In(INT)),                       // UBI_IOCSPEB
    (0x4018_6f40, made!(ATTACHED)),               // UBI_IOCATT
    (0x4004_6f41, In(INT)),                       // UBI_IOCDET
];

/// The longest name of a volume.
const LONGEST_NAME: usize = 127;
/// Most volumes that are named anew at once.
const MOST_NAMES: usize = 32;

layouts! {
    /// `struct mtd_info_user`.
    CHIP: 32/32 {
        always type @ 0/0 Enum(&CHIP_KIND, B1);
        always flags @ 4/4 Flags(&CHIP_FLAGS, B4);
        always size @ 8/8 Hex(B4);
        always erasesize @ 12/12 Hex(B4);
        always writesize @ 16/16 Hex(B4);
        always oobsize @ 20/20 Hex(B4);
        always padding @ 24/24 Hex(B8);
    }
    /// `struct erase_info_user`.
    ERASED: 8/8 {
        always start @ 0/0 Hex(B4);
        always length @ 4/4 Hex(B4);
    }
    /// `struct erase_info_user64`.
    ERASED64: 16/16 {
        always start @ 0/0 Hex(B8);
        always length @ 8/8 Hex(B8);
    }
    /// `struct mtd_oob_buf`.
    SPARE: 16/12 {
        always start @ 0/0 Hex(B4);
        always length @ 4/4 Hex(B4);
        always ptr @ 8/8 Address;
    }
    /// `struct mtd_oob_buf64`.
    SPARE64: 24/24 {
        always start @ 0/0 Hex(B8);
        always length @ 12/12 Hex(B4);
        always usr_ptr @ 16/16 Hex(B8);
    }
    /// `struct region_info_user`: which one.
    REGION_WANTED: 16/16 {
        always regionindex @ 12/12 Hex(B4);
    }
    /// What is told of it.
    REGION: 16/16 {
        always offset @ 0/0 Hex(B4);
        always erasesize @ 4/4 Hex(B4);
        always numblocks @ 8/8 Hex(B4);
    }
    /// `struct nand_oobinfo`.
    CODES: 200/200 {
        always useecc @ 0/0 Enum(&CHIP_CODES, B4);
        always eccbytes @ 4/4 Hex(B4);
        always oobfree @ 8/8 Own(write_free_pairs);
        always eccpos @ 72/72 Words(B4, 32);
    }
    /// `struct otp_info`.
    LOCKED: 12/12 {
        always start @ 0/0 Hex(B4);
        always length @ 4/4 Hex(B4);
        always locked @ 8/8 Uint(B4);
    }
    /// `struct nand_ecclayout_user`.
    PLACES: 328/328 {
        always eccbytes @ 0/0 Hex(B4);
        always eccpos @ 4/4 Words(B4, 64);
        always oobavail @ 260/260 Hex(B4);
        always oobfree @ 264/264 Own(write_free_places);
    }
    /// `struct nand_oobfree`.
    FREE: 8/8 {
        always offset @ 0/0 Hex(B4);
        always length @ 4/4 Hex(B4);
    }
    /// `struct mtd_ecc_stats`.
    CORRECTED: 16/16 {
        always corrected @ 0/0 Hex(B4);
        always failed @ 4/4 Hex(B4);
        always badblocks @ 8/8 Hex(B4);
        always bbtblocks @ 12/12 Hex(B4);
    }
    /// `struct mtd_write_req`.
    WRITTEN: 48/48 {
        always start @ 0/0 Hex(B8);
        always len @ 8/8 Hex(B8);
        always ooblen @ 16/16 Hex(B8);
        always usr_data @ 24/24 Hex(B8);
        always usr_oob @ 32/32 Hex(B8);
        always mode @ 40/40 Enum(&CHIP_WRITE, B1);
    }
    /// `struct ubi_leb_change_req`.
    CHANGED: 16/16 {
        always lnum @ 0/0 Int(B4);
        always bytes @ 4/4 Int(B4);
        always dtype @ 8/8 Enum(&VOLUME_TERM, B1);
    }
    /// `struct ubi_map_req`.
    MAPPED: 8/8 {
        always lnum @ 0/0 Int(B4);
        always dtype @ 4/4 Enum(&VOLUME_TERM, B1);
    }
    /// `struct ubi_set_vol_prop_req`.
    PROPERTY: 16/16 {
        always property @ 0/0 Enum(&VOLUME_PROPERTY, B1);
        always value @ 8/8 Hex(B8);
    }
    /// `struct ubi_mkvol_req`.
    MADE: 152/152 {
        always vol_id @ 0/0 Int(B4);
        always alignment @ 4/4 Int(B4);
        always bytes @ 8/8 Int(B8);
        always vol_type @ 16/16 Enum(&VOLUME_KIND, B1);
        always flags @ 17/17 Flags(&VOLUME_FLAGS, B1);
        always name_len @ 18/18 Int(B2);
        always name @ 18/18 Own(write_made_name);
    }
    /// `struct ubi_rsvol_req`.
    RESIZED: 12/12 {
        always bytes @ 0/0 Int(B8);
        always vol_id @ 8/8 Int(B4);
    }
    /// `struct ubi_rnvol_req`.
    RENAMED: 4368/4368 {
        always count @ 0/0 Int(B4);
        always ents @ 0/0 Own(write_renamed);
    }
    /// One of its volumes.
    RENAMED_ONE: 136/136 {
        always vol_id @ 0/0 Int(B4);
        always name_len @ 4/4 Int(B2);
        always name @ 4/4 Own(write_renamed_name);
    }
    /// `struct ubi_attach_req`.
    ATTACHED: 24/24 {
        always ubi_num @ 0/0 Int(B4);
        always mtd_num @ 4/4 Int(B4);
        always vid_hdr_offset @ 8/8 Int(B4);
        always max_beb_per1024 @ 12/12 Int(B2);
    }
}

/// `[[0x2, 0x6], ...]`
fn write_free_pairs(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, pairs: &[u8]) {
    call.write_items(out, pairs.chunks_exact(8).take(8), |call, out, pair| {
        call.write_first_numbers(out, pair, 4, 2, write_hex);
    });
}

/// `[{offset=0x2, length=0x6}, ...]`
fn write_free_places(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, places: &[u8]) {
    call.write_items(out, places.chunks_exact(8).take(8), |call, out, place| {
        call.write_members(out, &FREE, place);
    });
}

/// A name of as many bytes as a number says that is so many bytes before it.
fn write_name(call: &Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8], distance: usize) {
    let length = usize::try_from(word16(bytes, 0).cast_signed()).unwrap_or(0).min(LONGEST_NAME);
    // It ends there if the byte behind it says so.
    let name = &bytes[distance..=distance + length];
    match name.iter().position(|&byte| byte == 0) {
        Some(end) => write_text(out, &name[..end], call.style.hex, false),
        None => write_text(out, &name[..length], call.style.hex, true),
    }
}

fn write_made_name(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_name(call, out, bytes, 6);
}

fn write_renamed_name(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_name(call, out, bytes, 4);
}

fn write_renamed(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, request: &[u8]) {
    let count = usize::try_from(word32(request, 0).cast_signed()).unwrap_or(0).min(MOST_NAMES);
    call.write_items(out, request[16..].chunks_exact(136).take(count), |call, out, volume| {
        call.write_members(out, &RENAMED_ONE, volume);
    });
}

/// ` => [3]`: the number that a volume or a device has, where what was passed could be read.
fn write_made(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize, passed: &Layout) {
    let address = call.arg(index);
    if call.succeeded() && call.was_readable(address, passed) {
        out.extend_from_slice(b" => ");
        call.write_integer(out, address, 4);
    }
}
