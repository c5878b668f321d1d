//! Where live text goes: a file, a command's standard input, or standard output.

use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::channel;
use std::thread::{self, JoinHandle};

use anyhow::Context;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::failure::Failure;
use super::output::{check_stdout, refuse_closed_stream};

/// Owner only: arguments and paths are private.
const PRIVATE: u32 = 0o600;

/// What becomes of a file that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It is written anew.
    Replace,
    /// It is written on.
    Append,
}

/// A place for text, written to as the text comes.
pub struct TextOutput {
    out: Box<dyn Write>,
    command: Option<Reading>,
    failed: Option<io::Error>,
}

/// A command that reads the text.
struct Reading {
    /// A second way into its pipe, not written to.
    pipe: OwnedFd,
    reader: Reader,
}

impl Reading {
    /// Whether nobody reads any more, although the text may go on.
    fn has_ended(&self) -> bool {
        let mut pipe = [PollFd::new(self.pipe.as_fd(), PollFlags::empty())];
        let polled = poll(&mut pipe, PollTimeout::ZERO);
        polled.is_ok() && pipe[0].revents().is_some_and(|events| events.contains(PollFlags::POLLERR))
    }

    fn status(self) -> Option<ExitStatus> {
        drop(self.pipe);
        self.reader.join().ok().flatten()
    }
}

/// The thread that has started the command which reads the text, and waits for it: the tracer's thread waits for all
/// children of its own, and would take this one for a traced process.
type Reader = JoinHandle<Option<ExitStatus>>;

/// How a text came to its end.
#[derive(Debug, Default)]
pub struct Finished {
    /// Why it could not be written whole. A command that has seen enough is no failure.
    pub error: Option<io::Error>,
    /// How the command that read it failed.
    pub reader: Option<FailedReader>,
}

/// A command that was to read a text, and failed.
#[derive(Debug)]
pub struct FailedReader {
    status: ExitStatus,
    /// It had ended before all of the text was written.
    ended_early: bool,
}

impl fmt::Display for FailedReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What sh(1) says of a name that it does not find, and of a file that it cannot execute.
        let why = match self.status.code() {
            Some(127) => ", not found",
            Some(126) => ", cannot be executed",
            _ => "",
        };
        write!(f, "the command that reads the text failed ({}{why})", self.status)?;
        f.write_str(if self.ended_early { ", before the text was at its end" } else { "" })
    }
}

impl TextOutput {
    /// Opens `FILE`, `|COMMAND` or `-`, the standard output, for the text of a recording whose log goes to `log`. An error where
    /// nobody would ever see the text, and where it would destroy the log.
    pub fn open(name: &OsStr, log: &Path) -> Result<Self, Failure> {
        check_place(name).map_err(Failure::of_trace)?;
        Self::open_as(name, Mode::Replace, PRIVATE, Some(log)).map_err(Failure::of_trace)
    }

    /// The same for a file that whoever may is to read, as strace's are.
    pub fn open_for_all(name: &OsStr, mode: Mode) -> anyhow::Result<Self> {
        Self::open_as(name, mode, 0o666, None)
    }

    fn open_as(name: &OsStr, mode: Mode, permissions: u32, log: Option<&Path>) -> anyhow::Result<Self> {
        let bytes = name.as_bytes();
        let (out, command): (Box<dyn Write>, _) = if bytes == b"-" {
            let output = io::stdout().as_fd().try_clone_to_owned();
            refuse_log(&File::from(output.context("cannot write to standard output")?), log)?;
            (Box::new(io::stdout()), None)
        } else if let Some(command) = bytes.strip_prefix(b"|") {
            let started = start(OsStr::from_bytes(command));
            let started = started.with_context(|| format!("cannot run {}", name.to_string_lossy()));
            let (pipe, reader) = started?;
            let reading = Reading { pipe: pipe.as_fd().try_clone_to_owned()?, reader };
            (Box::new(pipe), Some(reading))
        } else {
            let file = open_file(Path::new(name), mode, permissions, log);
            (Box::new(file.with_context(|| format!("cannot write {}", name.to_string_lossy()))?), None)
        };
        Ok(Self { out, command, failed: None })
    }

