//! Which file a command's name means, and why it means none.
//!
//! As `execvp(3)` of glibc: a name with a slash is a path; any other is tried in each directory of
//! `PATH` (an empty element is the current directory, and without `PATH` it is `/bin:/usr/bin`),
//! passing over what is missing or must not be run, and remembering the latter for the error.
//! Differences: what can be told without executing is told here, with the reason; and like shells,
//! unlike `execvp`, the search ends at a script whose interpreter is missing.

use super::{LaunchError, explain, shown};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// What glibc searches where `PATH` is not set (`confstr(_CS_PATH)`).
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// Finds the file that `name` means.
pub fn resolve(name: &OsStr, path: Option<&OsStr>) -> Result<PathBuf, LaunchError> {
    if name.is_empty() {
        let why = "a command's name cannot be empty; check the variable or the quotes it comes from";
        return Err(LaunchError::NotFound { command: "''".to_owned(), why: why.to_owned() });
    }
    if name.as_bytes().contains(&b'/') {
        let file = PathBuf::from(name);
        return match explain::obstacle(&file) {
            Ok(()) => Ok(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(not_found(name, why_missing(&file))),
            Err(error) => Err(explain::cannot_run(&file, &error)),
        };
    }
    search(name, path.unwrap_or(OsStr::new(DEFAULT_PATH)))
}

fn search(name: &OsStr, path: &OsStr) -> Result<PathBuf, LaunchError> {
    let mut refused = None;
    for directory in path.as_bytes().split(|&byte| byte == b':') {
        let file = candidate(directory, name);
        match explain::obstacle(&file) {
            Ok(()) => return Ok(file),
            Err(error) => match error.raw_os_error().unwrap_or(0) {
                libc::ENOENT | libc::ENOTDIR | libc::ESTALE | libc::ENODEV | libc::ETIMEDOUT => {}
                libc::EACCES => {
                    refused.get_or_insert((file, error));
                }
                _ => return Err(explain::cannot_run(&file, &error)),
            },
        }
    }
    // A directory of PATH that must not be searched is only worth a word if nothing else is known,
    // and says nothing of the command.
    match refused {
        Some((file, error)) if file.symlink_metadata().is_ok() => Err(explain::cannot_run(&file, &error)),
        _ => Err(not_found(name, why_not_in_path(name))),
    }
}

/// Joins as glibc does, without tidying: the program can see its path (`AT_EXECFN`).
fn candidate(directory: &[u8], name: &OsStr) -> PathBuf {
    let mut file = directory.to_vec();
    if !file.is_empty() {
        file.push(b'/');
    }
    file.extend_from_slice(name.as_bytes());
    PathBuf::from(OsString::from_vec(file))
}

fn not_found(name: &OsStr, why: String) -> LaunchError {
    LaunchError::NotFound { command: shown(Path::new(name)), why }
}

/// Words for a path where there is nothing.
fn why_missing(file: &Path) -> String {
    if let Ok(target) = fs::read_link(file) {
        return format!("it is a symbolic link to {}, which does not exist", shown(&target));
    }
    let is_missing = |path: &Path| path.symlink_metadata().is_err();
    let missing = file.ancestors().skip(1).filter(|path| !path.as_os_str().is_empty());
    match missing.take_while(|path| is_missing(path)).last() {
        Some(directory) => format!("there is no directory {}; check the path", shown(directory)),
        None => "there is no such file; check the path".to_owned(),
    }
}

/// Words for a name that no directory of `PATH` has.
fn why_not_in_path(name: &OsStr) -> String {
    let here = Path::new(".").join(name);
    if here.is_file() {
        return format!("it is not in PATH but in this directory; try {}", shown(&here));
    }
    if name.as_bytes().contains(&b' ') {
        let text = shown(Path::new(name));
        return format!("no command in PATH has this name; try it without the quotes, or sh -c '{text}'");
    }
    "no such command in PATH; check the spelling, or give its path (aliases and functions of a shell \
     are not commands)"
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    /// A directory with files of these names and modes.
    fn tree(files: &[(&str, u32)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (name, mode) in files {
            let file = root.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, "#!/bin/sh\n").unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(*mode)).unwrap();
        }
        root
    }

    fn path_of(root: &tempfile::TempDir, directories: &[&str]) -> OsString {
        let all: Vec<_> = directories.iter().map(|name| root.path().join(name)).collect();
        std::env::join_paths(all).unwrap()
    }

    fn failure(name: &str, path: &OsStr) -> (u8, String) {
        let error = resolve(OsStr::new(name), Some(path)).unwrap_err();
        (error.exit_code(), error.to_string())
    }

    #[test]
    fn first_runnable_file_in_path_wins() {
        let root = tree(&[("a/tool", 0o644), ("b/tool/inside", 0o755), ("c/tool", 0o755), ("d/tool", 0o755)]);
        let path = path_of(&root, &["missing", "a", "b", "c", "d"]);
        let found = resolve(OsStr::new("tool"), Some(&path)).unwrap();
        assert_eq!(found, root.path().join("c/tool"));
    }

    #[test]
    fn what_was_passed_over_is_the_error() {
        let root = tree(&[("a/tool.py", 0o644), ("b/tool.py/inside", 0o755)]);
        let (code, text) = failure("tool.py", &path_of(&root, &["a", "b"]));
        assert_eq!(code, 126);
        assert!(text.contains("a/tool.py: is not executable"), "{text}");
        let (code, text) = failure("tool.py", &path_of(&root, &["b", "a"]));
        assert_eq!(code, 126);
        assert!(text.contains("b/tool.py: is a directory"), "{text}");
    }

    #[test]
    fn missing_commands_are_127_with_something_to_try() {
        let root = tree(&[("a/tool", 0o755)]);
        let path = path_of(&root, &["a"]);
        let (code, text) = failure("no-such-tool", &path);
        assert_eq!(code, 127);
        assert!(text.contains("no such command in PATH"), "{text}");
        let (code, text) = failure("tool --help", &path);
        assert_eq!(code, 127);
        assert!(text.contains("sh -c 'tool --help'"), "{text}");
        assert_eq!(failure("", &path).0, 127);
        assert_eq!(failure("./no/such/tool", &path).0, 127);
    }

    #[test]
    fn missing_paths_name_what_is_missing() {
        let root = tree(&[("a/tool", 0o755)]);
        let text = |name: &str| failure(root.path().join(name).to_str().unwrap(), OsStr::new("")).1;
        assert!(text("a/tol").ends_with("no such file; check the path"), "{}", text("a/tol"));
        let missing = text("x/y/tool");
        assert!(missing.ends_with("/x; check the path"), "{missing}");
        symlink("/no/such/target", root.path().join("a/link")).unwrap();
        assert!(text("a/link").contains("symbolic link to /no/such/target"), "{}", text("a/link"));
    }

    #[test]
    fn file_used_as_a_directory_is_126() {
        let root = tree(&[("a/tool", 0o755)]);
        let name = root.path().join("a/tool/more");
        assert_eq!(failure(name.to_str().unwrap(), OsStr::new("")).0, 126);
    }

    #[test]
    fn empty_elements_are_the_current_directory() {
        assert_eq!(candidate(b"", OsStr::new("tool")), Path::new("tool"));
        assert_eq!(candidate(b"/usr/bin/", OsStr::new("tool")).as_os_str(), "/usr/bin//tool");
    }

    #[test]
    fn names_cannot_write_controls() {
        let (_, text) = failure("a\x1b[31m\nb", OsStr::new("/no/such"));
        assert!(!text.contains(char::is_control), "{text:?}");
    }
}
