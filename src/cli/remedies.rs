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
use crate::capture::launch::{Command, LaunchError};
use crate::report::escape::quoted;

/// Longest first line of a script that the kernel reads (`BINPRM_BUF_SIZE`).
const FIRST_LINE: usize = 256;

/// What a remedy changes about a command.
#[derive(Default)]
pub struct Edit {
    /// What is done, in a few words.
    pub what: String,
    /// The command has to run once with it before it is measured.
    pub primes: bool,
    /// Another program with other words.
    words: Option<Words>,
    /// Options for Python.
    options: &'static [&'static str],
    /// Variables, set or taken out.
    variables: Vec<Variable>,
}

/// A variable of the environment.
struct Variable {
    name: &'static str,
    value: Option<OsString>,
    /// What a person would set it to, if that is something else.
    shown: Option<&'static str>,
}

impl Variable {
    fn set(name: &'static str, value: impl Into<OsString>) -> Self {
        Self { name, value: Some(value.into()), shown: None }
    }

    fn unset(name: &'static str) -> Self {
        Self { name, value: None, shown: None }
    }
}

/// A command with edits applied, and as a line for a shell.
pub struct Applied {
    pub command: Command,
    pub shell: String,
}

/// A program and its words.
#[derive(Clone)]
struct Words {
    program: PathBuf,
    words: Vec<OsString>,
}

/// What a remedy changes; the error says why it cannot be applied here. `scratch` is a directory of ours that
/// lives as long as the trial.
pub fn edit(remedy: &Remedy, scratch: &Path) -> Result<Edit, String> {
    Ok(match remedy {
        Remedy::PythonIsolated => python(&["-I"]),
        Remedy::PythonNoSite => python(&["-S"]),
        Remedy::FrozenModules => python(&["-X", "frozen_modules=on"]),
        Remedy::Direct { program, argv } => {
            let os = |text: &Text| OsString::from_vec(text.bytes().to_vec());
            let words = Words { program: PathBuf::from(os(program)), words: argv.iter().map(os).collect() };
            let what = format!("{} itself", words.program.display());
            Edit { what, words: Some(words), ..Edit::default() }
        }
        Remedy::ShorterPath { drop } => shorter("PATH", drop)?,
        Remedy::ShorterLibraryPath { drop } => shorter("LD_LIBRARY_PATH", drop)?,
        Remedy::ShorterPythonPath { drop } => shorter("PYTHONPATH", drop)?,
        Remedy::CompileBytecode { .. } => {
            let prefix = Variable {
                // Ours is gone after the trial; a person wants one that stays.
                shown: Some("\"$HOME/.cache/pycache\""),
                ..Variable::set("PYTHONPYCACHEPREFIX", scratch.join("bytecode"))
            };
            let variables = vec![prefix, Variable::unset("PYTHONDONTWRITEBYTECODE")];
            let what = "bytecode kept in a directory of its own".to_owned();
            Edit { what, primes: true, variables, ..Edit::default() }
        }
        Remedy::NameTimeZone => {
            if std::env::var_os("TZ").is_some() {
                return Err("TZ is set already".to_owned());
            }
            let variables = vec![Variable::set("TZ", ":/etc/localtime")];
            Edit { what: "TZ=:/etc/localtime".to_owned(), variables, ..Edit::default() }
        }
    })
}

/// What several edits are together, to be named by.
pub fn together(edits: &[&Edit]) -> Edit {
    let what = format!("the {} that are faster, together", edits.len());
    Edit { what, primes: edits.iter().any(|edit| edit.primes), ..Edit::default() }
}

fn python(options: &'static [&'static str]) -> Edit {
    Edit { what: format!("python {}", options.join(" ")), options, ..Edit::default() }
}

/// The command with these edits; the error says why that is not possible.
pub fn apply(command: &Command, edits: &[&Edit]) -> Result<Applied, String> {
    let own = || Words {
        program: command.program().to_owned(),
        words: command.words().map(OsStr::to_owned).collect(),
    };
    let mut words = edits.iter().find_map(|edit| edit.words.clone()).unwrap_or_else(own);
    let options: Vec<OsString> =
        edits.iter().flat_map(|edit| edit.options).map(|&option| OsString::from(option)).collect();
    if !options.is_empty() {
        // A shim bears Python's name and hands options on.
        if !is_python(&words) {
            let script = script(&words).filter(is_python);
            words = script.ok_or("the command does not start Python itself")?;
        }
        let at = 1.min(words.words.len());
        words.words.splice(at..at, options);
    }
    let said = |error: LaunchError| error.to_string();
    let mut changed = command.replaced(&words.program, words.words.clone()).map_err(said)?;
    let variables = || edits.iter().flat_map(|edit| &edit.variables);
    for variable in variables() {
        changed = changed.with_variable(variable.name, variable.value.as_deref()).map_err(said)?;
    }
    Ok(Applied { shell: shell(command, &words, variables()), command: changed })
}

