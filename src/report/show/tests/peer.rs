//! The strace of this machine is shown every call of the tables, and must name, classify and print it
//! alike. `fixtures/programs/any_call.c` makes the calls; a seccomp filter keeps them from happening.
//!
//! What may differ is listed: in [`FORMS`] calls that strace knows more or less of than a log does. Calls
//! and names of flags that are newer than the strace at hand are told by its printing a number, and counted.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::super::filter::CallSet;
use super::super::{Options, Time, Who, line};
use crate::event::{Abi, Event, Kind};
use crate::syscall::decode::Style;
use crate::syscall::{self, Arg, Classes, Spec};

/// Calls whose lines differ, and why.
const FORMS: &[(&[&str], &str)] = &[
    (&["ipc"], "strace looks into their arguments, which a log keeps with --decode full only"),
    (&["socket"], "strace knows the protocols of rare domains"),
    (&["fcntl", "fcntl64"], "strace prints descriptors above 2 GiB as unsigned"),
    (&["rt_sigreturn", "restart_syscall"], "strace reads the frame, or remembers a call before"),
    (&["fanotify_mark"], "FAN_MARK_MNTNS is newer, and FAN_NOFD is -1"),
];

/// What the seccomp filter answers.
const ENOSYS: i64 = 38;
/// The exit status of `any_call` when all went well.
const LEFT: i32 = 77;

#[derive(Clone, Copy, Debug)]
struct Made {
    abi: Abi,
    spec: &'static Spec,
    args: [u64; 6],
}

/// The peer, and a program that makes calls.
struct Peer(tempfile::TempDir);

impl Peer {
    /// `None`, said aloud, where strace or a C compiler is missing; with `CI=true` that is a failure.
    fn new(test: &str) -> Option<Self> {
        let dir = tempfile::tempdir().expect("a temporary directory can be made");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/programs/any_call.c");
        let mut cc = Command::new("cc");
        cc.args(["-O1", "-Wall", "-Wextra", "-Werror", "-o"]).arg(dir.path().join("any_call")).arg(source);
        let strace = Command::new("strace").arg("-V").output();
        match (cc.output(), strace) {
            (Ok(compiled), Ok(_)) => {
                assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
                Some(Self(dir))
            }
            (compiled, strace) => {
                let reason = format!("cc: {:?}, strace: {:?}", compiled.err(), strace.err());
                assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{test} needs {reason}");
                eprintln!("SKIPPED {test}: {reason}");
                None
            }
        }
    }

    /// The lines strace prints for these calls.
    fn lines(&self, options: &[&str], calls: &[Made]) -> Vec<String> {
        let (list, out) = (self.0.path().join("list"), self.0.path().join("out"));
        let mut text = String::new();
        for call in calls {
            let bits = if call.abi == Abi::I386 { 32 } else { 64 };
            write!(text, "{bits} {:x}", call.spec.nr).expect("memory");
            for arg in call.args {
                write!(text, " {arg:x}").expect("memory");
            }
            text.push('\n');
        }
        std::fs::write(&list, text).expect("the list can be written");
        let input = std::fs::File::open(&list).expect("it was just written");
        let mut strace = Command::new("strace");
        strace.args(["-a1", "-o"]).arg(&out).args(options).arg(self.0.path().join("any_call"));
        let run = strace.stdin(Stdio::from(input)).output().expect("strace runs");
        assert_eq!(run.status.code(), Some(LEFT), "{}", String::from_utf8_lossy(&run.stderr));
        let text = String::from_utf8(std::fs::read(&out).expect("strace writes its output")).expect("ASCII");
        let lines = text.lines().map(str::to_owned);
        // What comes before is the program getting ready, what comes after its end.
        lines.skip_while(|line| !line.starts_with("seccomp(")).skip(1).take(calls.len()).collect()
    }
}

fn ours(call: &Made) -> String {
    let mut event = Event::new(Kind::Syscall);
    let taken = call.spec.args.len();
    (event.abi, event.nr, event.ret) = (call.abi, call.spec.nr, Some(-ENOSYS));
    event.args[..taken].copy_from_slice(&call.args[..taken]);
    let options = Options { who: Who::Hidden, time: Time::Hidden, duration: false, style: Style::default() };
    let mut out = Vec::new();
    line(&mut out, &event, &options);
    String::from_utf8(out).expect("lines are ASCII")
}

/// Every call that can be made for show; the two that work whatever a filter says would end the program.
fn specs() -> impl Iterator<Item = (Abi, &'static Spec)> {
    let of = |abi| syscall::table(abi).iter().map(move |spec| (abi, spec));
    of(Abi::X86_64).chain(of(Abi::I386)).filter(|(_, spec)| !matches!(spec.name, "uretprobe" | "uprobe"))
}

/// Every call with zeros, and with each named value of each of its arguments.
fn with_named_values() -> Vec<Made> {
    let mut calls = Vec::new();
    for (abi, spec) in specs() {
        calls.push(Made { abi, spec, args: [0; 6] });
        for (index, arg) in spec.args.iter().enumerate() {
            let values: Vec<u64> = match arg.arg {
                Arg::Flags(set) | Arg::Enum(set) => {
                    let fields = set.fields.iter().flat_map(|field| field.values);
                    set.values.iter().chain(fields).map(|(value, _)| *value).collect()
                }
                // Structures at an address are read by strace, so only calls without any are like ours.
                Arg::Buf | Arg::In(_) | Arg::InOut(_) | Arg::Out(_) | Arg::OutBuf | Arg::StrArray => vec![],
                _ => vec![1, 0o177, 0x1234_5678, 0x8000_0000, 0xffff_ffff],
            };
            for value in values {
                let mut args = [0; 6];
                args[index] = value;
                calls.push(Made { abi, spec, args });
            }
        }
    }
    calls
}

