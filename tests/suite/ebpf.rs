//! What only the eBPF backend does.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use trace::event::{Event, Flags, Kind, mark};
use trace::log::{Ending, Reader};

use crate::support::call::Text;
use crate::support::log;
use crate::support::programs::program;
use crate::support::run::{self, run};
use crate::support::skip::skip;

/// Whether the backend is missing, which is said.
fn is_skipped(name: &str) -> bool {
    let refused = log::ebpf_refused();
    if let Some(why) = refused {
        skip(name, why);
    }
    refused.is_some()
}

fn recorder(log: &Path, dir: &Path) -> Command {
    log::command_by("ebpf", log, dir)
}

#[test]
fn ids_are_those_of_the_recorders_namespace() {
    if is_skipped("ebpf in a pid namespace") {
        return;
    }
    let dir = tempfile::tempdir().expect("a temporary directory");
    let log = dir.path().join("log");
    let inner = recorder(&log, dir.path());
    let mut outer = run::command("unshare", dir.path());
    outer.args(["--pid", "--fork", "--mount-proc"]).arg(inner.get_program()).args(inner.get_args());
    let done = run(outer.args(["sh", "-c", "sh -c 'echo $$'; echo $$"]));
    if done.stderr.starts_with("unshare") {
        return skip("ebpf in a pid namespace", &done.stderr);
    }
    assert!(done.status.success(), "{done:?}");
    let log = log::read(&log);
    log.assert_complete();
    let told: Vec<String> =
        log.rows.iter().filter(|row| row.call.name == "getpid").map(|row| row.pid.to_string()).collect();
    let mut printed: Vec<&str> = done.stdout.lines().collect();
    printed.reverse();
    assert_eq!(told, printed, "each shell asks for its id as it begins");
    let exits = log.rows.iter().filter(|row| row.kind == Kind::Exit && told.contains(&row.pid.to_string()));
    assert_eq!(exits.count(), 2);
}

/// The words of a compiled program's first exec lie on a page that it has not touched before.
#[test]
fn what_execve_is_given_is_known_where_it_was_not_in_memory() {
    if is_skipped("words of execve that are not in memory") {
        return;
    }
    let dir = tempfile::tempdir().expect("a temporary directory");
    let source = "#include <unistd.h>\n\
                  static const char before[8192] = {1}, path[] = \"/bin/true\", after[8192] = {1};\n\
                  int main(void) { execl(path, path + 5, path + 6, (char *)0); return before[9] + after[9]; }\n";
    std::fs::write(dir.path().join("passes.c"), source).expect("a source");
    let built = run(run::command("gcc", dir.path()).args(["-O1", "-o", "passes", "passes.c"]));
    assert!(built.status.success(), "{built:?}");
    let log = dir.path().join("log");
    let done = run(recorder(&log, dir.path()).arg("./passes"));
    assert!(done.status.success(), "{done:?}");
    let shown = run(Command::new(env!("CARGO_BIN_EXE_trace")).args(["show", "-e", "execve"]).arg(&log));
    assert!(shown.stdout.contains("execve(\"/bin/true\", [\"true\", \"rue\"]"), "{shown:?}");
    log::read(&log).assert_complete();
}

/// More words than there is room for, a word that is too long: what is there is marked. The longest path there is is whole.
#[test]
fn words_that_are_cut_are_marked_and_the_longest_path_is_not() {
    if is_skipped("words that are cut") {
        return;
    }
    let dir = tempfile::tempdir().expect("a temporary directory");
    let log = dir.path().join("log");
    let many = (0..20_000).map(|_| "w".to_owned()).collect::<Vec<_>>();
    let too_long = vec!["w".repeat(5000), "tail".to_owned()];
    let path = format!("/{}", "./".repeat(2047));
    assert_eq!(path.len(), 4095);
    for (command, words, name, is_cut) in [
        ("true", &many[..], "execve", true),
        ("true", &many[..3000], "execve", false),
        ("true", &too_long, "execve", true),
        ("readlink", &["--".to_owned(), path.clone()], "readlink", false),
    ] {
        let done = run(recorder(&log, dir.path()).arg(command).args(words));
        assert!(done.status.success() || name == "readlink", "{done:?}");
        let mut seen = None;
        let note = |event: &Event<'_>| {
            if event.kind == Kind::Syscall
                && trace::syscall::lookup(event.abi, event.nr).is_some_and(|call| call.name == name)
            {
                let text = event.argv.or(event.path).unwrap_or_default().to_vec();
                seen = Some((event.flags.has(Flags::TRUNCATED), text));
            }
        };
        Reader::open(&log).expect("a log").for_each(note).expect("a log");
        let (cut, text) = seen.expect("the call");
        assert_eq!(cut, is_cut, "{command}: {} bytes", text.len());
        if !is_cut && name == "execve" {
            assert_eq!(
                text.split(|byte| *byte == 0).filter(|word| !word.is_empty()).count(),
                1 + words.len()
            );
        }
        if name == "readlink" {
            assert!(text == path.as_bytes(), "{} bytes", text.len());
        }
    }
}

