//! Every shape of strace's text, and what is none.

mod parts;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Cursor;
use std::path::PathBuf;

use proptest::prelude::*;

use super::Reader;
use crate::event::{Event, Flags, Kind, UNKNOWN_ADDRESS, loss};
use crate::log::{Ending, Source};
use crate::syscall;

/// Where the fixtures were recorded.
const CWD: &[u8] = b"/tmp/f/fx";

/// What was run for each: `strace OPTIONS sh in.sh`, see `fixtures/README.md`.
const SHAPES: [&str; 14] =
    ["plain", "t", "tt", "ttt", "r", "T", "yy", "i", "raw", "verbose", "Y", "terminal", "ff", "fft"];

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(format!("{}/fixtures/logs/strace/{name}.strace", env!("CARGO_MANIFEST_DIR")))
}

fn read(name: &str, each: impl FnMut(&Event<'_>)) -> (Source, Ending) {
    let mut source = Source::open(&fixture(name), Some(CWD)).expect("a fixture");
    let ending = source.for_each(each).expect("it can be read");
    (source, ending)
}

fn reader(text: &str) -> Reader {
    Reader::new(Box::new(Cursor::new(text.as_bytes().to_vec())), Some(b"/home"), None)
        .expect("memory can be read")
        .unwrap_or_else(|_| panic!("no strace: {text}"))
}

fn events<T>(text: &str, mut of: impl FnMut(&Event<'_>) -> T) -> Vec<T> {
    let mut all = Vec::new();
    reader(text).for_each(|event| all.push(of(event))).expect("memory can be read");
    all
}

fn name(event: &Event<'_>) -> &'static str {
    match event.kind {
        Kind::Syscall => syscall::lookup(event.abi, event.nr).map_or("?", |spec| spec.name),
        kind => kind.name(),
    }
}

fn text(bytes: Option<&[u8]>) -> String {
    bytes.map_or_else(|| "-".to_owned(), |bytes| String::from_utf8_lossy(bytes).into_owned())
}

/// What each process did to files, by the order in which processes appear.
fn deeds(name_of_fixture: &str) -> Vec<Vec<String>> {
    let mut processes: Vec<u32> = Vec::new();
    let mut deeds: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let (source, ending) = read(name_of_fixture, |event| {
        if matches!(event.kind, Kind::Total | Kind::Lost) {
            return;
        }
        if !processes.contains(&event.pid) {
            processes.push(event.pid);
        }
        let name = name(event);
        let is_of_files =
            ["openat", "newfstatat", "access", "execve", "chdir", "dup2", "exit_group"].contains(&name);
        let process = processes.iter().position(|pid| *pid == event.pid).unwrap();
        let mode = event.stat.map_or(0, |stat| stat.mode);
        // strace decodes the flags of open the same in every shape.
        let flags = if name == "openat" { event.args[2] } else { 0 };
        let deed = match event.kind {
            Kind::Exit | Kind::Exec => format!("{name} {:?} {}", event.ret, text(event.path_abs)),
            Kind::Signal => format!("{name} {} {}", event.nr, event.args[0]),
            Kind::Fork => format!("{name} {:#x}", event.args[0]),
            _ if is_of_files => format!("{name} {} {:?} {mode:o} {flags:x}", text(event.path_abs), event.ret),
            _ => return,
        };
        deeds.entry(process).or_default().push(deed);
    });
    let unreadable = source.lineage().expect("it is strace's").unreadable;
    // On a terminal what the command printed stands inside of the lines.
    assert_eq!(unreadable, 0, "{name_of_fixture}: {source:?}");
    assert!(matches!(ending, Ending::Complete { lost: Some(lost), .. } if lost == unreadable), "{ending:?}");
    deeds.into_values().collect()
}

#[test]
fn every_shape_tells_the_same() {
    let expected = deeds("plain");
    assert_eq!(expected.len(), 3);
    assert!(expected[0].iter().any(|deed| deed == "chdir /etc Some(0) 0 0"), "{expected:#?}");
    assert!(expected[1].iter().any(|deed| deed == "openat /etc/nonexistent Some(-2) 0 0"), "{expected:#?}");
    assert!(expected[2].iter().any(|deed| deed == "newfstatat /usr/lib Some(0) 40755 0"), "{expected:#?}");
    for shape in SHAPES {
        let deeds = deeds(shape);
        assert_eq!(deeds.len(), 3, "{shape}");
        for (process, (deeds, expected)) in deeds.iter().zip(&expected).enumerate() {
            // In the terminal's and -ff's the standard output is another kind of file.
            let same = |deeds: &[String]| -> Vec<String> {
                deeds
                    .iter()
                    .filter(|deed| !deed.starts_with("newfstatat") || deed.contains("Some(-"))
                    .cloned()
                    .collect()
            };
            assert_eq!(same(deeds), same(expected), "{shape}, process {process}");
        }
    }
}

#[test]
fn times_are_there_where_they_were_asked_for() {
    let times = |name: &str| {
        let (mut starts, mut durations, mut clock) = (Vec::new(), 0, String::new());
        let (source, _) = read(name, |event| {
            if event.kind == Kind::Syscall {
                starts.push(event.start_ns);
                durations += u64::from(event.duration_ns().is_some_and(|ns| ns > 0));
            }
        });
        clock.push_str(&source.header().clock.name);
        (starts.last().copied().unwrap_or(0), durations, clock)
    };
    let (last, durations, clock) = times("plain");
    assert_eq!((last, durations, clock.as_str()), (0, 0, ""));
    for (name, clock_name) in
        [("tt", "time of day"), ("ttt", "realtime"), ("r", "relative"), ("Y", "time of day")]
    {
        let (last, durations, clock) = times(name);
        assert!((1_000_000..5_000_000_000).contains(&last), "{name}: {last}");
        // Calls on two lines have durations from their times.
        assert!(durations < 10, "{name}: {durations}");
        assert_eq!(clock, clock_name);
    }
    for name in ["T", "yy", "alone", "fft"] {
        assert!(times(name).1 > 50, "{name}");
    }
}

#[test]
fn stacks_pointers_names_and_details() {
    let (source, _) = read("k", |_| {});
    assert!(source.lineage().is_some_and(|lineage| lineage.stack_lines > 50 && lineage.unreadable == 0));
    let mut with_ip = 0;
    read("i", |event| with_ip += u32::from(event.kind == Kind::Syscall && event.ip != 0));
    assert!(with_ip > 50);
    let mut comms = Vec::new();
    read("Y", |event| comms.push(text(Some(event.comm))));
    assert!(comms.contains(&"cat".to_owned()) && comms.contains(&"sh".to_owned()), "{comms:?}");
    let mut facts = 0;
    read("v", |event| {
        facts += u32::from(event.stat.is_some_and(|stat| {
            stat.nlink > 0 && stat.ino > 0 && stat.dev > 0 && stat.mtime_ns > 1_000_000_000_000_000_000
        }));
    });
    assert!(facts > 3, "{facts}");
    let mut failed = 0;
    read("Z", |event| failed += u32::from(event.kind == Kind::Syscall && event.errno().is_some()));
    assert!(failed > 2);
    let (source, _) = read("plain", |_| {});
    assert_eq!(source.header().command, ["sh", "in.sh"]);
    assert_eq!(source.header().backend, "strace");
}

#[test]
fn odd_lines() {
    let mut lost = Vec::new();
    let pointed = Flags::ADDRESS_UNKNOWN;
    let mut by_line: Vec<(String, String, Option<i64>, u16)> = Vec::new();
    let mut texts = Vec::new();
    let (source, _) = read("odd", |event| {
        if event.kind == Kind::Lost {
            assert_eq!(event.text, Some(loss::LINE.as_bytes()));
            lost.push(event.args[0]);
        } else {
            by_line.push((
                name(event).to_owned(),
                text(event.path_abs),
                event.ret,
                event.flags.0 & !pointed.0,
            ));
            texts.extend([event.text, event.peer, event.argv].into_iter().flatten().map(<[u8]>::to_vec));
        }
    });
    assert_eq!(lost, [8, 9, 12]);
    let shown = &source.lineage().expect("strace's").shown;
    assert_eq!(shown[0], (8, b"this is no line of strace's".to_vec()));
    let has = |name: &str, path: &str, ret: Option<i64>, flags: Flags| {
        let wanted = (name.to_owned(), path.to_owned(), ret, flags.0);
        assert!(by_line.contains(&wanted), "{wanted:?} of {by_line:#?}");
    };
    let none = Flags(0);
    has("exec", "/tmp/f/fx/a b\"c", None, Flags::TRUNCATED);
    has("openat", "/tmp/f/fx/x\nnewer) = 3", Some(3), Flags::ARGUMENT_UNKNOWN);
    has("openat", "/tmp/f/fx/x\nnewer) = 3/rel", Some(4), none);
    has("openat", "/tmp/f/fx/x\nnewer) = 3/rel/below", Some(5), none);
    has("openat", "-", Some(-9), Flags::BASE_UNKNOWN);
    has("readlink", "/proc/self/exe", Some(60), Flags::TRUNCATED);
    has("nanosleep", "-", Some(-516), none);
    has("restart_syscall", "-", Some(0), Flags::RESTARTED);
    has("wait4", "-", Some(99), Flags::NO_ENTRY);
    // A thread shares its cwd with the one that made it.
    has("stat", "/srv/here", Some(0), none);
    has("exit", "-", None, none);
    has("exit", "-", Some(3), none);
    has("umask", "-", Some(0o77), none);
    for expected in [
        &b"a\tb\0\xc3\xa9\xff\0cut\0"[..],
        b"flags=0x80000 mode=0o0 resolve=0x8",
        b"inet:127.0.0.1:80",
        b"unix:@bus",
        b"inet6:[::1]:443",
    ] {
        assert!(
            texts.iter().any(|text| text == expected),
            "{} of {texts:?}",
            String::from_utf8_lossy(expected)
        );
    }
}

#[test]
fn calls_have_the_arguments_they_were_made_with() {
    let all = events(
        "pread64(3, \"abc\"..., 832, 64) = 832\nclone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f1) = 9\nread(3, 0x7ff, 10) = -1 EISDIR (Is a directory)\n",
        |event| (event.kind, event.args, event.ret),
    );
    assert_eq!(all[0], (Kind::Syscall, [3, UNKNOWN_ADDRESS, 832, 64, 0, 0], Some(832)));
    assert_eq!(all[1], (Kind::Fork, [0x100_0011, 9, 0, 0, 0, 0], Some(9)));
    assert_eq!(all[2], (Kind::Syscall, [0x100_0011, 0, 0, 0x7f1, 0, 0], Some(9)));
    assert_eq!(all[3], (Kind::Syscall, [3, 0x7ff, 10, 0, 0, 0], Some(-21)));
}

#[test]
fn a_child_that_is_seen_before_its_maker_returns_is_where_that_was() {
    let paths = events(
        "1 chdir(\"/a\") = 0\n1 vfork( <unfinished ...>\n2 stat(\"x\", 0x7) = -1 ENOENT (No such file or directory)\n2 chdir(\"/b\") = 0\n1 <... vfork resumed>) = 2\n1 stat(\"x\", 0x7) = -1 ENOENT (No such file or directory)\n",
        |event| (event.kind, event.pid, text(event.path_abs)),
    );
    let stat = |pid, path: &str| (Kind::Syscall, pid, path.to_owned());
    assert_eq!(paths.iter().filter(|event| event.0 == Kind::Fork).count(), 1);
    assert!(paths.contains(&stat(2, "/a/x")) && paths.contains(&stat(1, "/a/x")), "{paths:?}");
}

/// What is not known is not known, whatever it says of others; what is missing is not 0.
#[test]
fn arguments_are_known_or_not() {
    const NONE: u64 = UNKNOWN_ADDRESS;
    for (line, args) in [
        (
            "futex(0x1, FUTEX_WAIT_BITSET_PRIVATE, 2, NULL, FUTEX_BITSET_MATCH_ANY) = 0",
            [1, 0x89, 2, 0, 0, 0xffff_ffff],
        ),
        ("futex(0x1, FUTEX_LOCK_PI, {tv_sec=1, tv_nsec=0}) = 0", [1, 6, 0, NONE, 0, 0]),
        (
            "futex(0x1, FUTEX_WAKE_OP, 1, 1, 0x2, FUTEX_OP_OR<<28|5<<12|FUTEX_OP_CMP_GT<<24|0x1) = 0",
            [1, 5, 1, 1, 2, 0x2400_5001],
        ),
        ("prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 0, 0) = 0", [47, 1, 5, 0, 0, 0]),
        ("prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_NEWER, 0, 0) = 0", [47, 1, NONE, 0, 0, 0]),
        (
            "quotactl(QCMD(Q_GETQUOTA, GRPQUOTA), \"/dev/a\", 1000, {...}) = 0",
            [0x8000_0701, NONE, 1000, NONE, 0, 0],
        ),
        ("socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)) = 3", [17, 3, 0x300, 0, 0, 0]),
        ("setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0", [3, 1, 2, NONE, 4, 0]),
        ("ioctl(3, _IOC(_IOC_READ|_IOC_WRITE, 0x54, 0x30, 0x4), 0x7) = 0", [3, 0xc004_5430, 7, 0, 0, 0]),
        ("ioctl(3, EVIOCGBIT(EV_KEY, 96), 0x7) = 0", [3, 0x8060_4521, 7, 0, 0, 0]),
        ("openat(AT_FDCWD, \"/x\", O_NEWER) = 3", [-100_i64 as u64, NONE, NONE, NONE, 0, 0]),
        ("read(0, ", [0, NONE, NONE, 0, 0, 0]),
    ] {
        let text = if line.ends_with(' ') {
            format!("1 {line} <unfinished ...>\n1 +++ killed by SIGKILL +++\n")
        } else {
            format!("1 {line}\n")
        };
        assert_eq!(events(&text, |event| event.args)[0], args, "{line}");
    }
}

/// As `strace -f -o` and `-ff` tell it: another thread than the first executes a program.
#[test]
fn a_thread_that_executes_goes_on_as_the_first_one() {
    let all = events(
        "5 clone3({flags=CLONE_VM|CLONE_THREAD, exit_signal=0}, 88) = 6\n\
         6 execve(\"/bin/true\", [\"true\"], 0x7ffe0be09f90 /* 39 vars */ <pid changed to 5 ...>\n\
         5 +++ superseded by execve in pid 6 +++\n\
         5 <... execve resumed>)                   = 0\n\
         5 +++ exited with 0 +++\n",
        |event| (name(event), event.tid, event.ret),
    );
    let has = |wanted| assert!(all.contains(&wanted), "{wanted:?} {all:?}");
    has(("execve", 5, Some(0)));
    has(("exec", 5, None));
    assert!(all.iter().all(|(name, ..)| *name != "lost"), "{all:?}");
}

/// What `-C` and `-e read=` add to the lines.
#[test]
fn summaries_and_contents_of_buffers_are_no_calls() {
    let mut source = Source::open(&fixture("summary"), Some(CWD)).expect("a fixture");
    let mut calls = 0;
    source.for_each(|event| calls += u64::from(event.kind == Kind::Syscall)).expect("it can be read");
    let lineage = source.lineage().expect("strace's");
    assert_eq!(lineage.unreadable, 0, "{:?}", lineage.shown);
    assert!(calls > 20 && lineage.notes > 60, "{calls} {lineage:?}");
}

/// Columns of it can be chosen (`-U`).
#[test]
fn a_summary_of_any_columns_is_no_call() {
    let mut reader = reader(
        "close(3) = 0\n\
         syscall              calls shortest\n\
         ---------------- --------- --------\n\
         close                    1 0.000003\n\
         ---------------- --------- --------\n\
         total                    1 0.000003\n\
         close(4) = 0\n",
    );
    let mut calls = 0;
    reader.for_each(|event| calls += u64::from(event.kind == Kind::Syscall)).expect("memory can be read");
    assert_eq!((calls, reader.lineage().unreadable, reader.lineage().notes), (2, 0, 5));
}

#[test]
fn stops_are_marks() {
    let mut reader = reader(
        "7 --- SIGSTOP {si_signo=SIGSTOP, si_code=SI_USER, si_pid=1, si_uid=0} ---\n7 --- stopped by SIGSTOP ---\n\
         7 --- stopped by SIGODD ---\n7 --- stopped by SIGTTIN\n",
    );
    let mut stops = Vec::new();
    reader.for_each(|event| stops.extend(event.stopped_by().map(|by| (event.tid, by)))).expect("memory");
    assert_eq!((stops, reader.lineage().unreadable), (vec![(7, 19)], 2));
}

/// Who is killed on the way into a call leaves nothing of it.
#[test]
fn calls_that_strace_does_not_know_either_are_notes() {
    let mut reader = reader(
        "7 close(3) = 0\n7 ???()                   = ?\n7 ???( <unfinished ...>\n7 <... ??? resumed>) = ?\n",
    );
    reader.for_each(|_| ()).expect("memory can be read");
    assert_eq!((reader.lineage().unreadable, reader.lineage().notes), (0, 3));
}

/// The line of a thread that was killed has no end with `-z`: another's is behind it, and goes on in the next one.
#[test]
fn a_call_stands_behind_one_that_is_not_known() {
    let text = "7 getpid() = 7\n8 ???(7 kill(8, SIGKILL <unfinished ...>\n)        = 0\n8 <... ??? resumed>) = ?\n8 ???(7 close(3) = 0\n";
    let mut reader = reader(text);
    let mut seen = Vec::new();
    reader.for_each(|event| seen.push((event.tid, name(event), event.ret))).expect("memory can be read");
    seen.retain(|(_, name, _)| *name != "total");
    assert_eq!(seen, [(7, "getpid", Some(7)), (7, "kill", Some(0)), (7, "close", Some(0))]);
    assert_eq!((reader.lineage().unreadable, reader.lineage().notes), (0, 1));
}

/// As with `-e trace=none`.
#[test]
fn a_log_may_be_without_calls() {
    let text = "7 --- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=1, si_uid=0} ---\n7 +++ killed by SIGTERM +++\n";
    let all = events(text, |event| (name(event), event.ret));
    assert_eq!(all[..2], [("signal", None), ("exit", Some(-15))]);
}

/// What was put into a call (`-e inject=`) stands behind its result, before its duration.
#[test]
fn calls_that_were_changed_are_flagged() {
    let all = events(
        "7 close(3</tmp/a (INJECTED)>) = -1 EIO (Input/output error) (INJECTED) (DELAYED) <0.000007>\n\
         7 getpid() = 7 (DELAYED)\n\
         7 openat(AT_FDCWD, \"x\", O_RDONLY) = 3</tmp/x (DELAYED)>\n\
         7 read(0,  <unfinished ...>\n\
         7 <... read resumed>0x7ffd, 1) = 0 (INJECTED)\n",
        |event| (name(event), event.flags, event.ret, event.duration_ns()),
    );
    let (injected, delayed) = (Flags::INJECTED, Flags::DELAYED);
    let both = Flags(injected.0 | delayed.0);
    assert_eq!(all[0], ("close", both, Some(-5), Some(7000)));
    assert_eq!(all[1], ("getpid", delayed, Some(7), None));
    assert_eq!(all[2], ("openat", Flags::ADDRESS_UNKNOWN, Some(3), None));
    assert_eq!(all[3], ("read", injected, Some(0), None));
}

/// `+++ ended +++` is ours, of a thread whose end was not seen.
#[test]
fn ends_of_all_kinds() {
    let all = events(
        "7 +++ ended +++\n8 +++ killed by SIGSEGV (core dumped) +++\n9 +++ killed by SIGSEGV +++\n10 +++ exited with 3 +++\n",
        |event| (name(event), event.tid, event.ret, event.args[0]),
    );
    let expected = [
        ("exit", 7, None, 0),
        ("exit", 8, Some(-11), 1),
        ("exit", 9, Some(-11), 0),
        ("exit", 10, Some(3), 0),
    ];
    assert_eq!(all[..4], expected);
}

/// A long line is read (`-s`); one without an end is left out, and what follows is read.
#[test]
fn long_lines() {
    for (len, too_long) in [(100 << 10, 0), (20 << 20, 0), (65 << 20, 1)] {
        let text = format!("7 write(1, \"{}\", 5) = 5\n7 close(3) = 0\n", "\\377".repeat(len / 4));
        let mut reader = reader(&text);
        let mut seen = Vec::new();
        reader.for_each(|event| seen.push(name(event))).expect("memory can be read");
        seen.retain(|name| *name != "total");
        assert_eq!(seen, [if too_long > 0 { "lost" } else { "write" }, "close"], "{len}");
        assert_eq!((reader.lineage().too_long, reader.lineage().unreadable), (too_long, too_long));
        assert!(reader.lineage().shown.iter().all(|(_, begin)| begin.starts_with(b"7 write(1, \"")));
    }
}

/// Lines of ours that strace does not have, with times that it would mean otherwise.
#[test]
fn what_show_prints_for_people_is_known() {
    let mut reader =
        reader("7 0.000100 *** exec \"/bin/true\" [\"true\"] ***\n7 0.000200 close(3) = 0 <0.000001>\n");
    reader.for_each(|_| ()).expect("memory can be read");
    assert!(reader.lineage().ours && reader.lineage().unreadable == 1, "{:?}", reader.lineage());
}

#[test]
fn files_of_ff_that_are_put_together_are_told() {
    let joined = |text: &str| {
        let mut reader = reader(text);
        reader.for_each(|_| ()).expect("memory can be read");
        reader.lineage().joined
    };
    assert!(joined("close(3) = 0\n+++ exited with 0 +++\nclose(4) = 0\n+++ exited with 0 +++\n"));
    assert!(!joined(
        "close(3) = 0\n[pid 7] close(4) = 0\n[pid 7] +++ exited with 0 +++\nclose(4) = 0\n+++ exited with 0 +++\n"
    ));
}

#[test]
fn other_text_is_none_of_strace() {
    for text in ["", "hello\n", "#include <stdio.h>\nint main(void) { return 0; }\n", "\0\0\0\0"] {
        let input = Box::new(Cursor::new(text.as_bytes().to_vec()));
        assert!(Reader::new(input, None, None).unwrap().is_err(), "{text:?}");
    }
}

fn all_lines() -> Vec<Vec<u8>> {
    let names =
        SHAPES.iter().chain(&["odd", "k", "v", "Z", "summary"]).filter(|name| !name.starts_with("ff"));
    let text: Vec<u8> = names.flat_map(|name| std::fs::read(fixture(name)).expect("a fixture")).collect();
    text.split(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect()
}

proptest! {
    /// Bytes changed, inserted and cut out of real lines, in any order: every line is an event, a note or a loss, and
    /// nothing panics.
    #[test]
    fn hostile_lines_are_survived(
        picks in proptest::collection::vec((any::<prop::sample::Index>(), 0..4_u8, any::<prop::sample::Index>(), any::<u8>()), 1..60),
    ) {
        static LINES: std::sync::LazyLock<Vec<Vec<u8>>> = std::sync::LazyLock::new(all_lines);
        const ODD: &[u8] = b"\"<>(){}[],|=\\/*-0xE+ ~@?";
        let mut text = b"1 close(3) = 0\n".to_vec();
        for (line, how, place, byte) in &picks {
            let mut line = line.get(&LINES[..]).clone();
            if !line.is_empty() {
                let at = place.index(line.len());
                let odd = ODD[usize::from(*byte) % ODD.len()];
                match how {
                    0 => line[at] = odd,
                    1 => line.insert(at, *byte),
                    2 => line.truncate(at),
                    _ => { line.drain(at / 2..at); }
                }
            }
            text.extend_from_slice(&line);
            text.push(b'\n');
        }
        let lines = picks.len() as u64 + 1;
        let mut reader = Reader::new(Box::new(Cursor::new(text)), Some(b"/"), None).unwrap().ok().expect("the first line");
        let mut lost = 0;
        reader.for_each(|event| lost += u64::from(event.kind == Kind::Lost)).unwrap();
        prop_assert!(reader.lineage().lines >= lines);
        prop_assert_eq!(lost, reader.lineage().unreadable);
    }
}
