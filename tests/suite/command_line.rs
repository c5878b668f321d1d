//! What `trace` says and returns where something is wrong: one line, on standard error, with what, on what and
//! what to try.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::log;
use crate::support::run::{self, Run, run};
use crate::support::skip::skip;

fn trace(dir: &Path, words: &[&str]) -> Run {
    run(run::command(env!("CARGO_BIN_EXE_trace"), dir).args(words))
}

/// The one line of a failure, and its exit code.
fn fails(dir: &Path, words: &[&str]) -> (String, i32) {
    let run = trace(dir, words);
    assert_eq!(run.stdout, "", "{words:?}");
    let line = run.stderr.strip_suffix('\n').unwrap_or_else(|| panic!("{words:?}: {run:?}"));
    assert!(!line.contains(['\n', '\x1b']) && line.starts_with("trace: "), "{words:?}: {line:?}");
    (line.to_owned(), run.status.code().expect("an exit code"))
}

/// A directory with the log of a command that opens `data`, once through the link `link`.
fn recorded() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    fs::create_dir(dir.path().join("d")).expect("a new directory");
    fs::write(dir.path().join("d/data"), "x\n").expect("a new file");
    std::os::unix::fs::symlink("d", dir.path().join("link")).expect("a new link");
    let output = dir.path().join("a.trace");
    let done = run(log::command(&output, dir.path()).args(["sh", "-c", "read x <link/data; read y <d/data"]));
    assert!(done.status.success(), "{done:?}");
    dir
}

#[test]
fn wrong_words_are_one_line() {
    let dir = recorded();
    for (words, expected, code) in [
        (&["stats", "--top", "-1", "a.trace"][..], "not a number of rows", 2),
        (&["stats", "--nosuch", "a.trace"], "unexpected argument '--nosuch'", 2),
        (&["stats"], "not provided: <LOG>", 2),
        (&["show", "-e", "opne", "a.trace"], "did you mean", 2),
        (
            &["startup", "--runs", "0", "true"],
            "'0' for '--runs <N>': not a number of runs (1 to 4294967295);",
            125,
        ),
        (&["startup", "--runs", "99999999999", "true"], "not a number of runs (1 to", 125),
        (&["try", "--runs", "-1", "true"], "not a number of runs (1 to", 125),
        (&["try", "--runs", "0", "true"], "not a number of runs (1 to", 125),
        (&["try"], "not provided: <CMD>", 125),
        (&["try", "--bad", "true"], "--bad", 125),
        (&["record", "-p", "abc"], "'abc' for '--pid <PID>': not a process id (1 or more);", 125),
        (&["record", "-p", "-1"], "not a process id (1 or more)", 125),
        (&["record", "-p", "1,0"], "not a process id (1 or more)", 125),
        (&["record", "-p", "1", "--duration", "-1s"], "not a length of time, as in 10s", 125),
        (&["record", "-p", "1", "--duration", ".s"], "not a number with a unit, as in 10s", 125),
        (&["record", "-p", "1", "--duration", "1e300h"], "not a length of time, as in 10s", 125),
        (&["record", "-o", "-", "true"], "name a file", 125),
        (&["startup", "-o", "-", "true"], "name a file", 125),
        (&["record", "--nosuch", "true"], "--nosuch", 125),
        (&["record", "--duration", "1s", "true"], "--duration needs -p", 125),
        (&["record", "-e", "trace=%file", "touch", "-"], "choose what --text prints", 125),
        (&["record", "-v", "touch", "-"], "say how --text prints", 125),
        (&["record", "--decode", "full", "-x", "touch", "-"], "say how --text prints", 125),
        (&["record", "-s", "5", "touch", "-"], "how much --decode full keeps", 125),
        (&["record", "--text", "| ", "touch", "-"], "a command is expected behind |", 125),
        (&["startup", "--from", "nosuch"], "cannot open log nosuch", 125),
        (&["startup", "--from", "/etc/passwd"], "/etc/passwd: not a trace log", 125),
        (&["repair", "-"], "name a file", 2),
    ] {
        let (line, found) = fails(dir.path(), words);
        assert!(line.contains(expected) && found == code, "{words:?}: {found}, {line}");
    }
    assert!(!dir.path().join("-").exists());
}

