//! What `trace compare` and `trace assert` look at: a log, a directory of logs, or a quoted command to be run.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::anyhow;

use super::failure::Failure;

/// Most logs of one directory.
const MOST_LOGS: usize = 1000;
/// Endings of names that are logs', and no commands'.
const LOG_ENDINGS: [&str; 2] = ["trace", "strace"];

/// See the module's documentation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Side {
    /// Logs, ours or strace's text, one a run.
    Logs(Vec<PathBuf>),
    /// The words of a command.
    Command(Vec<OsString>),
}

/// What a word of the command line stands for. A file that cannot be executed is a log, and so is what has a name as
/// logs have; all else is a command, in the words that a shell would see.
pub fn side(word: &OsStr) -> Result<Side, Failure> {
    let path = Path::new(word);
    let found = path.metadata().ok();
    if found.as_ref().is_some_and(std::fs::Metadata::is_dir) {
        return logs_of(path).map(Side::Logs);
    }
    let executable = |file: &std::fs::Metadata| file.is_file() && file.permissions().mode() & 0o111 != 0;
    let named_like_one =
        path.extension().and_then(OsStr::to_str).is_some_and(|ending| LOG_ENDINGS.contains(&ending));
    if word == "-" || found.is_some_and(|file| !executable(&file)) || named_like_one || has_parts(path) {
        return Ok(Side::Logs(vec![path.to_owned()]));
    }
    command(word).map(Side::Command)
}

/// The words of a quoted command: quotes and backslashes are a shell's, nothing is expanded.
pub fn command(text: &OsStr) -> Result<Vec<OsString>, Failure> {
    let refused = |why: String| Failure::with_code(2, anyhow!("{}: {why}", text.to_string_lossy()));
    let Some(plain) = text.to_str() else {
        return Err(refused("a quoted command must be UTF-8; put it into a script".to_owned()));
    };
    let words = shell_words::split(plain).map_err(|error| refused(error.to_string()))?;
    if words.is_empty() {
        let text = "an empty word ('') is neither a log nor a command";
        return Err(Failure::with_code(2, anyhow!(text)));
    }
    Ok(words.into_iter().map(OsString::from).collect())
}

/// Whether `strace -ff -o NAME` wrote here.
fn has_parts(path: &Path) -> bool {
    let (Some(name), false) = (path.file_name(), path.exists()) else { return false };
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(entries) = directory.read_dir() else { return false };
    let is_part = |entry: &OsStr| {
        let number = entry.as_bytes().strip_prefix(name.as_bytes()).and_then(|rest| rest.strip_prefix(b"."));
        number.is_some_and(|number| !number.is_empty() && number.iter().all(u8::is_ascii_digit))
    };
    entries.flatten().any(|entry| is_part(&entry.file_name()))
}

/// The logs of a directory, by name: files that end as logs do.
fn logs_of(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = |why: &str| Failure::of_trace(anyhow!("{}: {why}", directory.display()));
    let entries = directory.read_dir().map_err(|error| failed(&error.to_string()))?;
    let is_log = |path: &PathBuf| {
        let ending = path.extension().and_then(OsStr::to_str);
        path.is_file() && ending.is_some_and(|ending| LOG_ENDINGS.contains(&ending))
    };
    let mut logs: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(is_log).collect();
    logs.sort_unstable();
    match logs.len() {
        0 => Err(failed("there is no file in it that ends in .trace or .strace")),
        1..=MOST_LOGS => Ok(logs),
        _ => Err(failed("more than 1000 logs are in it; name fewer")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side_of(word: impl AsRef<OsStr>) -> Side {
        side(word.as_ref()).unwrap_or_else(|error| panic!("{}", error.text()))
    }

    #[test]
    fn logs_directories_and_commands_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("b.trace");
        std::fs::write(&log, "x").unwrap();
        std::fs::write(dir.path().join("a.strace"), "x").unwrap();
        std::fs::write(dir.path().join("notes"), "x").unwrap();
        std::fs::write(dir.path().join("parts.17"), "x").unwrap();
        let tool = dir.path().join("tool");
        std::fs::write(&tool, "#!/bin/sh\n").unwrap();
        std::fs::set_permissions(&tool, PermissionsExt::from_mode(0o755)).unwrap();
        assert_eq!(side_of(&log), Side::Logs(vec![log.clone()]));
        assert_eq!(side_of(dir.path()), Side::Logs(vec![dir.path().join("a.strace"), log]));
        assert_eq!(side_of(dir.path().join("notes")), Side::Logs(vec![dir.path().join("notes")]));
        assert_eq!(side_of(dir.path().join("parts")), Side::Logs(vec![dir.path().join("parts")]));
        assert_eq!(side_of(&tool), Side::Command(vec![tool.into()]));
        assert_eq!(side_of("none.trace"), Side::Logs(vec!["none.trace".into()]));
        assert_eq!(side_of("-"), Side::Logs(vec!["-".into()]));
        let words = ["sh", "-c", "echo a  b", "*"].map(OsString::from);
        assert_eq!(side_of("sh -c 'echo a  b' *"), Side::Command(words.into()));
    }

    #[test]
    fn what_is_neither_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let refused = |word: &OsStr| side(word).expect_err("refused").text();
        assert!(refused(dir.path().as_os_str()).contains("no file in it that ends in .trace"));
        assert!(refused(OsStr::new("sh -c 'open")).contains("sh -c 'open: missing closing quote"));
        assert!(refused(OsStr::new("")).contains("neither a log nor a command"));
        assert!(refused(OsStr::from_bytes(b"a\xff")).contains("must be UTF-8"));
    }
}
