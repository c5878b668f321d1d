//! Phases of real starts. The number of calls in each phase was checked against the logs by eye, and
//! the end of `site` against the line that `-X importtime` writes when its import is done.

use super::PhaseKind;
use super::build::Phase;
use crate::analysis::startup::Startup;
use crate::analysis::testing::{call, fixture, header, startup, strace, with_untraced};
use crate::event::{Event, Kind};
use crate::log::Header;

/// Phases of a fixture: name and calls.
fn phases(name: &str) -> Vec<(String, u64)> {
    let (report, _) = startup(name, &header());
    let named = |phase: &Phase| (String::from_utf8(phase.name.bytes().to_vec()).unwrap(), phase.syscalls);
    report.phases.phases.iter().map(named).collect()
}

/// What the phases after the loader should be: (name, calls).
type Expected = &'static [(&'static str, u64)];

const STARTS: &[(&str, Expected)] = &[
    ("2.7-script", &[("interpreter init", 92), ("site, encodings", 483), ("hello.py", 24), ("exit", 3)]),
    ("3.6-script", &[("interpreter init", 318), ("site", 153), ("hello.py", 24), ("exit", 4)]),
    ("3.7-script", &[("interpreter init", 285), ("site", 113), ("hello.py", 27), ("exit", 5)]),
    ("3.8-script", &[("interpreter init", 233), ("site", 125), ("hello.py", 25), ("exit", 4)]),
    ("3.9-script", &[("interpreter init", 231), ("site", 127), ("hello.py", 25), ("exit", 2)]),
    ("3.10-script", &[("interpreter init", 217), ("site", 124), ("hello.py", 26), ("exit", 3)]),
    ("3.11-script", &[("interpreter init", 194), ("site", 33), ("hello.py", 26), ("exit", 4)]),
    ("3.12-script", &[("interpreter init", 197), ("site", 33), ("hello.py", 26), ("exit", 3)]),
    ("3.13-script", &[("interpreter init", 201), ("site", 33), ("hello.py", 30), ("exit", 3)]),
    ("2.7-command", &[("interpreter init", 92), ("site, encodings", 483), ("-c", 172), ("exit", 2)]),
    ("2.7-pass", &[("interpreter init", 92), ("site, encodings", 483), ("-c", 0), ("exit", 2)]),
    ("2.7-nosite", &[("interpreter init", 184), ("hello.py", 22), ("exit", 2)]),
    ("2.7-stdin", &[("interpreter init", 92), ("site, encodings", 483), ("standard input", 14), ("exit", 2)]),
    ("2.7-uses", &[("interpreter init", 92), ("site, encodings", 483), ("./uses.py", 268), ("exit", 2)]),
    ("3.6-module", &[("interpreter init", 318), ("site", 153), ("-m mymod", 398), ("exit", 5)]),
    ("3.11-command", &[("interpreter init", 193), ("site", 33), ("-c", 272), ("exit", 3)]),
    ("3.11-print", &[("interpreter init", 193), ("site", 33), ("-c", 2), ("exit", 4)]),
    ("3.11-pass", &[("interpreter init", 193), ("site", 33), ("-c", 0), ("exit", 4)]),
    ("3.11-module", &[("interpreter init", 193), ("site", 33), ("-m mymod", 339), ("exit", 4)]),
    ("3.11-nosite", &[("interpreter init", 193), ("hello.py", 26), ("exit", 3)]),
    // With -I the current directory is not on the path, and nothing tells where `site` ends.
    ("3.11-isolatedc", &[("interpreter init", 195), ("site and -c", 268), ("exit", 3)]),
    ("3.11-stdin", &[("interpreter init", 193), ("site", 33), ("standard input", 17), ("exit", 4)]),
    ("3.11-venv", &[("interpreter init", 202), ("site", 38), ("hello.py", 26), ("exit", 4)]),
    ("3.11-uses", &[("interpreter init", 194), ("site", 33), ("./uses.py", 351), ("exit", 3)]),
    // 3.13 imports linecache to register the source of a `-c`.
    ("3.13-print", &[("interpreter init", 200), ("site", 33), ("-c", 23), ("exit", 3)]),
];

