//! Where live text goes: a file, a command's standard input, or standard output.

use std::ffi::OsStr;
use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::channel;
use std::thread::{self, JoinHandle};

use anyhow::Context;

use super::failure::Failure;

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
    command: Option<Reader>,
    failed: Option<io::Error>,
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
    /// Opens `FILE`, `|COMMAND` or `-`, the standard output.
    pub fn open(name: &OsStr) -> Result<Self, Failure> {
        Self::open_as(name, Mode::Replace, PRIVATE)
    }

    /// The same for a file that whoever may is to read, as strace's are.
    pub fn open_for_all(name: &OsStr, mode: Mode) -> anyhow::Result<Self> {
        Self::open_as(name, mode, 0o666).map_err(Failure::into_error)
    }

    fn open_as(name: &OsStr, mode: Mode, permissions: u32) -> Result<Self, Failure> {
        let bytes = name.as_bytes();
        let (out, command): (Box<dyn Write>, _) = if bytes == b"-" {
            (Box::new(io::stdout()), None)
        } else if let Some(command) = bytes.strip_prefix(b"|") {
            let started = start(OsStr::from_bytes(command));
            let started = started.with_context(|| format!("cannot run {}", name.to_string_lossy()));
            let (pipe, reader) = started.map_err(Failure::of_trace)?;
            (Box::new(pipe), Some(reader))
        } else {
            let mut options = OpenOptions::new();
            options.append(mode == Mode::Append).truncate(mode == Mode::Replace);
            let file = options.write(true).create(true).mode(permissions).open(name);
            let file = file.with_context(|| format!("cannot write {}", name.to_string_lossy()));
            (Box::new(file.map_err(Failure::of_trace)?), None)
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
        let (failed, status) = self.wait();
        let ended_early = failed.as_ref().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe);
        let reader = status.filter(|status| !status.success());
        Finished {
            error: failed.filter(|_| !ended_early),
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
        (failed, command.and_then(|reader| reader.join().ok().flatten()))
    }
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
