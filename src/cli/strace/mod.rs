//! Called by the name `strace`: its command line, and what it prints, live.
//!
//! ```text
//!  words ── options ──> Options ──┬─ command, or processes that run ──> capture::ptrace
//!                                 └─ sink: what is shown, and where ──> report::show::live
//! ```
//!
//! What is not taken is refused by name. Compared with strace itself by tests (docs/strace.md).

mod expression;
mod options;
mod program;
mod sink;
mod stacks;
mod summary;
mod table;

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitCode, ExitStatus};

use anyhow::Context as _;
use nix::unistd::{User, geteuid, getuid};

use self::options::{Asked, Options};
use self::sink::StraceSink;
use super::record::own_stream;
use crate::capture::launch::{self, Apart, Child, Command, SpawnOptions};
use crate::capture::{Outcome, StackFrames, filter, host, monotonic_ns, ptrace, realtime_ns};
use crate::report::escape::printable;
use crate::report::show::error_sentence;

/// The name that asks for this.
const NAME: &str = "strace";

/// The words behind the name, if we were called by it.
pub fn words() -> Option<Vec<OsString>> {
    let mut words = std::env::args_os();
    let name = words.next()?;
    (Path::new(&name).file_name()? == NAME).then(|| words.collect())
}

/// Does what strace does with these words.
pub fn run(words: Vec<OsString>) -> ExitCode {
    let done = options::parse(words).and_then(|asked| match asked {
        Asked::Version => {
            // Scripts read the number behind `strace -- version `: it is that of the language, and who speaks it is told behind it.
            let ours = env!("CARGO_PKG_VERSION");
            print(&format!("strace -- version 6.1 (its language, spoken by trace {ours})\n"))
        }
        Asked::Help => print(&table::help()),
        Asked::Trace(options) => trace(*options),
    });
    done.unwrap_or_else(|error| {
        tell(&format!("{error:#}"));
        ExitCode::FAILURE
    })
}

/// A line of strace's own on standard error, behind the name that we were called by.
fn tell(text: &str) {
    let text = text.split('\n').map(printable).collect::<Vec<_>>().join("\n");
    // Nothing is left to tell where standard error is gone.
    let _ = writeln!(io::stderr(), "{}: {text}", called());
}

/// The name that we were called by.
fn called() -> String {
    std::env::args_os().next().map_or_else(|| NAME.to_owned(), |name| printable(&name.to_string_lossy()))
}

/// What is said behind what is wrong with the command line.
fn try_help() -> String {
    format!("Try '{} -h' for more information.", called())
}

