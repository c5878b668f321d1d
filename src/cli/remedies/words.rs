//! A program and its words: whether they start Python, and what the kernel makes of a script.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::analysis::phases::{Start, python_script};
use crate::analysis::text::file_name;

/// Longest first line of a script that the kernel reads (`BINPRM_BUF_SIZE`).
const FIRST_LINE: usize = 256;

/// A program and its words.
#[derive(Clone)]
pub(super) struct Words {
    pub(super) program: PathBuf,
    pub(super) words: Vec<OsString>,
}

/// An interpreter that takes options.
#[derive(Clone, Copy)]
pub(super) enum Interpreter {
    Python,
    Ruby,
}

impl Interpreter {
    /// What its program is called.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Ruby => "ruby",
        }
    }
}

impl fmt::Display for Interpreter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Python => "Python",
            Self::Ruby => "Ruby",
        })
    }
}

impl Words {
    /// Whether they start this interpreter.
    pub(super) fn start(&self, interpreter: Interpreter) -> bool {
        let path = self.program.as_os_str().as_bytes();
        match interpreter {
            Interpreter::Python => {
                let argv: Vec<u8> =
                    self.words.iter().flat_map(|word| [word.as_bytes(), b"\0"].concat()).collect();
                python_script(&Start { path, argv: &argv, cwd: b"/" }).is_some()
            }
            Interpreter::Ruby => {
                let version = file_name(path).strip_prefix(interpreter.name().as_bytes());
                version.is_some_and(|rest| rest.iter().all(|b| b.is_ascii_digit() || *b == b'.'))
            }
        }
    }
}

/// What the kernel makes of a script: the interpreter of its first line, the option there, its path, the rest.
pub(super) fn script(own: &Words) -> Option<Words> {
    let mut start = [0; FIRST_LINE];
    let got = File::open(&own.program).and_then(|mut file| file.read(&mut start)).ok()?;
    let line = start[..got].strip_prefix(b"#!")?.split(|&b| b == b'\n').next()?;
    let line = line.trim_ascii();
    let end = line.iter().position(u8::is_ascii_whitespace).unwrap_or(line.len());
    let (interpreter, option) = (&line[..end], line[end..].trim_ascii());
    let interpreter = OsStr::from_bytes(interpreter);
    let option = (!option.is_empty()).then(|| OsStr::from_bytes(option).to_owned());
    let words =
        [interpreter.to_owned()].into_iter().chain(option).chain([own.program.clone().into_os_string()]);
    let rest = own.words.iter().skip(1).cloned();
    Some(Words { program: PathBuf::from(interpreter), words: words.chain(rest).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn a_script_is_given_to_its_interpreter() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tool");
        std::fs::write(&path, "#! /usr/bin/python3 -E\nprint(1)\n").unwrap();
        let own = Words { program: path.clone(), words: vec!["tool".into(), "x".into()] };
        let script = script(&own).unwrap();
        assert_eq!(script.program, Path::new("/usr/bin/python3"));
        let expected: Vec<OsString> =
            vec!["/usr/bin/python3".into(), "-E".into(), path.into_os_string(), "x".into()];
        assert_eq!(script.words, expected);
        assert!(script.start(Interpreter::Python) && !own.start(Interpreter::Python));
        let ruby = |path: &str| Words { program: path.into(), words: Vec::new() }.start(Interpreter::Ruby);
        assert!(ruby("/usr/bin/ruby") && ruby("/usr/bin/ruby3.1") && !ruby("/usr/bin/rubocop"));
    }
}
