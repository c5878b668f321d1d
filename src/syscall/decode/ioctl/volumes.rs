//! Operations on volumes of btrfs.

use super::super::Decoder;
use super::super::layout::Show::{Enum, Flags, Own, Uint};
use super::super::layout::Size::{B4, B8};
use super::super::layout::layouts;
use super::super::net::{word32, word64};
use super::super::text::write_text;
use super::Use::{In, Nothing, Out};
use super::{Row, What};
use crate::syscall::flags::{
    VOLUME_BALANCE, VOLUME_COMPRESSION, VOLUME_DEFRAGMENT, VOLUME_STATE, write_radix,
};

pub(super) static ROWS: &[Row] = &[
    (0x9406, Nothing),                                // BTRFS_IOC_TRANS_START
    (0x9407, Nothing),                                // BTRFS_IOC_TRANS_END
    (0x9408, Nothing),                                // BTRFS_IOC_SYNC
    (0x941c, Nothing),                                // BTRFS_IOC_SCRUB_CANCEL
    (0x942e, Nothing),                                // BTRFS_IOC_QUOTA_RESCAN_WAIT
    (0x5000_9402, Nothing),                           // BTRFS_IOC_DEFRAG
    (0x5000_940c, Nothing),                           // BTRFS_IOC_BALANCE
    (0x5000_9401, In(What::Own(write_volume))),       // BTRFS_IOC_SNAP_CREATE
    (0x5000_9403, In(What::Own(write_volume))),       // BTRFS_IOC_RESIZE
    (0x5000_9404, In(What::Own(write_volume))),       // BTRFS_IOC_SCAN_DEV
    (0x5000_9405, In(What::Own(write_volume))),       // BTRFS_IOC_FORGET_DEV
    (0x5000_940a, In(What::Own(write_volume))),       // BTRFS_IOC_ADD_DEV
    (0x5000_940b, In(What::Own(write_volume))),       // BTRFS_IOC_RM_DEV
    (0x5000_940e, In(What::Own(write_volume))),       // BTRFS_IOC_SUBVOL_CREATE
    (0x5000_940f, In(What::Own(write_volume))),       // BTRFS_IOC_SNAP_DESTROY
    (0x9000_9427, In(What::Own(write_volume))),       // BTRFS_IOC_DEVICES_READY
    (0x4030_9410, In(What::Of(&DEFRAGMENTED))),       // BTRFS_IOC_DEFRAG_RANGE
    (0x4008_9413, In(What::Unsigned(8))),             // BTRFS_IOC_DEFAULT_SUBVOL
    (0x4008_9416, In(What::Unsigned(8))),             // BTRFS_IOC_WAIT_SYNC
    (0x8008_9418, Out(What::Unsigned(8))),            // BTRFS_IOC_START_SYNC
    (0x4008_941a, In(What::Own(write_volume_flags))), // BTRFS_IOC_SUBVOL_SETFLAGS
    (0x4004_9421, In(What::Choice(&VOLUME_BALANCE))), // BTRFS_IOC_BALANCE_CTL
    (0x4018_9429, In(What::Of(&GROUP_ASSIGNED))),     // BTRFS_IOC_QGROUP_ASSIGN
    (0x4010_942a, In(What::Of(&GROUP_CREATED))),      // BTRFS_IOC_QGROUP_CREATE
    (0x4040_942c, In(What::Of(&RESCANNED))),          // BTRFS_IOC_QUOTA_RESCAN
    // Of which nothing more is told.
    (0xd000_9411, In(What::Pointer)), // BTRFS_IOC_TREE_SEARCH
    (0xc070_9411, In(What::Pointer)), // BTRFS_IOC_TREE_SEARCH_V2
    (0xd000_9412, In(What::Pointer)), // BTRFS_IOC_INO_LOOKUP
    (0xc010_9414, In(What::Pointer)), // BTRFS_IOC_SPACE_INFO
    (0x5000_9417, In(What::Pointer)), // BTRFS_IOC_SNAP_CREATE_V2
    (0x5000_9418, In(What::Pointer)), // BTRFS_IOC_SUBVOL_CREATE_V2
    (0x8008_9419, In(What::Pointer)), // BTRFS_IOC_SUBVOL_GETFLAGS
    (0xc400_941b, In(What::Pointer)), // BTRFS_IOC_SCRUB
    (0xc400_941d, In(What::Pointer)), // BTRFS_IOC_SCRUB_PROGRESS
    (0xd000_941e, In(What::Pointer)), // BTRFS_IOC_DEV_INFO
    (0x8400_941f, In(What::Pointer)), // BTRFS_IOC_FS_INFO
    (0xc400_9420, In(What::Pointer)), // BTRFS_IOC_BALANCE_V2
    (0x8400_9422, In(What::Pointer)), // BTRFS_IOC_BALANCE_PROGRESS
    (0xc038_9423, In(What::Pointer)), // BTRFS_IOC_INO_PATHS
    (0xc038_9424, In(What::Pointer)), // BTRFS_IOC_LOGICAL_INO
    (0xc0c8_9425, In(What::Pointer)), // BTRFS_IOC_SET_RECEIVED_SUBVOL
    (0xc0c0_9425, In(What::Pointer)),
    (0x4048_9426, In(What::Pointer)), // BTRFS_IOC_SEND
    (0x4044_9426, In(What::Pointer)),
    (0x8030_942b, In(What::Pointer)), // BTRFS_IOC_QGROUP_LIMIT
    (0x8040_942d, In(What::Pointer)), // BTRFS_IOC_QUOTA_RESCAN_STATUS
    (0xc408_9434, In(What::Pointer)), // BTRFS_IOC_GET_DEV_STATS
    (0xca28_9435, In(What::Pointer)), // BTRFS_IOC_DEV_REPLACE
    (0xca24_9435, In(What::Pointer)),
    (0x8018_9439, In(What::Pointer)), // BTRFS_IOC_GET_FEATURES
    (0x4030_9439, In(What::Pointer)), // BTRFS_IOC_SET_FEATURES
    (0x8048_9439, In(What::Pointer)), // BTRFS_IOC_GET_SUPPORTED_FEATURES
];

