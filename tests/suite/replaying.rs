//! `trace replay` from outside: logs of ours and of strace, hostile ones, and what is left behind.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::programs::program;
use crate::support::run::{self, Run, run};
use crate::support::skip::skip;
use crate::support::{log, strace};

/// The quickest replay that measures something.
const QUICK: [&str; 4] = ["replay", "--serial", "--runs", "6"];

fn trace(dir: &Path, arguments: &[&str]) -> Run {
    run(run::command(env!("CARGO_BIN_EXE_trace"), dir).args(arguments))
}

/// Replays this text of strace's, as JSON.
fn replay(dir: &Path, text: &str, options: &[&str]) -> Run {
    fs::write(dir.join("strace.log"), text).expect("our own file");
    trace(dir, &[&QUICK, options, &["strace.log"]].concat())
}

fn json(run: &Run) -> serde_json::Value {
    assert!(run.status.success(), "{run:?}");
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"))
}

fn place() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    fs::create_dir(dir.path().join("d")).expect("our own directory");
    fs::write(dir.path().join("d/file"), "some text").expect("our own file");
    dir
}

/// Reads a file below `d`, looks for one that is not there, lists the directory.
const READS: &str = "\
1 openat(AT_FDCWD, \"d/file\", O_RDONLY|O_CLOEXEC) = 3
1 newfstatat(3, \"\", {st_mode=S_IFREG|0644, st_size=9, ...}, AT_EMPTY_PATH) = 0
1 read(3, \"some text\", 4096) = 9
1 close(3) = 0
1 newfstatat(AT_FDCWD, \"d/missing\", 0x7ffd, 0) = -1 ENOENT (No such file or directory)
";

#[test]
fn a_log_of_strace_is_replayed() {
    let dir = place();
    let cwd = dir.path().to_str().expect("a plain name");
    let done = json(&replay(dir.path(), READS, &["--json", "--cwd", cwd, "--threads", "2"]));
    assert_eq!(done["coverage"]["replayed"], 5, "{done:#}");
    assert_eq!(done["coverage"]["fidelity"], 1.0, "{done:#}");
    let rows = done["rows"].as_array().expect("rows");
    assert!(
        rows.iter()
            .any(|row| row["strategy"] == "serial" && row["measured"]["wall_ns"]["median"].is_number())
    );
    assert!(rows.iter().all(|row| row["void"].is_null() && row["projection"].is_null()), "{done:#}");
    assert_eq!(done["verdict"]["kind"], "no_ring");
    // With the wall time there is a projection, and the ceiling.
    let both = replay(dir.path(), READS, &["--json=figures", "--cwd", cwd, "--wall", "10ms"]);
    assert!(
        both.stdout.contains("strategy") && both.stdout.contains("If all of these calls were free"),
        "{both:?}"
    );
    let figures = fs::read_to_string(dir.path().join("figures")).expect("the figures of the same replay");
    let done: serde_json::Value = serde_json::from_str(&figures).expect("JSON");
    assert!(done["ceiling"]["calls"].as_f64().is_some_and(|share| (0.0..0.5).contains(&share)), "{done:#}");
    assert_eq!(done["ceiling"]["missed"], 1);
    let text = replay(dir.path(), READS, &["--cwd", cwd]);
    assert!(text.stdout.contains("5 of 5 file-system calls replayed (100 %)"), "{text:?}");
    assert!(text.stdout.contains("No projection to the program"), "{text:?}");
}

#[test]
fn files_may_be_elsewhere() {
    let dir = place();
    let root = dir.path().to_str().expect("a plain name");
    let log =
        "1 openat(AT_FDCWD, \"/d/file\", O_RDONLY) = 3\n1 read(3, \"some text\", 100) = 9\n1 close(3) = 0\n";
    let done = json(&replay(dir.path(), log, &["--json", "--root", root]));
    assert_eq!(
        (&done["coverage"]["replayed"], &done["coverage"]["fidelity"]),
        (&3.into(), &1.0.into()),
        "{done:#}"
    );
    for nowhere in ["d/file", "d/none"] {
        let wrong = replay(dir.path(), log, &["--cwd", nowhere]);
        assert_eq!(wrong.status.code(), Some(2), "{wrong:?}");
        assert!(wrong.stderr.contains(nowhere) && wrong.stderr.contains("no directory"), "{wrong:?}");
    }
    let wrong = replay(dir.path(), log, &["--root", "d/file"]);
    assert_eq!(wrong.status.code(), Some(2), "{wrong:?}");
}

/// The calls of a log that are chosen, and whether they have a replayed cost, in log order.
fn with_costs(dir: &Path, log: &str, is_chosen: impl Fn(&serde_json::Value) -> bool) -> Vec<(String, bool)> {
    let shown = trace(dir, &["show", "--json", log]);
    let events = shown.stdout.lines().map(|line| serde_json::from_str(line).expect("an object"));
    let chosen = events.filter(|event: &serde_json::Value| event["kind"] == "syscall" && is_chosen(event));
    let call = |event: serde_json::Value| {
        (event["syscall"].as_str().unwrap_or("?").to_owned(), event["replayed_ns"].is_number())
    };
    chosen.map(call).collect()
}

#[test]
fn our_own_log_is_replayed() {
    let dir = place();
    let recorded = trace(dir.path(), &["record", "--backend", "ptrace", "-o", "log", "cat", "d/file"]);
    assert!(recorded.status.success(), "{recorded:?}");
    let done = json(&trace(dir.path(), &[&QUICK[..], &["--json", "--annotate", "costs", "log"]].concat()));
    // How much of all calls that is depends on how long a PATH was searched.
    let of_file = with_costs(dir.path(), "costs", |event| {
        event["syscall"] == "close" && event["file"].as_str().is_some_and(|file| file.ends_with("d/file"))
    });
    assert_eq!(of_file, [("close".to_owned(), true)], "{done:#}");
    assert_eq!(done["backend"], "ptrace");
    let piped = fs::read(dir.path().join("log")).expect("the log");
    assert!(!piped.is_empty());
    let stdin = run(run::command(env!("CARGO_BIN_EXE_trace"), dir.path())
        .args(QUICK)
        .args(["--json", "-"])
        .stdin(fs::File::open(dir.path().join("log")).expect("the log")));
    assert_eq!(json(&stdin)["coverage"]["replayed"], done["coverage"]["replayed"]);
}

/// Everything below a directory: names, contents, modes, times of change.
fn everything(dir: &Path) -> Vec<(String, Vec<u8>, u32, i64, i64)> {
    let mut all = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir).expect("our own directory") {
            let path = entry.expect("our own file").path();
            let meta = path.symlink_metadata().expect("our own file");
            if meta.is_dir() {
                open.push(path.clone());
            }
            let content = if meta.is_file() { fs::read(&path).expect("our own file") } else { Vec::new() };
            all.push((path.display().to_string(), content, meta.mode(), meta.mtime(), meta.ctime_nsec()));
        }
    }
    all.sort();
    all
}

#[test]
fn hostile_logs_do_no_harm_and_do_not_hang() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let canary = dir.path().join("canary");
    fs::create_dir(&canary).expect("our own directory");
    fs::write(canary.join("file"), "precious").expect("our own file");
    nix::unistd::mkfifo(&canary.join("fifo"), nix::sys::stat::Mode::S_IRWXU).expect("our own directory");
    std::os::unix::fs::symlink("/proc/self/mem", canary.join("link")).expect("our own directory");
    std::os::unix::fs::symlink("loop", canary.join("loop")).expect("our own directory");
    let at = canary.display();
    let before = everything(&canary);
    let deep = "../".repeat(1000);
    let log = format!(
        "1 openat(AT_FDCWD, \"{at}/file\", O_RDONLY) = 3\n\
         1 openat(AT_FDCWD, \"{at}/file\", O_RDONLY|O_TRUNC) = 4\n\
         1 openat(AT_FDCWD, \"{at}/file\", O_WRONLY|O_TRUNC) = 5\n\
         1 openat(AT_FDCWD, \"{at}/new\", O_RDONLY|O_CREAT, 0666) = 6\n\
         1 openat(AT_FDCWD, \"{at}\", O_RDWR|O_TMPFILE, 0666) = 7\n\
         1 openat(AT_FDCWD, \"{at}/fifo\", O_RDONLY) = 8\n\
         1 openat(AT_FDCWD, \"{at}/link\", O_RDONLY) = 9\n\
         1 openat(AT_FDCWD, \"{at}/loop\", O_RDONLY) = 10\n\
         1 openat(AT_FDCWD, \"/dev/tty\", O_RDONLY) = 11\n\
         1 openat(AT_FDCWD, \"/dev/watchdog\", O_RDONLY) = 11\n\
         1 openat(AT_FDCWD, \"/proc/self/mem\", O_RDONLY) = 12\n\
         1 openat(AT_FDCWD, \"/{deep}proc/kmsg\", O_RDONLY) = 13\n\
         1 openat(AT_FDCWD, \"{at}/gone/file\", O_RDONLY) = 14\n\
         1 read(3, \"\", 18446744073709551615) = 9223372036854775807\n\
         1 read(12, \"\", 4096) = 4096\n\
         1 unlink(\"{at}/file\") = 0\n\
         1 rename(\"{at}/file\", \"/{deep}tmp/file\") = 0\n\
         1 ftruncate(3, 0) = 0\n\
         1 write(3, \"x\", 1) = 1\n\
         1 execve(\"{at}/file\", [\"x\"], 0x7f /* 0 vars */) = -1 EACCES (Permission denied)\n\
         1 kill(1, SIGKILL) = 0\n\
         1 close(-1) = -1 EBADF (Bad file descriptor)\n\
         1 close_range(0, 4294967295, 0) = 0\n\
         1 truncate(\"{at}/file\", 1152921504606846976) = 0\n"
    );
    let done = replay(dir.path(), &log, &["--json"]);
    let said = json(&done);
    assert!(said["coverage"]["not_replayed"].as_array().is_some_and(|reasons| reasons.len() > 3), "{said:#}");
    assert_eq!(everything(&canary), before, "{said:#}");
}

