//! What a fixture program says it did (see `fixtures/programs/account.h`), held against a trace.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use super::call::{Call, Text, is_restart};

/// The size that `account.h` maps.
const SIZE: u64 = 32 << 20;
/// Offset of the first line.
const FIRST_LINE: usize = 16;

/// One line: a call as its program knows it.
#[derive(Clone, Debug)]
pub struct Line {
    /// The call; what the program does not say of it is [`Text::Untold`].
    pub call: Call,
    /// The result is not for the program to know.
    pub any_ret: bool,
}

/// Makes an empty account at `path`, which anyone may write.
pub fn create(path: &Path) {
    let file = File::create(path).expect("the test's directory can be written to");
    file.set_len(SIZE).expect("room for a sparse file");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    file.set_permissions(mode).expect("our own file");
}

/// Reads an account back.
pub fn read(path: &Path) -> Vec<Line> {
    let bytes = std::fs::read(path).expect("made by `create`");
    let used = u32::from_le_bytes(bytes[..4].try_into().expect("four bytes")) as usize;
    let text = &bytes[FIRST_LINE..FIRST_LINE + used];
    assert!(!text.contains(&0), "a line of the account was never finished");
    let text = std::str::from_utf8(text).expect("the account is ASCII");
    text.lines().map(parse).collect()
}

fn parse(line: &str) -> Line {
    let mut words = line.split_ascii_whitespace();
    let mut word = || words.next().unwrap_or_else(|| panic!("short line in the account: {line}"));
    let mut call = Call { tid: word().parse().expect("a tid"), name: word().to_owned(), ..Call::default() };
    let ret = word();
    call.ret = if ret == "?" || ret == "*" { None } else { Some(ret.parse().expect("a number")) };
    call.is_i386 = Some(false);
    call.is_restarted = Some(false);
    for word in words {
        match word {
            "i386" => call.is_i386 = Some(true),
            "restarted" => call.is_restarted = Some(true),
            claim => claim_of(&mut call, claim),
        }
    }
    Line { call, any_ret: ret == "*" }
}

/// `key=text`, `key!`, `key-` or `key~`.
fn claim_of(call: &mut Call, claim: &str) {
    let end = claim.find(['=', '!', '-', '~']).unwrap_or_else(|| panic!("claim {claim}"));
    let (key, value) = claim.split_at(end);
    let text = match value.as_bytes() {
        [b'=', escaped @ ..] => Text::Is(unescape(escaped)),
        [b'!'] => Text::Unreadable,
        [b'-'] => Text::Absent,
        _ => Text::TooLong,
    };
    match key {
        "path" => call.paths[0] = text,
        "path2" => call.paths[1] = text,
        "abs" => call.absolute[0] = text,
        "abs2" => call.absolute[1] = text,
        "fd" => call.files[0] = text,
        "fd2" => call.files[1] = text,
        _ => panic!("claim {claim}"),
    }
}

/// Undoes `\xHH`.
pub fn unescape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        if *first == b'\\' && tail.len() >= 3 {
            let hex = std::str::from_utf8(&tail[1..3]).expect("two hex digits");
            out.push(u8::from_str_radix(hex, 16).expect("two hex digits"));
            rest = &tail[3..];
        } else {
            out.push(*first);
            rest = tail;
        }
    }
    out
}

/// Every difference between the account and the calls that a source saw.
pub fn differences(account: &[Line], calls: &[Call]) -> Vec<String> {
    let seen = accounted(calls);
    let mut told: HashMap<u32, Vec<&Line>> = HashMap::new();
    for line in account {
        told.entry(line.call.tid).or_default().push(line);
    }
    let mut wrong = Vec::new();
    for (tid, lines) in &told {
        let calls = seen.get(tid).map_or(&[][..], Vec::as_slice);
        for (line, call) in lines.iter().zip(calls) {
            if let Some(what) = difference(line, call) {
                wrong.push(format!("{what}: the program says\n    {}\n  the trace\n    {call}", line.call));
                if what == "name" {
                    break;
                }
            }
        }
        if lines.len() != calls.len() {
            wrong.push(format!(
                "thread {tid}: {} calls by its account, {} in the trace",
                lines.len(),
                calls.len()
            ));
        }
    }
    for tid in seen.keys().filter(|tid| !told.contains_key(tid)) {
        wrong.push(format!("thread {tid} has calls in the trace and none by its account"));
    }
    wrong
}

/// What differs between a line and a call, if anything does.
fn difference(line: &Line, call: &Call) -> Option<&'static str> {
    let told = &line.call;
    let tells = |one: Option<bool>, two: Option<bool>| one.zip(two).is_none_or(|(one, two)| one == two);
    let agree = |one: &[Text; 2], two: &[Text; 2]| one[0].agrees(&two[0]) && one[1].agrees(&two[1]);
    if told.name != call.name {
        Some("name")
    } else if !line.any_ret && !same_ret(told, call) {
        Some("result")
    } else if !tells(told.is_i386, call.is_i386) {
        Some("convention")
    } else if !tells(told.is_restarted, call.is_restarted) {
        Some("restart")
    } else if !agree(&told.paths, &call.paths) {
        Some("path")
    } else if !agree(&told.absolute, &call.absolute) {
        Some("absolute path")
    } else if !agree(&told.files, &call.files) {
        Some("file")
    } else {
        None
    }
}

fn same_ret(told: &Call, call: &Call) -> bool {
    const EINTR: i64 = -4;
    match (told.ret, call.ret) {
        // The old image never saw its exec return; the tracer does.
        (None, Some(0)) => told.name.starts_with("execve"),
        // What the program sees as EINTR, or does not see because the kernel makes the call again.
        (Some(EINTR), Some(ret)) => ret == EINTR || is_restart(ret),
        (Some(one), Some(two)) if is_restart(one) => is_restart(two),
        (one, two) => one == two,
    }
}

/// `ERESTARTNOINTR`: the kernel makes the call again before the program sees anything of it (a fork while a
/// signal is pending, for one).
const RESTARTED_UNSEEN: i64 = -513;

/// The calls that threads made between their marks, by thread.
fn accounted(calls: &[Call]) -> HashMap<u32, Vec<Call>> {
    let mut open: HashMap<u32, bool> = HashMap::new();
    let mut by_tid: HashMap<u32, Vec<Call>> = HashMap::new();
    for call in calls {
        let is_open = open.entry(call.tid).or_default();
        let mark = match &call.paths[0] {
            Text::Is(path) if call.name == "access" => path.as_slice(),
            _ => b"",
        };
        match mark {
            b"//begin" => *is_open = true,
            b"//end" => *is_open = false,
            _ if *is_open => {
                let seen = by_tid.entry(call.tid).or_default();
                let mut call = call.clone();
                if seen
                    .last()
                    .is_some_and(|last| last.ret == Some(RESTARTED_UNSEEN) && last.name == call.name)
                {
                    seen.pop();
                    call.is_restarted = None;
                }
                // Behind an exec, or behind the end of a thread whose id an exec takes, comes libc.
                *is_open = call.ret.is_some() && !(call.name.starts_with("execve") && call.ret == Some(0));
                seen.push(call);
            }
            _ => {}
        }
    }
    by_tid
}
