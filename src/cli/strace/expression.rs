//! The sets that `-e` takes.

use anyhow::bail;

use super::options::uint;
use super::try_help;
use crate::event::{Abi, Event};
use crate::report::show::filter::{CallSet, Filter};
use crate::syscall::decode::{Descriptors, Details};
use crate::syscall::flags::signal_number;
use crate::syscall::{Spec, table};

/// The calls of `-e trace=`.
pub fn calls(set: &str) -> anyhow::Result<Filter> {
    call_set(set).map(Filter::of_calls)
}

/// A set of calls; what strace calls wrong is told in its words.
pub fn call_set(set: &str) -> anyhow::Result<CallSet> {
    let (is_inverted, list) = sign(set);
    let mut items: Vec<&str> = list.split(',').filter(|item| !item.is_empty()).collect();
    if items.is_empty() {
        bail!("invalid system call '{set}'");
    }
    if list != "none" {
        for item in &items {
            check(item)?;
        }
    }
    // No error of these, but no calls either.
    items.retain(|item| !item.starts_with('?') || CallSet::parse(item).is_ok());
    let list = if items.is_empty() { "none".to_owned() } else { items.join(",") };
    Ok(CallSet::parse(&format!("{}{list}", if is_inverted { "!" } else { "" }))?)
}

/// Whether all but what is listed is meant, each `!` turning it round, and the list.
fn sign(set: &str) -> (bool, &str) {
    let list = set.trim_start_matches('!');
    ((set.len() - list.len()) % 2 == 1, list)
}

/// Whether it chooses less than all calls.
pub fn leaves_out_calls(filter: &Filter) -> bool {
    let is_left_out = |spec: &Spec| !filter.may_show_call(Abi::X86_64, spec.nr);
    table(Abi::X86_64).iter().any(is_left_out)
}

/// Fails with what strace says of an item of a set.
fn check(item: &str) -> anyhow::Result<()> {
    let word = item.trim_start_matches('?');
    let is_optional = word.len() < item.len();
    if let Some((_, designator)) = word.rsplit_once('@').filter(|(_, abi)| !["64", "32", "x32"].contains(abi))
    {
        let help = try_help();
        bail!("incorrect personality designator '{designator}' in qualification '{word}'\n{help}");
    }
    // A sign is one of the whole set only.
    let is_known = word != "none"
        && !word.starts_with('!')
        && Filter::parse(word).is_ok_and(|set| set.chooses_any_call());
    match word.strip_prefix('/') {
        // What is no expression at all is none with `?` either.
        Some(pattern) if CallSet::parse(word).is_err() && !pattern.contains(')') => {
            bail!("regcomp: {pattern}: {}", wrong_pattern(pattern))
        }
        _ if is_known || is_optional => Ok(()),
        _ => bail!("invalid system call '{item}'"),
    }
}

/// What the C library says of such a regular expression.
fn wrong_pattern(pattern: &str) -> &'static str {
    match pattern {
        text if text.ends_with('\\') => "Trailing backslash",
        text if text.starts_with(['*', '+', '?', '{']) => "Invalid preceding regular expression",
        text if text.contains('(') => r"Unmatched ( or \(",
        text if text.contains('{') => r"Unmatched \{",
        _ => "Invalid regular expression",
    }
}

/// The descriptors of `-e read=` and the like.
pub fn descriptors(set: &str) -> anyhow::Result<Descriptors> {
    let (is_inverted, list) = sign(set);
    let items: Vec<&str> = list.split(',').filter(|item| !item.is_empty()).collect();
    if items.is_empty() {
        bail!("invalid descriptor '{set}'");
    }
    // Both stand for a whole set.
    if let Some(word) = items.iter().find(|item| list != **item && matches!(**item, "all" | "none")) {
        bail!("invalid descriptor '{word}'");
    }
    let sign = if is_inverted { "!" } else { "" };
    let named = format!("{sign}{}", items.join(","));
    Descriptors::parse(&named).map_err(|wrong| anyhow::anyhow!("invalid descriptor '{wrong}'"))
}

/// Whether names of threads are told, and ids of other namespaces, of `-e decode-pids=`.
pub fn names(text: &str) -> anyhow::Result<(bool, bool)> {
    let find = |name: &str| ["comm", "pidns"].iter().position(|known| *known == name).map(|at| 1 << at);
    let bits = set(text, find, 0b11, "decode-pids")?;
    Ok((bits & 1 != 0, bits & 2 != 0))
}

