//! Who is followed: processes that run already, a cgroup, the whole machine. Needs privilege, or is skipped.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::load::{Loaded, Target, load_for};
use super::wire::{self, Head, Kind, Record, flag};

type Seen = Vec<(Kind, Head)>;

/// The kernel's side, unless this machine or user may not load it.
fn loaded() -> Option<Loaded> {
    load_for(false).map_err(|why| println!("skipped: {why}")).ok()
}

/// What was recorded while `act` ran, and until `pid` has ended.
fn seen(loaded: &mut Loaded, target: Target<'_>, pid: u32, act: impl FnOnce()) -> Seen {
    loaded.follow(target).expect("the map can be set");
    act();
    let patience = Instant::now() + Duration::from_secs(60);
    let mut seen = Vec::new();
    while !seen.iter().any(|(kind, head): &(_, Head)| *kind == Kind::Exit && head.tid == pid) {
        assert!(Instant::now() < patience, "no end of {pid} in a minute: {seen:?}");
        while let Some(item) = loaded.ring.next() {
            if let Some(Record::Other(kind, head, _, _)) = wire::decode(&item) {
                seen.push((kind, head));
            }
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    loaded.follow(Target::Nobody).expect("the map can be set");
    assert_eq!(loaded.lost(), 0);
    seen
}

fn calls(seen: &Seen, pid: u32, nr: i64) -> Vec<&Head> {
    let is = |head: &Head| head.pid == pid && i64::from(head.nr) == nr;
    seen.iter().filter(|(kind, head)| *kind == Kind::Call && is(head)).map(|(_, head)| head).collect()
}

fn count(seen: &Seen, kind: Kind, pid: u32) -> usize {
    seen.iter().filter(|(of, head)| *of == kind && head.pid == pid).count()
}

struct Nothing;

impl crate::capture::Sink for Nothing {
    fn push(&mut self, _: &crate::event::Event<'_>) {}
}

#[test]
#[allow(clippy::zombie_processes, reason = "the recorder waits for it")]
fn a_command_that_ends_before_it_is_followed_ends_the_recording() {
    let Some(loaded) = loaded() else { return };
    let child = Command::new("sleep").arg("600").spawn().expect("sleep is there");
    let pid = child.id() as i32;
    // What a Ctrl-C does between the fork and the first record, by a signal that nobody ignores.
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL)
        .expect("our own child");
    while !crate::capture::sys::child::has_ended(pid).expect("our own child") {
        std::thread::sleep(Duration::from_millis(1));
    }
    let mut recorder = super::Recorder { loaded };
    let options = super::Options { leader_only: false, lossless: false, origin_ns: 0 };
    let outcome = recorder.record(pid, || Ok(()), &mut Nothing, options).expect("a recording of nothing");
    let signal = std::os::unix::process::ExitStatusExt::signal(&outcome.status);
    assert_eq!(signal, Some(libc::SIGKILL));
}

/// This program, waiting in two threads: the harness for the test, which is [`waiter`], for its input.
fn spawn_waiter() -> Child {
    let mut child = Command::new(std::env::current_exe().expect("our own path"))
        .args(["--ignored", "--exact", "--nocapture", "--test-threads=1"])
        .arg(concat!(module_path!(), "::waiter").split_once("::").expect("below the crate").1)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program runs");
    let mut output = BufReader::new(child.stdout.take().expect("piped")).lines();
    while !output.next().expect("more output").expect("text").contains("waiting") {}
    // It lives on, or the harness would be ended by SIGPIPE.
    std::thread::spawn(move || output.for_each(drop));
    let pid = child.id();
    let waits = || {
        let threads = std::fs::read_dir(format!("/proc/{pid}/task")).expect("our own child");
        let calls: Vec<String> = threads
            .filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("syscall")).ok())
            .collect();
        // The test reads descriptor 0, the harness waits for the test's thread.
        let wait = |begin: &str| calls.iter().filter(|call| call.starts_with(begin)).count();
        wait(&format!("{} 0x0 ", libc::SYS_read)) == 1 && wait(&format!("{} ", libc::SYS_futex)) == 1
    };
    while !waits() {
        std::thread::sleep(Duration::from_millis(1));
    }
    child
}

#[test]
#[ignore = "what the other tests look at"]
fn waiter() {
    println!("waiting");
    std::io::stdin().read_line(&mut String::new()).expect("text");
    let thread = std::thread::spawn(|| Command::new("true").status().expect("true runs"));
    assert!(thread.join().expect("no panic").success());
}

