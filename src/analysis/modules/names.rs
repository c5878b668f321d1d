//! What a Python module is called, judged by the path of its file.

use rustc_hash::FxHashSet;
use serde::Serialize;

use crate::analysis::text::{directory, file_name};

/// What a module was loaded from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FileKind {
    /// `.py`
    Source,
    /// `.pyc`, `.pyo`
    Bytecode,
    /// A shared object.
    Extension,
}

/// Directories whose modules are top level wherever they are.
const ROOTS: [&[u8]; 3] = [b"site-packages", b"dist-packages", b"lib-dynload"];

/// What kind of module file this is, if it is one.
pub(in crate::analysis) fn module_file(path: &[u8]) -> Option<FileKind> {
    let name = file_name(path);
    let ends = |suffix: &[u8]| name.len() > suffix.len() && name.ends_with(suffix);
    if ends(b".pyc") || ends(b".pyo") {
        Some(FileKind::Bytecode)
    } else if ends(b".py") {
        Some(FileKind::Source)
    } else if ends(b".so") && is_extension(path, name) {
        Some(FileKind::Extension)
    } else {
        None
    }
}

/// A shared object made for an interpreter, rather than a library that one needs.
fn is_extension(path: &[u8], name: &[u8]) -> bool {
    let tagged = [&b".cpython-"[..], b".abi3.", b".pypy"];
    tagged.iter().any(|tag| name.windows(tag.len()).any(|part| part == *tag))
        || directory(path).is_some_and(|dir| file_name(dir) == b"lib-dynload")
        || (in_root(path) && !name.starts_with(b"lib"))
}

fn in_root(path: &[u8]) -> bool {
    path.split(|&b| b == b'/').any(|part| ROOTS.contains(&part))
}

/// The directory and the name without any suffix that all files of one module share:
/// `d/__pycache__/x.cpython-311.pyc` and `d/x.py` both give (`d`, `x`).
pub(in crate::analysis) fn stem(path: &[u8]) -> (&[u8], &[u8]) {
    let name = file_name(path);
    let mut dir = directory(path).unwrap_or_default();
    if file_name(dir) == b"__pycache__" {
        dir = directory(dir).unwrap_or_default();
    }
    let end = name.iter().position(|&b| b == b'.').unwrap_or(name.len());
    (dir, &name[..end])
}

/// Whether a lookup is of a candidate for a module with this last name: `…/tail`, `…/tail.so`,
/// `…/tail/__init__.py`, and 2.7's `…/tailmodule.so`.
pub(super) fn bears_name(path: &[u8], tail: &[u8]) -> bool {
    let (dir, stem) = stem(path);
    stem == tail
        || (stem == b"__init__" && file_name(dir) == tail)
        || stem.strip_suffix(b"module").is_some_and(|short| short == tail)
}

/// Gives names to modules in order of loading: a directory whose `__init__` was loaded is a package.
#[derive(Debug, Default)]
pub(super) struct Names {
    packages: FxHashSet<Vec<u8>>,
}

impl Names {
    /// The dotted name of the module in this file.
    pub(super) fn of(&mut self, path: &[u8]) -> Vec<u8> {
        let (mut dir, stem) = stem(path);
        let mut parts = Vec::new();
        if stem == b"__init__" {
            self.packages.insert(dir.to_vec());
        } else {
            parts.push(stem);
        }
        while !is_root(dir) && (self.packages.contains(dir) || below_root(dir)) {
            parts.push(file_name(dir));
            dir = directory(dir).unwrap_or_default();
        }
        parts.reverse();
        parts.join(&b'.')
    }
}

/// Whether modules directly in this directory are top level.
fn is_root(dir: &[u8]) -> bool {
    let name = file_name(dir);
    ROOTS.contains(&name) || is_library(dir)
}

/// `…/lib/python3.11` and the like.
fn is_library(dir: &[u8]) -> bool {
    let version = file_name(dir).strip_prefix(b"python").unwrap_or_default();
    let parent = directory(dir).map(file_name).unwrap_or_default();
    version.first().is_some_and(u8::is_ascii_digit) && parent.starts_with(b"lib")
}

/// Whether a directory above is a root: then every level between is a package (or a namespace).
fn below_root(dir: &[u8]) -> bool {
    let mut above = directory(dir);
    while let Some(dir) = above.filter(|dir| dir.len() > 1) {
        if is_root(dir) {
            return true;
        }
        above = directory(dir);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_files() {
        for (path, kind) in [
            ("/l/python3.11/__pycache__/os.cpython-311.pyc", Some(FileKind::Bytecode)),
            ("/l/x.py", Some(FileKind::Source)),
            ("/l/.py", None),
            ("/l/lib-dynload/_json.cpython-311-x86_64-linux-gnu.so", Some(FileKind::Extension)),
            ("/l/lib-dynload/math.so", Some(FileKind::Extension)),
            ("/v/site-packages/yaml/_yaml.abi3.so", Some(FileKind::Extension)),
            ("/v/site-packages/foo/_c.so", Some(FileKind::Extension)),
            ("/v/site-packages/foo.libs/libssl-1.so", None),
            ("/usr/lib/libpython3.11.so", None),
            ("/l/pyvenv.cfg", None),
        ] {
            assert_eq!(module_file(path.as_bytes()), kind, "{path}");
        }
    }

    #[test]
    fn names_from_paths() {
        let mut names = Names::default();
        let mut name = |path: &str| String::from_utf8(names.of(path.as_bytes())).unwrap();
        assert_eq!(name("/o/lib/python3.11/__pycache__/os.cpython-311.pyc"), "os");
        assert_eq!(name("/o/lib/python3.11/json/__pycache__/__init__.cpython-311.pyc"), "json");
        assert_eq!(name("/o/lib/python3.11/json/__pycache__/decoder.cpython-311.pyc"), "json.decoder");
        assert_eq!(name("/o/lib/python3.11/lib-dynload/_json.cpython-311-x86_64-linux-gnu.so"), "_json");
        assert_eq!(name("/v/lib/python3.11/site-packages/a/b/c.py"), "a.b.c");
        assert_eq!(name("/usr/lib/python3/dist-packages/apt/__init__.py"), "apt");
        assert_eq!(name("/src/tool.py"), "tool");
        assert_eq!(name("/src/pkg/__init__.py"), "pkg");
        assert_eq!(name("/src/pkg/sub/__init__.py"), "pkg.sub");
        assert_eq!(name("/src/pkg/sub/x.py"), "pkg.sub.x");
        assert_eq!(name("/x.py"), "x");
    }

    #[test]
    fn candidates_bear_the_name() {
        for path in ["/l/os", "/l/os.py", "/l/os.so", "/l/osmodule.so", "/l/os/__init__.abi3.so"] {
            assert!(bears_name(path.as_bytes(), b"os"), "{path}");
        }
        for path in ["/l/posix.py", "/l/os2", "/os/l/x"] {
            assert!(!bears_name(path.as_bytes(), b"os"), "{path}");
        }
    }
}
