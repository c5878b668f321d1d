//! What the link by the name `strace` says of command lines, and which calls it chooses: the same as strace 6.1, word for word.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::Path;

use crate::support::run::{self, Run, run};
use crate::support::skip::skip;
use crate::support::strace;

/// The version that the link is like; others have other words.
const VERSION: &str = "version 6.1";

/// Runs strace, or the link, by the name `strace`.
fn called(program: &Path, dir: &Path, words: &[&str]) -> Run {
    run(run::command(program, dir).arg0("strace").args(words))
}

/// strace itself, if it is the one that we are like.
fn real(test: &str) -> Option<&'static Path> {
    let path = Path::new("/usr/bin/strace");
    let is_like = strace::is_there() && path.exists() && {
        let said = run(run::command(path, Path::new("/")).arg("-V")).stdout;
        said.lines().next().is_some_and(|line| line.ends_with(VERSION))
    };
    if !is_like {
        skip(test, "no strace 6.1 in /usr/bin");
    }
    is_like.then_some(path)
}

fn place() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    symlink(env!("CARGO_BIN_EXE_trace"), dir.path().join("strace")).expect("our own directory");
    fs::write(dir.path().join("f"), "text\n").expect("our own directory");
    symlink("f", dir.path().join("link")).expect("our own directory");
    dir
}

#[test]
fn what_is_wrong_is_told_in_straces_words() {
    let Some(real) = real("what_is_wrong_is_told_in_straces_words") else { return };
    let dir = place();
    for words in [
        "-e trace=bogus true",
        "-e trace=bogus? true",
        "-e trace=?bogus,bogus2 true",
        "-e trace=%bogus true",
        "-e trace=, true",
        "-e trace=! true",
        "-e trace=all,none true",
        "-e trace=/nosuch true",
        "-e trace=/( true",
        "-e trace=/*a true",
        "-e trace=openat@99 true",
        "-e trace=read,!write true",
        "-e decode-fds=all,!path true",
        "-e decode-fds=path,!dev true",
        "-e signal=INT,all true",
        "-e status=none,failed true",
        "-e read=1,all true",
        "-e inject=openat: true",
        "-e inject=openat::when=1: true",
        "-e status=bogus true",
        "-e signal=bogus true",
        "-e quiet=detach true",
        "-e decode-fds=bogus true",
        "-e inject=openat true",
        "-e inject=openat:error=EBOGUS true",
        "-e inject=openat:error=EIO:retval=3 true",
        "-e inject=bogus:error=EIO true",
        "-e fault=openat:retval=1 true",
        "-S bogus true",
        "-c -C true",
        "-w true",
        "-s x true",
        "-a -1 true",
        "-X bogus true",
        "-I 5 true",
        "-p x",
        "-p 0",
        "--timestamps=bogus true",
        "--syscall-times=bogus true",
        "--strings-in-hex=bogus true",
        "-o",
        "--bogus",
        "-o /nosuch/file true",
        "nosuchcommand",
        "-z -Z -e trace=none true",
        "-F -o log -e trace=none true",
        "--output-separately -e trace=none true",
        "-e trace=?bogus true",
        "-e trace=?/nosuch true",
        "-e trace=!!openat -P nosuch true",
        "--columns=-1 true",
        "--string-limit=4294967295 true",
        "-s 1073741824 true",
        "--columns=99999999999 true",
        "--const-print-style= true",
        "--interruptible=5 true",
        "--relative-timestamps= true",
        "--absolute-timestamps=precision: true",
        "--strings-in-hex=3 true",
        "--follow-forks=x true",
        "--summary=x true",
        "--help=x",
        "--tr=write true",
        "--s true",
        "--out=x true",
        "--sy true",
        "--bogus=x true",
        "--col",
        "-E",
        "-J true",
        "-ff -o |cat true",
        "-f --follow-forks true",
        "-ff --output-separately true",
        "-t --timestamps=none true",
        "-x --strings-in-hex true",
        "-y --decode-fds true",
        "-q --quiet=exit true",
        "-c -ff true",
        "-C -c -t --timestamps true",
        "-w -S name -o /nosuch/log true",
        "-U name true",
        "-c -U bogus true",
        "-c -U time,time-percent true",
        "-c -O bogus true",
        "-c -S bogus true",
        "-S name -z -Z -A -e trace=none true",
        "-c -i -k -n -r -t -T -y -A -o log true",
        "-f -F -o log true",
        "--seccomp-bpf -F -e trace=none -o log true",
        "--seccomp-bpf -f -e trace=all -o log true",
        "--seccomp-bpf -f -o log true",
        "-u nosuchuser true",
        "-u 0 true",
        "-u nosuchuser -o |cat -ff -z -Z true",
        "./f/x",
        ".",
        "-p ,",
        "-p 1,,2",
        "-p x -p 0",
        "-p 4194305",
        "-p 4194305 -p 4194304 -o log",
        "-e fault= true",
        "-e signal=, true",
        "-e signal=! true",
        "-e status=, true",
        "-e quiet=path-resolve true",
        "-e decode-fds=, true",
        "-e decode-pids=bogus true",
        "-e read=bogus true",
        "-e read=0x3 true",
        "-e write= true",
        "-e bogus=1 true",
        "-e =write true",
        "-e == true",
        "-e inject=openat:delay_enter=x true",
        "-e inject=openat:delay_enter=-1 true",
        "-e inject=openat:error=EIO:when=1..65535 true",
        "-e inject=openat:error=EIO:when=2..1 true",
        "-e inject=openat:error=4096 true",
        "-e inject=openat:signal=65 true",
        "-e inject=openat:retval=0x100000000 -e trace=none -o log true",
        "-e inject=openat:retval=0xffffffff -e trace=none -o log true",
        "-o |nosuchcommand -e trace=none true",
        "-b open true",
        "-b execveat true",
        "--detach-on=execve,open true",
        "--detach-on",
        "-D",
        "-D -p 4194305",
        "-DDDD true",
        "-DDDD -t --timestamps true",
        "-DD --daemonize -x --strings-in-hex true",
        "--daemonize=x true",
        "--daemonize= true",
        "-D nosuchcommand",
        "-D -o /nosuch/file true",
        "-D -u nosuchuser true",
        "--secontext=full true",
        "-p 4194305 nosuchcommand",
        "-p x nosuchcommand",
        "-e inject=openat:syscall=getpid true",
        "-e inject=openat:syscall=read:retval=1 true",
        "-e inject=openat:syscall=getpid:syscall=getpid:retval=1 true",
        "-e inject=openat:poke_enter= true",
        "-e trace=415 true",
        "-e trace=!!423,336,415 true",
        "-e inject=openat:poke_enter=@arg1=0 true",
        "-e inject=openat:poke_enter=@arg8=00 true",
        "-e inject=openat:poke_enter=@arg1=gg true",
        "-e inject=openat:poke_exit=@arg1=00,@arg1=01 true",
        "-e fault=openat:poke_exit=@arg1=00 true",
        "-e inject=swapoff:retval=-1 -e trace=none true",
        "-e inject=swapoff:retval=-4096 -o log -e trace=none true",
    ] {
        let words: Vec<&str> = words.split(' ').collect();
        let theirs = called(real, dir.path(), &words);
        let ours = called(&dir.path().join("strace"), dir.path(), &words);
        assert_eq!((ours.stderr, ours.status.code()), (theirs.stderr, theirs.status.code()), "{words:?}");
    }
}

