//! Starts of interpreters that a table tells, as strace saw them.

use super::super::interpreters;
use super::*;
use crate::analysis::startup::Startup;
use crate::analysis::testing::{fixture, header, startup, strace};

const LOADING: [PhaseKind; 3] = [PhaseKind::Exec, PhaseKind::Loader, PhaseKind::Relocation];

/// Phases of a fixture after the loader: name and calls.
fn phases(name: &str) -> Vec<(String, u64)> {
    let phases = startup(name, &header()).0.phases.phases;
    let own = phases.iter().skip_while(|phase| LOADING.contains(&phase.kind));
    own.map(|phase| (String::from_utf8(phase.name.bytes().to_vec()).unwrap(), phase.syscalls)).collect()
}

/// The lines of a fixture that are calls, in the order in which these ended.
fn calls(name: &str) -> Vec<String> {
    let log = fixture(name);
    let other = |line: &&str| ["+++", "---", "<unfinished"].iter().any(|mark| line.contains(mark));
    log.lines().filter(|line| !other(line)).map(str::to_owned).collect()
}

#[test]
fn every_interpreter_and_phase_is_in_the_documents() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/interpreters.md");
    let text = std::fs::read_to_string(path).unwrap();
    for kind in &super::super::INTERPRETERS {
        let titles = || text.lines().filter_map(|line| line.strip_prefix("## "));
        assert!(
            titles().any(|title| title.to_lowercase().contains(kind.name)),
            "no section on {}",
            kind.name
        );
    }
    let tables = [interpreters::NODE, interpreters::RUBY, interpreters::PERL, interpreters::BASH];
    let tables = tables.into_iter().chain([
        interpreters::DASH,
        interpreters::JAVA,
        interpreters::PHP,
        interpreters::TCL,
    ]);
    for rules in tables {
        let named = rules.steps.iter().map(|step| step.name).filter(|name| !name.is_empty());
        for phase in named.chain([rules.first, rules.exit_name]) {
            assert!(text.contains(&format!("| {phase} |")), "no row for {phase}");
        }
    }
}

#[test]
fn boundaries_lie_where_the_table_says() {
    // What phases begin with, by the lines of the log; the last is where the end begins.
    let starts: &[(&str, &[(&str, &str)])] = &[
        (
            "node/20-script",
            &[
                ("V8 init", "/proc/self/cgroup"),
                ("node bootstrap", "readlink(\"/proc/self/exe\""),
                ("hello.js", "statx(AT_FDCWD, \"/home/u/hello.js\""),
                ("exit", " fcntl(0<"),
            ],
        ),
        (
            "node/22-script",
            &[
                ("V8 init", "/proc/self/cgroup"),
                ("node bootstrap", "readlink(\"/proc/self/exe\""),
                ("hello.js", "statx(AT_FDCWD, \"/home/u/hello.js\""),
                ("exit", " fcntl(0<"),
            ],
        ),
        (
            "node/20-eval",
            &[
                ("V8 init", "/proc/self/cgroup"),
                ("node bootstrap and -e", "readlink(\"/proc/self/exe\""),
                ("exit", " fcntl(0<"),
            ],
        ),
        (
            "ruby/3.1-script",
            &[
                ("rubygems", "/rubygems.rb"),
                ("hello.rb", "</home/u/hello.rb>, \"\""),
                ("exit", "timer_delete"),
            ],
        ),
        ("ruby/3.1-nogems", &[("hello.rb", "\"hello.rb\", O_RDONLY"), ("exit", "timer_delete")]),
        ("ruby/3.1-eval", &[("rubygems and -e", "/rubygems.rb"), ("exit", "timer_delete")]),
        (
            "perl/5.36-script",
            &[
                ("compile", "\"hello.pl\""),
                ("hello.pl", "close(3</home/u/hello.pl>)"),
                ("exit", "exit_group"),
            ],
        ),
        (
            "perl/5.36-code",
            &[("compile", "\"/dev/null\""), ("-e", "close(3</dev/null>)"), ("exit", "exit_group")],
        ),
        (
            "php/8.2-script",
            &[
                ("php.ini, extensions", "/php-cli.ini"),
                ("hello.php", "\"hello.php\""),
                ("shutdown functions, exit", "close(3</home/u/hello.php>)"),
            ],
        ),
        ("php/8.2-code", &[("exit", "exit_group")]),
        (
            "tcl/8.6-script",
            &[("init.tcl", "/init.tcl"), ("hello.tcl", "\"hello.tcl\""), ("exit", "exit_group")],
        ),
        ("shell/bash-script", &[("hello.sh", "\"hello.sh\""), ("exit", "exit_group")]),
        ("shell/bash-code", &[("-c", "getpeername(0<"), ("exit", "exit_group")]),
        ("shell/dash-script", &[("hello.sh", "\"hello.sh\""), ("exit", "exit_group")]),
        ("shell/dash-code", &[("exit", "exit_group")]),
        (
            "java/17-class",
            &[
                ("JVM init", "/libjvm.so"),
                ("Java libraries", "/classes.jsa"),
                ("Hello", "\"/home/u/Hello.class\", O_RDONLY"),
                ("exit", "unlink(\"/tmp/hsperfdata_root"),
            ],
        ),
        (
            "java/17-jar",
            &[
                ("JVM init", "/libjvm.so"),
                ("Java libraries", "/classes.jsa"),
                ("hello.jar", "\"hello.jar\", O_RDONLY"),
                ("exit", "unlink(\"/tmp/hsperfdata_root"),
            ],
        ),
    ];
    for (name, begins) in starts {
        let (seen, lines) = (phases(name), calls(name));
        let inside: u64 = seen.iter().map(|(_, calls)| calls).sum();
        let names: Vec<&str> = seen[1..].iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, begins.iter().map(|(name, _)| *name).collect::<Vec<_>>(), "{name}");
        let pid = lines[0].split(' ').next().unwrap();
        let mut from = lines.len() - inside as usize;
        for ((_, before), (phase, begin)) in seen.iter().zip(*begins) {
            let ends = |line: &str| line.contains("exit_group") && !line.starts_with(pid);
            let first = lines[from + 1..].iter().position(|line| line.contains(begin) && !ends(line));
            let first = first.unwrap_or_else(|| panic!("{name}: no {begin}")) + from + 1;
            from += *before as usize;
            assert_eq!(from, first, "{name}: {phase} begins with {begin}, not with {}", lines[from]);
        }
    }
}

