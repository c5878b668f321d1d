//! Tests that cannot run here: said aloud and counted, and failures where everything must be there.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

/// Where skipped tests are listed, one a line, for `.ci/run` to count.
fn list() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("skipped")
}

/// Whether this run must have everything (`CI=true`).
fn everything_required() -> bool {
    std::env::var_os("CI").is_some_and(|value| value == "true")
}

/// Says that `name` is skipped because of `reason`.
pub fn skip(name: &str, reason: &str) {
    // Not `println!`, which the test harness swallows when a test passes.
    let line = format!("SKIPPED {name}: {reason}\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
    let file = OpenOptions::new().create(true).append(true).open(list());
    let _ = file.and_then(|mut file| file.write_all(line.as_bytes()));
}

/// As [`skip`], for lack of something that `.ci/run` sets up: with `CI=true` a failure.
pub fn skip_peer(name: &str, reason: &str) {
    assert!(!everything_required(), "{name}: {reason} (and CI=true says that it must be there)");
    skip(name, reason);
}
