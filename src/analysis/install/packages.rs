//! What was installed, by package.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Serialize;

use super::names::{inside, name};
use super::owners::Owners;
use super::phases::Made;
use crate::analysis::lookups::plus;
use crate::analysis::text::Text;

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
