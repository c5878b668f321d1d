//! `trace show` and strace print the same lines for real programs: every call of the file and descriptor classes,
//! with its flags, paths, files behind descriptors, result and errno.
//!
//! Both trace the same program in the same place without address randomisation, so even addresses are compared.
//! What is known to differ is what a log does not hold; it is listed in [`same_argument`] and [`plain_result`].

use trace::event::Abi;
use trace::syscall::{self, Arg, Spec};

use crate::differential::{Place, hello, python};
use crate::support::programs::program;
use crate::support::run::{self, run};
use crate::support::skip::skip_peer;
use crate::support::{log, strace};

/// What is compared.
const CLASSES: &str = "%file,%desc";

/// One line, taken apart.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    name: String,
    arguments: Vec<String>,
    result: String,
}

/// Splits `call(a, b) = result` at the commas that stand outside of all quotes and brackets. `None`: no call.
fn parse(line: &str) -> Option<Line> {
    let (name, rest) = line.split_once('(')?;
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return None;
    }
    let (mut arguments, mut current) = (Vec::new(), String::new());
    let (mut depth, mut is_quoted, mut is_escaped) = (0, false, false);
    for (at, letter) in rest.char_indices() {
        if is_quoted {
            is_quoted = letter != '"' || is_escaped;
            is_escaped = letter == '\\' && !is_escaped;
        } else {
            match letter {
                '"' => is_quoted = true,
                '(' | '[' | '{' | '<' => depth += 1,
                ')' if depth == 0 => {
                    arguments.push(current);
                    let result = rest[at + 1..].trim_start().strip_prefix("= ")?.to_owned();
                    return Some(Line { name: name.to_owned(), arguments, result });
                }
                ')' | ']' | '}' | '>' => depth -= 1,
                ',' if depth == 0 => {
                    arguments.push(std::mem::take(&mut current));
                    continue;
                }
                _ => {}
            }
        }
        // The blank after a comma.
        if !(current.is_empty() && letter == ' ') {
            current.push(letter);
        }
    }
    None
}

/// Without the thread at the beginning, and ours without the time after it and the duration at the end.
fn lines(text: &str, has_times: bool) -> Vec<String> {
    let without_duration = |line: &str| match line.rsplit_once(" <") {
        Some((line, duration)) if duration.trim_end_matches('>').parse::<f64>().is_ok() => line.to_owned(),
        _ => line.to_owned(),
    };
    let event = |line: &str| {
        let skipped = if has_times { 2 } else { 1 };
        let rest = line.splitn(skipped + 1, ' ').nth(skipped).unwrap_or_default().trim_start();
        if has_times { without_duration(rest) } else { rest.to_owned() }
    };
    text.lines().map(event).filter(|line| !line.is_empty()).collect()
}

/// Whether an argument by strace (first) and by us means the same.
fn same_argument(spec: &Spec, at: usize, strace: &str, ours: &str) -> bool {
    let strace = &scrub(strace);
    let ours = &scrub(ours);
    // The log keeps the cwd of a call where a path is relative to it, strace prints it always.
    let base =
        |text: &str| text.strip_prefix("AT_FDCWD").map(|rest| rest.starts_with('<') && rest.ends_with('>'));
    if base(strace) == Some(true) && ours == "AT_FDCWD" {
        return true;
    }
    // An environment lies in the memory of whoever started the program: that of the tracer's child, for the first.
    if spec.name == "execve" && at == 2 && strace.starts_with("0x") && ours.starts_with("0x") {
        return true;
    }
    // Contents of buffers and most structures are not in a log, whose line has their address instead.
    let kind = spec.args.get(at).map_or(Arg::Unused, |arg| arg.arg);
    let is_path = matches!(kind, Arg::Path | Arg::Fd | Arg::DirFd | Arg::Flags(_) | Arg::Enum(_) | Arg::Mode);
    let is_content = strace.starts_with(['"', '{', '[']);
    if !is_path && is_content && ours.starts_with("0x") {
        return true;
    }
    strace == ours
}

/// What differs though it means the same, taken away: strace's remarks (`/* 39 vars */`), the mark of
/// deleted files, which a descriptor has in a log if it was first used after that; the numbers of pipes and sockets, which are new each time; the
/// fields of structures that a log does not hold.
fn scrub(argument: &str) -> String {
    let text = argument.split_once(" /* ").map_or(argument, |(before, _)| before);
    let mut text = text.replace(">(deleted)", ">").replace(" (deleted)>", ">");
    for (from, to) in
        [("<pipe:[", "]>"), ("<socket:[", "]>"), ("stx_mask=", "stx_mode="), (", st_rdev=makedev(", ")")]
    {
        if let Some((before, rest)) = text.split_once(from)
            && let Some((_, after)) = rest.split_once(to)
        {
            let kept = if to.ends_with('=') { to } else { "" };
            text = format!("{before}{kept}{after}");
        }
    }
    text
}

