//! Structures as tables: where each member is, and how it is shown.

use super::text::write_text;
use super::{Decoder, Phase};
use crate::syscall::flags::{FlagSet, write_hex, write_mode, write_number, write_radix};

/// Structures up to this size are read without allocating.
const USUAL: usize = 512;

/// Elements of arrays are read together, about as many bytes at once.
const CHUNK: usize = 1 << 14;

/// Bytes of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    /// One.
    B1,
    /// Two.
    B2,
    /// Four.
    B4,
    /// Eight.
    B8,
    /// As a pointer of the ABI.
    Word,
    /// Half of that.
    Half,
}

/// How a member is shown.
#[derive(Clone, Copy)]
pub(super) enum Show {
    /// Signed, decimal.
    Int(Size),
    /// Unsigned, decimal.
    Uint(Size),
    /// In hexadecimal.
    Hex(Size),
    /// An address.
    Address,
    /// A set of bits.
    Flags(&'static FlagSet, Size),
    /// One of several values.
    Enum(&'static FlagSet, Size),
    /// A file mode.
    Mode(Size),
    /// Permission bits.
    Octal(Size),
    /// A device number.
    Device(Size),
    /// A user or group id, -1 where it is none.
    Id,
    /// Text in this many bytes, up to a NUL byte.
    Text(usize),
    /// The id of a process or thread.
    Process,
    /// A descriptor.
    Descriptor,
    /// A network interface.
    Interface,
    /// So many numbers in hexadecimal: `[0x1, 0]`.
    Words(Size, usize),
    /// Another structure.
    Nested(&'static Layout),
    /// Its own form, from the bytes that begin there.
    Own(fn(&mut Decoder<'_, '_>, &mut Vec<u8>, &[u8])),
}

/// When a member is shown.
pub(super) enum When {
    /// At any time.
    Always,
    /// Where all members are (`-v`).
    Verbose,
    /// There, if the structure says that it has it.
    VerboseIf(fn(&[u8]) -> bool),
    /// Where all members are, or if the structure says that it has it.
    VerboseOr(fn(&[u8]) -> bool),
    /// If the structure says that it has it.
    If(fn(&[u8]) -> bool),
    /// Where the kernel has filled it, not where it is passed.
    Filled,
    /// If any of so many bytes of it is not 0: what is reserved.
    Set(usize),
    /// If the program's structure is longer than that: it grew from version to version.
    Beyond(usize),
    /// Both.
    BeyondIf(usize, fn(&[u8]) -> bool),
    /// There, if the program's structure is longer than that, and says that it has it.
    VerboseBeyond(usize, fn(&[u8]) -> bool),
}

impl When {
    /// Whether the member at an offset of a structure, of which the program has passed so many bytes, is there.
    fn has(&self, bytes: &[u8], at: usize, given: usize) -> bool {
        match self {
            Self::Always | Self::Verbose | Self::Filled => true,
            Self::VerboseIf(has) | Self::VerboseOr(has) | Self::If(has) => has(bytes),
            Self::Set(size) => bytes.iter().skip(at).take(*size).any(|&byte| byte != 0),
            Self::Beyond(size) => given > *size,
            Self::BeyondIf(size, has) | Self::VerboseBeyond(size, has) => given > *size && has(bytes),
        }
    }

    fn is_verbose(&self) -> bool {
        matches!(self, Self::Verbose | Self::VerboseIf(_) | Self::VerboseBeyond(..))
    }
}

/// A member.
pub(super) struct Member {
    pub(super) name: &'static str,
    /// Offset in 64-bit and in 32-bit programs.
    pub(super) at: [usize; 2],
    pub(super) show: Show,
    pub(super) when: When,
}

/// A structure.
pub(super) struct Layout {
    /// Size in 64-bit and in 32-bit programs.
    pub(super) size: [usize; 2],
    /// In the order in which they are shown.
    pub(super) members: &'static [Member],
}

/// Declares structures: `NAME: size64/size32 { member @ offset64/offset32 show(..), ... | members shown with -v }`.
macro_rules! layouts {
    ($($(#[$doc:meta])* $name:ident: $size:literal/$size32:literal {
        $($when:ident $(($($has:expr),+))? $member:ident $(. $part:ident)? @ $at:literal/$at32:literal $show:expr;)*
    })*) => {
        $($(#[$doc])* pub(super) static $name: $crate::syscall::decode::layout::Layout =
            $crate::syscall::decode::layout::Layout {
                size: [$size, $size32],
                members: &[$($crate::syscall::decode::layout::Member {
                    name: concat!(stringify!($member) $(, ".", stringify!($part))?),
                    at: [$at, $at32],
                    show: $show,
                    when: $crate::syscall::decode::layout::layouts!(@$when $(($($has),+))?),
                }),*],
            };)*
    };
    (@always) => { $crate::syscall::decode::layout::When::Always };
    (@filled) => { $crate::syscall::decode::layout::When::Filled };
    (@v) => { $crate::syscall::decode::layout::When::Verbose };
    (@v ($has:expr)) => { $crate::syscall::decode::layout::When::VerboseIf($has) };
    (@v ($from:expr, $has:expr)) => { $crate::syscall::decode::layout::When::VerboseBeyond($from, $has) };
    (@v_or ($has:expr)) => { $crate::syscall::decode::layout::When::VerboseOr($has) };
    (@has ($has:expr)) => { $crate::syscall::decode::layout::When::If($has) };
    (@set ($size:expr)) => { $crate::syscall::decode::layout::When::Set($size) };
    (@beyond ($from:expr)) => { $crate::syscall::decode::layout::When::Beyond($from) };
    (@beyond ($from:expr, $has:expr)) => { $crate::syscall::decode::layout::When::BeyondIf($from, $has) };
}
pub(super) use layouts;

/// Writes one element of an array, from its bytes.
type WriteElement<'a, D> = &'a mut dyn FnMut(&mut D, &mut Vec<u8>, &[u8]);

impl Decoder<'_, '_> {
    /// 0 for 64-bit programs, 1 for 32-bit ones: which half of a table's pairs.
    pub(super) fn half(&self) -> usize {
        usize::from(self.word_size() == 4)
    }

    /// The structure at an address, `None` where it cannot be read.
    pub(super) fn try_layout(&mut self, out: &mut Vec<u8>, address: u64, layout: &Layout) -> Option<()> {
        let size = layout.size[self.half()];
        let (mut usual, mut large);
        let bytes = if size <= USUAL {
            usual = [0; USUAL];
            &mut usual[..size]
        } else {
            large = vec![0; size];
            &mut large[..]
        };
        let is_looked_at = address != 0 && !self.style.addresses;
        if !is_looked_at || self.memory.read(self.phase, address, bytes) < size {
            return None;
        }
        self.write_members(out, layout, bytes);
        Some(())
    }

    /// The same of a structure that grew, of which the program has passed so many bytes.
    pub(super) fn write_grown(&mut self, out: &mut Vec<u8>, address: u64, layout: &Layout, size: u64) {
        let known = layout.size[self.half()] as u64;
        if size < known || self.try_layout(out, address, layout).is_none() {
            return self.write_address(out, address);
        }
        out.pop();
        self.write_rest(out, address, known, size);
        out.push(b'}');
    }

    /// The structure at an address, or the address.
    pub(super) fn write_layout(&mut self, out: &mut Vec<u8>, address: u64, layout: &Layout) {
        if self.try_layout(out, address, layout).is_none() {
            self.write_address(out, address);
        }
    }

    /// `{name=value, ...}`
    pub(super) fn write_members(&mut self, out: &mut Vec<u8>, layout: &Layout, bytes: &[u8]) {
        out.push(b'{');
        let is_cut = self.write_some(out, layout, bytes, usize::MAX);
        out.extend_from_slice(if is_cut { b", ...}" } else { b"}" });
    }

    /// `name=value, name=value` behind the bracket that has been written, or what else is behind it, of a structure of
    /// which the program has passed so many bytes; whether members are left out.
    pub(super) fn write_some(
        &mut self,
        out: &mut Vec<u8>,
        layout: &Layout,
        bytes: &[u8],
        given: usize,
    ) -> bool {
        let half = self.half();
        let mut is_cut = false;
        for member in layout.members {
            if member.when.is_verbose() && !self.style.verbose {
                is_cut = true;
                continue;
            }
            if matches!(member.when, When::Filled) && self.phase == Phase::Entry {
                continue;
            }
            let is_asked_for = self.style.verbose && matches!(member.when, When::VerboseOr(_));
            if !is_asked_for && !member.when.has(bytes, member.at[half], given) {
                continue;
            }
            if !out.ends_with(b"{") {
                out.extend_from_slice(b", ");
            }
            out.extend_from_slice(member.name.as_bytes());
            out.push(b'=');
            // Text may have been passed in part.
            let is_in_part = matches!(member.show, Show::Text(_)) && given > member.at[half];
            let end = if is_in_part { given.min(bytes.len()) } else { bytes.len() };
            self.write_member(out, member.show, bytes.get(member.at[half]..end).unwrap_or_default());
        }
        is_cut
    }

    fn write_words(&mut self, out: &mut Vec<u8>, size: Size, count: usize, bytes: &[u8]) {
        let words = bytes.chunks(self.bytes(size)).take(count);
        self.write_items(out, words, |call, out, word| write_hex(out, call.number(size, word).0));
    }

    /// `[1, 2, ...]`: what a structure has several of, as many of them as are shown of arrays.
    pub(super) fn write_items<T>(
        &mut self,
        out: &mut Vec<u8>,
        items: impl Iterator<Item = T>,
        mut write: impl FnMut(&mut Self, &mut Vec<u8>, T),
    ) {
        out.push(b'[');
        for (index, item) in items.enumerate() {
            if index > 0 {
                out.extend_from_slice(b", ");
            }
            if index >= self.most_elements() {
                out.extend_from_slice(b"...");
                break;
            }
            write(self, out, item);
        }
        out.push(b']');
    }

    fn bytes(&self, size: Size) -> usize {
        match size {
            Size::B1 => 1,
            Size::B2 => 2,
            Size::B4 => 4,
            Size::B8 => 8,
            Size::Word => self.word_size(),
            Size::Half => self.word_size() / 2,
        }
    }

    fn number(&self, size: Size, bytes: &[u8]) -> (u64, i64) {
        let count = self.bytes(size);
        let mut word = [0; 8];
        let count = count.min(bytes.len());
        word[..count].copy_from_slice(&bytes[..count]);
        let value = u64::from_le_bytes(word);
        let unused = 64 - 8 * count.max(1) as u32;
        (value, ((value << unused) as i64) >> unused)
    }

    fn write_member(&mut self, out: &mut Vec<u8>, show: Show, bytes: &[u8]) {
        match show {
            Show::Int(size) => write_number(out, self.number(size, bytes).1),
            Show::Uint(size) => write_radix(out, self.number(size, bytes).0, 10, 1),
            Show::Hex(size) => write_hex(out, self.number(size, bytes).0),
            Show::Address => self.write_address(out, self.number(Size::Word, bytes).0),
            Show::Flags(set, size) => self.style.constants.bits(out, set, self.number(size, bytes).0),
            Show::Enum(set, size) => self.style.constants.one(out, set, self.number(size, bytes).0),
            Show::Mode(size) => self.style.constants.file_mode(out, self.number(size, bytes).0 as u32),
            Show::Octal(size) => write_mode(out, self.number(size, bytes).0),
            Show::Device(size) => self.style.constants.device(out, self.number(size, bytes).0),
            Show::Id => match self.number(Size::B4, bytes).0 as u32 {
                u32::MAX => out.extend_from_slice(b"-1"),
                id => write_radix(out, u64::from(id), 10, 1),
            },
            Show::Text(size) => {
                let field = &bytes[..size.min(bytes.len())];
                // The last byte is for the NUL.
                let end = field.iter().position(|&byte| byte == 0);
                let shown = end.unwrap_or(field.len().saturating_sub(1));
                write_text(out, &field[..shown], self.style.hex, end.is_none());
            }
            Show::Process => self.write_pid(out, self.number(Size::B4, bytes).1 as i32),
            Show::Descriptor => self.write_descriptor(out, self.number(Size::B4, bytes).1 as i32),
            Show::Interface => self.write_interface(out, self.number(Size::B4, bytes).1 as i32),
            Show::Words(size, count) => self.write_words(out, size, count, bytes),
            Show::Nested(layout) => self.write_members(out, layout, bytes),
            Show::Own(write) => write(self, out, bytes),
        }
    }

    /// An array of structures: `[{..}, {..}]`. Unreadable from the first on: its address.
    pub(super) fn write_array(
        &mut self,
        out: &mut Vec<u8>,
        address: u64,
        count: u64,
        size: usize,
        write: WriteElement<'_, Self>,
    ) {
        let is_looked_at = address != 0 && self.is_deep();
        if !is_looked_at || self.style.addresses && count != 0 {
            return self.write_address(out, address);
        }
        if count == 0 {
            return out.extend_from_slice(b"[]");
        }
        // No array goes around the end of memory.
        if count.checked_mul(size as u64).and_then(|size| address.checked_add(size)).is_none() {
            return self.write_address(out, address);
        }
        let most = self.most_elements() as u64;
        // strace looks at the first one that it does not show, too.
        let looked_at = count.min(most.saturating_add(1));
        let mut chunk = vec![0; size * looked_at.min((CHUNK / size).max(1) as u64) as usize];
        let (mut read, mut from) = (0, 0);
        for index in 0..looked_at {
            let at = address.wrapping_add(index.wrapping_mul(size as u64));
            let mut offset = (index - from) as usize * size;
            if index == 0 || offset >= chunk.len() {
                let wanted = chunk.len().min((looked_at - index) as usize * size);
                (read, from, offset) = (self.memory.read(self.phase, at, &mut chunk[..wanted]), index, 0);
            }
            let is_readable = offset + size <= read;
            let bytes = chunk.get(offset..offset + size).unwrap_or_default();
            match (index, is_readable) {
                (0, false) => return self.write_address(out, address),
                (_, false) => {
                    out.extend_from_slice(b", ... /* ");
                    self.write_address(out, at);
                    return out.extend_from_slice(b" */]");
                }
                (0, true) => out.push(b'['),
                (_, true) => out.extend_from_slice(b", "),
            }
            if index >= most {
                return out.extend_from_slice(b"...]");
            }
            write(self, out, bytes);
        }
        out.push(b']');
    }
}

/// `makedev(0x8, 0x1)`: a device number as the C library takes it apart.
pub(super) fn write_device(out: &mut Vec<u8>, device: u64) {
    let major = device >> 8 & 0xfff | device >> 32 & 0xffff_f000;
    let minor = device & 0xff | device >> 12 & 0xffff_ff00;
    out.extend_from_slice(b"makedev(");
    write_hex(out, major);
    out.extend_from_slice(b", ");
    write_hex(out, minor);
    out.push(b')');
}
