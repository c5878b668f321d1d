//! Bytecode made before a remedy is measured, in a directory of its own. (The program cannot be left to write it:
//! `-B` and `sys.dont_write_bytecode` keep it from that.)

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use crate::analysis::text::Text;
use crate::capture::launch::{Command, LaunchError};
use crate::report::escape::quoted;

/// Where a person keeps it: ours is gone after the trial.
pub(super) const SHOWN: &str = "\"$HOME/.cache/pycache\"";
/// What a Python that knows `-I` and has a directory for bytecode says nothing to.
const NEW_ENOUGH: &str = "import sys; sys.exit(sys.version_info < (3, 8))";

/// What is compiled, by which Python, and where to.
pub struct Bytecode {
    python: PathBuf,
    optimize: u8,
    directories: Vec<OsString>,
    prefix: PathBuf,
}

impl Bytecode {
    pub(super) fn new(
        (python, optimize): (&Text, u8),
        directories: &[Text],
        prefix: PathBuf,
    ) -> Result<Self, String> {
        let os = |text: &Text| OsString::from_vec(text.bytes().to_vec());
        let python = PathBuf::from(os(python));
        let directories: Vec<OsString> =
            directories.iter().map(os).filter(|path| Path::new(path).is_dir()).collect();
        if !python.is_absolute() {
            return Err("it is not known which Python would have to compile".to_owned());
        }
        if directories.is_empty() {
            return Err("the directories with sources are not there any more".to_owned());
        }
        Ok(Self { python, optimize, directories, prefix })
    }

    /// Whether its Python can keep bytecode elsewhere: an older one would write beside the sources.
    pub fn check(&self, like: &Command) -> Result<Command, LaunchError> {
        let words = ["-I", "-B", "-c", NEW_ENOUGH].map(OsStr::new);
        like.replaced(&self.python, [self.python.as_os_str()].into_iter().chain(words))
    }

    /// Compiles.
    pub fn compile(&self, like: &Command) -> Result<Command, LaunchError> {
        like.replaced(&self.python, self.words(&option(&self.prefix)))
    }

    /// Why nothing came of that, if so: where each directory's bytecode should be, there is none.
    pub fn missing(&self) -> Option<String> {
        let made = |directory: &OsString| {
            let below = Path::new(directory).strip_prefix("/").unwrap_or(Path::new(directory));
            self.prefix.join(below).is_dir()
        };
        let none = !self.directories.iter().any(made);
        none.then(|| format!("{} -m compileall made no bytecode", self.python.display()))
    }

    /// Why its Python cannot be used.
    pub fn too_old(&self) -> String {
        let python = self.python.display();
        format!("{python} cannot keep bytecode in a directory of its own (Python 3.8 and later can)")
    }

    /// The same as a person types it.
    pub(super) fn shell(&self) -> String {
        let prefix = option(&self.prefix);
        let words = self.words(&prefix);
        words.iter().map(|word| shown(word, &prefix)).collect::<Vec<_>>().join(" ")
    }

    /// The option that names the directory.
    pub(super) fn options(&self) -> [OsString; 2] {
        ["-X".into(), option(&self.prefix)]
    }

    fn words(&self, prefix: &OsStr) -> Vec<OsString> {
        // Isolated, so that no module of the user's stands in for one that compiling needs.
        let mut words: Vec<OsString> = vec![self.python.clone().into(), "-I".into()];
        words.extend((0..self.optimize.min(2)).map(|_| "-O".into()));
        words.extend(["-X".into(), prefix.to_owned()]);
        words.extend(["-m", "compileall", "-q", "-l"].map(OsString::from));
        words.extend(self.directories.iter().cloned());
        words
    }
}

fn option(prefix: &Path) -> OsString {
    let mut option = OsString::from("pycache_prefix=");
    option.push(prefix);
    option
}

/// A word for a shell; the option that names our directory names a person's.
pub(super) fn shown(word: &OsStr, option: &OsStr) -> String {
    if word == option { format!("pycache_prefix={SHOWN}") } else { quoted(word.as_bytes()) }
}
