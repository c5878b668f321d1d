//! Launching and measuring, from outside: what a command can see of being measured (nothing), what
//! its person sees of it (its output, once), and how it ends. Drives `examples/untraced.rs`.

use nix::fcntl::{OFlag, open};
use nix::pty::{PtyMaster, grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use tempfile::TempDir;

/// The example, built from the sources as they are.
fn driver() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--example", "untraced"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .expect("cargo runs");
        assert!(built.success(), "the example builds");
        let tests = std::env::current_exe().expect("the test has a path");
        let target = tests.parent().and_then(Path::parent).expect("it is in target/PROFILE/deps");
        target.join("examples/untraced")
    })
}

/// A directory with a log that every run of a probe appends to, and the results.
struct Bench {
    directory: TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("a temporary directory") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The example with its own options, then the command.
    fn measure(&self, options: &[&str], command: &[&str]) -> Command {
        let mut measure = Command::new(driver());
        measure.arg("--json").arg(self.path("result")).args(options).args(command);
        measure.env("LOG", self.path("log")).stdin(Stdio::null());
        measure
    }

    /// The same for a shell script.
    fn script(&self, options: &[&str], script: &str) -> Command {
        self.measure(options, &["sh", "-c", script])
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    fn result(&self) -> serde_json::Value {
        let text = fs::read_to_string(self.path("result")).expect("the result was written");
        serde_json::from_str(&text).expect("it is JSON")
    }

    fn ending(&self) -> String {
        self.result()["ending"].as_str().expect("it has an ending").to_owned()
    }

    fn counted(&self) -> usize {
        self.result()["untraced"]["runs"]["wall_ns"].as_array().expect("it has runs").len()
    }
}

fn output(command: &mut Command) -> Output {
    command.output().expect("the command starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Lines that runs have logged must be `runs` times the same one; that one.
fn same_every_time(log: &str, runs: usize) -> &str {
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines.len(), runs, "{log}");
    assert!(lines.iter().all(|line| *line == lines[0]), "{log}");
    lines[0]
}

/// An executable file, written by another process: one that we write ourselves can be busy
/// (ETXTBSY) because a concurrent test was forking at that moment.
fn program(bench: &Bench, name: &str, mode: u32, content: &[u8]) -> String {
    let file = bench.path(name);
    let mut copy = Command::new("sh")
        .args(["-c", "cat > \"$0\""])
        .arg(&file)
        .stdin(Stdio::piped())
        .spawn()
        .expect("sh starts");
    copy.stdin.take().expect("it is piped").write_all(content).expect("sh reads");
    assert!(copy.wait().expect("sh ends").success());
    fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("the file is ours");
    file.to_str().expect("it is UTF-8").to_owned()
}

#[test]
fn commands_that_cannot_run_say_why() {
    let bench = Bench::new();
    let mut elf = fs::read("/bin/true").expect("there is /bin/true");
    let interpreter = elf.windows(8).position(|bytes| bytes == b"/ld-linu").expect("it is dynamic");
    elf[interpreter + 1..interpreter + 3].copy_from_slice(b"no");
    let mut foreign = elf.clone();
    foreign[18..20].copy_from_slice(&183u16.to_le_bytes());
    let cases: [(String, i32, &str); 11] = [
        ("no-such-command-anywhere".into(), 127, "no such command in PATH"),
        (bench.path("missing").display().to_string(), 127, "there is no such file"),
        (bench.path("").display().to_string(), 126, "is a directory"),
        (program(&bench, "hello.py", 0o644, b"print(1)\n"), 126, "is not executable; try `python3 "),
        (program(&bench, "bare.sh", 0o755, b"echo hi\n"), 126, "has no #! line; try `sh "),
        (program(&bench, "empty", 0o755, b""), 126, "is empty"),
        (
            program(&bench, "bad", 0o755, b"#!/no/such -x\n"),
            127,
            "its interpreter /no/such (#! line) does not",
        ),
        (program(&bench, "dos", 0o755, b"#!/bin/sh\r\n"), 127, "ends in a carriage return"),
        (program(&bench, "loader", 0o755, &elf), 127, "/no-linux-x86-64.so.2 does not exist"),
        (program(&bench, "foreign", 0o755, &foreign), 126, "is a program for aarch64"),
        (program(&bench, "data", 0o755, b"\0\x01\x02"), 126, "is neither a program nor a script"),
    ];
    for (name, code, why) in cases {
        let done = output(&mut bench.measure(&[], &[&name]));
        let said = text(&done.stderr);
        assert_eq!(done.status.code(), Some(code), "{name}: {said}");
        assert!(said.contains(why) && said.contains(name.trim_end_matches('/')), "{name}: {said}");
        assert_eq!(said.lines().count(), 1, "{name}: {said}");
    }
}

/// What a process can see of how it was started.
const STARTED_AS: &str = "echo $(grep -E '^(Sig(Ign|Blk|Cgt)|Umask|Cpus_allowed|NoNewPrivs|Seccomp):' /proc/self/status; \
     cut -d' ' -f5-7,18,19,41 /proc/self/stat; cat /proc/self/limits /proc/self/timerslack_ns; \
     pwd -P; ls /proc/self/fd; env | grep -v ^_= | sort | cksum; cksum </proc/$$/cmdline) >>\"$LOG\"";

/// Runs a command line directly and measured, with `before` made of its start; both logs.
fn directly_and_measured(before: &str) -> (String, String) {
    let (direct, measured) = (Bench::new(), Bench::new());
    let log = direct.path("log");
    let run = |command: &str| {
        let wrapped = format!("{before} {command}");
        let done = output(
            Command::new("sh")
                .args(["-c", &wrapped, "sh", "-c", STARTED_AS])
                .env("LOG", &log)
                .env("TRACED", driver())
                .env("RESULT", measured.path("result"))
                .stdin(Stdio::null()),
        );
        assert!(done.status.success(), "{wrapped}: {}", text(&done.stderr));
        let seen = fs::read_to_string(&log).expect("the probe has logged");
        fs::remove_file(&log).expect("the log is ours");
        seen
    };
    (run("sh \"$@\""), run("\"$TRACED\" --json \"$RESULT\" --runs 2 sh \"$@\""))
}

#[test]
fn command_starts_as_if_nobody_measured() {
    let starts = [
        "exec",
        "trap '' PIPE INT QUIT TSTP; exec",
        "trap '' HUP TERM CHLD TTOU XFSZ USR1; exec",
        "exec env --block-signal=USR1,CHLD,RTMIN+3 --ignore-signal=RTMIN+1",
        "umask 027; ulimit -n 77; ulimit -c 0; exec nice -n 3",
        "exec 7</dev/null 9>&1; exec",
        "exec taskset 1",
    ];
    for before in starts {
        let (direct, measured) = directly_and_measured(before);
        let direct = same_every_time(&direct, 1);
        let measured = same_every_time(&measured, 3);
        // Each sh of ours is its own group leader's child; the group and session are inherited.
        assert_eq!(direct, measured, "{before}");
    }
}

/// Logs the kind, status flags and offset of the descriptors 0 to 2, in one line. The looking is
/// done in a subshell whose own descriptors do not matter; not in a command substitution, because
/// its pipe would get the number of a closed descriptor.
fn look(more: &str) -> String {
    format!(
        "exec 8>\"$LOG.$$\"
         look() {{ (
             if [ ! -e /proc/$$/fd/$1 ]; then echo closed >&8; exit; fi
             [ ! -t $1 ] || stty -a <&$1 >&8
             stat -L -c '%F %a' /proc/$$/fd/$1 >&8
             sed -n 's/^flags:[[:space:]]*//p; s/^pos:[[:space:]]*/at /p' /proc/$$/fdinfo/$1 >&8
         ) }}
         look 0; look 1; look 2; {more}; exec 8>&-; echo $(cat \"$LOG.$$\") >>\"$LOG\""
    )
}

/// A terminal: our side, and the one that programs have. No concurrent test's child inherits them.
fn pseudo_terminal() -> (PtyMaster, OwnedFd) {
    let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let master = posix_openpt(flags).expect("there are pseudo-terminals");
    grantpt(&master).and_then(|()| unlockpt(&master)).expect("it is ours");
    let name = ptsname_r(&master).expect("it has a name");
    let slave = open(name.as_str(), flags, Mode::empty()).expect("it is there");
    (master, slave)
}

#[test]
fn later_runs_write_to_the_same_kind_of_thing() {
    let script = look("echo out; echo err >&2; look 1; look 2");
    // How the outputs are redirected, what that makes of them, how often the output is seen.
    let cases = [
        ("exec \"$@\"", "fifo", 1),
        ("exec \"$@\" >/dev/null", "character special file", 0),
        ("exec \"$@\" >&-", "closed", 0),
        ("exec \"$@\" 2>&-", "closed", 1),
        ("exec \"$@\" <&- >/dev/null 2>&1", "closed", 0),
        ("echo old >\"$OUT\"; exec \"$@\" >\"$OUT\" 2>&1", "regular", 1),
        (": >\"$OUT\"; exec \"$@\" >>\"$OUT\" 2>&1", "regular", 1),
        ("exec \"$@\" >\"$OUT\" 2>\"$OUT.err\"", "regular", 1),
        ("exec \"$@\" 1<>\"$OUT\"", "regular", 1),
    ];
    for (redirected, kind, times) in cases {
        let bench = Bench::new();
        let mut measured = Command::new("sh");
        measured.args(["-c", redirected, "sh"]).arg(driver()).arg("--json").arg(bench.path("result"));
        measured.args(["--runs", "3", "sh", "-c", &script]);
        measured.env("LOG", bench.path("log")).env("OUT", bench.path("out")).stdin(Stdio::null());
        // A closed descriptor makes `echo` fail, which is all right here.
        let done = output(measured.arg("x"));
        assert!(done.status.success(), "{redirected}: {}", text(&done.stderr));
        let log = bench.log();
        let seen = same_every_time(&log, 4);
        assert!(seen.contains(kind), "{redirected}: {log}");
        let file = fs::read_to_string(bench.path("out")).unwrap_or_default();
        let shown = text(&done.stdout) + &file;
        assert_eq!(shown.matches("out").count(), times, "{redirected}: {shown}");
    }
}

#[test]
fn later_runs_write_to_a_terminal_like_the_real_one() {
    let bench = Bench::new();
    let (master, terminal) = pseudo_terminal();
    let slave = || Stdio::from(terminal.try_clone().expect("a descriptor"));
    let stty = ["rows", "33", "cols", "111", "-echo", "-onlcr", "intr", "^G"];
    let set = Command::new("stty").args(stty).stdin(slave()).status().expect("stty starts");
    assert!(set.success());
    let script = look("echo shown; stty cols 7");
    let mut child = bench
        .script(&["--runs", "3"], &script)
        .stdin(slave())
        .stdout(slave())
        .stderr(slave())
        .spawn()
        .expect("the example starts");
    assert!(child.wait().expect("it ends").success());
    drop(terminal);
    let mut shown = Vec::new();
    // At the end of a pseudo-terminal's output stands EIO.
    let _ = File::from(OwnedFd::from(master)).read_to_end(&mut shown);
    assert_eq!(text(&shown), "shown\n");
    let log = bench.log();
    let output_terminal: Vec<_> = log
        .lines()
        .map(|line| {
            (
                line.matches("columns 111").count(),
                line.matches("intr = ^G").count(),
                line.matches("-onlcr").count(),
            )
        })
        .collect();
    // Descriptor 0 is the real one, which the first run has resized; 1 and 2 are as at the start.
    assert_eq!(output_terminal, [(3, 3, 3), (2, 3, 3), (2, 3, 3), (2, 3, 3)], "{log}");
}

#[test]
fn later_runs_write_to_a_socket() {
    let bench = Bench::new();
    let (ours, theirs) = UnixStream::pair().expect("a pair of sockets");
    let mut child = bench
        .script(&["--runs", "2"], &look("echo shown"))
        .stdin(Stdio::from(OwnedFd::from(theirs.try_clone().expect("a descriptor"))))
        .stdout(Stdio::from(OwnedFd::from(theirs)))
        // Not the test runner's, which may be a file that grows.
        .stderr(Stdio::null())
        .spawn()
        .expect("the example starts");
    assert!(child.wait().expect("it ends").success());
    let log = bench.log();
    assert_eq!(same_every_time(&log, 3).matches("socket 777").count(), 2, "{log}");
    let mut shown = String::new();
    let mut ours = ours;
    ours.read_to_string(&mut shown).expect("the other end is closed");
    assert_eq!(shown, "shown\n");
}

#[test]
fn output_beyond_any_buffer_is_drained() {
    let bench = Bench::new();
    let done = output(&mut bench.script(&["--runs", "3"], "head -c 300000 /dev/zero"));
    assert_eq!(done.stdout.len(), 300_000);
    assert_eq!((bench.ending().as_str(), bench.counted()), ("enough runs", 3));
}

/// Feeds a thread's worth of input to a child while it runs.
fn feed(child: &mut Child, input: Vec<u8>) -> std::thread::JoinHandle<()> {
    let mut stdin = child.stdin.take().expect("it is piped");
    std::thread::spawn(move || stdin.write_all(&input).expect("all of it is read"))
}

#[test]
fn every_run_reads_the_same_input() {
    let input: Vec<u8> = (0..300_000u32).flat_map(u32::to_le_bytes).collect();
    let script = "cksum >>\"$LOG\"";
    let expected = {
        let bench = Bench::new();
        fs::write(bench.path("in"), &input).expect("a file");
        let file = File::open(bench.path("in")).expect("it is there");
        let done = output(bench.script(&["--runs", "3"], script).stdin(file));
        assert!(done.status.success(), "{}", text(&done.stderr));
        same_every_time(&bench.log(), 4).to_owned()
    };
    assert!(expected.ends_with(" 1200000"), "{expected}");

    let bench = Bench::new();
    let mut child =
        bench.script(&["--runs", "3"], script).stdin(Stdio::piped()).spawn().expect("the example starts");
    let feeder = feed(&mut child, input.clone());
    assert!(child.wait().expect("it ends").success());
    feeder.join().expect("it was fed");
    assert_eq!(same_every_time(&bench.log(), 4), expected);

    let bench = Bench::new();
    let (mut ours, theirs) = UnixStream::pair().expect("a pair of sockets");
    let mut child = bench
        .script(&["--runs", "3"], script)
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .spawn()
        .expect("the example starts");
    ours.write_all(&input).expect("all of it is read");
    drop(ours);
    assert!(child.wait().expect("it ends").success());
    assert_eq!(same_every_time(&bench.log(), 4), expected);
}

#[test]
fn a_file_is_read_from_where_it_stood() {
    let bench = Bench::new();
    fs::write(bench.path("in"), "first\nsecond\nthird\n").expect("a file");
    let inner = "read line; echo $line >>\"$LOG\"";
    let outer = "read skipped; \"$TRACED\" --runs 2 sh -c \"$INNER\"; read next; echo after $next";
    let done = output(
        Command::new("sh")
            .args(["-c", outer])
            .env("TRACED", driver())
            .env("INNER", inner)
            .env("LOG", bench.path("log"))
            .stdin(File::open(bench.path("in")).expect("it is there")),
    );
    assert_eq!(same_every_time(&bench.log(), 3), "second");
    // As if the command had run once.
    assert_eq!(text(&done.stdout), "after third\n");
}

#[test]
fn a_pipe_that_nobody_closes_is_not_waited_for() {
    let bench = Bench::new();
    let mut child = bench
        .script(&["--runs", "3"], "head -c 5 >>\"$LOG\"; echo >>\"$LOG\"")
        .stdin(Stdio::piped())
        .spawn()
        .expect("the example starts");
    let mut open = child.stdin.take().expect("it is piped");
    open.write_all(b"12345").expect("it is read");
    assert!(child.wait().expect("it ends").success());
    assert_eq!(same_every_time(&bench.log(), 4), "12345");
    drop(open);
}

#[test]
fn input_too_long_to_keep_stops_after_the_first_run() {
    let bench = Bench::new();
    let done = output(
        Command::new("sh")
            .args(["-c", "head -c 68000000 /dev/zero | \"$TRACED\" --json \"$RESULT\" --runs 3 wc -c"])
            .env("TRACED", driver())
            .env("RESULT", bench.path("result")),
    );
    assert_eq!(text(&done.stdout), "68000000\n");
    assert_eq!(done.status.code(), Some(125));
    assert!(text(&done.stderr).contains("longer than the 64 MiB"), "{}", text(&done.stderr));
    assert_eq!(bench.counted(), 0);
    assert!(bench.result()["untraced"]["first"].is_object());
}

#[test]
fn input_that_cannot_be_kept_stops_after_the_first_run() {
    let limited = "ulimit -f 1; head -c 5000 /dev/zero | \"$TRACED\" --runs 3 wc -c";
    let done = output(Command::new("sh").args(["-c", limited]).env("TRACED", driver()));
    assert_eq!(text(&done.stdout), "5000\n");
    assert_eq!(done.status.code(), Some(125));
    assert!(text(&done.stderr).contains("cannot keep standard input"), "{}", text(&done.stderr));
}

#[test]
fn the_first_failing_run_stops_the_repeats() {
    let third = "echo run >>\"$LOG\"; [ $(wc -l <\"$LOG\") -ne 3 ]";
    let bench = Bench::new();
    assert!(output(&mut bench.script(&["--runs", "6"], third)).status.success());
    assert_eq!(bench.log().lines().count(), 3);
    assert_eq!(bench.counted(), 1);
    assert!(bench.ending().starts_with("run 3 of the command failed (exit status: 1)"), "{}", bench.ending());

    let bench = Bench::new();
    output(&mut bench.script(&["--runs", "6", "--ignore-failure"], third));
    assert_eq!((bench.counted(), bench.ending().as_str()), (6, "enough runs"));

    let bench = Bench::new();
    let done = output(&mut bench.script(&[], "exit 7"));
    assert_eq!((done.status.code(), bench.counted()), (Some(7), 0));
    assert!(bench.result()["untraced"]["first"].is_null());

    let bench = Bench::new();
    let done = output(&mut bench.script(&[], "kill -SEGV $$"));
    assert_eq!(done.status.signal(), Some(libc::SIGSEGV));
    assert!(bench.ending().contains("SIGSEGV"), "{}", bench.ending());
}

#[test]
fn a_shell_command_prepares_each_run() {
    let bench = Bench::new();
    let prepare = "echo prepared >>\"$LOG\"; rm -f \"$LOG.left\"";
    let script = "[ ! -e \"$LOG.left\" ] && touch \"$LOG.left\"";
    assert!(output(&mut bench.script(&["--runs", "3", "--prepare", prepare], script)).status.success());
    assert_eq!((bench.counted(), bench.log().lines().count()), (3, 4));

    let bench = Bench::new();
    let prepare = "echo not shown; echo because >&2; exit 9";
    let done = output(&mut bench.script(&["--prepare", prepare], "echo ran"));
    assert_eq!((done.status.code(), text(&done.stdout).as_str()), (Some(125), ""));
    let said = text(&done.stderr);
    assert!(said.contains("--prepare failed (exit status: 9)") && said.ends_with("\nbecause\n"), "{said}");
}

#[test]
fn figures_are_of_the_command() {
    let bench = Bench::new();
    let busy = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; head -c 60000000 /dev/zero | tail -c 50000000 | wc -c";
    assert!(output(&mut bench.script(&["--runs", "7"], busy)).status.success());
    let (result, figures) = (bench.result(), &bench.result()["figures"]);
    let median = |name: &str| figures[name]["median"].as_f64().expect("a number");
    assert!(median("max_rss_kib") >= 48_000.0, "{figures}");
    assert!(median("user_ns") > 0.0 && median("wall_ns") > 1e6, "{figures}");
    assert!(median("minor_faults") > 10_000.0, "{figures}");
    // The process itself says when it calls execve, in each run.
    let launched = result["untraced"]["runs"]["launch_ns"].as_array().expect("a list");
    assert!(launched.len() == 7 && launched.iter().all(|ns| ns.as_u64() > Some(1_000)), "{launched:?}");
    assert!(
        (median("launch_ns") + median("from_exec_ns") - median("wall_ns")).abs() < median("wall_ns") / 2.0
    );
    assert!(figures["wall_ns"]["interval"].is_object(), "{figures}");
    assert!(result["untraced"]["first"]["wall_ns"].as_u64() > Some(1_000_000), "{result}");

    // Less memory than we had ourselves: not known, rather than ours.
    let bench = Bench::new();
    output(&mut bench.measure(&["--runs", "1"], &["true"]));
    assert_eq!(bench.result()["untraced"]["runs"]["max_rss_kib"][0], 0);
}

/// A fifo on which a run says that it is where the test wants it.
fn ready(bench: &Bench) -> PathBuf {
    let path = bench.path("log.ready");
    nix::unistd::mkfifo(&path, Mode::S_IRWXU).expect("a fifo");
    path
}

/// Blocks until a run has written to the fifo.
fn wait_until(ready: &Path) {
    let mut said = String::new();
    File::open(ready).and_then(|mut fifo| fifo.read_to_string(&mut said)).expect("the fifo opens");
    assert_eq!(said, "ready\n");
}

const WAITING: &str = "trap 'echo asked >>\"$LOG\"; exit 0' TERM INT; echo ready >\"$LOG.ready\"; \
     while :; do sleep 1 & wait $!; done";

#[test]
fn signals_for_us_reach_the_command_and_end_the_measuring() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let bench = Bench::new();
        let ready = ready(&bench);
        let mut child = bench.script(&[], WAITING).spawn().expect("the example starts");
        wait_until(&ready);
        kill(Pid::from_raw(child.id() as i32), signal).expect("it runs");
        assert!(child.wait().expect("it ends").success());
        assert_eq!(bench.log(), "asked\n");
        assert_eq!(bench.ending(), format!("ended by {} in run 1 of the command", signal.as_str()));
    }
}

/// A measured shell script with a terminal of its own, of which it is in the foreground.
fn on_a_terminal(bench: &Bench, options: &[&str], script: &str) -> (PtyMaster, Child) {
    let (master, terminal) = pseudo_terminal();
    let slave = || Stdio::from(terminal.try_clone().expect("a descriptor"));
    let mut measured = Command::new("setsid");
    measured.args(["--ctty", "--wait"]).arg(driver()).arg("--json").arg(bench.path("result"));
    measured.args(options).args(["sh", "-c", script]).env("LOG", bench.path("log"));
    let child = measured.stdin(slave()).stdout(slave()).stderr(slave()).spawn().expect("setsid starts");
    (master, child)
}

#[test]
fn ctrl_c_on_a_terminal_ends_the_measuring() {
    let bench = Bench::new();
    let ready = ready(&bench);
    let (master, mut child) = on_a_terminal(&bench, &[], WAITING);
    wait_until(&ready);
    nix::unistd::write(&master, b"\x03").expect("the terminal takes it");
    assert!(child.wait().expect("it ends").success());
    assert_eq!(bench.log(), "asked\n");
    assert_eq!(bench.ending(), "ended by SIGINT in run 1 of the command");
}

#[test]
fn every_run_is_in_the_foreground_of_the_terminal() {
    let bench = Bench::new();
    // An interactive shell takes the terminal, and killed it cannot give it back.
    let script = "read -r _ _ _ _ group _ _ foreground _ </proc/$$/stat; \
         [ $group = $foreground ] && echo in front >>\"$LOG\"; exec bash --norc -ic 'kill -9 $$'";
    let (_master, mut child) = on_a_terminal(&bench, &["--runs", "2", "--ignore-failure"], script);
    child.wait().expect("it ends");
    assert_eq!(same_every_time(&bench.log(), 3), "in front");
}

#[test]
fn a_command_that_is_stopped_stops_us() {
    let bench = Bench::new();
    let mut child =
        bench.script(&["--runs", "1"], "kill -STOP $$; echo on >>\"$LOG\"").spawn().expect("it starts");
    let pid = Pid::from_raw(child.id() as i32);
    for _ in 0..2 {
        let stopped = waitpid(pid, Some(WaitPidFlag::WUNTRACED)).expect("it is ours");
        assert!(matches!(stopped, WaitStatus::Stopped(_, Signal::SIGSTOP)), "{stopped:?}");
        kill(pid, Signal::SIGCONT).expect("it is there");
    }
    assert!(child.wait().expect("it ends").success());
    assert_eq!(same_every_time(&bench.log(), 2), "on");
    assert_eq!(bench.counted(), 1);
}

#[test]
fn too_few_descriptors_are_an_error_of_ours() {
    let done =
        output(Command::new("sh").args(["-c", "ulimit -n 4; exec \"$TRACED\" true"]).env("TRACED", driver()));
    let said = text(&done.stderr);
    assert_eq!(done.status.code(), Some(125), "{said}");
    assert!(said.contains("Too many open files"), "{said}");
}
