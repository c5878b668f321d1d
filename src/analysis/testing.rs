//! Test support: headers, events by hand, and events from `strace` logs.
//!
//! The reader of strace's text is for the fixtures in `fixtures/python` and its neighbours, written with
//! `strace -f -ttt -T -y -s 120 -o FILE` on x86-64 and shortened; it reads nothing else.

use crate::analysis::text;
use crate::event::{Abi, Event, FileStat, Kind};
use crate::log::{Calibration, Clock, Environment, Header, Host, Run, Untraced};
use crate::syscall;

/// A header of a ptrace log with a calibration and without untraced runs.
pub fn header() -> Header {
    Header {
        format: crate::log::FORMAT_VERSION,
        writer: "0.1.0".to_owned(),
        command: vec!["python".to_owned(), "hello.py".to_owned()],
        cwd: "/home/u".to_owned(),
        environment: Environment::default(),
        host: Host { tick_ns: 1_000_000, ..Host::default() },
        backend: "ptrace".to_owned(),
        clock: Clock::default(),
        calibration: Some(Calibration {
            call: "getppid".to_owned(),
            calls: 1000,
            untraced_ns: 100,
            added_ns: 14_000,
            mean_ns: 6_500,
            p50_ns: 6_000,
            p90_ns: 7_000,
            p99_ns: 20_000,
            max_ns: 100_000,
            histogram: vec![(6_000, 900), (20_000, 90), (100_000, 10)],
        }),
        untraced: None,
        options: std::collections::BTreeMap::new(),
        repeats: None,
        replayed: None,
    }
}

/// The same with untraced runs of these wall times.
pub fn with_untraced(mut header: Header, walls: &[u64]) -> Header {
    let run = |&wall_ns| Run { wall_ns, user_ns: wall_ns / 2, minor_faults: 900, ..Run::default() };
    header.untraced = Some(Untraced { first: None, runs: walls.iter().map(run).collect(), cold: None });
    header
}

/// A call of process (and thread) 1 by name. Panics if the table has no such call.
pub fn call(name: &str, at_ns: u64, duration_ns: u64, ret: i64) -> Event<'static> {
    let spec = syscall::by_name(Abi::X86_64, name).unwrap_or_else(|| panic!("no call {name}"));
    Event {
        pid: 1,
        tid: 1,
        nr: spec.nr,
        start_ns: at_ns,
        end_ns: Some(at_ns + duration_ns),
        ret: Some(ret),
        ..Event::new(Kind::Syscall)
    }
}

