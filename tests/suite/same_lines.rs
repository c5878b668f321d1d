//! The program called by the name `strace`, and strace itself: the same lines for the same programs.
//!
//! What must differ is made alike: process ids, results that are ids, what the machine's clocks and memory say
//! ([`VOLATILE`]), and where another thread's line has cut one in two. Each thread's lines are compared in order, every
//! byte of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::differential::Place;
use crate::support::programs::program;
use crate::support::retry::alike_once;
use crate::support::run;
use crate::support::skip::{skip, skip_peer};
use crate::support::strace;

/// Calls whose results are other ones each time.
const VOLATILE: [&str; 12] = [
    // Made or not, as threads happen to meet.
    "futex(",
    "getrandom(",
    "sysinfo(",
    "times(",
    "getrusage(",
    "clock_gettime(",
    "gettimeofday(",
    "getppid(",
    "statfs(",
    "fstatfs(",
    "getcpu(",
    "time(",
];

/// Members of structures that are other ones each time.
const VOLATILE_MEMBERS: [&str; 14] = [
    "st_ino=",
    "st_atime=",
    "st_atime_nsec=",
    "st_mtime=",
    "st_mtime_nsec=",
    "st_ctime=",
    "st_ctime_nsec=",
    "stx_ino=",
    "d_ino=",
    "d_off=",
    "si_utime=",
    "si_stime=",
    // Of objects of BPF; strace tells the moment of the second, too.
    ", id=",
    "load_time=",
];

/// What stands before the id of a process or thread.
const PLACES_OF_IDS: [&str; 7] =
    ["pidfd_open(", "si_pid=", "kill(", "queueinfo(", "parent_tid=[", "FUTEX_CLOCK_REALTIME, ", "wait4("];

/// Lines of strace (first) and ours (second) that may differ, and why.
type Rule = fn(&str, &str) -> bool;
const PERMITTED: [(&str, Rule); 3] = [
    (
        "strace reads a thread's id where the kernel may have cleared it at the thread's end",
        |theirs, ours| {
            let (before, after) = theirs.split_once("parent_tid=[0]").unwrap_or_default();
            let id = ours.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
            theirs.starts_with("clone3(")
                && id.is_some_and(|id| id.starts_with("parent_tid=[") && id.ends_with(']'))
        },
    ),
    ("with -e verbose=none strace has an address of its own in place of a mask", |theirs, ours| {
        [theirs, ours].iter().all(|line| line.starts_with("rt_sigreturn({mask="))
    }),
    ("the arguments of the first execve are where the tracer's own child had them", |theirs, ours| {
        [theirs, ours].iter().all(|line| line.starts_with("execve(") && line.contains(", 0x"))
    }),
];

/// What stands before a number of the kernel's that is another one each time: inodes of sockets and pipes, ports.
const PLACES_OF_NUMBERS: [&str; 14] = [
    ":[",
    "->",
    ".0.0.1:",
    "::1]:",
    "htons(",
    "pid:",
    "ROUTE:",
    "SOCK_DIAG:",
    "nlmsg_pid=",
    "msgsnd(",
    "msgrcv(",
    "msgctl(",
    "shmctl(",
    "semctl(",
];

/// A link by the name `strace` to the program.
fn link(dir: &Path) -> PathBuf {
    let link = dir.join("strace");
    symlink(env!("CARGO_BIN_EXE_trace"), &link).expect("our own directory");
    link
}

/// The lines of each thread, made alike.
fn lines(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut ids: Vec<&str> = Vec::new();
    let mut latest = "";
    let parted = text.lines().map(|line| match line.split_once(' ') {
        // What was read or written stands below its call.
        Some(("", _)) => (latest, line),
        Some((id, rest)) => {
            latest = id;
            (id, rest.trim_start())
        }
        None => panic!("{line}"),
    });
    let parted: Vec<(&str, &str)> = parted.collect();
    for (id, _) in &parted {
        if !ids.contains(id) {
            ids.push(id);
        }
    }
    let name = |id: &str| ids.iter().position(|known| *known == id).map(|at| format!("P{at}"));
    let mut threads: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut halves: BTreeMap<&str, String> = BTreeMap::new();
    for (id, rest) in parted {
        if let Some(begin) = rest.strip_suffix(" <unfinished ...>") {
            halves.insert(id, begin.to_owned());
            continue;
        }
        let line = match (halves.remove(id), rest.split_once(" resumed>")) {
            (Some(begin), Some((_, end))) => begin + end,
            _ => rest.to_owned(),
        };
        if !VOLATILE.iter().any(|call| line.starts_with(call)) {
            let mut thread = name(id).unwrap_or_default();
            // A child may end before its parent waits for it, or after; and a handler returns after its signal.
            if line.contains("--- SIGCHLD ") || line.starts_with("rt_sigreturn(") {
                thread.push_str(" signals");
            }
            threads.entry(thread).or_default().push(alike(&line, &name));
        }
    }
    threads
}