/// Names of the phases of a log in which the kernel started `/usr/bin/perl`, from the fifth on.
fn begun_as_perl(log: &str) -> Vec<Vec<u8>> {
    let mut all = Startup::new(&header());
    strace(log, |event| {
        let exec = event.kind == Kind::Exec;
        let path = if exec { Some(&b"/usr/bin/perl"[..]) } else { event.path_abs };
        all.add(&Event { path_abs: path, ..*event });
    });
    let phases = all.finish().0.phases.phases;
    phases.iter().skip(4).map(|phase| phase.name.bytes().to_vec()).collect()
}

#[test]
fn a_script_that_names_its_interpreter_in_its_first_line() {
    // As the kernel does it: the interpreter is what runs, the arguments are the script's own.
    let log = fixture("perl/5.36-script").replacen(
        "execve(\"/usr/bin/perl\", [\"/usr/bin/perl\", \"hello.pl\"]",
        "execve(\"./hello.pl\", [\"./hello.pl\"]",
        1,
    );
    let log = log.replace("\"hello.pl\"", "\"./hello.pl\"");
    assert!(log.contains("[\"./hello.pl\"]"));
    assert_eq!(begun_as_perl(&log), [&b"compile"[..], b"hello.pl", b"exit"]);
}

#[test]
fn an_interpreter_by_another_name() {
    let log = fixture("perl/5.36-script").replacen(
        "execve(\"/usr/bin/perl\", [\"/usr/bin/perl\"",
        "execve(\"/opt/p\", [\"p\"",
        1,
    );
    assert!(log.contains("/opt/p"));
    assert_eq!(begun_as_perl(&log), [&b"compile"[..], b"hello.pl", b"exit"]);
}

#[test]
fn a_program_that_uses_its_input_is_not_at_its_end() {
    let log = fixture("node/20-script");
    let mut lines: Vec<&str> = log.lines().collect();
    let closed = lines.iter().position(|line| line.contains("close(") && line.contains("hello.js>")).unwrap();
    let start = lines[closed].split(' ').take(2).collect::<Vec<_>>().join(" ");
    let calls =
        ["fcntl(0</dev/null>, F_GETFL) = 0 <0.000001>", "read(0</dev/null>, \"\"..., 65536) = 0 <0.000001>"];
    let input: Vec<String> = calls.iter().map(|call| format!("{start} {call}")).collect();
    lines.splice(closed..closed, input.iter().map(String::as_str));
    let mut all = Startup::new(&header());
    strace(&lines.join("\n"), |event| all.add(event));
    let changed: Vec<_> =
        all.finish().0.phases.phases.iter().rev().take(2).map(|phase| phase.syscalls).collect();
    let (own, exit) = (&phases("node/20-script")[3].1, &phases("node/20-script")[4].1);
    assert_eq!(changed, [*exit, own + 2]);
}

#[test]
fn a_perl_script_that_stays_open_is_one_phase_with_its_compiling() {
    let log = fixture("perl/5.36-script");
    let names = |lines: &[&str]| {
        let mut all = Startup::new(&header());
        strace(&lines.join("\n"), |event| all.add(event));
        let phases = all.finish().0.phases.phases;
        phases.iter().skip(4).map(|phase| phase.name.bytes().to_vec()).collect::<Vec<_>>()
    };
    let merged = [&b"compile and hello.pl"[..], b"exit"];
    // Data follow the script: its end is not read, and it is closed when all is over.
    let end = |line: &&str| !line.contains("read(3</home/u/hello.pl>, \"\"..., 8192) = 0");
    let open: Vec<&str> = log.lines().filter(end).collect();
    assert_eq!(open.len() + 1, log.lines().count());
    assert_eq!(names(&open), merged);
    // The data are read to their end as the last thing.
    let close = log.lines().position(|line| line.contains("close(3</home/u/hello.pl>)")).unwrap();
    let last = log.lines().position(|line| line.contains("exit_group")).unwrap();
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(names(&[&lines[..=close], &lines[last..]].concat()), merged);
}

#[test]
fn a_shell_is_shown_only_where_no_other_interpreter_takes_most_of_the_time() {
    let focus = |name| startup(name, &header()).0.phases.phases[0].name.clone();
    assert_eq!(focus("wrapper").bytes(), b"before python", "sh -c 'python ...; true'");
    assert_eq!(focus("shell/bash-code").bytes(), b"exec");
}
