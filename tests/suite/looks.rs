//! How reports look where they go: colour and width, as asked for, as the environment says, and neither in pipes.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::support::run::{self, run};

/// What `trace stats` prints of a recorded `pip install`.
fn stats(arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = run::command(env!("CARGO_BIN_EXE_trace"), root);
    command.args(arguments).args(["--by", "path", "--top", "9", "fixtures/logs/pip-install.trace"]);
    let done = run(command.envs(environment.iter().copied()));
    assert!(done.status.success(), "{done:?}");
    done.stdout
}

fn widest(text: &str) -> usize {
    text.lines().map(|line| line.chars().count()).max().unwrap_or(0)
}

#[test]
fn colour_is_as_asked_for() {
    let coloured =
        |arguments: &[&str], environment: &[(&str, &str)]| stats(arguments, environment).contains('\x1b');
    assert!(!coloured(&["stats"], &[]), "a pipe");
    assert!(coloured(&["stats", "--color=always"], &[]));
    assert!(coloured(&["--color", "always", "stats"], &[("NO_COLOR", "1")]), "asked for by hand");
    assert!(coloured(&["stats"], &[("CLICOLOR_FORCE", "1")]));
    assert!(!coloured(&["stats", "--color=never"], &[("CLICOLOR_FORCE", "1")]));
    assert!(!coloured(&["stats", "--color=auto"], &[("NO_COLOR", "1")]));
}

#[test]
fn width_is_that_of_columns() {
    let free = stats(&["stats"], &[]);
    assert!(widest(&free) > 140, "a pipe has no width");
    for width in [80, 100, 120] {
        let text = stats(&["stats"], &[("COLUMNS", &width.to_string())]);
        assert!(widest(&text) <= width, "{width}: {text}");
    }
    assert_eq!(stats(&["stats"], &[("COLUMNS", "0")]), free);
}

#[test]
fn every_line_fits_and_no_terminal_is_too_narrow() {
    for (columns, width) in [("60", 60), ("20", 40), ("1", 40)] {
        let text = stats(&["stats"], &[("COLUMNS", columns)]);
        let sentences = text.lines().filter(|line| line.contains(" in ") || line.contains("traced"));
        assert!(
            sentences.clone().count() > 1 && sentences.clone().all(|line| line.chars().count() <= width),
            "{text}"
        );
        assert!(text.lines().filter(|line| !line.contains(' ')).count() < 3, "{columns}: {text}");
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let doctor = run(run::command(env!("CARGO_BIN_EXE_trace"), root).arg("doctor").env("COLUMNS", "72"));
    let breakable = doctor.stdout.lines().filter(|line| !line.contains(env!("CARGO_BIN_EXE_trace")));
    let over: Vec<_> =
        breakable.filter(|line| line.chars().count() > 72 && line.trim().contains(' ')).collect();
    assert!(over.is_empty(), "{over:?}");
}

#[test]
fn tables_fit_narrow_terminals() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let log = "fixtures/logs/pip-install.trace";
    for words in [&["compare", "--all", log, log][..], &["compare", "--all", log, log, log], &["doctor"]] {
        let mut command = run::command(env!("CARGO_BIN_EXE_trace"), root);
        let text = run(command.args(words).env("COLUMNS", "40")).stdout;
        // What is one word cannot be broken.
        let over = |line: &&str| line.chars().count() > 40 && line.trim().contains("  ");
        let over: Vec<&str> = text.lines().filter(over).collect();
        assert!(over.is_empty() && text.lines().count() > 10, "{words:?}: {over:#?}");
    }
}

/// strace writes such names so, and we do everywhere.
#[test]
fn odd_names_are_written_in_one_way() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let odd = OsStr::from_bytes(b"odd\xff\x1b[31m");
    std::fs::write(dir.path().join(odd), "#!/bin/sh\n").expect("our own directory");
    let trace = |words: &[&str]| {
        let mut command = run::command(env!("CARGO_BIN_EXE_trace"), dir.path());
        run(command.args(words)).stdout
    };
    let mut command = run::command(env!("CARGO_BIN_EXE_trace"), dir.path());
    let done = run(command.args(["record", "-q", "--backend", "ptrace", "-o", "log", "/bin/sh"]).arg(odd));
    assert!(done.status.success(), "{done:?}");
    for words in
        [&["show", "log"][..], &["stats", "--by", "path", "log"], &["startup", "--all", "--from", "log"]]
    {
        let shown = trace(words);
        assert!(shown.contains("odd\\377\\33[31m") && !shown.contains('\x1b'), "{words:?}: {shown}");
        assert!(!shown.contains('\u{fffd}') && !shown.contains("\\xff"), "{words:?}: {shown}");
    }
}