/// A result without what strace adds from memory that no log holds: `1 ([{fd=3, revents=POLLIN}])`.
fn plain_result(result: &str) -> String {
    let text = scrub(result);
    match text.split_once(" (") {
        Some((value, more)) if !value.contains(' ') && !more.starts_with("flags ") => value.to_owned(),
        _ => text,
    }
}

fn same(strace: &Line, ours: &Line) -> bool {
    let Some(spec) = syscall::by_name(Abi::X86_64, &strace.name) else { return false };
    strace.name == ours.name
        && strace.arguments.len() == ours.arguments.len()
        && strace
            .arguments
            .iter()
            .zip(&ours.arguments)
            .enumerate()
            .all(|(at, (strace, ours))| same_argument(spec, at, strace, ours))
        && plain_result(&strace.result) == plain_result(&ours.result)
}

/// Runs a command under both, which print at least so many calls, and compares line by line.
fn compare(prepare: &str, command: &[&str], at_least: usize) {
    let name = command.join(" ");
    if !strace::is_there() {
        return skip_peer(&name, "no strace");
    }
    let place = Place::new();
    // Once untraced, for what only the first run does: caches, compiled modules.
    place.prepare(prepare);
    run(run::command(command[0], &place.work).args(&command[1..]));
    place.prepare(prepare);
    let mut tracer = run::command("strace", &place.work);
    tracer.args(["-f", "-y", "-a1", "-s", "4096", "-e", &format!("trace={CLASSES}"), "-o"]).arg(&place.log);
    let by_strace = place.traced(&tracer, command);
    let theirs = std::fs::read_to_string(&place.log).expect("strace writes ASCII");
    std::fs::remove_file(&place.log).expect("strace's file");
    place.prepare(prepare);
    let by_us = place.traced(&log::command(&place.log, &place.work), command);
    assert_eq!(by_strace.status, by_us.status, "{name}");
    let mut show = run::command(env!("CARGO_BIN_EXE_trace"), &place.work);
    let ours = run(show.args(["show", "-e", CLASSES]).arg(&place.log));
    assert!(ours.status.success(), "{ours:?}");
    let (theirs, ours) = (lines(&theirs, false), lines(&ours.stdout, true));
    let mut different = Vec::new();
    for (at, (theirs, ours)) in theirs.iter().zip(&ours).enumerate() {
        let is_same = match (parse(theirs), parse(ours)) {
            (Some(theirs), Some(ours)) => same(&theirs, &ours),
            _ => theirs == ours,
        };
        if !is_same {
            different.push(format!("line {at}:\n  strace {theirs}\n  ours   {ours}"));
        }
    }
    let shown: Vec<String> = different.iter().take(40).cloned().collect();
    assert!(different.is_empty(), "{name}: {} lines differ:\n{}", different.len(), shown.join("\n"));
    assert_eq!(theirs.len(), ours.len(), "{name}: lines of strace and ours");
    assert!(theirs.len() >= at_least, "{name}: {} lines", theirs.len());
}

#[test]
fn of_every_call_on_files() {
    let fixture = program("file_calls");
    compare(":", &[fixture.to_str().expect("a plain path")], 700);
}

#[test]
fn of_ls() {
    let prepare =
        "mkdir d; echo x >d/file; ln -s file d/link; mkfifo d/fifo; echo y >'d/a\"b\\c'; chmod 600 d/*";
    compare(prepare, &["ls", "-l", "d", "nosuch"], 60);
}

#[test]
fn of_python() {
    let Some(python) = python() else { return skip_peer("python3", "no such program") };
    compare("", &[&python, &hello()], 100);
    let files = "import os, tempfile\n\
        fd = os.open('a', os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o640)\n\
        os.write(fd, b'text'); os.ftruncate(fd, 2); os.fchmod(fd, 0o600); os.dup2(fd, 9)\n\
        os.unlink('a'); os.fstat(fd); os.lseek(fd, 0, 2); os.close(fd)\n\
        r, w = os.pipe(); os.write(w, b'x'); os.read(r, 1); os.set_blocking(r, False)\n\
        os.mkdir('d'); os.symlink('d', 'l'); os.rename('d', 'e'); os.readlink('l'); os.chdir('e'); os.getcwd()\n\
        os.utime('.', (1, 2)); os.access('/nosuch', os.X_OK); os.listdir('/'); os.statvfs('/'); os.rmdir('../e')";
    compare("", &[&python, "-S", "-E", "-B", "-c", files], 100);
}
