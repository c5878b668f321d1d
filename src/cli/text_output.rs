//! Where live text goes: a file, a command's standard input, or standard output.

use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

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
    command: Option<Child>,
    failed: Option<io::Error>,
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
            let (pipe, child) = start(OsStr::from_bytes(command))?;
            (pipe, Some(child))
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

    /// Waits until a command has read all of it; the failure, if there was one that matters: a reader that has seen
    /// enough is none.
    pub fn finish(self) -> Option<io::Error> {
        self.end().filter(|error| error.kind() != io::ErrorKind::BrokenPipe)
    }

    /// The same; whatever the failure was.
    pub fn end(self) -> Option<io::Error> {
        let Self { out, command, failed } = self;
        drop(out);
        if let Some(mut command) = command {
            // Whoever waits for all processes may have waited for this one.
            let _ = command.wait();
        }
        failed
    }
}

fn start(command: &OsStr) -> Result<(Box<dyn Write>, Child), Failure> {
    let mut shell = Command::new("/bin/sh");
    // What it says of the command begins with its name: as of a shell that popen(3) has started.
    let child = shell.arg0("sh").arg("-c").arg(command).stdin(Stdio::piped()).spawn();
    let child = child.with_context(|| format!("cannot run {}", command.to_string_lossy()));
    let mut child = child.map_err(Failure::of_trace)?;
    let pipe = child.stdin.take().context("the command has no standard input").map_err(Failure::of_trace)?;
    Ok((Box::new(pipe), child))
}
