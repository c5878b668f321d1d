//! The frames of one call, from the bottom to the top.

use std::cmp::Ordering;

use rustc_hash::FxHashMap;

use super::graph::{FrameId, Graph, Kind};
use super::{By, Counted, Inputs, OTHER, Place};
use crate::analysis::errno;
use crate::analysis::filesystem;
use crate::analysis::phases::phase_of_segment;
use crate::analysis::process::{ProcessId, Processes};
use crate::analysis::stacks::Code;
use crate::analysis::text::{arguments, file_name};
use crate::analysis::tree;
use crate::event::stack::FrameKind;

/// Directory levels kept as frames of their own; a deeper path's rest is one frame.
pub const DEEPEST: usize = 24;
/// A process is named by its program and as much of its arguments as fits this many bytes.
pub const LABEL: usize = 80;

/// A graph being made.
pub struct Folding<'a> {
    inputs: &'a Inputs<'a>,
    by: By,
    /// The process that each one is shown upon.
    parents: Vec<Option<ProcessId>>,
    /// Frames of programs that were looked for before.
    programs: FxHashMap<(ProcessId, u16), FrameId>,
    /// The stack that is being added ends below its last frame.
    cut: bool,
    /// The frames of the stack being added.
    codes: Vec<Option<Code>>,
    pub graph: Graph,
}

impl<'a> Folding<'a> {
    pub fn new(inputs: &'a Inputs<'a>, by: By) -> Self {
        let parents = match by {
            By::Process => tree::levels(inputs.processes.list()).1,
            By::Phase | By::Path | By::Stack | By::Import => Vec::new(),
        };
        Self {
            inputs,
            by,
            parents,
            programs: FxHashMap::default(),
            cut: false,
            codes: Vec::new(),
            graph: Graph::default(),
        }
    }

    /// The cells in the order in which frames are to stand.
    pub fn sorted(&self, cells: impl Iterator<Item = Counted>) -> Vec<Counted> {
        let mut cells: Vec<Counted> = cells.collect();
        let objects = self.inputs.objects;
        let rank = |place: &Place| match self.by {
            By::Path => (0, 0, 0),
            By::Phase => (place.process, self.phase(place), self.family(place)),
            By::Process => (place.process, usize::from(place.segment), self.family(place)),
            By::Stack | By::Import => (place.process, place.stack as usize, 0),
        };
        let rest = |place: &Place| (place.group.call(), place.errno);
        cells.sort_by(|(a, ..), (b, ..)| {
            let paths = || compare_paths(objects.get(a.object), objects.get(b.object));
            rank(a).cmp(&rank(b)).then_with(paths).then_with(|| rest(a).cmp(&rest(b)))
        });
        cells
    }

    fn phase(&self, place: &Place) -> usize {
        phase_of_segment(self.inputs.boundaries, place.segment)
    }

    fn family(&self, place: &Place) -> u8 {
        self.inputs.calls.get(place.group.call()).family() as u8
    }

    /// The frame of this name upon another one. A stack that would need a new frame where there are too many
    /// ends in the frame it has come to.
    fn upon(&mut self, below: FrameId, kind: Kind, name: &[u8]) -> FrameId {
        if self.cut {
            return below;
        }
        if self.graph.len() < self.inputs.most_frames {
            return self.graph.upon(below, kind, name);
        }
        self.graph.find(below, name).unwrap_or_else(|| {
            self.cut = true;
            if below == Graph::ROOT { self.graph.upon(below, Kind::Other, OTHER) } else { below }
        })
    }

    /// Adds some calls. False: in a frame below their own.
    pub fn add(&mut self, place: &Place, value: u64) -> bool {
        self.cut = false;
        let inputs = self.inputs;
        let call = inputs.calls.get(place.group.call());
        let family = Kind::Call(call.family());
        let object = inputs.objects.get(place.object);
        let mut top = match self.by {
            By::Phase => {
                let phase = self.process_and_phase(place);
                let family = self.upon(phase, family, call.family().name().as_bytes());
                self.path_or_call(family, place, object)
            }
            By::Path => {
                let object = if object.is_empty() { b"(no file)" } else { object };
                let file = self.path(Graph::ROOT, object);
                self.upon(file, family, call.name.as_bytes())
            }
            By::Process => {
                let process = self.program(place.process, place.segment);
                let whole = self.upon(process, family, call.family().name().as_bytes());
                self.upon(whole, family, call.name.as_bytes())
            }
            By::Stack | By::Import => {
                let process = inputs.processes.list().get(place.process as usize);
                let name = process.map_or(&b""[..], |process| inputs.processes.name(process));
                let code = self.code(name, object, place.stack);
                self.upon(code, family, call.name.as_bytes())
            }
        };
        if place.errno != 0 {
            top = self.upon(top, Kind::Errno, errno::name(place.errno).as_bytes());
        }
        self.graph.add(top, value);
        !self.cut
    }

