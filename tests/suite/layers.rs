//! The arrows of `docs/architecture.md`: which folder may use which.

use std::fs;
use std::path::{Path, PathBuf};

/// A folder of `src/` and the modules of the crate that it must not name.
const FORBIDDEN: [(&str, &[&str]); 7] = [
    ("event", &["analysis", "capture", "cli", "doctor", "log", "report", "syscall"]),
    ("syscall", &["analysis", "capture", "cli", "doctor", "log", "report"]),
    ("log", &["analysis", "capture", "cli", "doctor", "report"]),
    ("capture", &["analysis", "cli", "doctor", "report"]),
    ("analysis", &["capture", "cli", "doctor", "report"]),
    ("doctor", &["analysis", "cli", "event", "log", "report", "syscall"]),
    ("report", &["capture", "cli"]),
];

/// Modules of `log` that are data, not storage: the only ones that capture, analysis and report may use.
const LOG_DATA: [&str; 10] = [
    "Calibration",
    "Clock",
    "Emptied",
    "Environment",
    "FORMAT_VERSION",
    "Header",
    "Host",
    "Replayed",
    "Run",
    "SAMPLE_HZ",
];

#[test]
fn folders_use_only_what_the_architecture_allows() {
    let mut wrong = Vec::new();
    for (folder, forbidden) in FORBIDDEN {
        for file in sources(&Path::new("src").join(folder)) {
            let text = without_tests(&fs::read_to_string(&file).expect("a source file"));
            for module in forbidden {
                if uses(&text, module) {
                    wrong.push(format!("{} uses {module}", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn only_sys_modules_are_unsafe() {
    let unsafe_files: Vec<PathBuf> = sources(Path::new("src"))
        .into_iter()
        .filter(|file| !file.components().any(|part| part.as_os_str() == "sys"))
        .filter(|file| without_tests(&fs::read_to_string(file).expect("a source file")).contains("unsafe {"))
        .collect();
    assert!(unsafe_files.is_empty(), "{unsafe_files:?}");
}

#[test]
fn nobody_but_the_log_and_the_command_line_reads_or_writes_logs() {
    for folder in ["capture", "analysis", "doctor", "report"] {
        for file in sources(&Path::new("src").join(folder)) {
            let text = without_tests(&fs::read_to_string(&file).expect("a source file"));
            for line in text.lines().filter(|line| line.contains("crate::log")) {
                let known =
                    |name: &str| LOG_DATA.contains(&name) || matches!(name, "Cold" | "Emptied" | "Untraced");
                let names = line.split(|c: char| !c.is_alphanumeric() && c != '_');
                let types = names.filter(|name| name.starts_with(char::is_uppercase));
                for name in types {
                    assert!(known(name) || !line.starts_with("use"), "{}: {line}", file.display());
                }
            }
        }
    }
}

/// All Rust files below a folder but those that hold tests.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of the sources") {
        let path = entry.expect("an entry").path();
        let is_test = path.components().any(|part| {
            let name = part.as_os_str().to_string_lossy();
            name == "tests" || name.ends_with("tests.rs") || name == "testing.rs" || name == "hostile.rs"
        });
        if path.is_dir() && !is_test {
            files.extend(sources(&path));
        } else if !is_test && path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The text up to its unit tests.
fn without_tests(text: &str) -> String {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned()
}

/// Whether the code (comments aside) names `crate::module`.
fn uses(text: &str, module: &str) -> bool {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let path = format!("crate::{module}");
    code.into_iter().any(|line| {
        line.match_indices(&path)
            .any(|(at, _)| !line[at + path.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_'))
    })
}
