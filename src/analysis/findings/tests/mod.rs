//! Each kind of finding: a small log that has it, and one that is like it and must not.

mod python;

use std::fmt::Write;

use super::{Finding, Findings, KINDS, Remedy};
use crate::analysis::startup::Startup;
use crate::analysis::testing::{call, fixture, header, startup, strace, total, with_untraced};
use crate::event::Event;
use crate::log::Header;

const PYTHON: &str = r#"execve("/usr/bin/python3.11", ["python3.11", "x.py"], 0x1 /* 3 vars */) = 0"#;
const PERL: &str = r#"execve("/usr/bin/perl", ["perl", "x.pl"], 0x1 /* 3 vars */) = 0"#;
const TOOL: &str = r#"execve("/usr/bin/tool", ["tool"], 0x1 /* 3 vars */) = 0"#;

/// Ten untraced runs of 10 ms.
fn runs() -> Header {
    with_untraced(header(), &[10_000_000; 10])
}

/// The log of lines as strace writes them, without process, time and duration.
fn log(lines: &[String]) -> String {
    let mut text = String::new();
    for (at, line) in lines.iter().enumerate() {
        let pid = if line.starts_with(|c: char| c.is_ascii_digit()) { "" } else { "7 " };
        let took = if line.ends_with('>') { "" } else { " <0.000008>" };
        let (pid, line) = match line.split_once(' ').filter(|_| pid.is_empty()) {
            Some((pid, line)) => (pid, line),
            None => ("7", line.as_str()),
        };
        let took = if line.starts_with("+++") { "" } else { took };
        writeln!(text, "{pid}  100.{:06} {line}{took}", at * 20).unwrap();
    }
    text
}

fn findings_of(log: &str, header: &Header) -> Findings {
    let mut startup = Startup::new(header);
    strace(log, |event| startup.add(event));
    startup.add(&total());
    startup.finish().0.findings
}

fn find(kind: &str, lines: &[String]) -> Option<Finding> {
    assert!(KINDS.iter().any(|known| known.name == kind), "no kind {kind}");
    findings_of(&log(lines), &runs()).list.into_iter().find(|finding| finding.kind == kind)
}