#[test]
fn what_cannot_be_replayed_is_one_clear_line() {
    let dir = place();
    let fails = |text: &str, says: &str| {
        let done = replay(dir.path(), text, &[]);
        assert_eq!(done.status.code(), Some(1), "{done:?}");
        let last = done.stderr.trim_end().lines().last().unwrap_or_default().to_owned();
        assert!(last.starts_with("trace: strace.log: ") && last.contains(says), "{done:?}");
    };
    fails("1 getpid() = 1\n1 brk(NULL) = 0x1000\n", "none of its calls can be replayed");
    fails("1 openat(AT_FDCWD, \"/dev/null\", O_RDONLY) = 3\n", "in /proc, /sys or /dev");
    fails("1 openat(AT_FDCWD, \"/no/such/file\", O_RDONLY) = 3\n", "another result here");
    fails("hello\n", "not a trace log");
    let cut = replay(dir.path(), &format!("{READS}1 openat(AT_FDCWD, \"d/fi"), &["--cwd", "."]);
    assert!(cut.status.success() && cut.stderr.contains("the log is cut short"), "{cut:?}");
    let odd = replay(dir.path(), &format!("{READS}what is this\n"), &["--cwd", "."]);
    assert!(odd.status.success() && odd.stderr.contains("line 6 cannot be read: what is this"), "{odd:?}");
    assert!(odd.stdout.contains("1 event is missing from the log"), "{odd:?}");
    for wrong in [["--lookahead", "0"], ["--threads", "0"], ["--wall", "0s"], ["--runs", "0"]] {
        let done = replay(dir.path(), READS, &wrong);
        assert_eq!((done.status.code(), done.stderr.lines().count()), (Some(2), 1), "{done:?}");
    }
}

