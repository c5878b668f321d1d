//! Starting a command exactly as if it had been started without us.
//!
//! [`Command::resolve`] finds the program as `execvp(3)` does; [`spawn`] makes the process. The
//! command gets the dispositions and the mask of signals that `trace` itself was started with (not
//! what Rust's runtime or we made of them), no descriptor of ours, and by inheritance the same
//! limits, niceness, umask, directory, process group and terminal. Unlike `execvp`, a file that is
//! neither binary nor has a `#!` line is not handed to `sh`: that is said instead.
//!
//! Failures have the exit codes that `env(1)` and `timeout(1)` give theirs: 127 for a command that
//! is not found, 126 for one that cannot be run, 125 for anything that is `trace`'s own trouble.

pub(super) mod elf;
mod explain;
mod resolve;
mod user;

pub use super::sys::grandchild::Apart;
use super::sys::{signals, spawn as sys, startup};
use sys::Identity;
pub use sys::Stream;

use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

/// Why a command was not started.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// There is no such command.
    #[error("{command}: {why}")]
    NotFound {
        /// The command as it was given.
        command: String,
        /// What was looked for, and what to try.
        why: String,
    },
    /// There is a file of that name but it cannot be run.
    #[error("{program}: {why}")]
    CannotRun {
        /// The file.
        program: String,
        /// Why not, and what to try.
        why: String,
    },
    /// Something went wrong on our side of the start.
    #[error("cannot {what}: {error}")]
    Own {
        /// What could not be done.
        what: String,
        /// The system's answer.
        error: io::Error,
    },
    /// No command was given.
    #[error("no command given; try `trace startup python3 hello.py`")]
    Empty,
}

impl LaunchError {
    /// What `trace` exits with: 127 (not found), 126 (cannot be run) or 125.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NotFound { .. } => 127,
            Self::CannotRun { .. } => 126,
            Self::Own { .. } | Self::Empty => 125,
        }
    }
}

/// A command whose program was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    program: CString,
    argv: Vec<CString>,
    /// All variables as `NAME=value`; `None`: those of this process.
    environment: Option<Vec<CString>>,
    /// Whom it runs as, if not as this process.
    user: Option<Identity>,
}

impl Command {
    /// Finds the program of a command line: its first word, looked up in `PATH` where it has no
    /// slash. The words are passed on unchanged.
    pub fn resolve<W: Into<OsString>>(words: impl IntoIterator<Item = W>) -> Result<Self, LaunchError> {
        let argv: Vec<CString> = words
            .into_iter()
            .map(|word| CString::new(word.into().into_vec()))
            .collect::<Result<_, _>>()
            .map_err(|error| own("pass an argument with a NUL byte in it", error.into()))?;
        let name = argv.first().ok_or(LaunchError::Empty)?;
        let path = std::env::var_os("PATH");
        let program = resolve::resolve(OsStr::from_bytes(name.as_bytes()), path.as_deref())?;
        let program = CString::new(program.into_os_string().into_vec())
            .map_err(|error| own("look a command up", error.into()))?;
        Ok(Self { program, argv, environment: None, user: None })
    }

    /// The same command as another program with other words (the first is its name).
    pub fn replaced<W: Into<OsString>>(
        &self,
        program: &Path,
        words: impl IntoIterator<Item = W>,
    ) -> Result<Self, LaunchError> {
        let other = Self::of_file(program, words)?;
        Ok(Self { environment: self.environment.clone(), user: self.user.clone(), ..other })
    }

    /// This file as the program, whatever it is, with these words (the first is its name).
    pub fn of_file<W: Into<OsString>>(
        program: &Path,
        words: impl IntoIterator<Item = W>,
    ) -> Result<Self, LaunchError> {
        let refused = |error: std::ffi::NulError| own("pass an argument with a NUL byte in it", error.into());
        let argv = words.into_iter().map(|word| CString::new(word.into().into_vec()));
        Ok(Self {
            program: CString::new(program.as_os_str().as_bytes()).map_err(refused)?,
            argv: argv.collect::<Result<_, _>>().map_err(refused)?,
            environment: None,
            user: None,
        })
    }

