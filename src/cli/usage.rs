//! What is wrong with a command line, in one line.

/// clap's message of several paragraphs (`error: ...`, values, `tip: ...`, `Usage: ...`) as one line: what is wrong,
/// what there is instead, and where to read on.
pub fn one_line(message: &str, subcommand: Option<&str>) -> String {
    let paragraphs = message.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut lines = paragraphs.take_while(|line| !line.starts_with("Usage: "));
    let first = lines.next().unwrap_or_default();
    let mut line = first.strip_prefix("error: ").unwrap_or(first).to_owned();
    for more in lines.filter(|line| !line.starts_with("For more information")) {
        if let Some(tip) = more.strip_prefix("tip: ") {
            // Not the advice to hand an unknown option on as a file.
            if !tip.starts_with("to pass ") {
                line = format!("{line} ({tip})");
            }
        } else {
            let comma = if line.ends_with(':') || more.starts_with('[') { "" } else { "," };
            line = format!("{line}{comma} {more}");
        }
    }
    let of = subcommand.map(|name| format!(" {name}")).unwrap_or_default();
    format!("{line}; see trace{of} --help")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

    fn error(words: &[&str]) -> String {
        let all = ["trace"].iter().chain(words);
        let subcommand = words.first().copied().filter(|word| *word != "stat");
        one_line(&Cli::try_parse_from(all).expect_err("a wrong command line").to_string(), subcommand)
    }

    #[test]
    fn mistakes_are_one_line() {
        assert_eq!(
            error(&["stats", "--nosuch", "x"]),
            "unexpected argument '--nosuch' found; see trace stats --help"
        );
        assert_eq!(
            error(&["stats"]),
            "the following required arguments were not provided: <LOG>; see trace stats --help"
        );
        assert_eq!(
            error(&["stats", "--top", "-1", "x"]),
            "invalid value '-1' for '--top <N>': not a number of rows (0 or more); see trace stats --help"
        );
        assert_eq!(
            error(&["stats", "--by", "foo", "x"]),
            "invalid value 'foo' for '--by <WHAT>' [possible values: syscall, class, family, path, dir, process, \
             phase]; see trace stats --help"
        );
        assert_eq!(
            error(&["stat", "x"]),
            "unrecognized subcommand 'stat' (some similar subcommands exist: 'install', 'startup', 'stats'); see trace --help"
        );
        assert_eq!(
            error(&["show", "-z", "-Z", "x"]),
            "the argument '-z' cannot be used with '-Z'; see trace show --help"
        );
    }
}
