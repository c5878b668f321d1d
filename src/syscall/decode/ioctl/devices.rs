//! Operations on devices and kernel objects of other kinds: those of which strace takes little or all apart.

use super::super::layout::Show::{Descriptor, Device, Enum, Flags, Hex, Int, Nested, Own, Text, Uint, Words};
use super::super::layout::Size::{B1, B2, B4, B8, Word};
use super::super::layout::layouts;
use super::super::net::word32;
use super::super::structures::number;
use super::super::text::write_text;
use super::super::{Decoder, perf};
use super::Use::{In, Nothing, Out, Parts};
use super::{Row, What, clocks, requests};
use crate::syscall::flags::{self, FlagSet, write_number, write_radix};

const INT: What = What::Integer(4);
const UINT: What = What::Unsigned(4);

pub(super) static ROWS: &[Row] = &[
    // SCSI.
    (0x2201, In(INT)),                                                 // SG_SET_TIMEOUT
    (0x2202, Nothing),                                                 // SG_GET_TIMEOUT
    (0x2203, Out(INT)),                                                // SG_EMULATED_HOST
    (0x2204, In(What::Own(write_bits32))),                             // SG_SET_TRANSFORM
    (0x2205, Out(INT)),                                                // SG_GET_TRANSFORM
    (0x2270, Out(INT)),                                                // SG_GET_COMMAND_Q
    (0x2271, In(INT)),                                                 // SG_SET_COMMAND_Q
    (0x2272, Out(INT)),                                                // SG_GET_RESERVED_SIZE
    (0x2275, In(INT)),                                                 // SG_SET_RESERVED_SIZE
    (0x2276, Out(What::Of(&SCSI_ID))),                                 // SG_GET_SCSI_ID
    (0x2279, In(INT)),                                                 // SG_SET_FORCE_LOW_DMA
    (0x227a, Out(INT)),                                                // SG_GET_LOW_DMA
    (0x227b, In(INT)),                                                 // SG_SET_FORCE_PACK_ID
    (0x227c, Out(INT)),                                                // SG_GET_PACK_ID
    (0x227d, Out(INT)),                                                // SG_GET_NUM_WAITING
    (0x227e, In(INT)),                                                 // SG_SET_DEBUG
    (0x227f, Out(INT)),                                                // SG_GET_SG_TABLESIZE
    (0x2282, Out(INT)),                                                // SG_GET_VERSION_NUM
    (0x2283, In(INT)),                                                 // SG_NEXT_CMD_LEN
    (0x2284, In(What::Own(write_reset))),                              // SG_SCSI_RESET
    (0x2285, Parts(requests::write_request, requests::write_outcome)), // SG_IO
    (0x2286, In(What::Pointer)),                                       // SG_GET_REQUEST_TABLE
    (0x2287, In(INT)),                                                 // SG_SET_KEEP_ORPHAN
    (0x2288, Out(INT)),                                                // SG_GET_KEEP_ORPHAN
    (0x2289, Out(INT)),                                                // SG_GET_ACCESS_COUNT
    // Counters.
    (0x2400, In(What::Flags(&flags::PERF_GROUP))), // PERF_EVENT_IOC_ENABLE
    (0x2401, In(What::Flags(&flags::PERF_GROUP))), // PERF_EVENT_IOC_DISABLE
    (0x2402, In(What::Value)),                     // PERF_EVENT_IOC_REFRESH
    (0x2403, In(What::Flags(&flags::PERF_GROUP))), // PERF_EVENT_IOC_RESET
    (0x4008_2404, In(What::Unsigned(8))),          // PERF_EVENT_IOC_PERIOD
    (0x2405, In(What::Descriptor)),                // PERF_EVENT_IOC_SET_OUTPUT
    (0x4008_2406, In(What::String)),               // PERF_EVENT_IOC_SET_FILTER
    (0x4004_2406, In(What::String)),
    (0x8008_2407, Out(What::Unsigned(8))), // PERF_EVENT_IOC_ID
    (0x8004_2407, Out(What::Unsigned(8))),
    (0x4004_2408, In(What::Descriptor)), // PERF_EVENT_IOC_SET_BPF
    (0x4004_2409, In(What::Number)),     // PERF_EVENT_IOC_PAUSE_OUTPUT
    (0xc008_240a, Parts(write_programs_wanted, write_programs)), // PERF_EVENT_IOC_QUERY_BPF
    (0xc004_240a, Parts(write_programs_wanted, write_programs)),
    (0x4008_240b, In(What::Own(write_event))), // PERF_EVENT_IOC_MODIFY_ATTRIBUTES
    (0x4004_240b, In(What::Own(write_event))),
    // Watches of files.
    (0x4004_4900, In(What::Value)), // INOTIFY_IOC_SETNEXTWD
    // Files as block devices.
    (0x4c00, In(What::Descriptor)),           // LOOP_SET_FD
    (0x4c01, Nothing),                        // LOOP_CLR_FD
    (0x4c02, In(What::Of(&LOOP_OLD))),        // LOOP_SET_STATUS
    (0x4c03, Out(What::Of(&LOOP_OLD))),       // LOOP_GET_STATUS
    (0x4c04, In(What::Own(write_loop))),      // LOOP_SET_STATUS64
    (0x4c05, Out(What::Own(write_loop))),     // LOOP_GET_STATUS64
    (0x4c06, In(What::Descriptor)),           // LOOP_CHANGE_FD
    (0x4c07, Nothing),                        // LOOP_SET_CAPACITY
    (0x4c08, In(What::Number)),               // LOOP_SET_DIRECT_IO
    (0x4c09, In(What::Number)),               // LOOP_SET_BLOCK_SIZE
    (0x4c0a, In(What::Of(&LOOP_CONFIGURED))), // LOOP_CONFIGURE
    (0x4c80, In(What::Value)),                // LOOP_CTL_ADD
    (0x4c81, In(What::Value)),                // LOOP_CTL_REMOVE
    (0x4c82, Nothing),                        // LOOP_CTL_GET_FREE
    // Receivers of infrared light.
    (0x8004_6900, Out(What::Bits(&flags::INFRARED))), // LIRC_GET_FEATURES
    (0x8004_6901, Out(What::One(&flags::INFRARED_MODE, 4))), // LIRC_GET_SEND_MODE
    (0x8004_6902, Out(What::One(&flags::INFRARED_MODE, 4))), // LIRC_GET_REC_MODE
    (0x8004_6907, Out(UINT)),                         // LIRC_GET_REC_RESOLUTION
    (0x8004_6908, Out(UINT)),                         // LIRC_GET_MIN_TIMEOUT
    (0x8004_6909, Out(UINT)),                         // LIRC_GET_MAX_TIMEOUT
    (0x8004_690f, Out(UINT)),                         // LIRC_GET_LENGTH
    (0x4004_6911, In(What::One(&flags::INFRARED_MODE, 4))), // LIRC_SET_SEND_MODE
    (0x4004_6912, In(What::One(&flags::INFRARED_MODE, 4))), // LIRC_SET_REC_MODE
    (0x4004_6913, In(UINT)),                          // LIRC_SET_SEND_CARRIER
    (0x4004_6914, In(UINT)),                          // LIRC_SET_REC_CARRIER
    (0x4004_6915, In(UINT)),                          // LIRC_SET_SEND_DUTY_CYCLE
    (0x4004_6917, In(What::Hexadecimal(4))),          // LIRC_SET_TRANSMITTER_MASK
    (0x4004_6918, In(UINT)),                          // LIRC_SET_REC_TIMEOUT
    (0x4004_6919, In(UINT)),                          // LIRC_SET_REC_TIMEOUT_REPORTS
    (0x4004_691d, In(UINT)),                          // LIRC_SET_MEASURE_CARRIER_MODE
    (0x4004_691f, In(UINT)),                          // LIRC_SET_REC_CARRIER_RANGE
    (0x4004_6923, In(UINT)),                          // LIRC_SET_WIDEBAND_RECEIVER
    (0x8004_6924, Out(UINT)),                         // LIRC_GET_REC_TIMEOUT
    // Counters of hardware.
    (0x4006_3e00, In(What::Of(&WATCHED))), // COUNTER_ADD_WATCH_IOCTL
    (0x3e01, Nothing),                     // COUNTER_ENABLE_EVENTS_IOCTL
    (0x3e02, Nothing),                     // COUNTER_DISABLE_EVENTS_IOCTL
    // Randomness.
    (0x8004_5200, Out(INT)),                     // RNDGETENTCNT
    (0x4004_5201, In(INT)),                      // RNDADDTOENTCNT
    (0x4008_5203, In(What::Own(write_entropy))), // RNDADDENTROPY
    (0x5204, Nothing),                           // RNDZAPENTCNT
    (0x5206, Nothing),                           // RNDCLEARPOOL
    (0x5207, Nothing),                           // RNDRESEEDCRNG
    // Watchdogs.
    (0x8004_5701, Out(INT)), // WDIOC_GETSTATUS
    (0x8004_5702, Out(INT)), // WDIOC_GETBOOTSTATUS
    (0x8004_5703, Out(INT)), // WDIOC_GETTEMP
    (0x8004_5705, Nothing),  // WDIOC_KEEPALIVE
    (0xc004_5706, In(INT)),  // WDIOC_SETTIMEOUT
    (0x8004_5707, Out(INT)), // WDIOC_GETTIMEOUT
    (0xc004_5708, In(INT)),  // WDIOC_SETPRETIMEOUT
    (0x8004_5709, Out(INT)), // WDIOC_GETPRETIMEOUT
    (0x8004_570a, Out(INT)), // WDIOC_GETTIMELEFT
    // Clocks.
    (0x7001, Nothing),                         // RTC_AIE_ON
    (0x7002, Nothing),                         // RTC_AIE_OFF
    (0x7003, Nothing),                         // RTC_UIE_ON
    (0x7004, Nothing),                         // RTC_UIE_OFF
    (0x7005, Nothing),                         // RTC_PIE_ON
    (0x7006, Nothing),                         // RTC_PIE_OFF
    (0x700f, Nothing),                         // RTC_WIE_ON
    (0x7010, Nothing),                         // RTC_WIE_OFF
    (0x4024_7007, In(What::Of(&MOMENT))),      // RTC_ALM_SET
    (0x8024_7008, Out(What::Of(&MOMENT))),     // RTC_ALM_READ
    (0x8024_7009, Out(What::Of(&MOMENT))),     // RTC_RD_TIME
    (0x4024_700a, In(What::Of(&MOMENT))),      // RTC_SET_TIME
    (0x8008_700b, Out(What::Own(write_word))), // RTC_IRQP_READ
    (0x8004_700b, Out(What::Own(write_word))),
    (0x4008_700c, In(What::Number)), // RTC_IRQP_SET
    (0x4004_700c, In(What::Number)),
    (0x8008_700d, Out(What::Own(write_word))), // RTC_EPOCH_READ
    (0x8004_700d, Out(What::Own(write_word))),
    (0x4008_700e, In(What::Number)), // RTC_EPOCH_SET
    (0x4004_700e, In(What::Number)),
    (0x4028_700f, In(What::Of(&ALARM))),       // RTC_WKALM_SET
    (0x8028_7010, Out(What::Of(&ALARM))),      // RTC_WKALM_RD
    (0x8020_7011, Out(What::Of(&CORRECTION))), // RTC_PLL_GET
    (0x801c_7011, Out(What::Of(&CORRECTION))),
    (0x4020_7012, In(What::Of(&CORRECTION))), // RTC_PLL_SET
    (0x401c_7012, In(What::Of(&CORRECTION))),
    (0x4018_7013, Parts(clocks::write_parameter_wanted, clocks::write_parameter)), // RTC_PARAM_GET
    (0x4018_7014, In(What::Of(&clocks::PARAMETER_SET))),                           // RTC_PARAM_SET
    (0x8004_7013, Out(What::Bits(&flags::CLOCK_VOLTAGE))),                         // RTC_VL_READ
    (0x7014, Nothing),                                                             // RTC_VL_CLR
    // Faults of memory that a program serves.
    (0xc020_aa00, parts!(FAULT_REGISTERED, FAULT_REGISTER_DONE)), // UFFDIO_REGISTER
    (0x8010_aa01, In(What::Of(&FAULT_RANGE))),                    // UFFDIO_UNREGISTER
    (0x8010_aa02, In(What::Of(&FAULT_RANGE))),                    // UFFDIO_WAKE
    (0xc028_aa03, parts!(FAULT_COPIED, FAULT_COPY_DONE)),         // UFFDIO_COPY
    (0xc020_aa04, parts!(FAULT_ZEROED, FAULT_ZERO_DONE)),         // UFFDIO_ZEROPAGE
    (0xc018_aa3f, Parts(write_fault_wanted, write_fault_api)),    // UFFDIO_API
    // Block devices of the network.
    (0xab00, In(What::Descriptor)),               // NBD_SET_SOCK
    (0xab01, In(What::Number)),                   // NBD_SET_BLKSIZE
    (0xab02, In(What::Number)),                   // NBD_SET_SIZE
    (0xab03, Nothing),                            // NBD_DO_IT
    (0xab04, Nothing),                            // NBD_CLEAR_SOCK
    (0xab05, Nothing),                            // NBD_CLEAR_QUE
    (0xab06, Nothing),                            // NBD_PRINT_DEBUG
    (0xab07, In(What::Number)),                   // NBD_SET_SIZE_BLOCKS
    (0xab08, Nothing),                            // NBD_DISCONNECT
    (0xab09, In(What::Number)),                   // NBD_SET_TIMEOUT
    (0xab0a, In(What::Flags(&flags::NBD_FLAGS))), // NBD_SET_FLAGS
    // Namespaces.
    (0xb701, Nothing),                     // NS_GET_USERNS
    (0xb702, Nothing),                     // NS_GET_PARENT
    (0xb703, Nothing),                     // NS_GET_NSTYPE
    (0xb704, Out(What::Own(write_owner))), // NS_GET_OWNER_UID
];

