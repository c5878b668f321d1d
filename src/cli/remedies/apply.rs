//! The command with edits applied, and as a line for a shell.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use super::Edit;
use super::bytecode::shown;
use super::variables::Variable;
use super::words::{Words, script};
use crate::capture::launch::{Command, LaunchError};
use crate::report::escape::quoted;

/// A command with edits applied, and as a line for a shell.
pub struct Applied {
    pub command: Command,
    pub shell: String,
}

/// The command with these edits; the error says why that is not possible.
pub fn apply(command: &Command, edits: &[&Edit]) -> Result<Applied, String> {
    let own = || Words {
        program: command.program().to_owned(),
        words: command.words().map(OsStr::to_owned).collect(),
    };
    let mut words = edits.iter().find_map(|edit| edit.words.clone()).unwrap_or_else(own);
    let mut at = 1;
    for (interpreter, options) in edits.iter().filter_map(|edit| edit.options.as_ref()) {
        // A shim bears the interpreter's name and hands options on.
        if !words.start(*interpreter) {
            let script = script(&words).filter(|script| script.start(*interpreter));
            words = script.ok_or_else(|| format!("the command does not start {interpreter} itself"))?;
        }
        at = at.min(words.words.len());
        words.words.splice(at..at, options.iter().cloned());
        at += options.len();
    }
    let said = |error: LaunchError| error.to_string();
    let mut changed = command.replaced(&words.program, words.words.clone()).map_err(said)?;
    let variables = || edits.iter().flat_map(|edit| &edit.variables);
    for variable in variables() {
        changed = changed.with_variable(variable.name, variable.value.as_deref()).map_err(said)?;
    }
    let bytecode = edits.iter().find_map(|edit| edit.bytecode.as_ref());
    let mut shell = shell(command, &words, variables());
    if let Some(bytecode) = bytecode {
        let [_, option] = bytecode.options();
        shell = format!(
            "{}; {}",
            bytecode.shell(),
            shell.replace(&quoted(option.as_bytes()), &shown(&option, &option))
        );
    }
    Ok(Applied { shell, command: changed })
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

#[cfg(test)]
mod tests {
    use super::super::edit;
    use super::*;
    use crate::analysis::findings::Remedy;
    use crate::analysis::text::Text;
    use std::path::Path;

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

    fn bytecode(no_environment: bool) -> Remedy {
        let (directories, python) = (vec!["/tmp".into()], "/opt/bin/python3.11".into());
        Remedy::CompileBytecode { directories, python, no_environment, optimize: 1 }
    }

    #[test]
    fn a_python_that_ignores_variables_is_told_by_an_option_where_bytecode_is() {
        let direct = Remedy::Direct {
            program: "/opt/bin/python3.11".into(),
            argv: ["python", "-E", "a.py"].map(Text::from).to_vec(),
        };
        let (words, line) = applied(&["true"], &[&bytecode(true), &direct]).unwrap();
        assert_eq!(words, ["python", "-X", "pycache_prefix=/scratch/bytecode", "-E", "a.py"]);
        let run = "; /opt/bin/python3.11 -X pycache_prefix=\"$HOME/.cache/pycache\" -E a.py";
        assert!(line.ends_with(run) && !line.contains("/scratch"), "{line}");
        assert!(applied(&["true"], &[&bytecode(true)]).is_err());
    }

    #[test]
    fn lists_lose_what_gave_nothing() {
        let path = std::env::var("PATH").unwrap();
        let first = path.split(':').next().unwrap();
        let drop = vec![Text::from(first.trim_end_matches('/'))];
        let shorter = edit(&Remedy::ShorterPath { drop: drop.clone() }, Path::new("/")).unwrap();
        assert!(shorter.what.starts_with("PATH without"), "{}", shorter.what);
        let (_, line) = applied(&["true"], &[&bytecode(false), &Remedy::ShorterPath { drop }]).unwrap();
        let compile =
            "/opt/bin/python3.11 -I -O -X pycache_prefix=\"$HOME/.cache/pycache\" -m compileall -q -l /tmp; ";
        let start = "env -u PYTHONDONTWRITEBYTECODE PYTHONPYCACHEPREFIX=\"$HOME/.cache/pycache\" PATH=";
        assert!(line.starts_with(&format!("{compile}{start}")) && line.ends_with(" true"), "{line}");
        let drop = vec!["/no/such/directory".into()];
        assert!(edit(&Remedy::ShorterPath { drop }, Path::new("/")).is_err());
    }
}