#[test]
fn what_is_no_log_is_named_once() {
    let dir = recorded();
    fs::write(dir.path().join("odd\x1b[31m\nname"), "x").expect("a new file");
    fs::write(dir.path().join("text"), "getpid() = 1\n+++ exited with 0 +++\n").expect("a new file");
    for (words, expected) in [
        (&["show", "nosuch"][..], "nosuch: No such file or directory"),
        (&["show", "/bin/true"], "/bin/true: not a trace log (it is a program"),
        (&["stats", "."], "name a file in it"),
        (&["repair", "nosuch"], "cannot open log nosuch"),
        (&["repair", "/bin/true"], "/bin/true: not a trace log"),
        (&["repair", "text"], "text: not a trace log (it is strace's text, which needs no repair"),
        (&["show", "odd\x1b[31m\nname"], "odd\\33[31m\\nname: not a trace log"),
    ] {
        let (line, code) = fails(dir.path(), words);
        assert!(line.contains(expected) && code == 1, "{words:?}: {code}, {line}");
        assert!(line.matches("os error").count() <= 1, "{line}");
    }
}

#[test]
fn what_chooses_nothing_is_told() {
    let dir = recorded();
    let said = |words: &[&str]| {
        let done = run(run::command(env!("CARGO_BIN_EXE_trace"), dir.path()).args(words));
        assert!(done.status.success(), "{done:?}");
        done.stderr
    };
    for command in ["show", "stats"] {
        let none = said(&[command, "-e", "trace=swapoff", "a.trace"]);
        assert!(none.starts_with("trace: -e trace=swapoff chooses none of the "), "{none}");
        assert_eq!(said(&[command, "-e", "trace=execve", "a.trace"]), "");
    }
    let record = ["record", "-q", "-o", "b.trace", "--inject"];
    let none = said(&[&record[..], &["swapoff:error=EIO", "true"]].concat());
    assert!(none.contains("--inject swapoff:error=EIO: nothing was done: no such call was made"), "{none}");
    let late = said(&[&record[..], &["brk:delay_exit=1:when=60000", "true"]].concat());
    assert!(late.contains("the calls that when= names did not come"), "{late}");
    assert_eq!(said(&[&record[..], &["brk:delay_exit=1", "true"]].concat()), "");
}

#[test]
fn garbage_is_told_in_one_line() {
    let dir = recorded();
    let whole = fs::read(dir.path().join("a.trace")).expect("the log");
    // In steps, so that metadata of every kind of message is hit.
    for at in (8..whole.len()).step_by(97) {
        let mut damaged = whole.clone();
        let end = (at + 16).min(damaged.len());
        damaged[at..end].fill(0x5a);
        fs::write(dir.path().join("b.trace"), damaged).expect("a new file");
        let run = trace(dir.path(), &["stats", "b.trace"]);
        assert!(run.stderr.lines().count() <= 1 && run.status.code().is_some(), "{at}: {run:?}");
        assert!(run.stderr.is_empty() || run.stderr.starts_with("trace: b.trace: "), "{at}: {}", run.stderr);
    }
}

#[test]
fn a_full_standard_output_is_named() {
    let dir = recorded();
    for (words, code) in [
        (&["show", "a.trace"][..], 1),
        (&["stats", "a.trace"], 1),
        (&["stats", "--json", "a.trace"], 1),
        (&["flame", "-o", "-", "a.trace"], 1),
        (&["plot", "-o", "-", "a.trace"], 1),
        (&["flame", "--folded", "a.trace"], 1),
        (&["plot", "--json", "a.trace"], 1),
        (&["--help"], 1),
        (&["startup", "--runs", "1", "true"], 125),
        (&["startup", "--runs", "1", "--json", "true"], 125),
        (&["record", "--json", "-o", "b.trace", "sh", "-c", "exit 4"], 125),
    ] {
        let full = File::options().write(true).open("/dev/full").expect("every Linux has it");
        let mut command = Command::new(env!("CARGO_BIN_EXE_trace"));
        let output =
            command.args(words).current_dir(&dir).stdout(Stdio::from(full)).output().expect("trace runs");
        let line = String::from_utf8_lossy(&output.stderr);
        assert_eq!(line, "trace: cannot write to standard output: No space left on device (os error 28)\n");
        assert_eq!(output.status.code(), Some(code), "{words:?}");
    }
}

