//! The tables against themselves, and against the numbers and names of another source.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::syscall::flags::{FieldKind, FlagSet};

fn tables() -> [(&'static str, &'static [Spec]); 3] {
    [("x86_64", x86_64::TABLE), ("i386", i386::TABLE), ("x32", x32::TABLE)]
}

fn specs() -> impl Iterator<Item = &'static Spec> {
    tables().into_iter().flat_map(|(_, table)| table)
}

#[test]
fn numbers_rise_and_names_are_unique() {
    for (name, table) in tables() {
        assert!(table.windows(2).all(|pair| pair[0].nr < pair[1].nr), "{name} is in order");
        let names: BTreeSet<&str> = table.iter().map(|spec| spec.name).collect();
        assert_eq!(names.len(), table.len(), "{name} has each name once");
    }
}

#[test]
fn every_number_of_the_kernel_is_there() {
    let numbers = |abi| table(abi).iter().map(|spec| spec.nr).collect::<Vec<_>>();
    let all: Vec<u32> = (0..=336).chain(424..=469).collect();
    assert_eq!(numbers(Abi::X86_64), all);
    // Never used, or taken back before a release (syscall_32.tbl).
    let gaps = [222, 223, 251, 285, 387, 388, 389, 390, 391, 392, 415];
    let all: Vec<u32> = (0..=469).filter(|nr| !gaps.contains(nr)).collect();
    assert_eq!(numbers(Abi::I386), all);
    assert_eq!(x32::TABLE.iter().map(|spec| spec.nr).collect::<Vec<_>>(), (512..=547).collect::<Vec<_>>());
}

#[test]
fn lookup_finds_every_call_and_nothing_else() {
    for abi in Abi::ALL {
        for spec in table(abi) {
            assert!(std::ptr::eq(lookup(abi, spec.nr).expect("in the table"), spec));
            assert!(std::ptr::eq(by_name(abi, spec.name).expect("in the table"), spec));
        }
        for nr in [470, 511, 548, 100_000, u32::MAX] {
            assert!(lookup(abi, nr).is_none(), "{nr}");
        }
    }
    assert!(lookup(Abi::X86_64, 337).is_none() && lookup(Abi::X86_64, 512).is_none());
    assert_eq!(lookup(Abi::X32, X32_BIT + 257).map(|spec| spec.name), Some("openat"));
    assert_eq!(lookup(Abi::X32, X32_BIT + 520).map(|spec| spec.name), Some("execve"));
}

#[test]
fn arguments_are_well_formed() {
    for spec in specs() {
        let kinds: Vec<Arg> = spec.args.iter().map(|arg| arg.arg).collect();
        assert!(kinds.len() <= 6, "{}", spec.name);
        let count = |kind: Arg| kinds.iter().filter(|&&other| other == kind).count();
        assert!(count(Arg::Path) <= 2, "{} has two paths at most", spec.name);
        for (index, kind) in kinds.iter().enumerate() {
            let next = kinds.get(index + 1);
            match kind {
                // open_by_handle_at(2): the path is in the handle.
                Arg::DirFd if spec.name != "open_by_handle_at" => {
                    assert_eq!(next, Some(&Arg::Path), "{}", spec.name);
                }
                Arg::OffsetLow => assert!(
                    next == Some(&Arg::OffsetHigh)
                        || kinds.get(index.wrapping_sub(1)) == Some(&Arg::OffsetHigh),
                    "{}",
                    spec.name
                ),
                Arg::In(Struct::Sockaddr) => assert_eq!(next, Some(&Arg::Int), "{}", spec.name),
                Arg::Out(Struct::Sockaddr) => {
                    assert_eq!(next, Some(&Arg::InOut(Struct::Integer)), "{}", spec.name);
                }
                _ => {}
            }
        }
        assert_eq!(count(Arg::OffsetLow), count(Arg::OffsetHigh), "{}", spec.name);
    }
}