#[test]
fn a_fifo_that_nobody_writes_to_is_named_and_one_that_is_written_to_is_read() {
    let dir = place();
    let fifo = dir.path().join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).expect("our own directory");
    let mut waiting = run::command(env!("CARGO_BIN_EXE_trace"), dir.path());
    waiting.args(QUICK).args(["--cwd", ".", "fifo"]);
    waiting.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = waiting.spawn().expect("trace runs");
    let mut told = std::io::BufReader::new(child.stderr.take().expect("a pipe"));
    let mut line = String::new();
    std::io::BufRead::read_line(&mut told, &mut line).expect("text");
    assert_eq!(line, "trace: fifo is a FIFO: waiting for somebody to write a log into it\n");
    fs::write(&fifo, READS).expect("somebody reads");
    assert!(run::wait(&mut child, "replay").success(), "{line}");
}

#[test]
fn an_interruption_leaves_nothing_behind() {
    let dir = place();
    let before = everything(dir.path());
    // A signal that was ignored from the start (nohup) does not interrupt.
    for start in ["exec \"$@\"", "trap '' HUP; exec \"$@\""] {
        fs::write(dir.path().join("strace.log"), READS).expect("our own file");
        let mut endless = run::command("sh", dir.path());
        endless.args(["-c", start, "sh", env!("CARGO_BIN_EXE_trace")]);
        endless.args(["replay", "--runs", "10000", "--cwd", ".", "strace.log"]);
        endless.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        let mut child = endless.spawn().expect("trace runs");
        let is_replaying = |task: fs::DirEntry| {
            fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name.trim_end() == "replay")
        };
        let tasks = format!("/proc/{}/task", child.id());
        while !fs::read_dir(&tasks).expect("it runs").flatten().any(is_replaying) {
            std::thread::yield_now();
        }
        let pid = Pid::from_raw(child.id().cast_signed());
        if start.starts_with("trap") {
            // If it came, it would come first.
            kill(pid, Signal::SIGHUP).expect("our own child");
        }
        kill(pid, Signal::SIGINT).expect("our own child");
        assert_eq!(run::wait(&mut child, "replay").code(), Some(128 + libc::SIGINT));
        assert_eq!(told(&mut child), "trace: the replay was interrupted (SIGINT)\n");
        fs::remove_file(dir.path().join("strace.log")).expect("our own file");
        assert_eq!(everything(dir.path()), before);
    }
}