layouts! {
    /// The head of `struct perf_event_query_bpf`.
    PROGRAMS_WANTED: 4/4 {
        always ids_len @ 0/0 Uint(B4);
    }
    /// `struct counter_watch`.
    WATCHED: 6/6 {
        always component @ 0/0 Nested(&WATCHED_PART);
        always event @ 4/4 Enum(&flags::COUNTER_EVENT, B1);
        always channel @ 5/5 Uint(B1);
    }
    /// `struct counter_component`.
    WATCHED_PART: 4/4 {
        always type @ 0/0 Enum(&flags::COUNTER_PART, B1);
        always scope @ 1/1 Enum(&flags::COUNTER_SCOPE, B1);
        always parent @ 2/2 Uint(B1);
        always id @ 3/3 Uint(B1);
    }
    /// `struct sg_scsi_id`.
    SCSI_ID: 32/32 {
        always host_no @ 0/0 Int(B4);
        always channel @ 4/4 Int(B4);
        always scsi_id @ 8/8 Hex(B4);
        always lun @ 12/12 Int(B4);
        always scsi_type @ 16/16 Hex(B4);
        always h_cmd_per_lun @ 20/20 Int(B2);
        always d_queue_depth @ 22/22 Int(B2);
    }
    /// `struct loop_info`.
    LOOP_OLD: 168/140 {
        always lo_number @ 0/0 Int(B4);
        v lo_device @ 8/4 Own(write_old_device);
        v lo_inode @ 16/8 Uint(Word);
        v lo_rdevice @ 24/12 Own(write_old_device);
        always lo_offset @ 32/16 Hex(B4);
        v_or(is_encrypted_old) lo_encrypt_type @ 36/20 Enum(&flags::LOOP_CRYPT, B4);
        v_or(is_encrypted_old) lo_encrypt_key_size @ 40/24 Uint(B4);
        always lo_flags @ 44/28 Flags(&flags::LOOP_FLAGS, B4);
        always lo_name @ 48/32 Text(64);
        v_or(is_encrypted_old) lo_encrypt_key @ 0/0 Own(write_old_key);
        v lo_init @ 144/128 Words(Word, 2);
        v reserved @ 160/136 Words(B1, 4);
    }
    /// `struct loop_info64`.
    LOOP: 232/232 {
        v lo_device @ 0/0 Device(B8);
        v lo_inode @ 8/8 Uint(B8);
        v lo_rdevice @ 16/16 Device(B8);
        always lo_offset @ 24/24 Hex(B8);
        v lo_sizelimit @ 32/32 Uint(B8);
        always lo_number @ 40/40 Uint(B4);
        v_or(is_encrypted) lo_encrypt_type @ 44/44 Enum(&flags::LOOP_CRYPT, B4);
        v_or(is_encrypted) lo_encrypt_key_size @ 48/48 Uint(B4);
        always lo_flags @ 52/52 Flags(&flags::LOOP_FLAGS, B4);
        always lo_file_name @ 56/56 Text(64);
        v_or(is_encrypted) lo_crypt_name @ 120/120 Text(64);
        v_or(is_encrypted) lo_encrypt_key @ 0/0 Own(write_key);
        v lo_init @ 216/216 Words(B8, 2);
    }
    /// `struct loop_config`.
    LOOP_CONFIGURED: 304/304 {
        always fd @ 0/0 Descriptor;
        always block_size @ 4/4 Uint(B4);
        always info @ 8/8 Nested(&LOOP);
        set(64) __reserved @ 240/240 Own(write_reserved);
    }
    /// `struct rtc_time`.
    MOMENT: 36/36 {
        always tm_sec @ 0/0 Int(B4);
        always tm_min @ 4/4 Int(B4);
        always tm_hour @ 8/8 Int(B4);
        always tm_mday @ 12/12 Int(B4);
        always tm_mon @ 16/16 Int(B4);
        always tm_year @ 20/20 Int(B4);
        v tm_wday @ 24/24 Int(B4);
        v tm_yday @ 28/28 Int(B4);
        v tm_isdst @ 32/32 Int(B4);
    }
    /// `struct rtc_wkalrm`.
    ALARM: 40/40 {
        always enabled @ 0/0 Uint(B1);
        always pending @ 1/1 Uint(B1);
        always time @ 4/4 Nested(&MOMENT);
    }
    /// `struct rtc_pll_info`.
    CORRECTION: 32/28 {
        always pll_ctrl @ 0/0 Int(B4);
        always pll_value @ 4/4 Int(B4);
        always pll_max @ 8/8 Int(B4);
        always pll_min @ 12/12 Int(B4);
        always pll_posmult @ 16/16 Int(B4);
        always pll_negmult @ 20/20 Int(B4);
        always pll_clock @ 24/24 Int(Word);
    }
    /// `struct uffdio_range`.
    FAULT_RANGE: 16/16 {
        always start @ 0/0 Hex(B8);
        always len @ 8/8 Hex(B8);
    }
    /// `struct uffdio_register`.
    FAULT_REGISTERED: 32/32 {
        always range @ 0/0 Nested(&FAULT_RANGE);
        always mode @ 16/16 Flags(&flags::FAULT_REGISTER, B8);
    }
    /// What of it is filled.
    FAULT_REGISTER_DONE: 32/32 {
        always ioctls @ 24/24 Flags(&FAULT_RANGE_CALLS, B8);
    }
    /// `struct uffdio_copy`.
    FAULT_COPIED: 40/40 {
        always dst @ 0/0 Hex(B8);
        always src @ 8/8 Hex(B8);
        always len @ 16/16 Hex(B8);
        always mode @ 24/24 Flags(&flags::FAULT_COPY, B8);
    }
    /// What of it is filled.
    FAULT_COPY_DONE: 40/40 {
        always copy @ 32/32 Hex(B8);
    }
    /// `struct uffdio_zeropage`.
    FAULT_ZEROED: 32/32 {
        always range @ 0/0 Nested(&FAULT_RANGE);
        always mode @ 16/16 Flags(&flags::FAULT_ZERO, B8);
    }
    /// What of it is filled.
    FAULT_ZERO_DONE: 32/32 {
        always zeropage @ 24/24 Hex(B8);
    }
    /// `struct uffdio_api`.
    FAULT_API: 24/24 {
        always api @ 0/0 Hex(B8);
        always features @ 8/8 Flags(&flags::FAULT_FEATURES, B8);
    }
    /// What of it is filled.
    FAULT_API_DONE: 24/24 {
        always ioctls @ 16/16 Flags(&FAULT_CALLS, B8);
    }
}

