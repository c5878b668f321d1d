//! `trace completions`: what a shell needs to complete our words.

use std::process::ExitCode;

use clap::{Args, CommandFactory, ValueEnum};

use super::Cli;
use super::failure::Failure;
use super::output::to_stdout;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Shells that are catered for.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    use clap_complete::aot::Shell as Known;
    let shell = match arguments.shell {
        Shell::Bash => Known::Bash,
        Shell::Zsh => Known::Zsh,
        Shell::Fish => Known::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "trace", &mut script);
    to_stdout(|out| out.write_all(&script))?;
    Ok(ExitCode::SUCCESS)
}