/// A line with the ids named, volatile members gone, and the spaces before the result made one.
fn alike(line: &str, name: &dyn Fn(&str) -> Option<String>) -> String {
    let (call, result) =
        line.rsplit_once("= ").map_or((line, ""), |(call, result)| (call.trim_end(), result));
    let call = match line.split_once('(') {
        Some(("statx", _)) => without_comments(call),
        // Where the tracer's own child had it.
        Some(("execve", _)) => match (call.rfind(", 0x"), call.rfind(" /* ")) {
            (Some(from), Some(to)) if from < to => format!("{}, N{}", &call[..from], &call[to..]),
            _ => call.to_owned(),
        },
        _ => call.to_owned(),
    };
    let is_for_a_thread = line.contains("tgkill(");
    let mut text = String::new();
    let mut rest = &call[..];
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        text.push_str(&rest[..at]);
        let end = rest[at..].find(|c: char| !c.is_ascii_digit()).map_or(rest.len(), |end| at + end);
        let number = &rest[at..end];
        let is_time = line.starts_with("statx(") && (text.ends_with("tv_sec=") || text.ends_with("tv_nsec="));
        let is_volatile = is_time || VOLATILE_MEMBERS.iter().any(|member| text.ends_with(member));
        let moment = rest[end..].strip_prefix(" /* ").and_then(|moment| moment.split_once(" */"));
        let is_place = PLACES_OF_IDS.iter().any(|place| text.ends_with(place))
            || (is_for_a_thread && text.ends_with(", "));
        let is_volatile = is_volatile || PLACES_OF_NUMBERS.iter().any(|place| text.ends_with(place));
        match (is_volatile, is_place.then(|| name(number)).flatten()) {
            (true, _) => {
                text.push('N');
                rest = moment.map_or(&rest[end..], |(_, after)| after);
                continue;
            }
            (false, Some(name)) => text.push_str(&name),
            (false, None) => text.push_str(number),
        }
        rest = &rest[end..];
    }
    text.push_str(rest);
    let result = result.split(" (left ").next().unwrap_or_default();
    let makers = ["gettid", "getpid", "set_tid_address", "semget", "msgget", "shmget"];
    let is_id = makers.iter().any(|call| text.starts_with(call));
    let result = if is_id { "N".to_owned() } else { name(result).unwrap_or_else(|| without_numbers(result)) };
    format!("{text} = {result}")
}

/// A result without the numbers of the kernel's behind a descriptor.
fn without_numbers(result: &str) -> String {
    let mut text = String::new();
    for (at, letter) in result.char_indices() {
        let is_place = |digits: &str| PLACES_OF_NUMBERS.iter().any(|place| digits.ends_with(place));
        let before = result[..at].trim_end_matches(|c: char| c.is_ascii_digit());
        if !letter.is_ascii_digit() || !is_place(before) {
            text.push(letter);
        }
    }
    text
}

/// A line without what stands between `/*` and `*/`.
fn without_comments(line: &str) -> String {
    let mut parts = line.split(" /* ");
    let first = parts.next().unwrap_or_default().to_owned();
    first + &parts.map(|part| part.split_once(" */").map_or(part, |(_, after)| after)).collect::<String>()
}

fn traced(place: &Place, tracer: &Path, options: &[&str], command: &[&str]) -> (run::Run, String) {
    let mut whole = Command::new(tracer);
    whole.args(options).arg("-o").arg(&place.log);
    let run = place.traced(&whole, command);
    let text =
        std::fs::read(&place.log).unwrap_or_else(|error| panic!("{}: {error}: {run:?}", place.log.display()));
    (run, String::from_utf8(text).expect("strace writes ASCII"))
}

/// Runs the command under both, and compares.
fn compare(prepare: &str, options: &[&str], command: &[&str]) {
    let title = command.join(" ");
    if !strace::is_there() {
        return skip_peer(&title, "no strace");
    }
    if !Path::new(command[0]).exists() {
        return skip(&title, "no such program");
    }
    alike_once(&format!("{title} {options:?}"), || differences(prepare, options, command));
}

