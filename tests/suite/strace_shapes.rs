//! Logs of the strace on this machine, in every shape that its options give them: each line of them is understood.

use std::fs;
use std::path::{Path, PathBuf};

use trace::event::Kind;
use trace::log::{Ending, Source};

use crate::support::programs::program;
use crate::support::run::{self, run};
use crate::support::skip::{skip, skip_peer};
use crate::support::strace;

/// What strace is called with, one shape a line. With `-ff` there is a file for each thread.
const SHAPES: &str = "-f
-ff
-ff -ttt -T
-f -t
-f -tt
-f -ttt
-f -r
-f -T
-f -r -tt
-f --relative-timestamps=s
-f --relative-timestamps=ns -t
-f --timestamps=time,ms -T
-f --syscall-times=ns --absolute-timestamps=unix,ns
-f -i
-f -k -e trace=!%memory
-f -k -y -T
-f -n
-f -y
-f -yy
-f -Y
-f -Y -yy -tt
-f -x
-f -xx
-f -v
-f -s 0
-f -v -s 4096
-f -C
-f -C -w -T
-f -C -U name,calls,errors
-f -C -U min-time,total-time
-f -a 0
-f -a 100 -T
-f -X raw
-f -X verbose
-f -X raw -i -n -T
-f -e raw=all
-f -e verbose=none
-f -e abbrev=none
-f -z
-f -Z
-f -z -tt -T
-f -e status=successful,failed,unfinished -yy
-f -e read=all -e write=all
-f -e read=3 -xx -tt
-f --seccomp-bpf -e trace=%file,read,clone,clone3,vfork,fork
-f -qq
-f -e quiet=all
-f -e signal=none
-f -e trace=%file,%process
-f -e trace=none
-f -P /etc/passwd
-f -e decode-fds=path,dev -tt
-f --decode-pids=comm,pidns
-f -e inject=openat:delay_exit=10 -e inject=close:error=EINTR:when=3
-f -I2
-f -D
-f -ttt -T -yy -Y -i -n -v -s 200 -x -r";

/// What a log came to.
#[derive(Debug)]
struct Seen {
    calls: usize,
    ends: usize,
    unread: Vec<(u64, String)>,
    is_complete: bool,
}

fn read(log: &Path) -> Seen {
    let mut source =
        Source::open(log, Some(b"/")).unwrap_or_else(|error| panic!("{}: {error}", log.display()));
    let (mut calls, mut ends, mut lost) = (0, 0, 0);
    let ending = source.for_each(|event| match event.kind {
        Kind::Syscall => calls += 1,
        Kind::Exit => ends += 1,
        Kind::Lost => lost += 1,
        _ => {}
    });
    let ending = ending.expect("it can be read");
    let lineage = source.lineage().expect("it is strace's");
    assert_eq!(lineage.unreadable, lost, "each is an event");
    let shown = lineage.shown.iter().map(|(at, line)| (*at, String::from_utf8_lossy(line).into_owned()));
    Seen { calls, ends, unread: shown.collect(), is_complete: matches!(ending, Ending::Complete { .. }) }
}

/// Runs a command under strace; the log, or with `-ff` what its files begin with.
fn record(dir: &Path, options: &str, command: &[&str]) -> PathBuf {
    let log = dir.join("log");
    let mut tracer = run::command("strace", dir);
    tracer.args(options.split(' ')).arg("-o").arg(&log).args(command);
    run(&mut tracer);
    log
}

fn temporary() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

/// A shell with a child, a pipe, a signal, a name that does not print, and an end by a signal.
const SCRIPT: &str = "cat /etc/passwd nosuch >/dev/null 2>&1; (cd /usr; ls -d . | cat >/dev/null) & wait; \
    printf x >\"$(printf 'a \\377\\nb')\"; trap : USR1; kill -USR1 $$; kill -TERM $$";

#[test]
fn every_line_of_every_shape_is_understood() {
    if !strace::is_there() {
        return skip_peer("every_line_of_every_shape_is_understood", "no strace");
    }
    for options in SHAPES.lines() {
        let dir = temporary();
        let log = record(dir.path(), options, &["sh", "-c", SCRIPT]);
        let seen = read(&log);
        assert!(seen.unread.is_empty() && seen.is_complete, "{options}: {seen:?}");
        let has_calls = !options.contains("trace=none") && !options.contains("-P ");
        assert!(seen.calls > if has_calls { 20 } else { 0 } || !has_calls, "{options}: {seen:?}");
        let has_ends = !options.contains("-qq") && !options.contains("quiet=all");
        // The shell, cat, and the two of the pipe with the shell that waits for them; who is killed is told of always.
        assert!(seen.ends >= if has_ends { 5 } else { 1 }, "{options}: {seen:?}");
    }
}

