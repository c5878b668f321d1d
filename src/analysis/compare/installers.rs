//! What command lines and paths tell of installers: which one ran, whether it had to find out what goes together, and what it
//! has installed.

use super::places::packages;
use crate::analysis::text::file_name;

/// Installers that are told by name; any other is one all the same.
pub const INSTALLERS: [&str; 8] = ["pip", "uv", "npm", "pnpm", "yarn", "conda", "gem", "cargo"];

/// Words of a command line among which an installer's name is looked for: `python3 -m pip`.
const LEADING: usize = 3;

/// The installer that one of the first words of a command line names.
pub fn installer<'a>(words: impl IntoIterator<Item = &'a [u8]>) -> Option<&'static str> {
    words.into_iter().take(LEADING).find_map(|word| {
        let name = file_name(word);
        let bare = name.strip_suffix(b".cjs").or(name.strip_suffix(b".js")).unwrap_or(name);
        let is_it = |known: &str| {
            let rest = bare.strip_prefix(known.as_bytes());
            rest.is_some_and(|rest| rest.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.'))
                || bare.strip_suffix(b"-cli") == Some(known.as_bytes())
        };
        INSTALLERS.into_iter().find(|known| is_it(known))
    })
}

/// Whether an installer with this command line has to find out which versions go together; `None`: it is none that is
/// known, or installs nothing.
pub fn resolves(words: &[&[u8]]) -> Option<bool> {
    let has = |word: &str| words.contains(&word.as_bytes());
    let asks = |verbs: &[&str], without: &[&str]| {
        verbs.iter().any(|verb| has(verb)).then(|| !without.iter().any(|option| has(option)))
    };
    match installer(words.iter().copied())? {
        "pip" => asks(&["install", "download", "wheel"], &["--no-deps"]),
        "uv" if has("pip") && has("sync") => Some(false),
        "uv" => asks(&["install", "sync", "add", "lock"], &["--no-deps", "--frozen"]),
        "npm" if has("ci") => Some(false),
        "npm" | "pnpm" | "yarn" => asks(&["install", "i", "add"], &["--frozen-lockfile", "--immutable"]),
        _ => None,
    }
}

/// The package and version whose description a path is of: `jinja2-3.1.6`.
pub fn described(path: &[u8]) -> Option<&[u8]> {
    let (_, inside) = packages(path)?;
    inside.split(|&byte| byte == b'/').next()?.strip_suffix(b".dist-info")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str) -> Option<bool> {
        resolves(&line.split(' ').map(str::as_bytes).collect::<Vec<_>>())
    }

    #[test]
    fn who_resolves_is_told_by_its_words() {
        for (line, resolves) in [
            ("/v/bin/python -m pip install six", Some(true)),
            ("pip3.11 install --no-deps six", Some(false)),
            ("pip list", None),
            ("uv pip install six", Some(true)),
            ("uv pip sync requirements.txt", Some(false)),
            ("uv sync --frozen", Some(false)),
            ("node /usr/bin/npm ci", Some(false)),
            ("node /usr/lib/npm-cli.js install", Some(true)),
            ("sh -c install", None),
        ] {
            assert_eq!(asked(line), resolves, "{line}");
        }
    }

    #[test]
    fn descriptions_of_packages_have_names() {
        assert_eq!(described(b"/v/site-packages/six-1.17.0.dist-info/RECORD"), Some(&b"six-1.17.0"[..]));
        assert_eq!(described(b"/v/site-packages/six.py"), None);
        assert_eq!(described(b"/v/six-1.17.0.dist-info/RECORD"), None);
    }
}
