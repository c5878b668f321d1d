//! Which package a module belongs to, where their names differ: `PyYAML` installs `yaml`.
//!
//! Installers write into each `dist-info` a RECORD of the files that are the package's (packaging.python.org, "Recording
//! installed projects"). No log has it, so whoever has run the install reads it and gives it here.

use std::collections::BTreeMap;

use super::names::{described, name};

/// Most names that are kept.
const MOST: usize = 1 << 16;

/// Owners of directories and modules, by their names where they are installed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Owners {
    /// `None`: several packages have a part of it.
    owners: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
}

impl Owners {
    /// Takes in the RECORD of this `dist-info`: lines of a path, a hash and a size, separated by commas.
    pub fn add(&mut self, directory: &[u8], record: &[u8]) {
        let Some(owner) = described(directory) else { return };
        for line in record.split(|&byte| byte == b'\n') {
            let own = name(path(line));
            if own.is_empty() || own == owner || own == b".." {
                continue;
            }
            if let Some(known) = self.owners.get_mut(&own) {
                if known.as_ref().is_some_and(|known| *known != owner) {
                    *known = None;
                }
            } else if self.owners.len() < MOST {
                self.owners.insert(own, Some(owner.clone()));
            }
        }
    }

    /// The package that has this directory or module, if it is another's than its name says, and one alone.
    #[must_use]
    pub fn of(&self, own: &[u8]) -> Option<&[u8]> {
        self.owners.get(own)?.as_deref()
    }
}

/// The path of a line; one with a comma in it stands in quotes.
fn path(line: &[u8]) -> &[u8] {
    let (rest, end) = line.strip_prefix(b"\"").map_or((line, b','), |rest| (rest, b'"'));
    rest.split(|&byte| byte == end).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_tell_whose_a_module_is() {
        let mut owners = Owners::default();
        let yaml = b"../../../bin/x,,\nPyYAML-6.0.dist-info/RECORD,,\n_yaml/__init__.py,sha256=a,1\r\nyaml/cyaml.py,sha256=b,2\n\"odd,name.py\",,\nsix.py,,\n";
        owners.add(b"PyYAML-6.0.dist-info", yaml);
        owners.add(b"six-1.0.dist-info", b"six.py,,\nshared/a.py,,");
        owners.add(b"other-1.0.dist-info", b"shared/b.py,,\nother/x.py,,");
        owners.add(b"no such thing", b"yaml/x.py,,");
        owners.add(b".dist-info", b"yaml/y.py,,");
        let of = |name: &str| owners.of(name.as_bytes()).map(String::from_utf8_lossy);
        assert_eq!(of("yaml").as_deref(), Some("pyyaml"));
        assert_eq!(of("_yaml").as_deref(), Some("pyyaml"));
        assert_eq!(of("odd,name").as_deref(), Some("pyyaml"));
        assert_eq!(
            (of("other"), of("shared"), of("..")),
            (None, None, None),
            "its own, two packages', no package"
        );
    }
}
