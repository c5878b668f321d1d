//! Operations on video devices (V4L2), but for their controls.

use super::super::layout::Show::{Address, Enum, Flags, Hex, Int, Nested, Own, Text, Uint};
use super::super::layout::Size::{B1, B4, B8, Word};
use super::super::layout::{Layout, layouts};
use super::super::memory::Phase;
use super::super::net::{word16, word32};
use super::super::{Constants, Decoder, bpf, structures};
use super::Use::{In, Out, Parts};
use super::{Row, Use, What, controls};
use crate::syscall::flags::{self, FlagSet, write_hex, write_number, write_radix};

const TUNER_CHANGED: Use = Parts(
    |call, out, index| call.write_together(out, call.arg(index), &[&TUNER_ASKED, &TUNER]),
    |call, out, index| call.write_answer_in(out, index, &TUNER, &TUNER),
);
const FORMAT_TOLD: Use = parts!(FORMAT_KIND, FORMAT);
const FORMAT_CHANGED: Use = Parts(
    |call, out, index| call.write_together(out, call.arg(index), &[&FORMAT_KIND, &FORMAT]),
    write_format_then,
);
const STREAM_TOLD: Use = parts!(STREAM_KIND, STREAM);
const STREAM_CHANGED: Use = Parts(
    |call, out, index| call.write_together(out, call.arg(index), &[&STREAM_KIND, &STREAM]),
    |call, out, index| write_answer(call, out, index, &STREAM),
);
const BUFFERS_WANTED: Use = Parts(
    |call, out, index| call.write_passed(out, index, &WANTED),
    |call, out, index| {
        call.write_changed(out, index, &WANTED, 0, |out, count| write_radix(out, count.into(), 10, 1));
    },
);
const BUFFERS_MADE: Use = In(What::Of(&MADE));
const BUFFER_TOLD: Use = Parts(|call, out, index| call.write_passed(out, index, &BUFFER), write_buffer_then);
const BUFFER_TAKEN: Use =
    Parts(|call, out, index| call.write_passed(out, index, &BUFFER_KIND), write_buffer_then);

