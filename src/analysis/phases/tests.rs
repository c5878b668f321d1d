//! Phases of real starts. The number of calls in each phase was checked against the logs by eye, and
//! the end of `site` against the line that `-X importtime` writes when its import is done.

use super::PhaseKind;
use super::build::Phase;
use crate::analysis::testing::{fixture, header, startup, with_untraced};

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
    ("3.11-stdin", &[("interpreter init", 193), ("site", 38), ("standard input", 12), ("exit", 4)]),
    ("3.11-venv", &[("interpreter init", 202), ("site", 38), ("hello.py", 26), ("exit", 4)]),
    ("3.11-uses", &[("interpreter init", 194), ("site", 33), ("./uses.py", 351), ("exit", 3)]),
    // 3.13 imports linecache to register the source of a `-c`.
    ("3.13-print", &[("interpreter init", 200), ("site", 33), ("-c", 23), ("exit", 3)]),
];

#[test]
fn python_starts() {
    for (name, expected) in STARTS {
        let seen = phases(name);
        let inner: Vec<_> = seen.iter().skip(2).map(|(name, calls)| (name.as_str(), *calls)).collect();
        assert_eq!(inner, *expected, "{name}");
        // Every one of these was linked against the same four libraries.
        assert_eq!(seen[..2], [("exec".to_owned(), 1), ("dynamic loader".to_owned(), 69)], "{name}");
    }
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
    assert_eq!(names, ["exec", "dynamic loader", "interpreter init", "exit"]);
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
    let python = ["exec", "dynamic loader", "interpreter init", "site", "hello.py", "exit"];
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
            "interpreter init",
            "site",
            "hello.py",
            "exit",
            "after python"
        ]
    );
    assert_eq!(seen[4].1, 33);
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
    assert!((phases.iter().map(|phase| phase.share).sum::<f64>() - 1.0).abs() < 1e-9);
    let traced: u64 = phases.iter().map(|phase| phase.traced_ns).sum();
    assert_eq!(traced, report.traced_ns);
    // What was taken off: 14 µs a call, and nothing below zero.
    let init = &phases[2];
    assert_eq!(init.added_ns, 194 * 14_000);
    let factor = report.phases.scaled_by.unwrap();
    let expected = init.traced_ns.saturating_sub(init.added_ns) as f64 * factor;
    assert!((init.takes_ns as f64 - expected).abs() < 1.0);
}
