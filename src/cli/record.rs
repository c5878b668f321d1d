//! `trace record`: a command runs, and every system call goes to a log.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::{ExitCode, ExitStatus};
use std::time::Duration;

use clap::Args;

use super::attaching::{Target, attach, parse_duration};
use super::choice::{named, pid};
use super::command;
use super::failure::{Failure, note};
use super::filter::FilterArguments;
use super::lines::StyleArguments;
use super::names::{self, default_log};
use super::output::{check_stdout, to_stdout};
use super::record_text::Beside;
use super::recorded::Told;
use super::samples::{Samples, warn_of_rate};
use super::tracing::{CALIBRATION_CALLS, Job, Recorded, trace_beside, tracer};
use crate::capture::launch::{self, Stream};
use crate::capture::select::{self, CHOICES, Wanted};
use crate::capture::{StackFrames, host};
use crate::log;
use crate::syscall::decode::Style;

#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "one for each switch")]
pub struct Arguments {
    /// Write the log to FILE [default: named after the command, in the current directory]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// End the recording with the command's first process; others go on untraced
    #[arg(long)]
    leader_only: bool,

    /// Never lose an event: under eBPF, stop processes that make calls faster than they are recorded (SIGSTOP, which a
    /// parent can see, and which makes `epoll_wait` and a few other calls return EINTR; a mark in the log tells of it)
    #[arg(long)]
    lossless: bool,

    /// Attach to these processes, their threads and later children, instead of starting a command; Ctrl-C ends
    /// the recording, and they go on
    #[arg(short, long = "pid", value_name = "PID", value_delimiter = ',', allow_negative_numbers = true, value_parser = pid, conflicts_with_all = ["command", "leader_only"])]
    pids: Vec<i32>,

    /// Record every process of the machine, instead of starting a command (eBPF only); Ctrl-C ends the recording
    #[arg(short, long = "all", conflicts_with_all = ["command", "leader_only", "pids"])]
    all: bool,

    /// Record the processes of a cgroup (v2: its directory, or its name below where they are mounted) and of those below it, instead of starting a command (eBPF only)
    #[arg(long, value_name = "DIRECTORY", conflicts_with_all = ["command", "leader_only", "pids", "all"])]
    cgroup: Option<PathBuf>,

    /// Run the command as this user (name or number in the user database), with that user's groups, HOME, USER, LOGNAME and SHELL
    #[arg(short, long, value_name = "USER", conflicts_with_all = ["pids", "all", "cgroup"])]
    user: Option<String>,

    /// With -p, -a and --cgroup: end the recording after this time, as in 10s
    #[arg(long, value_name = "TIME", allow_negative_numbers = true, value_parser = parse_duration)]
    duration: Option<Duration>,

    /// Accepted because strace needs it: children are always followed
    #[arg(short = 'f', hide = true)]
    follow: bool,

    /// How to record [default: auto]. auto takes eBPF where it is permitted, and ptrace elsewhere. eBPF needs privilege, and
    /// then costs a call next to nothing; ptrace works everywhere, and a call costs 5 to 20 µs
    #[arg(long, value_name = "NAME", value_parser = named(&CHOICES))]
    backend: Option<Wanted>,

    /// Take CPU samples too, so many a second: where each process is on a CPU, with the stack of its program and of the
    /// kernel. With this option the backend is auto unless named, because ptrace's stops take CPU time themselves. Where perf
    /// events are refused, and with --stacks, ptrace takes them: threads are stopped where they run, in user mode only
    #[arg(long, value_name = "HZ", value_parser = clap::value_parser!(u32).range(1..=1_000_000), conflicts_with_all = ["pids", "all", "cgroup"])]
    sample: Option<u32>,

    /// Take the stack of each call about files: which functions made it. python finds the functions of Python 2.7 and 3.6 on,
    /// native those of machine code, both puts the latter upon the former. By ptrace, while the thread stands still; native
    /// also with --backend ebpf, which costs less and copies up to 12 KiB of a stack, where deeper ones are cut. With
    /// --sample, CPU samples have these frames, too
    #[arg(long, value_name = "FRAMES", value_parser = named(&StackFrames::ALL), conflicts_with_all = ["pids", "all", "cgroup"])]
    stacks: Option<StackFrames>,

    /// Keep in the log what the arguments of calls point to, too: structures whole, of each buffer as many bytes as
    /// --string-limit says, of the environment only its size. Logs are then several times larger (ptrace only)
    #[arg(long, value_name = "WHAT", value_parser = ["full"])]
    pub(super) decode: Option<String>,

    /// Print every call as trace show does, while the command runs, with the content of structures and buffers (which eBPF,
    /// taken with --backend ebpf, -a and --cgroup, cannot read): to FILE, to the standard input of a COMMAND, or to standard output; the log is written all the same
    #[arg(long, value_name = "FILE|'|COMMAND'|-")]
    pub(super) text: Option<OsString>,