    /// Writes to this.
    pub fn to(out: impl Write + 'static) -> Self {
        Self { out: Box::new(out), command: None, failed: None }
    }

    /// Writes a piece, and at once. The first failure is kept, and ends the writing.
    pub fn write(&mut self, text: &[u8]) {
        if self.failed.is_none()
            && let Err(error) = self.out.write_all(text).and_then(|()| self.out.flush())
        {
            self.failed = Some(error);
        }
    }

    /// Waits until a command has read all of it, and says what went wrong.
    pub fn finish(self) -> Finished {
        // What was written to a pipe just before its reader ended was read by nobody: no write tells.
        let left_early = self.command.as_ref().is_some_and(Reading::has_ended);
        let (failed, status) = self.wait();
        let is_broken = failed.as_ref().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe);
        let ended_early = is_broken || left_early;
        let reader = status.filter(|status| !status.success());
        Finished {
            error: failed.filter(|_| !is_broken),
            reader: reader.map(|status| FailedReader { status, ended_early }),
        }
    }

    /// The same as strace has it: whatever kept the text from being written, and nothing of how a command ended.
    pub fn end(self) -> Option<io::Error> {
        self.wait().0
    }

    fn wait(self) -> (Option<io::Error>, Option<ExitStatus>) {
        let Self { out, command, failed } = self;
        drop(out);
        (failed, command.and_then(Reading::status))
    }
}

/// Whether there is something that could take the text.
fn check_place(name: &OsStr) -> anyhow::Result<()> {
    match name.as_bytes() {
        b"-" => check_stdout(),
        [b'|', command @ ..] if command.trim_ascii().is_empty() => {
            anyhow::bail!("--text '|': a command is expected behind |, as in --text '|less'")
        }
        [b'|', ..] => Ok(()),
        _ => refuse_closed_stream(Path::new(name)),
    }
}

/// Opens a file, and empties it if it is to be replaced, but never the log.
fn open_file(path: &Path, mode: Mode, permissions: u32, log: Option<&Path>) -> anyhow::Result<File> {
    let is_new = !path.exists();
    let mut options = OpenOptions::new();
    let file = options.append(mode == Mode::Append).write(true).create(true).mode(permissions).open(path)?;
    let is_log = refuse_log(&file, log);
    if is_log.is_err() && is_new {
        // The file itself, where the path is a link to it.
        fs::remove_file(path.canonicalize()?)?;
    }
    is_log?;
    if mode == Mode::Replace && file.metadata()?.is_file() {
        file.set_len(0)?;
    }
    Ok(file)
}

/// An error where a file that is open is the log, by whichever name: there each would write over the other.
fn refuse_log(file: &File, log: Option<&Path>) -> anyhow::Result<()> {
    let Some(log) = log else { return Ok(()) };
    let text = file.metadata()?;
    let is_same = log.metadata().is_ok_and(|log| (log.dev(), log.ino()) == (text.dev(), text.ino()));
    anyhow::ensure!(
        !text.is_file() || !is_same,
        "the log goes to the same file ({}): name another one for the text or, with -o, for the log",
        log.display()
    );
    Ok(())
}

fn start(command: &OsStr) -> io::Result<(ChildStdin, Reader)> {
    let mut shell = Command::new("/bin/sh");
    // What it says of the command begins with its name: as of a shell that popen(3) has started.
    shell.arg0("sh").arg("-c").arg(command).stdin(Stdio::piped());
    let (sender, started) = channel();
    let reader = thread::Builder::new().name("trace-text".to_owned()).spawn(move || {
        let mut child = shell.spawn().map_err(|error| sender.send(Err(error))).ok()?;
        // It is there, since it was asked for; and whoever has asked waits for it.
        let _ = sender.send(child.stdin.take().ok_or_else(|| io::ErrorKind::BrokenPipe.into()));
        child.wait().ok()
    })?;
    let pipe = started.recv().map_err(io::Error::other)??;
    Ok((pipe, reader))
}