/// What is done, and not said: the file, the command's end, and the lines.
#[test]
fn what_is_right_is_done_as_strace_does() {
    let Some(real) = real("what_is_right_is_done_as_strace_does") else { return };
    let dir = place();
    for options in [
        "-e trace=openat,write -e signal=0",
        "-e trace=openat,write -e signal=99,USR1",
        "-e trace=!!!openat,write -e signal=!!USR1 -e status=!!failed",
        "-e trace=write -e write=!!1 -f --seccomp-bpf -b execve",
        "-e trace=openat,write -s +5",
        "-e trace=openat,write -a -0",
        "-e t=write -e s=none -e q=exit",
        "-e trace=openat,write -qq",
        "-e trace=openat,write -qqq -P link",
        "-e trace=openat,write -e quiet=exit",
        "-z -e trace=openat",
        "--trace=openat --fail",
        "-e abbrev=all -v -e trace=write",
        "-e decode-fd=path -e trace=close",
        "-e trace=write@64,all@32",
        "-e inject=openat:error=eio:when=2:when=1 -e trace=openat",
        "-e inject=openat::error=EIO:when=3: -e trace=openat",
        "-e inject=openat:error=ERESTARTSYS:when=+1 -e trace=openat",
        "-e inject=write:retval=05 -e trace=write",
        "-e inject=close:delay_exit=1e-3ms -e inject=close:delay_enter=0.5us -e trace=close",
        "-e trace=none --output-separately",
        "-e trace=none -f --output-separately",
        "-e trace=none --follow-forks --output-separately",
        "-c -e trace=none",
        "-c -U name,calls,errors -S name",
        "-c -z -U calls,errors,name -S nothing",
        "-C -U calls -e trace=write -Scount",
    ] {
        for command in ["echo text >&2; exit 3", "cat nosuch f; kill -USR1 $$"] {
            let done = [real, &dir.path().join("strace")].map(|program| {
                let out = tempfile::tempdir_in(dir.path()).expect("our own directory");
                let log = out.path().join("log");
                let log = log.to_str().expect("our own directory");
                let options = options.split(' ').chain(["-o", log, "sh", "-c", command]);
                let run = called(program, dir.path(), &options.collect::<Vec<_>>());
                let mut files = Vec::new();
                for file in fs::read_dir(out.path()).expect("our own directory") {
                    let file = file.expect("our own directory");
                    let name = file.file_name().to_string_lossy().into_owned();
                    let text = fs::read_to_string(file.path()).expect("strace writes ASCII");
                    files.push((without_numbers(&name), without_numbers(&text)));
                }
                files.sort();
                (run.status, run.stdout, without_numbers(&run.stderr), files)
            });
            let [theirs, ours] = done;
            assert_eq!(ours, theirs, "{options} {command}");
        }
    }
}

