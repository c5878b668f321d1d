//! The command line: one file a subcommand, from raw arguments to calls of the library.

mod failure;
mod input;
mod names;
mod progress;
mod record;
mod remedies;
mod repair;
mod show;
mod startup;
mod startup_output;
mod stats;
mod tracing;
mod try_;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use failure::Failure;

/// Why does this program take so long to start, and what would make it faster?
#[derive(Debug, Parser)]
#[command(name = "trace", version, arg_required_else_help = true, infer_subcommands = false)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Explain where a program's startup time goes: untraced runs for the truth, a traced one for structure
    Startup(startup::Arguments),
    /// Record every system call of a command and its children to a log
    Record(record::Arguments),
    /// Try what the findings of a command suggest, where that is safe, and measure it against the command as it is
    Try(try_::Arguments),
    /// Print a log as strace would, one line an event
    Show(show::Arguments),
    /// Count and sum up the calls of a log
    Stats(stats::Arguments),
    /// Close a log that was cut short, so that other programs can open it
    Repair(repair::Arguments),
}

/// Parses the command line and runs what it asks for.
#[must_use]
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage_error(&error),
    };
    let done = match cli.command {
        Command::Startup(arguments) => startup::run(&arguments),
        Command::Record(arguments) => record::run(arguments),
        Command::Try(arguments) => try_::run(&arguments),
        Command::Show(arguments) => show::run(&arguments),
        Command::Stats(arguments) => stats::run(&arguments),
        Command::Repair(arguments) => repair::run(&arguments),
    };
    done.unwrap_or_else(|failure| failure.report())
}

/// Help and version go to standard output; a wrong command line exits 2, and 125 where the exit code is the
/// traced command's otherwise, as env(1) and timeout(1) do.
fn usage_error(error: &clap::Error) -> ExitCode {
    // Nothing is left to tell where the terminal is gone.
    let _ = error.print();
    if !error.use_stderr() {
        return ExitCode::SUCCESS;
    }
    let runs_command = std::env::args().nth(1).is_some_and(|word| word == "record" || word == "startup");
    ExitCode::from(if runs_command { 125 } else { 2 })
}
