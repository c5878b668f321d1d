//! Names that were there, and names that were not: what a log shows of them, and the order of those who ask for them.

use super::orders::{all_orders_match, executed, in_own_tree, with_differences};
use super::*;
use crate::plan::Seen;
use crate::rule::{Rule, Rules};
use crate::scratch::model::entry_bytes;

/// A call that fails with ENOENT, of a path.
type Ask = fn(&mut Log, &str);

const ASKS: [(&str, Ask); 7] = [
    ("stat", |log, path| log.stat(path, ENOENT, StatFacts::default())),
    ("lstat", |log, path| {
        let path = log.path(path);
        let flags = libc::AT_SYMLINK_NOFOLLOW as u32;
        log.call(Op::Stat { at: At::Cwd, path, flags, call: StatCall::Stat }, ENOENT);
    }),
    ("statx", |log, path| {
        let path = log.path(path);
        log.call(Op::Stat { at: At::Cwd, path, flags: 0, call: StatCall::Statx(0x7ff) }, ENOENT);
    }),
    ("access", |log, path| {
        let path = log.path(path);
        log.call(Op::Access { at: At::Cwd, path, mode: 0, flags: 0 }, ENOENT);
    }),
    ("open", |log, path| log.open(path, libc::O_RDONLY as u32, ENOENT)),
    ("readlink", |log, path| {
        let path = log.path(path);
        log.call(Op::ReadLink { at: At::Cwd, path, size: 100 }, ENOENT);
    }),
    ("unlink", |log, path| log.unlink(path, 0, ENOENT)),
];

/// What makes `/z/a`, which no call but this shows `/z` by.
type Make = fn(&mut Log);

const MAKERS: [(&str, Make); 5] = [
    ("mkdir", |log| log.mkdir("/z/a", 0)),
    ("open", |log| log.open("/z/a", CREATE, 3)),
    ("link", |log| log.link("/z/b", "/z/a", 0)),
    ("rename", |log| log.rename("/z/b", "/z/a", 0)),
    ("symlink", |log| log.symlink("/", "/z/a", 0)),
];

#[test]
fn whoever_asks_in_vain_does_so_before_the_name_is_made() {
    let logs = ASKS.iter().flat_map(|ask| MAKERS.iter().map(move |maker| (ask, maker)));
    for ((asks, ask), (makes, make)) in logs {
        let log = || {
            let mut log = Log::new();
            ask(&mut log, "/z/a");
            make(&mut log);
            log
        };
        assert!(all_orders_match(log(), Rules::ALL), "{asks} before {makes}");
        assert!(!all_orders_match(log(), Rules::without(Rule::Entry)), "{asks} before {makes}");
    }
}

#[test]
fn whoever_asks_below_it_does_so_before_a_directory_is_made() {
    for (asks, ask) in ASKS {
        let log = || {
            let mut log = Log::new();
            ask(&mut log, "/z/a/b");
            log.mkdir("/z/a", 0);
            log.open("/z/a/b", CREATE, 3);
            log
        };
        assert!(all_orders_match(log(), Rules::ALL), "{asks}");
        assert!(!all_orders_match(log(), Rules::without(Rule::Entry)), "{asks}");
    }
}

/// Opens a directory of which nothing is known, in which `f` is alone, and lists it to the end.
fn list(log: &mut Log, path: &str) {
    log.open(path, libc::O_DIRECTORY as u32, 3);
    let bytes = ["a", "..", "f"].map(|name| entry_bytes(name.len())).iter().sum::<u64>();
    log.call(Op::ListDir { fd: 3, count: 4096 }, bytes as i64);
    log.call(Op::ListDir { fd: 3, count: 4096 }, 0);
}

#[test]
fn a_directory_is_listed_before_it_goes() {
    let removals: [(&str, Make); 2] =
        [("rmdir", |log| log.unlink("d", libc::AT_REMOVEDIR, 0)), ("rename", |log| log.rename("e", "d", 0))];
    for (removes, remove) in removals {
        let log = || {
            let mut log = Log::new();
            log.mkdir("e", 0);
            // First seen when it goes, and listed before.
            list(&mut log, "d");
            log.unlink("d/f", 0, 0);
            log.call(Op::ListDir { fd: 3, count: 4096 }, 0);
            remove(&mut log);
            log.close(3);
            log
        };
        let base = tempfile::tempdir().unwrap();
        let (_, differences) = with_differences(log().plan(), base.path());
        assert!(differences.is_empty(), "{removes}: {differences:?}");
        assert!(all_orders_match(log(), Rules::ALL), "{removes}");
        assert!(!all_orders_match(log(), Rules::without(Rule::Listing)), "{removes}");
    }
}