    /// The same command with a variable of its environment set, or taken out.
    pub fn with_variable(mut self, name: &str, value: Option<&OsStr>) -> Result<Self, LaunchError> {
        let own_variables = || {
            let variables = std::env::vars_os().map(|(name, value)| {
                let pair = [name.as_bytes(), b"=", value.as_bytes()].concat();
                CString::new(pair)
            });
            variables.filter_map(Result::ok).collect()
        };
        let environment = self.environment.get_or_insert_with(own_variables);
        let prefix = format!("{name}=");
        environment.retain(|variable| !variable.as_bytes().starts_with(prefix.as_bytes()));
        if let Some(value) = value {
            let pair = CString::new([prefix.as_bytes(), value.as_bytes()].concat())
                .map_err(|error| own("set a variable to a value with a NUL byte in it", error.into()))?;
            environment.push(pair);
        }
        Ok(self)
    }

    /// The file that is executed. Relative if it was given so.
    #[must_use]
    pub fn program(&self) -> &Path {
        Path::new(OsStr::from_bytes(self.program.as_bytes()))
    }

    /// The words, the command's name included.
    pub fn words(&self) -> impl Iterator<Item = &OsStr> {
        self.argv.iter().map(|word| OsStr::from_bytes(word.as_bytes()))
    }
}

/// How to start a command.
#[derive(Clone, Debug, Default)]
pub struct SpawnOptions {
    /// The child waits before it executes the program until [`Child::go`], so that a tracer can
    /// attach to it. The last thing it does before `execve(2)` is that `read(2)`.
    pub wait_for_go: bool,
    /// How many calls that do nothing the waiting child makes each time it is told to ([`Child::make_null_calls`]).
    pub null_calls: u64,
    /// The directory it starts in, if not this process's. A relative program is looked for there.
    pub directory: Option<PathBuf>,
    /// It gets this process's interval timers (`alarm 10; exec ...`), which run here no longer.
    pub takes_timers: bool,
    /// The seccomp filter it puts itself under; empty: none. Its tracer has to say so when it attaches.
    pub filter: Vec<super::filter::Instruction>,
    /// What it exits with where it cannot become the program, for who waits for it; 125 if nothing is said.
    pub failure_status: Option<i32>,
}

/// A process that is (or, waiting, will be) the command. It is the caller's to reap.
#[derive(Debug)]
pub struct Child {
    pid: i32,
    started_ns: u64,
    launch_ns: u64,
    go: Option<(OwnedFd, OwnedFd)>,
    failure: OwnedFd,
    program: PathBuf,
    directory: Option<PathBuf>,
}

/// Starts a command. Returns when the program runs; with [`SpawnOptions::wait_for_go`], when there
/// is a process that waits for [`Child::go`].
pub fn spawn(command: &Command, streams: [Stream; 3], options: &SpawnOptions) -> Result<Child, LaunchError> {
    spawn_by(command, streams, options, sys::start)
}

/// This very process becomes the command, once it is let go by a grandchild of it, in which this returns. The child is the
/// former process then: it is somebody else's to reap, and it runs the command also where the grandchild is killed before.
pub fn spawn_above(
    command: &Command,
    streams: [Stream; 3],
    options: &SpawnOptions,
    apart: Apart,
) -> Result<Child, LaunchError> {
    let waiting = SpawnOptions { wait_for_go: true, ..options.clone() };
    spawn_by(command, streams, &waiting, |image| sys::start_above(image, apart))
}