#[test]
fn python_starts() {
    for (name, expected) in STARTS {
        let seen = phases(name);
        let inner: Vec<_> = seen.iter().skip(3).map(|(name, calls)| (name.as_str(), *calls)).collect();
        assert_eq!(inner, *expected, "{name}");
        // Every one of these was linked against the same four libraries: an mprotect for each of the six
        // objects, and what comes after the relocation of the last.
        let loader = owned(&[("exec", 1), ("dynamic loader", 62), ("relocation", 7)]);
        assert_eq!(seen[..3], loader, "{name}");
    }
}

/// Phases after the loader of a fixture whose lines were changed.
fn changed(name: &str, change: impl FnOnce(&mut Vec<String>)) -> Vec<(String, u64)> {
    let mut lines: Vec<String> = fixture(name).lines().map(str::to_owned).collect();
    change(&mut lines);
    let mut all = Startup::new(&header());
    strace(&lines.join("\n"), |event| all.add(event));
    let named = |phase: &Phase| (String::from_utf8(phase.name.bytes().to_vec()).unwrap(), phase.syscalls);
    all.finish().0.phases.phases.iter().skip(3).map(named).collect()
}

/// Calls of a command, just before finalization.
fn insert_before_the_end(lines: &mut Vec<String>, calls: &[&str]) {
    let end = lines.iter().position(|line| line.contains("rt_sigaction(SIGINT, {...}, {...}, 8)")).unwrap();
    let end = lines[end..].iter().rposition(|line| line.contains("SIGINT")).unwrap() + end;
    let time = lines[end - 1].split(' ').take(2).collect::<Vec<_>>().join(" ");
    lines.splice(end..end, calls.iter().map(|call| format!("{time} {call}")));
}

#[test]
fn calls_of_a_command_that_looks_nothing_up_are_its_own() {
    let seen = changed("3.11-pass", |lines| {
        let sleep = "clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, {...}, NULL) = 0 <0.000010>";
        insert_before_the_end(
            lines,
            &["mmap(NULL, 80003072, 3, 34, -1, 0) = 0x7f0000000000 <0.000010>", sleep],
        );
    });
    assert_eq!(seen, owned(&[("interpreter init", 193), ("site", 33), ("-c", 2), ("exit", 4)]));
}

#[test]
fn a_python_that_was_started_with_interrupts_ignored() {
    let seen = changed("3.11-script", |lines| {
        lines.retain(|line| !line.contains("rt_sigaction(SIGINT, {"));
    });
    let expected = [("interpreter init", 193), ("site", 33), ("hello.py and finalization", 28), ("exit", 1)];
    assert_eq!(seen, owned(&expected));
}

#[test]
fn a_vain_import_of_an_isolated_command_cannot_be_told_from_those_of_site() {
    let vain = |lines: &mut Vec<String>| {
        let path = "newfstatat(AT_FDCWD, \"/opt/python/3.11.7/lib/python3.11";
        let found = "{st_mode=S_IFDIR|0755, st_size=60, ...}, 0) = 0 <0.000010>";
        let search = ["", "/lib-dynload", "/site-packages"].map(|dir| format!("{path}{dir}\", {found}"));
        insert_before_the_end(lines, &search.each_ref().map(String::as_str));
    };
    let isolated = changed("3.11-pass", |lines| {
        lines[0] = lines[0].replace("\"-c\"", "\"-Ic\"");
        vain(lines);
    });
    assert_eq!(isolated, owned(&[("interpreter init", 193), ("site and -c", 36), ("exit", 4)]));
    let with_directory = changed("3.11-pass", vain);
    assert_eq!(
        with_directory,
        owned(&[("interpreter init", 193), ("site", 36), ("-c", 0), ("exit", 4)]),
        "one of its own would have begun with the current directory"
    );
}

#[test]
fn every_call_is_in_one_phase() {
    for (name, _) in STARTS {
        let calls = fixture(name).lines().filter(|line| !line.contains("+++")).count() as u64;
        assert_eq!(phases(name).iter().map(|(_, calls)| calls).sum::<u64>(), calls, "{name}");
    }
}

#[test]
fn a_python_that_runs_nothing() {
    let seen = phases("3.11-version");
    let names: Vec<_> = seen.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["exec", "dynamic loader", "relocation", "interpreter init", "exit"]);
}

