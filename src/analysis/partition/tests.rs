//! A run made by hand: a parent that waits for its child, which sleeps and computes.

use super::*;
use crate::analysis::testing::call;
use crate::event::stack::{Frame, FrameKind, Node};

fn of(pid: u32, name: &str, (start_ns, end_ns): (u64, u64), ret: i64) -> Event<'static> {
    Event { pid, tid: pid, start_ns, end_ns: Some(end_ns), ret: Some(ret), ..call(name, 0, 0, 0) }
}

fn away(pid: u32, (start_ns, end_ns): (u64, u64), is_ready: bool) -> Event<'static> {
    let text = Some(mark::OFF_CPU.as_bytes());
    let args = [u64::from(is_ready), 0, 0, 0, 0, 0];
    Event { pid, tid: pid, start_ns, end_ns: Some(end_ns), text, args, ..Event::new(Kind::Mark) }
}

fn tracing(sample_ns: u64, added_ns: u64) -> Tracing {
    Tracing { sample_hz: 100, sample_ns, added_ns }
}

fn events() -> Vec<Event<'static>> {
    let fork = Event {
        pid: 1,
        tid: 1,
        start_ns: 100,
        end_ns: Some(100),
        ret: Some(2),
        args: [0, 2, 0, 0, 0, 0],
        ..Event::new(Kind::Fork)
    };
    let kernel = Frame { kind: FrameKind::Kernel, name: b"asm_exc_page_fault", ..Frame::UNKNOWN };
    let sample = |start_ns, stack| Event {
        pid: 2,
        tid: 2,
        start_ns,
        end_ns: Some(start_ns),
        stack: Some(stack),
        ..Event::new(Kind::Sample)
    };
    let exit = |pid, start_ns| Event {
        pid,
        tid: pid,
        start_ns,
        end_ns: Some(start_ns),
        ret: Some(0),
        ..Event::new(Kind::Exit)
    };
    vec![
        kernel.event(1),
        Frame { kind: FrameKind::Native, name: b"main", ..Frame::UNKNOWN }.event(2),
        Node { caller: None, frame: 1 }.event(1),
        Node { caller: None, frame: 2 }.event(2),
        of(1, "getpid", (0, 10), 1),
        fork,
        away(2, (100, 150), true),
        sample(160, 2),
        of(2, "clock_nanosleep", (200, 600), 0),
        away(2, (210, 590), false),
        sample(700, 1),
        sample(710, 2),
        sample(720, 2),
        exit(2, 800),
        of(1, "wait4", (120, 820), 2),
        away(1, (130, 810), false),
        exit(1, 1000),
    ]
}

#[test]
fn the_parts_of_the_critical_path_add_up() {
    let mut partitioner = Partitioner::default();
    for event in &events() {
        partitioner.add(event);
    }
    partitioner.end_run();
    let partition = partitioner.finish(None, tracing(0, 0)).expect("a run");
    assert_eq!((partition.runs, partition.samples, partition.run_ns, partition.wall_ns), (1, 4, 1000, 1000));
    let parts = &partition.parts;
    assert_eq!(parts.sum(), 1000);
    let of = |part| parts.get(part);
    // The child from its beginning to its end; of its parent what was before and after.
    assert_eq!((of(Part::Timer), of(Part::Ready), of(Part::Child)), (380, 50, 10));
    // getpid, the rest of the sleep's call, the rest of wait4.
    assert_eq!(of(Part::Call), 10 + 20 + 10);
    assert_eq!(of(Part::Faults) + of(Part::User), 520);
    assert_eq!(of(Part::Faults), 130, "one sample of four");
    assert!(!partition.knows_wakes);
    assert_eq!(partition.functions[0].name.bytes(), b"main");
    let [parent, child] = &partition.threads[..] else { panic!("{partition:#?}") };
    assert_eq!((parent.critical_ns, parent.parts.get(Part::Child), parent.parts.sum()), (300, 680, 1000));
    assert_eq!((child.critical_ns, child.traced_ns), (700, 700));
}

#[test]
fn times_are_those_of_untraced_runs() {
    let mut partitioner = Partitioner::default();
    for _ in 0..2 {
        for event in &events() {
            partitioner.add(event);
        }
        partitioner.end_run();
    }
    let untraced = Untraced { wall_ns: 800, cpu_ns: 280, launch_ns: 20 };
    let partition = partitioner.finish(Some(untraced), tracing(0, 0)).expect("runs");
    let of = |part| partition.parts.get(part);
    assert_eq!(partition.parts.sum(), 800);
    let on_cpu = of(Part::User) + of(Part::Faults) + of(Part::Call);
    assert!((260..=281).contains(&on_cpu), "{on_cpu}");
    assert_eq!((of(Part::Timer), of(Part::Child), of(Part::Ready)), (380, 10, 50));
    assert_eq!(of(Part::Launch), 20, "what the table of phases counts to the first");
}