/// Strict mode kills by SIGKILL, before the call's entry is told of.
#[test]
fn a_call_that_strict_seccomp_ends_is_recorded() {
    if is_skipped("strict seccomp") {
        return;
    }
    let dir = tempfile::tempdir().expect("a temporary directory");
    let source = "#include <sys/prctl.h>\n#include <sys/syscall.h>\n#include <unistd.h>\n\
                  int main(void) { prctl(PR_SET_SECCOMP, 1); return (int)syscall(SYS_getppid); }\n";
    std::fs::write(dir.path().join("strict.c"), source).expect("a source");
    let built = run(run::command("gcc", dir.path()).args(["-O1", "-o", "strict", "strict.c"]));
    assert!(built.status.success(), "{built:?}");
    let log = dir.path().join("log");
    let done = run(recorder(&log, dir.path()).arg("./strict"));
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&done.status), Some(9), "{done:?}");
    let rows = log::read(&log).rows;
    let call = rows.iter().rfind(|row| row.kind == Kind::Syscall).expect("calls");
    assert_eq!((call.call.name.as_str(), call.call.ret), ("getppid", None));
    assert!(rows.iter().all(|row| row.kind != Kind::Signal), "nobody was told who has sent it");
}

/// A thread has little room of its own for a call's record, and gets more when it needs it: at any word of an exec, at a
/// second path.
#[test]
fn records_are_whole_whatever_their_size() {
    if is_skipped("records of every size") {
        return;
    }
    let dir = tempfile::tempdir().expect("a temporary directory");
    let log = dir.path().join("log");
    let words: Vec<String> = (0..30).map(|number| "x".repeat(number * 37 % 700)).collect();
    let names = [100, 255, 252, 253].map(|length| "n".repeat(length));
    let deep = format!("./{}", format!("{}/../", "d".repeat(200)).repeat(15));
    for count in (0..words.len()).step_by(7) {
        let done = run(recorder(&log, dir.path()).arg("true").args(&words[..count]));
        assert!(done.status.success(), "{done:?}");
        let mut given = Vec::new();
        let note = |event: &Event<'_>| {
            if event.kind == Kind::Exec {
                given = event.argv.unwrap_or_default().to_vec();
            }
        };
        Reader::open(&log).expect("a log").for_each(note).expect("a log");
        let expected = [&["true".to_owned()], &words[..count], &[String::new()]].concat().join("\0");
        assert!(given == expected.as_bytes(), "{count} words: {} bytes of {}", given.len(), expected.len());
    }
    std::fs::create_dir(dir.path().join("d".repeat(200))).expect("a directory");
    for (number, name) in names.iter().enumerate() {
        let (from, to) = (format!("{deep}{name}"), format!("{deep}{number}"));
        std::fs::write(dir.path().join(name), "").expect("a file");
        let done = run(recorder(&log, dir.path()).args(["mv", "-n", "-T", &from, &to]));
        assert!(done.status.success(), "{done:?}");
        let renames = |row: &log::Row| row.call.name.starts_with("rename") && row.call.ret == Some(0);
        let found = log::read(&log).rows.into_iter().find(renames).expect("a rename");
        let given = [from, to].map(|path| Text::Is(path.into_bytes()));
        assert!(found.call.paths == given, "{:?}", found.call);
    }
}