#[test]
fn a_shim_is_a_phase_before() {
    let (report, _) = startup("shim", &header());
    let first = &report.phases.phases[0];
    assert_eq!((first.kind, first.name.bytes()), (PhaseKind::Launcher, &b"before python"[..]));
    // Counted in the log: `grep -c 'execve.* = 0'`, `grep -c 'clone.* = [1-9]'`, `grep -c 'execve.*ENOENT'`.
    let log = fixture("shim");
    let count = |call: &str, result: &str| {
        let lines = log.lines().filter(|line| line.contains(call) && line.contains(result));
        lines.count() as u64
    };
    assert_eq!(first.programs + 1, count("execve", ") = 0 <"));
    assert_eq!(first.processes, 40);
    assert_eq!(first.failed_execs, count("execve", "ENOENT"));
    assert_eq!((first.programs, first.failed_execs), (38, 102));
    let launcher = report.launcher.unwrap();
    assert_eq!((launcher.program.bytes(), launcher.programs, launcher.processes), (&b"python"[..], 38, 40));
    let names: Vec<_> = report.phases.phases[1..].iter().map(|phase| phase.name.bytes().to_vec()).collect();
    let python = ["exec", "dynamic loader", "relocation", "interpreter init", "site", "hello.py", "exit"];
    assert_eq!(names, python.map(|name| name.as_bytes().to_vec()));
}

#[test]
fn a_python_below_a_shell_is_followed_and_the_shell_is_before_and_after() {
    let seen = phases("wrapper");
    let names: Vec<_> = seen.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "before python",
            "exec",
            "dynamic loader",
            "relocation",
            "interpreter init",
            "site",
            "hello.py",
            "exit",
            "after python"
        ]
    );
    assert_eq!(seen[5].1, 33);
}

#[test]
fn a_python_that_uv_runs_is_shown_however_short() {
    let names = |argv: &str| {
        // uv takes far longer than the Python that it starts.
        let log = fixture("3.11-script");
        let uv = format!("execve(\"/usr/bin/uv\", [{argv}], 0x1) = 0 <0.000100>");
        let begin =
            format!("1 0.000000 {uv}\n1 5.000000 clone(child_stack=NULL, flags=SIGCHLD) = 6377 <0.000100>\n");
        let pid = log.split(' ').next().unwrap();
        let later = |line: &str| {
            let (time, rest) = line.split_once(' ').unwrap();
            format!("6377 {:.6} {rest}\n", time.parse::<f64>().unwrap() + 5.001)
        };
        let python: String =
            log.lines().map(|line| later(line.strip_prefix(pid).unwrap().trim_start())).collect();
        let mut all = Startup::new(&header());
        strace(
            &format!("{begin}{python}1 5.200000 exit_group(0) = ?\n1 5.200100 +++ exited with 0 +++\n"),
            |e| all.add(e),
        );
        let phases = all.finish().0.phases.phases;
        phases.iter().map(|phase| String::from_utf8(phase.name.bytes().to_vec()).unwrap()).collect::<Vec<_>>()
    };
    let run = names("\"uv\", \"run\", \"hello.py\"");
    assert_eq!((run[0].as_str(), run[4].as_str()), ("before python", "interpreter init"));
    let other = names("\"uv\", \"pip\", \"list\"");
    assert_eq!(other[1], "dynamic loader and uv");
}

#[test]
fn phases_add_up_to_the_untraced_wall_time() {
    let (report, _) = startup("3.11-script", &with_untraced(header(), &[12_000_000; 6]));
    let phases = &report.phases.phases;
    assert_eq!(phases.iter().map(|phase| phase.takes_ns).sum::<u64>(), 12_000_000);
    let mut at = 0;
    for phase in phases {
        assert_eq!(phase.at_ns, at);
        at += phase.takes_ns;
    }
    assert!((phases.iter().filter_map(|phase| phase.share).sum::<f64>() - 1.0).abs() < 1e-9);
    let traced: u64 = phases.iter().map(|phase| phase.traced_ns).sum();
    assert_eq!(Some(traced), report.traced_ns);
    // What was taken off: 14 µs a call, and nothing below zero.
    let init = &phases[3];
    assert_eq!(init.added_ns, 194 * 14_000);
    let factor = report.phases.scaled_by.unwrap();
    let expected = init.traced_ns.saturating_sub(init.added_ns) as f64 * factor;
    assert!((init.takes_ns as f64 - expected).abs() < 1.0);
}