#[test]
fn costs_are_attached_to_a_copy_and_shown() {
    let dir = place();
    let recorded = trace(dir.path(), &["record", "--backend", "ptrace", "-o", "log", "cat", "d/file"]);
    assert!(recorded.status.success(), "{recorded:?}");
    let before = fs::read(dir.path().join("log")).expect("the log");
    let annotated = trace(dir.path(), &[&QUICK[..], &["--annotate", "costs", "log"]].concat());
    assert!(annotated.status.success(), "{annotated:?}");
    assert!(annotated.stderr.contains("have a replayed cost in costs"), "{annotated:?}");
    assert_eq!(fs::read(dir.path().join("log")).expect("the log"), before, "the log itself stays");
    let events = trace(dir.path(), &["show", "--json", "costs"]);
    let events = events.stdout.lines().map(|line| serde_json::from_str(line).expect("an object"));
    let events: Vec<serde_json::Value> = events.collect();
    let has_cost = |event: &&serde_json::Value| event["replayed_ns"].is_number();
    let costs: u64 = events.iter().filter_map(|event| event["replayed_ns"].as_u64()).sum();
    let file =
        |event: &serde_json::Value| event["path"].as_str().is_some_and(|path| path.ends_with("d/file"));
    assert!(events.iter().filter(has_cost).any(file), "{events:#?}");
    assert!(events.iter().filter(has_cost).all(|event| event["duration_ns"].is_number()));
    let stats = json(&trace(dir.path(), &["stats", "--json", "costs"]));
    assert_eq!((&stats["quality"], &stats["total"]["total_ns"]), (&"replayed".into(), &costs.into()));
    let with_cost = events.iter().filter(has_cost).count();
    assert_eq!(stats["replayed"]["calls"], with_cost);
    let rows = stats["rows"].as_array().expect("rows");
    let execve = rows.iter().find(|row| row["name"] == "execve").expect("cat was executed");
    assert!(execve["total_ns"].is_null() && execve["mean_ns"].is_null(), "not replayed: {execve:#}");
    let table = trace(dir.path(), &["stats", "costs"]).stdout;
    assert!(table.contains("Costs are replayed") && table.contains("no cost here"), "{table}");
    assert!(trace(dir.path(), &["show", "costs"]).stdout.contains(" <replayed 0.0000"));
    let drawn = trace(dir.path(), &["flame", "costs"]);
    assert!(drawn.stderr.contains("(replayed; "), "{drawn:?}");
    // What has costs can be replayed again.
    assert!(trace(dir.path(), &[&QUICK[..], &["costs"]].concat()).status.success());
}

#[test]
fn a_log_of_strace_gets_costs_too() {
    let dir = place();
    let cwd = dir.path().to_str().expect("a plain name");
    let done = replay(dir.path(), READS, &["--cwd", cwd, "--annotate", "costs"]);
    assert!(done.status.success(), "{done:?}");
    let stats = json(&trace(dir.path(), &["stats", "--json", "costs"]));
    assert_eq!((&stats["quality"], &stats["replayed"]["without"]), (&"replayed".into(), &0.into()));
    assert_eq!(stats["replayed"]["pauses"], false, "the log has no times");
    assert!(stats["total"]["traced_ns"].is_null(), "{stats:#}");
}

#[test]
fn copies_and_plots_never_take_the_place_of_something_else() {
    let dir = place();
    fs::write(dir.path().join("strace.log"), READS).expect("our own file");
    let refused = |options: &[&str], code: i32, says: &str| {
        let run = trace(dir.path(), &[&QUICK[..], options, &["strace.log"]].concat());
        assert_eq!(run.status.code(), Some(code), "{run:?}");
        assert!(run.stderr.contains(says) && run.stderr.lines().count() == 1, "{run:?}");
    };
    refused(&["--annotate", "strace.log"], 2, "is the log itself");
    refused(&["--annotate", "d/file"], 1, "not overwritten");
    refused(&["--annotate", "-"], 2, "in a file");
    refused(&["--plot", "d/file"], 1, "not overwritten");
    refused(&["--plot", "none/x.svg"], 1, "none/x.svg");
    assert_eq!(fs::read_to_string(dir.path().join("d/file")).expect("our own file"), "some text");
}

