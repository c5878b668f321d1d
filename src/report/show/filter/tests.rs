//! What filters choose, and what they say of mistakes. (That they choose what strace does is tested with
//! the lines, see `show/tests/peer.rs`.)

use super::*;
use crate::event::{Abi, Event, Kind};
use crate::syscall;
use proptest::prelude::*;

fn call(name: &str, ret: Option<i64>) -> Event<'_> {
    let nr = syscall::by_name(Abi::X86_64, name).unwrap_or_else(|| panic!("no {name}")).nr;
    Event { nr, ret, ..Event::new(Kind::Syscall) }
}

fn filter(expression: &str) -> Filter {
    Filter::parse(expression).unwrap_or_else(|error| panic!("{error}"))
}

fn error(expression: &str) -> String {
    Filter::parse(expression).expect_err("not a filter").to_string()
}

#[test]
fn calls() {
    let chosen = |expression: &str, name: &str| filter(expression).matches(&call(name, Some(0)));
    for (expression, yes, no) in [
        ("openat", "openat", "open"),
        ("trace=openat", "openat", "open"),
        ("t=!openat", "open", "openat"),
        ("%family:stat", "access", "open"),
        ("%family:open,%family:close", "close_range", "read"),
        ("%family:read@64", "pread64", "write"),
        ("?nosuch,read", "read", "write"),
        ("none,close", "close", "dup"),
    ] {
        assert!(chosen(expression, yes), "{expression} chooses {yes}");
        assert!(!chosen(expression, no), "{expression} does not choose {no}");
    }
}

#[test]
fn conventions_and_numbers() {
    let by_number = |abi, nr| Event { abi, nr, ..Event::new(Kind::Syscall) };
    let openat = filter("openat");
    assert!(openat.matches(&by_number(Abi::X86_64, 257)) && openat.matches(&by_number(Abi::I386, 295)));
    assert!(openat.matches(&by_number(Abi::X32, syscall::X32_BIT + 257)));
    assert!(!openat.matches(&by_number(Abi::I386, 257)));
    assert!(filter("execve@x32").matches(&by_number(Abi::X32, syscall::X32_BIT + 520)));
    // Numbers that no table has: none of a list, all of what is not on a list.
    for nr in [337, 575, 576, u32::MAX] {
        assert!(!filter("%file,openat").matches(&by_number(Abi::X86_64, nr)));
        assert!(filter("!%file").matches(&by_number(Abi::X86_64, nr)));
        assert!(filter("all").matches(&by_number(Abi::I386, nr)));
    }
    assert!(filter("337").matches(&by_number(Abi::X86_64, 337)));
    assert!(filter("500").matches(&by_number(Abi::X86_64, 500)), "of a later kernel");
    assert!(Filter::parse("415").is_err(), "of no kernel");
}

#[test]
fn outcomes() {
    let chosen = |outcome, ret| Filter::default().with_outcome(outcome).matches(&call("read", ret));
    for (ret, successful, failed) in
        [(Some(0), true, false), (Some(-2), false, true), (Some(-512), false, true), (None, false, false)]
    {
        assert!(chosen(Outcome::Any, ret));
        assert_eq!(chosen(Outcome::Successful, ret), successful, "{ret:?}");
        assert_eq!(chosen(Outcome::Failed, ret), failed, "{ret:?}");
    }
}

#[test]
fn paths() {
    let wanted = Filter::default().with_path(Path::new("/etc/")).with_path(Path::new("b"));
    let path = |bytes: &'static [u8]| Some(bytes);
    for event in [
        Event { path: path(b"/etc"), ..call("stat", None) },
        Event { path: path(b"etc"), path_abs: path(b"/etc"), ..call("stat", None) },
        Event { path2: path(b"b"), ..call("rename", None) },
        Event { path2: path(b"../etc"), path2_abs: path(b"/etc"), ..call("rename", None) },
        Event { path: path(b"//./etc/."), ..call("stat", None) },
        Event { file: path(b"/etc"), ..call("fchdir", None) },
        Event { file2: path(b"/etc (deleted)"), ..call("renameat", None) },
    ] {
        assert!(wanted.matches(&event), "{event:?}");
    }
    assert!(!wanted.matches(&Event { path: path(b"/etc/passwd"), ..call("stat", None) }));
    assert!(!wanted.matches(&call("getpid", Some(1))));
    assert!(
        Filter::default()
            .with_path(Path::new("/"))
            .matches(&Event { path: path(b"/"), ..call("stat", None) })
    );
    let both = filter("open").with_path(Path::new("/etc"));
    assert!(!both.matches(&Event { path: path(b"/etc"), ..call("stat", None) }), "each condition counts");
}

#[test]
fn other_kinds() {
    let choosy = [
        filter("none"),
        Filter::default().with_path(Path::new("/")),
        Filter::default().with_outcome(Outcome::Failed),
    ];
    for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::Syscall) {
        assert!(Filter::default().matches(&Event::new(kind)), "{kind:?}");
        let always = matches!(kind, Kind::Signal | Kind::Exit | Kind::Lost);
        for filter in &choosy {
            assert_eq!(filter.matches(&Event::new(kind)), always, "{kind:?}");
        }
    }
}

#[test]
fn mistakes() {
    assert_eq!(
        error("trace=%file,opnat"),
        "filter \"trace=%file,opnat\", column 13: there is no system call \"opnat\"; did you mean openat or openat2?"
    );
    assert_eq!(
        error("!%files"),
        "filter \"!%files\", column 2: there is no class \"%files\"; did you mean %file?"
    );
    assert_eq!(
        error("%family:opne"),
        "filter \"%family:opne\", column 1: there is no family \"%family:opne\"; did you mean %family:open?"
    );
    assert_eq!(
        error("read,xyzzyxyzzy"),
        "filter \"read,xyzzyxyzzy\", column 6: there is no system call \"xyzzyxyzzy\"; known words are names of \
         system calls, %classes, %family:NAME, /regular expressions"
    );
    assert!(CallSet::parse("read,,write").is_ok() && CallSet::parse(",read,").is_ok());
    assert_eq!(error(","), "filter \",\", column 1: a name is missing");
    assert_eq!(error(""), "filter \"\", column 1: a name is missing");
    assert_eq!(error("@64"), "filter \"@64\", column 1: a name is missing");
    assert_eq!(error("read,/(b"), "filter \"read,/(b\", column 6: a ( without its )");
    assert_eq!(error("read,9999"), "filter \"read,9999\", column 6: no system call has the number 9999");
    assert_eq!(
        error("read@16"),
        "filter \"read@16\", column 1: \"@16\" is no convention; @64, @32 and @x32 are"
    );
    assert_eq!(
        error("signal=none"),
        "filter \"signal=none\", column 1: \"signal=\" is not known here; only trace= is"
    );
    assert_eq!(error("?/(").split(": ").last(), Some("a ( without its )"), "? forgives names only");
    assert_eq!(
        error("é,opxn\x1b"),
        "filter \"é,opxn\\u{1b}\", column 1: there is no system call \"é\"; known words \
         are names of system calls, %classes, %family:NAME, /regular expressions"
    );
}

proptest! {
    #[test]
    fn no_expression_panics(expression in "[ -~é\\x1b]{0,24}|[!?%/@,a-e0-9=(|)*]{0,16}") {
        if let Err(error) = Filter::parse(&expression) {
            let message = error.to_string();
            prop_assert!(!message.contains(|letter: char| letter.is_control()), "{}", message);
        }
    }
}