/// Six runs of 12 ms; on a busy machine all of them had to wait for a CPU first.
fn runs(waited_ns: u64) -> Header {
    let mut header = with_untraced(header(), &[12_000_000; 6]);
    for run in header.untraced.iter_mut().flat_map(|all| &mut all.runs) {
        (run.wall_ns, run.launch_ns) = (run.wall_ns + waited_ns, waited_ns);
    }
    header
}

#[test]
fn what_comes_before_the_execve_is_not_spread_over_the_phases() {
    let takes = |header: &Header| startup("3.11-script", header).0.phases;
    let (quiet, busy) = (takes(&runs(0)), takes(&runs(3_000_000)));
    assert_eq!((busy.launch_ns, busy.scaled_by), (3_000_000, quiet.scaled_by));
    for (at, (busy, quiet)) in busy.phases.iter().zip(&quiet.phases).enumerate() {
        assert_eq!(busy.takes_ns, quiet.takes_ns + if at == 0 { 3_000_000 } else { 0 }, "{busy:?}");
    }
    assert!((busy.phases.iter().filter_map(|phase| phase.share).sum::<f64>() - 1.0).abs() < 1e-9);
    // A fork is needed without a shim as well.
    let shim = |header: &Header| startup("shim", header).0.launcher.unwrap().takes_ns;
    assert_eq!(shim(&runs(3_000_000)), shim(&runs(0)));
}

/// Phases of events made by hand, for a program that is no interpreter: name and calls.
fn generic(with_mark: bool, with_cache: bool, status: Option<i64>) -> Vec<(String, u64)> {
    let mut all = Startup::new(&header());
    let exec = Event { path: Some(b"/bin/ls"), argv: Some(b"ls\0"), ..point(Kind::Exec, 400) };
    all.add(&exec);
    all.add(&Event { path: Some(b"/bin/ls"), path_abs: Some(b"/bin/ls"), ..call("execve", 0, 500, 0) });
    all.add(&call("brk", 1_000, 10, 1));
    if with_cache {
        all.add(&Event { file: Some(b"/etc/ld.so.cache"), ..call("mmap", 2_000, 10, 0x7000) });
        all.add(&Event { args: [0x7000, 0, 0, 0, 0, 0], ..call("munmap", 3_000, 10, 0) });
    }
    // A constructor of a library.
    all.add(&call("getpid", 4_000, 10, 1));
    if with_mark {
        all.add(&Event { text: Some(b"entry"), ..point(Kind::Mark, 5_000) });
    }
    all.add(&call("write", 6_000, 10, 5));
    // The program loads a library of its own accord.
    all.add(&Event { file: Some(b"/etc/ld.so.cache"), ..call("mmap", 7_000, 10, 0x8000) });
    all.add(&Event { args: [0x8000, 0, 0, 0, 0, 0], ..call("munmap", 8_000, 10, 0) });
    if status.is_some() {
        all.add(&Event { ret: None, end_ns: None, ..call("exit_group", 9_000, 0, 0) });
    }
    all.add(&Event { ret: Some(status.unwrap_or(-9)), ..point(Kind::Exit, 10_000) });
    let phases = all.finish().0.phases.phases;
    let named = |phase: &Phase| (String::from_utf8(phase.name.bytes().to_vec()).unwrap(), phase.syscalls);
    phases.iter().map(named).collect()
}

fn point(kind: Kind, at_ns: u64) -> Event<'static> {
    Event { pid: 1, tid: 1, start_ns: at_ns, end_ns: Some(at_ns), ..Event::new(kind) }
}

fn owned(phases: &[(&str, u64)]) -> Vec<(String, u64)> {
    phases.iter().map(|(name, calls)| ((*name).to_owned(), *calls)).collect()
}

#[test]
fn any_program_has_a_loader_itself_and_an_exit() {
    let marked = owned(&[("exec", 1), ("dynamic loader", 4), ("ls", 3), ("exit", 1)]);
    assert_eq!(generic(true, true, Some(0)), marked, "the mark tells best");
    let unmapped = owned(&[("exec", 1), ("dynamic loader", 3), ("ls", 4), ("exit", 1)]);
    assert_eq!(generic(false, true, Some(0)), unmapped, "constructors are then the program's");
    // brk, getpid, write, and the library that the program loads of its own accord.
    let merged = owned(&[("exec", 1), ("dynamic loader and ls", 5), ("exit", 1)]);
    assert_eq!(generic(false, false, Some(0)), merged);
    let killed = generic(true, false, None);
    assert_eq!(killed, owned(&[("exec", 1), ("dynamic loader", 2), ("ls", 3)]), "killed: no exit is made up");
}

