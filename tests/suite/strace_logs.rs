//! Logs of strace read as ours: for the same program both give the same events, process by process.

use std::collections::BTreeMap;
use std::path::Path;

use trace::event::{Event, Kind};
use trace::log::Source;
use trace::syscall::{self, Arg, Ret};

use crate::differential::{Place, hello, python};
use crate::support::retry::alike_once;
use crate::support::run;
use crate::support::skip::skip_peer;
use crate::support::{log, strace};

/// Ways to call strace: what users type, with everything on the lines, with raw numbers.
const OPTIONS: [&[&str]; 4] = [
    &["-f", "-s", "4096"],
    &["-f", "-ttt", "-T", "-y", "-s", "4096"],
    &["-f", "-X", "raw", "-i", "-n", "-s", "4096"],
    &["-ff", "-tt", "-y", "-s", "4096"],
];

/// What processes did, by the order in which they were made.
type Deeds = BTreeMap<usize, Vec<String>>;

/// What an event says, as far as both kinds of log say it.
fn deed(event: &Event<'_>, with_files: bool) -> Option<String> {
    let text = |bytes: Option<&[u8]>| bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    Some(match event.kind {
        Kind::Exit => format!("exit {:?}", event.ret),
        Kind::Signal => format!("signal {} {}", event.nr, event.args[0] as i32),
        Kind::Fork => format!("fork {:#x}", event.args[0]),
        Kind::Exec => format!("exec {:?}", text(event.argv)),
        Kind::Syscall => {
            let spec = syscall::lookup(event.abi, event.nr)?;
            let is_plain = |arg: Arg| {
                matches!(
                    arg,
                    Arg::Int | Arg::Fd | Arg::DirFd | Arg::Flags(_) | Arg::Enum(_) | Arg::Mode | Arg::Size
                )
            };
            // Of these a log of ours holds what was in the registers, strace's what the kernel looks at.
            let is_compared =
                !matches!(spec.name, "clone" | "clone3" | "prctl" | "ioctl" | "arch_prctl" | "futex");
            let plain = spec.args.iter().zip(event.args).filter(|(arg, _)| is_compared && is_plain(arg.arg));
            let mut args: Vec<u64> = plain.map(|(_, value)| value & 0xffff_ffff).collect();
            if spec.name == "openat" && args[1] & 0o100 == 0 {
                args.truncate(2);
            }
            // rt_sigreturn gives back what a register held, which may be a pid.
            let is_alike = !matches!(spec.ret, Ret::Addr | Ret::Pid) && spec.name != "rt_sigreturn";
            let ret = event.ret.filter(|_| is_alike || event.errno().is_some());
            let stat = event.stat.map(|stat| (stat.mode, stat.size));
            // Pipes and sockets are others in each run.
            let file = |name| text(name).map(|name| name.split(":[").next().unwrap_or_default().to_owned());
            let files = if with_files { [file(event.file), file(event.file2)] } else { [None, None] };
            // Without -y a descriptor is known by the name it was opened with, in a log of ours by its resolved one.
            let is_dirfd = spec.args.first().is_some_and(|arg| arg.arg == Arg::DirFd);
            let by_fd = is_dirfd && !(event.args[0] as i32).is_negative();
            let event = if by_fd && !with_files { &Event { path_abs: None, ..*event } } else { event };
            let paths = [text(event.path), file(event.path_abs), text(event.path2), text(event.path2_abs)];
            let texts = [text(event.text), text(event.argv)];
            format!("{} {args:x?} {paths:?} {files:?} {texts:?} {stat:?} {ret:?}", spec.name)
        }
        Kind::Mark | Kind::Lost | Kind::Total | Kind::Sample | Kind::Frame | Kind::Stack => return None,
    })
}

fn deeds(path: &Path, cwd: &Path, with_files: bool) -> Deeds {
    let mut source = Source::open(path, Some(cwd.as_os_str().as_encoded_bytes())).expect("a log");
    let (mut processes, mut deeds) = (Vec::new(), Deeds::new());
    let ending = source.for_each(|event| {
        let Some(deed) = deed(event, with_files) else { return };
        let process = processes.iter().position(|pid| *pid == event.pid).unwrap_or_else(|| {
            processes.push(event.pid);
            processes.len() - 1
        });
        deeds.entry(process).or_default().push(deed);
    });
    ending.expect("it can be read to its end");
    assert!(source.lineage().is_none_or(|lineage| lineage.unreadable == 0), "{:?}", source.lineage());
    deeds
}

/// Signals and the returns from their handlers stand apart: whether a child's end comes before its parent waits or after it
/// is another thing in each run.
fn is_of_a_signal(deed: &str) -> bool {
    deed.starts_with("signal ") || deed.starts_with("rt_sigreturn ")
}