#[test]
fn a_directory_that_is_removed_or_moved_keeps_its_place_among_lookups_that_start_in_it() {
    let log = || {
        let mut log = Log::new();
        log.mkdir("d", 0);
        log.mkdir("e", 0);
        log.open("d", libc::O_DIRECTORY as u32, 3);
        let (inside, above) = (log.path("x"), log.path("../f"));
        let make = |path| Op::MakeDir { at: At::Fd(3), path, mode: 0o777 };
        log.call(make(above), 0);
        log.rename("d", "e/d", 0);
        log.call(make(above), 0);
        log.unlink("e/d", libc::AT_REMOVEDIR, 0);
        log.call(make(inside), ENOENT);
        log
    };
    let base = tempfile::tempdir().unwrap();
    let plan = log().plan();
    assert_eq!(executed(&in_own_tree(plan, base.path())), 8);
    assert!(all_orders_match(log(), Rules::ALL));
    assert!(!all_orders_match(log(), Rules::without(Rule::Entry)));
}

#[test]
fn renames_onto_what_is_not_empty_fail_before_it_is() {
    let log = || {
        let mut log = Log::new();
        log.mkdir("a", 0);
        log.mkdir("b", 0);
        log.mkdir("b/c", 0);
        log.rename("a", "b", -i64::from(libc::ENOTEMPTY));
        log.unlink("b/c", libc::AT_REMOVEDIR, 0);
        log
    };
    assert!(all_orders_match(log(), Rules::ALL));
    assert!(!all_orders_match(log(), Rules::without(Rule::Listing)));
}

/// How many of a log's calls come to its results, and the first that do not: what they came to.
fn kept(log: Log) -> (usize, Vec<i64>) {
    let base = tempfile::tempdir().unwrap();
    let (run, differences) = with_differences(log.plan(), base.path());
    (executed(&run), differences.iter().map(|one| one.here).collect())
}

fn read_link(log: &mut Log, path: &str, target: &str) {
    log.builder.seen(path.as_bytes(), Seen::Holds(target.as_bytes())).unwrap();
    let path = log.path(path);
    log.call(Op::ReadLink { at: At::Cwd, path, size: 4096 }, target.len() as i64);
}

#[test]
fn a_link_that_the_log_made_was_not_there_before() {
    let mut log = Log::new();
    log.mkdir("/z/a", 0);
    log.unlink("/z/a", libc::AT_REMOVEDIR, 0);
    log.symlink("b", "/z/a", 0);
    read_link(&mut log, "/z/a", "b");
    assert_eq!(kept(log), (4, vec![]));

    // Not even if somebody asked before.
    let mut log = Log::new();
    log.stat("/z/a", 0, file(0o644, 3, 1));
    log.unlink("/z/a", 0, 0);
    log.symlink("b", "/z/a", 0);
    read_link(&mut log, "/z/a", "b");
    log.builder.seen(b"/z/a", Seen::Opened(b"/z/b")).unwrap();
    log.open("/z/a", libc::O_WRONLY as u32 | libc::O_CREAT as u32, 3);
    assert_eq!(kept(log), (5, vec![]));

    // One that is removed later was.
    let mut log = Log::new();
    log.stat("/z/a", 0, file(0o644, 3, 1));
    read_link(&mut log, "/z/a", "b");
    log.stat("/z/b", 0, file(0o644, 3, 1));
    log.unlink("/z/a", 0, 0);
    log.mkdir("/z/a", 0);
    assert_eq!(kept(log), (5, vec![]));
}

#[test]
fn every_call_that_cannot_be_is_named_with_what_came_of_it() {
    let mut log = Log::new();
    log.mkdir("/x", 0);
    log.open("/x", libc::O_WRONLY as u32 | libc::O_CREAT as u32, 3);
    log.rename("/x", "/x/y", 0);
    log.mkdir("/x", 0);
    log.open("/x", libc::O_DIRECTORY as u32, 4);
    log.symlink("q", "/x/q", 0);
    log.open("/x/q", 0, 5);
    log.stat("/x/q", 0, file(0o644, 5, 1));
    let failed = [libc::EISDIR, libc::EINVAL, libc::EEXIST, libc::ELOOP, libc::ELOOP];
    assert_eq!(kept(log), (3, failed.map(|errno| -i64::from(errno)).to_vec()));
}

#[test]
fn what_is_never_closed_is_replayed_as_far_as_there_are_descriptors() {
    let mut log = Log::new();
    for number in 0..1500 {
        log.open(&format!("{number}"), CREATE, 3 + number);
        log.write(3 + number as i32, 1);
    }
    let base = tempfile::tempdir().unwrap();
    let run = in_own_tree(log.plan(), base.path());
    let left_out = |wanted: Skip| run.program.skips.iter().filter(|skip| **skip == Some(wanted)).count();
    // The working directory is open, too.
    assert_eq!((executed(&run), left_out(Skip::NoDescriptor)), (2 * 999, 501));
    assert_eq!(left_out(Skip::DependsOnSkipped), 501);
}
