//! Version managers, and the shell scripts they are made of: such a script leads to a program, and is never
//! the program that somebody wanted to start.

use super::Start;
use super::interpreters::{BASH, DASH};
use crate::analysis::text::file_name;

/// Version managers, by the directory that holds their shims (a dot may stand before it), and how each
/// tells the real program.
pub const MANAGERS: [(&str, &str); 8] = [
    ("pyenv", "pyenv which"),
    ("rbenv", "rbenv which"),
    ("nodenv", "nodenv which"),
    ("plenv", "plenv which"),
    ("jenv", "jenv which"),
    ("asdf", "asdf which"),
    ("volta", "volta which"),
    ("mise", "mise which"),
];

/// Whether a program is a shell that runs a version manager's own script: one of its hooks (`pyenv.d/exec/…`),
/// or what its commands are made of (`pyenv/libexec/…`).
#[must_use]
pub fn runs_managers_script(start: &Start<'_>) -> bool {
    let shell = [BASH, DASH].into_iter().find(|rules| rules.recognises(start));
    let script = shell.and_then(|rules| rules.script(start));
    script.is_some_and(|path| is_managers(&path))
}

/// A hook stands anywhere below `NAME.d`, a part of a command is in a `libexec` below the manager's directory or
/// bears its name.
fn is_managers(path: &[u8]) -> bool {
    let parts: Vec<&[u8]> = path.split(|&byte| byte == b'/').collect();
    let Some((_, directories)) = parts.split_last() else { return false };
    let in_libexec = directories.last() == Some(&&b"libexec"[..]);
    MANAGERS.iter().any(|(name, _)| {
        let name = name.as_bytes();
        let hooks = |part: &&[u8]| part.strip_suffix(b".d") == Some(name);
        let home = |part: &&[u8]| part.strip_prefix(b".").unwrap_or(part) == name;
        let command =
            || file_name(path).strip_prefix(name).is_some_and(|rest| matches!(rest, [] | [b'-', ..]));
        directories.iter().any(hooks) || (in_libexec && (directories.iter().any(home) || command()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_of_version_managers() {
        let runs = |words: &[u8]| {
            runs_managers_script(&Start { path: b"/usr/bin/bash", argv: words, cwd: b"/home/u" })
        };
        assert!(runs(b"bash\0/root/.pyenv/pyenv.d/exec/pip-rehash/pip\0--version\0"));
        assert!(runs(b"bash\0/opt/pyenv/libexec/pyenv\0exec\0pip\0"));
        assert!(runs(b"bash\0/usr/lib/x/libexec/rbenv-exec\0ruby\0"));
        assert!(!runs(b"bash\0/root/.pyenv/versions/3.11.7/bin/tool\0"));
        assert!(!runs(b"bash\0/usr/libexec/tool\0"));
        assert!(!runs(b"bash\0-c\0/root/.pyenv/libexec/pyenv\0"));
        let other = Start { path: b"/usr/bin/cat", argv: b"cat\0/opt/pyenv/libexec/pyenv\0", cwd: b"/" };
        assert!(!runs_managers_script(&other));
    }
}