/// Without what is another number each time: processes and addresses.
fn without_numbers(text: &str) -> String {
    let is_long =
        |word: &str| word.len() > 2 && word.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'x');
    let mut out = String::new();
    for word in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let (digits, end) = word.split_at(word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric()).len());
        let is_number = digits.starts_with(|c: char| c.is_ascii_digit()) && is_long(digits);
        out.push_str(if is_number { "N" } else { digits });
        out.push_str(end);
    }
    out
}

/// Paths are those that calls are passed, and those behind descriptors; nothing is made absolute.
#[test]
fn paths_are_chosen_as_strace_does() {
    let Some(real) = real("paths_are_chosen_as_strace_does") else { return };
    let dir = place();
    let whole = dir.path().join("f").to_string_lossy().into_owned();
    for path in ["f", "link", "./f", "nosuch", &whole] {
        for options in [&[][..], &["-y"], &["-e", "trace=openat"]] {
            let words = |log| [options, &["-o", log, "-P", path, "cat", "f", "link", "nosuch"]].concat();
            let theirs = called(real, dir.path(), &words("theirs"));
            let ours = called(&dir.path().join("strace"), dir.path(), &words("ours"));
            let log = |name| fs::read_to_string(dir.path().join(name)).expect("a log");
            assert_eq!(log("ours"), log("theirs"), "{path} {options:?}");
            assert_eq!(ours.stderr, theirs.stderr, "{path}");
        }
    }
}

/// Also by the descriptors in the sets of select and poll.
#[test]
fn paths_are_chosen_in_sets_as_strace_does() {
    let Some(real) = real("paths_are_chosen_in_sets_as_strace_does") else { return };
    let dir = place();
    let selects = "open F, 'f'; vec($set, fileno F, 1) = 1; select $set, undef, undef, 0; select undef, undef, undef, 0.001";
    let polls = "use IO::Poll; open F, 'f'; $poll = IO::Poll->new; $poll->mask(*F => POLLIN); $poll->poll(0)";
    for program in [selects, polls] {
        for path in ["f", "nosuch"] {
            let words = |log| ["-o", log, "-e", "trace=%desc", "-a", "1", "-P", path, "perl", "-e", program];
            let theirs = called(real, dir.path(), &words("theirs"));
            let ours = called(&dir.path().join("strace"), dir.path(), &words("ours"));
            let log = |name| fs::read_to_string(dir.path().join(name)).expect("a log");
            assert_eq!(without_numbers(&log("ours")), without_numbers(&log("theirs")), "{program} {path}");
            assert_eq!(ours.stderr, theirs.stderr, "{program} {path}");
            let is_wanted = |line: &str| {
                ["select(", "pselect6(", "poll(", "ppoll("].iter().any(|name| line.starts_with(name))
            };
            let chosen = log("ours").lines().filter(|line| is_wanted(line)).count();
            assert_eq!(chosen, usize::from(path == "f"), "{program} {path}");
        }
    }
}

#[test]
fn a_command_that_is_not_there_leaves_an_empty_file() {
    let dir = place();
    let log = dir.path().join("log");
    for (words, expected) in
        [(&["-o", "log", "nosuchcommand"][..], ""), (&["-A", "-o", "log", "nosuchcommand"], "old\n")]
    {
        fs::write(&log, "old\n").expect("our own directory");
        let done = called(&dir.path().join("strace"), dir.path(), words);
        assert_eq!(done.status.code(), Some(1), "{done:?}");
        assert_eq!(fs::read_to_string(&log).expect("the log"), expected, "{words:?}");
    }
}

/// `when=` counts the calls of a name by themselves, however many names the set has.
#[test]
fn injections_count_each_call_by_itself() {
    let dir = place();
    let words = ["-o", "log", "-e", "inject=openat,close:error=EIO:when=3", "cat", "f", "f", "f", "f"];
    called(&dir.path().join("strace"), dir.path(), &words);
    let log = fs::read_to_string(dir.path().join("log")).expect("the log");
    for call in ["openat(", "close("] {
        let calls: Vec<&str> = log.lines().filter(|line| line.starts_with(call)).collect();
        let injected: Vec<usize> = calls
            .iter()
            .enumerate()
            .filter(|(_, line)| line.ends_with("(INJECTED)"))
            .map(|(at, _)| at)
            .collect();
        assert_eq!(injected, [2], "{calls:#?}");
    }
}
