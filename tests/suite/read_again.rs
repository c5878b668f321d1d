//! Text of calls with random arguments, read and printed again: every argument is as it was, or `...`.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use trace::event::Abi;
use trace::syscall::flags::ioctl_numbers;

use crate::support::programs::program;

/// The name of a call and its arguments as they stand there; `None`: it is no call.
fn arguments(line: &str) -> Option<(&str, Vec<&str>)> {
    let (name, rest) = line.split_once('(')?;
    let (mut all, mut depth, mut begin, mut is_quoted) = (Vec::new(), 0, 0, false);
    let mut bytes = rest.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' if is_quoted => drop(bytes.next()),
            b'"' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            b'/' if rest[at..].starts_with("/*") => depth += 1,
            b'/' if rest[..at].ends_with('*') => depth -= 1,
            b'(' | b'{' | b'[' => depth += 1,
            b')' | b'}' | b']' if depth > 0 => depth -= 1,
            b',' | b')' if depth == 0 => {
                all.push(rest[begin..at].trim());
                begin = at + 1;
                if byte == b')' {
                    return Some((name, all));
                }
            }
            _ => {}
        }
    }
    None
}

/// An argument without its comments, which say the value another time.
fn plain(argument: &str) -> String {
    let (mut text, mut rest, mut depth) = (String::new(), argument, 0);
    while let Some(at) = rest.find("/*").into_iter().chain(rest.find("*/")).min() {
        if depth == 0 {
            text.push_str(rest[..at].trim_end());
        }
        depth += if rest[at..].starts_with("/*") { 1 } else { -1 };
        rest = &rest[at + 2..];
    }
    text + rest
}

/// Arguments that say another thing than before.
fn differences(before: &str, after: &str) -> Vec<String> {
    assert_eq!(before.lines().count(), after.lines().count());
    let mut all = Vec::new();
    // The first line starts the program.
    for (before, after) in before.lines().zip(after.lines()).skip(1) {
        let (Some((name, told)), Some((_, again))) = (arguments(before), arguments(after)) else { continue };
        let is_same = |(index, again): (usize, &&str)| {
            let is_left_out = *again == "..." || [", ...}", "...]"].iter().any(|end| again.ends_with(end));
            is_left_out || told.get(index).is_some_and(|told| plain(told) == plain(again))
        };
        if !again.iter().enumerate().all(is_same) {
            all.push(format!("{name}\n  {before}\n  {after}"));
        }
    }
    all
}

/// What our `strace` writes of a program's calls, which have the same arguments each time.
fn written(output: &Path, options: &[&str], arguments: &[String]) -> String {
    let strace = output.with_file_name("strace");
    let mut command = Command::new("setarch");
    command.arg("-R").arg(strace).args(["-s", "300"]).args(options).arg("-o").arg(output);
    command.arg(program("random_calls")).args(arguments);
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    assert!(quiet.status().expect("it starts").success());
    std::fs::read_to_string(output).expect("ASCII")
}

/// Reads the text of a program's calls, written with each of these options.
fn read_again(arguments: &[String], options: &[&[&str]]) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let output = dir.path().join("lines");
    symlink(env!("CARGO_BIN_EXE_trace"), dir.path().join("strace")).expect("our own directory");
    let names = written(&output, &[], arguments);
    for options in options {
        written(&output, options, arguments);
        let mut show = Command::new(env!("CARGO_BIN_EXE_trace"));
        let shown = show.args(["show", "--strace"]).arg(&output).output().expect("it starts");
        let again = String::from_utf8(shown.stdout).expect("ASCII");
        let differences = differences(&names, &again);
        let count = differences.len();
        assert!(differences.is_empty(), "{options:?}: {count}\n{}", differences.join("\n"));
    }
}

#[test]
fn no_argument_is_made_up() {
    let arguments = ["22", "3", "7"].map(str::to_owned);
    read_again(&arguments, &[&[], &["-X", "verbose"], &["-X", "raw"]]);
}

#[test]
fn no_operation_of_ioctl_is_made_up() {
    let fixed = ["22", "1", "21", "16", "16"].map(str::to_owned);
    // Between them are some that have no names.
    let operations = ioctl_numbers(Abi::X86_64).chain(0x5400..0x5500).map(|number| number.to_string());
    read_again(&fixed.into_iter().chain(operations).collect::<Vec<_>>(), &[&[]]);
}
