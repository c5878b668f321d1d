//! From a remedy to a command that has it applied. Nothing of the user's is changed: another program, other
//! words, other variables.
//!
//! `bytecode` makes what has to be there before. `words` knows what a command line starts, `variables` what is set or taken out, `apply` puts both together.

mod apply;
mod bytecode;
mod variables;
mod words;

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use crate::analysis::findings::Remedy;
use crate::analysis::text::Text;
pub use apply::{Applied, apply};
pub use bytecode::Bytecode;
use variables::{Variable, shorter};
use words::{Interpreter, Words};

/// What a remedy changes about a command.
#[derive(Default)]
pub struct Edit {
    /// What is done, in a few words.
    pub what: String,
    /// The command has to run once with it before it is measured.
    pub primes: bool,
    /// Bytecode to make before.
    pub bytecode: Option<Bytecode>,
    /// Another program with other words.
    words: Option<Words>,
    /// Options for an interpreter.
    options: Option<(Interpreter, Vec<OsString>)>,
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
        Remedy::CompileBytecode { directories, python, no_environment, optimize } => {
            let prefix = scratch.join("bytecode");
            let set = std::env::var("PYTHONOPTIMIZE").ok().filter(|_| !no_environment);
            let optimize = (*optimize).max(set.map_or(0, |level| optimization(&level)));
            let bytecode = Bytecode::new((python, optimize), directories, prefix.clone())?;
            compiled(bytecode, prefix, *no_environment)
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
    let options = options.iter().map(OsString::from).collect();
    Edit { what, options: Some((interpreter, options)), ..Edit::default() }
}

/// What `PYTHONOPTIMIZE` says: anything that is no number is 1.
fn optimization(level: &str) -> u8 {
    if level.is_empty() { 0 } else { level.parse().unwrap_or(1) }
}

/// Bytecode from a directory of its own, which a Python that ignores variables is told by an option.
fn compiled(bytecode: Bytecode, prefix: PathBuf, no_environment: bool) -> Edit {
    let (mut variables, mut options) = (Vec::new(), None);
    if no_environment {
        options = Some((Interpreter::Python, bytecode.options().to_vec()));
    } else {
        let prefix =
            Variable { shown: Some(bytecode::SHOWN), ..Variable::set("PYTHONPYCACHEPREFIX", prefix) };
        variables = vec![prefix, Variable::unset("PYTHONDONTWRITEBYTECODE")];
    }
    let what = "bytecode compiled before, in a directory of its own".to_owned();
    Edit { what, primes: true, bytecode: Some(bytecode), options, variables, ..Edit::default() }
}

/// Without directories in a list of them.
fn fewer(name: &'static str, drop: &[Text]) -> Result<Edit, String> {
    let (what, variable) = shorter(name, drop)?;
    Ok(Edit { what, variables: vec![variable], ..Edit::default() })
}
