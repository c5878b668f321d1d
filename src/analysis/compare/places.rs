//! Which class of place a path is, for comparisons of installers and interpreters.

use serde::Serialize;

use crate::analysis::filesystem;
use crate::analysis::searchers::is_object;

/// A class of paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Where this run installs to: directories of packages in which it made files, and those named by options.
    Target,
    /// Directories of installed packages that it reads.
    Packages,
    /// An interpreter's own library.
    Interpreter,
    /// Caches.
    Cache,
    /// Wheels.
    Wheels,
    /// Temporary files.
    Temporary,
    /// Shared objects and the dynamic loader's cache.
    Libraries,
    /// `/proc` and `/sys`.
    Kernel,
    /// `/etc`.
    Settings,
    /// Devices, pipes, sockets, terminals.
    NoFile,
    /// Everything else that has a name.
    Other,
    /// Calls that are about no path.
    Nothing,
}

impl Place {
    /// The name used in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Target => "target environment",
            Self::Packages => "installed packages",
            Self::Interpreter => "interpreter's library",
            Self::Cache => "caches",
            Self::Wheels => "wheels",
            Self::Temporary => "temporary files",
            Self::Libraries => "shared objects",
            Self::Kernel => "/proc, /sys",
            Self::Settings => "/etc",
            Self::NoFile => "devices, pipes, sockets",
            Self::Other => "other paths",
            Self::Nothing => "no path",
        }
    }
}

/// Names of directories that hold installed packages.
const PACKAGES: [&[u8]; 3] = [b"site-packages", b"dist-packages", b"node_modules"];

/// The directory of packages that a path is in or is, and what follows it: `/v/lib/python3.11/site-packages` and
/// `requests/api.py`. The last one where they are nested.
#[must_use]
pub fn packages(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut end = path.len();
    for part in path.rsplit(|&byte| byte == b'/') {
        if PACKAGES.contains(&part) {
            return Some((&path[..end], path.get(end + 1..).unwrap_or_default()));
        }
        end = end.saturating_sub(part.len() + 1);
    }
    None
}

/// Whether a path is a directory or below it.
#[must_use]
pub fn is_below(path: &[u8], directory: &[u8]) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest[0] == b'/' || directory == b"/")
}

/// The class of a path, given the directories that the run installs to.
#[must_use]
pub fn place(path: &[u8], targets: &[Vec<u8>]) -> Place {
    let has = |part: &[u8]| path.split(|&byte| byte == b'/').any(|one| one == part);
    let below = |directories: &[&[u8]]| directories.iter().any(|directory| is_below(path, directory));
    if path.is_empty() {
        Place::Nothing
    } else if below(&[b"/dev"]) || filesystem::not_a_file(path).is_some() || !path.contains(&b'/') {
        Place::NoFile
    } else if below(&[b"/proc", b"/sys"]) {
        Place::Kernel
    } else if targets.iter().any(|target| is_below(path, target)) {
        Place::Target
    } else if path.windows(4).any(|part| part == b".whl") {
        Place::Wheels
    } else if has(b".cache") || has(b"cache") || has(b"_cacache") || has(b".npm") {
        Place::Cache
    } else if packages(path).is_some() {
        Place::Packages
    } else if below(&[b"/tmp", b"/var/tmp"]) {
        Place::Temporary
    } else if is_interpreters(path) {
        Place::Interpreter
    } else if is_object(path) || path.starts_with(b"/etc/ld.so") {
        Place::Libraries
    } else if below(&[b"/etc"]) {
        Place::Settings
    } else {
        Place::Other
    }
}

/// Whether a path is below the library of an interpreter: `lib/python3.11`, `lib/ruby`, `share/perl`...
fn is_interpreters(path: &[u8]) -> bool {
    let mut before: &[u8] = b"";
    for part in path.split(|&byte| byte == b'/') {
        let is_library = matches!(before, b"lib" | b"lib64" | b"share");
        let known: [&[u8]; 6] = [b"python", b"ruby", b"perl", b"node", b"php", b"tcl"];
        if is_library && known.iter().any(|name| part.starts_with(name)) {
            return true;
        }
        before = part;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_classes() {
        let targets = [b"/tmp/v/lib/python3.11/site-packages".to_vec()];
        for (path, expected) in [
            ("", Place::Nothing),
            ("pipe:[7]", Place::NoFile),
            ("pipe", Place::NoFile),
            ("/dev/null", Place::NoFile),
            ("/proc/self/maps", Place::Kernel),
            ("/tmp/v/lib/python3.11/site-packages/a/b.py", Place::Target),
            ("/tmp/v/lib/python3.11/site-packages-not/a", Place::Temporary),
            ("/usr/lib/python3/dist-packages/pip/x.py", Place::Packages),
            ("/w/a-1.0-py3-none-any.whl", Place::Wheels),
            ("/root/.cache/uv/x", Place::Cache),
            ("/tmp/pip-abc/x", Place::Temporary),
            ("/usr/lib/python3.11/os.py", Place::Interpreter),
            ("/lib/x86_64-linux-gnu/libc.so.6", Place::Libraries),
            ("/etc/hosts", Place::Settings),
            ("/home/u/x.py", Place::Other),
        ] {
            assert_eq!(place(path.as_bytes(), &targets), expected, "{path}");
        }
    }

    #[test]
    fn packages_are_found_in_paths() {
        let found = |path: &'static str| packages(path.as_bytes());
        assert_eq!(found("/v/site-packages/a/b"), Some((&b"/v/site-packages"[..], &b"a/b"[..])));
        assert_eq!(found("/v/site-packages"), Some((&b"/v/site-packages"[..], &b""[..])));
        assert_eq!(
            found("/n/node_modules/a/node_modules/b"),
            Some((&b"/n/node_modules/a/node_modules"[..], &b"b"[..]))
        );
        assert_eq!(found("/v/site-packages2/a"), None);
    }
}