pub(super) static ROWS: &[Row] = &[
    (0x8068_5600, Out(What::Of(&DEVICE))),        // VIDIOC_QUERYCAP
    (0xc040_5602, parts!(FORMAT_ASKED, PICTURE)), // VIDIOC_ENUM_FMT
    (0xc0d0_5604, FORMAT_TOLD),                   // VIDIOC_G_FMT
    (0xc0cc_5604, FORMAT_TOLD),
    (0xc0d0_5605, FORMAT_CHANGED), // VIDIOC_S_FMT
    (0xc0cc_5605, FORMAT_CHANGED),
    (0xc0d0_5640, FORMAT_CHANGED), // VIDIOC_TRY_FMT
    (0xc0cc_5640, FORMAT_CHANGED),
    (0xc014_5608, BUFFERS_WANTED), // VIDIOC_REQBUFS
    (0xc100_565c, BUFFERS_MADE),   // VIDIOC_CREATE_BUFS
    (0xc0f8_565c, BUFFERS_MADE),
    (0xc058_5609, BUFFER_TOLD), // VIDIOC_QUERYBUF
    (0xc04c_5609, BUFFER_TOLD),
    (0xc058_560f, BUFFER_TOLD), // VIDIOC_QBUF
    (0xc04c_560f, BUFFER_TOLD),
    (DEQUEUE, BUFFER_TAKEN), // VIDIOC_DQBUF
    (DEQUEUE32, BUFFER_TAKEN),
    (0x8030_560a, Out(What::Of(&SCREEN))), // VIDIOC_G_FBUF
    (0x802c_560a, Out(What::Of(&SCREEN))),
    (0x4030_560b, In(What::Of(&SCREEN))), // VIDIOC_S_FBUF
    (0x402c_560b, In(What::Of(&SCREEN))),
    (0x4004_5612, In(What::One(&flags::VIDEO_BUFFER, 4))), // VIDIOC_STREAMON
    (0x4004_5613, In(What::One(&flags::VIDEO_BUFFER, 4))), // VIDIOC_STREAMOFF
    (0xc0cc_5615, STREAM_TOLD),                            // VIDIOC_G_PARM
    (0xc0cc_5616, STREAM_CHANGED),                         // VIDIOC_S_PARM
    (0x8008_5617, Out(What::Hexadecimal(8))),              // VIDIOC_G_STD
    (0x4008_5618, In(What::Hexadecimal(8))),               // VIDIOC_S_STD
    (0xc048_5619, parts!(STANDARD_ASKED, STANDARD)),       // VIDIOC_ENUMSTD
    (0xc040_5619, parts!(STANDARD_ASKED, STANDARD)),
    (0xc050_561a, parts!(INPUT_ASKED, INPUT)), // VIDIOC_ENUMINPUT
    (0xc04c_561a, parts!(INPUT_ASKED, INPUT)),
    (0xc054_561d, parts!(TUNER_ASKED, TUNER)),     // VIDIOC_G_TUNER
    (0x4054_561e, TUNER_CHANGED),                  // VIDIOC_S_TUNER
    (0x8004_5626, Out(What::Unsigned(4))),         // VIDIOC_G_INPUT
    (0xc004_5627, In(What::Unsigned(4))),          // VIDIOC_S_INPUT
    (0xc02c_563a, parts!(CROPS_KIND, CROPS)),      // VIDIOC_CROPCAP
    (0xc014_563b, parts!(CROP_KIND, CROPPED)),     // VIDIOC_G_CROP
    (0x4014_563c, In(What::Of(&CROP))),            // VIDIOC_S_CROP
    (0xc02c_564a, parts!(SIZE_ASKED, FRAME_SIZE)), // VIDIOC_ENUM_FRAMESIZES
    (0xc034_564b, parts!(INTERVAL_ASKED, FRAME_RATE)), // VIDIOC_ENUM_FRAMEINTERVALS
    (0xc008_561b, controls::TOLD),                 // VIDIOC_G_CTRL
    (0xc008_561c, controls::CHANGED),              // VIDIOC_S_CTRL
    (0xc044_5624, controls::QUERIED),              // VIDIOC_QUERYCTRL
    (0xc0e8_5667, controls::QUERIED_MORE),         // VIDIOC_QUERY_EXT_CTRL
    (0xc020_5647, controls::MANY_TOLD),            // VIDIOC_G_EXT_CTRLS
    (0xc018_5647, controls::MANY_TOLD),
    (0xc020_5648, controls::MANY_CHANGED), // VIDIOC_S_EXT_CTRLS
    (0xc018_5648, controls::MANY_CHANGED),
    (0xc020_5649, controls::MANY_CHANGED), // VIDIOC_TRY_EXT_CTRLS
    (0xc018_5649, controls::MANY_CHANGED),
];

const DEQUEUE: u32 = 0xc058_5611;
const DEQUEUE32: u32 = 0xc04c_5611;
/// Most planes of a picture.
const MOST_PLANES: usize = 8;

