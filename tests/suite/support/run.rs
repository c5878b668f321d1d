//! Running a command to its end in a directory and environment of its own.

use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// When to give up on a command that hangs. Far beyond what any takes: it fails a test, never passes one.
const HANGING: Duration = Duration::from_secs(240);

/// What a command did.
#[derive(Debug, PartialEq, Eq)]
pub struct Run {
    /// Exit status.
    pub status: ExitStatus,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// A command in `dir`, with a small environment that is the same everywhere.
pub fn command(program: impl AsRef<OsStr>, dir: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().current_dir(dir).stdin(Stdio::null());
    command.env("PATH", std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into()));
    command.env("HOME", dir).env("LANG", "C").env("PYTHONHASHSEED", "0").env("PERL_HASH_SEED", "0");
    command
}

/// Runs the command to its end and takes all it writes.
pub fn run(command: &mut Command) -> Run {
    let name = format!("{command:?}");
    // A group of its own, so that a command that hangs can be ended with all it started.
    command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{name}: {error}"));
    let stdout = drain(child.stdout.take());
    let stderr = drain(child.stderr.take());
    let status = wait(&mut child, &name);
    let text = |thread: thread::JoinHandle<String>| thread.join().expect("reading does not panic");
    Run { status, stdout: text(stdout), stderr: text(stderr) }
}

/// Waits for a child; ends its process group and panics if it hangs.
pub fn wait(child: &mut Child, name: &str) -> ExitStatus {
    let group = Pid::from_raw(child.id().cast_signed());
    let (done, is_done) = channel::<()>();
    let watch = thread::spawn(move || {
        let hangs = is_done.recv_timeout(HANGING) == Err(RecvTimeoutError::Timeout);
        if hangs {
            let _ = killpg(group, Signal::SIGKILL);
        }
        hangs
    });
    let status = child.wait().unwrap_or_else(|error| panic!("{name}: {error}"));
    drop(done);
    let hung = watch.join().expect("the watch does not panic");
    assert!(!hung, "hangs: {name}");
    status
}

fn drain(from: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut from) = from {
            let _ = from.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
