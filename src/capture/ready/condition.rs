//! What a program does when it is ready, as the command line says it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use regex::bytes::{Regex, RegexBuilder};

/// What a program does when it is ready.
#[derive(Clone, Debug)]
pub enum Until {
    /// It listens on a stream socket (TCP or Unix).
    Listen,
    /// It has written something that matches to its standard output or error.
    Output(Regex),
    /// Somebody has opened this file (an absolute path).
    Open(PathBuf),
    /// None of its threads has used the CPU for so long; it was ready when that began.
    Idle(Duration),
    /// It has ended.
    Exit,
}

/// A condition that means nothing.
#[derive(Debug, thiserror::Error)]
pub enum WrongUntil {
    /// There is no such word.
    #[error("it is one of: listen, output=REGEX, open=PATH, idle=MS, exit")]
    Unknown,
    /// The expression is wrong.
    #[error("{0}")]
    Regex(#[from] regex::Error),
    /// Not a number of milliseconds.
    #[error(
        "idle= takes milliseconds, at least {IDLE_LEAST_MS}: a shorter rest is found between any two steps"
    )]
    Idle,
    /// A path that cannot be made absolute.
    #[error("the path cannot be made absolute: {0}")]
    Path(#[from] std::io::Error),
}

/// The shortest rest that is taken for an end of the work: some times what a kernel without a tick's notice
/// needs to account for a running thread.
const IDLE_LEAST_MS: u64 = 10;

impl FromStr for Until {
    type Err = WrongUntil;

    fn from_str(text: &str) -> Result<Self, WrongUntil> {
        Ok(match text.split_once('=') {
            None if text == "listen" => Self::Listen,
            None if text == "exit" => Self::Exit,
            Some(("output", expression)) => {
                Self::Output(RegexBuilder::new(expression).multi_line(true).build()?)
            }
            Some(("open", path)) => Self::Open(std::path::absolute(path)?),
            Some(("idle", number)) => match number.parse() {
                Ok(ms) if ms >= IDLE_LEAST_MS => Self::Idle(Duration::from_millis(ms)),
                _ => return Err(WrongUntil::Idle),
            },
            _ => return Err(WrongUntil::Unknown),
        })
    }
}

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen => write!(f, "listen"),
            Self::Output(regex) => write!(f, "output={regex}"),
            Self::Open(path) => write!(f, "open={}", path.display()),
            Self::Idle(rest) => write!(f, "idle={}", rest.as_millis()),
            Self::Exit => write!(f, "exit"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_read_and_written() {
        for text in ["listen", "output=^Serving .* on", "open=/run/x.pid", "idle=250", "exit"] {
            assert_eq!(text.parse::<Until>().unwrap().to_string(), text);
        }
        assert!(matches!("open=x".parse(), Ok(Until::Open(path)) if path.is_absolute()));
    }

    #[test]
    fn wrong_ones_are_refused() {
        for text in ["", "listening", "listen=80", "output", "output=(", "open=", "idle=9", "idle=x"] {
            assert!(text.parse::<Until>().is_err(), "{text}");
        }
    }
}
