//! Calls in more lines than one, and those that have no end.

use super::*;

#[test]
fn a_log_that_is_cut_says_so() {
    let mut cut = reader("1 close(3) = 0\n1 openat(AT_FDCWD, \"/etc/pas");
    let ending = cut.for_each(|_| {}).unwrap();
    assert_eq!(ending, Ending::Cut { events: 1, unread: 28 });
    let mut totals = 0;
    let mut whole = reader("1 close(3) = 0\n1 close(4) = -1 EBADF (Bad file descriptor)");
    whole.for_each(|event| totals += u32::from(event.kind == Kind::Total)).unwrap();
    assert_eq!(totals, 2);
    // The number may go on, and the end, of which nothing is told then.
    for (last, calls, unread) in [("1 read(3, \"\", 832) = 83", 2, 0), ("1 +++ exited with 1", 1, 19)] {
        let mut cut = reader(&format!("1 close(3) = 0\n{last}"));
        assert_eq!(cut.for_each(|_| {}).unwrap(), Ending::Cut { events: calls, unread }, "{last}");
    }
}

/// Where strace and the command write to one place, and where lines of `-f -z` are put together.
#[test]
fn calls_go_on_in_the_next_line() {
    let all = events(
        "write(2, \"\\n\", 1\n)                       = 1\n\
         write(1, \"a\\n\", 2a\n)                      = 2\n\
         7 rt_sigprocmask(SIG_BLOCK, [CHLD],  <unfinished ...>\n[], 8)   = 0\n\
         7 sendfile(1, 3,  <unfinished ...>\n[8], 9)   = 9\n\
         7 openat(AT_FDCWD, \"/etc/pas\n7 close(3) = 0\n",
        |event| (name(event), event.tid, event.ret),
    );
    let expected = [
        ("write", 1, Some(1)),
        ("write", 1, Some(2)),
        ("rt_sigprocmask", 7, Some(0)),
        ("sendfile", 7, Some(9)),
        ("close", 7, Some(0)),
        ("lost", 0, Some(1)),
    ];
    let mut seen: Vec<_> = all.into_iter().filter(|(name, ..)| *name != "total").collect();
    seen.sort_by_key(|(name, ..)| *name == "lost");
    assert_eq!(seen, expected);
}

#[test]
fn what_never_returned_is_told_at_the_end_of_its_thread() {
    let all = events(
        "1 read(0,  <unfinished ...>\n1 +++ killed by SIGKILL +++\n2 pause( <unfinished ...>\n",
        |event| (name(event), event.ret, event.end_ns.is_some()),
    );
    assert_eq!(all[0], ("read", None, false));
    assert_eq!(all[1], ("exit", Some(-9), true));
    assert_eq!(all[2], ("pause", None, false));
}

/// Lines that real programs gave on a terminal, by `/usr/bin/strace`: news of children break into them.
#[test]
fn lines_that_news_break_are_put_together() {
    let all = events(
        "/usr/bin/strace: Process 47 attached\n\
         <... wait4 resumed>[{WIFEXITED(s) && WEXITSTATUS(s) == 0}], 0, NULL) = 54\n\
         clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD/usr/bin/strace: Process 48 attached\n\
         , child_tidptr=0x7fcd69fc1a10) = 48\n\
         [pid    47] vfork(/usr/bin/strace: Process 49 attached\n \
         <unfinished ...>\n\
         [pid    49] close(4 <unfinished ...>\n\
         [pid    47] <... vfork resumed>)        = 49\n\
         [pid    49] <... close resumed>)        = 0\n\
         [pid    47] clock_nanosleep(CLOCK_REALTIME, 0, {tv_sec=0, tv_nsec=1}, /usr/bin/strace: Process 47 detached\n \
         <detached ...>\n",
        |event| (name(event), event.tid, event.ret),
    );
    let calls: Vec<_> = all.iter().filter(|(name, ..)| !["fork", "total"].contains(name)).collect();
    let expected = [
        &("wait4", 47, Some(54)),
        &("clone", 47, Some(48)),
        &("vfork", 47, Some(49)),
        &("close", 49, Some(0)),
        &("clock_nanosleep", 47, None),
    ];
    assert_eq!(calls, expected, "{all:?}");
}

/// With `-z` strace holds lines back until outcomes are known, and gives both parts of one at once.
#[test]
fn parts_of_a_line_that_follow_each_other_are_one() {
    let all = events(
        "7 wait4(-1,  <unfinished ...>\n\
         NULL, 0, NULL)                          = 9\n\
         8 clone(child_stack=NULL, flags=SIGCHLD <unfinished ...>\n\
         , child_tidptr=0x7f02fb6f2a10)          = 10\n\
         8 read(0,  <unfinished ...>\n\
         7 close(3)                                = 0\n\
         8 <... read resumed>\"\", 1)                = 0\n",
        |event| (name(event), event.tid, event.ret, event.duration_ns()),
    );
    let calls: Vec<_> = all.iter().filter(|(name, ..)| !["fork", "total"].contains(name)).collect();
    let expected = [
        ("wait4", 7, Some(9), None),
        ("clone", 8, Some(10), None),
        ("close", 7, Some(0), None),
        ("read", 8, Some(0), None),
    ];
    assert_eq!(calls, expected.iter().collect::<Vec<_>>());
}

/// However many there are, and where a thread has begun two.
#[test]
fn calls_that_never_return_are_events() {
    let mut text = "1 getpid() = 1\n".to_owned();
    for tid in 2..40_000 {
        writeln!(text, "{tid} open(\"/etc/passwd\", O_RDONLY <unfinished ...>").expect("memory");
    }
    text.push_str("7 close(3 <unfinished ...>\n9 <... open resumed>) = 4\n");
    let mut reader = reader(&text);
    let (mut returned, mut never) = (Vec::new(), 0);
    let calls = reader.for_each(|event| match event.ret {
        _ if event.kind != Kind::Syscall => {}
        Some(ret) => returned.push((event.tid, name(event), ret)),
        None => never += 1,
    });
    calls.expect("memory can be read");
    assert_eq!(returned, [(1, "getpid", 1), (9, "open", 4)]);
    assert_eq!((never, reader.lineage().unreadable), (39_998, 0));
}
