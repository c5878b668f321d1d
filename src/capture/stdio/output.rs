//! Standard output and error: the real ones for run 0, then others of the same kind that lead nowhere.

use super::super::ready::OutputWatch;
use super::drain::{Drain, Watched};
use super::kind::{self, Kind};
use super::words::{KEPT, words};
use super::{StdioError, own};
use crate::capture::launch::Stream;
use crate::capture::sys::fds;
use crate::capture::temporary;
use nix::fcntl::{OFlag, open};
use nix::pty::{grantpt, posix_openpt, unlockpt};
use nix::sys::stat::{Mode, fchmod, fstat};
use nix::sys::termios::{SetArg, Termios, tcgetattr, tcsetattr};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

/// Standard output and standard error.
#[derive(Debug)]
pub struct Outputs {
    output: Sink,
    error: Sink,
    /// They are one open file description (`2>&1`, or a terminal as a shell hands it on).
    same: bool,
}

impl Outputs {
    /// Looks at what they are; `None` for a closed one. What stands for them in repeated runs is
    /// made with the first of those.
    pub fn new(
        output: Option<BorrowedFd<'static>>,
        error: Option<BorrowedFd<'static>>,
    ) -> Result<Self, StdioError> {
        let same = matches!((output, error), (Some(a), Some(b)) if kind::same_description(a, b));
        let look = own("look at standard output and error");
        match (Sink::new(output), Sink::new(error)) {
            (Ok(output), Ok(error)) => Ok(Self { output, error, same }),
            (Err(error), _) | (_, Err(error)) => Err(look(error)),
        }
    }

    /// See [`Stdio::watch_output`](super::Stdio).
    pub fn watch(&mut self, watch: &Arc<OutputWatch>) {
        self.output.watch = Some(Arc::clone(watch));
        self.error.watch = Some(Arc::clone(watch));
    }

    /// The streams for a run, and our copies of the command's ends that were made for it.
    pub fn for_run(&mut self, first: bool) -> Result<([Stream; 2], Vec<OwnedFd>), StdioError> {
        let mut ends = Vec::new();
        let output = self.output.for_run(first, &mut ends)?;
        let watched = self.output.watch.is_some();
        let error =
            if self.same && (!first || watched) { output } else { self.error.for_run(first, &mut ends)? };
        Ok(([output, error], ends))
    }

    /// The end of what the last run wrote to its standard error, if it was a repeated one.
    pub fn last_words(&mut self) -> Option<String> {
        if self.same { self.output.last_words() } else { self.error.last_words() }
    }
}

/// One of them.
#[derive(Debug)]
struct Sink {
    /// `None`: closed.
    real: Option<(BorrowedFd<'static>, Kind)>,
    /// What the real one was set to before run 0 could change it, if it is a terminal.
    terminal: Option<TerminalState>,
    /// What stands for it, if that is made once for all repeated runs.
    instead: Option<Instead>,
    /// What stands for it in the last run, if that was a file.
    scratch: Option<File>,
    /// Who waits for a word of it.
    watch: Option<Arc<OutputWatch>>,
}

/// A terminal, pipe or socket that is drained.
#[derive(Debug)]
struct Instead {
    end: OwnedFd,
    drain: Drain,
}

/// What the terminal of a repeated run is set to, before each of them.
#[derive(Debug)]
struct TerminalState {
    modes: Termios,
    size: Option<libc::winsize>,
}

impl Sink {
    fn new(real: Option<BorrowedFd<'static>>) -> io::Result<Self> {
        let Some(fd) = real else { return Ok(Self::standing_for(None, None)) };
        // Writing to what was opened for reading only fails, and may do so on the real one.
        let unwritable = kind::access(fd)? == OFlag::O_RDONLY;
        let kind = if unwritable { Kind::Null } else { kind::kind(fd)? };
        let terminal = if kind == Kind::Terminal {
            Some(TerminalState { modes: tcgetattr(fd)?, size: fds::window_size(fd).ok() })
        } else {
            None
        };
        Ok(Self::standing_for(Some((fd, kind)), terminal))
    }

