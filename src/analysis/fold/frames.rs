//! The frames of one call, from the bottom to the top.

use std::cmp::Ordering;

use super::graph::{FrameId, Graph, Kind};
use super::{By, Counted, Inputs};
use crate::analysis::cube::Key;
use crate::analysis::errno;
use crate::analysis::filesystem;
use crate::analysis::phases::phase_of_segment;
use crate::analysis::process::{Process, ProcessId, Processes};
use crate::analysis::text::arguments;
use crate::analysis::tree;

/// Directory levels kept as frames of their own; a deeper path's rest is one frame.
const DEEPEST: usize = 24;
/// A process is named by its program and as much of its arguments as fits this many bytes.
const LABEL: usize = 80;

/// A graph being made.
pub struct Stacks<'a> {
    inputs: &'a Inputs<'a>,
    by: By,
    /// The process that each one is shown upon.
    parents: Vec<Option<ProcessId>>,
    pub graph: Graph,
}

impl<'a> Stacks<'a> {
    pub fn new(inputs: &'a Inputs<'a>, by: By) -> Self {
        let parents = match by {
            By::Process => tree::levels(inputs.processes.list()).1,
            By::Phase | By::Path => Vec::new(),
        };
        Self { inputs, by, parents, graph: Graph::default() }
    }

    /// The cells in the order in which frames are to stand.
    pub fn sorted(&self, cells: impl Iterator<Item = Counted>) -> Vec<Counted> {
        let mut cells: Vec<Counted> = cells.collect();
        let objects = self.inputs.objects;
        let rank = |key: &Key| match self.by {
            By::Path => (0, 0, 0),
            By::Phase => (key.process, self.phase(key), self.family(key)),
            By::Process => (key.process, 0, self.family(key)),
        };
        let rest = |key: &Key| (key.group.call(), key.errno);
        cells.sort_by(|(a, ..), (b, ..)| {
            let paths = || compare_paths(objects.get(a.object), objects.get(b.object));
            rank(a).cmp(&rank(b)).then_with(paths).then_with(|| rest(a).cmp(&rest(b)))
        });
        cells
    }

    fn phase(&self, key: &Key) -> usize {
        phase_of_segment(self.inputs.boundaries, key.segment)
    }

    fn family(&self, key: &Key) -> u8 {
        self.inputs.calls.get(key.group.call()).family() as u8
    }

    /// Adds some calls.
    pub fn add(&mut self, key: &Key, value: u64) {
        let inputs = self.inputs;
        let call = inputs.calls.get(key.group.call());
        let family = Kind::Call(call.family());
        let object = inputs.objects.get(key.object);
        let mut top = match self.by {
            By::Phase => {
                let phase = self.process_and_phase(key);
                let family = self.graph.upon(phase, family, call.family().name().as_bytes());
                self.path_or_call(family, key, object)
            }
            By::Path => {
                let object = if object.is_empty() { b"(no file)" } else { object };
                let file = self.path(Graph::ROOT, object);
                self.graph.upon(file, family, call.name.as_bytes())
            }
            By::Process => {
                let process = self.process(key.process);
                let whole = self.graph.upon(process, family, call.family().name().as_bytes());
                self.graph.upon(whole, family, call.name.as_bytes())
            }
        };
        if key.errno != 0 {
            top = self.graph.upon(top, Kind::Errno, errno::name(key.errno).as_bytes());
        }
        self.graph.add(top, value);
    }

    fn process_and_phase(&mut self, key: &Key) -> FrameId {
        let inputs = self.inputs;
        let process = inputs.processes.list().get(key.process as usize);
        let name = process.map_or(&b""[..], |process| inputs.processes.name(process));
        let process = self.graph.upon(Graph::ROOT, Kind::Process, named(name));
        match inputs.boundaries.get(self.phase(key)) {
            Some(boundary) => self.graph.upon(process, Kind::Phase, &boundary.name),
            None => process,
        }
    }

    fn path_or_call(&mut self, below: FrameId, key: &Key, object: &[u8]) -> FrameId {
        if object.starts_with(b"/") && filesystem::not_a_file(object).is_none() {
            return self.path(below, object);
        }
        let call = self.inputs.calls.get(key.group.call());
        let top = self.graph.upon(below, Kind::Call(call.family()), call.name.as_bytes());
        if object.is_empty() { top } else { self.graph.upon(top, Kind::File, object) }
    }

    /// The directories of a path, and what lies in the last one.
    fn path(&mut self, mut below: FrameId, path: &[u8]) -> FrameId {
        let mut rest = path;
        if path.starts_with(b"/") {
            for _ in 0..DEEPEST {
                let Some(at) = rest.iter().skip(1).position(|&b| b == b'/') else { break };
                below = self.graph.upon(below, Kind::Directory, &rest[..=at]);
                rest = &rest[at + 1..];
            }
        }
        self.graph.upon(below, Kind::File, rest)
    }

    /// A process upon those that made it.
    fn process(&mut self, id: ProcessId) -> FrameId {
        let mut line = vec![id];
        while let Some(parent) = line.last().and_then(|&id| *self.parents.get(id as usize)?) {
            line.push(parent);
        }
        let processes = self.inputs.processes;
        line.iter().rev().fold(Graph::ROOT, |below, &id| {
            let label = processes.list().get(id as usize).map(|process| label(processes, process));
            self.graph.upon(below, Kind::Process, named(&label.unwrap_or_default()))
        })
    }
}

fn named(name: &[u8]) -> &[u8] {
    if name.is_empty() { b"(unnamed)" } else { name }
}

/// Paths in the order of a tree: what lies in a directory stands together.
fn compare_paths(a: &[u8], b: &[u8]) -> Ordering {
    a.split(|&b| b == b'/').cmp(b.split(|&b| b == b'/'))
}

/// What a process was and was told.
fn label(processes: &Processes, process: &Process) -> Vec<u8> {
    let mut label = processes.name(process).to_vec();
    let argv = process.execs.last().map_or(&b""[..], |exec| processes.strings.get(exec.argv));
    for argument in arguments(argv).skip(1) {
        label.push(b' ');
        label.extend_from_slice(argument);
        if label.len() > LABEL {
            break;
        }
    }
    if label.len() > LABEL {
        // A character is cut out whole.
        let is_start = |at: &usize| label[*at] & 0xC0 != 0x80;
        let end = (LABEL - 4..=LABEL).rev().find(is_start).unwrap_or(LABEL);
        label.truncate(end);
        label.extend_from_slice("…".as_bytes());
    }
    label
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::flame::Flame;
    use crate::analysis::fold::Metric;
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
        let own = |frames: &Vec<String>| frames[0] == shell && frames[1] == "process" && frames[2] == "wait4";
        assert!(all.iter().any(own), "{all:#?}");
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
        let argv = ["x\0", &"é".repeat(100), "\0"].concat();
        let exec = Event {
            pid: 1,
            tid: 1,
            path: Some(b"/bin/program"),
            argv: Some(argv.as_bytes()),
            ..Event::new(EventKind::Exec)
        };
        processes.add(&exec, false);
        let label = String::from_utf8(label(&processes, &processes.list()[0])).expect("whole characters");
        assert!(label.starts_with("program éé") && label.ends_with("é…") && label.len() <= LABEL + 3);
    }
}