/// What differs between the command under strace and under ours: in what it does, in its threads, in their lines.
fn differences(prepare: &str, options: &[&str], command: &[&str]) -> Result<(), String> {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let ours = link(dir.path());
    let place = Place::new();
    place.prepare(prepare);
    let (their_run, theirs) = traced(&place, Path::new("/usr/bin/strace"), options, command);
    place.prepare(prepare);
    let (our_run, ours) = traced(&place, &ours, options, command);
    // The tracers' own words aside.
    let of_command = |run: &run::Run| {
        let stderr = run.stderr.lines().filter(|line| !line.contains("strace: ")).map(str::to_owned);
        (run.status, run.stdout.clone(), stderr.collect::<Vec<_>>())
    };
    if of_command(&our_run) != of_command(&their_run) {
        return Err(format!("the command does\n  under strace {their_run:?}\n  under ours {our_run:?}"));
    }
    let (theirs, ours) = (lines(&theirs), lines(&ours));
    if !theirs.keys().eq(ours.keys()) {
        return Err(format!("the threads\n{theirs:#?}\n{ours:#?}"));
    }
    let mut differences = String::new();
    for (thread, theirs) in &theirs {
        let ours = &ours[thread];
        if theirs.len() != ours.len() {
            return Err(format!("{thread}:\n{}", first_difference(theirs, ours)));
        }
        for (theirs, ours) in theirs.iter().zip(ours) {
            if theirs != ours && !PERMITTED.iter().any(|(_, rule)| rule(theirs, ours)) {
                writeln!(differences, "  strace {theirs}\n  ours   {ours}").expect("memory");
            }
        }
    }
    if differences.is_empty() { Ok(()) } else { Err(differences) }
}

fn first_difference(theirs: &[String], ours: &[String]) -> String {
    let at = theirs.iter().zip(ours).position(|(theirs, ours)| theirs != ours).unwrap_or(0);
    format!(
        "strace {:#?}\nours {:#?}",
        &theirs[at..theirs.len().min(at + 3)],
        &ours[at..ours.len().min(at + 3)]
    )
}

#[test]
fn structures_and_buffers() {
    let program = program("decoded");
    let program = program.to_str().expect("our own directory");
    for options in [
        &["-f", "-v", "-s", "4096"][..],
        &["-f"],
        &["-f", "-x", "-s", "7"],
        &["-f", "-xx"],
        // Files only: sockets and pipes have other numbers each time.
        &["-f", "-y", "-e", "trace=%file,fcntl,pread64,pwrite64,ioctl"],
        &["-f", "-a", "60", "-e", "trace=%desc,%network", "-e", "signal=none"],
        &["-f", "-Z", "-e", "trace=!%memory"],
        &["-f", "-z", "-n", "-e", "trace=/^(open|read)"],
        &["-f", "-P", "file"],
        &["-f", "-X", "raw"],
        &["-f", "-X", "verbose", "-v"],
        &["-f", "-e", "verbose=none"],
        &["-f", "-v", "-e", "abbrev=newfstatat,statx"],
        &["-f", "-e", "raw=openat,mmap,read,futex"],
        &["-f", "-e", "read=all", "-e", "write=3,4,5"],
        &["-f", "--seccomp-bpf", "-e", "trace=%file,write,poll"],
    ] {
        compare("touch file", options, &[program]);
    }
}

#[test]
fn structures_that_few_programs_use() {
    let program = program("structures");
    let program = program.to_str().expect("our own directory");
    for options in
        [&["-f", "-v", "-s", "4096"][..], &["-f"], &["-f", "-X", "verbose"], &["-f", "-X", "raw", "-s", "3"]]
    {
        compare("", options, &[program]);
    }
}

#[test]
fn operations_on_keys_processors_and_limits() {
    let program = program("features");
    let program = program.to_str().expect("our own directory");
    for options in [
        &["-f", "-v", "-s", "300"][..],
        &["-f", "-X", "verbose"],
        &["-f", "-X", "raw"],
        &["-f", "-s", "300", "-e", "inject=keyctl,prctl,select:retval=3"],
        &["-f", "-X", "raw", "-e", "inject=keyctl,prctl:retval=165432"],
        &["-f", "-X", "verbose", "-e", "inject=keyctl,prctl:retval=8"],
    ] {
        compare("", options, &[program]);
    }
}