    /// Adds CPU samples. False: in a frame below their own.
    pub fn add_sample(&mut self, [comm, script]: [&[u8]; 2], stack: u32, cpu_ns: u64) -> bool {
        self.cut = false;
        let top = self.code(comm, script, stack);
        self.graph.add(top, cpu_ns);
        !self.cut
    }

    /// The innermost frame of a stack of a process.
    fn code(&mut self, process: &[u8], script: &[u8], stack: u32) -> FrameId {
        let mut codes = std::mem::take(&mut self.codes);
        codes.clear();
        // Of some calls no stack was taken.
        if stack != 0 {
            self.inputs.stacks.frames(stack, &mut codes);
        }
        let mut top = self.upon(Graph::ROOT, Kind::Process, named(process));
        let says_it = codes.iter().flatten().any(|code| code.kind == FrameKind::Python);
        if !script.is_empty() && !says_it && !codes.is_empty() {
            top = self.upon(top, Kind::File, script);
        }
        for code in &codes {
            let kind = code.map_or(FrameKind::Unknown, |code| code.kind);
            top = self.upon(top, Kind::Code(kind), self.inputs.stacks.text(*code));
        }
        self.codes = codes;
        top
    }

    fn process_and_phase(&mut self, place: &Place) -> FrameId {
        let inputs = self.inputs;
        let process = inputs.processes.list().get(place.process as usize);
        let name = process.map_or(&b""[..], |process| inputs.processes.name(process));
        let process = self.upon(Graph::ROOT, Kind::Process, named(name));
        match inputs.boundaries.get(self.phase(place)) {
            Some(boundary) => self.upon(process, Kind::Phase, &boundary.name),
            None => process,
        }
    }

    fn path_or_call(&mut self, below: FrameId, place: &Place, object: &[u8]) -> FrameId {
        if object.starts_with(b"/") && filesystem::not_a_file(object).is_none() {
            return self.path(below, object);
        }
        let call = self.inputs.calls.get(place.group.call());
        let top = self.upon(below, Kind::Call(call.family()), call.name.as_bytes());
        if object.is_empty() { top } else { self.upon(top, Kind::File, object) }
    }

    /// The directories of a path, and what lies in the last one.
    fn path(&mut self, mut below: FrameId, path: &[u8]) -> FrameId {
        let mut rest = path;
        if path.starts_with(b"/") {
            for _ in 0..DEEPEST {
                let Some(at) = rest.iter().skip(1).position(|&b| b == b'/') else { break };
                below = self.upon(below, Kind::Directory, &rest[..=at]);
                rest = &rest[at + 1..];
            }
        }
        self.upon(below, Kind::File, rest)
    }

    /// A program of a process, upon the programs that made that process.
    fn program(&mut self, id: ProcessId, programs: u16) -> FrameId {
        if let Some(&known) = self.programs.get(&(id, programs)) {
            return known;
        }
        let processes = self.inputs.processes;
        let mut line = vec![(id, usize::from(programs))];
        while let Some(&(child, _)) = line.last()
            && let Some(parent) = self.parents.get(child as usize).copied().flatten()
        {
            let at_ns = processes.list()[child as usize].start_ns;
            line.push((parent, processes.list()[parent as usize].programs_by(at_ns)));
        }
        let top = line.iter().rev().fold(Graph::ROOT, |below, &(id, programs)| {
            let label = label(processes, id, programs, self.inputs.with_arguments);
            self.upon(below, Kind::Process, named(&label))
        });
        if !self.cut {
            self.programs.insert((id, programs), top);
        }
        top
    }
}

fn named(name: &[u8]) -> &[u8] {
    if name.is_empty() { b"(unnamed)" } else { name }
}

/// Paths in the order of a tree: what lies in a directory stands together.
fn compare_paths(a: &[u8], b: &[u8]) -> Ordering {
    a.split(|&b| b == b'/').cmp(b.split(|&b| b == b'/'))
}

/// What a process was, by the number of programs it had become by then, and what it was told.
pub fn label(processes: &Processes, id: ProcessId, programs: usize, with_arguments: bool) -> Vec<u8> {
    let Some(process) = processes.list().get(id as usize) else { return Vec::new() };
    let exec = match (programs, process.parent) {
        // A child that has not become anything yet is its parent once more.
        (0, Some(_)) => return [processes.name_at_start(process), b" (fork)"].concat(),
        (0, None) => process.execs.first(),
        (programs, _) => process.execs.get(programs - 1),
    };
    let Some(exec) = exec else { return processes.name(process).to_vec() };
    let argv = processes.strings.get(exec.argv);
    // A script is known by its own name rather than its interpreter's.
    let own = file_name(arguments(argv).next().unwrap_or_default());
    let own = if own.is_empty() { file_name(processes.strings.get(exec.path)) } else { own };
    let mut label = own.to_vec();
    for argument in arguments(argv).skip(1).filter(|_| with_arguments) {
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
