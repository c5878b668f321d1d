//! What is behind the third argument of ioctl, by the operation.

use super::Decoder;
use super::layout::Layout;
use super::special::Form;
use super::structures::{TERMIOS, WINSIZE};
use crate::syscall::flags::{FlagSet, INODE_FLAGS};

/// What is there.
#[derive(Clone, Copy)]
pub(super) enum What {
    /// A structure.
    Of(&'static Layout),
    /// An integer of so many bytes.
    Integer(usize),
    /// A set of bits in 32.
    Bits(&'static FlagSet),
    /// The number itself.
    Value,
}

/// Operation, whether the kernel fills it, and what it is. A line an operation.
static ARGUMENTS: &[(u32, bool, What)] = &[
    (0x5401, true, What::Of(&TERMIOS)),            // TCGETS
    (0x5402, false, What::Of(&TERMIOS)),           // TCSETS
    (0x5403, false, What::Of(&TERMIOS)),           // TCSETSW
    (0x5404, false, What::Of(&TERMIOS)),           // TCSETSF
    (0x5409, false, What::Value),                  // TCSBRK
    (0x540e, false, What::Value),                  // TIOCSCTTY
    (0x540f, true, What::Integer(4)),              // TIOCGPGRP
    (0x5410, false, What::Integer(4)),             // TIOCSPGRP
    (0x5411, true, What::Integer(4)),              // TIOCOUTQ
    (0x5413, true, What::Of(&WINSIZE)),            // TIOCGWINSZ
    (0x5414, false, What::Of(&WINSIZE)),           // TIOCSWINSZ
    (0x541b, true, What::Integer(4)),              // FIONREAD
    (0x5421, false, What::Integer(4)),             // FIONBIO
    (0x5425, false, What::Value),                  // TCSBRKP
    (0x5429, true, What::Integer(4)),              // TIOCGSID
    (0x5452, false, What::Integer(4)),             // FIOASYNC
    (0x8004_5430, true, What::Integer(4)),         // TIOCGPTN
    (0x4004_5431, false, What::Integer(4)),        // TIOCSPTLCK
    (0x5441, false, What::Value),                  // TIOCGPTPEER
    (0x8008_6601, true, What::Bits(&INODE_FLAGS)), // FS_IOC_GETFLAGS
    (0x8008_1272, true, What::Integer(8)),         // BLKGETSIZE64
    (0x1268, true, What::Integer(4)),              // BLKSSZGET
    (0x4004_9409, false, What::Value),             // FICLONE
];

/// Operations that have several names.
static NAMES: &[(u32, &str)] = &[
    (0x4004_9409, "BTRFS_IOC_CLONE or FICLONE"),
    (0x4020_940d, "BTRFS_IOC_CLONE_RANGE or FICLONERANGE"),
    (0xc018_9436, "BTRFS_IOC_FILE_EXTENT_SAME or FIDEDUPERANGE"),
    (0x8100_9431, "BTRFS_IOC_GET_FSLABEL or FS_IOC_GETFSLABEL"),
    (0x4100_9432, "BTRFS_IOC_SET_FSLABEL or FS_IOC_SETFSLABEL"),
];

/// The names of an operation that has several.
pub(super) fn names(op: u32) -> Option<&'static str> {
    NAMES.iter().find(|(known, _)| *known == op).map(|(_, names)| *names)
}

/// How the argument of an operation is printed, where that is known.
pub(super) fn form(op: u32) -> Option<Form> {
    let (_, is_filled, what) = ARGUMENTS.iter().find(|(known, ..)| *known == op)?;
    Some(if *is_filled { Form::IoctlOut(*what) } else { Form::IoctlIn(*what) })
}

impl Decoder<'_, '_> {
    pub(super) fn write_ioctl_argument(&mut self, out: &mut Vec<u8>, what: What, address: u64) {
        match what {
            What::Of(layout) => self.write_layout(out, address, layout),
            What::Integer(size) => self.write_integer(out, address, size),
            What::Bits(set) => match self.read_u32_at(self.phase, address) {
                Some(bits) => {
                    out.push(b'[');
                    self.style.constants.bits(out, set, u64::from(bits));
                    out.push(b']');
                }
                None => self.write_address(out, address),
            },
            What::Value => crate::syscall::flags::write_number(out, i64::from(address as i32)),
        }
    }
}