layouts! {
    /// `struct v4l2_capability`.
    DEVICE: 104/104 {
        always driver @ 0/0 Text(16);
        always card @ 16/16 Text(32);
        always bus_info @ 48/48 Text(32);
        always version @ 80/80 Own(bpf::write_version);
        always capabilities @ 84/84 Flags(&flags::VIDEO_ABILITY, B4);
        set(4) device_caps @ 88/88 Flags(&flags::VIDEO_ABILITY, B4);
    }
    /// `struct v4l2_fmtdesc`: what is asked for.
    FORMAT_ASKED: 64/64 {
        always index @ 0/0 Uint(B4);
        always type @ 4/4 Enum(&flags::VIDEO_BUFFER, B4);
    }
    /// What is told.
    PICTURE: 64/64 {
        always flags @ 8/8 Flags(&flags::VIDEO_FORMAT, B4);
        always description @ 12/12 Text(32);
        always pixelformat @ 44/44 Own(write_pixels);
    }
    /// `struct v4l2_format`, of which the form depends on the type.
    FORMAT_KIND: 208/204 { always type @ 0/0 Enum(&flags::VIDEO_BUFFER, B4); }
    FORMAT: 208/204 {
        has(|format| matches!(word32(format, 0), 1 | 2)) fmt.pix @ 8/4 Nested(&PIXELS);
        has(|format| matches!(word32(format, 0), 9 | 10)) fmt.pix_mp @ 8/4 Nested(&PLANES);
        has(has_window) fmt.win @ 8/4 Nested(&WINDOW);
        has(|format| matches!(word32(format, 0), 4 | 5)) fmt.vbi @ 8/4 Nested(&BLANKING);
        has(|format| matches!(word32(format, 0), 6 | 7)) fmt.sliced @ 8/4 Nested(&SLICED);
        has(|format| matches!(word32(format, 0), 11 | 12)) fmt.sdr @ 8/4 Nested(&RADIO);
        has(|format| matches!(word32(format, 0), 13 | 14)) fmt.meta @ 8/4 Nested(&METADATA);
    }
    /// `struct v4l2_pix_format`.
    PIXELS: 48/48 {
        always width @ 0/0 Uint(B4);
        always height @ 4/4 Uint(B4);
        always pixelformat @ 8/8 Own(write_pixels);
        always field @ 12/12 Enum(&flags::VIDEO_FIELD, B4);
        always bytesperline @ 16/16 Uint(B4);
        always sizeimage @ 20/20 Uint(B4);
        always colorspace @ 24/24 Enum(&flags::VIDEO_COLOURS, B4);
    }
    /// `struct v4l2_pix_format_mplane`.
    PLANES: 192/192 {
        always width @ 0/0 Uint(B4);
        always height @ 4/4 Uint(B4);
        always pixelformat @ 8/8 Own(write_pixels);
        always field @ 12/12 Enum(&flags::VIDEO_FIELD, B4);
        always colorspace @ 16/16 Enum(&flags::VIDEO_COLOURS, B4);
        always plane_fmt @ 20/20 Own(write_planes);
        always num_planes @ 180/180 Uint(B1);
    }
    /// `struct v4l2_plane_pix_format`.
    PLANE: 20/20 {
        always sizeimage @ 0/0 Uint(B4);
        always bytesperline @ 4/4 Uint(B4);
    }
    /// `struct v4l2_window`.
    WINDOW: 56/40 {
        always w @ 0/0 Nested(&RECTANGLE);
        always field @ 16/16 Enum(&flags::VIDEO_FIELD, B4);
        always chromakey @ 20/20 Hex(B4);
        always clips @ 24/24 Own(write_clips);
        always clipcount @ 32/28 Uint(B4);
        always bitmap @ 40/32 Address;
        set(1) global_alpha @ 48/36 Hex(B1);
    }
    /// `struct v4l2_rect`.
    RECTANGLE: 16/16 {
        always left @ 0/0 Int(B4);
        always top @ 4/4 Int(B4);
        always width @ 8/8 Uint(B4);
        always height @ 12/12 Uint(B4);
    }
    /// `struct v4l2_clip`.
    CLIP: 24/20 { always c @ 0/0 Nested(&RECTANGLE); }
    /// `struct v4l2_vbi_format`.
    BLANKING: 44/44 {
        always sampling_rate @ 0/0 Uint(B4);
        always offset @ 4/4 Uint(B4);
        always samples_per_line @ 8/8 Uint(B4);
        always sample_format @ 12/12 Own(write_pixels);
        always start @ 16/16 Own(write_starts);
        always count @ 24/24 Own(write_counts);
        always flags @ 32/32 Flags(&flags::VIDEO_BLANKING, B4);
    }
    /// `struct v4l2_sliced_vbi_format`.
    SLICED: 112/112 {
        always service_set @ 0/0 Own(write_services);
        always service_lines @ 2/2 Own(write_lines);
        always io_size @ 100/100 Uint(B4);
    }
    /// `struct v4l2_sdr_format`.
    RADIO: 32/32 {
        always pixelformat @ 0/0 Own(|call, out, code| write_code(call, out, code, &flags::RADIO_SAMPLES));
        always buffersize @ 4/4 Uint(B4);
    }
    /// `struct v4l2_meta_format`.
    METADATA: 8/8 {
        always dataformat @ 0/0 Own(|call, out, code| write_code(call, out, code, &flags::VIDEO_METADATA));
        always buffersize @ 4/4 Uint(B4);
    }
    /// `struct v4l2_requestbuffers`.
    WANTED: 20/20 {
        always type @ 4/4 Enum(&flags::VIDEO_BUFFER, B4);
        always memory @ 8/8 Enum(&flags::VIDEO_MEMORY, B4);
        always count @ 0/0 Uint(B4);
    }
    /// `struct v4l2_create_buffers`.
    MADE: 256/248 {
        always count @ 4/4 Uint(B4);
        always memory @ 8/8 Enum(&flags::VIDEO_MEMORY, B4);
        always format @ 16/12 Own(write_format);
    }
    /// What there is then.
    MADE_THEN: 256/248 {
        always index @ 0/0 Uint(B4);
        always count @ 4/4 Uint(B4);
    }
    /// `struct v4l2_buffer`: which is taken, and which is asked for.
    BUFFER_KIND: 88/76 { always type @ 4/4 Enum(&flags::VIDEO_BUFFER, B4); }
    BUFFER: 88/76 {
        always type @ 4/4 Enum(&flags::VIDEO_BUFFER, B4);
        always index @ 0/0 Uint(B4);
    }
    BUFFER_INDEX: 88/76 { always index @ 0/0 Uint(B4); }
    /// What is told of one.
    BUFFER_STATE: 88/76 {
        always memory @ 60/56 Enum(&flags::VIDEO_MEMORY, B4);
        has(|buffer| memory(buffer) == 1) m.offset @ 64/60 Hex(B4);
        has(|buffer| memory(buffer) == 2) m.userptr @ 64/60 Hex(Word);
        always length @ 72/64 Uint(B4);
        always bytesused @ 8/8 Uint(B4);
        always flags @ 12/12 Own(write_buffer_flags);
    }
    BUFFER_TIME: 88/76 { always timestamp @ 24/20 Nested(&MOMENT); }
    /// The time of one, in 64 bits everywhere.
    MOMENT: 16/16 {
        always tv_sec @ 0/0 Int(B8);
        always tv_usec @ 8/8 Uint(B8);
    }
    /// `struct v4l2_framebuffer`.
    SCREEN: 48/44 {
        always capability @ 0/0 Hex(B4);
        always flags @ 4/4 Hex(B4);
        always base @ 8/8 Address;
    }
    /// `struct v4l2_streamparm`, of which the form depends on the type.
    STREAM_KIND: 204/204 { always type @ 0/0 Enum(&flags::VIDEO_BUFFER, B4); }
    STREAM: 204/204 {
        has(|stream| word32(stream, 0) == 1) parm.capture @ 4/4 Nested(&CAPTURE);
        has(|stream| word32(stream, 0) == 2) parm.output @ 4/4 Nested(&OUTPUT);
    }
    /// `struct v4l2_captureparm`.
    CAPTURE: 40/40 {
        always capability @ 0/0 Flags(&flags::VIDEO_STREAMING, B4);
        always capturemode @ 4/4 Flags(&flags::VIDEO_QUALITY, B4);
        always timeperframe @ 8/8 Own(write_ratio);
        always extendedmode @ 16/16 Hex(B4);
        always readbuffers @ 20/20 Uint(B4);
    }
    /// `struct v4l2_outputparm`.
    OUTPUT: 40/40 {
        always capability @ 0/0 Flags(&flags::VIDEO_STREAMING, B4);
        always outputmode @ 4/4 Flags(&flags::VIDEO_QUALITY, B4);
        always timeperframe @ 8/8 Own(write_ratio);
        always extendedmode @ 16/16 Hex(B4);
        always writebuffers @ 20/20 Uint(B4);
    }
    /// `struct v4l2_standard`.
    STANDARD_ASKED: 72/64 { always index @ 0/0 Uint(B4); }
    STANDARD: 72/64 {
        always name @ 16/12 Text(24);
        always frameperiod @ 40/36 Own(write_ratio);
        always framelines @ 48/44 Uint(B4);
    }
    /// `struct v4l2_input`.
    INPUT_ASKED: 80/76 { always index @ 0/0 Uint(B4); }
    INPUT: 80/76 {
        always name @ 4/4 Text(32);
        always type @ 36/36 Enum(&flags::VIDEO_INPUT, B4);
    }
    /// `struct v4l2_tuner`.
    TUNER_ASKED: 84/84 { always index @ 0/0 Uint(B4); }
    TUNER: 84/84 {
        always name @ 4/4 Text(32);
        always type @ 36/36 Enum(&flags::TUNER, B4);
        always capability @ 40/40 Flags(&flags::TUNER_ABILITY, B4);
        always rangelow @ 44/44 Uint(B4);
        always rangehigh @ 48/48 Uint(B4);
        always rxsubchans @ 52/52 Flags(&flags::TUNER_SOUNDS, B4);
        always audmode @ 56/56 Enum(&flags::TUNER_MODE, B4);
        always signal @ 60/60 Int(B4);
        always afc @ 64/64 Int(B4);
    }
    /// `struct v4l2_cropcap`.
    CROPS_KIND: 44/44 { always type @ 0/0 Enum(&flags::VIDEO_BUFFER, B4); }
    CROPS: 44/44 {
        always bounds @ 4/4 Nested(&RECTANGLE);
        always defrect @ 20/20 Nested(&RECTANGLE);
        always pixelaspect @ 36/36 Own(write_ratio);
    }
    /// `struct v4l2_crop`.
    CROP_KIND: 20/20 { always type @ 0/0 Enum(&flags::VIDEO_BUFFER, B4); }
    CROPPED: 20/20 { always c @ 4/4 Nested(&RECTANGLE); }
    CROP: 20/20 {
        always type @ 0/0 Enum(&flags::VIDEO_BUFFER, B4);
        always c @ 4/4 Nested(&RECTANGLE);
    }
    /// `struct v4l2_frmsizeenum`.
    SIZE_ASKED: 44/44 {
        always index @ 0/0 Uint(B4);
        always pixel_format @ 4/4 Own(write_pixels);
    }
    FRAME_SIZE: 44/44 {
        always type @ 8/8 Enum(&flags::FRAME_SIZE, B4);
        has(|frame| word32(frame, 8) == 1) discrete @ 12/12 Nested(&DISCRETE);
        has(|frame| word32(frame, 8) == 3) stepwise @ 12/12 Nested(&STEPWISE);
    }
    DISCRETE: 8/8 {
        always width @ 0/0 Uint(B4);
        always height @ 4/4 Uint(B4);
    }
    STEPWISE: 24/24 {
        always min_width @ 0/0 Uint(B4);
        always max_width @ 4/4 Uint(B4);
        always step_width @ 8/8 Uint(B4);
        always min_height @ 12/12 Uint(B4);
        always max_height @ 16/16 Uint(B4);
        always step_height @ 20/20 Uint(B4);
    }
    /// `struct v4l2_frmivalenum`.
    INTERVAL_ASKED: 52/52 {
        always index @ 0/0 Uint(B4);
        always pixel_format @ 4/4 Own(write_pixels);
        always width @ 8/8 Uint(B4);
        always height @ 12/12 Uint(B4);
    }
    FRAME_RATE: 52/52 {
        always type @ 16/16 Enum(&flags::FRAME_INTERVAL, B4);
        has(|frame| word32(frame, 16) == 1) discrete @ 20/20 Own(write_ratio);
        has(|frame| matches!(word32(frame, 16), 2 | 3)) stepwise @ 20/20 Nested(&RATES);
    }
    RATES: 24/24 {
        always min @ 0/0 Own(write_ratio);
        always max @ 8/8 Own(write_ratio);
        always step @ 16/16 Own(write_ratio);
    }
}