/// What `trace show -k` prints below the call with this path: names of functions, the innermost first.
fn functions<'t>(shown: &'t str, path: &str) -> Vec<&'t str> {
    let mut lines = shown.lines().skip_while(|line| !line.contains(path));
    assert!(lines.next().is_some(), "no call with {path}: {shown}");
    let names = lines.map_while(|line| line.strip_prefix(" > "));
    names.map(|line| line.split(' ').next().unwrap_or_default()).collect()
}

/// With frame pointers and without, of a first thread, a child and another thread; deeper than what is copied of a stack it
/// is cut, which shows.
#[test]
fn calls_have_the_functions_that_made_them() {
    if is_skipped("stacks by ebpf") {
        return;
    }
    let dir = tempfile::tempdir().expect("a temporary directory");
    let source = "#include <pthread.h>\n#include <sys/stat.h>\n#include <sys/wait.h>\n#include <unistd.h>\n\
                  #define APART __attribute__((noinline))\n\
                  static struct stat info;\n\
                  APART int inner(const char *path) { return stat(path, &info) + 1; }\n\
                  APART int middle(const char *path) { return inner(path) + 1; }\n\
                  APART int outer(const char *path) { return middle(path) + 1; }\n\
                  APART int deep(const char *path) { volatile char room[40000]; room[9] = 1; return inner(path) + room[9]; }\n\
                  void *other(void *path) { return outer(path) > 5 ? path : 0; }\n\
                  int main(void) {\n\
                      pthread_t thread;\n\
                      int sum = outer(\"/no/first\");\n\
                      pid_t pid = fork();\n\
                      if (pid == 0) _exit(outer(\"/no/child\") > 5);\n\
                      waitpid(pid, 0, 0);\n\
                      pthread_create(&thread, 0, other, \"/no/thread\");\n\
                      pthread_join(thread, 0);\n\
                      return sum + deep(\"/no/deep\") > 9;\n\
                  }\n";
    std::fs::write(dir.path().join("calls.c"), source).expect("a source");
    for pointers in ["-fno-omit-frame-pointer", "-fomit-frame-pointer"] {
        let built = run(
            run::command("gcc", dir.path()).args(["-O1", "-pthread", pointers, "-o", "calls", "calls.c"])
        );
        assert!(built.status.success(), "{built:?}");
        let log = dir.path().join("log");
        let done = run(recorder(&log, dir.path()).args(["--stacks", "native", "./calls"]));
        assert!(done.status.success(), "{done:?}");
        log::read(&log).assert_complete();
        let shown = run(Command::new(env!("CARGO_BIN_EXE_trace")).args(["show", "-k"]).arg(&log)).stdout;
        for (path, expected) in [
            ("/no/first", &["inner", "middle", "outer", "main"][..]),
            ("/no/child", &["inner", "middle", "outer", "main"]),
            ("/no/thread", &["inner", "middle", "outer", "other"]),
            ("/no/deep", &["inner"]),
        ] {
            let found = functions(&shown, path);
            let at =
                found.iter().position(|name| *name == "inner").unwrap_or_else(|| panic!("{path}: {found:?}"));
            assert_eq!(found.get(at..at + expected.len()), Some(expected), "{path}, {pointers}: {found:?}");
        }
        assert_eq!(functions(&shown, "/no/first").last(), Some(&"_start"), "{shown}");
        let deep = functions(&shown, "/no/deep");
        assert!(deep.last() == Some(&"[unknown]") && !deep.contains(&"main"), "{deep:?}");
    }
}

/// How many calls the storm says it made.
fn made(stdout: &str) -> u64 {
    stdout.lines().nth(1).and_then(|line| line.parse().ok()).unwrap_or_else(|| panic!("no count: {stdout:?}"))
}

/// Calls of the storm in a log, and how many records are counted as lost.
fn storm(log: &Path) -> (u64, u64) {
    let mut reader = Reader::open(log).expect("a log");
    let (mut recorded, mut lost) = (0, 0);
    let ending = reader.for_each(|event| match event.kind {
        Kind::Syscall => recorded += u64::from(event.path == Some(b"/no/such/file/storm")),
        Kind::Lost => lost += event.ret.map_or(0, i64::cast_unsigned),
        _ => {}
    });
    assert!(matches!(ending, Ok(Ending::Complete { .. })), "{ending:?}");
    (recorded, lost)
}

