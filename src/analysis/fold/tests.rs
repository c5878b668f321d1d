//! Whose frames stand upon whose.

use super::frames::{DEEPEST, LABEL, label};
use super::*;
use crate::analysis::flame::Flame;
use crate::analysis::startup::Startup;
use crate::analysis::testing::{call, fixture, header, startup, strace};
use crate::event::{Event, Kind as EventKind};

fn stacks(graph: &Graph) -> Vec<Vec<String>> {
    let mut stack = Vec::new();
    let mut all = Vec::new();
    for (depth, id) in graph.walk() {
        stack.truncate(depth);
        stack.push(String::from_utf8_lossy(graph.name(id)).into_owned());
        if graph.own(id)[0] > 0 {
            all.push(stack.clone());
        }
    }
    all
}

fn flame(name: &str, by: By) -> Vec<Vec<String>> {
    let mut flame = Flame::new(&header(), by);
    strace(&fixture(name), |event| flame.add(event, true));
    stacks(&flame.finish(Metric::Count).graph)
}

#[test]
fn frames_by_phase_go_from_the_process_down_to_the_file() {
    let (report, drawing) = startup("3.11-script", &header());
    let all = stacks(&drawing.graph);
    let cfg = ["python", "site", "stat", "/opt", "/python", "/3.11.7", "/pyvenv.cfg", "ENOENT"];
    assert_eq!(all.iter().filter(|frames| **frames == cfg).count(), 1);
    let phases: Vec<_> = all.iter().map(|frames| frames[1].as_str()).collect();
    let mut in_order = phases.clone();
    in_order.dedup();
    let known: Vec<_> =
        report.phases.phases.iter().map(|phase| String::from_utf8_lossy(phase.name.bytes())).collect();
    assert_eq!(in_order, known, "phases in the order of time, none twice");
}

#[test]
fn calls_without_a_file_are_named_instead() {
    let all = flame("3.11-script", By::Phase);
    assert!(all.contains(&["python", "exit", "process", "exit_group"].map(str::to_owned).into()));
}

#[test]
fn frames_by_path_end_in_the_call_and_how_it_failed() {
    let all = flame("3.11-script", By::Path);
    let has = |frames: &[&str]| all.iter().any(|known| known == frames);
    let cfg = ["/opt", "/python", "/3.11.7", "/pyvenv.cfg", "newfstatat", "ENOENT"];
    assert!(has(&cfg), "{all:#?}");
    assert!(has(&["(no file)", "exit_group"]));
    assert!(!all.iter().any(|frames| frames[0] == "python"));
}

#[test]
fn frames_by_process_follow_the_tree() {
    let all = flame("wrapper", By::Process);
    let [shell, python] = ["sh -c /opt/python/3.11.7/bin/python hello.py; true", "python hello.py"];
    assert!(all.contains(&[shell, python, "other", "getrandom"].map(str::to_owned).into()), "{all:#?}");
    let forked = |frames: &Vec<String>| frames[0] == shell && frames[1] == "sh (fork)";
    assert!(all.iter().any(forked), "{all:#?}");
    let own = |frames: &Vec<String>| frames[0] == shell && frames[1] == "process" && frames[2] == "wait4";
    assert!(all.iter().any(own), "{all:#?}");
}

#[test]
fn a_process_that_becomes_another_program_is_two_frames() {
    let exec = |path: &'static str, argv: &'static str| Event {
        pid: 1,
        tid: 1,
        path: Some(path.as_bytes()),
        argv: Some(argv.as_bytes()),
        ..Event::new(EventKind::Exec)
    };
    let drawn = |mut flame: Flame| -> Vec<String> {
        for event in [
            call("execve", 0, 6_000, -2),
            exec("/bin/dash", "/opt/shim\0-c\0"),
            call("execve", 1, 6_000, 0),
            call("getpid", 2, 6_000, 1),
            exec("/opt/python", "python\0"),
            call("execve", 3, 6_000, 0),
        ] {
            flame.add(&event, true);
        }
        stacks(&flame.finish(Metric::Count).graph).iter().map(|frames| frames.join(" > ")).collect()
    };
    let flame = || Flame::new(&header(), By::Process);
    let all = [
        "shim -c > process > execve",
        "shim -c > process > execve > ENOENT",
        "shim -c > identity > getpid",
        "python > process > execve",
    ];
    assert_eq!(drawn(flame()), all);
    assert_eq!(drawn(flame().without_arguments()), all.map(|stack| stack.replace(" -c", "")));
}

#[test]
fn deep_paths_end_in_one_frame() {
    let deep = "/d".repeat(1000);
    let event = Event {
        path: Some(deep.as_bytes()),
        path_abs: Some(deep.as_bytes()),
        ..call("newfstatat", 0, 6_000, 0)
    };
    let mut startup = Startup::new(&header());
    startup.add(&event);
    let all = stacks(&startup.finish().1.graph);
    let [stack] = &all[..] else { panic!("{all:?}") };
    assert_eq!(stack.len(), 3 + DEEPEST + 1);
    assert_eq!(stack.iter().skip(3).map(String::len).sum::<usize>(), 2000);
}

#[test]
fn labels_are_cut_between_characters() {
    let mut processes = Processes::default();
    let argv = ["program\0", &"é".repeat(100), "\0"].concat();
    let exec = Event {
        pid: 1,
        tid: 1,
        path: Some(b"/bin/program"),
        argv: Some(argv.as_bytes()),
        ..Event::new(EventKind::Exec)
    };
    processes.add(&exec, false);
    let label = String::from_utf8(label(&processes, 0, 1, true)).expect("whole characters");
    assert!(label.starts_with("program éé") && label.ends_with("é…") && label.len() <= LABEL + 3);
}
