//! Options that have no effect with or without others, and those that exclude each other, in strace's words and order.

use anyhow::bail;

use super::parser::Parser;
use crate::cli::strace::{expression, tell, try_help};

const SUMMARY: &str = "(-c/--summary-only or -C/--summary)";

/// Says what has no effect; fails where options exclude each other.
pub(super) fn check(parser: &Parser) -> anyhow::Result<()> {
    if parser.daemon.is_any() && !parser.has_command {
        bail!("PROG [ARGS] must be specified with -D/--daemonize\n{}", try_help());
    }
    if parser.daemon.short > 3 {
        bail!("Too many -D's ({}), maximum supported -D count is 3\n{}", parser.daemon.short, try_help());
    }
    two_forms(parser)?;
    if parser.kill_on_exit && !parser.pids.is_empty() {
        bail!("--kill-on-exit and -p/--attach are mutually exclusive\n{}", try_help());
    }
    filtering(parser);
    if parser.old_follow {
        tell(if parser.follow.is_any() {
            "deprecated option -F ignored"
        } else {
            "option -F is deprecated, please use -f/--follow-forks instead"
        });
    }
    summary(parser)?;
    if parser.output.is_none() && parser.is_separate() && parser.follow.short == 0 {
        tell("--output-separately has no effect without -o/--output");
    }
    if parser.append && parser.output.is_none() {
        tell("-A/--output-append-mode has no effect without -o/--output");
    }
    if parser.outcomes > 1 {
        tell(
            "Only the last of -z/--successful-only/-Z/--failed-only options will take effect. See status qualifier for more \
             complex filters.",
        );
    }
    Ok(())
}

/// What is given by its letter and by its name.
fn two_forms(parser: &Parser) -> anyhow::Result<()> {
    let forms = [
        (parser.daemon, "-D and --daemonize"),
        (parser.times, "-t and --absolute-timestamps"),
        (parser.hex, "-x and --strings-in-hex"),
        (parser.files, "-y and --decode-fds"),
        (parser.follow, "-f and --follow-forks"),
    ];
    if let Some((_, names)) = forms.iter().find(|(times, _)| times.short > 0 && times.long) {
        bail!("{names} cannot be provided simultaneously");
    }
    if parser.follow.short > 1 && parser.separately {
        bail!("-ff and --output-separately cannot be provided simultaneously");
    }
    Ok(())
}

/// `--seccomp-bpf` without what it needs.
fn filtering(parser: &Parser) {
    if parser.filtered && !parser.pids.is_empty() && !parser.has_command {
        tell("--seccomp-bpf is not enabled for processes attached with -p");
    }
    if parser.filtered && parser.detach_on_exec {
        tell("--seccomp-bpf is not enabled because it is not compatible with -b");
    }
    if parser.filtered && !parser.detach_on_exec && !parser.follow.is_any() {
        tell("--seccomp-bpf cannot be used without -f/--follow-forks, disabling");
    }
}

fn summary(parser: &Parser) -> anyhow::Result<()> {
    let has_summary = parser.summary || parser.summary_only;
    if has_summary && parser.is_separate() {
        bail!("{SUMMARY} and -ff/--output-separately are mutually exclusive\n{}", try_help());
    }
    if parser.wall && !has_summary {
        bail!("-w/--summary-wall-clock must be given with {SUMMARY}\n{}", try_help());
    }
    if parser.has_columns && !has_summary {
        bail!("-U/--summary-columns must be given with {SUMMARY}\n{}", try_help());
    }
    if parser.has_sort && !has_summary {
        tell(&format!("-S/--summary-sort-by has no effect without {SUMMARY}"));
    }
    for option in without_lines(parser) {
        tell(&format!("{option} has no effect with -c/--summary-only"));
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
        (parser.times.is_any(), "-t/--absolute-timestamps"),
        (parser.duration.is_some(), "-T/--syscall-times"),
        (parser.files.is_any(), "-y/--decode-fds"),
    ];
    let given = about_lines.iter().filter(|(is_given, _)| *is_given && parser.summary_only);
    given.map(|(_, option)| *option).collect()
}

impl Parser {
    /// Whether each thread has a file. As under strace, a single -f takes `--output-separately` back.
    pub(super) fn is_separate(&self) -> bool {
        if self.follow.short > 0 { self.follow.short > 1 } else { self.separately }
    }

    /// Whether calls that are not shown are to run without stopping; says so where there are none.
    pub(super) fn is_filtered(&self) -> bool {
        let is_asked = self.filtered && self.follow.is_any();
        let has_others = self.trace.as_ref().is_some_and(expression::leaves_out_calls);
        if is_asked && !has_others {
            tell(
                "Seccomp filter is requested but there are no syscalls to filter.  See -e trace to filter syscalls.",
            );
        }
        is_asked && has_others && self.pids.is_empty() && !self.detach_on_exec
    }
}

#[cfg(test)]
mod tests {
    use super::super::parser::Times;
    use super::*;

    #[test]
    fn what_a_summary_does_without() {
        let files = Times { short: 2, long: false };
        let parser = Parser { summary_only: true, stacks: true, files, ..Parser::default() };
        assert_eq!(without_lines(&parser), ["-k/--stack-traces", "-y/--decode-fds"]);
        assert!(without_lines(&Parser { summary_only: false, ..parser }).is_empty());
        let twice = Times { short: 2, long: false };
        let both = Times { short: 1, long: true };
        for excluded in [
            Parser { summary: true, follow: twice, ..Parser::default() },
            Parser { wall: true, ..Parser::default() },
            Parser { has_columns: true, ..Parser::default() },
            Parser { follow: twice, separately: true, ..Parser::default() },
            Parser { times: both, ..Parser::default() },
        ] {
            assert!(check(&excluded).is_err());
        }
    }
}