fn print(text: &str) -> anyhow::Result<ExitCode> {
    io::stdout().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn trace(options: Options) -> anyhow::Result<ExitCode> {
    host::check_limits(host::RECORDING_FILES)?;
    let origin_ns = monotonic_ns();
    let capture = ptrace::Options {
        pin: if options.pids.is_empty() { ptrace::Pin::Guarded } else { ptrace::Pin::No },
        origin_ns,
        follow: options.follow,
        keep: Some(options.kept()),
        stacks: options.stacks.then_some(StackFrames::Native),
        every_stack: options.stacks,
        any_process: true,
        signal_pointers: options.pointer,
        filtered: options.filtered,
        system_time: options.summary && !options.wall,
        interruptible: Some(options.interruptible),
        detach_on_exec: options.detach_on_exec,
        tells_exit: true,
        kill_on_exit: options.kill_on_exit,
        ..ptrace::Options::default()
    };
    let filter = if options.filtered {
        filter::program(|abi, nr| options.filter.may_show_call(abi, nr))
    } else {
        Vec::new()
    };
    let pids = options.pids.clone();
    // As under strace, the user is looked for first, and the file is made before the command is looked for.
    check_user(options.user.as_deref())?;
    let spawn = SpawnOptions {
        wait_for_go: true,
        takes_timers: true,
        filter,
        failure_status: Some(1),
        ..SpawnOptions::default()
    };
    if let Some(apart) = options.apart {
        return trace_from_apart(options, &pids, &spawn, capture, apart);
    }
    let mut sink = StraceSink::new(options, realtime_ns())?;
    sink.check()?;
    let command = resolve(&sink.options)?;
    let Some(command) = command else {
        let outcome = ptrace::attach(&pids, &mut sink, capture)??;
        sink.finish()?;
        return Ok(ended(&outcome));
    };
    let child = launch::spawn(&command, [0, 1, 2].map(own_stream), &spawn)?;
    sink.started(child.pid())?;
    record(child, &pids, sink, capture)
}

/// Records the command, which waits, to its end.
fn record(
    mut child: Child,
    pids: &[i32],
    mut sink: StraceSink,
    capture: ptrace::Options,
) -> anyhow::Result<ExitCode> {
    let pid = child.pid();
    // Without /dev/null they stay as they are.
    let _ = launch::give_up_standard(true);
    let outcome = ptrace::record_beside(pid, || child.go(), pids, &mut sink, capture)
        .map_err(|error| not_traced(pid, error));
    if capture.is_apart {
        // Where it is not traced, it runs all the same.
        child.leave();
    }
    let outcome = outcome?;
    if let Some(error) = child.failure().filter(|_| !sink.has_told_failure()) {
        return Err(error.into());
    }
    // Output that cannot be written changes nothing of the command's end.
    if let Err(error) = sink.finish() {
        tell(&format!("{error:#}"));
    }
    Ok(ended(&outcome))
}

/// Traces from a grandchild (`-D`): this process becomes the command. What keeps the command from being run is told by
/// whichever of the two knows it.
fn trace_from_apart(
    options: Options,
    pids: &[i32],
    spawn: &SpawnOptions,
    capture: ptrace::Options,
    apart: Apart,
) -> anyhow::Result<ExitCode> {
    let command = match resolve(&options) {
        Ok(command) => command.context("-D without a command")?,
        Err(error) => {
            // As without -D, the file is made before the command is looked for.
            StraceSink::new(options, realtime_ns())?.check()?;
            return Err(error);
        }
    };
    let mut child = launch::spawn_above(&command, [0, 1, 2].map(own_stream), spawn, apart)?;
    // Our own child is the command now, and writes no lines: what reads them is a child of the tracer.
    let begun = StraceSink::new(options, realtime_ns()).and_then(|mut sink| {
        sink.check()?;
        sink.started(child.pid())?;
        Ok(sink)
    });
    match begun {
        Ok(sink) => {
            record(child, pids, sink, ptrace::Options { is_apart: true, pin: ptrace::Pin::No, ..capture })
        }
        Err(error) => {
            // Before the command's process ends with that.
            tell(&format!("{error:#}"));
            child.give_up()?;
            Ok(ExitCode::FAILURE)
        }
    }
}

/// What is told where the command's process cannot be traced: which request was refused, as under another tracer or in a sandbox.
fn not_traced(pid: i32, error: io::Error) -> anyhow::Error {
    match error.raw_os_error() {
        Some(libc::EPERM) => anyhow::anyhow!("ptrace(PTRACE_SEIZE, {pid}): {}", error_sentence(libc::EPERM)),
        _ => error.into(),
    }
}

/// Ends as the command has, or by the signal that made an end of tracing.
fn ended(outcome: &Outcome) -> ExitCode {
    let by_signal = outcome.interruption.map(|interruption| ExitStatus::from_raw(interruption.signal));
    ExitCode::from(launch::pass_on(by_signal.unwrap_or(outcome.status)))
}

/// Fails where the command is to run as somebody who is not there, or by somebody who may not say so.
fn check_user(name: Option<&str>) -> anyhow::Result<()> {
    let Some(name) = name else { return Ok(()) };
    if !getuid().is_root() || !geteuid().is_root() {
        anyhow::bail!("You must be root to use the -u/--username option");
    }
    // strace knows users by their names only.
    match User::from_name(name)? {
        Some(_) => Ok(()),
        None => anyhow::bail!("Cannot find user '{name}'"),
    }
}

/// The command, `None` where there is none because processes are attached to.
fn resolve(options: &Options) -> anyhow::Result<Option<Command>> {
    let Some(name) = options.command.first() else { return Ok(None) };
    let file = program::find(name, std::env::var_os("PATH").as_deref())?;
    let own_name = options.own_name.as_ref().unwrap_or(name);
    let words = std::iter::once(own_name).chain(&options.command[1..]);
    let mut command = Command::of_file(&file, words.cloned())?;
    for variable in &options.environment {
        let bytes = variable.as_bytes();
        let equals = bytes.iter().position(|&byte| byte == b'=');
        let name = String::from_utf8_lossy(&bytes[..equals.unwrap_or(bytes.len())]);
        let value = equals.map(|at| std::ffi::OsStr::from_bytes(&bytes[at + 1..]));
        command = command.with_variable(&name, value)?;
    }
    match &options.user {
        Some(user) => Ok(Some(command.as_user_only(user)?)),
        None => Ok(Some(command)),
    }
}