/// Events of a strace log, in order of completion.
pub fn strace(log: &str, mut each: impl FnMut(&Event<'_>)) {
    let mut reader = Reader { processes: threads(log), ..Reader::default() };
    for line in log.lines() {
        reader.line(line, &mut each);
    }
}

/// The threads made in a log, with the processes they belong to.
fn threads(log: &str) -> rustc_hash::FxHashMap<u32, u32> {
    let mut processes = rustc_hash::FxHashMap::default();
    for line in log.lines().filter(|line| line.contains("parent_tid=[")) {
        let maker: u32 = line.split(' ').next().unwrap().parse().unwrap();
        let result = line.rsplit_once(" = ").and_then(|(_, result)| result.split(' ').next()?.parse().ok());
        if let Some(tid) = result {
            let process = processes.get(&maker).copied().unwrap_or(maker);
            processes.insert(tid, process);
        }
    }
    processes
}

#[derive(Default)]
struct Reader {
    /// Processes of threads that are not their first.
    processes: rustc_hash::FxHashMap<u32, u32>,
    origin: Option<f64>,
    cwd: rustc_hash::FxHashMap<u32, Vec<u8>>,
    parents: rustc_hash::FxHashMap<u32, u32>,
    unfinished: rustc_hash::FxHashMap<u32, (u64, String)>,
}

impl Reader {
    fn line(&mut self, line: &str, each: &mut impl FnMut(&Event<'_>)) {
        let Some((pid, rest)) = line.split_once(' ') else { return };
        let Ok(pid) = pid.parse::<u32>() else { return };
        let rest = rest.trim_start();
        let (at, rest) = rest.split_once(' ').unwrap();
        let at: f64 = at.parse().unwrap();
        let origin = *self.origin.get_or_insert(at);
        let start_ns = ((at - origin) * 1e9).round() as u64;
        let process = self.processes.get(&pid).copied().unwrap_or(pid);
        let base =
            Event { pid: process, tid: pid, start_ns, end_ns: Some(start_ns), ..Event::new(Kind::Syscall) };
        if let Some(how) = rest.strip_prefix("+++ ") {
            let status = match how.strip_prefix("exited with ") {
                Some(number) => number.trim_end_matches(" +++").parse().unwrap(),
                None => -9,
            };
            each(&Event { kind: Kind::Exit, ret: Some(status), ..base });
        } else if rest.starts_with("---") {
            each(&Event { kind: Kind::Signal, ..base });
        } else if let Some(begin) = rest.strip_suffix(" <unfinished ...>") {
            self.unfinished.insert(pid, (start_ns, begin.to_owned()));
        } else if let Some(end) = rest.strip_prefix("<... ") {
            let (_, end) = end.split_once(" resumed>").unwrap();
            if let Some((began_ns, begin)) = self.unfinished.remove(&pid) {
                let base = Event { start_ns: began_ns, ..base };
                self.call(&base, &format!("{begin}{end}"), each);
            }
        } else {
            self.call(&base, rest, each);
        }
    }

    fn call(&mut self, base: &Event<'static>, text: &str, each: &mut impl FnMut(&Event<'_>)) {
        let (name, rest) = text.split_once('(').unwrap();
        let spec = syscall::by_name(Abi::X86_64, name).unwrap_or_else(|| panic!("no call {name}"));
        let (arguments, result) = rest.rsplit_once(" = ").unwrap();
        let arguments = arguments.trim_end().strip_suffix(')').unwrap();
        let words = split(arguments);
        let word = result.split([' ', '<']).next().unwrap();
        let errno = result.split(' ').nth(1).filter(|errno| errno.starts_with('E'));
        let mut event: Event<'_> = *base;
        event.nr = spec.nr;
        event.ret = match (word, errno) {
            ("?", _) => None,
            (_, Some(name)) => {
                Some(-(1..134).find(|&e| super::errno::name(e) == name).map_or(512, i64::from))
            }
            (number, None) => number
                .strip_prefix("0x")
                .map_or_else(|| number.parse().ok(), |hex| i64::from_str_radix(hex, 16).ok()),
        };
        let took = result.rsplit_once('<').and_then(|(_, took)| took.strip_suffix('>')?.parse::<f64>().ok());
        event.end_ns = took.map(|took| event.start_ns + (took * 1e9).round() as u64);
        for (at, word) in words.iter().enumerate().take(6) {
            event.args[at] = number(word);
        }
        let behind = |word: &str| -> Option<String> {
            let (fd, name) = word.split_once('<')?;
            fd.parse::<i64>().ok()?;
            Some(name.strip_suffix('>')?.to_owned())
        };
        let returned = result.split(" <0.").next().and_then(behind);
        let file = words.iter().find_map(|word| behind(word)).or(returned);
        let cwd = self.cwd(event.pid);
        let takes_path = spec.classes.intersects(syscall::Classes::FILE);
        let quoted = words.iter().take(2).find_map(|word| word.strip_prefix('"')?.strip_suffix('"'));
        let path = quoted.filter(|_| takes_path).map(str::as_bytes);
        let abs = path.filter(|path| !path.is_empty()).map(|path| absolute(&cwd, path));
        event.path = path;
        event.path_abs = abs.as_deref();
        event.file = file.as_deref().map(str::as_bytes);
        if text.contains("st_mode=S_IF") {
            let mode = if text.contains("S_IFDIR") { 0o040_755 } else { 0o100_644 };
            event.stat = Some(FileStat { mode, ..FileStat::default() });
        }
        if name == "getcwd" && event.ret.is_some_and(|ret| ret > 0) {
            event.text = quoted.map(str::as_bytes);
        }
        self.emit(&event, name, &words, each);
    }

    fn emit(&mut self, event: &Event<'_>, name: &str, words: &[&str], each: &mut impl FnMut(&Event<'_>)) {
        let end_ns = event.end_ns.unwrap_or(event.start_ns);
        let point = Event { start_ns: end_ns, end_ns: Some(end_ns), kind: Kind::Fork, ..*event };
        match name {
            "execve" if event.ret == Some(0) => {
                let list = words[1].trim_start_matches('[').trim_end_matches(']');
                let argv: Vec<u8> = split(list)
                    .iter()
                    .flat_map(|word| [word.trim_matches('"').as_bytes(), b"\0"].concat())
                    .collect();
                each(&Event { kind: Kind::Exec, argv: Some(&argv), args: [0; 6], file: None, ..point });
            }
            "clone" | "clone3" | "fork" | "vfork" if event.ret.is_some_and(|ret| ret > 0) => {
                let child = event.ret.unwrap_or(0) as u64;
                self.parents.insert(child as u32, event.pid);
                let (flags, process) = self
                    .processes
                    .get(&(child as u32))
                    .map_or((17, child), |&pid| (0x1_0000, u64::from(pid)));
                each(&Event { args: [flags, process, 0, 0, 0, 0], ..point });
            }
            "chdir" if event.ret == Some(0) => {
                self.cwd.insert(event.pid, event.path_abs.unwrap_or_default().to_vec());
            }
            _ => {}
        }
        each(event);
    }

    /// Where a process is: where it went, where its parent was, or where the fixtures were made.
    fn cwd(&mut self, pid: u32) -> Vec<u8> {
        if let Some(cwd) = self.cwd.get(&pid) {
            return cwd.clone();
        }
        let cwd = match self.parents.get(&pid).copied() {
            Some(parent) => self.cwd(parent),
            None => b"/home/u".to_vec(),
        };
        self.cwd.insert(pid, cwd.clone());
        cwd
    }
}

