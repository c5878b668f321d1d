//! strace's language of faults: `SET:error=ENOENT:when=2+3`, which calls are to be done what to.

mod pokes;

use std::time::Duration;

use rustc_hash::FxHashMap;
use syscalls::Errno;

use crate::capture::{Intervention, Poke};
use crate::event::{Abi, Event};
use crate::report::show::filter::CallSet;
use crate::syscall::flags::signal_number;
use crate::syscall::{Classes, by_name};

/// Which calls of a thread: the first, every so many behind it, and the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct When {
    first: u64,
    last: u64,
    step: u64,
}

impl When {
    const ALWAYS: Self = Self { first: 1, last: u64::MAX, step: 1 };

    fn has(self, count: u64) -> bool {
        let Some(behind) = count.checked_sub(self.first).filter(|_| count <= self.last) else { return false };
        behind == 0 || (self.step != 0 && behind % self.step == 0)
    }

    /// `FIRST[..LAST][+[STEP]]`
    fn parse(text: &str) -> Option<Self> {
        let (range, step) = match text.split_once('+') {
            // A sign, as strtol(3) reads it.
            Some(("", first)) => (first, 0),
            Some((range, "")) => (range, 1),
            Some((range, step)) => (range, count(step)?),
            None => (text, 0),
        };
        let (first, last) = match range.split_once("..") {
            Some((first, last)) => (count(first)?, count(last).filter(|&last| last < 0xffff)?),
            None => (count(range)?, u64::MAX),
        };
        // A range without a step is all of it.
        let step = if step == 0 && range.contains("..") { 1 } else { step };
        (last >= first).then_some(Self { first, last, step })
    }
}

fn count(text: &str) -> Option<u64> {
    text.parse().ok().filter(|count| (1..=0xffff).contains(count))
}

/// One expression.
#[derive(Debug)]
struct Injection {
    calls: CallSet,
    what: Intervention,
    /// The call that is made where the result is put in.
    instead: Option<&'static str>,
    when: When,
    /// Calls met so far, by thread and call: as under strace, each call counts by itself.
    met: FxHashMap<(u32, Abi, u32), u64>,
    /// As it was typed.
    text: String,
    /// It was done to a call.
    is_done: bool,
}

/// All expressions of a command line.
#[derive(Debug, Default)]
pub struct Injections(Vec<Injection>);

impl Injections {
    /// From expressions without `inject=` before them.
    pub fn parse(expressions: &[String]) -> Result<Self, anyhow::Error> {
        expressions.iter().map(|text| parse(text, false)).collect::<Result<_, _>>().map(Self)
    }

    /// Adds one expression; `is_fault`: it is of `fault=`, whose error is ENOSYS where it names none.
    /// What strace warns of is returned.
    pub fn add(&mut self, expression: &str, is_fault: bool) -> Result<Vec<String>, anyhow::Error> {
        let injection = parse(expression, is_fault)?;
        let warnings = injection.warnings();
        self.0.push(injection);
        Ok(warnings)
    }

    /// What is to be done to this call: by the last expression that chooses it.
    pub fn of(&mut self, event: &Event<'_>) -> Intervention {
        let chosen = self.0.iter_mut().rev().find(|injection| injection.calls.contains(event.abi, event.nr));
        let Some(injection) = chosen else { return Intervention::default() };
        let met = injection.met.entry((event.tid, event.abi, event.nr)).or_default();
        *met += 1;
        if !injection.when.has(*met) {
            return Intervention::default();
        }
        injection.is_done = true;
        let instead = injection.instead.filter(|_| injection.what.result.is_some());
        let instead = instead.and_then(|name| by_name(event.abi, name)).map(|spec| spec.nr);
        Intervention { instead, ..injection.what }
    }

    /// Those that were done to no call, and whether there were calls of theirs, but not those that `when=` names.
    pub fn without_effect(&self) -> impl Iterator<Item = (&str, bool)> {
        let without = self.0.iter().filter(|injection| !injection.is_done);
        without.map(|injection| (injection.text.as_str(), !injection.met.is_empty()))
    }
}

