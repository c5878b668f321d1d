//! Our log printed in strace's language and read again, and a text of strace's read, printed and read again: the same
//! events, thread by thread, field by field.
//!
//! What a text cannot hold is left out of the comparison, each with its reason: see [`fields`].

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use trace::event::{Event, Flags, Kind, UNKNOWN_ADDRESS};
use trace::log::Source;
use trace::report::show::has_line_of_strace;
use trace::syscall::{self, Arg};

use crate::differential::{hello, python};
use crate::support::log;
use crate::support::programs::program;
use crate::support::retry::alike_once;
use crate::support::run::{self, run};

/// What an event says, by the field's name.
type Fields = Vec<(&'static str, String)>;

/// An event, as far as a text of strace's says it.
#[derive(Clone, Debug)]
struct Told {
    name: &'static str,
    fields: Fields,
    /// Since the first event; of what strace has a line for.
    start_ns: Option<u64>,
    duration_ns: Option<u64>,
}

/// The events of each thread.
type Threads = BTreeMap<u32, Vec<Told>>;

/// Calls whose registers hold what the kernel does not look at, by the operation or the flags; strace leaves it out.
const OPERATIONS: [&str; 13] = [
    "clone",
    "clone3",
    "prctl",
    "arch_prctl",
    "futex",
    "fcntl",
    "open",
    "openat",
    "ptrace",
    "quotactl",
    "quotactl_fd",
    "syslog",
    "mq_open",
];

/// Flags that a text cannot hold: which CPU the tracer was on; whether a call that looks like the one before was made
/// again by the kernel or by the program; that a result could not be read; and what only a text has.
const UNTOLD: u16 = Flags::BESIDE.0
    | Flags::RESTARTED.0
    | Flags::RESULT_UNREADABLE.0
    | Flags::ARGUMENT_UNKNOWN.0
    | Flags::ADDRESS_UNKNOWN.0;

/// The fields of an event that a text holds.
fn fields(event: &Event<'_>) -> Fields {
    let text = |bytes: Option<&[u8]>| format!("{:?}", bytes.map(String::from_utf8_lossy));
    let mut fields = vec![("pid", event.pid.to_string()), ("comm", text(Some(event.comm)))];
    match event.kind {
        // A program's own path may be another than the one that was passed, through links.
        Kind::Exec => fields.push(("argv", text(event.argv))),
        Kind::Fork => {
            fields.push(("fork", format!("{:#x} {} {:?}", event.args[0], event.args[1], event.ret)));
        }
        Kind::Exit => fields.push(("exit", format!("{:?} {:?}", event.ret, event.args))),
        Kind::Signal => {
            fields.push(("signal", format!("{} {}", event.nr, event.args[0] as i32)));
            fields.push(("sender", event.args[1].to_string()));
        }
        Kind::Mark => fields.push(("stopped", format!("{:?}", event.stopped_by()))),
        _ => {
            fields.extend([
                ("ret", format!("{:?}", event.ret)),
                ("path", text(event.path)),
                ("path2", text(event.path2)),
                ("path_abs", text(event.path_abs)),
                ("path2_abs", text(event.path2_abs)),
                ("file", text(event.file)),
                ("file2", text(event.file2)),
                ("text", text(event.text)),
                ("argv", text(event.argv)),
                ("peer", text(event.peer.filter(|peer| !peer.is_empty()))),
                ("stat", format!("{:?}", event.stat.map(|stat| (stat.mode, stat.size)))),
                ("flags", format!("{:?}", event.flags.0 & !UNTOLD)),
            ]);
        }
    }
    fields
}

/// An argument; `None`: the text has something else in its place (what is at that address).
fn argument(kind: Arg, value: u64) -> Option<u64> {
    let is_narrow =
        matches!(kind, Arg::Int | Arg::Fd | Arg::DirFd | Arg::Flags(_) | Arg::Enum(_) | Arg::Mode | Arg::Pid);
    (value != UNKNOWN_ADDRESS).then_some(if is_narrow { value & 0xffff_ffff } else { value })
}

/// Reads a log. The thread of an execve that takes its first thread's place is told by that one's id, as strace does.
fn read(path: &Path, cwd: &Path) -> Threads {
    let mut source = Source::open(path, Some(cwd.as_os_str().as_encoded_bytes())).expect("a log");
    let mut threads = Threads::new();
    let (mut first_ns, mut renamed) = (None, None);
    let ending = source.for_each(|event| {
        let has_line = has_line_of_strace(event);
        if !has_line && !matches!(event.kind, Kind::Exec | Kind::Fork) {
            return;
        }
        if event.kind == Kind::Exit && event.ret.is_none() && event.args[1] != 0 {
            renamed = Some((event.args[1] as u32, event.tid));
        }
        let spec = syscall::lookup(event.abi, event.nr).filter(|_| event.kind == Kind::Syscall);
        let name = spec.map_or(event.kind.name(), |spec| spec.name);
        let is_renamed = |&(former, _): &(u32, u32)| name.starts_with("execve") && former == event.tid;
        let tid = renamed.filter(is_renamed).map_or(event.tid, |(_, tid)| tid);
        let mut fields = fields(event);
        if let Some(spec) = spec.filter(|spec| !OPERATIONS.contains(&spec.name)) {
            for (at, arg) in spec.args.iter().enumerate() {
                let value = argument(arg.arg, event.args[at]);
                fields
                    .push(("argument", value.map_or_else(|| "?".to_owned(), |value| format!("{value:#x}"))));
            }
        }
        if has_line {
            first_ns = Some(first_ns.map_or(event.start_ns, |first: u64| first.min(event.start_ns)));
        }
        threads.entry(tid).or_default().push(Told {
            name,
            fields,
            start_ns: has_line.then_some(event.start_ns),
            duration_ns: event.duration_ns().filter(|_| spec.is_some()),
        });
    });
    ending.expect("it can be read to its end");
    if let Some(lineage) = source.lineage().filter(|_| path.ends_with(PRINTED)) {
        assert_eq!(lineage.unreadable, 0, "{lineage:?}");
    }
    for told in threads.values_mut().flatten() {
        told.start_ns = told.start_ns.map(|start_ns| start_ns - first_ns.unwrap_or(start_ns));
    }
    threads
}

/// Whether both say the same, or one says nothing: a text has what is at an address in place of it, and our log does not
/// say of every signal who has sent it.
fn is_alike(ours: &(&'static str, String), again: &(&'static str, String)) -> bool {
    ours == again
        || ours.0 == again.0
            && (again == &("argument", "?".to_owned()) || ours == &("sender", "0".to_owned()))
}

/// The differences of two logs. Times may be as far apart as this.
fn differences(ours: &Threads, again: &Threads, resolution_ns: u64) -> Vec<String> {
    let mut all = Vec::new();
    if !ours.keys().eq(again.keys()) {
        all.push(format!("threads {:?} and {:?}", ours.keys(), again.keys()));
    }
    for (tid, ours) in ours {
        let again = again.get(tid).map(Vec::as_slice).unwrap_or_default();
        if ours.len() != again.len() {
            all.push(format!("thread {tid}: {} events and {}", ours.len(), again.len()));
        }
        for (at, (ours, again)) in ours.iter().zip(again).enumerate() {
            let pairs = ours.fields.iter().zip(&again.fields);
            let wrong =
                pairs.filter(|(field, again)| !is_alike(field, again)).map(|pair| format!("{pair:?}"));
            let mut wrong: Vec<String> = wrong.collect();
            if ours.name != again.name || ours.fields.len() != again.fields.len() {
                wrong.push(format!("{} {}", ours.name, again.name));
            }
            let apart = |ours: Option<u64>, again: Option<u64>, most: u64| {
                ours.is_some() != again.is_some()
                    || ours.zip(again).is_some_and(|(a, b)| a.abs_diff(b) > most)
            };
            // Without microseconds a first line may begin a second before the others.
            if apart(ours.start_ns, again.start_ns, resolution_ns) {
                wrong.push(format!("start {:?} {:?}", ours.start_ns, again.start_ns));
            }
            if apart(ours.duration_ns, again.duration_ns, 1000) {
                wrong.push(format!("duration {:?} {:?}", ours.duration_ns, again.duration_ns));
            }
            if !wrong.is_empty() {
                all.push(format!("thread {tid}, event {at}, {}: {wrong:?}", ours.name));
            }
        }
    }
    all.truncate(20);
    all
}

/// What [`print`] writes.
const PRINTED: &str = "printed.strace";

/// What `trace show --strace` prints of a log.
fn print(log: &Path, options: &[&str], dir: &Path) -> PathBuf {
    let mut show = run::command(env!("CARGO_BIN_EXE_trace"), dir);
    let shown = run(show.args(["show", "--strace", "-Y"]).args(options).arg(log));
    assert!(shown.status.success(), "{shown:?}");
    let text = dir.join(PRINTED);
    fs::write(&text, shown.stdout).expect("our own directory");
    text
}

/// Ways to print times, and how far they may then be off.
const FORMATS: [(&[&str], u64); 5] = [
    (&[], 1000),
    (&["-tt"], 1000),
    (&["-ttt", "-v"], 1000),
    (&["-t", "-x"], 1_000_000_000),
    (&["-tt", "-v", "-xx"], 1000),
];

/// Records a command and compares what comes back from each text of it.
fn compare(extra: &[&str], command: &[&OsStr]) {
    compared(extra, command).unwrap_or_else(|wrong| panic!("{wrong}"));
}

/// What does not come back.
fn compared(extra: &[&str], command: &[&OsStr]) -> Result<(), String> {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let log = dir.path().join("log");
    run(log::command_by("ptrace", &log, dir.path()).args(extra).args(command));
    let ours = read(&log, dir.path());
    assert!(ours.values().map(Vec::len).sum::<usize>() > 20, "{command:?}");
    for (options, resolution_ns) in FORMATS {
        let text = print(&log, options, dir.path());
        let wrong = differences(&ours, &read(&text, dir.path()), resolution_ns);
        if !wrong.is_empty() {
            return Err(format!("{command:?} {extra:?} {options:?}: {wrong:#?}"));
        }
    }
    Ok(())
}

const FULL: [&str; 4] = ["--decode", "full", "--string-limit", "4096"];

/// Processes, relative names, a signal, an end by one, a name that does not print.
const SCRIPT: &str = "mkdir d; echo text >d/one; ln -s one d/link; printf x >\"$(printf 'd/x\\303\\251 \\377\\n')\"; \
    (cd d; readlink link; cat one nosuch; ls -l . | cat >/dev/null) 2>/dev/null; \
    (exit 3); trap : USR1; kill -USR1 $$; sh -c 'kill -KILL $$'; kill -TERM $$";

#[test]
fn a_script_comes_back_from_every_text_of_it() {
    for extra in [&FULL[..], &[], &["--inject", "openat:delay_exit=10", "--inject", "readlink:error=EIO"]] {
        compare(extra, &["sh".as_ref(), "-c".as_ref(), SCRIPT.as_ref()]);
    }
}

#[test]
fn programs_of_every_day_come_back() {
    compare(&FULL, &["find", "/etc", "-maxdepth", "1"].map(OsStr::new));
    if let Some(python) = python() {
        compare(&[], &[python.as_ref(), hello().as_ref()]);
    }
}

/// Threads, children of all kinds, stops, calls that signals interrupt, programs that threads execute, and processes that are
/// killed.
#[test]
fn programs_come_back_from_every_text_of_them() {
    for name in ["interrupted", "exec_thread", "signals", "fork_kinds", "killed", "names", "stops"] {
        for extra in [&FULL[..], &[]] {
            // Of a call that a kill ends, it may be known what file it opened, or not.
            alike_once(name, || compared(extra, &[program(name).as_os_str()]));
        }
    }
}

/// A text of strace's, in whichever shape it is, has the same events when it was printed by us.
#[test]
fn texts_of_strace_come_back() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut texts: Vec<PathBuf> = Vec::new();
    // Of java's the returns of calls that make threads have been left out.
    for folder in ["logs/strace", "python", "node", "ruby", "perl", "php", "tcl", "shell"] {
        let entries = fs::read_dir(fixtures.join(folder)).expect("fixtures").flatten();
        texts.extend(
            entries.map(|entry| entry.path()).filter(|path| path.extension() == Some("strace".as_ref())),
        );
    }
    texts.extend(["ff.strace", "fft.strace"].map(|name| fixtures.join("logs/strace").join(name)));
    assert!(texts.len() > 60, "{}", texts.len());
    let dir = tempfile::tempdir().expect("a temporary directory");
    let cwd = Path::new("/somewhere");
    for text in texts.iter().filter(|text| !text.ends_with("odd.strace")) {
        let ours = read(text, cwd);
        let printed = print(text, &["-v", "--cwd", "/somewhere"], dir.path());
        let wrong = differences(&ours, &read(&printed, cwd), 1000);
        assert!(wrong.is_empty(), "{}: {wrong:#?}", text.display());
    }
}
