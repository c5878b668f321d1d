//! Default names of the files that a command writes.

use std::ffi::{OsStr, OsString};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::failure::{Failure, note};
use super::output::refuse_closed_stream;
use crate::log;

/// Where the log of a command goes without a wish of the user's: a file named after the command in the current
/// directory, or where that cannot be written to, in a private one for temporary files, which is told.
pub fn default_log(command: &[OsString]) -> Result<PathBuf, Failure> {
    let name = log_name(command);
    let error = match log::check_output(&name) {
        Ok(()) => return Ok(name),
        Err(error @ log::Error::Create { .. }) => error,
        Err(error) => return Err(Failure::of_trace(error)),
    };
    let mut private = tempfile::Builder::new();
    // Without this, the umask decides who may look.
    let private = private.prefix("trace-").permissions(Permissions::from_mode(0o700));
    let directory = private.tempdir().map_err(Failure::of_trace)?.keep();
    note(format_args!("{error}; what trace writes is in {}", directory.display()));
    let _ = PRIVATE.set(directory.clone());
    Ok(directory.join(name))
}

/// The directory that was made for files, if one was.
static PRIVATE: OnceLock<PathBuf> = OnceLock::new();

/// Takes it away again if nothing was written to it, since what was to be recorded could not be run.
pub fn remove_empty() {
    if let Some(directory) = PRIVATE.get() {
        // Where something is in it, this fails, as it should.
        let _ = std::fs::remove_dir(directory);
    }
}

/// Where the log of a command goes that a report is made of. Without a wish of the user's, a directory that cannot be
/// written to is no reason to give up.
pub fn output_path(output: Option<&Path>, command: &[OsString]) -> Result<PathBuf, Failure> {
    let Some(output) = output else { return default_log(command) };
    refuse_stream_as_log(output).map_err(Failure::of_trace)?;
    log::check_output(output).map_err(Failure::of_trace)?;
    if output.exists() && !output.is_file() {
        let text = "is not a file, and the report is made from the log: name a file";
        return Err(Failure::of_trace(anyhow::anyhow!("{} {text}", output.display())));
    }
    Ok(output.to_owned())
}

/// A name for the log of a command: `python-hello.trace` for `/usr/bin/python hello.py`.
fn log_name(command: &[OsString]) -> PathBuf {
    let mut name = command.first().map(|program| stem(program)).unwrap_or_default();
    let script = command.get(1).filter(|word| !word.as_encoded_bytes().starts_with(b"-"));
    if let Some(script) = script.map(|script| stem(script)).filter(|script| !script.is_empty()) {
        name.push('-');
        name.push_str(&script);
    }
    if name.is_empty() {
        name.push_str("command");
    }
    PathBuf::from(name + ".trace")
}

/// Refuses `-` where only a file will do, and says how to name a file of that name.
pub fn refuse_stream(path: &Path, why: &str) -> anyhow::Result<()> {
    anyhow::ensure!(path.as_os_str() != "-", "{why}: name a file (./- for one called -)");
    Ok(())
}

/// As [`refuse_stream`], for the log of a command.
pub fn refuse_stream_as_log(path: &Path) -> anyhow::Result<()> {
    refuse_stream(path, "standard output is the command's, so a log cannot go there")?;
    refuse_closed_stream(path)
}

/// The last part of a path without its extension, kept to what is plain in a file name.
fn stem(word: &OsStr) -> String {
    let path = Path::new(word);
    // What follows the dot of `0.1` or `python3.11` is a part of a number.
    let is_number =
        path.extension().is_some_and(|end| end.as_encoded_bytes().first().is_some_and(u8::is_ascii_digit));
    let stem = if is_number { path.file_name() } else { path.file_stem() };
    let stem = stem.unwrap_or_default().to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '+');
    let name: String = stem.chars().map(|c| if plain(c) { c } else { '_' }).take(40).collect();
    name.trim_start_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(words: &[&str]) -> String {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        log_name(&words).to_string_lossy().into_owned()
    }

    #[test]
    fn a_dash_is_no_file() {
        assert!(refuse_stream_as_log(Path::new("-")).is_err());
        assert!(refuse_stream_as_log(Path::new("./-")).is_ok());
    }

    #[test]
    fn names_tell_the_program_and_its_script() {
        assert_eq!(name(&["/usr/bin/python3.11", "fixtures/hello.py"]), "python3.11-hello.trace");
        assert_eq!(name(&["sleep", "0.1"]), "sleep-0.1.trace");
        assert_eq!(name(&["./build.sh", "v1."]), "build-v1.trace");
        assert_eq!(name(&["ls", "-l"]), "ls.trace");
        assert_eq!(name(&["git", "status"]), "git-status.trace");
        assert_eq!(name(&["./a b;c", "/"]), "a_b_c.trace");
        assert_eq!(name(&["..."]), "command.trace");
        assert_eq!(name(&[]), "command.trace");
    }
}