/// strace's classes say which calls take paths and descriptors; the kinds of arguments must agree.
#[test]
fn kinds_of_arguments_agree_with_classes() {
    // Paths inside a structure or behind a command, and text that is no path.
    const PATHLESS: [&str; 2] = ["getcwd", "fsconfig"];
    // Descriptors in structures, counted, made, or counted as network only.
    const NO_FD: [&str; 3] = ["bpf", "close_range", "vmsplice"];
    for spec in specs() {
        let has = |wanted: &[Arg]| spec.args.iter().any(|arg| wanted.contains(&arg.arg));
        let takes_path = has(&[Arg::Path]);
        let is_file = spec.classes.intersects(Classes::FILE);
        assert_eq!(takes_path, is_file && !PATHLESS.contains(&spec.name), "{}", spec.name);
        let takes_fd = has(&[Arg::Fd, Arg::DirFd]);
        let about_fds = Classes::DESC.union(Classes::NETWORK);
        assert!(
            !takes_fd || spec.classes.intersects(about_fds) || NO_FD.contains(&spec.name),
            "{}",
            spec.name
        );
    }
}

#[test]
fn families_fit_classes() {
    for spec in specs() {
        let expected = match spec.classes {
            classes if classes.intersects(Classes::STAT.union(Classes::LSTAT).union(Classes::FSTAT)) => {
                Family::Stat
            }
            classes if classes.intersects(Classes::CLOCK) => Family::Time,
            classes if classes.intersects(Classes::IPC) => Family::Ipc,
            _ => continue,
        };
        assert_eq!(spec.family, expected, "{}", spec.name);
    }
    let used: BTreeSet<Family> = specs().map(|spec| spec.family).collect();
    assert_eq!(used, Family::ALL.into_iter().collect(), "every family has a call");
}

/// A call that both ABIs have means the same in both, but for how 64-bit values are passed.
#[test]
fn both_tables_agree() {
    let by_name: BTreeMap<&str, &Spec> = table(Abi::X86_64).iter().map(|spec| (spec.name, spec)).collect();
    let mut compared = 0;
    for spec in table(Abi::I386) {
        let Some(other) = by_name.get(spec.name) else { continue };
        assert_eq!(spec.family, other.family, "{}", spec.name);
        // On i386 one of the calls with a single structure of arguments, which strace counts alike.
        assert_eq!(spec.classes, other.classes, "{}", spec.name);
        let paths = |spec: &Spec| spec.args.iter().filter(|arg| arg.arg == Arg::Path).count();
        assert_eq!(paths(spec), paths(other), "{}", spec.name);
        compared += 1;
    }
    assert!(compared > 300, "{compared}");
}

/// Where a set's value has several bits, it stands before the bits it contains: else it is never printed.
#[test]
fn flag_sets_are_in_order() {
    let mut sets: Vec<&FlagSet> = specs()
        .flat_map(|spec| spec.args)
        .filter_map(|arg| match arg.arg {
            Arg::Flags(set) => Some(set),
            _ => None,
        })
        .collect();
    sets.dedup_by(|a, b| std::ptr::eq(*a, *b));
    assert!(sets.len() > 60);
    for set in sets {
        for (index, (bits, name)) in set.values.iter().enumerate() {
            let covered =
                set.values[..index].iter().any(|(before, _)| before & bits == *before && *before != 0);
            assert!(!covered || *bits == 0, "{name} comes after a part of it");
            let apart = set.fields.iter().filter(|field| field.kind != FieldKind::Absent);
            let fields = apart.fold(0, |mask, field| mask | field.mask);
            assert_eq!(bits & fields, 0, "{name} is inside a field");
        }
    }
}

/// The `syscalls` crate is generated from the kernel's tables: a second source.
#[test]
fn the_crate_of_numbers_agrees() {
    let mut compared = 0;
    for sysno in syscalls::x86_64::Sysno::iter() {
        let spec = lookup(Abi::X86_64, sysno.id() as u32).unwrap_or_else(|| panic!("{sysno} is missing"));
        assert_eq!(spec.name, sysno.name().trim_start_matches("r#"), "number {}", spec.nr);
        compared += 1;
    }
    assert!(compared > 350, "{compared}");
    compared = 0;
    for sysno in syscalls::x86::Sysno::iter() {
        let spec = lookup(Abi::I386, sysno.id() as u32).unwrap_or_else(|| panic!("{sysno} is missing"));
        assert_eq!(spec.name, sysno.name().trim_start_matches("r#"), "number {}", spec.nr);
        compared += 1;
    }
    assert!(compared > 400, "{compared}");
}