/// Programs of which many calls are under way at once, are interrupted, or never return.
#[test]
fn every_line_of_threads_and_ends_is_understood() {
    if !strace::is_there() {
        return skip_peer("every_line_of_threads_and_ends_is_understood", "no strace");
    }
    for name in
        ["threads", "interrupted", "exec_thread", "signals", "fork_kinds", "killed", "names", "decoded"]
    {
        let program = program(name);
        let program = program.to_str().expect("our own directory");
        for options in ["-f", "-ff -tt", "-f -z", "-f -Y -yy -X verbose", "-f -xx -T -C", "-f -e read=all -v"]
        {
            let dir = temporary();
            let seen = read(&record(dir.path(), options, &[program]));
            assert!(seen.unread.is_empty() && seen.is_complete, "{name} {options}: {seen:?}");
            assert!(seen.calls > 10 && seen.ends > 0, "{name} {options}: {seen:?}");
        }
    }
}

/// Programs of every day, as far as they are here.
#[test]
fn every_line_of_programs_of_every_day_is_understood() {
    if !strace::is_there() {
        return skip_peer("every_line_of_programs_of_every_day_is_understood", "no strace");
    }
    let commands: [&[&str]; 10] = [
        &["python3", "-c", "import json, subprocess; subprocess.run(['true'])"],
        &["perl", "-e", "print `echo x`; kill 9, $$"],
        &["node", "-e", "require('fs').readdirSync('/etc')"],
        &["git", "init", "-q", "repository"],
        &["gcc", "-x", "c", "-c", "-o", "object", "/dev/null"],
        &["tar", "-cf", "archive", "/etc/passwd"],
        &["find", "/etc", "-maxdepth", "1", "-name", "p*"],
        &["make", "-n", "-f", "/dev/null"],
        &["bash", "-c", "for i in 1 2 3 4; do (echo $i | cat) & done; wait"],
        &["timeout", "0.05", "sleep", "5"],
    ];
    for command in commands {
        let dir = temporary();
        if !run(run::command("sh", dir.path()).args(["-c", "command -v \"$0\"", command[0]])).status.success()
        {
            skip("every_line_of_programs_of_every_day_is_understood", command[0]);
            continue;
        }
        for options in ["-f -ttt -T -yy", "-ff -Y -i"] {
            let seen = read(&record(dir.path(), options, command));
            assert!(seen.unread.is_empty() && seen.is_complete, "{command:?} {options}: {seen:?}");
            assert!(seen.calls > 20 && seen.ends > 0, "{command:?} {options}: {seen:?}");
            for file in fs::read_dir(dir.path()).expect("our own directory").flatten() {
                if file.file_name().to_string_lossy().starts_with("log") {
                    fs::remove_file(file.path()).expect("our own file");
                }
            }
        }
    }
}

/// What cannot be read is counted, line by line, with its number; what is around it is read.
#[test]
fn what_is_no_line_is_counted() {
    if !strace::is_there() {
        return skip_peer("what_is_no_line_is_counted", "no strace");
    }
    let dir = temporary();
    let log = record(dir.path(), "-f -ttt -T -yy", &["sh", "-c", SCRIPT]);
    let text = fs::read(&log).expect("strace's file");
    let whole = read(&log);
    let changed = |text: &[u8]| {
        fs::write(&log, text).expect("our own file");
        read(&log)
    };
    let lines: Vec<&[u8]> = text.split_inclusive(|&byte| byte == b'\n').collect();

    let with_returns: Vec<u8> =
        lines.iter().flat_map(|line| [line.trim_ascii_end(), b"\r\n"].concat()).collect();
    let seen = changed(&with_returns);
    assert_eq!((seen.calls, seen.ends, seen.unread.len()), (whole.calls, whole.ends, 0), "{seen:?}");

    let garbage: &[u8] = b"\x00\xff\x1b[31m garbage ( \" <\n";
    let with_garbage = [&lines[..7].concat(), garbage, garbage, &lines[7..].concat()].concat();
    let seen = changed(&with_garbage);
    let numbers: Vec<u64> = seen.unread.iter().map(|(at, _)| *at).collect();
    assert_eq!((seen.calls, seen.ends, numbers), (whole.calls, whole.ends, vec![8, 9]), "{seen:?}");

    // Cut in the middle of a line.
    let cut = lines[..20].concat().len() + lines[20].len() / 2;
    let seen = changed(&text[..cut]);
    assert!(seen.unread.is_empty() && seen.calls >= 20 - seen.ends, "{seen:?}");
}

