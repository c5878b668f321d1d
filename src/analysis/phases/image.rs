//! What every program has: the exec, the dynamic loader, the program itself, its exit.
//!
//! - **exec** lasts from the entry of the `execve` that succeeded to the new image (the exec event).
//! - **dynamic loader**, and **relocation** with the constructors of libraries, where `loader` tells
//!   them. A static program has neither. Where their end cannot be told, they are one phase with the
//!   program.
//! - **exit** begins with `exit_group`, or where an interpreter is seen to wind up.

use super::loader::Loader;
use super::{
    Boundary, Cut, Interpreter, PhaseKind, Segments, Start, interpreter, is_exec, program_name,
    runs_managers_script, starts_another,
};
use crate::analysis::calls::{Call, Role};
use crate::event::{Event, Kind, mark};

/// Whether a program is there to lead to another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leads {
    /// Not that we know.
    Nowhere,
    /// That is all it does.
    Another,
    /// It is a version manager's own script.
    Managed,
}

impl Leads {
    fn of(start: &Start<'_>) -> Self {
        if starts_another(start) {
            Self::Another
        } else if runs_managers_script(start) {
            Self::Managed
        } else {
            Self::Nowhere
        }
    }
}

/// The last program a process became, and how far it got.
#[derive(Debug)]
pub(super) struct Image {
    cwd: Vec<u8>,
    /// First event of the process.
    begin_ns: u64,
    /// Exec events of the process.
    execs: u32,
    /// It ran before the recording did.
    attached: bool,
    name: Vec<u8>,
    /// The successful execve, where its row came before the exec event, and its path.
    call: Option<Cut>,
    executed: Vec<u8>,
    exec: Option<Cut>,
    exec_end_ns: u64,
    /// The first event after the exec.
    begin: Option<Cut>,
    loader: Loader,
    relocation: Option<Cut>,
    program: Option<Cut>,
    interpreter: Option<Box<dyn Interpreter>>,
    shell: bool,
    leads: Leads,
    exit: Option<Cut>,
    end_ns: Option<u64>,
    after: Option<Cut>,
}

impl Image {
    pub(super) fn new(cwd: &[u8], begin_ns: u64) -> Self {
        Self {
            cwd: cwd.to_vec(),
            begin_ns,
            execs: 0,
            attached: false,
            name: Vec::new(),
            call: None,
            executed: Vec::new(),
            exec: None,
            exec_end_ns: 0,
            begin: None,
            loader: Loader::default(),
            relocation: None,
            program: None,
            interpreter: None,
            shell: false,
            leads: Leads::Nowhere,
            exit: None,
            end_ns: None,
            after: None,
        }
    }

    /// Whether it is an interpreter that is no shell.
    pub(super) fn is_interpreter(&self) -> bool {
        self.interpreter.is_some() && !self.shell
    }

    /// Whether it is there to start another program.
    pub(super) fn starts_another(&self) -> bool {
        self.leads == Leads::Another
    }

    /// Whether it is a version manager's own script.
    pub(super) fn is_managers_script(&self) -> bool {
        self.leads == Leads::Managed
    }

    pub(super) fn see(&mut self, event: &Event<'_>, call: Option<&Call>, segments: &mut Segments) {
        if event.kind == Kind::Exec {
            self.exec(event, segments);
        } else if is_exec(event, call) {
            self.exec_call(event, segments);
        } else {
            if self.execs == 0 && self.name.is_empty() {
                self.name = event.comm.to_vec();
            }
            self.attached |= event.kind == Kind::Mark && event.text == Some(mark::ATTACHED.as_bytes());
            if self.exec.is_some() && self.begin.is_none() {
                self.begin = segments.cut(self.exec_end_ns);
            }
            if self.exit.is_none() && call.is_some_and(|call| call.role == Role::ExitGroup) {
                // Any thread can end the process.
                self.exit = segments.cut(event.start_ns);
            }
            let first = event.tid == event.pid;
            if first {
                self.first_thread(event, call, segments);
            }
            if let Some(interpreter) = self.interpreter.as_mut().filter(|it| first || it.all_threads()) {
                interpreter.see(event, call, segments);
            }
        }
    }

    fn exec(&mut self, event: &Event<'_>, segments: &mut Segments) {
        let start = Start {
            path: event.path_abs.or(event.path).unwrap_or_default(),
            argv: event.argv.unwrap_or_default(),
            cwd: &self.cwd,
        };
        let executed = std::mem::take(&mut self.executed);
        let cut = self.call.take().or_else(|| segments.cut(event.start_ns));
        *self = Self {
            execs: self.execs + 1,
            attached: self.attached,
            name: program_name(&start),
            exec: cut,
            // What the recorder did in between is nobody's.
            exec_end_ns: event.end_ns.unwrap_or(event.start_ns),
            loader: Loader::of(event),
            interpreter: interpreter(&start).map(|kind| (kind.start)(&start)),
            shell: interpreter(&start).is_some_and(|kind| kind.shell),
            leads: Leads::of(&start),
            ..Self::new(&self.cwd, self.begin_ns)
        };
        if let Some(interpreter) = self.interpreter.as_mut().filter(|_| !executed.is_empty()) {
            interpreter.executed(&executed);
        }
    }

