//! Options that have no effect with or without others, and those that exclude each other, in strace's words.

use anyhow::bail;

use super::Parser;
use crate::cli::strace::try_help;

const SUMMARY: &str = "(-c/--summary-only or -C/--summary)";

/// Says what has no effect; fails where options exclude each other.
pub(super) fn check(parser: &Parser) -> anyhow::Result<()> {
    let summary = parser.summary || parser.summary_only;
    if parser.summary && parser.summary_only {
        bail!("-c/--summary-only and -C/--summary are mutually exclusive\n{}", try_help());
    }
    if summary && (parser.separately || parser.follow > 1) {
        bail!("{SUMMARY} and -ff/--output-separately are mutually exclusive\n{}", try_help());
    }
    if parser.wall && !summary {
        bail!("-w/--summary-wall-clock must be given with {SUMMARY}\n{}", try_help());
    }
    if parser.separately && parser.output.is_none() {
        super::super::tell("--output-separately has no effect without -o/--output");
    }
    if parser.outcomes > 1 {
        super::super::tell(
            "Only the last of -z/--successful-only/-Z/--failed-only options will take effect. See status qualifier for more \
             complex filters.",
        );
    }
    if parser.sort.is_some() && !summary {
        super::super::tell(&format!("-S/--summary-sort-by has no effect without {SUMMARY}"));
    }
    if parser.append && parser.output.is_none() {
        super::super::tell("-A/--output-append-mode has no effect without -o/--output");
    }
    for option in without_lines(parser) {
        super::super::tell(&format!("{option} has no effect with -c/--summary-only"));
    }
    Ok(())
}

/// What is given of that which is about lines, where there are none.
fn without_lines(parser: &Parser) -> Vec<&'static str> {
    let about_lines = [
        (parser.pointer, "-i/--instruction-pointer"),
        (parser.stacks, "-k/--stack-traces"),
        (parser.number, "-n/--syscall-number"),
        (parser.relative.is_some(), "-r/--relative-timestamps"),
        (parser.times > 0 || parser.clock.is_some(), "-t/--absolute-timestamps"),
        (parser.duration.is_some(), "-T/--syscall-times"),
        (parser.files > 0 || parser.decode.is_some(), "-y/--decode-fds"),
    ];
    let given = about_lines.iter().filter(|(is_given, _)| *is_given && parser.summary_only);
    given.map(|(_, option)| *option).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_summary_does_without() {
        let parser = Parser { summary_only: true, stacks: true, files: 2, ..Parser::default() };
        assert_eq!(without_lines(&parser), ["-k/--stack-traces", "-y/--decode-fds"]);
        assert!(without_lines(&Parser { summary_only: false, ..parser }).is_empty());
        for excluded in [
            Parser { summary: true, summary_only: true, ..Parser::default() },
            Parser { summary: true, follow: 2, ..Parser::default() },
            Parser { wall: true, ..Parser::default() },
        ] {
            assert!(check(&excluded).is_err());
        }
    }
}