/// Operations that a range of memory has, as bits.
static FAULT_RANGE_CALLS: FlagSet = FlagSet {
    unknown: "UFFDIO_???",
    wide: true,
    fields: &[],
    values: &[
        (1 << 2, "1<<_UFFDIO_WAKE"),
        (1 << 3, "1<<_UFFDIO_COPY"),
        (1 << 4, "1<<_UFFDIO_ZEROPAGE"),
        (1 << 6, "1<<_UFFDIO_WRITEPROTECT"),
        (1 << 7, "1<<_UFFDIO_CONTINUE"),
    ],
};

/// The same of the descriptor.
static FAULT_CALLS: FlagSet = FlagSet {
    unknown: "_UFFDIO_???",
    wide: true,
    fields: &[],
    values: &[(1, "1<<_UFFDIO_REGISTER"), (1 << 1, "1<<_UFFDIO_UNREGISTER"), (1 << 63, "1<<_UFFDIO_API")],
};

fn write_word(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64) {
    call.write_ioctl_argument(out, What::Unsigned(call.word_size()), address);
}

/// The lower 32 bits of the argument.
fn write_bits32(_: &mut Decoder<'_, '_>, out: &mut Vec<u8>, value: u64) {
    flags::write_hex(out, u64::from(value as u32));
}