/// The first difference of two processes.
fn difference(theirs: &[String], ours: &[String]) -> Option<String> {
    let told = [theirs, ours].map(|deeds| {
        let (signals, others): (Vec<&String>, Vec<&String>) =
            deeds.iter().partition(|deed| is_of_a_signal(deed));
        [signals, others].concat()
    });
    let [theirs, ours] = told;
    let at = theirs.iter().zip(&ours).position(|(theirs, ours)| theirs != ours);
    let at = at.or_else(|| (theirs.len() != ours.len()).then(|| theirs.len().min(ours.len())))?;
    Some(format!("event {at}: strace {:?}, ours {:?}", theirs.get(at), ours.get(at)))
}

/// Runs a command under both and compares.
fn compare(prepare: &str, command: &[&str]) {
    alike_once(&command.join(" "), || compare_once(prepare, command));
}

fn compare_once(prepare: &str, command: &[&str]) -> Result<(), String> {
    let place = Place::new();
    place.prepare(prepare);
    place.traced(&log::command(&place.log, &place.work), command);
    let ours = [false, true].map(|with_files| deeds(&place.log, &place.work, with_files));
    std::fs::remove_file(&place.log).expect("our own file");
    for options in OPTIONS {
        place.prepare(prepare);
        let mut tracer = run::command("strace", &place.work);
        tracer.args(options).arg("-o").arg(&place.log);
        place.traced(&tracer, command);
        let with_files = options.contains(&"-y");
        let theirs = deeds(&place.log, &place.work, with_files);
        let ours = &ours[usize::from(with_files)];
        if theirs.len() != ours.len() {
            return Err(format!("{options:?}: {} processes, ours {}", theirs.len(), ours.len()));
        }
        for (process, (theirs, ours)) in theirs.values().zip(ours.values()).enumerate() {
            if let Some(difference) = difference(theirs, ours) {
                return Err(format!("{options:?}: process {process}, {difference}"));
            }
        }
        if place.log.exists() {
            std::fs::remove_file(&place.log).expect("strace's file");
        }
    }
    Ok(())
}

#[test]
fn both_tell_the_same() {
    if !strace::is_there() {
        return skip_peer("logs of strace", "no strace");
    }
    let files = "mkdir -p d/a; echo text >d/a/one; ln -s a/one d/link; printf 'x' >\"$(printf 'od\\303\\251 \\377\\n')\"";
    compare(files, &["/bin/ls", "-lR", "."]);
    compare(files, &["/bin/sh", "-c", "cd d; cat link missing; (cd a; test -f one); exec readlink link"]);
    compare(files, &["/usr/bin/find", ".", "-type", "f"]);
    if let Some(python) = python() {
        compare("", &[&python, &hello()]);
    }
}

/// `trace startup --from` says of our own log what was said when it was made, and of a text of strace's which phases
/// there are.
#[test]
fn a_start_is_told_from_its_log() {
    let place = Place::new();
    place.prepare(":");
    let json = |arguments: &[&str]| -> serde_json::Value {
        let mut command = run::command(env!("CARGO_BIN_EXE_trace"), &place.work);
        let done = run::run(command.args(["startup", "--json"]).args(arguments));
        assert!(done.status.success(), "{}", done.stderr);
        let mut value: serde_json::Value = serde_json::from_str(&done.stdout).expect("JSON");
        if arguments[0] == "--from" {
            assert!(value["partition"].is_null() && value["not_sampled"].is_string(), "{value:#}");
        }
        // The drawing is not made again, and runs that were sampled are not in the log.
        for without in ["flame_graph", "partition", "not_sampled"] {
            value.as_object_mut().expect("an object").remove(without);
        }
        value
    };
    let made = json(&["--runs", "1", "-o", "sh.trace", "/bin/sh", "-c", ":"]);
    assert_eq!(json(&["--from", "sh.trace"]), made);
    let mut command = run::command(env!("CARGO_BIN_EXE_trace"), &place.work);
    let report = run::run(command.args(["startup", "--from", "sh.trace"])).stdout;
    assert!(
        report.contains("Where the time goes on and off CPUs is not known: the runs that tell it"),
        "{report}"
    );
    let text = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/logs/strace/ttt.strace");
    let told = json(&["--from", text]);
    assert_eq!((&told["backend"], &told["command"]), (&"strace".into(), &serde_json::json!(["sh", "in.sh"])));
    assert_eq!(told["phases"]["phases"][1]["name"], "dynamic loader and shell init", "{}", told["phases"]);
}