fn spawn_by(
    command: &Command,
    streams: [Stream; 3],
    options: &SpawnOptions,
    start: impl FnOnce(&sys::Image<'_>) -> io::Result<sys::Started>,
) -> Result<Child, LaunchError> {
    let directory = options.directory.as_ref().map(|path| CString::new(path.as_os_str().as_bytes()));
    let directory =
        directory.transpose().map_err(|error| own("use a directory's name with a NUL byte", error.into()))?;
    let (streams, _moved) = above_standard(streams)?;
    let image = sys::Image {
        program: &command.program,
        argv: &command.argv,
        environment: command.environment.as_deref(),
        streams,
        directory: directory.as_deref(),
        user: command.user.as_ref(),
        wait_for_go: options.wait_for_go,
        null_calls: options.null_calls,
        takes_timers: options.takes_timers,
        filter: &options.filter,
        failure_status: options.failure_status.unwrap_or(sys::FAILED),
    };
    let started = start(&image).map_err(|error| own("start a process", error))?;
    let mut child = Child {
        pid: started.pid,
        started_ns: started.at_ns,
        launch_ns: started.exec_ns.map_or(0, |exec_ns| exec_ns.saturating_sub(started.at_ns)),
        go: started.go,
        failure: started.failure,
        program: command.program().to_owned(),
        directory: options.directory.clone(),
    };
    if !options.wait_for_go
        && let Some(error) = child.failure()
    {
        // It has ended, so this does not block; how it ended says nothing that `error` does not.
        let _ = super::sys::child::reap(child.pid);
        return Err(error);
    }
    Ok(child)
}

impl Child {
    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// The monotonic clock just before it was made, in nanoseconds.
    #[must_use]
    pub fn started_ns(&self) -> u64 {
        self.started_ns
    }

    /// How long it took from then until it called `execve`, in nanoseconds; 0 where that is not known (with
    /// [`SpawnOptions::wait_for_go`]).
    #[must_use]
    pub fn launch_ns(&self) -> u64 {
        self.launch_ns
    }

    /// Lets a child that was made with [`SpawnOptions::wait_for_go`] execute its program. Dropping
    /// the child without that ends the process, and waits for that.
    pub fn go(&mut self) -> io::Result<()> {
        tell(self.go.take().as_ref(), sys::GO)
    }

    /// Lets go of a child that waits without a word: one that may run alone does ([`spawn_above`]), others end.
    pub fn leave(&mut self) {
        self.go = None;
    }

    /// Ends a child that waits.
    pub fn give_up(&mut self) -> io::Result<()> {
        tell(self.go.take().as_ref(), sys::GIVE_UP)
    }

    /// Has a child that waits for [`Self::go`] make its calls that do nothing first ([`SpawnOptions::null_calls`]).
    pub fn make_null_calls(&mut self) -> io::Result<()> {
        tell(self.go.as_ref(), sys::NULL_CALLS)
    }

    /// Why the process could not become the program, or `None` once it has. Blocks until that is
    /// known: a tracer asks when it has seen the exec or the end of the process.
    pub fn failure(&mut self) -> Option<LaunchError> {
        match sys::read_failure(&self.failure) {
            Ok(None) => None,
            Ok(Some((stage, errno))) => Some(self.describe(stage, io::Error::from_raw_os_error(errno))),
            Err(error) => Some(own("learn whether the command was started", error)),
        }
    }

    fn describe(&self, stage: sys::Stage, error: io::Error) -> LaunchError {
        match (stage, &self.directory) {
            (sys::Stage::Directory, Some(path)) => own(format!("change to {}", shown(path)), error),
            (sys::Stage::Filter, _) => own("put the command under a seccomp filter", error),
            (sys::Stage::User, _) => own("run the command as another user (root may)", error),
            (sys::Stage::Exec, _) => explain::exec_failure(&self.program, &error),
            _ => own("set up the command's input and output", error),
        }
    }
}

/// Writes to the pipe that a child waits on, if it does.
fn tell(go: Option<&(OwnedFd, OwnedFd)>, what: u8) -> io::Result<()> {
    match go {
        Some((_read, write)) => nix::unistd::write(write, &[what]).map(drop).map_err(Into::into),
        None => Ok(()),
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.go.is_some() {
            super::sys::process::kill(self.pid, libc::SIGKILL);
            super::sys::process::reap(self.pid);
        }
    }
}

/// Whether one of the descriptors 0 to 2 was closed when `trace` was started. Rust's runtime has
/// opened `/dev/null` there since, so looking at it now does not tell.
#[must_use]
pub fn was_closed_at_start(fd: i32) -> bool {
    startup::was_closed(fd)
}

/// Whether a signal was ignored when this process was started, as `nohup` does with `SIGHUP`.
#[must_use]
pub fn was_ignored_at_start(signal: i32) -> bool {
    startup::was_ignored(signal)
}

/// Leaves standard input to the command, which has it now; and standard output, too, where nothing is written there by us. A
/// pipe that the command closes is closed then: its other side is told. (strace does so, too.)
///
/// # Errors
/// `/dev/null` cannot be opened, which takes their place.
pub fn give_up_standard(output: bool) -> io::Result<()> {
    let null = std::fs::File::options().read(true).write(true).open("/dev/null")?;
    nix::unistd::dup2_stdin(&null)?;
    if output {
        nix::unistd::dup2_stdout(&null)?;
    }
    Ok(())
}

/// Makes this process end as a command did: returns the exit code to use, or does not return where
/// the command was ended by a signal. (Where that signal does not end us, 128 + signal, as shells say.)
#[must_use]
pub fn pass_on(status: ExitStatus) -> u8 {
    match (status.code(), status.signal()) {
        (Some(code), _) => code as u8,
        (None, Some(signal)) => {
            let _ = signals::end_by(signal);
            128u8.saturating_add(signal as u8)
        }
        (None, None) => 125,
    }
}

/// Duplicates sources that are among the descriptors 0 to 2 themselves: the child assigns those one
/// after the other. The duplicates live as long as the second value.
fn above_standard(mut streams: [Stream; 3]) -> Result<([Stream; 3], Vec<OwnedFd>), LaunchError> {
    use std::os::fd::AsRawFd;
    let mut moved = Vec::new();
    for stream in &mut streams {
        if let Stream::Fd(fd @ 0..3) = *stream {
            let copy = super::sys::fds::duplicate_above_standard(fd)
                .map_err(|error| own("duplicate a descriptor", error))?;
            *stream = Stream::Fd(copy.as_raw_fd());
            moved.push(copy);
        }
    }
    Ok((streams, moved))
}

fn own(what: impl Into<String>, error: io::Error) -> LaunchError {
    LaunchError::Own { what: what.into(), error }
}

/// A path for people: control characters escaped, bytes that are not UTF-8 replaced.
fn shown(path: &Path) -> String {
    let escape = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    path.to_string_lossy().chars().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::super::sys::{child as process, fds};
    use super::*;
    use std::fs;
    use std::io::Read;
    use std::os::fd::AsRawFd;

    const INHERIT: [Stream; 3] = [Stream::Inherit; 3];

    fn waiting() -> SpawnOptions {
        SpawnOptions { wait_for_go: true, ..SpawnOptions::default() }
    }

    fn executable(pid: i32) -> PathBuf {
        fs::read_link(format!("/proc/{pid}/exe")).unwrap()
    }

    #[test]
    fn waits_for_go_before_it_becomes_the_program() {
        let command = Command::resolve(["sh", "-c", "exit 4"]).unwrap();
        let mut child = spawn(&command, INHERIT, &waiting()).unwrap();
        assert_eq!(executable(child.pid()), std::env::current_exe().unwrap());
        child.go().unwrap();
        assert!(child.failure().is_none());
        assert_eq!(process::reap(child.pid()).unwrap().0.code(), Some(4));
    }

    #[test]
    fn ends_if_nobody_says_go() {
        let command = Command::resolve(["true"]).unwrap();
        let child = spawn(&command, INHERIT, &waiting()).unwrap();
        let pid = child.pid();
        drop(child);
        assert!(process::reap(pid).is_err(), "it has ended, and was waited for");
    }

    #[test]
    fn go_to_a_killed_child_is_no_error() {
        let command = Command::resolve(["true"]).unwrap();
        let mut child = spawn(&command, INHERIT, &waiting()).unwrap();
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(child.pid()), nix::sys::signal::SIGKILL).unwrap();
        assert_eq!(process::reap(child.pid()).unwrap().0.signal(), Some(libc::SIGKILL));
        child.go().unwrap();
    }

    #[test]
    fn failures_are_reported_with_and_without_waiting() {
        let command = Command {
            program: c"/etc/passwd".into(),
            argv: vec![c"passwd".into()],
            environment: None,
            user: None,
        };
        let error = spawn(&command, INHERIT, &SpawnOptions::default()).unwrap_err();
        assert_eq!(error.exit_code(), 126);
        let mut child = spawn(&command, INHERIT, &waiting()).unwrap();
        child.go().unwrap();
        let error = child.failure().unwrap();
        assert_eq!(error.exit_code(), 126, "{error}");
        assert!(error.to_string().starts_with("/etc/passwd: is not executable"), "{error}");
        process::reap(child.pid()).unwrap();

        let gone = Command {
            program: c"/no/such".into(),
            argv: vec![c"such".into()],
            environment: None,
            user: None,
        };
        assert_eq!(spawn(&gone, INHERIT, &SpawnOptions::default()).unwrap_err().exit_code(), 127);
        let directory = Some("/no/such/directory".into());
        let elsewhere = SpawnOptions { directory, ..SpawnOptions::default() };
        let error = spawn(&Command::resolve(["true"]).unwrap(), INHERIT, &elsewhere).unwrap_err();
        assert_eq!(error.exit_code(), 125);
        assert!(error.to_string().contains("change to /no/such/directory"), "{error}");
    }

    /// A tracer attaches to the child before it lets it go: a child that is gone by then would be told of as one that
    /// cannot be traced.
    #[test]
    fn what_fails_before_go_ends_the_child_only_after_it() {
        let options = SpawnOptions { directory: Some("/no/such/directory".into()), ..waiting() };
        let mut child = spawn(&Command::resolve(["true"]).unwrap(), INHERIT, &options).unwrap();
        let pid = child.pid();
        assert_eq!(child.failure().unwrap().exit_code(), 125);
        let state = || {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
            stat.rsplit(") ").next().and_then(|rest| rest.chars().next())
        };
        // It has reported: soon it waits, or has ended.
        while !matches!(state(), Some('S' | 'Z')) {
            std::thread::yield_now();
        }
        assert_eq!(state(), Some('S'));
        child.go().unwrap();
        assert_eq!(process::reap(pid).unwrap().0.code(), Some(125));
    }

    #[test]
    fn starts_with_the_streams_and_in_the_directory_asked_for() {
        let (mut read, write) = io::pipe().unwrap();
        let command = Command::resolve(["sh", "-c", "pwd; pwd >&2; [ ! -e /proc/$$/fd/0 ]"]).unwrap();
        let fd = Stream::Fd(write.as_raw_fd());
        let options = SpawnOptions { directory: Some("/usr".into()), ..SpawnOptions::default() };
        let child = spawn(&command, [Stream::Close, fd, fd], &options).unwrap();
        drop(write);
        let mut text = String::new();
        read.read_to_string(&mut text).unwrap();
        assert_eq!(text, "/usr\n/usr\n");
        assert!(process::reap(child.pid()).unwrap().0.success());
    }

    #[test]
    fn sources_are_moved_out_of_the_way_of_targets() {
        let (streams, moved) = above_standard([Stream::Close, Stream::Fd(2), Stream::Fd(1)]).unwrap();
        assert_eq!(moved.len(), 2);
        for (stream, original) in [(streams[1], 2), (streams[2], 1)] {
            let Stream::Fd(fd) = stream else { panic!("{stream:?}") };
            assert!(fd >= 3);
            let (copy, original) = (fds::borrow(fd).unwrap(), fds::borrow(original).unwrap());
            assert_ne!(fds::same_description(copy, original), Some(false));
        }
    }

    #[test]
    fn variables_and_program_can_be_others() {
        let shell = Command::resolve(["sh", "-c", "echo $0 $MINE ${HOME-none} ${PATH+kept}"]).unwrap();
        let mine = shell.clone().with_variable("MINE", Some(OsStr::new("1"))).unwrap();
        let mine =
            mine.with_variable("HOME", None).unwrap().with_variable("MINE", Some(OsStr::new("2"))).unwrap();
        let mine =
            mine.replaced(shell.program(), ["sh", "-c", "echo $0 $MINE ${HOME-none} ${PATH+kept}", "name"]);
        let (mut read, write) = io::pipe().unwrap();
        let streams = [Stream::Close, Stream::Fd(write.as_raw_fd()), Stream::Inherit];
        let child = spawn(&mine.unwrap(), streams, &SpawnOptions::default()).unwrap();
        drop(write);
        let mut text = String::new();
        read.read_to_string(&mut text).unwrap();
        assert_eq!(text, "name 2 none kept\n");
        assert!(process::reap(child.pid()).unwrap().0.success());
    }

    #[test]
    fn words_that_cannot_be_a_command_line_are_refused() {
        assert_eq!(Command::resolve(Vec::<OsString>::new()).unwrap_err().exit_code(), 125);
        assert_eq!(Command::resolve(["a\0b"]).unwrap_err().exit_code(), 125);
    }
}
