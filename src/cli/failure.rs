//! How a command of ours fails: one line on standard error, and an exit code.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use crate::capture::untraced;
use crate::report::escape::printable;

/// What is said and returned when a command cannot do its work.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    error: anyhow::Error,
}

impl Failure {
    /// A failure of `trace` itself while it runs a command, as env(1) and timeout(1) exit.
    pub fn of_trace(error: impl Into<anyhow::Error>) -> Self {
        Self { code: 125, error: error.into() }
    }

    /// A failure with a code of its own.
    pub fn with_code(code: u8, error: impl Into<anyhow::Error>) -> Self {
        Self { code, error: error.into() }
    }

    /// What went wrong.
    #[must_use]
    pub fn into_error(self) -> anyhow::Error {
        self.error
    }

    /// The same where 1 is another answer of the command: an error that has no code of its own exits with this one.
    #[must_use]
    pub fn or_code(self, code: u8) -> Self {
        Self { code: if self.code == 1 { code } else { self.code }, ..self }
    }

    /// The line that is printed.
    #[must_use]
    pub fn text(&self) -> String {
        one_line(&self.error)
    }

    /// Whether the reader of our output has closed it.
    #[must_use]
    pub fn is_closed_pipe(&self) -> bool {
        is_closed_pipe(&self.error)
    }

    /// Prints the failure and says what to exit with. A reader that has closed our output (`| head`) has
    /// seen what it wanted: no failure.
    #[must_use]
    pub fn report(&self) -> ExitCode {
        if is_closed_pipe(&self.error) {
            return ExitCode::SUCCESS;
        }
        note(self.text());
        ExitCode::from(self.code)
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { code: 1, error: error.into() }
    }
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let kinds = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    kinds.map(io::Error::kind).any(|kind| kind == io::ErrorKind::BrokenPipe)
}

/// A command whose name begins with a dash is an option that does not exist.
pub fn refuse_option(command: &[std::ffi::OsString]) -> Result<(), Failure> {
    match command.first() {
        Some(word) if word.as_encoded_bytes().starts_with(b"-") => Err(Failure::of_trace(anyhow::anyhow!(
            "unknown option {}; see --help (a command of that name: ./{0})",
            word.to_string_lossy()
        ))),
        _ => Ok(()),
    }
}

/// One line of `trace`'s own on standard error. What comes from a log or a command line and does not print is
/// escaped.
pub fn note(text: impl Display) {
    // Nothing is left to tell where standard error is gone.
    let _ = writeln!(io::stderr(), "trace: {}", printable(&text.to_string()));
}

/// An error and what caused it, as far as it does not say so itself.
fn one_line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if line.is_empty() {
            line = cause;
        } else if !line.contains(&cause) {
            line = format!("{line}: {cause}");
        }
    }
    line
}

/// What to exit with after a signal.
pub fn by_signal(signal: i32) -> ExitCode {
    ExitCode::from(ending_code(signal))
}

/// The same as a number.
pub fn ending_code(signal: i32) -> u8 {
    u8::try_from(signal).map_or(125, |signal| signal.saturating_add(128))
}

/// The failure that a signal is.
pub fn interrupted(signal: i32, when: &str) -> Failure {
    let name = untraced::signal_name(signal);
    Failure::with_code(ending_code(signal), anyhow::anyhow!("ended by {name} {when}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let denied = || io::Error::from_raw_os_error(13);
        let says_it = crate::log::Error::Open { path: "/nosuch".into(), source: denied() };
        let line = one_line(&says_it.into());
        assert_eq!(line.matches("os error 13").count(), 1, "{line}");
        assert_eq!(
            Failure::from(crate::log::Error::Create { path: "x".into(), source: denied() })
                .text()
                .matches("os error 13")
                .count(),
            1
        );
        let line = one_line(&anyhow::Error::from(denied()).context("cannot write to standard output"));
        assert_eq!(line, "cannot write to standard output: Permission denied (os error 13)");
    }
}