fn go_on(child: &mut Child) {
    child.stdin.take().expect("piped").write_all(b"go\n").expect("it reads");
}

fn check_waiter(seen: &Seen, pid: u32) {
    let met: Vec<u32> =
        seen.iter().filter(|(kind, _)| *kind == Kind::Met).map(|(_, head)| head.tid).collect();
    assert_eq!(count(seen, Kind::Met, pid), 2, "the harness's thread and the test's: {met:?}");
    let reads = calls(seen, pid, libc::SYS_read);
    assert!(reads[0].flags & flag::ENTERED_BEFORE != 0 && reads[0].ret == 3, "{:?}", reads[0]);
    assert!(reads[0].start_ns < reads[0].end_ns);
    assert!(reads[1..].iter().all(|read| read.flags & flag::ENTERED_BEFORE == 0));
    let joins = calls(seen, pid, libc::SYS_futex);
    assert!(
        joins.iter().any(|join| join.flags & flag::ENTERED_BEFORE != 0),
        "the harness waits for its thread"
    );
    let children: Vec<u32> = seen
        .iter()
        .filter(|(kind, head)| *kind == Kind::Exec && head.pid != pid)
        .map(|(_, head)| head.pid)
        .collect();
    assert!(!children.is_empty(), "the thread's child, which becomes another program");
    assert!(!calls(seen, children[0], libc::SYS_exit_group).is_empty());
}

#[test]
fn processes_are_followed_from_inside_their_calls() {
    let Some(mut loaded) = loaded() else { return };
    for _ in 0..2 {
        let (mut child, mut other) = (spawn_waiter(), spawn_waiter());
        let pid = child.id();
        let seen = seen(&mut loaded, Target::Processes(&[pid]), pid, || {
            go_on(&mut other);
            assert!(other.wait().expect("our own child").success());
            go_on(&mut child);
            assert!(child.wait().expect("our own child").success());
        });
        check_waiter(&seen, pid);
        assert_eq!(count(&seen, Kind::Call, other.id()), 0, "another process");
    }
}

#[test]
fn the_machine_is_followed_but_not_the_recorder() {
    let Some(mut loaded) = loaded() else { return };
    let mut child = spawn_waiter();
    let pid = child.id();
    let seen = seen(&mut loaded, Target::All, pid, || {
        go_on(&mut child);
        assert!(child.wait().expect("our own child").success());
    });
    check_waiter_among_others(&seen, pid);
    let me = std::process::id();
    assert!(
        !seen.iter().any(|(_, head)| head.pid == me || head.pid == 0),
        "the recorder, or a thread of the kernel's"
    );
}

fn check_waiter_among_others(seen: &Seen, pid: u32) {
    assert_eq!(count(seen, Kind::Met, pid), 2);
    assert!(!calls(seen, pid, libc::SYS_read).is_empty());
}

/// A cgroup of ours, gone with this value.
struct Cgroup(PathBuf);

impl Cgroup {
    fn new() -> Option<Self> {
        let mounts = std::fs::read_to_string("/proc/self/mounts").ok()?;
        let of_version_2 = |line: &str| {
            let mut words = line.split(' ').skip(1);
            let place = words.next()?.to_owned();
            (words.next() == Some("cgroup2")).then_some(place)
        };
        let parent = mounts.lines().find_map(of_version_2)?;
        let path = PathBuf::from(parent).join(format!("trace-follow-{}", std::process::id()));
        std::fs::create_dir(&path).map_err(|why| println!("skipped: {}: {why}", path.display())).ok()?;
        Some(Self(path))
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(self.0.join("below"));
        let _ = std::fs::remove_dir(&self.0);
    }
}

#[test]
fn a_cgroup_is_followed_and_what_is_below_it() {
    let Some(mut loaded) = loaded() else { return };
    let Some(group) = Cgroup::new() else { return println!("skipped: no cgroup of version 2") };
    let below = group.0.join("below");
    std::fs::create_dir(&below).expect("a cgroup can be made");
    let (mut child, mut other) = (spawn_waiter(), spawn_waiter());
    let pid = child.id();
    std::fs::write(below.join("cgroup.procs"), pid.to_string()).expect("our own child can be moved");
    let id = std::fs::metadata(&group.0).expect("just made").ino();
    let seen = seen(&mut loaded, Target::Cgroup(id), pid, || {
        go_on(&mut other);
        assert!(other.wait().expect("our own child").success());
        go_on(&mut child);
        assert!(child.wait().expect("our own child").success());
    });
    check_waiter(&seen, pid);
    assert_eq!(count(&seen, Kind::Call, other.id()), 0, "it is elsewhere");
}
