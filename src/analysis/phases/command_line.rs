//! What an interpreter's command line asks for, by a table of its options.

use super::Start;
use crate::analysis::text::{arguments, file_name};

/// What is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Run {
    /// This file.
    Script(Vec<u8>),
    /// Code that stands on the command line, after this option.
    Code(&'static str),
    /// A class by name, from one of these archives or from a directory.
    Class(Vec<u8>, Vec<Vec<u8>>),
    /// The interpreter's own server, by this option.
    Server(&'static str),
    /// What comes on standard input.
    Stdin,
    /// Nothing: `--version`.
    Nothing,
}

/// The options of an interpreter, as far as one must know them to find the script.
#[derive(Debug)]
pub(super) struct Options {
    /// Those that are followed by code. One letter: also at the end of a word of letters (`-lc`).
    pub(super) code: &'static [&'static str],
    /// Those that are followed by a value in a word of its own.
    pub(super) value: &'static [&'static str],
    /// Letters that have their value in the same word (`-MPOSIX`), so that it holds no other option.
    pub(super) attached: &'static [u8],
    /// Those after which nothing is run.
    pub(super) nothing: &'static [&'static str],
    /// Those whose value is the file to run (`-f`, `-jar`).
    pub(super) file: &'static [&'static str],
    /// Those that make it a server: a file named beside them is run for requests only. Their value may stand in the
    /// same word.
    pub(super) server: &'static [&'static str],
    /// Those whose value is a list of directories and archives; where there are any, what is run is a class.
    pub(super) class_path: &'static [&'static str],
}

impl Options {
    /// No options at all.
    pub(super) const NONE: Self =
        Self { code: &[], value: &[], attached: b"", nothing: &[], file: &[], server: &[], class_path: &[] };

    /// What the program is asked to run, by its arguments. (Those of a script that names its interpreter in
    /// its first line are its own.)
    pub(super) fn run(&self, start: &Start<'_>) -> Run {
        let mut words = arguments(start.argv).skip(1);
        let mut archives = Vec::new();
        loop {
            let Some(word) = words.next() else { return Run::Stdin };
            let is = |options: &[&str]| options.iter().any(|option| option.as_bytes() == word);
            if is(self.nothing) {
                return Run::Nothing;
            } else if let Some(option) = self.server.iter().find(|it| word.starts_with(it.as_bytes())) {
                return Run::Server(option);
            } else if is(self.file) {
                return words.next().map_or(Run::Stdin, |path| Run::Script(path.to_vec()));
            } else if is(self.class_path) {
                let list = words.next().unwrap_or_default().split(|&byte| byte == b':');
                archives = list.filter(|entry| entry.ends_with(b".jar")).map(<[u8]>::to_vec).collect();
            } else if is(self.value) {
                words.next();
            } else if let Some(option) = self.code_option(word) {
                return Run::Code(option);
            } else if word == b"--" {
                return words.next().map_or(Run::Stdin, |path| Run::Script(path.to_vec()));
            } else if word == b"-" {
                return Run::Stdin;
            } else if !matches!(word.first(), Some(b'-' | b'+') | None) {
                let class = !self.class_path.is_empty() && !word.ends_with(b".java");
                return if class { Run::Class(word.to_vec(), archives) } else { Run::Script(word.to_vec()) };
            }
        }
    }

    /// The option of a word that is followed by code.
    fn code_option(&self, word: &[u8]) -> Option<&'static str> {
        let whole = self.code.iter().find(|option| option.as_bytes() == word);
        if let Some(option) = whole {
            return Some(option);
        }
        let letters = word.strip_prefix(b"-").filter(|rest| !rest.is_empty() && !rest.starts_with(b"-"))?;
        if self.attached.contains(&letters[0]) || !letters.iter().all(u8::is_ascii_alphanumeric) {
            return None;
        }
        let of_letter = |option: &&&str| option.len() == 2 && letters.contains(&option.as_bytes()[1]);
        self.code.iter().find(of_letter).copied()
    }
}

