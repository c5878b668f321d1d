//! What a printed argument can be, for who reads it: the counterpart of the writers.

use super::ioctl::{self, What};
use super::special::{self, Form};
use super::{futex, prctl};
use crate::event::Event;
use crate::syscall::flags::{self, FlagSet};
use crate::syscall::{Arg, Spec};

/// Names of values that are in no set, each of one meaning.
const SINGLE: &[(&str, u64)] = &[
    ("FAN_NOFD", u64::MAX),
    ("FUTEX_BITSET_MATCH_ANY", u32::MAX as u64),
    ("FUTEX_OP_OPARG_SHIFT", 8),
    ("PR_MTE_TAG_SHIFT", 3),
    ("PR_SET_PTRACER_ANY", u64::MAX),
    ("PR_TAGGED_ADDR_ENABLE", 1),
    ("SIG_DFL", 0),
    ("SIG_IGN", 1),
    ("SO_GET_FILTER", 26),
];

/// Sets of which writers of their own print names.
static SETS: &[(&str, usize, &[&FlagSet])] = &[
    ("futex", 1, &[&flags::FUTEX_WAITER]),
    ("futex", 5, &[&flags::FUTEX_WAKE_OP, &flags::FUTEX_COMPARISON]),
    ("futex_time64", 1, &[&flags::FUTEX_WAITER]),
    ("futex_time64", 5, &[&flags::FUTEX_WAKE_OP, &flags::FUTEX_COMPARISON]),
    ("mount", 3, &[&flags::MOUNT, &flags::MOUNT_MAGIC]),
    ("swapon", 1, &[&flags::x86::SWAPON]),
    ("add_key", 4, KEYS),
    ("request_key", 3, KEYS),
    ("keyctl", 1, KEYS),
    ("keyctl", 2, KEYS),
    ("keyctl", 3, KEYS),
    ("keyctl", 4, KEYS),
    ("prctl", 1, prctl::SETS),
    ("prctl", 2, prctl::SETS),
];

static KEYS: &[&FlagSet] = &[&flags::KEY_SPEC, &flags::KEY_PERMISSION, &flags::KEY_DEFAULT, &flags::KEY_MOVE];

/// The kind of an argument, where the ones before it say it and not the table.
#[must_use]
pub fn chosen_kind(event: &Event<'_>, spec: &Spec, index: usize) -> Option<Arg> {
    match special::form(event, spec, index)? {
        Form::As(kind) => Some(kind),
        Form::Bits(set) | Form::IoctlIn(What::Flags(set) | What::Choice(set)) => Some(Arg::Flags(set)),
        _ => None,
    }
}

/// Sets whose names an argument may have besides those of its kind.
#[must_use]
pub fn more_sets(spec: &Spec, index: usize) -> &'static [&'static FlagSet] {
    let row = SETS.iter().find(|(name, at, _)| *name == spec.name && *at == index);
    row.map_or(&[], |(.., sets)| *sets)
}

/// The value of a name that is in no set.
#[must_use]
pub fn single(name: &[u8]) -> Option<u64> {
    SINGLE.iter().find(|(known, _)| known.as_bytes() == name).map(|(_, value)| *value)
}

/// Whether arguments of a call are left out between others, by what the first ones say.
#[must_use]
pub fn leaves_out(spec: &Spec) -> bool {
    matches!(spec.name, "futex" | "futex_time64" | "ptrace" | "quotactl" | "quotactl_fd")
}

/// The first argument from this one on that is not left out.
#[must_use]
pub fn next_printed(event: &Event<'_>, spec: &Spec, from: usize) -> usize {
    if spec.name.starts_with("futex") {
        return futex::next_printed(event.args[1], from);
    }
    (from..spec.args.len()).find(|&index| !special::is_left_out(event, spec, index)).unwrap_or(from)
}

/// The ioctl of which this is a name with its size: `EVIOCGNAME`, or `EVIOCGBIT` and `EV_KEY`.
#[must_use]
pub fn sized_ioctl(name: &[u8], event: Option<&[u8]>, size: u64) -> Option<u64> {
    ioctl::sized(name, event, size)
}
