//! `trace manpages`: a page for `trace`, and one for each subcommand.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, CommandFactory};

use super::Cli;
use super::failure::{Failure, note};

#[derive(Debug, Args)]
pub struct Arguments {
    /// The directory to write trace.1, trace-record.1 and so on to, such as /usr/local/share/man/man1
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let directory = &arguments.directory;
    let made =
        directory.ancestors().take_while(|part| !part.as_os_str().is_empty() && !part.exists()).count();
    fs::create_dir_all(directory)
        .with_context(|| format!("cannot make the directory {}", directory.display()))?;
    clap_mangen::generate_to(Cli::command(), directory)
        .with_context(|| format!("cannot write manual pages to {}", directory.display()))?;
    // One of trace itself.
    let pages = 1 + Cli::command().get_subcommands().count();
    // A name may be mistyped.
    let made = match made {
        0 => "",
        1 => ", a new directory",
        _ => ", a new directory in new ones",
    };
    note(format_args!("{pages} pages in {}{made}", directory.display()));
    Ok(ExitCode::SUCCESS)
}