    #[command(flatten)]
    pub(super) style: StyleArguments,

    #[command(flatten)]
    pub(super) filter: FilterArguments,

    /// Do something to calls, as strace's -e inject= does: SET:error=ERRNO, :retval=N, :signal=SIG, `:delay_enter=TIME`,
    /// `:delay_exit=TIME`, `:syscall=CALL` (made in place of it), `:poke_enter=@argN=HEX`, `:poke_exit=@argN=HEX` (bytes for where
    /// the argument points), :when=FIRST[..LAST][+STEP] (ptrace only; several: for a call the last that names it)
    #[arg(long, value_name = "SPEC")]
    pub(super) inject: Vec<String>,

    /// Print what was recorded as JSON: one line on standard output, after all that the command wrote there
    #[arg(long, conflicts_with = "quiet")]
    json: bool,

    /// Say nothing at the end
    #[arg(short, long)]
    quiet: bool,

    /// The command and its arguments
    #[arg(
        value_name = "CMD",
        required_unless_present_any = ["pids", "all", "cgroup"],
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    command: Vec<OsString>,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    host::share_memory_arena();
    if let Some(target) = running(arguments)? {
        host::check_limits(host::RECORDING_FILES).map_err(Failure::of_trace)?;
        return attach_to(arguments, &target);
    }
    if arguments.duration.is_some() {
        // `requires` of clap does not hold where the option required conflicts with one that is there.
        return Err(Failure::of_trace(anyhow::anyhow!(
            "--duration needs -p, -a or --cgroup; to end a command, timeout(1) does"
        )));
    }
    let command = command::resolve(&arguments.command, host::RECORDING_FILES)?;
    let command = match &arguments.user {
        Some(user) => command.as_user(user).map_err(|error| Failure::with_code(error.exit_code(), error))?,
        None => command,
    };
    if arguments.json {
        check_stdout().map_err(Failure::of_trace)?;
    }
    let output = output_path(arguments, || default_log(&arguments.command))?;
    let samples = arguments.sample.map(|hz| Samples::choose(hz, arguments.stacks)).transpose()?;
    let mut tracer = tracer(backend(arguments, samples.as_ref())?, arguments.stacks)?;
    if !arguments.quiet {
        warn_of_rate(samples.as_ref());
    }
    let job = Job {
        command: &command,
        words: &arguments.command,
        output: &output,
        leader_only: arguments.leader_only,
        lossless: arguments.lossless,
        keep: keep(arguments),
        calibration_calls: CALIBRATION_CALLS,
        quiet: arguments.quiet,
        untraced: None,
        ready: None,
        sample: samples.as_ref(),
        stacks: arguments.stacks,
    };
    // The sampler needs it yet, when there is a process to sample.
    if arguments.sample.is_none() {
        tracer.give_up_privilege();
    }
    let mut beside = Beside::new(arguments, &output)?;
    let streams = [0, 1, 2].map(own_stream);
    let writes_there = arguments.json || arguments.text.as_deref().is_some_and(|name| name == "-");
    // Without /dev/null they stay as they are.
    let launched = || drop(launch::give_up_standard(!writes_there));
    let recorded = trace_beside(&mut tracer, &job, streams, launched, Some(&mut beside))?;
    let text = beside.finish();
    let told = Told {
        recorded: &recorded,
        tracer: &tracer,
        log: &output,
        status: Some(recorded.status),
        samples: samples.as_ref(),
    };
    tell(arguments, &told, arguments.backend.is_some())?;
    refuse_unwritten(&recorded, text, Some(recorded.status))?;
    Ok(ExitCode::from(launch::pass_on(recorded.status)))
}

/// Where the log goes, as it was said or else by default.
fn output_path(
    arguments: &Arguments,
    default: impl FnOnce() -> Result<PathBuf, Failure>,
) -> Result<PathBuf, Failure> {
    let Some(output) = &arguments.output else { return default() };
    names::refuse_stream_as_log(output).map_err(Failure::of_trace)?;
    Ok(output.clone())
}

/// How much of what pointers point to is kept.
fn keep(arguments: &Arguments) -> Option<Style> {
    let is_full = arguments.decode.is_some() || arguments.text.is_some();
    let style = arguments.style.style();
    // All that any way of printing could show.
    is_full.then_some(Style { verbose: arguments.decode.is_some() || style.verbose, ..style })
}