impl Run {
    /// What its phase is called.
    pub(super) fn name(&self) -> &[u8] {
        match self {
            Self::Script(path) => path,
            Self::Code(option) | Self::Server(option) => option.as_bytes(),
            Self::Class(name, _) => name,
            Self::Stdin => b"standard input",
            Self::Nothing => b"options",
        }
    }
}

/// Whether two absolute paths are the same but for `.` and `..`.
pub(super) fn same_file(a: &[u8], b: &[u8]) -> bool {
    file_name(a) == file_name(b) && b.starts_with(b"/") && absolute(b"", a) == absolute(b"", b)
}

/// A path made absolute, without `.` and `..` (links are not looked at: some interpreters do, some do not).
pub(super) fn absolute(cwd: &[u8], path: &[u8]) -> Vec<u8> {
    let base = if path.starts_with(b"/") { &b""[..] } else { cwd };
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in base.split(|&b| b == b'/').chain(path.split(|&b| b == b'/')) {
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    [b"/", parts.join(&b'/').as_slice()].concat()
}

#[cfg(test)]
mod tests {
    use super::super::interpreters::{BASH, DASH, JAVA, NODE, PERL, PHP, RUBY};
    use super::super::rules::Rules;
    use super::*;

    fn run(rules: &Rules, line: &str) -> Run {
        let argv = format!("{}\0", line.replace(' ', "\0"));
        let start = Start { path: b"/usr/bin/x", argv: argv.as_bytes(), cwd: b"/home/u" };
        rules.options.run(&start)
    }

    fn script(path: &str) -> Run {
        Run::Script(path.as_bytes().to_vec())
    }

    #[test]
    fn command_lines() {
        for (rules, line, expected) in [
            (&PERL, "perl x.pl -e", script("x.pl")),
            (&PERL, "perl -w -I lib x.pl", script("x.pl")),
            (&PERL, "perl -Ilib -MPOSIX=e -e 1", Run::Code("-e")),
            (&PERL, "perl -lane print", Run::Code("-e")),
            (&PERL, "perl -v", Run::Nothing),
            (&PERL, "perl", Run::Stdin),
            (&BASH, "bash -lc ls", Run::Code("-c")),
            (&BASH, "-bash", Run::Stdin),
            (&DASH, "sh -ec ls", Run::Code("-c")),
            (&BASH, "bash -o errexit x.sh", script("x.sh")),
            (&BASH, "bash +x x.sh", script("x.sh")),
            (&BASH, "bash --rcfile f -i", Run::Stdin),
            (&NODE, "node --require x -p 1", Run::Code("-p")),
            (&NODE, "node --expose-gc a.js --eval", script("a.js")),
            (&NODE, "node --version", Run::Nothing),
            (&RUBY, "ruby -rset -e 1", Run::Code("-e")),
            (&RUBY, "ruby --disable-gems x.rb", script("x.rb")),
            (&PHP, "php -d a=b -f x.php", script("x.php")),
            (&PHP, "php8.2 -r 1;", Run::Code("-r")),
            (&PHP, "php -d a=b -S [::1]:80 router.php", Run::Server("-S")),
            (&PHP, "php -t docs -S127.0.0.1:80", Run::Server("-S")),
            (&PHP, "php x.php -S", script("x.php")),
            (&JAVA, "java -Xmx1g -cp a.jar:b:c.jar x.Main", {
                Run::Class(b"x.Main".to_vec(), vec![b"a.jar".to_vec(), b"c.jar".to_vec()])
            }),
            (&JAVA, "java -jar a.jar -cp", script("a.jar")),
            (&JAVA, "java Hello.java", script("Hello.java")),
        ] {
            assert_eq!(run(rules, line), expected, "{line}");
        }
    }

    #[test]
    fn paths_are_compared_without_dots() {
        assert!(same_file(b"/a/./b/../c", b"/a/c"));
        assert!(!same_file(b"c", b"c") && !same_file(b"/a/c", b"/b/c"));
        assert_eq!(absolute(b"/home/u", b"../x"), b"/home/x");
    }
}