fn is_encrypted(info: &[u8]) -> bool {
    word32(info, 44) != 0
}

/// Of `struct loop_info`, told by its size.
fn is_encrypted_old(info: &[u8]) -> bool {
    word32(info, if info.len() == LOOP_OLD.size[0] { 36 } else { 20 }) != 0
}

/// The number of a device, which fills a word or (i386) half of one.
fn write_old_device(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let size = if call.half() == 0 { 8 } else { 2 };
    call.style.constants.device(out, number(bytes, size));
}

/// `[0x1, 0]`, all of them, however few elements are shown of arrays.
fn write_reserved(_: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    for (index, word) in bytes.chunks_exact(8).take(8).enumerate() {
        out.extend_from_slice(if index == 0 { b"[" } else { b", " });
        flags::write_hex(out, number(word, 8));
    }
    out.push(b']');
}

/// So many bytes of a key.
fn write_secret(call: &Decoder<'_, '_>, out: &mut Vec<u8>, key: &[u8], size: u32) {
    let shown = key.len().min(size as usize);
    write_text(out, &key[..shown], call.style.hex, false);
}

fn write_key(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, info: &[u8]) {
    write_secret(call, out, info.get(184..216).unwrap_or_default(), word32(info, 48));
}

fn write_old_key(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, info: &[u8]) {
    let (at, size) = if call.half() == 0 { (112, 40) } else { (96, 24) };
    write_secret(call, out, info.get(at..at + 32).unwrap_or_default(), word32(info, size));
}