#[test]
fn addresses_filters_and_ptrace() {
    let program = program("addresses");
    let program = program.to_str().expect("our own directory");
    // What ptrace fills is what the program has put there: an answer of so many bytes, or none.
    for options in [
        &["-f", "-v", "-s", "300"][..],
        &["-f", "-e", "inject=ptrace:retval=0"],
        &["-f", "-v", "-s", "300", "-e", "inject=ptrace:retval=84"],
        &["-f", "-X", "verbose", "-v", "-e", "inject=ptrace:retval=84"],
        &["-f", "-X", "raw", "-v", "-e", "inject=ptrace:retval=33"],
        &["-f", "-xx", "-s", "3", "-e", "inject=ptrace:retval=2"],
    ] {
        compare("", options, &[program]);
    }
}

#[test]
fn structures_that_grew() {
    let program = program("requests");
    let program = program.to_str().expect("our own directory");
    let calls = "trace=io_uring_setup,io_uring_register,fsconfig,bpf,perf_event_open,quotactl,quotactl_fd";
    for options in [
        &["-f", "-v", "-s", "4096"][..],
        &["-f"],
        &["-f", "-y", "-s", "3"],
        &["-f", "-X", "verbose", "-v"],
        &["-f", "-X", "raw"],
        &["-f", "-e", "verbose=none"],
    ] {
        compare("", &[options, &["-e", calls]].concat(), &[program]);
    }
}

#[test]
fn operations_on_devices() {
    let program = program("devices");
    let program = program.to_str().expect("our own directory");
    // Nothing is there to be filled but what the program has put there.
    for options in [
        &["-f", "-v", "-s", "4096"][..],
        &["-f", "-e", "inject=ioctl:retval=0"],
        &["-f", "-v", "-s", "3", "-e", "inject=ioctl:retval=7"],
        &["-f", "-X", "verbose", "-v", "-e", "inject=ioctl:retval=0"],
        &["-f", "-X", "raw", "-v", "-e", "inject=ioctl:retval=0"],
        &["-f", "-X", "raw"],
    ] {
        compare("", &[options, &["-e", "trace=ioctl"]].concat(), &[program]);
    }
}

#[test]
fn descriptors_of_every_kind() {
    let program = program("descriptors");
    let program = program.to_str().expect("our own directory");
    for options in [
        &["-f", "-yy", "-v", "-s", "4096"][..],
        &["-f", "-y"],
        &["-f", "-e", "read=all", "-e", "write=5,6"],
        &["-f", "-e", "trace=fcntl,read,poll", "-e", "decode-fds=socket,dev"],
        &["-f", "-e", "decode-fds=path,pidfd", "-x"],
        &["-f", "-y", "-x"],
    ] {
        compare("", options, &[program]);
    }
}

/// As many as the kernel takes: of arguments the first are shown, the variables are counted.
#[test]
fn arguments_by_the_ten_thousand() {
    for script in ["exec {'/bin/true'} (('z') x 51_000)", "$ENV{$_} = 1 for 1..20_000; exec '/bin/true'"] {
        for options in [&["-e", "trace=execve"][..], &["-v", "-e", "trace=execve"]] {
            compare("", &[&["-f"], options].concat(), &["/usr/bin/perl", "-e", script]);
        }
    }
}

#[test]
fn files_and_processes_that_are_gone() {
    let program = program("removed");
    let program = program.to_str().expect("our own directory");
    for options in [&["-f", "-yy", "-v", "-s", "40"][..], &["-f", "-y"], &["-f", "-X", "verbose"], &["-f"]] {
        compare("", options, &[program]);
    }
}

#[test]
fn programs_of_every_day() {
    let files = "mkdir d; echo a > d/a; ln -s a d/b; seq 100 > d/c";
    for command in [
        &["/bin/true"][..],
        &["/bin/ls", "-l", "d"],
        &["/bin/cat", "d/a", "d/nosuch"],
        &["/bin/cp", "d/c", "d/e"],
        &["/usr/bin/sort", "-r", "d/c"],
        &["/usr/bin/find", "d", "-type", "f"],
        &["/bin/sh", "-c", "echo x > y; (exit 3); kill -TERM $$"],
        &["/usr/bin/id"],
        &["/bin/tar", "--mtime=@0", "-cf", "t", "d/a"],
        &["/usr/bin/git", "--version"],
        &["/usr/bin/curl", "--version"],
    ] {
        compare(files, &["-f", "-v", "-s", "4096"], command);
    }
}
