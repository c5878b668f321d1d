//! A line of a call, taken apart: name, arguments, what came back.

use rustc_hash::FxHashMap;

use super::text::{Items, file_behind, number, seconds, unescape};
use crate::event::{Abi, Flags};
use crate::syscall::{self, Spec};

/// Calls and error numbers by name.
#[derive(Debug)]
pub struct Names {
    calls: [FxHashMap<&'static [u8], &'static Spec>; 2],
    errnos: FxHashMap<&'static [u8], i32>,
}

impl Names {
    pub fn new() -> Self {
        let calls = [Abi::X86_64, Abi::I386]
            .map(|abi| syscall::table(abi).iter().map(|spec| (spec.name.as_bytes(), spec)).collect());
        let named = |number| Some((syscalls::Errno::new(number).name()?.as_bytes(), number));
        let mut errnos: FxHashMap<_, _> = (1..=600).filter_map(named).collect();
        // Names with which strace prints numbers that have two.
        errnos.extend([(&b"EWOULDBLOCK"[..], 11), (b"EDEADLOCK", 35), (b"ENOTSUP", 95)]);
        for (name, number) in [("ERESTARTSYS", 512), ("ERESTARTNOINTR", 513), ("ERESTARTNOHAND", 514)] {
            errnos.insert(name.as_bytes(), number);
        }
        errnos.insert(b"ERESTART_RESTARTBLOCK", 516);
        Self { calls, errnos }
    }

    /// The call of this name, in this convention or another.
    pub fn call(&self, abi: Abi, name: &[u8]) -> Option<(Abi, &'static Spec)> {
        let of = |abi: Abi| self.calls[usize::from(abi == Abi::I386)].get(name).map(|spec| (abi, *spec));
        of(abi).or_else(|| of(if abi == Abi::I386 { Abi::X86_64 } else { Abi::I386 }))
    }
}

/// What a call returned.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Outcome<'a> {
    /// As in [`Event::ret`].
    pub ret: Option<i64>,
    /// What follows the number.
    pub after: &'a [u8],
    /// How long it took (`-T`).
    pub duration_ns: Option<u64>,
    /// What strace was told to do to it (`-e inject=`).
    pub flags: Flags,
}

/// A line of a call, taken apart.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    pub abi: Abi,
    pub nr: u32,
    /// The call, if its number has one.
    pub spec: Option<&'static Spec>,
    args: [&'a [u8]; 6],
    count: usize,
    pub outcome: Outcome<'a>,
}

/// The name a line begins with, and what follows its opening parenthesis.
pub fn name(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = body.iter().position(|&byte| !byte.is_ascii_alphanumeric() && byte != b'_')?;
    (end > 0 && body[end] == b'(').then(|| (&body[..end], &body[end + 1..]))
}

impl<'a> Line<'a> {
    /// Takes a call apart; `nr` is its number where the line says it. `None`: it is no call.
    pub fn of(body: &'a [u8], nr: Option<u32>, abi: Abi, names: &Names) -> Option<Self> {
        let (name, rest) = name(body)?;
        let (abi, spec, nr) = if let Some((abi, spec)) = names.call(abi, name) {
            (abi, Some(spec), spec.nr)
        } else {
            let digits = name.strip_prefix(b"syscall_");
            // Negative ones have 64 bits.
            let nr = nr.or_else(|| Some(number(digits?)?.0 as u32))?;
            (abi, syscall::lookup(abi, nr), nr)
        };
        let mut line = Self { abi, nr, spec, args: [b""; 6], count: 0, outcome: Outcome::default() };
        let mut items = Items::new(rest, b')');
        for item in items.by_ref() {
            if let Some(slot) = line.args.get_mut(line.count) {
                *slot = item;
                line.count += 1;
            }
        }
        line.outcome = outcome(items.rest()?, names)?;
        Some(line)
    }

    /// Its arguments as they stand there, six at most.
    pub fn args(&self) -> &[&'a [u8]] {
        &self.args[..self.count]
    }

    /// The cwd, where the line says it: `AT_FDCWD</tmp>`.
    pub fn cwd(&self) -> Option<std::borrow::Cow<'a, [u8]>> {
        let is_here =
            |text: &&&[u8]| text.starts_with(b"AT_FDCWD") || text.starts_with(b"-100 /* AT_FDCWD */");
        let (name, deleted) = file_behind(self.args().iter().find(is_here)?)?;
        if deleted || !name.starts_with(b"/") {
            return None;
        }
        if !name.contains(&b'\\') {
            return Some(name.into());
        }
        let mut plain = Vec::new();
        unescape(name, &mut plain);
        Some(plain.into())
    }
}

/// ` = 3</etc/passwd> <0.000105>`
fn outcome<'a>(text: &'a [u8], names: &Names) -> Option<Outcome<'a>> {
    let text = text.trim_ascii_start().strip_prefix(b"=")?.trim_ascii();
    let (text, duration_ns) = duration(text);
    let (text, mut flags) = markers(text);
    if let Some(restart) = text.strip_prefix(b"?") {
        let ret = errno(restart.trim_ascii_start(), names).map(|errno| -i64::from(errno));
        return Some(Outcome { ret, after: b"", duration_ns, flags });
    }
    let (value, after) = number(text)?;
    let mut ret = value as i64;
    if ret == -1 {
        let word = after.trim_ascii_start();
        ret = match word.strip_prefix(b"(errno ") {
            Some(digits) => -(number(digits)?.0 as i64),
            None if word.starts_with(b"E") => -i64::from(errno(word, names)?),
            None => ret,
        };
    }
    let is_error = ret != value as i64;
    if flags.has(Flags::INJECTED) && !is_error && (-4095..0).contains(&ret) {
        flags.set(Flags::NO_ERROR);
    }
    Some(Outcome { ret: Some(ret), after, duration_ns, flags })
}

fn errno(text: &[u8], names: &Names) -> Option<i32> {
    let end = text.iter().position(|&byte| byte == b' ').unwrap_or(text.len());
    names.errnos.get(&text[..end]).copied()
}

/// Takes ` (INJECTED)`, ` (INJECTED: args, retval)`, ` (INJECTED: args)` and ` (DELAYED)` off the end.
fn markers(mut text: &[u8]) -> (&[u8], Flags) {
    let mut flags = Flags(0);
    let both = Flags(Flags::INJECTED.0 | Flags::ARGUMENTS_INJECTED.0);
    for (word, flag) in [
        (&b"(DELAYED)"[..], Flags::DELAYED),
        (b"(INJECTED)", Flags::INJECTED),
        (b"(INJECTED: args)", Flags::ARGUMENTS_INJECTED),
        (b"(INJECTED: args, retval)", both),
    ] {
        if let Some(before) = text.strip_suffix(word) {
            text = before.trim_ascii_end();
            flags.set(flag);
        }
    }
    (text, flags)
}

/// Takes ` <0.000105>` off the end.
fn duration(text: &[u8]) -> (&[u8], Option<u64>) {
    let Some(open) = text.strip_suffix(b">").and_then(|text| text.iter().rposition(|&byte| byte == b'<'))
    else {
        return (text, None);
    };
    match seconds(&text[open + 1..]) {
        Some((ns, b">")) => (text[..open].trim_ascii_end(), Some(ns)),
        _ => (text, None),
    }
}