#[test]
fn a_plot_has_a_line_for_each_way() {
    let dir = place();
    let cwd = dir.path().to_str().expect("a plain name");
    for _ in 0..2 {
        // The second time in the place of the first.
        let done = replay(dir.path(), READS, &["--cwd", cwd, "--plot", "plot.svg"]);
        assert!(done.status.success(), "{done:?}");
        assert!(!done.stdout.contains("depth 64"), "what is for the plot is not in the table: {done:?}");
    }
    let plot = fs::read_to_string(dir.path().join("plot.svg")).expect("the plot");
    assert!(plot.starts_with("<svg ") && plot.contains(">threads<"), "{plot}");
    assert!(plot.contains("batch size") && plot.contains("time for all calls"), "{plot}");
}

#[test]
fn the_wall_time_is_measured_of_what_is_typed() {
    let dir = place();
    let cwd = dir.path().to_str().expect("a plain name");
    fs::write(dir.path().join("strace.log"), READS).expect("our own file");
    let options = ["--json", "--cwd", cwd, "--rerun", "strace.log", "--", "sh", "-c", "echo ran"];
    let done = trace(dir.path(), &[&QUICK[..], &options].concat());
    let value = json(&done);
    assert_eq!(value["wall"]["runs"], 6, "{value:#}");
    assert!(value["ceiling"]["calls"].is_number());
    let failing = ["--rerun", "strace.log", "--", "sh", "-c", "echo so >&2; exit 3"];
    let failed = trace(dir.path(), &[&QUICK[..], &failing].concat());
    assert_eq!(failed.status.code(), Some(1), "{failed:?}");
    assert!(failed.stderr.contains("exit status: 3") && failed.stderr.contains("so"), "{failed:?}");
    for wrong in [&["--rerun", "strace.log"][..], &["strace.log", "--", "true"]] {
        assert_eq!(trace(dir.path(), &[&QUICK[..], wrong].concat()).status.code(), Some(2));
    }
}