fn write_loop(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64) {
    call.write_layout(out, address, &LOOP);
}

/// `{entropy_count=8, buf_size=1, buf="x"}`
fn write_entropy(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64) {
    let mut head = [0; 8];
    if address == 0 || call.memory.read(call.phase, address, &mut head) < head.len() {
        return call.write_address(out, address);
    }
    for (name, at) in [("{entropy_count=", 0), (", buf_size=", 4)] {
        out.extend_from_slice(name.as_bytes());
        write_number(out, i64::from(word32(&head, at).cast_signed()));
    }
    out.extend_from_slice(b", buf=");
    let size = i64::from(word32(&head, 4).cast_signed()).cast_unsigned();
    call.write_buffer(out, address.wrapping_add(head.len() as u64), size);
    out.push(b'}');
}

fn write_fault_wanted(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    call.write_passed(out, index, &FAULT_API);
}

/// ` => features=..., ioctls=...}`: what there is of what was asked for.
fn write_fault_api(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let address = call.arg(index);
    if !call.was_readable(address, &FAULT_API) {
        return;
    }
    let mut features = [[0; 8]; 2];
    for (phase, features) in [super::super::Phase::Entry, call.phase].into_iter().zip(&mut features) {
        call.memory.read(phase, address.wrapping_add(8), features);
    }
    if call.succeeded() && call.was_filled(address, &FAULT_API) && features[0] != features[1] {
        out.extend_from_slice(b" => features=");
        call.style.constants.bits(out, &flags::FAULT_FEATURES, number(&features[1], 8));
    }
    call.write_filled(out, index, &FAULT_API, &FAULT_API_DONE);
}