#[test]
fn a_closed_standard_output_is_told() {
    let dir = recorded();
    for (words, code) in [
        ("show a.trace", 1),
        ("stats a.trace", 1),
        ("flame -o - a.trace", 1),
        ("plot -o - a.trace", 1),
        ("doctor", 1),
        ("--help", 1),
        ("stats --help", 1),
        ("completions bash", 1),
        ("startup touch ran", 125),
        ("startup --json touch ran", 125),
        ("try touch ran", 125),
        ("record --json touch ran", 125),
        ("record --text - touch ran", 125),
    ] {
        let line = format!("exec {} {words} >&-", env!("CARGO_BIN_EXE_trace"));
        let done = run(run::command("sh", dir.path()).args(["-c", &line]));
        assert_eq!(
            done.stderr, "trace: standard output is closed: there is nowhere to write to\n",
            "{words}"
        );
        assert_eq!(done.status.code(), Some(code), "{words}");
    }
    std::os::unix::fs::symlink("/dev/fd/1", dir.path().join("out")).expect("a new link");
    for words in
        ["record --text /dev/stdout touch ran", "record --text out touch ran", "record -o out touch ran"]
    {
        let line = format!("exec {} {words} >&-", env!("CARGO_BIN_EXE_trace"));
        let done = run(run::command("sh", dir.path()).args(["-c", &line]));
        assert!(
            done.stderr.ends_with(": descriptor 1 is closed: there is nowhere to write to\n"),
            "{done:?}"
        );
        assert_eq!(done.status.code(), Some(125), "{words}");
    }
    assert!(!dir.path().join("ran").exists(), "nothing is run for a report that goes nowhere");
    let line = format!("exec {} record -o b.trace touch ran >&-", env!("CARGO_BIN_EXE_trace"));
    let recorded = run(run::command("sh", dir.path()).args(["-c", &line]));
    assert!(recorded.status.success() && dir.path().join("ran").exists(), "{recorded:?}");
}

/// By whichever name; what was there before stays.
#[test]
fn a_text_does_not_go_to_its_log() {
    let dir = recorded();
    let log = dir.path().join("a.trace");
    fs::copy(&log, dir.path().join("touch-ran.trace")).expect("a new file");
    fs::hard_link(&log, dir.path().join("hard")).expect("a new link");
    std::os::unix::fs::symlink("a.trace", dir.path().join("soft")).expect("a new link");
    std::os::unix::fs::symlink("new", dir.path().join("dangling")).expect("a new link");
    let before = fs::read(&log).expect("the log");
    for (text, output) in [
        ("a.trace", "a.trace"),
        ("./a.trace", "a.trace"),
        ("hard", "a.trace"),
        ("soft", "hard"),
        ("a.trace", "soft"),
        ("new", "./new"),
        ("dangling", "new"),
        ("new", "dangling"),
        ("touch-ran.trace", ""),
    ] {
        let log = if output.is_empty() { vec![] } else { vec!["-o", output] };
        let words = [&["record", "--text", text][..], &log, &["touch", "ran"]].concat();
        let (line, code) = fails(dir.path(), &words);
        assert!(line.contains("the log goes to the same file") && code == 125, "{words:?}: {code}, {line}");
    }
    for log in ["a.trace", "touch-ran.trace"] {
        assert!(fs::read(dir.path().join(log)).expect("the log") == before, "{log} is as it was");
    }
    assert!(!dir.path().join("ran").exists() && !dir.path().join("new").exists());
    let both = trace(dir.path(), &["record", "-q", "--text", "/dev/null", "-o", "/dev/null", "touch", "ran"]);
    assert!(both.status.success() && dir.path().join("ran").exists(), "{both:?}");
}

