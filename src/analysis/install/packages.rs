//! What was installed, by package.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Serialize;

use super::owners::Owners;
use super::phase::Made;
use crate::analysis::compare::{is_below, packages};
use crate::analysis::lookups::plus;
use crate::analysis::text::Text;

/// Endings of what describes a package.
const DESCRIPTIONS: [&[u8]; 3] = [b".dist-info", b".egg-info", b".data"];

/// A package in a directory that was installed to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Package {
    /// What its `dist-info` is named after; where nobody says whose it is, its own name: a directory or a module.
    pub name: Text,
    /// Directories and modules it has there, where they are named otherwise.
    pub modules: Vec<Text>,
    /// Files made, its bytecode included.
    pub files: u64,
    /// How many of them are links to files there were.
    pub links: u64,
    /// Bytes written to them; what links hold was written before.
    pub bytes: u64,
    /// Calls about its paths.
    pub calls: u64,
    /// What they cost; `None`: not known.
    pub cost_ns: Option<u64>,
}

/// Adds up what is below the directories installed to.
#[derive(Debug)]
pub struct Packages<'a> {
    targets: &'a [Vec<u8>],
    owners: &'a Owners,
    found: BTreeMap<Vec<u8>, Package>,
}

/// What follows the directory that a path was installed to, as far as it is in one of these.
#[must_use]
pub fn inside<'p>(path: &'p [u8], targets: &[Vec<u8>]) -> Option<&'p [u8]> {
    if let Some((target, rest)) = packages(path)
        && targets.iter().any(|known| known == target)
    {
        return Some(rest);
    }
    let target = targets.iter().find(|target| is_below(path, target))?;
    Some(path.get(target.len() + 1..).unwrap_or_default())
}

impl<'a> Packages<'a> {
    /// Of these directories.
    pub fn new(targets: &'a [Vec<u8>], owners: &'a Owners) -> Self {
        Self { targets, owners, found: BTreeMap::new() }
    }

    fn package(&mut self, path: &[u8]) -> Option<&mut Package> {
        let own = name(inside(path, self.targets)?);
        let owner = self.owners.of(&own).unwrap_or(&own);
        let none = || Package { cost_ns: Some(0), ..Package::default() };
        let package = self.found.entry(owner.to_vec()).or_insert_with(none);
        if owner != own && !package.modules.iter().any(|known| known.bytes() == own) {
            package.modules.push(own.as_slice().into());
        }
        Some(package)
    }

    /// Adds calls about a path.
    pub fn calls(&mut self, path: &[u8], calls: u64, cost_ns: Option<u64>) {
        if let Some(package) = self.package(path) {
            package.calls += calls;
            package.cost_ns = plus(package.cost_ns, cost_ns);
        }
    }

    /// Adds a file that was made.
    pub fn made(&mut self, path: &[u8], made: Made) {
        if let Some(package) = self.package(path) {
            package.files += 1;
            package.links += u64::from(made.is_link);
            package.bytes = package.bytes.saturating_add(made.bytes);
        }
    }

    /// Those of which files were made, the dearest first, and what is of no package.
    pub fn finish(self) -> (Vec<Package>, Option<Package>) {
        let mut found = self.found;
        let none = found.remove(&b""[..]).filter(|package| package.files > 0);
        let all = found.into_iter().filter(|(_, package)| package.files > 0);
        let mut all: Vec<Package> =
            all.map(|(name, package)| Package { name: name.as_slice().into(), ..package }).collect();
        for package in &mut all {
            package.modules.sort_unstable();
        }
        all.sort_by_key(|package| (Reverse(package.cost_ns), Reverse(package.calls)));
        (all, none)
    }
}

/// The package that a path below a directory of packages belongs to; empty: none.
pub fn name(path: &[u8]) -> Vec<u8> {
    let mut parts = path.split(|&byte| byte == b'/');
    let first = parts.next().unwrap_or_default();
    let second = parts.next();
    match (first, second) {
        (b"__pycache__", Some(file)) => module(file).unwrap_or_default().to_vec(),
        (first, Some(second)) if first.starts_with(b"@") => [first, b"/", second].concat(),
        (first, Some(_)) if first.starts_with(b".") || first == b"bin" => Vec::new(),
        (first, None) => module(first).map_or_else(|| described(first).unwrap_or_default(), <[u8]>::to_vec),
        (first, Some(_)) => described(first).unwrap_or_else(|| first.to_vec()),
    }
}

/// The module that a file is: `six` of `six.py` and `six.cpython-311.pyc`.
fn module(file: &[u8]) -> Option<&[u8]> {
    let stem = file
        .strip_suffix(b".py")
        .or_else(|| file.strip_suffix(b".pyc"))
        .or_else(|| file.strip_suffix(b".so"))?;
    stem.split(|&byte| byte == b'.').next().filter(|stem| !stem.is_empty())
}

/// The package that a `dist-info` describes, as its directory would be named.
pub fn described(directory: &[u8]) -> Option<Vec<u8>> {
    let stem = DESCRIPTIONS.iter().find_map(|ending| directory.strip_suffix(*ending))?;
    let name = stem.split(|&byte| byte == b'-').next().filter(|name| !name.is_empty())?;
    Some(name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_packages() {
        for (path, expected) in [
            ("requests/api.py", "requests"),
            ("requests-2.31.0.dist-info/RECORD", "requests"),
            ("PyYAML-6.0.dist-info/RECORD", "pyyaml"),
            ("six.py", "six"),
            ("__pycache__/six.cpython-311.pyc", "six"),
            ("_cffi.cpython-311-x86_64-linux-gnu.so", "_cffi"),
            ("@types/node/index.d.ts", "@types/node"),
            ("distutils-precedence.pth", ""),
            (".package-lock.json", ""),
            (".bin/tsc", ""),
            ("", ""),
        ] {
            assert_eq!(String::from_utf8(name(path.as_bytes())).unwrap(), expected, "{path}");
        }
    }
}