/// The backend that is asked for, or the usual one; ptrace where that alone can do what is asked for.
fn backend(arguments: &Arguments, samples: Option<&Samples>) -> Result<Wanted, Failure> {
    let wanted = arguments.backend.unwrap_or(Wanted::Auto);
    let options = [
        (samples.is_some_and(|samples| samples.by_ptrace().is_some()), "--sample without perf events"),
        (arguments.stacks.is_some_and(StackFrames::python), "--stacks python (or both)"),
        (arguments.decode.is_some(), "--decode full"),
        (!arguments.inject.is_empty(), "--inject"),
    ];
    // Processes of others only eBPF sees.
    let wants_content = arguments.text.is_some() && !arguments.all && arguments.cgroup.is_none();
    match (options.iter().find(|(is_given, _)| *is_given), wanted) {
        // By ptrace stacks are whole however deep they are, and what pointers point to can be read.
        (None, Wanted::Auto) if arguments.stacks.is_some() || wants_content => Ok(Wanted::Ptrace),
        (None, _) => Ok(wanted),
        (Some((_, option)), Wanted::Ebpf) => Err(Failure::of_trace(anyhow::anyhow!(
            "{option} is not possible by eBPF; leave out --backend, and ptrace is taken"
        ))),
        (Some(_), Wanted::Auto | Wanted::Ptrace) => Ok(Wanted::Ptrace),
    }
}

/// What runs already and is to be recorded, if that is asked for.
fn running(arguments: &Arguments) -> Result<Option<Target>, Failure> {
    Ok(match &arguments.cgroup {
        Some(path) => Some(Target::cgroup(path)?),
        None if arguments.all => Some(Target::all()),
        None if arguments.pids.is_empty() => None,
        None => Some(Target::processes(&arguments.pids)),
    })
}

fn attach_to(arguments: &Arguments, target: &Target) -> Result<ExitCode, Failure> {
    if arguments.json {
        check_stdout().map_err(Failure::of_trace)?;
    }
    let output = output_path(arguments, || target.default_log())?;
    let say = || {
        if !arguments.quiet && arguments.duration.is_none() && std::io::stderr().is_terminal() {
            note(format_args!("recording to {}; Ctrl-C ends it", output.display()));
        }
    };
    let wanted = match backend(arguments, None)? {
        // Nothing else sees processes that it was not told of.
        Wanted::Auto if arguments.pids.is_empty() => Wanted::Ebpf,
        Wanted::Ptrace if arguments.pids.is_empty() => {
            return Err(Failure::of_trace(anyhow::anyhow!(
                "-a and --cgroup need eBPF; name processes with -p"
            )));
        }
        wanted => wanted,
    };
    let mut tracer = match select::select_for(wanted, false) {
        Err(error) if arguments.pids.is_empty() => {
            return Err(Failure::of_trace(anyhow::anyhow!(
                "-a and --cgroup need eBPF, and {} (trace doctor says more); -p PID records processes of your own",
                error.reason()
            )));
        }
        tracer => tracer.map_err(Failure::of_trace)?,
    };
    tracer.give_up_privilege();
    let mut beside = Beside::new(arguments, &output)?;
    let recorded =
        attach(&mut tracer, target, &output, arguments.duration, Some(&mut beside), keep(arguments), say)?;
    let text = beside.finish();
    let told = Told { recorded: &recorded, tracer: &tracer, log: &output, status: None, samples: None };
    tell(arguments, &told, true)?;
    refuse_unwritten(&recorded, text, None)?;
    Ok(ExitCode::SUCCESS)
}

/// Says what was recorded, as it is wanted.
fn tell(arguments: &Arguments, told: &Told<'_>, with_fall_back: bool) -> Result<(), Failure> {
    if arguments.json {
        // A reader that has closed our output is no failure; the exit code is the command's then, too.
        return match to_stdout(|out| told.write_json(out)) {
            Err(failure) if !failure.is_closed_pipe() => Err(failure.or_code(125)),
            _ => Ok(()),
        };
    }
    if !arguments.quiet {
        told.notes(with_fall_back);
    }
    Ok(())
}

/// A recording whose log or text could not be written whole has failed, however much is missing, and whatever the command
/// has done.
fn refuse_unwritten(
    recorded: &Recorded,
    text: Option<std::io::Error>,
    status: Option<ExitStatus>,
) -> Result<(), Failure> {
    let ran = status.map(|status| format!("; the command has run ({status})")).unwrap_or_default();
    let Err(error) = &recorded.log else {
        let failed = |error| Failure::of_trace(anyhow::anyhow!("the text is incomplete: {error}{ran}"));
        return text.map_or(Ok(()), |error| Err(failed(error)));
    };
    let is_nothing =
        matches!(error, log::Error::Write { path, written: 0, .. } if log::Reader::open(path).is_err());
    let what = if is_nothing { "nothing was recorded" } else { "the log is incomplete" };
    Err(Failure::of_trace(anyhow::anyhow!("{what}: {error}{ran}")))
}

/// The command has the descriptor that we were started with, or none if we had none.
pub(super) fn own_stream(fd: i32) -> Stream {
    if launch::was_closed_at_start(fd) { Stream::Close } else { Stream::Inherit }
}