/// What the runs of [`events`] tell where samples took this; untraced they use this much of the CPU.
fn compared(sample_ns: u64, cpu_ns: u64) -> Partition {
    let mut partitioner = Partitioner::default();
    for event in &events() {
        partitioner.add(event);
    }
    partitioner.end_run();
    let untraced = Untraced { wall_ns: 1000, cpu_ns, launch_ns: 0 };
    partitioner.finish(Some(untraced), tracing(sample_ns, 0)).expect("a run")
}

#[test]
fn what_the_program_took_more_than_untraced_may_have_gone_to_any_part() {
    // 590 ns on a CPU and four samples.
    let alike = compared(0, 590);
    assert_eq!((alike.swelled, alike.split_bound_ns), (0.0, alike.split_margin_ns));
    assert!((alike.cpu_ratio - 1.0).abs() < 0.1, "{alike:#?}");
    let by_samples = compared(70, 295);
    assert!((by_samples.cpu_ratio - 2.0).abs() < 0.1 && by_samples.swelled < 0.1, "{by_samples:#?}");
    let by_itself = compared(0, 295);
    assert!((by_itself.swelled - 1.0).abs() < 0.1, "{by_itself:#?}");
    assert!(by_itself.split_bound_ns > by_itself.split_margin_ns, "{by_itself:#?}");
    let on_cpu = [Part::User, Part::Faults].map(|part| by_itself.parts.get(part)).iter().sum::<u64>();
    assert!(by_itself.split_bound_ns <= on_cpu + 1, "no more than there is: {by_itself:#?}");
}

#[test]
fn what_comes_after_being_woken_is_no_wait() {
    let mut partitioner = Partitioner::default();
    for event in &events() {
        // The sleep is over at 500; from then on another thread has the CPU.
        if (event.tid, event.start_ns, event.text) == (2, 210, Some(mark::OFF_CPU.as_bytes())) {
            partitioner.add(&away(2, (500, 590), true));
            partitioner.add(&away(2, (210, 500), false));
        } else {
            partitioner.add(event);
        }
    }
    partitioner.end_run();
    let partition = partitioner.finish(None, tracing(0, 0)).expect("a run");
    assert!(partition.knows_wakes);
    let of = |part| partition.parts.get(part);
    assert_eq!((of(Part::Timer), of(Part::Ready), partition.parts.sum()), (290, 50 + 90, 1000));
}

#[test]
fn without_a_run_there_is_nothing() {
    let mut partitioner = Partitioner::default();
    partitioner.end_run();
    assert!(partitioner.finish(None, tracing(0, 0)).is_none());
}

#[test]
fn the_tracers_own_time_is_no_time_of_the_program() {
    let mut partitioner = Partitioner::default();
    for event in &events() {
        partitioner.add(event);
    }
    for (frame, name) in [(3, &b"bpf_trace_run2"[..]), (4, b"read_tsc")] {
        partitioner.add(&Frame { kind: FrameKind::Kernel, name, ..Frame::UNKNOWN }.event(frame));
    }
    partitioner.add(&Node { caller: None, frame: 3 }.event(3));
    partitioner.add(&Node { caller: Some(3), frame: 4 }.event(4));
    partitioner.add(&Event { pid: 2, tid: 2, start_ns: 730, stack: Some(4), ..Event::new(Kind::Sample) });
    partitioner.end_run();
    let partition = partitioner.finish(None, tracing(0, 30)).expect("a run");
    assert_eq!((partition.samples, partition.functions.len()), (4, 2), "not read_tsc");
    // On the path: getpid and the sleep; wait4 begins while the child runs.
    let of = |part| partition.parts.get(part);
    let on_cpu = of(Part::User) + of(Part::Faults);
    assert!((520 - 3 * 30..=520 - 2 * 30).contains(&on_cpu), "{partition:#?}");
    assert_eq!(partition.parts.sum(), 1000);
}

#[test]
fn a_run_ends_with_the_command_though_others_go_on() {
    let mut partitioner = Partitioner::default();
    for event in &events() {
        partitioner.add(event);
    }
    let late = Event { pid: 3, tid: 3, start_ns: 7000, end_ns: Some(7000), ..Event::new(Kind::Sample) };
    partitioner.add(&of(3, "getpid", (5000, 5010), 3));
    partitioner.add(&Event { stack: Some(2), ..late });
    partitioner.end_run();
    let partition = partitioner.finish(None, tracing(0, 0)).expect("a run");
    assert_eq!((partition.run_ns, partition.samples, partition.parts.sum()), (1000, 4, 1000));
}
