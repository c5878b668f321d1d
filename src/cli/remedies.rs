//! From a remedy to a command that has it applied. Nothing of the user's is changed: another program, other
//! words, other variables.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use crate::analysis::findings::Remedy;
use crate::analysis::phases::{Start, python_script};
use crate::analysis::text::Text;
use crate::capture::launch::Command;

/// Longest first line of a script that the kernel reads (`BINPRM_BUF_SIZE`).
const FIRST_LINE: usize = 256;

/// A command with a remedy applied.
pub struct Applied {
    pub command: Command,
    /// What was done, in a few words.
    pub what: String,
    /// The same for a shell.
    pub shell: String,
    /// It has to run once before it is measured.
    pub primes: bool,
}

/// A program and its words.
#[derive(Clone)]
struct Words {
    program: PathBuf,
    words: Vec<OsString>,
}

/// What remedies are applied to.
pub struct Original<'a> {
    pub command: &'a Command,
    /// A directory of ours that lives as long as the trial.
    pub scratch: &'a Path,
}

/// Applies a remedy; the error says why that is not possible here.
pub fn apply(remedy: &Remedy, original: &Original<'_>) -> Result<Applied, String> {
    match remedy {
        Remedy::PythonIsolated => python(original, &["-I"]),
        Remedy::PythonNoSite => python(original, &["-S"]),
        Remedy::FrozenModules => python(original, &["-X", "frozen_modules=on"]),
        Remedy::Direct { .. } => {
            let words = direct(remedy).ok_or("the real program is not known")?;
            let what = format!("{} itself", words.program.display());
            replaced(original, &words, &[], what)
        }
        Remedy::ShorterPath { drop } => shorter(original, "PATH", drop),
        Remedy::ShorterLibraryPath { drop } => shorter(original, "LD_LIBRARY_PATH", drop),
        Remedy::ShorterPythonPath { drop } => shorter(original, "PYTHONPATH", drop),
        Remedy::CompileBytecode { .. } => {
            let prefix = original.scratch.join("bytecode");
            let ours = format!("PYTHONPYCACHEPREFIX={}", quoted(prefix.as_os_str()));
            let set =
                [("PYTHONPYCACHEPREFIX", Some(prefix.into_os_string())), ("PYTHONDONTWRITEBYTECODE", None)];
            let applied = varied(original, &set, "bytecode kept in a directory of its own".to_owned())?;
            // Ours is gone after the trial; a person wants one that stays.
            let shell = applied.shell.replace(&ours, "PYTHONPYCACHEPREFIX=\"$HOME/.cache/pycache\"");
            Ok(Applied { primes: true, shell, ..applied })
        }
        Remedy::NameTimeZone => {
            if std::env::var_os("TZ").is_some() {
                return Err("TZ is set already".to_owned());
            }
            varied(original, &[("TZ", Some(":/etc/localtime".into()))], "TZ=:/etc/localtime".to_owned())
        }
    }
}

fn direct(remedy: &Remedy) -> Option<Words> {
    let Remedy::Direct { program, argv } = remedy else { return None };
    let os = |text: &Text| OsString::from_vec(text.bytes().to_vec());
    Some(Words { program: PathBuf::from(os(program)), words: argv.iter().map(os).collect() })
}

/// With options for Python right after its name.
fn python(original: &Original<'_>, options: &[&str]) -> Result<Applied, String> {
    let own = Words {
        program: original.command.program().to_owned(),
        words: original.command.words().map(OsStr::to_owned).collect(),
    };
    // A shim bears Python's name and hands options on.
    let known = [script(&own).filter(|_| !is_python(&own)), Some(own)];
    let Some(mut python) = known.into_iter().flatten().find(is_python) else {
        return Err("the command does not start Python itself".to_owned());
    };
    let at = 1.min(python.words.len());
    python.words.splice(at..at, options.iter().map(OsString::from));
    let what = format!("python {}", options.join(" "));
    replaced(original, &python, &[], what)
}

fn is_python(words: &Words) -> bool {
    let argv: Vec<u8> = words.words.iter().flat_map(|word| [word.as_bytes(), b"\0"].concat()).collect();
    python_script(&Start { path: words.program.as_os_str().as_bytes(), argv: &argv, cwd: b"/" }).is_some()
}