/// Phases of a program whose exec event says this of the loader (`args`: entry, from, to).
fn loaded(args: [u64; 6], path: Option<&'static [u8]>, after: &[Event<'static>]) -> Vec<(String, u64)> {
    let mut all = Startup::new(&header());
    let exec =
        Event { path: Some(b"/bin/ls"), file: path, argv: Some(b"ls\0"), args, ..point(Kind::Exec, 400) };
    // The recorder took 90 ns to look at the program.
    all.add(&Event { end_ns: Some(490), ..exec });
    all.add(&Event { path: Some(b"/bin/ls"), path_abs: Some(b"/bin/ls"), ..call("execve", 0, 500, 0) });
    for event in after {
        all.add(event);
    }
    let phases = all.finish().0.phases.phases;
    let exec = phases.iter().find(|phase| phase.kind == PhaseKind::Exec).unwrap();
    assert_eq!((exec.traced_ns, exec.added_ns), (490, 14_000 + 90), "its own time is no phase's");
    let named = |phase: &Phase| (String::from_utf8(phase.name.bytes().to_vec()).unwrap(), phase.syscalls);
    phases.iter().map(named).collect()
}

fn entry(at_ns: u64) -> Event<'static> {
    Event { text: Some(b"entry"), ..point(Kind::Mark, at_ns) }
}

#[test]
fn a_static_program_has_no_loader() {
    let told = loaded([0x40_1000, 0, 0, 0, 0, 0], None, &[call("brk", 1_000, 10, 1), entry(900)]);
    assert_eq!(told, owned(&[("exec", 1), ("ls", 1)]), "the exec event says so");
    let marked = loaded([0; 6], None, &[entry(900), call("brk", 1_000, 10, 1)]);
    assert_eq!(marked, owned(&[("exec", 1), ("ls", 1)]), "nothing was done before the entry point");
}

#[test]
fn relocation_begins_where_the_first_thread_is_set_up() {
    let glibc = |last| {
        vec![
            call("arch_prctl", 1_000, 10, 0),
            call("rseq", 1_100, 10, 0),
            call("mprotect", 1_300, 10, 0),
            call("mprotect", 1_400, 10, 0),
            last,
            call("write", 1_600, 10, 1),
            Event { ret: None, end_ns: None, ..call("exit_group", 1_700, 0, 0) },
        ]
    };
    let with_loader = [0x40_1000, 0x7000, 0x8000, 0, 0, 0];
    let path = Some(&b"/lib64/ld-linux-x86-64.so.2"[..]);
    let marked =
        owned(&[("exec", 1), ("dynamic loader", 2), ("relocation, constructors", 2), ("ls", 1), ("exit", 1)]);
    assert_eq!(loaded(with_loader, path, &glibc(entry(1_500))), marked);
    let unmarked = owned(&[("exec", 1), ("dynamic loader", 2), ("relocation and ls", 4), ("exit", 1)]);
    assert_eq!(loaded(with_loader, path, &glibc(call("brk", 1_500, 10, 0))), unmarked);
    // musl sets up the thread first, then maps the libraries (one with relocations in its code).
    let mapped = |at_ns| Event { file: Some(b"/lib/libx.so"), ..call("mmap", at_ns, 10, 0x9000) };
    let musl = [
        call("set_tid_address", 1_000, 10, 7),
        call("open", 1_100, 10, 3),
        call("fcntl", 1_110, 10, 0),
        mapped(1_120),
        call("mprotect", 1_140, 10, 0),
        call("close", 1_200, 10, 0),
        call("mprotect", 1_300, 10, 0),
        entry(1_500),
        call("write", 1_600, 10, 1),
    ];
    let told = owned(&[("exec", 1), ("dynamic loader", 6), ("relocation", 1), ("ls", 1)]);
    assert_eq!(loaded(with_loader, Some(b"/lib/ld-musl-x86_64.so.1"), &musl), told);
}