fn absolute(cwd: &[u8], path: &[u8]) -> Vec<u8> {
    if path.starts_with(b"/") { path.to_vec() } else { [cwd, b"/", path].concat() }
}

/// The arguments of a call: split at commas outside of strings, structures and angle brackets.
fn split(arguments: &str) -> Vec<&str> {
    let (mut depth, mut quoted, mut from) = (0_i32, false, 0);
    let mut words = Vec::new();
    let bytes = arguments.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'"' if at == 0 || bytes[at - 1] != b'\\' => quoted = !quoted,
            _ if quoted => {}
            b'{' | b'[' | b'<' | b'(' => depth += 1,
            b'}' | b']' | b')' => depth -= 1,
            b'>' if at == 0 || bytes[at - 1] != b'=' => depth -= 1,
            b',' if depth == 0 => {
                words.push(arguments[from..at].trim());
                from = at + 1;
            }
            _ => {}
        }
    }
    words.push(arguments[from..].trim());
    words
}

/// An argument as a number: descriptors, addresses, the signals that matter; `NULL` is 0, a structure 1.
fn number(word: &str) -> u64 {
    let plain = word.split('<').next().unwrap_or_default();
    match plain {
        "NULL" => 0,
        "SIGINT" => 2,
        "SIGPIPE" => 13,
        "SIGXFSZ" => 25,
        "AT_FDCWD" => -100_i64 as u64,
        _ if plain.starts_with("O_RDONLY") => 0,
        _ if plain.starts_with("O_WRONLY") => 1,
        _ if plain.starts_with("O_RDWR") => 2,
        _ if plain.starts_with('{') || plain.starts_with('"') => 1,
        _ => plain
            .strip_prefix("0x")
            .map_or_else(
                || plain.parse::<i64>().ok().map(|n| n as u64),
                |hex| u64::from_str_radix(hex, 16).ok(),
            )
            .unwrap_or(u64::MAX),
    }
}

#[test]
fn strace_lines_become_events() {
    let log = "\
7  100.000000 execve(\"/bin/python3\", [\"python\", \"a b.py\"], 0x7ffe /* 3 vars */) = 0 <0.000400>
7  100.001000 openat(AT_FDCWD</home/u>, \"x.py\", O_RDONLY|O_CLOEXEC) = 3</home/u/x.py> <0.000010>
7  100.001100 read(3</home/u/x.py>, \"\"..., 4096) = -1 EISDIR (Is a directory) <0.000007>
7  100.002000 exit_group(0) = ?
7  100.002500 +++ exited with 0 +++
";
    let mut seen = Vec::new();
    strace(log, |event| {
        let argv = event.argv.map(|argv| text::arguments(argv).count());
        let path = event.path_abs.map(|path| String::from_utf8(path.to_vec()).unwrap());
        seen.push((event.kind, event.ret, event.duration_ns(), argv, path));
    });
    let path = |path: &str| Some(path.to_owned());
    assert_eq!(
        seen,
        [
            (Kind::Exec, Some(0), Some(0), Some(2), path("/bin/python3")),
            (Kind::Syscall, Some(0), Some(400_000), None, path("/bin/python3")),
            (Kind::Syscall, Some(3), Some(10_000), None, path("/home/u/x.py")),
            (Kind::Syscall, Some(-21), Some(7_000), None, None),
            (Kind::Syscall, None, None, None, None),
            (Kind::Exit, Some(0), Some(0), None, None),
        ]
    );
}

/// What ends a complete log.
pub fn total() -> Event<'static> {
    Event { text: Some(b"events"), ret: Some(1), ..Event::new(Kind::Total) }
}

/// The log of a fixture: of Python's by its name, of another program by folder and name.
pub fn fixture(name: &str) -> String {
    let folder = if name.contains('/') { "" } else { "python/" };
    let path = format!("{}/fixtures/{folder}{name}.strace", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What the startup analysis makes of a fixture.
pub fn startup(name: &str, header: &Header) -> (super::startup::Report, super::flame::Drawing) {
    let mut startup = super::startup::Startup::new(header);
    strace(&fixture(name), |event| startup.add(event));
    startup.add(&total());
    startup.finish()
}
