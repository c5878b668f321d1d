//! Which file a command's name means to strace: it looks for one by itself, and leaves it to execve(2) whether that can be executed.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::sys::stat::{FileStat, SFlag, stat};

use crate::report::show::error_sentence;

/// The longest path, its NUL byte included (`PATH_MAX`).
const PATH_MAX: usize = 4096;
/// Bits of a mode that let somebody execute a file.
const ANYBODY_EXECUTES: u32 = 0o111;

/// The file that is to be executed: the name itself where it has a slash, else the first that looks like a program in a directory
/// of `PATH` (an empty one is this directory, but not at the end).
///
/// # Errors
/// What strace says of a name that is none.
pub fn find(name: &OsStr, path: Option<&OsStr>) -> anyhow::Result<PathBuf> {
    if name.len() >= PATH_MAX {
        anyhow::bail!("exec: {}", error_sentence(libc::ENAMETOOLONG));
    }
    let file = if name.as_bytes().contains(&b'/') {
        PathBuf::from(name)
    } else {
        search(name, path.unwrap_or_default()).unwrap_or_default()
    };
    match stat(&file) {
        Ok(_) => Ok(file),
        Err(why) => anyhow::bail!("Can't stat '{}': {}", name.to_string_lossy(), error_sentence(why as i32)),
    }
}

fn search(name: &OsStr, path: &OsStr) -> Option<PathBuf> {
    let path = path.as_bytes();
    let directories = path.strip_suffix(b":").unwrap_or(path).split(|&byte| byte == b':');
    directories
        .filter_map(|directory| match directory {
            b"" if path.is_empty() => None,
            b"" => std::env::current_dir().ok(),
            named => Some(PathBuf::from(OsStr::from_bytes(named))),
        })
        .map(|directory| directory.join(name))
        .filter(|file| file.as_os_str().len() < PATH_MAX)
        .find(|file| looks_like_program(file))
}

fn looks_like_program(file: &Path) -> bool {
    stat(file).is_ok_and(|FileStat { st_mode, .. }| {
        st_mode & SFlag::S_IFMT.bits() == SFlag::S_IFREG.bits() && st_mode & ANYBODY_EXECUTES != 0
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_name_means_the_first_file_that_looks_like_a_program() {
        let root = tempfile::tempdir().unwrap();
        for (file, mode) in
            [("a/tool", 0o644), ("b/tool/inside", 0o755), ("c/tool", 0o001), ("d/tool", 0o755)]
        {
            let file = root.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, "text").unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        }
        let path = std::env::join_paths(["a", "b", "c", "d"].map(|name| root.path().join(name))).unwrap();
        let found = find(OsStr::new("tool"), Some(&path)).unwrap();
        assert_eq!(found, root.path().join("c/tool"), "what cannot be executed is execve's to say");
        assert_eq!(
            find(OsStr::new("."), None).unwrap_err().to_string(),
            "Can't stat '.': No such file or directory"
        );
        assert_eq!(find(OsStr::new("./"), None).unwrap(), Path::new("./"));
        assert_eq!(
            find(OsStr::new("inside"), None).unwrap_err().to_string(),
            "Can't stat 'inside': No such file or directory"
        );
        let long = "x".repeat(PATH_MAX);
        assert_eq!(find(OsStr::new(&long), None).unwrap_err().to_string(), "exec: File name too long");
    }
}
