//! Builds the fixture programs, each at most once a test run and only when its source has changed.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, LazyLock, Mutex, OnceLock};
use std::time::SystemTime;

type Built = Arc<OnceLock<PathBuf>>;

static PROGRAMS: LazyLock<Mutex<HashMap<String, Built>>> = LazyLock::new(Mutex::default);

/// Sources and headers.
pub fn source_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/programs")
}

/// The executable of the fixture `name`.
pub fn program(name: &str) -> PathBuf {
    let slot =
        PROGRAMS.lock().expect("no test panics while holding it").entry(name.into()).or_default().clone();
    slot.get_or_init(|| build(name)).clone()
}

/// An executable file of this content. Another process writes it: a file that we had open for writing could not be run
/// (ETXTBSY) while a child that another test forks at that moment has our descriptors.
pub fn executable(path: &Path, content: &[u8]) {
    let mut writer = Command::new("sh")
        .args(["-c", "cat > \"$0\" && chmod 755 \"$0\""])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .expect("sh starts");
    writer.stdin.take().expect("it is piped").write_all(content).expect("sh reads");
    assert!(writer.wait().expect("sh ends").success(), "{}", path.display());
}

/// A copy of a program in `dir`, where everyone can run it; made by another process, as [`executable`] is.
pub fn copy(program: &Path, dir: &Path) -> PathBuf {
    let to = dir.join(program.file_name().expect("a program"));
    let done =
        Command::new("install").args(["-m", "755"]).arg(program).arg(&to).status().expect("install runs");
    assert!(done.success(), "{}", to.display());
    to
}

fn build(name: &str) -> PathBuf {
    // A source may be built for both.
    let source = source_dir().join(format!("{}.c", name.trim_end_matches("32")));
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("programs");
    let output = dir.join(name);
    if is_fresh(&output, &source) {
        return output;
    }
    std::fs::create_dir_all(&dir).expect("the target directory can be written to");
    let unfinished = dir.join(format!("{name}.{}", std::process::id()));
    let mut compiler = Command::new("cc");
    compiler.args(["-O1", "-g", "-Wall", "-Wextra", "-pthread"]);
    // Needs no 32-bit libraries, for it has no libc.
    let is_32_bit = matches!(name, "i386" | "random_calls32");
    if matches!(name, "i386" | "random_calls" | "random_calls32") {
        compiler.args([
            "-nostdlib",
            "-static",
            "-ffreestanding",
            "-fno-pic",
            "-no-pie",
            "-fno-stack-protector",
        ]);
    }
    if is_32_bit {
        // The kernel's headers are the same for both.
        compiler.args(["-m32", "-I/usr/include/x86_64-linux-gnu"]);
    }
    if name == "no_loader" {
        compiler.arg("-static");
    }
    compiler.arg(&source).arg("-o").arg(&unfinished);
    if name == "loads" {
        // glibc before 2.34 has dlopen in a library of its own.
        compiler.arg("-ldl");
    }
    let output_of = compiler.output().expect("cc can be run");
    let complaints = String::from_utf8_lossy(&output_of.stderr);
    assert!(output_of.status.success() && complaints.is_empty(), "cc {}:\n{complaints}", source.display());
    // Whole or not at all: another test run may be looking.
    std::fs::rename(&unfinished, &output).expect("same directory");
    output
}

fn is_fresh(output: &Path, source: &Path) -> bool {
    let modified = |path: &Path| path.metadata().and_then(|meta| meta.modified()).ok();
    let Some(built) = modified(output) else { return false };
    let older = |path: &Path| modified(path).is_some_and(|time: SystemTime| time < built);
    older(source) && older(&source_dir().join("account.h")) && older(&source_dir().join("tracee.h"))
}