fn has_window(format: &[u8]) -> bool {
    matches!(word32(format, 0), 3 | 8)
}

/// Where the bytes of a buffer are: its offset depends on the size of the structure.
fn memory(buffer: &[u8]) -> u32 {
    word32(buffer, if buffer.len() == BUFFER.size[0] { 60 } else { 56 })
}

/// `{type=V4L2_BUF_TYPE_VIDEO_CAPTURE, fmt.pix={...}}`
fn write_format(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'{');
    call.write_some(out, &FORMAT_KIND, bytes, usize::MAX);
    call.write_some(out, &FORMAT, bytes, usize::MAX);
    out.push(b'}');
}

/// ` => {fmt.pix={...}}`, of a type that has a form.
fn write_answer(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize, layout: &Layout) {
    let start = out.len();
    call.write_answer_in(out, index, layout, layout);
    if out.ends_with(b"{}") {
        out.truncate(start);
    }
}

/// The same of a picture: strace tells nothing where the clips that were passed could not all be read.
fn write_format_then(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let mut format = [0; 208];
    let format = &mut format[..FORMAT.size[call.half()]];
    let is_read = call.memory.read(Phase::Entry, call.arg(index), format) == format.len();
    if !is_read || has_window(format) && !has_whole_clips(call, format) {
        return;
    }
    write_answer(call, out, index, &FORMAT);
}

