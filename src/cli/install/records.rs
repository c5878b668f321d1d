//! What the installed packages say of their files.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::analysis::install::Owners;

/// The most that is read of one RECORD; larger packages are told by the names of their directories where they have more.
const MOST_BYTES: u64 = 16 << 20;

/// Reads the RECORD of every package in these directories. What cannot be read tells nothing.
pub fn owners(targets: &[Vec<u8>]) -> Owners {
    let mut owners = Owners::default();
    for target in targets {
        let Ok(entries) = fs::read_dir(OsStr::from_bytes(target)) else { continue };
        for entry in entries.flatten() {
            if let Some(record) = record(&entry.path()) {
                owners.add(entry.file_name().as_bytes(), &record);
            }
        }
    }
    owners
}

/// The RECORD of a package's description, if it is a plain file.
fn record(directory: &Path) -> Option<Vec<u8>> {
    if directory.extension() != Some(OsStr::new("dist-info")) {
        return None;
    }
    let path = directory.join("RECORD");
    path.symlink_metadata().ok().filter(fs::Metadata::is_file)?;
    let mut record = Vec::new();
    File::open(path).ok()?.take(MOST_BYTES).read_to_end(&mut record).ok()?;
    Some(record)
}