/// Whether a process that `trace` runs is stopped.
fn is_stopped(trace: u32) -> bool {
    let children =
        std::fs::read_to_string(format!("/proc/{trace}/task/{trace}/children")).unwrap_or_default();
    let state = |pid: &str| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        status.lines().any(|line| line.starts_with("State:\tT"))
    };
    children.split_whitespace().any(state)
}

/// The recorder gets no CPU for a while, so that the ring is certain to fill.
#[test]
fn a_storm_of_calls_is_recorded_whole_with_lossless() {
    if is_skipped("a storm with --lossless") {
        return;
    }
    let dir = tempfile::tempdir().expect("a temporary directory");
    let log = dir.path().join("log");
    let mut command = recorder(&log, dir.path());
    command.arg("--lossless").arg(program("storm")).args(["16", "3000"]);
    let mut trace = command.process_group(0).stdout(Stdio::piped()).spawn().expect("trace runs");
    let pid = Pid::from_raw(trace.id().cast_signed());
    let mut output = BufReader::new(trace.stdout.take().expect("piped"));
    let mut text = String::new();
    output.read_line(&mut text).expect("text");
    kill(pid, Signal::SIGSTOP).expect("our own child");
    // Until the storm is stopped, at the latest until it is over.
    for _ in 0..400 {
        if is_stopped(trace.id()) {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let stopped = is_stopped(trace.id());
    kill(pid, Signal::SIGCONT).expect("our own child");
    output.read_to_string(&mut text).expect("text");
    assert!(run::wait(&mut trace, "trace record --lossless").success());
    let made = made(&text);
    assert_eq!(storm(&log), (made, 0), "recorded and lost; made: {made}");
    let mut reader = Reader::open(&log).expect("a log");
    let mut held = 0;
    reader.for_each(|event| held += u64::from(event.text == Some(mark::HELD.as_bytes()))).expect("a log");
    assert!(stopped && held > 0, "nobody was stopped, in {made} calls; marks: {held}");
}

#[test]
fn what_a_storm_of_calls_loses_is_counted() {
    if is_skipped("a storm") {
        return;
    }
    let dir = tempfile::tempdir().expect("a temporary directory");
    let log = dir.path().join("log");
    let done = run(recorder(&log, dir.path()).arg(program("storm")).args(["16", "1500", "3000"]));
    assert!(done.status.success(), "{done:?}");
    let made = made(&done.stdout);
    let (recorded, lost) = storm(&log);
    // Should the ring still be full when the threads end, up to 20 other records of each are lost too.
    assert!((made..made + 320).contains(&(recorded + lost)), "made {made}, recorded {recorded}, lost {lost}");
    assert!(lost * 10 < made, "nobody waits for the recorder: made {made}, lost {lost}");
}

#[test]
fn who_is_stopped_goes_on_when_the_recorder_is_killed() {
    if is_skipped("a recorder killed under --lossless") {
        return;
    }
    for _ in 0..3 {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let log = dir.path().join("log");
        let mut command = recorder(&log, dir.path());
        command.arg("--lossless").arg(program("storm")).args(["4", "1000"]).stdout(Stdio::piped());
        let mut trace = command.spawn().expect("trace runs");
        let mut output = BufReader::new(trace.stdout.take().expect("piped"));
        let mut text = String::new();
        output.read_line(&mut text).expect("text");
        std::thread::sleep(Duration::from_millis(300));
        trace.kill().expect("our own child");
        trace.wait().expect("our own child");
        // The storm, if it was stopped, goes on and ends, with its word.
        output.read_to_string(&mut text).expect("text");
        assert!(made(&text) > 0);
    }
}

#[test]
fn the_recording_ends_though_ends_were_lost() {
    if is_skipped("lost ends of threads") {
        return;
    }
    let dir = tempfile::tempdir().expect("a temporary directory");
    let log = dir.path().join("log");
    // The storm goes on in its last moment in a child, and all ends at once.
    let script =
        "\"$0\" 16 3000 & \"$0\" 4 2000; kill -KILL $!; for i in 1 2 3 4 5 6 7 8; do sh -c : & done; wait";
    let done = run(recorder(&log, dir.path()).args(["sh", "-c", script]).arg(program("storm")));
    assert!(done.status.success(), "{done:?}");
    let (_, lost) = storm(&log);
    println!("lost {lost}");
}