#[test]
fn a_program_that_handles_interrupts_is_not_at_its_end() {
    let log = fixture("3.11-script");
    let mut lines: Vec<&str> = log.lines().collect();
    let opened = lines.iter().position(|line| line.contains("/hello.py\", O_RDONLY")).unwrap();
    let time = lines[opened].split(' ').take(2).collect::<Vec<_>>().join(" ");
    let handler = format!("{time} rt_sigaction(SIGINT, {{...}}, {{...}}, 8) = 0 <0.000010>");
    lines.insert(opened, &handler);
    let mut all = Startup::new(&header());
    strace(&lines.join("\n"), |event| all.add(event));
    let phases = all.finish().0.phases.phases;
    let calls: Vec<_> = phases.iter().map(|phase| phase.syscalls).collect();
    assert_eq!(calls, [1, 62, 7, 194, 33, 27, 4], "the script opens files after that");
}

#[test]
fn what_a_path_file_does_is_part_of_site() {
    let log = fixture("3.11-command");
    let mut lines: Vec<&str> = log.lines().collect();
    let listed = lines.iter().position(|line| line.contains("site-packages>) = 0")).unwrap();
    let time = lines[listed].split(' ').take(2).collect::<Vec<_>>().join(" ");
    let path = "/opt/python/3.11.7/lib/python3.11/site-packages/x.pth";
    let open = format!("{time} openat(AT_FDCWD, \"{path}\", O_RDONLY|O_CLOEXEC) = 3<{path}> <0.000010>");
    let poll = format!("{time} epoll_create1(EPOLL_CLOEXEC) = 4<anon_inode:[eventpoll]> <0.000010>");
    lines.splice(listed + 1..=listed, [open.as_str(), &poll]);
    let mut all = Startup::new(&header());
    strace(&lines.join("\n"), |event| all.add(event));
    let changed: Vec<_> = all.finish().0.phases.phases.iter().map(|phase| phase.syscalls).collect();
    let mut expected: Vec<_> =
        startup("3.11-command", &header()).0.phases.phases.iter().map(|p| p.syscalls).collect();
    expected[4] += 2;
    assert_eq!(changed, expected);
}

#[test]
fn a_script_that_names_python_in_its_first_line() {
    let log = fixture("3.11-script");
    let (first, rest) = log.split_once('\n').unwrap();
    let line = first.replace(
        "execve(\"/opt/python/3.11.7/bin/python\", [\"/opt/python/3.11.7/bin/python\", \"hello.py\"]",
        "execve(\"./hello.py\", [\"./hello.py\"]",
    );
    assert_ne!(first, line);
    let mut all = Startup::new(&header());
    strace(&format!("{line}\n{rest}"), |event| {
        // The kernel started the interpreter, and that is what the exec event names.
        let path = if event.kind == Kind::Exec {
            Some(&b"/opt/python/3.11.7/bin/python3.11"[..])
        } else {
            event.path_abs
        };
        all.add(&Event { path_abs: path, ..*event });
    });
    let (report, _) = all.finish();
    let names: Vec<_> =
        report.phases.phases.iter().map(|phase| (phase.name.bytes(), phase.syscalls)).collect();
    assert_eq!(names[4..], [(&b"site"[..], 33), (b"hello.py", 26), (b"exit", 4)]);
    assert!(report.modules.modules.iter().all(|module| module.name.bytes() != b"hello"));
}

#[test]
fn a_log_cut_anywhere_still_has_every_call_in_one_phase() {
    let others = ["node/20-script", "ruby/3.1-script", "perl/5.36-code", "shell/bash-code", "java/17-jar"];
    for name in ["3.11-uses", "2.7-script", "wrapper", "shim"].into_iter().chain(others) {
        let log = fixture(name);
        let lines: Vec<&str> = log.lines().collect();
        for end in (0..lines.len()).step_by(29) {
            let (mut all, mut calls) = (Startup::new(&header()), 0);
            strace(&lines[..end].join("\n"), |event| {
                calls += u64::from(event.kind == Kind::Syscall);
                all.add(event);
            });
            let (report, _) = all.finish();
            assert_eq!(
                report.phases.phases.iter().map(|phase| phase.syscalls).sum::<u64>(),
                calls,
                "{name} {end}"
            );
            assert_eq!(
                report.phases.phases.iter().map(|p| p.traced_ns).sum::<u64>(),
                report.traced_ns.unwrap_or(0)
            );
        }
    }
}
