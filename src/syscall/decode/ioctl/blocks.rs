//! Operations on block devices.

use super::super::Decoder;
use super::super::layout::Show::{Enum, Int, Own, Process, Text, Uint};
use super::super::layout::Size::{B2, B4, B8};
use super::super::layout::layouts;
use super::super::net::{word32, word64};
use super::Use::{In, Nothing, Out, Parts};
use super::{Row, What};
use crate::syscall::flags::BLOCK_PARTITION;

const INT: What = What::Integer(4);
const UINT: What = What::Unsigned(4);

pub(super) static ROWS: &[Row] = &[
    (0x125d, In(INT)),                       // BLKROSET
    (0x125e, Out(INT)),                      // BLKROGET
    (0x125f, Nothing),                       // BLKRRPART
    (0x1260, Out(What::Own(write_word))),    // BLKGETSIZE
    (0x1261, Nothing),                       // BLKFLSBUF
    (0x1262, In(What::Number)),              // BLKRASET
    (0x1263, Out(What::Own(write_long))),    // BLKRAGET
    (0x1264, In(What::Number)),              // BLKFRASET
    (0x1265, Out(What::Own(write_long))),    // BLKFRAGET
    (0x1267, Out(What::Unsigned(2))),        // BLKSECTGET
    (0x1268, Out(INT)),                      // BLKSSZGET
    (0x1269, In(What::Of(&PARTITION_CALL))), // BLKPG
    (0x8008_1270, Out(INT)),                 // BLKBSZGET
    (0x8004_1270, Out(INT)),
    (0x4008_1271, In(INT)), // BLKBSZSET
    (0x4004_1271, In(INT)),
    (0x8008_1272, Out(What::Unsigned(8))), // BLKGETSIZE64
    (0x8004_1272, Out(What::Unsigned(8))),
    (0xc048_1273, Parts(write_tracing, write_traced)), // BLKTRACESETUP
    (0xc040_1273, Parts(write_tracing, write_traced)),
    (0x1274, Nothing),                     // BLKTRACESTART
    (0x1275, Nothing),                     // BLKTRACESTOP
    (0x1276, Nothing),                     // BLKTRACETEARDOWN
    (0x1277, In(What::Pair(8))),           // BLKDISCARD
    (0x1278, Out(UINT)),                   // BLKIOMIN
    (0x1279, Out(UINT)),                   // BLKIOOPT
    (0x127a, Out(INT)),                    // BLKALIGNOFF
    (0x127b, Out(UINT)),                   // BLKPBSZGET
    (0x127c, Out(UINT)),                   // BLKDISCARDZEROES
    (0x127d, In(What::Pair(8))),           // BLKSECDISCARD
    (0x127e, Out(What::Unsigned(2))),      // BLKROTATIONAL
    (0x127f, In(What::Pair(8))),           // BLKZEROOUT
    (0x8008_1280, Out(What::Unsigned(8))), // BLKGETDISKSEQ
    (0x8004_1284, Out(UINT)),              // BLKGETZONESZ
    (0x8004_1285, Out(UINT)),              // BLKGETNRZONES
];

layouts! {
    /// `struct blkpg_ioctl_arg`.
    PARTITION_CALL: 24/16 {
        always op @ 0/0 Enum(&BLOCK_PARTITION, B4);
        always flags @ 4/4 Int(B4);
        always datalen @ 8/8 Int(B4);
        always data @ 16/12 Own(write_partition);
    }
    /// `struct blkpg_partition`.
    PARTITION: 152/148 {
        always start @ 0/0 Int(B8);
        always length @ 8/8 Int(B8);
        always pno @ 16/16 Int(B4);
        always devname @ 20/20 Text(64);
        always volname @ 84/84 Text(64);
    }
    /// `struct blk_user_trace_setup`.
    TRACING: 72/64 {
        always act_mask @ 32/32 Uint(B2);
        always buf_size @ 36/36 Uint(B4);
        always buf_nr @ 40/40 Uint(B4);
        always start_lba @ 48/44 Uint(B8);
        always end_lba @ 56/52 Uint(B8);
        always pid @ 64/60 Process;
    }
    /// What of it is filled.
    TRACED: 72/64 {
        always name @ 0/0 Text(32);
    }
}

/// Of numbers in `long`, without a sign.
fn write_word(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64) {
    call.write_ioctl_argument(out, What::Unsigned(call.word_size()), address);
}

/// The same with one.
fn write_long(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64) {
    call.write_ioctl_argument(out, What::Integer(call.word_size()), address);
}

fn write_partition(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let address = if call.half() == 0 { word64(bytes, 0) } else { u64::from(word32(bytes, 0)) };
    call.write_layout(out, address, &PARTITION);
}

fn write_tracing(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    call.write_passed(out, index, &TRACING);
}

fn write_traced(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    call.write_filled(out, index, &TRACING, &TRACED);
}