impl Injection {
    /// What strace warns of: a result that 32-bit programs get another of, or that programs take for an error.
    fn warnings(&self) -> Vec<String> {
        let Some(result) = self.what.result.filter(|_| self.what.is_value) else {
            return Vec::new();
        };
        if (-4095..0).contains(&result) {
            let (error, result) = (-result, result.cast_unsigned());
            return vec![format!("Inadvertent injection of error {error} is possible for retval={result}")];
        }
        let (result, clipped) = (result.cast_unsigned(), result as u32);
        let mut warnings = Vec::new();
        if result != u64::from(clipped) {
            warnings.push(format!(
                "Injected return value {result} will be clipped to {clipped} in compat personality"
            ));
        }
        let error = clipped.wrapping_neg();
        if (1..4096).contains(&error) {
            warnings.push(format!(
                "Inadvertent injection of error {error} is possible in compat personality for retval={result}"
            ));
        }
        warnings
    }
}

fn parse(expression: &str, is_fault: bool) -> Result<Injection, anyhow::Error> {
    let mut parts = expression.split(':');
    let calls = CallSet::parse(parts.next().unwrap_or_default())?;
    let (mut what, mut instead, mut when) = (Intervention::default(), None, When::ALWAYS);
    let mut given = Vec::new();
    // As strace does, what stands between two colons may be nothing.
    for part in parts.filter(|part| !part.is_empty()) {
        let invalid = || anyhow::anyhow!("cannot do {part} of {expression}");
        let (name, value) = part.split_once('=').ok_or_else(invalid)?;
        // An error is a result; of several `when=` the last one counts.
        let subject = if name == "retval" { "error" } else { name };
        if given.contains(&subject) && name != "when" {
            anyhow::bail!(
                "{expression}: {part} contradicts what is before it; an error or result, or any other part, can be there once"
            );
        }
        given.push(subject);
        match name {
            "error" => what.result = Some(-i64::from(error_number(value).ok_or_else(invalid)?)),
            "retval" if !is_fault => {
                what.result = Some(word(value).ok_or_else(invalid)?);
                what.is_value = true;
            }
            "signal" if !is_fault => what.signal = Some(signal_number(value).ok_or_else(invalid)?),
            "delay_enter" if !is_fault => what.delay_enter = Some(duration(value).ok_or_else(invalid)?),
            "delay_exit" if !is_fault => what.delay_exit = Some(duration(value).ok_or_else(invalid)?),
            "syscall" => instead = Some(harmless(value).ok_or_else(invalid)?),
            "poke_enter" if !is_fault => what.poke_enter = kept(pokes::parse(value).ok_or_else(invalid)?),
            "poke_exit" if !is_fault => what.poke_exit = kept(pokes::parse(value).ok_or_else(invalid)?),
            "when" => when = When::parse(value).ok_or_else(invalid)?,
            _ => return Err(invalid()),
        }
    }
    if is_fault && what.result.is_none() {
        what.result = Some(-i64::from(libc_enosys()));
    }
    if what.is_none() {
        anyhow::bail!(
            "{expression} says not what to do: error=, retval=, signal=, delay_enter=, delay_exit=, poke_enter= or poke_exit="
        );
    }
    let text = expression.to_owned();
    Ok(Injection { calls, what, instead, when, met: FxHashMap::default(), text, is_done: false })
}

/// A call that changes nothing, whatever its arguments are (`%pure`): others are not made in place of one.
fn harmless(name: &str) -> Option<&'static str> {
    let spec = by_name(Abi::X86_64, name)?;
    spec.classes.intersects(Classes::PURE).then_some(spec.name)
}

/// For the life of the program, as the words of the command line are.
fn kept(pokes: Vec<Poke>) -> &'static [Poke] {
    Vec::leak(pokes)
}

fn libc_enosys() -> i32 {
    nix::errno::Errno::ENOSYS as i32
}

/// A name (`ENOENT`, in letters of any case), one of the kernel's own among them, or a number.
fn error_number(text: &str) -> Option<i32> {
    let by_number =
        text.strip_prefix('+').unwrap_or(text).parse().ok().filter(|errno| (1..4096).contains(errno));
    let is_named =
        |errno: &i32| Errno::new(*errno).name().is_some_and(|name| name.eq_ignore_ascii_case(text));
    by_number.or_else(|| (1..1000).find(is_named))
}

/// A word as strtoull(3) reads it: decimal, octal behind `0`, hexadecimal behind `0x`, with a sign or without.
fn word(text: &str) -> Option<i64> {
    let text = text.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '\x0b');
    let (is_negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let hexadecimal = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
    let (digits, radix) = match (hexadecimal, digits.strip_prefix('0')) {
        (Some(digits), _) => (digits, 16),
        (None, Some(digits)) if !digits.is_empty() => (digits, 8),
        _ => (digits, 10),
    };
    // A second sign is none of a number.
    let is_number = digits.starts_with(|c: char| c.is_digit(radix));
    let word = u64::from_str_radix(digits, radix).ok().filter(|_| is_number)?;
    Some(if is_negative { word.wrapping_neg() } else { word }.cast_signed())
}