#[test]
fn a_complete_log_needs_no_repair() {
    let dir = recorded();
    let before = fs::read(dir.path().join("a.trace")).expect("the log");
    let again = trace(dir.path(), &["repair", "a.trace"]);
    assert!(again.status.success() && again.stderr.contains("a.trace is complete already"), "{again:?}");
    assert_eq!(fs::read(dir.path().join("a.trace")).expect("the log"), before);
    fs::write(dir.path().join("cut.trace"), &before[..before.len() - 100]).expect("a new file");
    let repaired = trace(dir.path(), &["repair", "cut.trace", "-o", "whole.trace"]);
    assert!(repaired.status.success(), "{repaired:?}");
    let json = trace(dir.path(), &["stats", "--json", "whole.trace"]).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let integrity = &json["integrity"];
    assert_eq!(integrity["complete"], false, "{integrity}");
    assert_eq!(integrity["lost_at_least"], true, "{integrity}");
}

#[test]
fn what_was_recorded_and_repaired_is_told_as_json() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let json = |words: &[&str], status: Option<i32>| {
        let done = trace(dir.path(), words);
        assert_eq!(done.status.code(), status, "{done:?}");
        let line = if words[0] == "record" { done.stdout.lines().last() } else { Some(done.stdout.as_str()) };
        serde_json::from_str::<serde_json::Value>(line.expect("a line")).expect("JSON")
    };
    let recorded = json(&["record", "--json", "-o", "a.trace", "sh", "-c", "echo said; exit 3"], Some(3));
    let size = fs::metadata(dir.path().join("a.trace")).expect("a log").len();
    assert_eq!((recorded["exit_code"].as_i64(), recorded["bytes"].as_u64()), (Some(3), Some(size)));
    assert!(recorded["signal"].is_null() && recorded["error"].is_null(), "{recorded}");
    let killed = json(&["record", "--json", "-o", "b.trace", "sh", "-c", "kill -9 $$"], None);
    assert_eq!((killed["exit_code"].as_i64(), killed["signal"].as_i64()), (None, Some(9)));
    let whole = json(&["repair", "--json", "a.trace"], Some(0));
    assert_eq!((&whole["found"], &whole["events"]), (&"complete".into(), &recorded["events"]));
    cut(dir.path(), size);
    let repaired = json(&["repair", "--json", "cut.trace", "-o", "whole.trace"], Some(0));
    assert_eq!((&repaired["found"], repaired["lost_events"].as_u64()), (&"cut".into(), None));
}

/// Cuts the end of the log off.
fn cut(dir: &Path, size: u64) {
    let bytes = fs::read(dir.join("a.trace")).expect("a log");
    fs::write(dir.join("cut.trace"), &bytes[..size as usize - 100]).expect("our own directory");
}

#[test]
fn a_log_that_lost_events_is_not_called_complete() {
    let dir = recorded();
    let calls = "i=0; while [ $i -lt 2000 ]; do read x </dev/null; i=$((i+1)); done";
    // However much of it there is room for, a log that could not be written whole is a failure, in JSON too.
    for (blocks, json) in [(40, ""), (60, ""), (40, "--json ")] {
        let line = format!(
            "ulimit -f {blocks}; exec {} record {json}-o lossy.trace sh -c '{calls}'",
            env!("CARGO_BIN_EXE_trace")
        );
        let done = run(run::command("sh", dir.path()).args(["-c", &line]));
        let why = "the log is incomplete: cannot write log lossy.trace: File too large";
        assert!(done.stderr.contains(why) && done.stderr.contains("the command has run"), "{done:?}");
        assert_eq!(done.status.code(), Some(125), "{done:?}");
        let told = done.stdout.lines().last().map(serde_json::from_str::<serde_json::Value>);
        assert_eq!(told.is_some_and(|told| told.expect("JSON")["error"].is_string()), !json.is_empty());
    }
    let repaired = trace(dir.path(), &["repair", "lossy.trace"]);
    assert!(repaired.status.success(), "{repaired:?}");
    assert!(
        repaired.stderr.contains("was closed, but lost ") && !repaired.stderr.contains("complete"),
        "{repaired:?}"
    );
}

