//! What comes with an installation: completions that a shell really uses, manual pages that render.

use std::path::Path;
use std::process::Command;

use crate::support::run::{self, run};
use crate::support::skip::skip;

const TRACE: &str = env!("CARGO_BIN_EXE_trace");

fn is_there(program: &str, argument: &str) -> bool {
    Command::new(program).arg(argument).output().is_ok_and(|output| output.status.success())
}

fn script(shell: &str) -> String {
    let made = run(run::command(TRACE, Path::new("/")).args(["completions", shell]));
    assert!(made.status.success() && made.stderr.is_empty(), "{made:?}");
    made.stdout
}

/// What bash offers after these words, the last one being completed.
fn offered(words: &[&str]) -> String {
    let script = script("bash");
    let list = words.join(" ");
    let index = words.len() - 1;
    let ask = format!(
        "eval \"$SCRIPT\"; function=$(complete -p trace | sed 's/.*-F \\([^ ]*\\).*/\\1/'); \
         COMP_WORDS=({list}); [ ${{#COMP_WORDS[@]}} -gt {index} ] || COMP_WORDS+=(''); COMP_CWORD={index}; \
         $function trace '{}' '{}'; echo \"${{COMPREPLY[*]}}\"",
        words[index],
        words[index - 1]
    );
    let done = run(run::command("bash", Path::new("/")).env("SCRIPT", script).args(["--norc", "-c", &ask]));
    assert!(done.status.success() && done.stderr.is_empty(), "{done:?}");
    done.stdout.trim_end().to_owned()
}

#[test]
fn bash_completes() {
    if !is_there("bash", "--version") {
        return skip("completions of bash", "no bash");
    }
    assert_eq!(offered(&["trace", "sta"]), "startup stats");
    assert_eq!(offered(&["trace", "doc"]), "doctor");
    assert_eq!(offered(&["trace", "stats", "--so"]), "--sort");
    assert_eq!(offered(&["trace", "stats", "--by", "p"]), "path process phase");
    assert_eq!(offered(&["trace", "completions", "f"]), "fish");
}

#[test]
fn other_shells_can_read_their_scripts() {
    for (shell, check) in [("zsh", "-n"), ("fish", "--no-execute")] {
        let text = script(shell);
        assert!(text.contains("doctor") && text.contains("leader-only"), "{shell}: {text}");
        if !is_there(shell, "--version") {
            skip(&format!("completions of {shell}"), "no such shell");
            continue;
        }
        let dir = tempfile::tempdir().expect("a temporary directory");
        let file = dir.path().join("script");
        std::fs::write(&file, text).expect("a new file");
        let read = run(run::command(shell, dir.path()).arg(check).arg(file));
        assert!(read.status.success() && read.stderr.is_empty(), "{read:?}");
    }
}

#[test]
fn pages_render_without_a_warning() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let made = run(run::command(TRACE, dir.path()).args(["manpages", "man1"]));
    assert!(made.status.success(), "{made:?}");
    let pages: Vec<_> = std::fs::read_dir(dir.path().join("man1")).expect("a directory").flatten().collect();
    let help = run(run::command(TRACE, dir.path()).arg("--help")).stdout;
    let list = help.split("Commands:\n").nth(1).expect("a list of commands");
    // Two blanks and a name; what is wrapped stands further in.
    let entries = list.lines().take_while(|line| !line.is_empty()).filter_map(|line| line.strip_prefix("  "));
    let names = entries.filter(|line| !line.starts_with(' ')).filter_map(|line| line.split(' ').next());
    let names: Vec<&str> = names.filter(|name| *name != "help").collect();
    assert!(names.len() >= 8 && pages.len() == names.len() + 1, "{names:?}, {pages:?}");
    for name in names {
        assert!(dir.path().join(format!("man1/trace-{name}.1")).exists(), "{name}");
    }
    if !is_there("groff", "--version") {
        return skip("manual pages", "no groff");
    }
    for page in pages {
        let mut groff = run::command("groff", dir.path());
        let rendered = run(groff.args(["-man", "-ww", "-Tutf8", "-P-cbou"]).arg(page.path()));
        assert!(rendered.status.success() && rendered.stderr.is_empty(), "{page:?}: {}", rendered.stderr);
        assert!(rendered.stdout.contains("SYNOPSIS"), "{page:?}: {}", rendered.stdout);
    }
}