/// Microseconds, or a number with `s`, `ms`, `us` or `ns`; decimals and powers of ten (`1.5ms`, `1e3`) as strtod(3) reads them.
pub fn duration(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(['s', 'm', 'u', 'n']);
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    let number: f64 = digits.parse().ok().filter(|_| is_number)?;
    let seconds = match &text[digits.len()..] {
        "s" => number,
        "ms" => number / 1e3,
        "" | "us" => number / 1e6,
        "ns" => number / 1e9,
        _ => return None,
    };
    // Longer than there is a number for is for ever.
    (seconds >= 0.0).then(|| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Kind;

    fn event(name: &str, tid: u32) -> Event<'static> {
        let nr = by_name(Abi::X86_64, name).unwrap().nr;
        Event { tid, nr, ..Event::new(Kind::Syscall) }
    }

    #[test]
    fn calls_are_counted_by_thread() {
        let expression = "openat,open:error=ENOENT:when=2+3".to_owned();
        let mut injections = Injections::parse(&[expression]).unwrap();
        let mut hit = |name, tid| injections.of(&event(name, tid)).result;
        let hits: Vec<bool> = (0..6).map(|_| hit("openat", 1).is_some()).collect();
        assert_eq!(hits, [false, true, false, false, true, false]);
        assert_eq!((hit("openat", 2), hit("openat", 2)), (None, Some(-2)));
        assert_eq!((hit("open", 2), hit("open", 2)), (None, Some(-2)), "each call counts by itself");
        assert_eq!(hit("close", 2), None);
        assert_eq!(injections.without_effect().count(), 0);
    }

    #[test]
    fn what_had_no_effect_is_known() {
        let expressions = ["openat:error=EIO:when=2", "close:error=EIO", "read:error=EIO"].map(str::to_owned);
        let mut injections = Injections::parse(&expressions).unwrap();
        injections.of(&event("openat", 1));
        injections.of(&event("read", 1));
        let without: Vec<_> = injections.without_effect().collect();
        assert_eq!(without, [("openat:error=EIO:when=2", true), ("close:error=EIO", false)]);
    }

    #[test]
    fn when() {
        let hits = |text: &str| {
            let when = When::parse(text).unwrap_or_else(|| panic!("{text}"));
            (1..=9).filter(|&count| when.has(count)).collect::<Vec<u64>>()
        };
        assert_eq!(hits("2"), [2]);
        assert_eq!(hits("7+"), [7, 8, 9]);
        assert_eq!(hits("2+3"), [2, 5, 8]);
        assert_eq!(hits("2..4"), [2, 3, 4]);
        assert_eq!(hits("2..7+2"), [2, 4, 6]);
        for wrong in ["", "0", "x", "3..2", "1+x", "99999"] {
            assert_eq!(When::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_cannot_be_done_is_refused() {
        let parse = |text: &str| Injections::parse(&[text.to_owned()]);
        for wrong in [
            "openat",
            "openat:error=ENONSENSE",
            "nosuch:error=1",
            "openat:poke=1",
            "openat:when=1",
            "openat:error=EIO:retval=3",
            "openat:syscall=getpid",
            "openat:syscall=read:retval=3",
            "openat:poke_enter=@arg1=0",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        let instead = parse("getuid:retval=-1:syscall=getpid").unwrap().of(&event("getuid", 1));
        assert_eq!((instead.result, instead.is_value), (Some(-1), true));
        assert_eq!(instead.instead, Some(by_name(Abi::X86_64, "getpid").unwrap().nr));
        let what = parse("all:retval=0x10:signal=SIGUSR1:delay_enter=5:delay_exit=2ms").unwrap();
        let what = what.0[0].what;
        assert_eq!((what.result, what.signal), (Some(16), Some(10)));
        assert_eq!(what.delay_enter, Some(Duration::from_micros(5)));
        assert_eq!(what.delay_exit, Some(Duration::from_millis(2)));
        let mut fault = Injections::default();
        fault.add("openat", true).unwrap();
        assert_eq!(fault.of(&event("openat", 1)).result, Some(-38));
    }
}
