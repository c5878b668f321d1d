//! What a Python command line asks for: a script, a command, a module, or standard input.
//!
//! The options are those of `python --help` over 2.7 and 3.6 to 3.13; see also "Command line and
//! environment" in Python's manual.

/// What is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Run {
    /// A file, directory or zip archive.
    Script(Vec<u8>),
    /// `-c`.
    Command,
    /// `-m` with this module.
    Module(Vec<u8>),
    /// Standard input.
    Stdin,
    /// Nothing: `--version` or `--help`.
    Nothing,
}

/// A command line, understood as far as phases need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// What is run.
    pub run: Run,
    /// Whether `-S` leaves out the `site` module.
    pub no_site: bool,
    /// Whether `-s` or `-I` leaves out the user's own directory, and with it `usercustomize`.
    pub no_user_site: bool,
    /// Whether `-I` or `-P` keeps the current directory off the module path.
    pub no_cwd: bool,
    /// How it comes by its bytecode.
    pub bytecode: Bytecode,
}

/// How a Python comes by its bytecode.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bytecode {
    /// Whether `-E` or `-I` lets it ignore the variables that begin with `PYTHON`.
    pub no_environment: bool,
    /// How often it has `-O`: such a Python has bytecode of its own.
    pub optimize: u8,
}

/// Options that take an argument, in the same word or in the next one.
const WITH_ARGUMENT: &[u8] = b"WXQ";

/// Understands the arguments of a Python, its own name first.
pub fn invocation<'a>(arguments: impl Iterator<Item = &'a [u8]>) -> Invocation {
    let mut arguments = arguments.skip(1);
    let mut left_out = LeftOut::default();
    let run = loop {
        let Some(word) = arguments.next() else { break Run::Stdin };
        match word {
            b"-" => break Run::Stdin,
            b"--version" | b"--help" | b"--help-all" | b"--help-env" | b"--help-xoptions" => {
                break Run::Nothing;
            }
            b"--check-hash-based-pycs" => drop(arguments.next()),
            b"--" => break arguments.next().map_or(Run::Stdin, |script| Run::Script(script.to_vec())),
            _ if word.starts_with(b"--") => {}
            _ if word.starts_with(b"-") => {
                if let Some(run) = short_options(&word[1..], &mut arguments, &mut left_out) {
                    break run;
                }
            }
            script => break Run::Script(script.to_vec()),
        }
    };
    Invocation {
        run,
        no_site: left_out.site,
        no_user_site: left_out.user_site,
        no_cwd: left_out.cwd,
        bytecode: left_out.bytecode,
    }
}

/// What options leave out.
#[derive(Default)]
struct LeftOut {
    site: bool,
    user_site: bool,
    cwd: bool,
    bytecode: Bytecode,
}

/// One word of short options; gives what is run if the word says so.
fn short_options<'a>(
    word: &[u8],
    rest: &mut impl Iterator<Item = &'a [u8]>,
    left_out: &mut LeftOut,
) -> Option<Run> {
    for (at, option) in word.iter().enumerate() {
        let attached = &word[at + 1..];
        match option {
            b'c' => return Some(Run::Command),
            b'm' if attached.is_empty() => {
                return Some(Run::Module(rest.next().unwrap_or_default().to_vec()));
            }
            b'm' => return Some(Run::Module(attached.to_vec())),
            b'V' | b'h' | b'?' => return Some(Run::Nothing),
            b'S' => left_out.site = true,
            b's' => left_out.user_site = true,
            b'P' => left_out.cwd = true,
            b'E' => left_out.bytecode.no_environment = true,
            b'O' => left_out.bytecode.optimize = left_out.bytecode.optimize.saturating_add(1),
            b'I' => {
                (left_out.user_site, left_out.cwd) = (true, true);
                left_out.bytecode.no_environment = true;
            }
            option if WITH_ARGUMENT.contains(option) => {
                if attached.is_empty() {
                    rest.next();
                }
                return None;
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Invocation {
        invocation(line.split(' ').map(str::as_bytes))
    }

    #[test]
    fn command_lines() {
        let script = |name: &str| Run::Script(name.as_bytes().to_vec());
        let module = |name: &str| Run::Module(name.as_bytes().to_vec());
        for (line, run, no_site) in [
            ("python hello.py -S", script("hello.py"), false),
            ("python -S hello.py", script("hello.py"), true),
            ("python -ISu hello.py", script("hello.py"), true),
            ("python -W ignore -X importtime a/b.py x", script("a/b.py"), false),
            ("python -Wignore -Xdev b.py", script("b.py"), false),
            ("python -c pass", Run::Command, false),
            ("python -Sc pass", Run::Command, true),
            ("python -m http.server 80", module("http.server"), false),
            ("python -mvenv x", module("venv"), false),
            ("python", Run::Stdin, false),
            ("python -i", Run::Stdin, false),
            ("python - x", Run::Stdin, false),
            ("python -V", Run::Nothing, false),
            ("python --version", Run::Nothing, false),
            ("python --check-hash-based-pycs always z.py", script("z.py"), false),
            ("python -- -odd.py", script("-odd.py"), false),
            ("python -m", module(""), false),
        ] {
            let seen = of(line);
            assert_eq!((seen.run, seen.no_site), (run, no_site), "{line}");
        }
        let left_out = |line| (of(line).no_user_site, of(line).no_cwd);
        assert_eq!(left_out("python -Ic pass"), (true, true));
        assert_eq!(left_out("python -Bs x.py"), (true, false));
        assert_eq!(left_out("python -P x.py -s"), (false, true));
        let bytecode = |line| (of(line).bytecode.no_environment, of(line).bytecode.optimize);
        assert_eq!(bytecode("python -BE -OO x.py"), (true, 2));
        assert_eq!(bytecode("python -I x.py -O"), (true, 0));
        assert_eq!(bytecode("python -O -B x.py -E"), (false, 1));
        assert_eq!(invocation(std::iter::empty()).run, Run::Stdin, "no argv at all");
    }
}