layouts! {
    /// `struct btrfs_ioctl_defrag_range_args`.
    DEFRAGMENTED: 48/48 {
        always start @ 0/0 Uint(B8);
        always len @ 8/8 Own(write_length);
        always flags @ 16/16 Flags(&VOLUME_DEFRAGMENT, B8);
        always extent_thresh @ 24/24 Uint(B4);
        always compress_type @ 28/28 Enum(&VOLUME_COMPRESSION, B4);
    }
    /// `struct btrfs_ioctl_qgroup_assign_args`.
    GROUP_ASSIGNED: 24/24 {
        always assign @ 0/0 Uint(B8);
        always src @ 8/8 Uint(B8);
        always dst @ 16/16 Uint(B8);
    }
    /// `struct btrfs_ioctl_qgroup_create_args`.
    GROUP_CREATED: 16/16 {
        always create @ 0/0 Uint(B8);
        always qgroupid @ 8/8 Uint(B8);
    }
    /// `struct btrfs_ioctl_quota_rescan_args`.
    RESCANNED: 64/64 { always flags @ 0/0 Uint(B8); }
}

/// A number of bytes, or all there are.
fn write_length(_: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    match word64(bytes, 0) {
        u64::MAX => out.extend_from_slice(b"UINT64_MAX"),
        length => write_radix(out, length, 10, 1),
    }
}

/// `BTRFS_SUBVOL_RDONLY`, of what is at an address.
fn write_volume_flags(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64) {
    let mut flags = [0; 8];
    let is_looked_at = address != 0 && !call.style.addresses;
    if !is_looked_at || call.memory.read(call.phase, address, &mut flags) < flags.len() {
        return call.write_address(out, address);
    }
    call.style.constants.bits(out, &VOLUME_STATE, u64::from_le_bytes(flags));
}

/// `struct btrfs_ioctl_vol_args`.
fn write_volume(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64) {
    const NAME: std::ops::Range<usize> = 8..4096;
    let mut bytes = vec![0; NAME.end];
    if address == 0 || call.memory.read(call.phase, address, &mut bytes) < bytes.len() {
        return call.write_address(out, address);
    }
    out.extend_from_slice(b"{fd=");
    call.write_descriptor(out, word32(&bytes, 0).cast_signed());
    out.extend_from_slice(b", name=");
    let name = &bytes[NAME];
    let end = name.iter().position(|&byte| byte == 0);
    let shown = end.unwrap_or(name.len() - 1).min(call.style.strings);
    let is_cut = end.is_none_or(|end| end > shown);
    write_text(out, &name[..shown], call.style.hex, is_cut);
    out.push(b'}');
}
