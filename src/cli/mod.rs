//! The command line: one file or folder a subcommand, from raw arguments to calls of the library.

mod assert_;
mod attaching;
mod choice;
mod command;
mod compare;
mod completions;
mod doctor;
mod drawing_file;
mod failure;
mod filter;
mod flame;
mod imports;
mod inject;
mod input;
mod install;
mod joined;
mod lines;
mod manpages;
mod names;
mod output;
mod plot;
mod progress;
mod record;
mod record_text;
mod recorded;
mod remedies;
mod repair;
mod replay;
mod report_output;
mod samples;
mod show;
mod sides;
mod startup;
mod stats;
mod strace;
mod strace_text;
mod text_output;
mod traced;
mod tracing;
mod try_;
mod usage;

use std::process::ExitCode;

use anstream::ColorChoice;
use anyhow::Context;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

use crate::capture::host;

pub use failure::Failure;

/// Why does this program take so long to start, and what would make it faster?
#[derive(Debug, Parser)]
#[command(name = "trace", version, arg_required_else_help = true, infer_subcommands = false)]
pub struct Cli {
    /// Use colour
    #[arg(long, global = true, value_name = "WHEN", value_parser = choice::named(&COLOURS), default_value = "auto")]
    color: ColorChoice,

    #[command(subcommand)]
    command: Command,
}

const COLOURS: [(ColorChoice, &str); 3] =
    [(ColorChoice::Auto, "auto"), (ColorChoice::Always, "always"), (ColorChoice::Never, "never")];

#[derive(Debug, Subcommand)]
enum Command {
    /// Explain where a program's startup time goes: untraced runs for the truth, a traced one for structure
    Startup(startup::Arguments),
    /// Explain where a package install spends its time: by phase, by package, by kind of call
    Install(install::Arguments),
    /// Show which Python modules a command imports, which of them imports which, and what each takes
    Imports(imports::Arguments),
    /// Record every system call of a command and its children to a log
    Record(record::Arguments),
    /// Try what the findings of a command suggest, where that is safe, and measure it against the command as it is
    Try(try_::Arguments),
    /// Print a log as strace would, one line an event, in the order in which calls end
    Show(show::Arguments),
    /// Count and sum up the calls of a log
    Stats(stats::Arguments),
    /// Draw a flame graph of the calls of a log
    Flame(flame::Arguments),
    /// Draw who did what when in a log: phases, imports, threads, waits and the critical path on one time axis
    Plot(plot::Arguments),
    #[command(
        about = "Make the calls of a log again, serially, from threads and through io_uring, and compare"
    )]
    Replay(replay::Arguments),
    /// Compare two or more commands or logs: which is faster, and what one does that the other does not
    Compare(compare::Arguments),
    /// Tell whether a log or a command keeps to budgets, on counts of calls first
    Assert(assert_::Arguments),
    /// Close a log that was cut short, so that other programs can open it
    Repair(repair::Arguments),
    /// Find out what works on this machine, why not, and what would enable it
    Doctor(doctor::Arguments),
    /// Print a script with which a shell completes trace's words
    Completions(completions::Arguments),
    /// Write manual pages to a directory
    Manpages(manpages::Arguments),
}

/// Parses the command line and runs what it asks for.
#[must_use]
pub fn run() -> ExitCode {
    if let Err(error) = host::check_stack() {
        return Failure::of_trace(error).report();
    }
    if let Some(words) = strace::words() {
        return strace::run(words);
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage_error(&error),
    };
    cli.color.write_global();
    let done = match cli.command {
        Command::Startup(arguments) => startup::run(&arguments),
        Command::Install(arguments) => install::run(&arguments),
        Command::Imports(arguments) => imports::run(&arguments),
        Command::Record(arguments) => record::run(&arguments),
        Command::Try(arguments) => try_::run(&arguments),
        Command::Show(arguments) => show::run(&arguments),
        Command::Stats(arguments) => stats::run(&arguments),
        Command::Flame(arguments) => flame::run(&arguments),
        Command::Plot(arguments) => plot::run(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
        Command::Compare(arguments) => compare::run(&arguments),
        Command::Assert(arguments) => assert_::run(&arguments),
        Command::Repair(arguments) => repair::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Completions(arguments) => completions::run(&arguments),
        Command::Manpages(arguments) => manpages::run(&arguments),
    };
    names::remove_empty();
    done.unwrap_or_else(|failure| failure.report())
}

/// Help and version go to standard output; a wrong command line exits 2, and 125 where the exit code is the
/// traced command's otherwise, as env(1) and timeout(1) do.
fn usage_error(error: &clap::Error) -> ExitCode {
    // Help, asked for or in place of a missing subcommand.
    if !error.use_stderr() {
        let printed = output::check_stdout().and_then(|()| error.print().context(output::WRITING));
        return printed.map_or_else(|error| Failure::from(error).report(), |()| ExitCode::SUCCESS);
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        // Nothing is left to tell where standard error is gone.
        let _ = error.print();
    } else {
        failure::note(usage::one_line(&error.to_string(), subcommand().as_deref()));
    }
    let runs_command = subcommand()
        .is_some_and(|name| ["imports", "install", "record", "startup", "try"].contains(&name.as_str()));
    ExitCode::from(if runs_command { 125 } else { 2 })
}

/// The subcommand that was asked for, if there is such a one.
fn subcommand() -> Option<String> {
    let command = Cli::command();
    let mut words = std::env::args_os().skip(1).map_while(|word| word.into_string().ok());
    // Behind the options that stand before any.
    words.find(|word| command.find_subcommand(word).is_some())
}