/// The same as a person types it.
fn shell<'e>(command: &Command, words: &Words, variables: impl Iterator<Item = &'e Variable>) -> String {
    let mut line: Vec<String> = variables
        .map(|variable| match (&variable.value, variable.shown) {
            (None, _) => format!("-u {}", variable.name),
            (Some(_), Some(shown)) => format!("{}={shown}", variable.name),
            (Some(value), None) => format!("{}={}", variable.name, quoted(value.as_bytes())),
        })
        .collect();
    if !line.is_empty() {
        // Options of env(1) come first.
        line.sort_by_key(|word| !word.starts_with('-'));
        line.insert(0, "env".to_owned());
    }
    // Where the words name another program than the one found, a person types the program.
    let same = words.program.as_path() == command.program();
    let first = words.words.first().filter(|_| same).map_or(words.program.as_os_str(), OsString::as_os_str);
    line.push(quoted(first.as_bytes()));
    line.extend(words.words.iter().skip(1).map(|word| quoted(word.as_bytes())));
    line.join(" ")
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
fn shorter(name: &'static str, drop: &[Text]) -> Result<Edit, String> {
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
    if kept.is_empty() && name == "PATH" {
        return Err("nothing would be left of PATH".to_owned());
    }
    // An empty list would mean the current directory.
    let variable = if kept.is_empty() {
        Variable::unset(name)
    } else {
        Variable::set(name, OsString::from_vec(kept.join(&b':')))
    };
    let what = format!("{name} without {fewer} of {} directories", entries.len());
    Ok(Edit { what, variables: vec![variable], ..Edit::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(command: &[&str], remedies: &[&Remedy]) -> Result<(Vec<String>, String), String> {
        let command = Command::resolve(command.iter().copied()).unwrap();
        let edits: Result<Vec<Edit>, String> =
            remedies.iter().map(|remedy| edit(remedy, Path::new("/scratch"))).collect();
        let applied = apply(&command, &edits?.iter().collect::<Vec<_>>())?;
        let words = applied.command.words().map(|word| word.to_string_lossy().into_owned());
        Ok((words.collect(), applied.shell))
    }

    #[test]
    fn options_stand_after_the_name_of_the_interpreter() {
        let direct = Remedy::Direct {
            program: "/opt/bin/python3.11".into(),
            argv: ["python", "a b.py"].map(Text::from).to_vec(),
        };
        let shell = ["sh", "-c", "true"];
        assert!(applied(&shell, &[&Remedy::PythonIsolated]).is_err());
        let (words, line) = applied(&shell, &[&direct]).unwrap();
        assert_eq!(
            (words, line.as_str()),
            (vec!["python".into(), "a b.py".into()], "/opt/bin/python3.11 'a b.py'")
        );
        let (_, line) = applied(&shell, &[&Remedy::PythonNoSite, &direct, &Remedy::FrozenModules]).unwrap();
        assert_eq!(line, "/opt/bin/python3.11 -S -X frozen_modules=on 'a b.py'");
        let dir = tempfile::tempdir().unwrap();
        let python = dir.path().join("python3.11");
        std::fs::write(&python, "#!/bin/sh\n").unwrap();
        std::fs::set_permissions(&python, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let python = python.to_str().unwrap();
        let (words, _) = applied(&[python, "-c", "1"], &[&Remedy::FrozenModules]).unwrap();
        assert_eq!(words, [python, "-X", "frozen_modules=on", "-c", "1"]);
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
        let path = std::env::var("PATH").unwrap();
        let first = path.split(':').next().unwrap();
        let drop = vec![Text::from(first.trim_end_matches('/'))];
        let shorter = edit(&Remedy::ShorterPath { drop: drop.clone() }, Path::new("/")).unwrap();
        assert!(shorter.what.starts_with("PATH without"), "{}", shorter.what);
        let bytecode = Remedy::CompileBytecode { directories: Vec::new() };
        let (_, line) = applied(&["true"], &[&bytecode, &Remedy::ShorterPath { drop }]).unwrap();
        let start = "env -u PYTHONDONTWRITEBYTECODE PYTHONPYCACHEPREFIX=\"$HOME/.cache/pycache\" PATH=";
        assert!(line.starts_with(start) && line.ends_with(" true"), "{line}");
        let drop = vec!["/no/such/directory".into()];
        assert!(edit(&Remedy::ShorterPath { drop }, Path::new("/")).is_err());
    }
}
