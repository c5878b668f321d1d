//! Colours of frames, by what they stand for: a call by its family, red where calls failed.

use inferno::flamegraph::color::Color;

use crate::analysis::fold::Kind;
use crate::event::stack::FrameKind;
use crate::syscall::Family;

/// How much neighbours of one kind differ in brightness.
const SHADES: u8 = 14;

/// The colour of a frame; its name picks the shade, the same each time.
pub fn of(kind: Kind, name: &str) -> Color {
    let hash = name.bytes().fold(0_u8, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte));
    let shade = hash % SHADES;
    let [r, g, b] = base(kind).map(|part| part.saturating_sub(shade));
    Color { r, g, b }
}

fn base(kind: Kind) -> [u8; 3] {
    match kind {
        Kind::All => [240, 240, 240],
        Kind::Process => [200, 208, 222],
        Kind::Phase => [186, 206, 240],
        Kind::Directory => [248, 228, 176],
        Kind::File => [252, 244, 214],
        Kind::Code(FrameKind::Native) => [250, 206, 128],
        Kind::Code(FrameKind::Python) => [150, 204, 150],
        Kind::Code(FrameKind::Kernel) => [236, 150, 110],
        Kind::Code(FrameKind::Unknown) => [206, 206, 206],
        Kind::Errno => [238, 84, 76],
        Kind::Other => [214, 214, 214],
        Kind::Call(family) => call(family),
    }
}

fn call(family: Family) -> [u8; 3] {
    match family {
        Family::Stat => [252, 196, 84],
        Family::Open => [250, 160, 84],
        Family::Readlink => [232, 208, 84],
        Family::Readdir => [196, 216, 92],
        Family::Read => [146, 212, 122],
        Family::Write => [104, 204, 180],
        Family::Seek => [204, 226, 164],
        Family::Close => [224, 196, 162],
        Family::Namespace | Family::Attribute | Family::Sync | Family::Filesystem => [226, 166, 166],
        Family::Descriptor => [216, 204, 190],
        Family::Memory => [204, 176, 232],
        Family::Process => [132, 180, 240],
        Family::Network => [116, 212, 236],
        Family::Signal
        | Family::Futex
        | Family::Poll
        | Family::Time
        | Family::Ipc
        | Family::Identity
        | Family::Other => [206, 206, 206],
    }
}
