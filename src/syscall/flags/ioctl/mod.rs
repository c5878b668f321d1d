//! Names of `ioctl(2)` operations, by their whole numbers: those of the kernel's public headers up to Linux 6.1.
//!
//! Several drivers use the same number, so that one can have several names. A number has the size of its structure in it,
//! which for some is another one in each ABI.

mod aligned;
mod both;
mod filling;
mod i386;
mod narrow;
mod passing;
mod plain;
mod x32;
mod x86_64;

use crate::event::Abi;

/// Declares tables of names, in the order of their numbers: `TABLE { NAME = number, ... }`.
macro_rules! numbers {
    ($($(#[$doc:meta])* $table:ident { $($name:ident = $number:literal),* $(,)? })*) => {
        $($(#[$doc])* pub(super) static $table: &[(u32, &str)] = &[$(($number, stringify!($name))),*];)*
    };
}
use numbers;

/// The tables in which an ABI's operations of a direction (the upper two bits of the number) are.
fn tables(abi: Abi, op: u32) -> [&'static [(u32, &'static str)]; 4] {
    let of_all = [plain::PLAIN, passing::PASSING, filling::FILLING, both::BOTH];
    let of_some = match abi {
        Abi::X86_64 => [x86_64::X86_64, aligned::ALIGNED, &[]],
        Abi::X32 => [x32::X32, aligned::ALIGNED, narrow::NARROW],
        Abi::I386 => [i386::I386, &[], narrow::NARROW],
    };
    let [first, second, third] = of_some;
    [of_all[(op >> 30) as usize], first, second, third]
}

/// The names of an operation, in their order.
pub fn ioctl_names(abi: Abi, op: u32) -> impl Iterator<Item = &'static str> {
    let mut rests = tables(abi, op).map(|table| {
        let from = table.partition_point(|(number, _)| *number < op);
        let names = &table[from..];
        &names[..names.iter().take_while(|(number, _)| *number == op).count()]
    });
    std::iter::from_fn(move || {
        let next = rests.iter_mut().filter(|rest| !rest.is_empty()).min_by_key(|rest| rest[0].1)?;
        let ((_, name), rest) = next.split_first()?;
        *next = rest;
        Some(*name)
    })
}

/// The number of the operation that has these names, with `" or "` between them. `None`: there is none, or there are
/// several: drivers may have one name for structures of several sizes.
#[must_use]
pub fn ioctl_number(abi: Abi, names: &str) -> Option<u32> {
    let each = || names.split(" or ");
    let first = each().next()?;
    let has_all = |number: &u32| each().all(|name| ioctl_names(abi, *number).any(|known| known == name));
    let numbers = || all(abi).filter(|(_, known)| *known == first).map(|(number, _)| *number).filter(has_all);
    // Others may know fewer.
    only(numbers().filter(|&number| ioctl_names(abi, number).eq(each()))).or_else(|| only(numbers()))
}

/// What all of these are; `None`: they are not one.
fn only(mut numbers: impl Iterator<Item = u32>) -> Option<u32> {
    let first = numbers.next()?;
    numbers.all(|number| number == first).then_some(first)
}

/// The numbers of all operations of an ABI that have names.
pub fn ioctl_numbers(abi: Abi) -> impl Iterator<Item = u32> {
    all(abi).map(|(number, _)| *number)
}

fn all(abi: Abi) -> impl Iterator<Item = &'static (u32, &'static str)> {
    let directions = [0, 1 << 30, 2 << 30, 3 << 30];
    let of_all = directions.into_iter().flat_map(move |op| tables(abi, op)[0]);
    of_all.chain(tables(abi, 0).into_iter().skip(1).flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_in_order() {
        for abi in [Abi::X86_64, Abi::X32, Abi::I386] {
            for op in [0, 1 << 30, 2 << 30, 3 << 30] {
                for table in tables(abi, op) {
                    assert!(table.is_sorted(), "{abi:?} {op:#x}");
                }
            }
        }
    }

    #[test]
    fn operations_have_the_names_of_their_abi() {
        let names = |abi, op| ioctl_names(abi, op).collect::<Vec<_>>();
        assert_eq!(names(Abi::X86_64, 0x5401), ["TCGETS"]);
        assert_eq!(names(Abi::X86_64, 0x4004_9409), ["BTRFS_IOC_CLONE", "FICLONE"]);
        assert_eq!(names(Abi::X86_64, 0x5402), ["SNDCTL_TMR_START", "TCSETS"]);
        assert_eq!(names(Abi::X86_64, 0x8008_1272), ["BLKGETSIZE64"]);
        assert_eq!(names(Abi::I386, 0x8004_1272), ["BLKGETSIZE64"]);
        assert_eq!(names(Abi::I386, 0x8008_1272), [""; 0]);
        assert_eq!(names(Abi::X86_64, u32::MAX), [""; 0]);
        assert_eq!(ioctl_number(Abi::I386, "BLKGETSIZE64"), Some(0x8004_1272));
        assert_eq!(ioctl_number(Abi::X86_64, "NOTHING"), None);
        assert_eq!(names(Abi::I386, 0x8004_5430), ["TIOCGPTN"]);
    }
}
