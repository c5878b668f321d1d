//! From a remedy to a command that has it applied. Nothing of the user's is changed: another program, other
//! words, other variables.
//!
//! `words` knows what a command line starts, `variables` what is set or taken out, `apply` puts both together.

mod apply;
mod variables;
mod words;

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use crate::analysis::findings::Remedy;
use crate::analysis::text::Text;
pub use apply::{Applied, apply};
use variables::{Variable, shorter};
use words::{Interpreter, Words};

/// What a remedy changes about a command.
#[derive(Default)]
pub struct Edit {
    /// What is done, in a few words.
    pub what: String,
    /// The command has to run once with it before it is measured.
    pub primes: bool,
    /// Another program with other words.
    words: Option<Words>,
    /// Options for an interpreter.
    options: Option<(Interpreter, &'static [&'static str])>,
    /// Variables, set or taken out.
    variables: Vec<Variable>,
}

/// What a remedy changes; the error says why it cannot be applied here. `scratch` is a directory of ours that
/// lives as long as the trial.
pub fn edit(remedy: &Remedy, scratch: &Path) -> Result<Edit, String> {
    Ok(match remedy {
        Remedy::PythonIsolated => options(Interpreter::Python, &["-I"]),
        Remedy::PythonNoSite => options(Interpreter::Python, &["-S"]),
        Remedy::RubyNoGems => options(Interpreter::Ruby, &["--disable-gems"]),
        Remedy::FrozenModules => options(Interpreter::Python, &["-X", "frozen_modules=on"]),
        Remedy::Direct { program, argv } => {
            let os = |text: &Text| OsString::from_vec(text.bytes().to_vec());
            let words = Words { program: PathBuf::from(os(program)), words: argv.iter().map(os).collect() };
            let what = format!("{} itself", words.program.display());
            Edit { what, words: Some(words), ..Edit::default() }
        }
        Remedy::ShorterPath { drop } => fewer("PATH", drop)?,
        Remedy::ShorterLibraryPath { drop } => fewer("LD_LIBRARY_PATH", drop)?,
        Remedy::ShorterPythonPath { drop } => fewer("PYTHONPATH", drop)?,
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

fn options(interpreter: Interpreter, options: &'static [&'static str]) -> Edit {
    let what = format!("{} {}", interpreter.name(), options.join(" "));
    Edit { what, options: Some((interpreter, options)), ..Edit::default() }
}

/// Without directories in a list of them.
fn fewer(name: &'static str, drop: &[Text]) -> Result<Edit, String> {
    let (what, variable) = shorter(name, drop)?;
    Ok(Edit { what, variables: vec![variable], ..Edit::default() })
}
