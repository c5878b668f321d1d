//! Whose a path is, as far as its own name tells.

use crate::analysis::compare::{is_below, packages};

/// Endings of what describes a package.
const DESCRIPTIONS: [&[u8]; 3] = [b".dist-info", b".egg-info", b".data"];

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