/// `[1000]`, -1 where it is none.
fn write_owner(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64) {
    call.write_one_at(out, address, 4, |_, out, id| match id as u32 {
        u32::MAX => out.extend_from_slice(b"-1"),
        id => write_radix(out, u64::from(id), 10, 1),
    });
}

/// `[SG_SCSI_RESET_NO_ESCALATE|SG_SCSI_RESET_BUS]`
fn write_reset(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64) {
    const NO_ESCALATE: u64 = 0x100;
    call.write_one_at(out, address, 4, |call, out, value| {
        let name = |out: &mut Vec<u8>| {
            if value & NO_ESCALATE != 0 {
                out.extend_from_slice(b"SG_SCSI_RESET_NO_ESCALATE|");
            }
            flags::SCSI_RESET.write_one(out, value & !NO_ESCALATE);
        };
        call.style.constants.write(out, |out| flags::write_hex(out, value), name);
    });
}

/// `struct perf_event_attr`, the third argument.
fn write_event(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, _: u64) {
    perf::write_attributes(call, out, 2);
}

/// `{ids_len=2`: how many programs there is room for.
fn write_programs_wanted(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    call.write_passed(out, index, &PROGRAMS_WANTED);
}

/// `, prog_cnt=2, ids=[5, 6]}`
fn write_programs(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let address = call.arg(index);
    if !call.was_readable(address, &PROGRAMS_WANTED) {
        return;
    }
    let count = call.read_u32_at(call.phase, address.wrapping_add(4)).filter(|_| call.succeeded());
    let Some(count) = count else { return out.extend_from_slice(b", ...}") };
    out.extend_from_slice(b", prog_cnt=");
    write_radix(out, u64::from(count), 10, 1);
    out.extend_from_slice(b", ids=");
    call.write_array(out, address.wrapping_add(8), u64::from(count), 4, &mut |_, out, id| {
        write_radix(out, u64::from(word32(id, 0)), 10, 1);
    });
    out.push(b'}');
}