/// What the kernel makes of a script: the interpreter of its first line, the option there, its path, the rest.
fn script(own: &Words) -> Option<Words> {
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

/// Without directories in a list of them.
fn shorter(original: &Original<'_>, name: &'static str, drop: &[Text]) -> Result<Applied, String> {
    let value = std::env::var_os(name).ok_or(format!("{name} is not set: the directories are built in"))?;
    let entries: Vec<&[u8]> = value.as_bytes().split(|&b| b == b':').collect();
    let useless = |entry: &&[u8]| {
        let plain = entry.strip_suffix(b"/").filter(|plain| !plain.is_empty()).unwrap_or(entry);
        drop.iter().any(|dropped| dropped.bytes() == plain)
    };
    let kept: Vec<&[u8]> = entries.iter().copied().filter(|entry| !useless(entry)).collect();
    let fewer = entries.len() - kept.len();
    if fewer == 0 {
        return Err(format!("none of the directories is in {name}: they are built in"));
    }
    let what = format!("{name} without {fewer} of {} directories", entries.len());
    // An empty PATH would mean another search, an empty list elsewhere the current directory.
    let value = (!kept.is_empty()).then(|| OsString::from_vec(kept.join(&b':')));
    if value.is_none() && name == "PATH" {
        return Err("nothing would be left of PATH".to_owned());
    }
    varied(original, &[(name, value)], what)
}

fn varied(
    original: &Original<'_>,
    variables: &[(&'static str, Option<OsString>)],
    what: String,
) -> Result<Applied, String> {
    let words = Words {
        program: original.command.program().to_owned(),
        words: original.command.words().map(OsStr::to_owned).collect(),
    };
    replaced(original, &words, variables, what)
}

fn replaced(
    original: &Original<'_>,
    words: &Words,
    variables: &[(&'static str, Option<OsString>)],
    what: String,
) -> Result<Applied, String> {
    let said = |error: crate::capture::launch::LaunchError| error.to_string();
    let mut command = original.command.replaced(&words.program, words.words.clone()).map_err(said)?;
    let mut shell = Vec::new();
    for (name, value) in variables {
        command = command.with_variable(name, value.as_deref()).map_err(said)?;
        shell.push(match value {
            Some(value) => format!("{name}={}", quoted(value)),
            None => format!("-u {name}"),
        });
    }
    if !shell.is_empty() {
        // Options of env(1) come first.
        shell.sort_by_key(|word| !word.starts_with('-'));
        shell.insert(0, "env".to_owned());
    }
    // Where the words name another program than the one found, a person types the program.
    let first = if words.program.as_path() == original.command.program() {
        words.words.first().map(|word| quoted(word))
    } else {
        Some(quoted(words.program.as_os_str()))
    };
    shell.extend(first.into_iter().chain(words.words.iter().skip(1).map(|word| quoted(word))));
    Ok(Applied { command, what, shell: shell.join(" "), primes: false })
}

/// A word as a shell takes it.
fn quoted(word: &OsStr) -> String {
    let text = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.into_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(of: &Applied) -> Vec<String> {
        of.command.words().map(|word| word.to_string_lossy().into_owned()).collect()
    }

    fn with<T>(command: &[&str], test: impl FnOnce(&Original<'_>) -> T) -> T {
        let command = Command::resolve(command.iter().copied()).unwrap();
        test(&Original { command: &command, scratch: Path::new("/scratch") })
    }

    #[test]
    fn options_stand_after_the_name_of_the_interpreter() {
        let direct = Remedy::Direct {
            program: "/opt/bin/python3.11".into(),
            argv: ["python", "a b.py"].map(Text::from).to_vec(),
        };
        with(&["sh", "-c", "true"], |original| {
            assert!(apply(&Remedy::PythonIsolated, original).is_err());
            let applied = apply(&direct, original).unwrap();
            assert_eq!(
                (words(&applied), applied.what),
                (vec!["python".into(), "a b.py".into()], "/opt/bin/python3.11 itself".to_owned())
            );
            assert_eq!(applied.shell, "/opt/bin/python3.11 'a b.py'");
        });
        let dir = tempfile::tempdir().unwrap();
        let python = dir.path().join("python3.11");
        std::fs::write(&python, "#!/bin/sh\n").unwrap();
        std::fs::set_permissions(&python, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let python = python.to_str().unwrap();
        with(&[python, "-c", "1"], |original| {
            let applied = apply(&Remedy::FrozenModules, original).unwrap();
            assert_eq!(words(&applied), [python, "-X", "frozen_modules=on", "-c", "1"]);
        });
    }

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
        assert!(is_python(&script) && !is_python(&own));
    }

    #[test]
    fn lists_lose_what_gave_nothing() {
        with(&["true"], |original| {
            let path = std::env::var("PATH").unwrap();
            let first = path.split(':').next().unwrap();
            let drop = vec![Text::from(first.trim_end_matches('/'))];
            let applied = apply(&Remedy::ShorterPath { drop }, original).unwrap();
            assert!(applied.what.starts_with("PATH without"), "{}", applied.what);
            assert!(applied.shell.starts_with("env PATH="), "{}", applied.shell);
            let drop = vec!["/no/such/directory".into()];
            assert!(apply(&Remedy::ShorterPath { drop }, original).is_err());
            let applied = apply(&Remedy::CompileBytecode { directories: Vec::new() }, original).unwrap();
            let shell = "env -u PYTHONDONTWRITEBYTECODE PYTHONPYCACHEPREFIX=\"$HOME/.cache/pycache\" true";
            assert_eq!((applied.shell.as_str(), applied.primes), (shell, true));
        });
    }
}
