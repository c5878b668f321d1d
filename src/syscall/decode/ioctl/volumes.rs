//! Operations on volumes of btrfs.

use super::super::Decoder;
use super::super::layout::Show::{Descriptor, Device, Enum, Flags, Nested, Own, Text, Uint, Words};
use super::super::layout::Size::{B2, B4, B8};
use super::super::layout::layouts;
use super::super::net::{word32, word64};
use super::super::text::write_text;
use super::super::time::write_comment;
use super::Use::{In, Nothing, Out, Parts};
use super::{Row, Use, What, trees, write_uuid};
use crate::syscall::flags::{
    self, VOLUME_BALANCE, VOLUME_COMPRESSION, VOLUME_DEFRAGMENT, VOLUME_STATE, write_radix,
};

/// strace tells what is there then even where nothing can be read.
const BALANCING: Use = Parts(
    |call, out, index| call.write_layout(out, call.arg(index), &BALANCED),
    |call, out, index| {
        if call.succeeded() {
            out.extend_from_slice(b" => ");
            call.write_layout(out, call.arg(index), &BALANCE);
        }
    },
);

pub(super) static ROWS: &[Row] = &[
    (0x9406, Nothing),                                             // BTRFS_IOC_TRANS_START
    (0x9407, Nothing),                                             // BTRFS_IOC_TRANS_END
    (0x9408, Nothing),                                             // BTRFS_IOC_SYNC
    (0x941c, Nothing),                                             // BTRFS_IOC_SCRUB_CANCEL
    (0x942e, Nothing),                                             // BTRFS_IOC_QUOTA_RESCAN_WAIT
    (0x5000_9402, Nothing),                                        // BTRFS_IOC_DEFRAG
    (0x5000_940c, Nothing),                                        // BTRFS_IOC_BALANCE
    (0x5000_9401, In(What::Own(write_volume))),                    // BTRFS_IOC_SNAP_CREATE
    (0x5000_9403, In(What::Own(write_volume))),                    // BTRFS_IOC_RESIZE
    (0x5000_9404, In(What::Own(write_volume))),                    // BTRFS_IOC_SCAN_DEV
    (0x5000_9405, In(What::Own(write_volume))),                    // BTRFS_IOC_FORGET_DEV
    (0x5000_940a, In(What::Own(write_volume))),                    // BTRFS_IOC_ADD_DEV
    (0x5000_940b, In(What::Own(write_volume))),                    // BTRFS_IOC_RM_DEV
    (0x5000_940e, In(What::Own(write_volume))),                    // BTRFS_IOC_SUBVOL_CREATE
    (0x5000_940f, In(What::Own(write_volume))),                    // BTRFS_IOC_SNAP_DESTROY
    (0x9000_9427, In(What::Own(write_volume))),                    // BTRFS_IOC_DEVICES_READY
    (0x4030_9410, In(What::Of(&DEFRAGMENTED))),                    // BTRFS_IOC_DEFRAG_RANGE
    (0x4008_9413, In(What::Unsigned(8))),                          // BTRFS_IOC_DEFAULT_SUBVOL
    (0x4008_9416, In(What::Unsigned(8))),                          // BTRFS_IOC_WAIT_SYNC
    (0x8008_9418, Out(What::Unsigned(8))),                         // BTRFS_IOC_START_SYNC
    (0x4008_941a, In(What::Own(write_volume_flags))),              // BTRFS_IOC_SUBVOL_SETFLAGS
    (0x4004_9421, In(What::Choice(&VOLUME_BALANCE))),              // BTRFS_IOC_BALANCE_CTL
    (0x4018_9429, In(What::Of(&GROUP_ASSIGNED))),                  // BTRFS_IOC_QGROUP_ASSIGN
    (0x4010_942a, In(What::Of(&GROUP_CREATED))),                   // BTRFS_IOC_QGROUP_CREATE
    (0x4040_942c, In(What::Of(&RESCANNED))),                       // BTRFS_IOC_QUOTA_RESCAN
    (0xd000_9411, Parts(trees::write_search, trees::write_found)), // BTRFS_IOC_TREE_SEARCH
    (0xc070_9411, Parts(trees::write_search, trees::write_found)), // BTRFS_IOC_TREE_SEARCH_V2
    (0xd000_9412, answered!(INODE_ASKED, INODE)),                  // BTRFS_IOC_INO_LOOKUP
    (
        0xc010_9414,
        Parts(|call, out, index| call.write_layout(out, call.arg(index), &SPACE), trees::write_spaces),
    ), // BTRFS_IOC_SPACE_INFO
    (0x5000_9417, answered!(MADE, MADE_THEN)),                     // BTRFS_IOC_SNAP_CREATE_V2
    (0x5000_9418, answered!(MADE, MADE_THEN)),                     // BTRFS_IOC_SUBVOL_CREATE_V2
    (0x8008_9419, Out(What::Own(write_volume_flags))),             // BTRFS_IOC_SUBVOL_GETFLAGS
    (0xc400_941b, answered!(SCRUBBED, SCRUB_STATE)),               // BTRFS_IOC_SCRUB
    (0xc400_941d, answered!(SCRUB_ASKED, SCRUB_STATE)),            // BTRFS_IOC_SCRUB_PROGRESS
    (0xd000_941e, answered!(DEVICE_ASKED, DEVICE)),                // BTRFS_IOC_DEV_INFO
    (0x8400_941f, Out(What::Of(&WHOLE))),                          // BTRFS_IOC_FS_INFO
    (0xc400_9420, BALANCING),                                      // BTRFS_IOC_BALANCE_V2
    (0x8400_9422, Out(What::Of(&BALANCE))),                        // BTRFS_IOC_BALANCE_PROGRESS
    (0xc038_9423, answered!(PATHS_ASKED, PATHS)),                  // BTRFS_IOC_INO_PATHS
    (0xc038_9424, answered!(INODES_ASKED, INODES)),                // BTRFS_IOC_LOGICAL_INO
    (0xc0c8_9425, answered!(RECEIVED, RECEIVED_THEN)),             // BTRFS_IOC_SET_RECEIVED_SUBVOL
    (0xc0c0_9425, answered!(RECEIVED, RECEIVED_THEN)),
    (0x4048_9426, In(What::Of(&SENT))), // BTRFS_IOC_SEND
    (0x4044_9426, In(What::Of(&SENT))),
    (0xc010_9428, In(What::Of(&QUOTAS))),           // BTRFS_IOC_QUOTA_CTL
    (0x8030_942b, Out(What::Of(&GROUP_LIMITED))),   // BTRFS_IOC_QGROUP_LIMIT
    (0x8040_942d, Out(What::Of(&RESCAN))),          // BTRFS_IOC_QUOTA_RESCAN_STATUS
    (0xc408_9434, answered!(ERRORS_ASKED, ERRORS)), // BTRFS_IOC_GET_DEV_STATS
    (0xca28_9435, answered!(REPLACED, REPLACED_THEN)), // BTRFS_IOC_DEV_REPLACE
    (0xca24_9435, answered!(REPLACED, REPLACED_THEN)),
    (0x8018_9439, Out(What::Of(&FEATURES))), // BTRFS_IOC_GET_FEATURES
    (0x4030_9439, In(What::Own(write_features))), // BTRFS_IOC_SET_FEATURES
    (0x8048_9439, Out(What::Own(write_supported))), // BTRFS_IOC_GET_SUPPORTED_FEATURES
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
    RESCAN: 64/64 {
        always flags @ 0/0 Uint(B8);
        always progress @ 8/8 Own(trees::write_object);
    }
    /// `struct btrfs_ioctl_ino_lookup_args`.
    INODE_ASKED: 4096/4096 {
        always treeid @ 0/0 Own(trees::write_object);
        always objectid @ 8/8 Own(trees::write_object);
    }
    INODE: 4096/4096 {
        has(|inode| word64(inode, 0) == 0) treeid @ 0/0 Own(trees::write_object);
        always name @ 16/16 Text(4080);
    }
    /// `struct btrfs_ioctl_space_args`.
    SPACE: 16/16 { always space_slots @ 0/0 Uint(B8); }
    /// `struct btrfs_ioctl_vol_args_v2`.
    MADE: 4096/4096 {
        always fd @ 0/0 Descriptor;
        always flags @ 16/16 Flags(&VOLUME_STATE, B8);
        has(|volume| word64(volume, 16) & 4 != 0) size @ 24/24 Uint(B8);
        has(|volume| word64(volume, 16) & 4 != 0) qgroup_inherit @ 32/32 Own(trees::write_inherited);
        always name @ 56/56 Text(4040);
    }
    MADE_THEN: 16/16 { always transid @ 8/8 Uint(B8); }
    /// `struct btrfs_ioctl_scrub_args`.
    SCRUBBED: 1024/1024 {
        always devid @ 0/0 Device(B8);
        always start @ 8/8 Own(write_length);
        always end @ 16/16 Own(write_length);
        always flags @ 24/24 Flags(&flags::SCRUB, B8);
    }
    SCRUB_ASKED: 1024/1024 { always devid @ 0/0 Device(B8); }
    SCRUB_STATE: 1024/1024 { always progress @ 32/32 Nested(&SCRUB_PROGRESS); }
    /// `struct btrfs_scrub_progress`.
    SCRUB_PROGRESS: 120/120 {
        always data_extents_scrubbed @ 0/0 Uint(B8);
        always tree_extents_scrubbed @ 8/8 Uint(B8);
        always data_bytes_scrubbed @ 16/16 Uint(B8);
        always tree_bytes_scrubbed @ 24/24 Uint(B8);
        always read_errors @ 32/32 Uint(B8);
        always csum_errors @ 40/40 Uint(B8);
        always verify_errors @ 48/48 Uint(B8);
        always no_csum @ 56/56 Uint(B8);
        always csum_discards @ 64/64 Uint(B8);
        always super_errors @ 72/72 Uint(B8);
        always malloc_errors @ 80/80 Uint(B8);
        always uncorrectable_errors @ 88/88 Uint(B8);
        always corrected_errors @ 96/96 Uint(B8);
        always last_physical @ 104/104 Uint(B8);
        always unverified_errors @ 112/112 Uint(B8);
    }
    /// `struct btrfs_ioctl_dev_info_args`.
    DEVICE_ASKED: 4096/4096 {
        always devid @ 0/0 Device(B8);
        set(16) uuid @ 8/8 Own(write_uuid);
    }
    DEVICE: 4096/4096 {
        set(16) uuid @ 8/8 Own(write_uuid);
        always bytes_used @ 24/24 Uint(B8);
        always total_bytes @ 32/32 Uint(B8);
        always path @ 3072/3072 Text(1024);
    }
    /// `struct btrfs_ioctl_fs_info_args`.
    WHOLE: 1024/1024 {
        always max_id @ 0/0 Uint(B8);
        always num_devices @ 8/8 Uint(B8);
        always fsid @ 16/16 Own(write_uuid);
        always nodesize @ 32/32 Uint(B4);
        always sectorsize @ 36/36 Uint(B4);
        always clone_alignment @ 40/40 Uint(B4);
        has(|whole| word64(whole, 48) & 1 != 0) csum_type @ 44/44 Enum(&flags::VOLUME_CHECKSUM, B2);
        has(|whole| word64(whole, 48) & 1 != 0) csum_size @ 46/46 Uint(B2);
        always flags @ 48/48 Flags(&flags::VOLUME_TOLD, B8);
        has(|whole| word64(whole, 48) & 2 != 0) generation @ 56/56 Uint(B8);
        has(|whole| word64(whole, 48) & 4 != 0) metadata_uuid @ 64/64 Own(write_uuid);
    }
    /// `struct btrfs_ioctl_balance_args`.
    BALANCED: 1024/1024 {
        always flags @ 0/0 Flags(&flags::BALANCED, B8);
        has(|balance| word64(balance, 0) & 1 != 0) data @ 16/16 Nested(&BALANCED_PART);
        has(|balance| word64(balance, 0) & 4 != 0) meta @ 152/152 Nested(&BALANCED_PART);
        has(|balance| word64(balance, 0) & 2 != 0) sys @ 288/288 Nested(&BALANCED_PART);
    }
    BALANCE: 1024/1024 {
        always flags @ 0/0 Flags(&flags::BALANCED, B8);
        always state @ 8/8 Flags(&flags::BALANCE_STATE, B8);
        has(|balance| word64(balance, 0) & 1 != 0) data @ 16/16 Nested(&BALANCED_PART);
        has(|balance| word64(balance, 0) & 4 != 0) meta @ 152/152 Nested(&BALANCED_PART);
        has(|balance| word64(balance, 0) & 2 != 0) sys @ 288/288 Nested(&BALANCED_PART);
    }
    /// `struct btrfs_balance_args`.
    BALANCED_PART: 136/136 {
        always profiles @ 0/0 Flags(&flags::BLOCK_GROUP, B8);
        always usage @ 8/8 Own(write_length);
        always devid @ 16/16 Device(B8);
        always pstart @ 24/24 Own(write_length);
        always pend @ 32/32 Own(write_length);
        always vstart @ 40/40 Own(write_length);
        always vend @ 48/48 Own(write_length);
        always target @ 56/56 Own(write_length);
        always flags @ 64/64 Flags(&flags::BALANCE_FILTER, B8);
    }
    /// `struct btrfs_ioctl_ino_path_args`.
    PATHS_ASKED: 56/56 {
        always inum @ 0/0 Uint(B8);
        always size @ 8/8 Uint(B8);
        always fspath @ 48/48 Own(trees::write_place);
    }
    PATHS: 56/56 { always fspath @ 48/48 Own(trees::write_paths); }
    /// `struct btrfs_ioctl_logical_ino_args`.
    INODES_ASKED: 56/56 {
        always logical @ 0/0 Uint(B8);
        always size @ 8/8 Uint(B8);
        set(24) reserved @ 16/16 Words(B8, 3);
        always flags @ 40/40 Flags(&flags::INODE_LOOKUP, B8);
        always inodes @ 48/48 Own(trees::write_place);
    }
    INODES: 56/56 { always inodes @ 48/48 Own(trees::write_inodes); }
    /// `struct btrfs_ioctl_received_subvol_args`.
    RECEIVED: 200/192 {
        always uuid @ 0/0 Own(write_uuid);
        always stransid @ 16/16 Uint(B8);
        always stime @ 32/32 Own(write_time);
        always flags @ 64/56 Uint(B8);
    }
    RECEIVED_THEN: 200/192 {
        always rtransid @ 24/24 Uint(B8);
        always rtime @ 48/44 Own(write_time);
    }
    /// `struct btrfs_ioctl_send_args`.
    SENT: 72/68 {
        always send_fd @ 0/0 Descriptor;
        always clone_sources_count @ 8/8 Uint(B8);
        always clone_sources @ 8/8 Own(trees::write_sources);
        always parent_root @ 24/20 Own(trees::write_object);
        always flags @ 32/28 Flags(&flags::VOLUME_SENT, B8);
    }
    /// `struct btrfs_ioctl_quota_ctl_args`.
    QUOTAS: 16/16 { always cmd @ 0/0 Enum(&flags::QUOTA_CONTROL, B8); }
    /// `struct btrfs_ioctl_qgroup_limit_args`.
    GROUP_LIMITED: 48/48 {
        always qgroupid @ 0/0 Uint(B8);
        always lim @ 8/8 Nested(&LIMIT);
    }
    /// `struct btrfs_qgroup_limit`.
    LIMIT: 40/40 {
        always flags @ 0/0 Flags(&flags::QUOTA_LIMIT, B8);
        always max_rfer @ 8/8 Uint(B8);
        always max_excl @ 16/16 Uint(B8);
        always rsv_rfer @ 24/24 Uint(B8);
        always rsv_excl @ 32/32 Uint(B8);
    }
    /// `struct btrfs_ioctl_get_dev_stats`.
    ERRORS_ASKED: 1032/1032 {
        always devid @ 0/0 Device(B8);
        always nr_items @ 8/8 Uint(B8);
        always flags @ 16/16 Flags(&flags::ERROR_COUNTERS, B8);
    }
    ERRORS: 1032/1032 {
        always nr_items @ 8/8 Uint(B8);
        always flags @ 8/8 Own(write_errors);
    }
    /// `struct btrfs_ioctl_dev_replace_args`.
    REPLACED: 2600/2596 {
        always cmd @ 0/0 Enum(&flags::REPLACEMENT, B8);
        has(|replaced| word64(replaced, 0) == 0) start @ 16/16 Nested(&REPLACEMENT);
    }
    REPLACED_THEN: 2600/2596 {
        always result @ 8/8 Enum(&flags::REPLACEMENT_RESULT, B8);
        has(|replaced| word64(replaced, 0) == 1) status @ 16/16 Nested(&REPLACEMENT_STATE);
    }
    /// `struct btrfs_ioctl_dev_replace_start_params`.
    REPLACEMENT: 2072/2068 {
        always srcdevid @ 0/0 Device(B8);
        always cont_reading_from_srcdev_mode @ 8/8 Enum(&flags::REPLACEMENT_READS, B8);
        always srcdev_name @ 16/16 Text(1025);
        always tgtdev_name @ 1041/1041 Text(1025);
    }
    /// `struct btrfs_ioctl_dev_replace_status_params`.
    REPLACEMENT_STATE: 48/48 {
        always replace_state @ 0/0 Enum(&flags::REPLACEMENT_STATE, B8);
        always progress_1000 @ 8/8 Own(write_thousandths);
        always time_started @ 16/16 Own(write_second);
        always time_stopped @ 24/24 Own(write_second);
        always num_write_errors @ 32/32 Uint(B8);
        always num_uncorrectable_read_errors @ 40/40 Uint(B8);
    }
    /// `struct btrfs_ioctl_feature_flags`.
    FEATURES: 24/24 {
        always compat_flags @ 0/0 Flags(&flags::VOLUME_FEATURE, B8);
        always compat_ro_flags @ 8/8 Flags(&flags::VOLUME_READ_FEATURE, B8);
        always incompat_flags @ 16/16 Flags(&flags::VOLUME_NEEDED_FEATURE, B8);
    }
}

