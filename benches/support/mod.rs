//! What the benches of recording share.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A python that is no shim.
pub fn python() -> Option<PathBuf> {
    let code = "import sys; print(sys.executable)";
    let output = Command::new("python3").args(["-c", code]).output().ok()?;
    let path = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    path.canonicalize().ok()
}

/// A command that installs packages, whose wheels are made below `place`, into `target`.
pub fn pip_install(python: &Path, place: &Path, target: &Path) -> Vec<OsString> {
    let wheels = place.join("wheels");
    let maker = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/make_wheels.py");
    let made = Command::new(python).arg(maker).arg(&wheels).status().expect("python runs");
    assert!(made.success(), "the wheels are made");
    let mut command: Vec<OsString> = vec![python.into()];
    command.extend(["-m", "pip", "install", "--quiet", "--no-index", "--find-links"].map(OsString::from));
    command.push(wheels.into());
    command.push("--target".into());
    command.push(target.into());
    command.extend((0..5).map(|number| OsString::from(format!("fixture_package_{number}"))));
    command
}

/// The middle one.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The largest of all children so far, in MiB.
pub fn largest_resident_set() -> i64 {
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_CHILDREN);
    usage.expect("getrusage works").max_rss() / 1024
}