#[test]
fn other_peoples_files_have_hints_that_fit() {
    if !nix::unistd::geteuid().is_root() {
        return skip("other_peoples_files_have_hints_that_fit", "not root");
    }
    let dir = recorded();
    let nobody = |words: &[&str]| {
        let mut command = run::command("setpriv", dir.path());
        run(command.args(["--reuid=65534", "--clear-groups", env!("CARGO_BIN_EXE_trace")]).args(words)).stderr
    };
    fs::write(dir.path().join("program"), "").expect("a new file");
    let mode = |name: &str, mode| {
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
        fs::set_permissions(dir.path().join(name), permissions).expect("our own file");
    };
    mode("program", 0o711);
    mode("", 0o755);
    if nobody(&["--version"]).contains("denied") {
        return skip("other_peoples_files_have_hints_that_fit", "others cannot run this build");
    }
    let log = nobody(&["show", "a.trace"]);
    assert!(log.contains("belongs to user 0; a log can be read by its owner only"), "{log}");
    let program = nobody(&["show", "program"]);
    assert!(program.contains("a program, not a log?"), "{program}");
}

#[test]
fn a_path_is_found_under_all_its_names() {
    let dir = recorded();
    let lines = |path: &str| {
        let shown = trace(dir.path(), &["show", "-P", path, "a.trace"]);
        assert!(shown.status.success(), "{shown:?}");
        shown.stdout.lines().filter(|line| line.contains("data")).count()
    };
    // Opens, reads and what the shell does with the descriptors, of either name.
    let all = lines("d/data");
    assert!(all >= 4, "{all}");
    assert_eq!(lines(dir.path().join("d/data").to_str().expect("plain")), all);
    assert_eq!(lines("./d//data"), all);
    // The open by the link's name is among them by its descriptor.
    assert_eq!(lines("link/data"), all);
    assert_eq!(lines("link"), 0, "what lies in it is something else");
}

#[test]
fn json_lines_have_the_events_that_the_text_has() {
    let dir = recorded();
    for filter in [&[][..], &["-e", "openat", "-z"]] {
        let lines = |more: &[&str]| {
            let words: Vec<_> =
                ["show"].iter().chain(more).chain(filter).chain(&["a.trace"]).copied().collect();
            let shown = trace(dir.path(), &words);
            assert!(shown.status.success() && shown.stderr.is_empty(), "{shown:?}");
            shown.stdout.lines().map(str::to_owned).collect::<Vec<_>>()
        };
        let (text, json) = (lines(&[]), lines(&["--json"]));
        assert_eq!(text.len(), json.len());
        for (text, json) in text.iter().zip(&json) {
            let event: serde_json::Value = serde_json::from_str(json).expect("JSON");
            assert!(text.starts_with(&format!("{} ", event["tid"])), "{text}: {json}");
            let call = event["syscall"].as_str();
            assert!(call.is_none_or(|call| text.contains(&format!(" {call}("))), "{text}: {json}");
        }
    }
    assert!(fails(dir.path(), &["show", "--json", "-r", "a.trace"]).0.contains("cannot be used with"));
}

#[test]
fn relative_times_are_not_negative() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let output = dir.path().join("a.trace");
    let done = run(log::command(&output, dir.path()).args(["sh", "-c", "/bin/true; /bin/true & wait"]));
    assert!(done.status.success(), "{done:?}");
    let shown = trace(dir.path(), &["show", "-r", "a.trace"]).stdout;
    let times: Vec<f64> = shown
        .lines()
        .map(|line| {
            line.split(' ').nth(1).and_then(|time| time.parse().ok()).unwrap_or_else(|| panic!("{line}"))
        })
        .collect();
    assert!(times.len() > 50 && times.iter().all(|time| *time >= 0.0), "{shown}");
    let absolute = trace(dir.path(), &["show", "a.trace"]).stdout;
    let starts: Vec<f64> = absolute.lines().filter_map(|line| line.split(' ').nth(1)?.parse().ok()).collect();
    let span = starts.iter().copied().fold(0.0, f64::max) - starts[0];
    let sum: f64 = times.iter().sum();
    assert!((sum - span).abs() < 1e-6 * times.len() as f64 + 1e-6, "{sum} of {span}: they add up");
}
