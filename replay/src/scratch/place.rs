//! Where to make a scratch tree: on the file system that the log's own files were made on, if there is one here.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::plan::{At, Op, Plan};
use crate::sys::files::file_system;

/// Directories looked at.
const LOOKED_AT: usize = 200;
/// See `tree::kept`.
const UNJOURNALED: &str = "ext4 without a journal";

/// A directory for scratch trees, and what it is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Base {
    pub(super) directory: PathBuf,
    /// The type of its file system.
    pub(super) file_system: String,
    /// The type that the log's files were made on, as far as their directories are here.
    pub(super) original: Option<String>,
    /// A new file there costs the more the more others were removed shortly before.
    pub(super) passes_freed_inodes: bool,
}

/// The directory asked for, or one on the same file system as what the log made, or the usual one.
pub(super) fn choose(plan: &Plan, asked: Option<&Path>) -> Base {
    let original = original(plan);
    let usual = std::env::temp_dir();
    let directory = match (asked, &original) {
        (Some(asked), _) => asked.to_owned(),
        (None, Some((device, near))) => {
            let here = std::env::current_dir().unwrap_or_else(|_| usual.clone());
            let on_it = |path: &&PathBuf| {
                fs::metadata(path).is_ok_and(|found| found.dev() == *device) && is_writable(path)
            };
            [&usual, &here, near].into_iter().find(on_it).unwrap_or(&usual).clone()
        }
        (None, None) => usual,
    };
    let original = original.map(|(_, near)| name_of(&near));
    let file_system = name_of(&directory);
    let passes_freed_inodes = file_system == UNJOURNALED;
    Base { directory, file_system, original, passes_freed_inodes }
}

/// The device that most of what the log made is on, and a directory there.
fn original(plan: &Plan) -> Option<(u64, PathBuf)> {
    let mut devices: BTreeMap<u64, (usize, PathBuf)> = BTreeMap::new();
    let calls = plan.calls.iter().filter(|call| call.ret >= 0);
    let made = calls.filter_map(|call| match call.op {
        Op::Open { at, path, flags, .. } if flags & libc::O_CREAT as u32 != 0 => {
            Some((at, path, call.thread))
        }
        Op::MakeDir { at, path, .. } => Some((at, path, call.thread)),
        _ => None,
    });
    for (at, path, thread) in made.take(LOOKED_AT) {
        let path = Path::new(std::ffi::OsStr::from_bytes(plan.paths.bytes(path)));
        let cwd = plan.threads[thread.index()].cwd.or(plan.threads.first().and_then(|thread| thread.cwd));
        let cwd = cwd.map(|cwd| Path::new(std::ffi::OsStr::from_bytes(plan.paths.bytes(cwd))));
        let path = match (cwd, at) {
            (Some(cwd), At::Cwd) => cwd.join(path),
            // Where a descriptor leads is not known yet: mostly to somewhere below.
            (Some(cwd), At::Fd(_)) if path.is_relative() => cwd.join("below"),
            _ => path.to_owned(),
        };
        if !path.is_absolute() || ["/proc", "/sys", "/dev"].iter().any(|kernel| path.starts_with(kernel)) {
            continue;
        }
        let there = path.ancestors().skip(1).find_map(|above| Some((fs::metadata(above).ok()?, above)));
        if let Some((metadata, above)) = there {
            devices.entry(metadata.dev()).or_insert_with(|| (0, above.to_owned())).0 += 1;
        }
    }
    let most = devices.into_iter().max_by_key(|(_, (count, _))| *count);
    most.map(|(device, (_, near))| (device, near))
}

fn is_writable(directory: &Path) -> bool {
    let Ok(name) = std::ffi::CString::new(directory.as_os_str().as_bytes()) else { return false };
    crate::sys::files::may_write(&name)
}

/// Whether ext4 says that no task writes its journal (Documentation/ABI/testing/sysfs-fs-ext4).
fn has_no_journal(directory: &Path) -> bool {
    let Ok(device) = fs::metadata(directory).map(|found| found.dev()) else { return false };
    let device = format!("/sys/dev/block/{}:{}", libc::major(device), libc::minor(device));
    let Ok(device) = fs::read_link(device) else { return false };
    let task = |name| fs::read_to_string(Path::new("/sys/fs/ext4").join(name).join("journal_task"));
    device.file_name().and_then(|name| task(name).ok()).is_some_and(|task| task.trim() == "<none>")
}

/// The name of a directory's file system (`linux/magic.h`).
fn name_of(directory: &Path) -> String {
    let magic = File::open(directory).and_then(|directory| file_system(directory.as_fd()));
    let name = match magic.unwrap_or(0) {
        0xef53 if has_no_journal(directory) => UNJOURNALED,
        0xef53 => "ext4",
        0x0102_1994 => "tmpfs",
        0x794c_7630 => "overlayfs",
        0x9123_683e => "btrfs",
        0x5846_5342 => "xfs",
        0x2fc1_2fc1 => "zfs",
        0xf2f5_2010 => "f2fs",
        0xca45_1a4e => "bcachefs",
        0x6969 => "NFS",
        0x6573_5546 => "FUSE",
        0x0102_1997 => "9p",
        0 => return "an unknown file system".to_owned(),
        other => return format!("a file system of type {other:#x}"),
    };
    name.to_owned()
}
