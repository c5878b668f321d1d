//! Command lines, and every option that strace has.

use anyhow::bail;

use super::*;
use crate::cli::strace::table::{REFUSED, TAKEN, long_options};

fn options(words: &[&str]) -> anyhow::Result<Options> {
    match parse(words.iter().map(OsString::from).collect())? {
        Asked::Trace(options) => Ok(*options),
        _ => bail!("not to trace"),
    }
}

#[test]
fn letters_and_long_names() {
    let parsed = options(&["-fttTyvs100", "-o", "x", "--trace=open,close", "-p1,2"]).unwrap();
    assert_eq!((parsed.follow, parsed.separately, parsed.style.strings), (true, false, 100));
    assert_eq!((parsed.clock, parsed.duration), (Clock::Day { decimals: 6 }, Some(6)));
    assert_eq!(parsed.pids, [1, 2]);
    let parsed = options(&["-ff", "-o", "x", "-xx", "--", "-odd", "-f"]).unwrap();
    assert!(parsed.separately && parsed.style.hex == Hex::All);
    assert_eq!(parsed.command, ["-odd", "-f"]);
    assert!(!options(&["-wc", "true"]).unwrap().lines);
}

#[test]
fn what_is_not_taken_is_refused_by_name() {
    for (words, name) in [
        (&["-d", "true"][..], "-d (--debug)"),
        (&["--columns=x", "true"], "--columns argument: 'x'"),
        (&["--col=x", "true"], "--columns argument: 'x'"),
        (&["--s", "true"], "'--summary-only' '--summary' '--stack-traces'"),
        (&["--out=x", "true"], "possibilities: '--output-append-mode' '--output-separately' '--output'"),
        (&["--help=x"], "option '--help' doesn't allow an argument"),
        (&["-f", "--follow-forks", "true"], "-f and --follow-forks"),
        (&["-X", "cooked", "true"], "cooked"),
        (&["-e", "kvm=vcpu", "true"], "kvm=vcpu"),
        (&["-e", "bogus=1", "true"], "invalid system call 'bogus=1'"),
        (&["-e", "read=x", "true"], "'x'"),
        (&["--nonsense", "true"], "'--nonsense'"),
        (&["-J", "true"], "'J'"),
        (&["-o"], "'o'"),
        (&[], "must have PROG"),
    ] {
        let error = options(words).err().unwrap_or_else(|| panic!("{words:?}")).to_string();
        assert!(error.contains(name), "{words:?}: {error}");
    }
}

/// What `strace -h` of 6.1 lists, and what later versions add: the options that are taken.
const ALL_TAKEN: &str = "-A -I2 --interruptible=never -C -c -f -ff -i -k -n -q -qq -r -T -t -tt -ttt -v -w -x -xx -y -yy -Y -z -Z -a60 -s100 \
    -Pfile -Sname -oout -EA=1 -EA -uroot -Xraw -Xabbrev -Xverbose -etrace=open -e!close -esignal=INT \
    -estatus=failed -equiet=attach -eread=3 -ewrite=all -efd=3 -eraw=all -eabbrev=none -everbose=!open \
    -edecode-fds=all -edecode-fds=socket,dev -edecode-pids=comm -efault=open --follow-forks --seccomp-bpf \
    -einject=open:error=ENOENT:when=2..3+4 -einject=open:delay_enter=1:delay_exit=2ms --output-separately \
    -einject=open:signal=TERM -einject=open:retval=3 --env=A --user=root --columns=3 --trace=open --signal=INT \
    --status=failed --quiet=all --silent --raw=open --read=3 --write=3 --abbrev=open --verbose=open \
    --inject=open:error=EPERM --fault=open --decode-fds --decode-fds=all --decode-pids=comm --decode-pids=pidns --pidns-translation --instruction-pointer \
    --stack-traces --syscall-number --output=out --output-append-mode --relative-timestamps \
    --relative-timestamps=ns --string-limit=3 --absolute-timestamps --timestamps=unix,ns \
    --absolute-timestamps=format:time,precision:ms --syscall-times --syscall-times=ms --no-abbrev \
    --strings-in-hex --strings-in-hex=all --strings-in-hex=non-ascii --strings-in-hex=non-ascii-chars -eread=19998 --const-print-style=raw --summary \
    --summary-only --summary-sort-by=calls --summary-columns=calls,name -Ucalls --summary-syscall-overhead=1us -O1.5 -Smin-time --trace-path=x --successful-only --failed-only \
    -bexecve --detach-on=execve -D -DD -DDD --daemonize --daemonize=pgroup --kill-on-exit --argv0=x \
    -einject=open:syscall=getpid:retval=-1 -einject=open:poke_enter=@arg1=00:poke_exit=@arg1=00,@arg2=ff \
    --trace-fds=3 --signals=INT --trace=read --rel=ns --no-a --q --strings";

/// Those that are refused, with what the refusal names.
const ALL_REFUSED: [(&str, &str); 5] = [
    ("-d", "debug"),
    ("--tips", "tips"),
    ("--secontext", "secontext"),
    ("--kvm=vcpu", "kvm"),
    ("-ekvm=vcpu", "kvm"),
];

#[test]
fn every_option_of_strace_is_taken_or_refused_by_name() {
    for taken in ALL_TAKEN.split_ascii_whitespace() {
        // The clock and the columns of a summary are of one.
        let alone = [taken, "true"];
        let is_of_a_summary = ["-w", "--summary-wall-clock", "-U", "--summary-columns"]
            .iter()
            .any(|option| taken.starts_with(option));
        let words = if is_of_a_summary { &["-c", taken, "true"][..] } else { &alone };
        assert!(options(words).is_ok(), "{taken}: {:?}", options(words).err());
    }
    for more in
        ["--timestamps", "--quiet", "--decode-pids=comm", "--stack-trace", "--failing-only", "-esignal=chld"]
    {
        assert!(options(&[more, "true"]).is_ok(), "{more}: {:?}", options(&[more, "true"]).err());
    }
    assert!(options(&["--strings-in-hex", "true"]).is_ok_and(|options| options.style.hex == Hex::All));
    for (refused, name) in ALL_REFUSED {
        let error = options(&[refused, "true"]).err().unwrap_or_else(|| panic!("{refused}")).to_string();
        assert!(error.contains(name), "{refused}: {error}");
    }
}

#[test]
fn nothing_is_taken_and_refused() {
    for (letter, long, ..) in TAKEN {
        let names: Vec<&str> = long_options().map(|(_, _, option, _)| option).collect();
        assert!(names.contains(long) || matches!(*long, "expression"), "{long}");
        let twice = REFUSED.iter().any(|(l, r, _)| r == long || (l == letter && *l != '\0'));
        assert!(!twice, "{long}");
    }
}