fn has_whole_clips(call: &mut Decoder<'_, '_>, format: &[u8]) -> bool {
    let half = call.half();
    let (address, count) = clips(call, &format[[32, 28][half]..]);
    call.was_whole(address, count, CLIP.size[half])
}

/// Where clips are, and how many: what a window has side by side.
fn clips(call: &Decoder<'_, '_>, bytes: &[u8]) -> (u64, u64) {
    let pointer = call.word_size();
    (structures::number(&bytes[..pointer], pointer), word32(bytes, pointer).into())
}

fn write_clips(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let (address, count) = clips(call, bytes);
    call.write_array(out, address, count, CLIP.size[call.half()], &mut |call, out, clip| {
        call.write_members(out, &CLIP, clip);
    });
}

fn write_planes(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let count = usize::from(bytes[MOST_PLANES * PLANE.size[0]]).min(MOST_PLANES);
    let planes = bytes.chunks_exact(PLANE.size[0]).take(count);
    call.write_items(out, planes, |call, out, plane| call.write_members(out, &PLANE, plane));
}

fn write_starts(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let starts = bytes[..8].chunks_exact(4).map(|start| word32(start, 0).cast_signed());
    call.write_items(out, starts, |_, out, start| write_number(out, start.into()));
}

fn write_counts(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    let counts = bytes[..8].chunks_exact(4).map(|count| word32(count, 0));
    call.write_items(out, counts, |_, out, count| write_radix(out, count.into(), 10, 1));
}