/// What a small install does, with its files and directories there already or not; afterwards everything in the place is
/// as it was.
const INSTALLS: &str = "\
1 mkdir(\"target\", 0777) = 0
1 mkdir(\"target\", 0777) = -1 EEXIST (File exists)
1 openat(AT_FDCWD, \"d/file\", O_RDONLY|O_CLOEXEC) = 3
1 openat(AT_FDCWD, \"target/.tmp\", O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC, 0600) = 4
1 read(3, \"some text\", 4096) = 9
1 write(4, \"some text\", 9) = 9
1 read(3, \"\", 4096) = 0
1 fchmod(4, 0644) = 0
1 fsync(4) = 0
1 close(4) = 0
1 close(3) = 0
1 rename(\"target/.tmp\", \"target/file\") = 0
1 link(\"target/file\", \"target/same\") = 0
1 symlink(\"file\", \"target/link\") = 0
1 newfstatat(AT_FDCWD, \"target/link\", {st_mode=S_IFREG|0644, st_size=9, ...}, 0) = 0
1 unlink(\"target/same\") = 0
1 unlink(\"target/same\") = -1 ENOENT (No such file or directory)
";

/// Names of scratch trees in a directory.
fn scratch_trees(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir)
        .expect("our own directory")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter(|name| name.starts_with("trace-scratch-")).collect()
}

/// Whether calls that write can be replayed here at all; said, if not.
fn can_write(done: &Run) -> bool {
    let refused = done.stderr.contains("calls that write are not replayed");
    if refused {
        eprintln!("skipped: {}", done.stderr);
    }
    !refused
}

#[test]
fn calls_that_write_are_replayed_in_a_scratch_tree() {
    let dir = place();
    let cwd = dir.path().to_str().expect("a plain name");
    let before = everything(&dir.path().join("d"));
    let options = ["--json", "--cwd", cwd, "--writes", "--scratch", cwd, "--threads", "2"];
    let run = replay(dir.path(), INSTALLS, &options);
    if !can_write(&run) {
        return;
    }
    let done = json(&run);
    assert_eq!(done["coverage"]["replayed"], 17, "{done:#}");
    assert_eq!(done["coverage"]["fidelity"], 1.0, "{done:#}");
    assert!(done["rows"].as_array().expect("rows").iter().all(|row| row["void"].is_null()), "{done:#}");
    assert_eq!(done["scratch"]["file_system"], done["scratch"]["original"], "{done:#}");
    let text = replay(dir.path(), INSTALLS, &["--cwd", cwd, "--writes", "--scratch", cwd]);
    assert!(text.stdout.contains("in a scratch tree of "), "{text:?}");
    assert_eq!(everything(&dir.path().join("d")), before);
    assert!(scratch_trees(dir.path()).is_empty() && !dir.path().join("target").exists());
}

/// How the calls begin that each change a name or a file's mode in the log below.
const CHANGING: [&str; 7] = ["mkdir", "rename", "link", "symlink", "unlink", "rmdir", "chmod"];

#[test]
fn our_own_log_of_a_program_that_writes_is_replayed_whole() {
    let dir = place();
    let script = "mkdir -p out/a && cp d/file out/a/copy && mv out/a/copy out/b && ln out/b out/c && ln -s b out/l && \
                  chmod 600 out/b && rm out/c && rmdir out/a && cat out/l >/dev/null";
    let recorded = trace(dir.path(), &["record", "--backend", "ptrace", "-o", "log", "sh", "-c", script]);
    assert!(recorded.status.success(), "{recorded:?}");
    let run =
        trace(dir.path(), &[&QUICK[..], &["--json", "--writes", "--annotate", "costs", "log"]].concat());
    if !can_write(&run) {
        return;
    }
    let done = json(&run);
    let log = trace(dir.path(), &["show", "costs"]).stdout;
    assert_eq!(done["coverage"]["fidelity"], 1.0, "{done:#}\n{log}");
    assert!(
        done["rows"].as_array().expect("rows").iter().all(|row| row["void"].is_null()),
        "{done:#}\n{log}"
    );
    // What is left out besides (descriptors of before, files in /proc) comes with each program, and how many lookups there
    // are hangs on the PATH that is searched: no share of all calls is the same everywhere.
    let changing = with_costs(dir.path(), "costs", |event| {
        let name = event["syscall"].as_str().unwrap_or_default().trim_start_matches('f');
        event["ret"].as_i64() >= Some(0) && CHANGING.iter().any(|changing| name.starts_with(changing))
    });
    assert!(changing.iter().all(|(_, replayed)| *replayed), "{changing:?}\n{done:#}\n{log}");
    let is_there =
        |name: &&&str| changing.iter().any(|(called, _)| called.trim_start_matches('f').starts_with(**name));
    assert_eq!(CHANGING.iter().filter(is_there).count(), CHANGING.len(), "{changing:?}\n{log}");
}

/// Whether a call is one of those whose passed structures a log keeps.
fn is_of_ranges(event: &serde_json::Value) -> bool {
    ["fcntl", "copy_file_range", "sendfile", "ioctl"].iter().any(|name| event["syscall"] == **name)
}

#[test]
fn locks_and_copies_of_parts_of_files_are_replayed_from_any_log() {
    let program = program("ranges");
    let dir = place();
    let of = |log: &str| {
        let run = trace(
            dir.path(),
            &[&QUICK[..], &["--json", "--writes", "--annotate", "costs", "--cwd", ".", log]].concat(),
        );
        for name in ["from", "to"] {
            fs::remove_file(dir.path().join(name)).expect("the program made it");
        }
        if !can_write(&run) {
            return;
        }
        let done = json(&run);
        assert_eq!(done["coverage"]["fidelity"], 1.0, "{log}: {done:#}");
        assert!(done["rows"].as_array().expect("rows").iter().all(|row| row["void"].is_null()), "{done:#}");
        let calls = with_costs(dir.path(), "costs", is_of_ranges);
        assert_eq!(calls.len(), 10, "{log}: {calls:?}");
        assert!(calls.iter().all(|(_, replayed)| *replayed), "{log}: {calls:?}\n{done:#}");
    };
    for backend in ["ptrace", "ebpf"] {
        if let Some(why) = log::ebpf_refused().filter(|_| backend == "ebpf") {
            skip("locks and copies recorded by eBPF", why);
            continue;
        }
        let program = program.to_str().expect("a plain name");
        let recorded = trace(dir.path(), &["record", "--backend", backend, "-o", backend, program]);
        assert!(recorded.status.success(), "{recorded:?}");
        of(backend);
    }
    if strace::is_there() {
        let done = run(strace::command(&dir.path().join("strace"), dir.path()).arg(&program));
        assert!(done.status.success(), "{done:?}");
        of("strace");
    }
}

#[test]
fn replays_that_write_give_costs_and_plots_too() {
    let dir = place();
    let cwd = dir.path().to_str().expect("a plain name");
    let files = ["--annotate", "costs", "--plot", "plot.svg"];
    let run = replay(dir.path(), INSTALLS, &[&["--cwd", cwd, "--writes"][..], &files].concat());
    if !can_write(&run) {
        return;
    }
    assert!(run.status.success() && run.stderr.contains("have a replayed cost in costs"), "{run:?}");
    let plot = fs::read_to_string(dir.path().join("plot.svg")).expect("the plot");
    assert!(plot.starts_with("<svg ") && plot.contains("batch size"), "{plot}");
    let events = trace(dir.path(), &["show", "--json", "costs"]).stdout;
    let has_cost = |line: &str| {
        let event: serde_json::Value = serde_json::from_str(line).expect("an object");
        event["family"] == "write" && event["replayed_ns"].is_number()
    };
    assert!(events.lines().any(has_cost), "{events}");
}

/// Looks in vain for a name below a directory that nothing else shows, then makes it; a link that the log made itself.
const IN_VAIN: &str = "\
1 stat(\"/z/a/b\", 0x7ffd) = -1 ENOENT (No such file or directory)
1 stat(\"/z/a\", 0x7ffd) = -1 ENOENT (No such file or directory)
1 mkdir(\"/z/a\", 0777) = 0
1 openat(AT_FDCWD, \"/z/a/b\", O_WRONLY|O_CREAT|O_EXCL, 0666) = 3
1 close(3) = 0
1 mkdir(\"/z/l\", 0777) = 0
1 rmdir(\"/z/l\") = 0
1 symlink(\"a\", \"/z/l\") = 0
1 readlink(\"/z/l\", \"a\", 4096) = 1
";

#[test]
fn what_is_looked_for_in_vain_comes_before_what_makes_it_in_every_way() {
    let dir = place();
    let cwd = dir.path().to_str().expect("a plain name");
    let ways = ["--threads", "4", "--uring", "--lookahead", "all"];
    let run = replay(dir.path(), IN_VAIN, &[&["--json", "--cwd", cwd, "--writes"][..], &ways].concat());
    if !can_write(&run) {
        return;
    }
    let done = json(&run);
    assert_eq!((&done["coverage"]["replayed"], &done["coverage"]["fidelity"]), (&9.into(), &1.0.into()));
    let rows = done["rows"].as_array().expect("rows");
    assert!(rows.len() > 1 && rows.iter().all(|row| row["void"].is_null()), "{done:#}");
}

#[test]
fn what_a_log_never_closes_is_replayed_as_far_as_there_are_descriptors() {
    use std::fmt::Write as _;

    let dir = place();
    let mut log = String::new();
    for fd in 3..903 {
        let _ = writeln!(log, "1 openat(AT_FDCWD, \"d/file\", O_RDONLY) = {fd}");
    }
    fs::write(dir.path().join("strace.log"), log).expect("our own file");
    for writes in ["", "--writes "] {
        let replay =
            format!("ulimit -n 600; exec \"$0\" replay --serial --runs 2 --cwd . {writes}strace.log");
        let run = run(run::command("sh", dir.path()).args(["-c", &replay, env!("CARGO_BIN_EXE_trace")]));
        if can_write(&run) {
            assert!(run.status.success(), "{run:?}");
            // 256 are set apart, the working directory is open.
            let left_out = "557 more descriptors open than there may be here (ulimit -n)";
            assert!(run.stdout.contains(left_out), "{run:?}");
        }
    }
}

#[test]
fn nothing_to_replay_in_a_scratch_tree_is_an_error() {
    let dir = place();
    let log = "1 unlink(\"/proc/self/root/d/file\") = 0\n";
    let run = replay(dir.path(), log, &["--cwd", dir.path().to_str().expect("a plain name"), "--writes"]);
    if can_write(&run) {
        assert_eq!((run.status.code(), run.stdout.as_str()), (Some(1), ""), "{run:?}");
        assert!(run.stderr.contains("none of its calls can be replayed here"), "{run:?}");
    }
}

#[test]
fn what_is_too_much_for_a_scratch_tree_is_an_error() {
    let dir = place();
    let cwd = dir.path().to_str().expect("a plain name");
    let log =
        "1 openat(AT_FDCWD, \"a\", O_RDWR|O_CREAT, 0666) = 3\n1 ftruncate(3, 1152921504606846976) = 0\n";
    let run = replay(dir.path(), log, &["--cwd", cwd, "--writes", "--scratch", cwd]);
    if !can_write(&run) {
        return;
    }
    assert!(run.stderr.contains("1152921504606846976 bytes") && run.status.code() == Some(1), "{run:?}");
    assert!(scratch_trees(dir.path()).is_empty());
    let wrong = replay(dir.path(), log, &["--cwd", cwd, "--writes", "--scratch", "missing"]);
    assert!(!wrong.status.success() && wrong.stderr.contains("--scratch missing"), "{wrong:?}");
}

#[test]
fn an_interruption_of_runs_before_a_replay_ends_it() {
    let dir = place();
    fs::write(dir.path().join("strace.log"), READS).expect("our own file");
    // The command interrupts the one that runs it, and would go on.
    let command = ["--rerun", "strace.log", "--", "sh", "-c", "kill -INT $PPID; exec sleep 60"];
    let done = trace(dir.path(), &[&QUICK[..], &["--cwd", "."], &command].concat());
    assert_eq!(done.status.code(), Some(128 + libc::SIGINT), "{done:?}");
    assert!(done.stderr.ends_with("trace: ended by SIGINT in a run of the command\n"), "{done:?}");
    assert_eq!(done.stdout, "");
}

#[test]
fn where_no_scratch_tree_can_be_made_is_said() {
    let dir = place();
    let cwd = dir.path().to_str().expect("a plain name");
    // Nobody makes a directory there.
    let done = replay(dir.path(), INSTALLS, &["--writes", "--scratch", "/proc", "--cwd", cwd]);
    assert!(!done.status.success(), "{done:?}");
    assert!(done.stderr.contains("a scratch tree cannot be made in /proc: "), "{done:?}");
    assert!(
        done.stderr.trim_end().ends_with("(another directory: --scratch DIR, or TMPDIR=DIR)"),
        "{done:?}"
    );
}

#[test]
fn a_file_system_without_room_for_what_is_written_is_an_error() {
    let dir = place();
    let cwd = dir.path().to_str().expect("a plain name");
    fs::create_dir(dir.path().join("full")).expect("our own directory");
    let mount = "mount -t tmpfs -o size=1m none full && exec \"$@\"";
    let call = ["write(3, \"x\"..., 4000000) = 4000000", "fallocate(3, 0, 0, 4000000) = 0"];
    for call in call {
        let log = format!("1 openat(AT_FDCWD, \"new\", O_WRONLY|O_CREAT, 0600) = 3\n1 {call}\n");
        fs::write(dir.path().join("strace.log"), log).expect("our own file");
        let mut full = run::command("unshare", dir.path());
        full.args(["--map-root-user", "--mount", "sh", "-c", mount, "sh", env!("CARGO_BIN_EXE_trace")]);
        full.args(QUICK).args(["--writes", "--scratch", "full", "--cwd", cwd, "strace.log"]);
        let done = run(&mut full);
        if done.stderr.starts_with("unshare") || done.stderr.starts_with("mount") {
            skip("a_file_system_without_room_for_what_is_written_is_an_error", &done.stderr);
            return;
        }
        assert!(!done.status.success(), "{done:?}");
        assert!(done.stderr.contains("there is not enough room on the file system of full"), "{done:?}");
        assert!(done.stderr.contains("--scratch DIR"), "{done:?}");
    }
}

/// What a program that has ended said on its standard error.
fn told(ended: &mut std::process::Child) -> String {
    let stderr = ended.stderr.take().expect("a pipe");
    std::io::read_to_string(stderr).expect("text")
}

#[test]
fn a_scratch_tree_goes_however_a_replay_ends() {
    let dir = place();
    let cwd = dir.path().to_str().expect("a plain name");
    fs::write(dir.path().join("strace.log"), INSTALLS).expect("our own file");
    for signal in [Signal::SIGINT, Signal::SIGKILL] {
        let options = ["replay", "--writes", "--scratch", cwd, "--cwd", cwd, "--runs", "10000", "strace.log"];
        let mut replay = run::command(env!("CARGO_BIN_EXE_trace"), dir.path())
            .args(options)
            .stderr(std::process::Stdio::piped())
            .spawn()
            .expect("it can be started");
        while scratch_trees(dir.path()).is_empty() {
            if replay.try_wait().expect("our own child").is_some() {
                let told = told(&mut replay);
                assert!(told.contains("calls that write are not replayed"), "{told}");
                eprintln!("skipped: {told}");
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        kill(Pid::from_raw(replay.id() as i32), signal).expect("our own child");
        let ended = replay.wait().expect("our own child");
        if signal == Signal::SIGINT {
            assert!(scratch_trees(dir.path()).is_empty(), "it goes before the program does");
            assert_eq!(ended.code(), Some(128 + libc::SIGINT));
            let expected = "trace: the replay was interrupted (SIGINT); its scratch tree is being removed\n";
            assert_eq!(told(&mut replay), expected);
        }
        // The process that removes it has no other work.
        let begin = std::time::Instant::now();
        while !scratch_trees(dir.path()).is_empty() {
            assert!(
                begin.elapsed() < std::time::Duration::from_secs(60),
                "{signal}: the tree is still there"
            );
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
}