fn miss(path: &str) -> String {
    format!(r#"newfstatat(AT_FDCWD</home/u>, "{path}", 0x1, 0) = -1 ENOENT (No such file or directory)"#)
}

fn stat(path: &str) -> String {
    format!(r#"newfstatat(AT_FDCWD</home/u>, "{path}", {{st_mode=S_IFREG|0644, ...}}, 0) = 0"#)
}

fn stat_directory(path: &str) -> String {
    format!(r#"newfstatat(AT_FDCWD</home/u>, "{path}", {{st_mode=S_IFDIR|0755, ...}}, 0) = 0"#)
}

fn open(path: &str) -> String {
    format!(r#"openat(AT_FDCWD</home/u>, "{path}", O_RDONLY|O_CLOEXEC) = 3<{path}>"#)
}

fn no_open(path: &str) -> String {
    format!(
        r#"openat(AT_FDCWD</home/u>, "{path}", O_RDONLY|O_CLOEXEC) = -1 ENOENT (No such file or directory)"#
    )
}

fn list(path: &str) -> [String; 2] {
    [format!("getdents64(3<{path}>, 0x1, 32768) = 240"), format!("getdents64(3<{path}>, 0x1, 32768) = 0")]
}

fn lines(first: &str, rest: impl IntoIterator<Item = String>) -> Vec<String> {
    std::iter::once(first.to_owned()).chain(rest).collect()
}

fn times(n: usize, line: impl Fn(usize) -> String) -> Vec<String> {
    (0..n).map(line).collect()
}

/// Has, then has not.
fn check(kind: &str, with: &[String], without: &[String]) -> Finding {
    assert_eq!(find(kind, without), None, "{kind}");
    let found = find(kind, with).unwrap_or_else(|| panic!("no {kind} in:\n{}", log(with)));
    let saving = found.saving;
    assert!(!found.what.bytes().is_empty() && !found.advice.bytes().is_empty());
    assert!(saving.at_least_ns <= saving.at_most_ns || saving.at_most_ns.is_none(), "{saving:?}");
    assert!(saving.at_most_share.is_none_or(|share| (0.0..=1.0).contains(&share)), "{saving:?}");
    found
}

/// The log with this much more time, in microseconds, before a line.
fn delayed(log: &str, before: usize, by_us: usize) -> String {
    let mut text = String::new();
    for (at, line) in log.lines().enumerate() {
        let mut words = line.splitn(3, ' ').filter(|word| !word.is_empty());
        let (pid, rest) = (words.next().unwrap(), line[line.find(' ').unwrap()..].trim_start());
        let (time, rest) = rest.split_once(' ').unwrap();
        let (seconds, part) = time.split_once('.').unwrap();
        let part = part.parse::<usize>().unwrap() + if at >= before { by_us } else { 0 };
        writeln!(text, "{pid} {seconds}.{part:06} {rest}").unwrap();
    }
    text
}

fn evidence(finding: &Finding) -> Vec<(String, u64)> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    finding.evidence.iter().map(|evidence| (text(evidence.object.bytes()), evidence.count)).collect()
}

#[test]
fn lookups_in_vain() {
    let with = lines(TOOL, times(9, |n| miss(&format!("/etc/tool.d/{n}.conf"))));
    let without = lines(TOOL, times(9, |n| stat(&format!("/etc/tool.d/{n}.conf"))));
    let found = check("missed-lookups", &with, &without);
    assert_eq!(evidence(&found), [("/etc/tool.d".to_owned(), 9)]);
    assert_eq!(found.saving.calls, 9);
}

#[test]
fn a_call_that_was_held_up_does_not_rank_a_finding() {
    let cost = |long: usize| {
        let held = |n: usize| if n < long { " <0.004000>" } else { "" };
        let with =
            lines(TOOL, times(40, |n| format!("{}{}", miss(&format!("/etc/tool.d/{n}.conf")), held(n))));
        find("missed-lookups", &with).unwrap().saving.at_most_ns.unwrap()
    };
    assert_eq!(cost(0), cost(1));
    assert_eq!(cost(0), cost(2));
    assert!(cost(5) > cost(0) + 4_000_000, "a slow file system is no accident: {} {}", cost(5), cost(0));
    // What has no others to be held beside is believed.
    let synced = lines(TOOL, ["fsync(3</d/f>) = 0 <0.004000>".to_owned()]);
    assert!(find("fsync", &synced).unwrap().saving.at_most_ns > Some(3_000_000));
}

#[test]
fn the_same_path_again() {
    let with = lines(TOOL, times(10, |_| stat("/etc/tool.conf")));
    let without = lines(TOOL, times(10, |n| stat(&format!("/etc/tool{n}.conf"))));
    let found = check("repeated-lookups", &with, &without);
    assert_eq!(evidence(&found), [("/etc/tool.conf".to_owned(), 9)]);
    // Two processes do not know of each other's answers.
    let two = lines(TOOL, times(10, |n| format!("{} {}", 7 + n, stat("/etc/tool.conf"))));
    assert_eq!(find("repeated-lookups", &two), None);
}

#[test]
fn stat_and_then_open() {
    let both = |n: usize| [stat(&format!("/d/{n}")), open(&format!("/d/{n}"))];
    let with = lines(TOOL, (0..6).flat_map(both));
    let open_first = |n: usize| [open(&format!("/d/{n}")), stat(&format!("/d/{n}"))];
    let without = lines(TOOL, (0..6).flat_map(open_first));
    assert_eq!(check("stat-before-open", &with, &without).saving.calls, 6);
    let modules = |n: usize| [stat(&format!("/d/{n}.pm")), open(&format!("/d/{n}.pm"))];
    assert_eq!(find("stat-before-open", &lines(PERL, (0..6).flat_map(modules))), None, "Perl looks for them");
    assert!(find("stat-before-open", &lines(TOOL, (0..6).flat_map(modules))).is_some());
}

#[test]
fn directories_listed_again() {
    let with = lines(TOOL, (0..3).flat_map(|_| list("/d")));
    let without = lines(TOOL, (0..3).flat_map(|n| list(&format!("/d{n}"))));
    let found = check("listed-again", &with, &without);
    assert_eq!((evidence(&found), found.saving.calls), (vec![("/d".to_owned(), 2)], 4));
}

#[test]
fn reads_of_little() {
    let read = |bytes: usize| times(32, move |_| format!("read(3</d/f>, \"\"..., 65536) = {bytes}"));
    let found = check("small-reads", &lines(TOOL, read(128)), &lines(TOOL, read(65536)));
    assert_eq!(found.saving.calls, 31, "one read would do");
    let made_up = times(32, |_| "read(3</proc/self/maps>, \"\"..., 65536) = 128".to_owned());
    assert_eq!(find("small-reads", &lines(TOOL, made_up)), None);
}

#[test]
fn questions_whose_answers_are_known() {
    let ask = |n: usize| {
        [
            "fstat(3</d/f>, {st_mode=S_IFREG|0644, ...}) = 0".to_owned(),
            "ioctl(3</d/f>, 0x5401, 0x1) = -1 ENOTTY (Inappropriate ioctl for device)".to_owned(),
            format!("lseek(3</d/f>, 0, {n}) = 0"),
            "fstat(3</d/f>, {st_mode=S_IFREG|0644, ...}) = 0".to_owned(),
            "close(3</d/f>) = 0".to_owned(),
        ]
    };
    let with = lines(TOOL, (0..4).flat_map(|_| ask(1)));
    let without = lines(TOOL, (0..11).map(|n| format!("lseek(3</d/f>, {n}, 1) = {n}")));
    assert_eq!(check("questions", &with, &without).saving.calls, 12);
}

#[test]
fn directories_that_exist() {
    let mkdir = |how: &'static str| times(3, move |_| format!(r#"mkdir("/d/e", 0777) = {how}"#));
    let found = check(
        "mkdir-exists",
        &lines(TOOL, mkdir("-1 EEXIST (File exists)")),
        &lines(TOOL, mkdir("-1 EACCES (Permission denied)")),
    );
    assert_eq!(evidence(&found), [("/d/e".to_owned(), 3)]);
}

#[test]
fn waits_for_the_disk() {
    let with = lines(TOOL, ["fsync(3</d/f>) = 0 <0.004000>".to_owned()]);
    let without = lines(TOOL, ["fsync(1<pipe:[7]>) = -1 EINVAL (Invalid argument)".to_owned()]);
    let found = check("fsync", &with, &without);
    assert_eq!(evidence(&found), [("/d/f".to_owned(), 1)]);
}

#[test]
fn wrappers_and_short_programs() {
    let shim = startup("shim", &runs()).0.findings;
    let plain = startup("3.11-script", &runs()).0.findings;
    let of = |findings: &Findings, kind| findings.list.iter().find(|finding| finding.kind == kind).cloned();
    for kind in ["wrapper", "short-programs"] {
        assert!(of(&shim, kind).is_some() && of(&plain, kind).is_none(), "{kind}");
    }
    let wrapper = of(&shim, "wrapper").unwrap();
    assert!(wrapper.what.bytes().starts_with(b"the shim of pyenv before python: 38 programs"), "{wrapper:?}");
    let Some(Remedy::Direct { program, argv }) = wrapper.remedy else { panic!("{wrapper:?}") };
    assert!(program.bytes().ends_with(b"/bin/python") && !argv.is_empty(), "{program:?}");
    assert!(!program.bytes().windows(5).any(|part| part == b"shims"));
}

/// A shim of pip whose last program is a hook of the manager's, which starts pip as a child. `wait` is how long the
/// shim takes before that.
fn hooked_shim(wait: u32) -> String {
    let shim = [
        r#"execve("/home/u/.pyenv/shims/pip", ["pip", "--version"], 0x1) = 0"#,
        r#"execve("/usr/bin/bash", ["bash", "/home/u/.pyenv/libexec/pyenv", "exec", "pip", "--version"], 0x1) = 0"#,
        r#"execve("/usr/bin/bash", ["bash", "/home/u/.pyenv/pyenv.d/exec/pip-rehash/pip", "--version"], 0x1) = 0"#,
    ];
    let [first, second, third] = shim;
    let begin = format!(
        "1 0.000000 {first} <0.000100>\n1 0.100000 {second} <0.000100>\n1 0.200000 {third} <0.000100>\n"
    );
    let log = fixture("3.11-script");
    let pid = log.split(' ').next().unwrap();
    let later = |line: &str| {
        let (time, rest) = line.strip_prefix(pid).unwrap().trim_start().split_once(' ').unwrap();
        format!("6377 {:.6} {rest}\n", time.parse::<f64>().unwrap() + f64::from(wait) + 0.001)
    };
    let python: String = log.lines().map(later).collect();
    let end = f64::from(wait) + 1.0;
    format!(
        "{begin}1 {wait}.000000 clone(child_stack=NULL, flags=SIGCHLD) = 6377 <0.000100>\n{python}\
         1 {end:.6} exit_group(0) = ?\n1 {end:.6} +++ exited with 0 +++\n"
    )
}

#[test]
fn a_version_managers_hook_is_never_the_program() {
    for wait in [1, 50] {
        let all = findings_of(&hooked_shim(wait), &runs());
        let wrapper = all.list.iter().find(|finding| finding.kind == "wrapper").unwrap();
        assert!(wrapper.what.bytes().starts_with(b"the shim of pyenv before python"), "{wrapper:?}");
        let Some(Remedy::Direct { program, .. }) = &wrapper.remedy else { panic!("{wrapper:?}") };
        assert!(program.bytes().ends_with(b"/bin/python"), "{program:?}");
    }
}

#[test]
fn searches_of_path() {
    let probe =
        |dir: &str| format!(r#"execve("{dir}/tool", ["tool"], 0x1) = -1 ENOENT (No such file or directory)"#);
    let with = [probe("/a"), probe("/b"), probe("/c"), probe("/d"), TOOL.to_owned()];
    let found = check("program-search", &with, &with[2..]);
    let drop = ["/a", "/b", "/c", "/d"].map(Into::into).to_vec();
    assert_eq!(found.remedy, Some(Remedy::ShorterPath { drop }));
    // A shell asks with stat before it forks.
    let shell = lines(TOOL, ["/a", "/b", "/c", "/d"].map(|dir| miss(&format!("{dir}/tool"))));
    assert_eq!(find("program-search", &shell).unwrap().saving.calls, 4);
}

#[test]
fn searches_of_the_loader() {
    let with = lines(
        TOOL,
        [
            no_open("/l1/glibc-hwcaps/x86-64-v3/libc.so.6"),
            no_open("/l1/libc.so.6"),
            no_open("/l2/libz.so.1"),
            open("/l2/libc.so.6"),
        ],
    );
    let without = lines(TOOL, [no_open("/l1/x.conf"), no_open("/l1/y.conf"), no_open("/l1/z.conf")]);
    let found = check("library-search", &with, &without);
    assert_eq!(found.remedy, Some(Remedy::ShorterLibraryPath { drop: vec!["/l1".into()] }));
    assert_eq!(evidence(&found), [("/l1".to_owned(), 2), ("/l2".to_owned(), 1)]);
}

#[test]
fn many_shared_objects() {
    let map = |n: usize| {
        [
            open(&format!("/lib/lib{n}.so")),
            format!("mmap(NULL, 4194304, PROT_READ, MAP_PRIVATE, 3</lib/lib{n}.so>, 0) = 0x7f0000{n:02}0000"),
        ]
    };
    let end = [
        "mmap(NULL, 9000, PROT_READ, MAP_PRIVATE, 3</etc/ld.so.cache>, 0) = 0x7f1000000000".to_owned(),
        "munmap(0x7f1000000000, 9000) = 0".to_owned(),
        "getpid() = 7".to_owned(),
    ];
    let objects = |n: usize| lines(TOOL, (0..n).flat_map(map).chain(end.clone()));
    let found = check("libraries", &objects(20), &objects(3));
    assert!(found.what.bytes().starts_with(b"20 shared objects, 80 MiB in all"), "{found:?}");
}

#[test]
fn relocation_that_takes_long() {
    let log = |wait: usize| {
        let map = |n: usize| {
            [
                open(&format!("/lib/lib{n}.so")),
                format!(
                    "mmap(NULL, 65536, PROT_READ, MAP_PRIVATE, 3</lib/lib{n}.so>, 0) = 0x7f0000{n:02}0000"
                ),
            ]
        };
        let rest = [
            "mmap(NULL, 9000, PROT_READ, MAP_PRIVATE, 3</etc/ld.so.cache>, 0) = 0x7f1000000000".to_owned(),
            "arch_prctl(ARCH_SET_FS, 0x7f1) = 0".to_owned(),
            "mprotect(0x7f0000018000, 32768, PROT_READ) = 0".to_owned(),
            "mprotect(0x7f0000008000, 4096, PROT_READ) = 0".to_owned(),
            "mprotect(0x550000000000, 4096, PROT_READ) = 0".to_owned(),
            "munmap(0x7f1000000000, 9000) = 0".to_owned(),
            "getpid() = 7".to_owned(),
        ];
        let text = log(&lines(TOOL, (0..2).flat_map(map).chain(rest)));
        let first = text.lines().position(|line| line.contains("mprotect")).unwrap();
        delayed(&text, first, wait)
    };
    let found =
        |wait| findings_of(&log(wait), &runs()).list.into_iter().find(|finding| finding.kind == "relocation");
    let heavy = found(3_000).unwrap();
    assert_eq!(evidence(&heavy), [("/lib/lib1.so".to_owned(), 32)]);
    assert!(heavy.saving.at_most_ns > Some(1_000_000), "{heavy:?}");
    assert_eq!(found(0), None);
}

#[test]
fn modules_of_perl() {
    let search = |n: usize| {
        [
            miss(&format!("/mine/A{n}.pm")),
            miss(&format!("/other/A{n}.pm")),
            open(&format!("/usr/share/perl/A{n}.pm")),
        ]
    };
    let with = lines(PERL, (0..5).flat_map(search));
    let without = lines(PERL, (0..5).map(|n| open(&format!("/usr/share/perl/A{n}.pm"))));
    let found = check("module-search", &with, &without);
    assert_eq!(evidence(&found), [("/mine".to_owned(), 5), ("/other".to_owned(), 5)]);
}

#[test]
fn gems_that_nobody_uses() {
    let found = |name: &str| {
        startup(name, &runs()).0.findings.list.into_iter().find(|finding| finding.kind == "rubygems")
    };
    let gems = found("ruby/3.1-script").unwrap();
    assert_eq!(gems.remedy, Some(Remedy::RubyNoGems));
    assert!(gems.saving.at_most_share > Some(0.3), "{:?}", gems.saving);
    assert_eq!(found("ruby/3.1-eval").unwrap().saving.at_most_ns, None, "the program is in the same phase");
    assert_eq!(found("ruby/3.1-nogems"), None);
    let script = fixture("ruby/3.1-script");
    let end = script.rfind("exit_group").and_then(|at| script[..at].rfind('\n')).unwrap() + 1;
    let gem = log(&[open("/var/lib/gems/3.1.0/gems/x-1.0/lib/x.rb")]);
    let used = format!("{}{gem}{}", &script[..end], &script[end..]);
    assert!(findings_of(&used, &runs()).list.iter().all(|finding| finding.kind != "rubygems"));
}

#[test]
fn packages_of_node() {
    let with = lines(TOOL, times(9, |n| miss(&format!("/a/b/node_modules/p{n}"))));
    let without = lines(TOOL, times(9, |n| stat(&format!("/a/b/node_modules/p{n}"))));
    let found = check("node-modules", &with, &without);
    assert_eq!(evidence(&found), [("/a/b/node_modules".to_owned(), 9)]);
    assert_eq!(find("missed-lookups", &with), None, "each miss has one cause");
}

#[test]
fn locales_and_time_zones() {
    let with = lines(TOOL, times(9, |n| no_open(&format!("/usr/share/locale/de/LC_MESSAGES/{n}.mo"))));
    let without = lines(TOOL, times(9, |n| no_open(&format!("/usr/share/tool/{n}.mo"))));
    check("locale", &with, &without);
    let with = lines(TOOL, times(14, |_| stat("/etc/localtime")));
    let without = lines(TOOL, times(14, |_| stat("/etc/local")));
    let found = check("time-zone", &with, &without);
    let all = lines(TOOL, times(200, |n| stat(&format!("/usr/share/zoneinfo/Z{n}"))));
    let whole = find("time-zone", &all).unwrap().advice;
    assert!(whole.bytes().starts_with(b"the program reads the names of all zones"), "{whole:?}");
    assert_eq!(found.remedy, Some(Remedy::NameTimeZone));
    assert_eq!(find("repeated-lookups", &with), None, "each has one cause");
}

#[test]
fn files_the_kernel_makes_up() {
    let with = lines(TOOL, times(12, |_| "read(3</proc/self/maps>, \"\"..., 4096) = 4000".to_owned()));
    let without = lines(TOOL, times(12, |_| "read(3</processes>, \"\"..., 4096) = 4000".to_owned()));
    check("proc-files", &with, &without);
}

#[test]
fn dear_forks() {
    let fork = |flags: &str, ns: &str| {
        let fork = format!("clone({flags}, 0x1) = 8 <0.000{ns}>");
        lines(TOOL, [fork, "getpid() = 7".to_owned()])
    };
    let found = |lines: &[String], rss_kib| {
        let mut header = runs();
        header.untraced.iter_mut().flat_map(|all| &mut all.runs).for_each(|run| run.max_rss_kib = rss_kib);
        findings_of(&log(lines), &header).list.into_iter().find(|finding| finding.kind == "fork")
    };
    let dear = fork("0x1200011", "900");
    assert_eq!(evidence(&found(&dear, 200 << 10).unwrap()), [("tool".to_owned(), 1)]);
    assert_eq!(found(&dear, 9 << 10), None, "a small process, and slow for some other reason");
    assert_eq!(found(&fork("0x4111", "900"), 200 << 10), None, "memory is shared");
    assert_eq!(found(&fork("0x1200011", "090"), 200 << 10), None, "cheap");
}

#[test]
fn calls_on_the_network() {
    let with = |peer: &'static str| {
        let mut startup = Startup::new(&runs());
        let wait = call("poll", 20_000, 4_000_000, 1);
        startup.add(&Event { peer: Some(peer.as_bytes()), ..call("connect", 0, 8_000, 0) });
        startup.add(&wait);
        startup.add(&total());
        let findings = startup.finish().0.findings.list;
        findings.into_iter().find(|finding| finding.kind == "network")
    };
    let found = with("inet:192.0.2.1:53").unwrap();
    assert_eq!(
        (evidence(&found), found.evidence[0].note),
        (vec![("inet:192.0.2.1:53".to_owned(), 2)], "calls, name server")
    );
    assert!(found.saving.at_most_ns > Some(3_000_000), "{:?}", found.saving);
    assert_eq!(with("unix:/run/x"), None);
}

#[test]
fn every_kind_has_a_test_and_a_place_in_the_documentation() {
    let tests = [include_str!("mod.rs"), include_str!("python.rs")].concat();
    let docs = include_str!("../../../../docs/findings.md");
    for kind in &KINDS {
        assert!(tests.contains(&format!("\"{}\"", kind.name)), "no test for {}", kind.name);
        assert!(docs.contains(&format!("`{}`", kind.name)), "no word of {}", kind.name);
    }
}

#[test]
fn without_a_calibration_only_counts_are_known() {
    let unknown = Header { calibration: None, ..header() };
    let found = findings_of(&log(&lines(TOOL, times(30, |n| miss(&format!("/etc/tool.d/{n}"))))), &unknown);
    let missed = found.list.iter().find(|finding| finding.kind == "missed-lookups").unwrap();
    assert_eq!((missed.saving.calls, missed.saving.at_most_ns, missed.saving.at_least_ns), (30, None, None));
    assert!(!missed.small);
}

#[test]
fn nothing_saves_more_than_there_is() {
    let names = ["2.7-uses", "3.6-script", "3.11-uses", "3.13-script", "shim", "wrapper"];
    for name in names {
        let report = startup(name, &runs()).0;
        let findings = &report.findings.list;
        assert!(!findings.is_empty(), "{name}");
        for finding in findings {
            let kind = KINDS.iter().find(|kind| kind.name == finding.kind).unwrap();
            assert!(finding.saving.at_most_ns <= Some(report.wall.ns), "{name}: {finding:?}");
            if kind.file_system {
                assert!(finding.saving.at_most_ns <= report.file_system.cost_ns, "{name}: {finding:?}");
            }
            assert!(finding.saving.at_least_ns <= finding.saving.at_most_ns, "{name}: {finding:?}");
            assert_eq!(finding.safety, finding.remedy.as_ref().map(Remedy::safety));
        }
        let order: Vec<_> =
            findings.iter().map(|finding| (finding.small, finding.saving.at_most_ns)).collect();
        assert!(
            order.is_sorted_by(|a, b| (a.0, std::cmp::Reverse(a.1)) <= (b.0, std::cmp::Reverse(b.1))),
            "{order:?}"
        );
    }
}

#[test]
fn a_log_of_nothing_has_no_findings() {
    assert_eq!(find("missed-lookups", &[]), None);
    let mut startup = Startup::new(&runs());
    startup.add(&total());
    assert!(startup.finish().0.findings.list.is_empty());
}