fn write_services(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    call.style.constants.bits(out, &flags::VIDEO_SERVICE, word16(bytes, 0).into());
}

/// `[[0x1, ...], [0x1, ...]]`: the services of each line of both fields.
fn write_lines(_: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    const LINES: usize = 24;
    // They are shown all, however many elements of arrays are.
    for (index, line) in bytes[..2 * 2 * LINES].chunks_exact(2).enumerate() {
        out.extend_from_slice(match index {
            0 => b"[[",
            LINES => b"], [",
            _ => b", ",
        });
        write_hex(out, word16(line, 0).into());
    }
    out.extend_from_slice(b"]]");
}

/// `25/1`
fn write_ratio(_: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    write_radix(out, word32(bytes, 0).into(), 10, 1);
    out.push(b'/');
    write_radix(out, word32(bytes, 4).into(), 10, 1);
}

fn write_pixels(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, code: &[u8]) {
    write_code(call, out, code, &flags::PIXELS);
}

/// `v4l2_fourcc('Y', 'U', 'Y', 'V') /* V4L2_PIX_FMT_YUYV */`: a format, of four characters.
fn write_code(call: &Decoder<'_, '_>, out: &mut Vec<u8>, code: &[u8], names: &FlagSet) {
    let value = word32(code, 0);
    if call.style.constants == Constants::Numbers {
        return write_hex(out, value.into());
    }
    out.extend_from_slice(b"v4l2_fourcc(");
    for (index, character) in value.to_le_bytes().into_iter().enumerate() {
        out.extend_from_slice(if index == 0 { b"'" } else { b", '" });
        match character {
            b'\'' | b'\\' => out.extend_from_slice(&[b'\\', character]),
            b' '..=b'~' => out.push(character),
            _ => out.extend_from_slice(format!("\\x{character:02x}").as_bytes()),
        }
        out.push(b'\'');
    }
    out.push(b')');
    if let Some(name) = names.name(value.into()) {
        out.extend_from_slice(format!(" /* {name} */").as_bytes());
    }
}