    /// The row of the execve that succeeded: it can come just after the exec event or just before.
    fn exec_call(&mut self, event: &Event<'_>, segments: &mut Segments) {
        let path = event.path_abs.or(event.path).unwrap_or_default();
        match &mut self.exec {
            Some(exec) if self.begin.is_none() => {
                exec.at_ns = exec.at_ns.min(event.start_ns);
                if let Some(interpreter) = &mut self.interpreter {
                    interpreter.executed(path);
                }
            }
            _ => {
                self.call = segments.cut(event.start_ns);
                self.executed = path.to_vec();
            }
        }
    }

    fn first_thread(&mut self, event: &Event<'_>, call: Option<&Call>, segments: &mut Segments) {
        if event.kind == Kind::Exit {
            self.end_ns = Some(event.start_ns);
            return;
        }
        let progress = self.loader.see(event, call);
        if let Some(at_ns) = progress.relocation_ns {
            self.relocation = segments.cut(at_ns);
        }
        if let Some(at_ns) = progress.end_ns {
            self.program = segments.cut(at_ns).or(self.program);
        }
    }

    /// Takes note of the first event of any process after the end of this one.
    pub(super) fn ended(&mut self, segments: &mut Segments) {
        if let (Some(end_ns), None) = (self.end_ns, self.after) {
            self.after = segments.cut(end_ns);
        }
    }

    /// Where its phases begin. `root`: it is the command's own process.
    pub(super) fn boundaries(&self, root: bool) -> Vec<Boundary> {
        let mut list = Boundaries::default();
        let start = Cut { segment: 0, at_ns: 0 };
        if self.execs == 0 {
            // Its beginning is not in the log: all of it is one phase.
            let prefix: &[u8] = if self.name.is_empty() { b"running already" } else { b"running " };
            list.begin(PhaseKind::Program, prefix, &self.name, Some(start));
            list.begin(PhaseKind::Exit, b"exit", b"", self.exit);
            list.begin(PhaseKind::After, b"after ", &self.name, self.after.filter(|_| root));
            return list.0;
        }
        if !root || self.attached || self.execs > 1 {
            list.begin(PhaseKind::Launcher, b"before ", &self.name, Some(start));
        }
        // Whatever stands before the command's only exec belongs to it.
        let exec = self.exec.map(|cut| if list.0.is_empty() { Cut { segment: 0, ..cut } } else { cut });
        list.begin(PhaseKind::Exec, b"exec", b"", exec);
        let inner = self.interpreter.as_ref().map(|interpreter| interpreter.phases()).unwrap_or_default();
        let first = inner.first();
        let (kind, name) = match first {
            Some((kind, name, _)) => (*kind, name.as_slice()),
            None => (PhaseKind::Program, self.name.as_slice()),
        };
        self.begin_program(&mut list, kind, name);
        for (kind, name, cut) in inner.iter().skip(1) {
            list.begin(*kind, b"", name, *cut);
        }
        let finalization = self.interpreter.as_ref().and_then(|interpreter| interpreter.exit());
        let named =
            self.interpreter.as_ref().filter(|_| finalization.is_some()).map_or("exit", |it| it.exit_name());
        list.begin(PhaseKind::Exit, named.as_bytes(), b"", finalization.or(self.exit));
        let kind = if root { PhaseKind::After } else { PhaseKind::Rest };
        list.begin(kind, b"after ", &self.name, self.after);
        list.0
    }

    /// Adds what comes after the end of this one, the command's own process, to another's phases.
    pub(super) fn end(&self, boundaries: &mut Vec<Boundary>) {
        let mut list = Boundaries(std::mem::take(boundaries));
        list.begin(PhaseKind::After, b"after ", &self.name, self.after);
        *boundaries = list.0;
    }
}

impl Image {
    /// The loader's phases and the first one of the program, as far as they can be told apart.
    fn begin_program(&self, list: &mut Boundaries, kind: PhaseKind, name: &[u8]) {
        let begin = self.begin.or(self.exec.is_none().then_some(Cut { segment: 0, at_ns: 0 }));
        if self.exec.is_none() || self.loader.is_absent() {
            return list.begin(kind, b"", name, begin);
        }
        match (self.relocation, self.program) {
            (relocation, Some(_)) => {
                let constructors = self.loader.has_run_constructors();
                let named: &[u8] = if constructors { b"relocation, constructors" } else { b"relocation" };
                list.begin(PhaseKind::Loader, b"dynamic loader", b"", begin);
                list.begin(PhaseKind::Relocation, named, b"", relocation);
                list.begin(kind, b"", name, self.program);
            }
            (Some(_), None) => {
                list.begin(PhaseKind::Loader, b"dynamic loader", b"", begin);
                list.begin(kind, b"relocation and ", name, self.relocation);
            }
            (None, None) => list.begin(kind, b"dynamic loader and ", name, begin),
        }
    }
}

/// Boundaries in order; one that does not lie after the one before is left out.
#[derive(Default)]
struct Boundaries(Vec<Boundary>);

impl Boundaries {
    fn begin(&mut self, kind: PhaseKind, prefix: &[u8], name: &[u8], cut: Option<Cut>) {
        let Some(cut) = cut else { return };
        let later = |last: &Boundary| cut.segment >= last.cut.segment && cut.at_ns >= last.cut.at_ns;
        if self.0.last().is_none_or(later) {
            self.0.push(Boundary { kind, name: [prefix, name].concat(), cut });
        }
    }
}