/// A log that was damaged is read as far as it can be, and one that is none is refused by name; by every command.
#[test]
fn every_command_says_what_is_wrong() {
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/logs/strace/T.strace");
    let whole = fs::read(fixture).expect("a fixture");
    let lines: Vec<&[u8]> = whole.split_inclusive(|&byte| byte == b'\n').collect();
    let garbage: &[u8] = b"\x00\xff\x1b[31m garbage ( \" <\n";
    let returns: Vec<u8> = lines.iter().flat_map(|line| [line.trim_ascii_end(), b"\r\n"].concat()).collect();
    // Later on, each line stands in the middle of the one before.
    let pairs = lines[60..].chunks(2).map(|pair| match pair {
        [one, other] => [&one[..one.len() / 2], other, &one[one.len() / 2..]].concat(),
        rest => rest.concat(),
    });
    let readable = [
        (whole[..3333].to_vec(), "cut short"),
        (returns, ""),
        ([&lines[..20].concat(), garbage, &lines[20..].concat()].concat(), "line 21 cannot be read"),
        (
            lines[..60].iter().map(|line| line.to_vec()).chain(pairs).flatten().collect(),
            "more lines cannot be read either",
        ),
    ];
    let refused: [(&[u8], &str); 6] = [
        (b"\x1f\x8b\x08\x00", "gzip -dc"),
        (b"\xfd7zXZ\x00", "xz -dc"),
        (b"\xff\xfe1\0 \0", "UTF-16"),
        (b"\x00\x01\x02\x03garbage\n\xff", "nor with lines of strace"),
        (b"hello\n", "nor with lines of strace"),
        (b"", "the log is empty"),
    ];
    let damaged = readable.into_iter().map(|(text, said)| (text, said, true));
    let logs = damaged.chain(refused.map(|(text, said)| (text.to_vec(), said, false)));
    let dir = temporary();
    let log = dir.path().join("log");
    for (text, said, is_readable) in logs {
        fs::write(&log, text).expect("our own file");
        for words in [
            &["stats"][..],
            &["show"],
            &["show", "--strace"],
            &["startup", "--from"],
            &["flame", "-o", "x.svg"],
            &["replay"],
            &["compare", fixture],
        ] {
            let mut command = run::command(env!("CARGO_BIN_EXE_trace"), dir.path());
            let done = run(command.args(words).arg(&log));
            assert_eq!(done.status.success(), is_readable, "{said}: {words:?}: {done:?}");
            // A report says it itself.
            let told = format!("{}{}", done.stdout, done.stderr);
            let is_said = told.contains(said) || told.contains("events are missing from its log");
            assert!(is_said && !told.contains("panicked"), "{said}: {words:?}: {done:?}");
        }
    }
}

/// What takes a log takes each of them.
#[test]
fn every_command_takes_such_a_log() {
    if !strace::is_there() {
        return skip_peer("every_command_takes_such_a_log", "no strace");
    }
    for options in ["-f", "-ff -ttt -T", "-f -Y -r -tt -yy", "-f -X raw -i -n -T", "-f -z -C"] {
        let dir = temporary();
        let log = record(dir.path(), options, &["sh", "-c", SCRIPT]);
        for words in [
            &["stats"][..],
            &["show"],
            &["show", "--strace"],
            &["startup", "--from"],
            &["flame", "-o", "x.svg"],
        ] {
            let mut command = run::command(env!("CARGO_BIN_EXE_trace"), dir.path());
            let done = run(command.args(words).arg(&log));
            assert!(done.status.success(), "{options} {words:?}: {done:?}");
            assert!(!done.stderr.contains("cannot be read"), "{options} {words:?}: {done:?}");
        }
    }
}