/// `V4L2_BUF_FLAG_MAPPED|V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC|V4L2_BUF_FLAG_TSTAMP_SRC_EOF`: two numbers are among the bits.
fn write_buffer_flags(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, bytes: &[u8]) {
    const CLOCK: u64 = 0xe000;
    const MOMENT: u64 = 0x7_0000;
    let value = word32(bytes, 0).into();
    let constants = call.style.constants;
    if constants == Constants::Numbers {
        return write_hex(out, value);
    }
    let bits = value & !(CLOCK | MOMENT);
    if bits != 0 {
        constants.bits(out, &flags::VIDEO_BUFFER_STATE, bits);
        out.push(b'|');
    }
    constants.one(out, &flags::VIDEO_CLOCK, value & CLOCK);
    out.push(b'|');
    constants.one(out, &flags::VIDEO_MOMENT, value & MOMENT);
}

/// `, index=0, memory=V4L2_MEMORY_MMAP, ..., ...}`: what is told of a buffer.
fn write_buffer_then(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let mut buffer = [0; 88];
    let buffer = &mut buffer[..BUFFER.size[call.half()]];
    let address = call.arg(index);
    if !call.was_readable(address, &BUFFER) {
        return;
    }
    if call.succeeded() && call.memory.read(Phase::Exit, address, buffer) == buffer.len() {
        let is_taken = matches!(call.arg(1) as u32, DEQUEUE | DEQUEUE32);
        if is_taken {
            call.write_some(out, &BUFFER_INDEX, buffer, usize::MAX);
        }
        call.write_some(out, &BUFFER_STATE, buffer, usize::MAX);
        if is_taken {
            call.write_some(out, &BUFFER_TIME, buffer, usize::MAX);
        }
        out.extend_from_slice(b", ...");
    }
    out.push(b'}');
}

/// ` ({index=0, count=4})`: the buffers that have been made.
pub(super) fn write_made(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>) {
    if call.style.addresses || !call.was_readable(call.arg(2), &MADE) {
        return;
    }
    let start = out.len();
    out.extend_from_slice(b" (");
    if call.try_layout(out, call.arg(2), &MADE_THEN).is_none() {
        return out.truncate(start);
    }
    out.push(b')');
}