/// `505 /* 50.5% */`
fn write_thousandths(_: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let count = word64(bytes, 0);
    out.extend_from_slice(format!("{count} /* {}.{}% */", count / 10, count % 10).as_bytes());
}

fn write_second(_: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let second = word64(bytes, 0);
    write_radix(out, second, 10, 1);
    write_comment(out, second.cast_signed(), 0, 0);
}

/// `{sec=1463193386, nsec=0} /* 2016-05-14T02:36:26+0000 */`
fn write_time(_: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let (second, fraction) = (word64(bytes, 0), word32(bytes, 8));
    out.extend_from_slice(format!("{{sec={second}, nsec={fraction}}}").as_bytes());
    write_comment(out, second.cast_signed(), fraction.into(), 9);
}

/// `BTRFS_DEV_STATS_RESET, [[BTRFS_DEV_STAT_WRITE_ERRS]=9]`: the counters have no name.
fn write_errors(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    const KNOWN: u64 = 5;
    let count = word64(bytes, 0);
    call.style.constants.bits(out, &flags::ERROR_COUNTERS, word64(bytes, 8));
    out.extend_from_slice(b", [");
    for index in 0..count.min(KNOWN) {
        out.extend_from_slice(if index == 0 { b"[" } else { b", [" });
        trees::write_decimal(call, out, index, &flags::ERROR_COUNTER);
        out.extend_from_slice(b"]=");
        write_radix(out, word64(bytes, 16 + 8 * index as usize), 10, 1);
    }
    out.extend_from_slice(if count > KNOWN { b", ...]" } else { b"]" });
}

fn write_features(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64) {
    write_feature_sets(call, out, address, &["", ""]);
}

fn write_supported(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64) {
    write_feature_sets(
        call,
        out,
        address,
        &[" /* supported */", " /* safe to set */", " /* safe to clear */"],
    );
}

/// `[{compat_flags=0, ...} /* supported */, ...]`
fn write_feature_sets(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64, meanings: &[&str]) {
    let mut bytes = vec![0; FEATURES.size[0] * meanings.len()];
    let is_looked_at = address != 0 && !call.style.addresses;
    if !is_looked_at || call.memory.read(call.phase, address, &mut bytes) < bytes.len() {
        return call.write_address(out, address);
    }
    let sets = bytes.chunks_exact(FEATURES.size[0]).zip(meanings);
    call.write_items(out, sets, |call, out, (set, meaning)| {
        call.write_members(out, &FEATURES, set);
        out.extend_from_slice(meaning.as_bytes());
    });
}

/// A number of bytes, or all there are.
fn write_length(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    trees::write_decimal(call, out, word64(bytes, 0), &flags::LARGEST);
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
    write_text(out, &name[..end.unwrap_or(name.len() - 1)], call.style.hex, end.is_none());
    out.push(b'}');
}