    fn standing_for(real: Option<(BorrowedFd<'static>, Kind)>, terminal: Option<TerminalState>) -> Self {
        Self { real, terminal, instead: None, scratch: None, watch: None }
    }

    fn for_run(&mut self, first: bool, ends: &mut Vec<OwnedFd>) -> Result<Stream, StdioError> {
        let Some((fd, kind)) = self.real else { return Ok(Stream::Close) };
        if self.watch.is_some() {
            return self.watched(fd, kind, first);
        }
        if first {
            return Ok(Stream::Inherit);
        }
        let made = match kind {
            Kind::Null => return Ok(Stream::Inherit),
            Kind::File => {
                let made = scratch_file(fd).map_err(own("make a temporary file for repeated output"))?;
                // Where it cannot be opened once more, nobody will know the last words.
                self.scratch = File::open(kind::path_of(&made)).ok();
                made
            }
            Kind::Device | Kind::Other => null_like(fd).map_err(own("open /dev/null"))?,
            Kind::Terminal | Kind::Pipe | Kind::Socket(_) => return self.drained(fd, kind),
        };
        let stream = Stream::Fd(made.as_raw_fd());
        ends.push(made);
        Ok(stream)
    }

    /// Something new for each run, which is read by us; what was made for the run before is read to its end first.
    fn watched(&mut self, fd: BorrowedFd<'static>, kind: Kind, first: bool) -> Result<Stream, StdioError> {
        drop(self.instead.take());
        let pass_on = first.then_some(fd);
        let watched = Watched { watch: self.watch.clone(), pass_on, before: Vec::new() };
        let instead = match kind {
            Kind::Terminal => terminal(fd, watched),
            Kind::Pipe | Kind::Socket(_) => channel(fd, kind, watched),
            // A pipe is the nearest that can be read while it is written.
            Kind::File | Kind::Null | Kind::Device | Kind::Other => pipe(watched),
        };
        let instead = instead.map_err(own("make a pipe for the command's output"))?;
        if let Some(state) = &self.terminal {
            state.apply(&instead.end).map_err(own("set up a pseudo-terminal"))?;
        }
        let stream = Stream::Fd(instead.end.as_raw_fd());
        self.instead = Some(instead);
        Ok(stream)
    }

    fn drained(&mut self, fd: BorrowedFd<'static>, kind: Kind) -> Result<Stream, StdioError> {
        let instead = match self.instead.take() {
            Some(instead) => instead,
            None if kind == Kind::Terminal => terminal(fd, Watched::default())
                .map_err(own("open a pseudo-terminal for repeated output (redirect it instead)"))?,
            None => channel(fd, kind, Watched::default()).map_err(own("make a pipe for repeated output"))?,
        };
        if let Some(state) = &self.terminal {
            state.apply(&instead.end).map_err(own("set up a pseudo-terminal"))?;
        }
        instead.drain.forget();
        let stream = Stream::Fd(instead.end.as_raw_fd());
        self.instead = Some(instead);
        Ok(stream)
    }

    fn last_words(&mut self) -> Option<String> {
        if let Some(instead) = &mut self.instead {
            return instead.drain.finish();
        }
        let file = self.scratch.as_ref()?;
        let length = file.metadata().ok()?.len();
        let mut bytes = vec![0; length.min(KEPT as u64) as usize];
        let got = file.read_at(&mut bytes, length.saturating_sub(KEPT as u64)).ok()?;
        words(&bytes[..got])
    }
}

impl TerminalState {
    fn apply(&self, terminal: &OwnedFd) -> io::Result<()> {
        tcsetattr(terminal, SetArg::TCSANOW, &self.modes)?;
        self.size.as_ref().map_or(Ok(()), |size| fds::set_window_size(terminal.as_fd(), size))
    }
}

/// A pseudo-terminal, opened as the real terminal is, drained.
fn terminal(real: BorrowedFd<'_>, watched: Watched) -> io::Result<Instead> {
    let flags = kind::flags(real)?;
    let master = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let peer = fds::terminal_peer(master.as_fd(), libc::O_RDWR)?;
    // Opened in the usual way it has the usual flags.
    let flags = flags & (OFlag::O_ACCMODE | OFlag::O_APPEND | OFlag::O_NONBLOCK);
    let end = open(kind::path_of(&peer).as_str(), flags | OFlag::O_NOCTTY | OFlag::O_CLOEXEC, Mode::empty())?;
    let drain = Drain::watched(OwnedFd::from(master), watched)?;
    Ok(Instead { end, drain })
}

/// A pipe or socket pair like the real one, drained.
fn channel(real: BorrowedFd<'_>, kind: Kind, watched: Watched) -> io::Result<Instead> {
    let (source, end) = if let Kind::Socket(kind) = kind {
        fds::socket_pair(kind)?
    } else {
        let ends = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
        kind::copy_capacity(real, &ends.1);
        ends
    };
    kind::copy_status(kind::flags(real)?, &end)?;
    Ok(Instead { end, drain: Drain::watched(source, watched)? })
}

/// A plain pipe.
fn pipe(watched: Watched) -> io::Result<Instead> {
    let (source, end) = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
    Ok(Instead { end, drain: Drain::watched(source, watched)? })
}

/// An empty file without a name, like the real one in mode and flags; beside it where that is
/// possible, so that writing to it costs the same, else in the directory for temporary files.
fn scratch_file(real: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let beside = std::fs::read_link(kind::path_of(&real)).ok();
    let directory = beside.as_deref().and_then(Path::parent).filter(|path| path.is_absolute());
    let unnamed = OFlag::O_TMPFILE | OFlag::O_EXCL | OFlag::O_RDWR | OFlag::O_CLOEXEC;
    let file = match directory.map(|path| open(path, unnamed, Mode::S_IRUSR | Mode::S_IWUSR)) {
        Some(Ok(file)) => file,
        _ => OwnedFd::from(temporary::file()?),
    };
    // The flags it was made with would show; opened anew it has just those of the real one.
    let status = OFlag::O_APPEND | OFlag::O_NONBLOCK | OFlag::O_SYNC | OFlag::O_DIRECT;
    let flags = kind::flags(real)? & (OFlag::O_ACCMODE | status);
    let opened = open(kind::path_of(&file).as_str(), flags | OFlag::O_CLOEXEC, Mode::empty())?;
    fchmod(&opened, Mode::from_bits_truncate(fstat(real)?.st_mode & 0o7777))?;
    Ok(opened)
}

/// `/dev/null`, opened as the real device is.
fn null_like(real: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let flags = kind::flags(real)?;
    let keep = flags & (OFlag::O_ACCMODE | OFlag::O_APPEND | OFlag::O_NONBLOCK);
    Ok(open("/dev/null", keep | OFlag::O_CLOEXEC, Mode::empty())?)
}
