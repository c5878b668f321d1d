//! Operations on IDE disks.

use super::super::layout::Show::{Enum, Hex, Uint};
use super::super::layout::Size::{B1, B2, Word};
use super::super::layout::layouts;
use super::super::text::Hex as Text;
use super::super::{Decoder, Phase};
use super::Use::{In, Out, Parts};
use super::{Row, What};
use crate::syscall::flags::{BUS_STATE, DISK_COMMAND, DISK_NICE, write_hex};

const NUMBER: super::Use = In(What::Number);
const NUMBER_AT: super::Use = Out(What::Own(write_word));

pub(super) static ROWS: &[Row] = &[
    (0x0301, Out(What::Of(&GEOMETRY))),           // HDIO_GETGEO
    (0x0302, NUMBER_AT),                          // HDIO_GET_UNMASKINTR
    (0x0304, NUMBER_AT),                          // HDIO_GET_MULTCOUNT
    (0x0307, Out(What::Own(write_old_identity))), // HDIO_OBSOLETE_IDENTITY
    (0x0308, NUMBER_AT),                          // HDIO_GET_KEEPSETTINGS
    (0x0309, NUMBER_AT),                          // HDIO_GET_32BIT
    (0x030a, NUMBER_AT),                          // HDIO_GET_NOWERR
    (0x030b, NUMBER_AT),                          // HDIO_GET_DMA
    (0x030c, Out(What::Own(write_nice))),         // HDIO_GET_NICE
    (0x030d, Out(What::Own(write_identity))),     // HDIO_GET_IDENTITY
    (0x030e, NUMBER_AT),                          // HDIO_GET_WCACHE
    (0x030f, NUMBER_AT),                          // HDIO_GET_ACOUSTIC
    (0x0310, NUMBER_AT),                          // HDIO_GET_ADDRESS
    (0x031a, Out(What::Own(write_bus_state))),    // HDIO_GET_BUSSTATE
    (0x031c, In(What::Own(write_three))),         // HDIO_DRIVE_RESET
    (0x031f, Parts(write_command, write_answer)), // HDIO_DRIVE_CMD
    (0x0321, NUMBER),                             // HDIO_SET_MULTCOUNT
    (0x0322, NUMBER),                             // HDIO_SET_UNMASKINTR
    (0x0323, NUMBER),                             // HDIO_SET_KEEPSETTINGS
    (0x0324, NUMBER),                             // HDIO_SET_32BIT
    (0x0325, NUMBER),                             // HDIO_SET_NOWERR
    (0x0326, NUMBER),                             // HDIO_SET_DMA
    (0x0327, NUMBER),                             // HDIO_SET_PIO_MODE
    (0x0328, In(What::Own(write_three))),         // HDIO_SCAN_HWIF
    (0x0329, In(What::Flags(&DISK_NICE))),        // HDIO_SET_NICE
    (0x032a, NUMBER),                             // HDIO_UNREGISTER_HWIF
    (0x032b, NUMBER),                             // HDIO_SET_WCACHE
    (0x032c, NUMBER),                             // HDIO_SET_ACOUSTIC
    (0x032d, In(What::Choice(&BUS_STATE))),       // HDIO_SET_BUSSTATE
    (0x032f, NUMBER),                             // HDIO_SET_ADDRESS
];

/// Bytes of a sector.
const SECTOR: u64 = 512;

layouts! {
    /// `struct hd_geometry`.
    GEOMETRY: 16/8 {
        always heads @ 0/0 Uint(B1);
        always sectors @ 1/1 Uint(B1);
        always cylinders @ 2/2 Uint(B2);
        always start @ 8/4 Uint(Word);
    }
    /// The registers of a command (`struct hd_drive_cmd_hdr`).
    COMMAND: 4/4 {
        always command @ 0/0 Enum(&DISK_COMMAND, B1);
        always sector_number @ 1/1 Uint(B1);
        always feature @ 2/2 Uint(B1);
        always sector_count @ 3/3 Uint(B1);
    }
    /// What they have then.
    ANSWER: 4/4 {
        always status @ 0/0 Hex(B1);
        always error @ 1/1 Uint(B1);
        always nsector @ 2/2 Uint(B1);
    }
}

/// Of numbers in `long`.
fn write_word(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64) {
    call.write_ioctl_argument(out, What::Unsigned(call.word_size()), address);
}

fn write_nice(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64) {
    call.write_one_at(out, address, call.word_size(), |call, out, value| {
        call.style.constants.bits(out, &DISK_NICE, value);
    });
}

fn write_bus_state(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64) {
    call.write_ioctl_argument(out, What::One(&BUS_STATE, call.word_size()), address);
}

/// `struct hd_driveid`, as bytes.
fn write_identity(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64) {
    call.write_buffer(out, address, SECTOR);
}

/// The part of it that there was first.
fn write_old_identity(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64) {
    call.write_buffer(out, address, 142);
}

/// `[0x1, 0, 0]`
fn write_three(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64) {
    let mut bytes = [0; 12];
    if address == 0 || call.memory.read(call.phase, address, &mut bytes) < bytes.len() {
        return call.write_address(out, address);
    }
    call.write_first_numbers(out, &bytes, 4, 3, write_hex);
}

fn write_command(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    call.write_layout(out, call.arg(index), &COMMAND);
}

/// ` => {status=0x50, error=0, nsector=1, buf="\x00"...}`: with a buffer where sectors were asked for.
fn write_answer(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let address = call.arg(index);
    call.write_answer_in(out, index, &COMMAND, &ANSWER);
    let mut command = [0; 4];
    call.memory.read(Phase::Entry, address, &mut command);
    let sectors = u64::from(command[3]);
    if sectors > 0 && out.ends_with(b"}") && call.succeeded() {
        out.pop();
        out.extend_from_slice(b", buf=");
        call.write_buffer_as(out, address.wrapping_add(4), sectors * SECTOR, Text::All);
        out.push(b'}');
    }
}
