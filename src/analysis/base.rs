//! What every analysis needs to know of an event, found out once.

use super::calls::{Call, CallId, Calls, Role};
use super::cost::{Group, Groups, Model, Prices, Quality, Waits};
use super::filesystem;
use super::integrity::Watch;
use super::phases::Timeline;
use super::process::{ProcessId, Processes};
use super::searchers::{Searcher, Searchers};
use crate::event::{Event, Flags, Kind, mark};
use crate::log::Header;
use crate::syscall::{Family, Ret};

/// A system call, seen.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// Which call.
    pub call: CallId,
    /// Its group for costs.
    pub group: Group,
    /// The path or file it is about.
    pub object: Option<&'a [u8]>,
    /// Positive errno if it failed, else 0.
    pub errno: u16,
    /// How long it took, or takes when it is replayed; `None`: it never returned, or was not replayed.
    pub duration_ns: Option<u64>,
    /// Whose it is.
    pub process: ProcessId,
    /// Who makes it.
    pub caller: Searcher,
    /// The same where a path is looked up by it; `None`: it is given no name of a file.
    pub searcher: Option<Searcher>,
    /// In which segment of the timeline it ended.
    pub segment: u16,
}

/// The state shared by all analyses of one log.
#[derive(Debug)]
pub struct Base {
    /// How durations become costs.
    pub model: Model,
    /// Calls by number.
    pub calls: Calls,
    /// Durations by group.
    pub groups: Groups,
    /// Processes.
    pub processes: Processes,
    /// Phases.
    pub timeline: Timeline,
    /// Who looks paths up.
    pub searchers: Searchers,
    /// What is missing.
    pub watch: Watch,
    /// The first start and the last end of any event.
    pub span: Option<(u64, u64)>,
}

/// What calls of this family may wait for.
pub(super) fn waits(family: Family, on_file: bool) -> Waits {
    match family {
        Family::Seek | Family::Identity => Waits::Never,
        Family::Read | Family::Write if on_file => Waits::ForDevices,
        Family::Read
        | Family::Write
        | Family::Process
        | Family::Network
        | Family::Futex
        | Family::Poll
        | Family::Time
        | Family::Ipc
        | Family::Signal => Waits::ForOthers,
        _ => Waits::ForDevices,
    }
}

impl Base {
    /// For the events of the log with this header.
    #[must_use]
    pub fn new(header: &Header) -> Self {
        Self {
            model: Model::of(header),
            calls: Calls::default(),
            groups: Groups::default(),
            processes: Processes::default(),
            timeline: Timeline::new(header),
            searchers: Searchers::new(header.cwd.as_bytes()),
            watch: Watch::default(),
            span: None,
        }
    }

    /// Takes in one event. Gives what is known of it if it is a system call.
    pub fn add<'a>(&mut self, event: &Event<'a>) -> Option<Seen<'a>> {
        self.watch.add(event);
        let is_late = event.kind == Kind::Mark && event.text == Some(mark::OFF_CPU.as_bytes());
        // Samples and times off CPUs stand behind what they are about, the end of their process too.
        if !event.kind.happened() || is_late || matches!(event.kind, Kind::Lost | Kind::Sample) {
            return None;
        }
        let end_ns = event.end_ns.map_or(event.start_ns, |end| end.max(event.start_ns));
        let (start, end) = self.span.get_or_insert((event.start_ns, end_ns));
        *start = event.start_ns.min(*start);
        *end = end_ns.max(*end);

        if event.kind != Kind::Syscall {
            let process = self.processes.add(event, false);
            self.timeline.see(event, process, None);
            self.searchers.see(event, process, None, &self.processes);
            return None;
        }
        let call = self.calls.id(event.abi, event.nr);
        let known = self.calls.get(call);
        let process = self.processes.add(event, known.role == Role::Exec);
        if event.ret.is_none() && known.spec.is_none_or(|spec| spec.ret != Ret::Never) {
            self.watch.never_returned();
        }
        let segment = self.timeline.see(event, process, Some(known));
        let caller = self.searchers.see(event, process, Some(known), &self.processes);
        let by_name = known.takes_path() && event.path.is_some_and(|path| !path.is_empty());
        let searcher = Some(caller).filter(|_| by_name);
        let object = filesystem::object(event);
        let errno = event.errno().map_or(0, |errno| errno as u16);
        let on_file = filesystem::is_file_work(known.family(), object);
        let empty = event.ret == Some(0) && matches!(known.family(), Family::Read | Family::Readdir);
        let group = Group::new(call, on_file, errno != 0, event.flags.has(Flags::BESIDE)).empty(empty);
        let duration_ns = match self.model.quality {
            Quality::Replayed => event.replayed_ns,
            _ => event.duration_ns().filter(|_| event.ret.is_some()),
        };
        self.groups.record(group, duration_ns);
        Some(Seen { call, group, object, errno, duration_ns, process, caller, searcher, segment })
    }

    /// The prices of calls, once all events are in.
    pub fn prices(&mut self) -> Prices {
        let mut model = self.model;
        model.set_beside(self.watch.total("beside_p50_ns"), self.watch.total("beside_added_ns"));
        let calls = &self.calls;
        let alone = self.processes.is_one_thread();
        self.groups.prices(model, alone, |group| {
            let family = calls.find(group.call()).map_or(Family::Other, Call::family);
            waits(family, group.on_file())
        })
    }

    /// Elapsed time from the first event to the last.
    #[must_use]
    pub fn span_ns(&self) -> u64 {
        self.span.map_or(0, |(start, end)| end - start)
    }
}