#[test]
fn lines_are_those_of_strace() {
    let Some(peer) = Peer::new("lines_are_those_of_strace") else { return };
    let calls = with_named_values();
    let lines = peer.lines(&[], &calls);
    assert_eq!(lines.len(), calls.len());
    let numbers = |line: &str| line.matches("0x").count() + line.matches("???").count();
    let (mut same, mut newer, mut listed) = (0, 0, BTreeSet::new());
    let mut differences = String::new();
    for (call, theirs) in calls.iter().zip(&lines) {
        let ours = ours(call);
        if ours == *theirs {
            same += 1;
        } else if theirs.starts_with("syscall_0x") || numbers(theirs) > numbers(&ours) {
            newer += 1;
        } else if FORMS.iter().any(|(names, _)| names.contains(&call.spec.name)) {
            listed.insert(call.spec.name);
        } else {
            writeln!(differences, "{} {:x?}\n  strace {theirs}\n  ours   {ours}", call.abi.name(), call.args)
                .expect("memory");
        }
    }
    assert!(differences.is_empty(), "{differences}");
    let names = FORMS.iter().flat_map(|(names, _)| *names);
    let alike: Vec<_> = names.filter(|name| !listed.contains(**name)).collect();
    assert!(alike.is_empty(), "{alike:?} need not be listed any more");
    // 10 % of the lines are of calls and flags that strace 6.1 has not heard of.
    assert!(same * 10 > calls.len() * 8, "{same} lines of {} are the same, {newer} newer", calls.len());
}

/// The names of the calls that strace prints of those made, under a filter (and seccomp, behind which the
/// calls begin).
fn names(peer: &Peer, filter: &str, calls: &[Made]) -> BTreeSet<String> {
    let filter = if filter.starts_with('!') { filter.to_owned() } else { format!("seccomp,{filter}") };
    let lines = peer.lines(&["-e", &format!("trace={filter}")], calls);
    let names = lines.iter().filter_map(|line| line.split_once('(')).map(|(name, _)| name.to_owned());
    // Numbers it does not know are printed whatever the filter.
    names.filter(|name| name != "seccomp" && !name.starts_with("syscall_")).collect()
}

#[test]
fn classes_are_those_of_strace() {
    let Some(peer) = Peer::new("classes_are_those_of_strace") else { return };
    for abi in [Abi::X86_64, Abi::I386] {
        let made = |spec| Made { abi, spec, args: [0; 6] };
        let calls: Vec<Made> = specs().filter(|(of, _)| *of == abi).map(|(_, spec)| made(spec)).collect();
        // The calls that these stand for are calls of their own.
        let calls: Vec<Made> =
            calls.into_iter().filter(|call| !matches!(call.spec.name, "ipc" | "socketcall")).collect();
        let known = names(&peer, "all", &calls);
        assert!(known.len() > 350, "{known:?}");
        for (class, name) in Classes::ALL {
            let ours: BTreeSet<String> = calls
                .iter()
                .filter(|call| call.spec.classes.intersects(class) && known.contains(call.spec.name))
                .map(|call| call.spec.name.to_owned())
                .collect();
            let theirs = names(&peer, &format!("%{name}"), &calls);
            assert_eq!(ours, theirs, "%{name} of {}", abi.name());
        }
    }
}

#[test]
fn filters_choose_what_strace_chooses() {
    let Some(peer) = Peer::new("filters_choose_what_strace_chooses") else { return };
    for abi in [Abi::X86_64, Abi::I386] {
        let made = |spec| Made { abi, spec, args: [0; 6] };
        let calls: Vec<Made> = specs().filter(|(of, _)| *of == abi).map(|(_, spec)| made(spec)).collect();
        let calls: Vec<Made> =
            calls.into_iter().filter(|call| !matches!(call.spec.name, "ipc" | "socketcall")).collect();
        let known = names(&peer, "all", &calls);
        for filter in [
            "all",
            "open,openat",
            "!open,openat",
            "%file,close",
            "!%network",
            "file",
            "desc",
            "signal",
            "network,%clock",
            "%net",
            "%%stat,%%statfs",
            "?nosuchcall,openat",
            "openat@64",
            "openat@32,close@64",
            "/^open",
            "/^(l|f)?stat",
            "/at2?$,read",
            "!/a",
            "5",
            "257@64,3@32",
            "%creds@32",
            "/^w.*v$@64",
        ] {
            let set = CallSet::parse(filter).unwrap_or_else(|error| panic!("{error}"));
            let ours: BTreeSet<String> = calls
                .iter()
                .filter(|call| set.contains(abi, call.spec.nr) && known.contains(call.spec.name))
                .map(|call| call.spec.name.to_owned())
                .collect();
            assert_eq!(ours, names(&peer, filter, &calls), "{filter} of {}", abi.name());
        }
    }
}