/// Whether paths are told, and what else, of `-e decode-fds=`.
pub fn details(text: &str) -> anyhow::Result<(bool, Details)> {
    const NAMES: [&str; 4] = ["path", "dev", "socket", "pidfd"];
    let find = |name: &str| NAMES.iter().position(|known| *known == name).map(|at| 1 << at);
    let bits = set(text, find, 0b1111, "decode-fds")?;
    let has = |at: u32| bits >> at & 1 != 0;
    Ok((has(0), Details { devices: has(1), sockets: has(2), processes: has(3) }))
}

/// A list of names, all others with `!` before it.
fn set(text: &str, find: impl Fn(&str) -> Option<u64>, all: u64, kind: &str) -> anyhow::Result<u64> {
    let (is_inverted, list) = sign(text);
    let names: Vec<&str> = list.split(',').filter(|name| !name.is_empty()).collect();
    if names.is_empty() {
        bail!("invalid {kind} '{text}'");
    }
    let mut bits = match list {
        "all" => all,
        _ => 0,
    };
    // Both stand for a whole set, and are none of the names in one.
    for name in names.into_iter().filter(|_| !matches!(list, "all" | "none")) {
        match find(name) {
            Some(bit) => bits |= bit,
            None => bail!("invalid {kind} '{name}'"),
        }
    }
    Ok(if is_inverted { all & !bits } else { bits })
}

/// Signals to be shown, a bit each.
#[derive(Clone, Copy, Debug)]
pub struct Signals(u64);

impl Default for Signals {
    fn default() -> Self {
        Self(u64::MAX)
    }
}

impl Signals {
    /// `SIGINT,TERM`, `!CHLD`, `none`
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        // Numbers that no signal has choose none.
        let none = |name: &str| uint(name, 255).map(|_| 0);
        let find = |name: &str| signal_number(name).map(|signal| 1 << (signal - 1)).or_else(|| none(name));
        set(text, find, u64::MAX, "signal").map(Self)
    }

    /// Whether this one is.
    pub fn has(self, signal: u32) -> bool {
        (1..=64).contains(&signal) && self.0 >> (signal - 1) & 1 != 0
    }
}

const STATUSES: [&str; 5] = ["successful", "failed", "unfinished", "unavailable", "detached"];

/// Outcomes of calls to be shown, a bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statuses(u64);

impl Default for Statuses {
    fn default() -> Self {
        Self((1 << STATUSES.len()) - 1)
    }
}

impl Statuses {
    /// `-z`
    pub const SUCCESSFUL: Self = Self(1);
    /// `-Z`
    pub const FAILED: Self = Self(2);

    /// `successful,failed`
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let find = |name: &str| STATUSES.iter().position(|known| *known == name).map(|at| 1 << at);
        set(text, find, Self::default().0, "status").map(Self)
    }

    /// Whether they are all shown, so that a call's line can begin before its outcome is known.
    pub fn are_all(self) -> bool {
        self == Self::default()
    }

    /// Whether calls are of whose end is not seen because their thread goes on untraced.
    pub fn has_detached(self) -> bool {
        let at = STATUSES.iter().position(|known| *known == "detached");
        at.is_some_and(|at| self.0 >> at & 1 != 0)
    }

    /// Whether a call with this outcome is.
    pub fn has(self, event: &Event<'_>) -> bool {
        let bit = match (event.ret, event.errno()) {
            (None, _) => 2,
            (_, Some(_)) => 1,
            _ => 0,
        };
        self.0 >> bit & 1 != 0
    }
}

const QUIET: [&[&str]; 5] = [
    &["attach"],
    &["exit", "exits"],
    &["path-resolution"],
    &["personality"],
    &["thread-execve", "superseded"],
];

/// Messages that are left out, a bit each.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quiet(u64);

impl Quiet {
    /// `attach,exit`
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let find = |name: &str| QUIET.iter().position(|names| names.contains(&name)).map(|at| 1 << at);
        set(text, find, (1 << QUIET.len()) - 1, "quiet").map(Self)
    }

    /// As `-q` does, given so many times; of what is written to a file nothing is said by itself.
    pub fn of(times: usize, to_file: bool) -> Self {
        match times {
            0 if to_file => Self(0b0_1001),
            0 => Self(0),
            1 => Self(0b0_1001),
            2 => Self(0b0_1011),
            _ => Self(u64::MAX),
        }
    }

    /// No message about attaching.
    pub fn attach(self) -> bool {
        self.0 & 1 != 0
    }

    /// No message about a change of the calling convention.
    pub fn personality(self) -> bool {
        self.0 & 8 != 0
    }

    /// No message about a thread whose place another has taken.
    pub fn thread_execve(self) -> bool {
        self.0 & 16 != 0
    }

    /// No message about what a path of `-P` stands for.
    pub fn path_resolution(self) -> bool {
        self.0 & 4 != 0
    }

    /// No message about an exit.
    pub fn exit(self) -> bool {
        self.0 & 2 != 0
    }
}
