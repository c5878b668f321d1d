//! Makes a [`Profile`] of the events of one run.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};

use super::act::Act;
use super::critical::CriticalPath;
use super::installers;
use super::measure::Measure;
use super::places::{self, Place, place};
use super::profile::{Dimension, Profile, Setting, Tally};
use crate::analysis::base::{Base, Seen};
use crate::analysis::cost::{Cell, Group, LONG_NS, Prices, Quality};
use crate::analysis::intern::{Id, Interner};
use crate::analysis::process::ProcessId;
use crate::analysis::text::{Text, arguments, directory};
use crate::event::{Event, Kind};
use crate::log::Header;
use crate::syscall::{Family, Ret};

/// Most directories that are kept of a run, those with most calls.
const MOST_DIRECTORIES: usize = 20_000;
/// Most processes whose connections are remembered.
const MOST_PROCESSES: usize = 4096;
/// Most packages whose versions are remembered.
const MOST_PACKAGES: usize = 1024;
/// The kernel moves no more than this in one call (read(2)).
const MOST_MOVED: u64 = 0x7fff_f000;

/// Takes the events of one run.
#[derive(Debug)]
pub struct Profiler {
    base: Base,
    path: CriticalPath,
    setting: Setting,
    objects: Interner,
    cells: FxHashMap<(Id, Group), Cell>,
    acts: Vec<Option<Act>>,
    figures: BTreeMap<Measure, u64>,
    /// Directories of packages in which files were made.
    targets: Vec<Vec<u8>>,
    /// Those that have talked over a network.
    connected: FxHashSet<ProcessId>,
    peers: BTreeSet<Text>,
    bytes: [u64; 2],
}

impl Profiler {
    /// For the events of the log with this header.
    #[must_use]
    pub fn new(header: &Header) -> Self {
        let setting = Setting {
            host: header.host.clone(),
            backend: header.backend.clone(),
            writer: header.writer.clone(),
            ..Setting::default()
        };
        Self {
            base: Base::new(header),
            path: CriticalPath::default(),
            setting,
            objects: Interner::default(),
            cells: FxHashMap::default(),
            acts: Vec::new(),
            figures: BTreeMap::new(),
            targets: Vec::new(),
            connected: FxHashSet::default(),
            peers: BTreeSet::new(),
            bytes: [0; 2],
        }
    }

    /// Takes in one event.
    pub fn add(&mut self, event: &Event<'_>) {
        let Some(seen) = self.base.add(event) else {
            if matches!(event.kind, Kind::Exec | Kind::Exit) {
                self.path.lifecycle(event, self.base.processes.current());
            }
            return;
        };
        let object = seen.object.unwrap_or_default();
        // Each pipe has its own name; as a kind they are one.
        let object = crate::analysis::filesystem::not_a_file(object).map_or(object, str::as_bytes);
        let id = self.objects.id(object);
        self.cells.entry((id, seen.group)).or_default().add(seen.duration_ns);
        let call = self.base.calls.get(seen.call);
        self.path.add(event, &seen, call, self.base.model.stop(seen.group));
        let family = call.family();
        let at = usize::from(seen.call);
        if self.acts.len() <= at {
            self.acts.resize(at + 1, None);
        }
        let act = *self.acts[at].get_or_insert_with(|| Act::of(call));
        if matches!(family, Family::Read | Family::Write | Family::Network)
            && call.spec.is_some_and(|spec| spec.ret == Ret::Size)
        {
            let moved =
                event.ret.and_then(|ret| u64::try_from(ret).ok()).filter(|moved| *moved <= MOST_MOVED);
            let sends = family == Family::Write || call.name.starts_with("send");
            let sum = &mut self.bytes[usize::from(sends)];
            *sum = sum.saturating_add(moved.unwrap_or(0));
        }
        self.network(event, &seen);
        if act != Act::Other && event.ret.is_some_and(|ret| ret >= 0) {
            self.act(act, event);
        }
    }

    fn count(&mut self, measure: Measure, more: u64) {
        *self.figures.entry(measure).or_default() += more;
    }

    fn act(&mut self, act: Act, event: &Event<'_>) {
        let made = act.made(event);
        let measure = match act {
            Act::Open(_) if made.is_none() => None,
            Act::Open(_) | Act::Create => Some(Measure::Created),
            Act::Link => Some(Measure::HardLinks),
            Act::Symlink => Some(Measure::Symlinks),
            Act::Rename => Some(Measure::Renamed),
            Act::Delete => Some(Measure::Deleted),
            Act::Directory => Some(Measure::Directories),
            Act::Copy => Some(Measure::Copies),
            Act::Sync => Some(Measure::Syncs),
            Act::Control => act.is_reflink(event).then_some(Measure::Reflinks),
            Act::Connect | Act::Other => None,
        };
        if let Some(measure) = measure {
            self.count(measure, 1);
        }
        let Some(made) = made else { return };
        if made.ends_with(b".pyc") {
            self.count(Measure::Bytecode, 1);
        }
        if let Some(package) = installers::described(made)
            && self.setting.installed.len() < MOST_PACKAGES
            && !self.setting.installed.iter().any(|known| known.bytes() == package)
        {
            self.setting.installed.insert(package.into());
        }
        if let Some((target, _)) = places::packages(made)
            && !made.ends_with(b".pyc")
            && act != Act::Directory
            && !made.windows(13).any(|part| part == b"/__pycache__/")
            && !self.targets.iter().any(|known| known == target)
        {
            self.targets.push(target.to_vec());
        }
    }

    fn network(&mut self, event: &Event<'_>, seen: &Seen<'_>) {
        let known = self.base.calls.get(seen.call);
        let (name, family) = (&*known.name, known.family());
        let is_inet = |peer: &&[u8]| peer.starts_with(b"inet:") || peer.starts_with(b"inet6:");
        // A socket that is bound talks to nobody yet.
        if let Some(peer) = event.peer.filter(is_inet).filter(|_| name != "bind") {
            if self.connected.len() < MOST_PROCESSES {
                self.connected.insert(seen.process);
            }
            if self.peers.len() < MOST_PROCESSES {
                self.peers.insert(peer.into());
            }
        }
        if matches!(family, Family::Network | Family::Poll)
            && let Some(waited_ns) = seen.duration_ns.filter(|ns| *ns >= LONG_NS)
            && self.connected.contains(&seen.process)
        {
            self.count(Measure::NetworkWait, waited_ns);
        }
    }

    /// What the run does.
    #[must_use]
    pub fn finish(mut self) -> Profile {
        let prices = self.base.prices();
        self.whole_run();
        self.targets.extend(self.named_targets());
        let mut tallies = BTreeMap::new();
        let mut directories: FxHashMap<&[u8], u64> = FxHashMap::default();
        let mut known: Option<(Id, Place)> = None;
        let mut cells: Vec<_> = self.cells.iter().collect();
        cells.sort_unstable_by_key(|(key, _)| **key);
        let mut all = Tally { cost_ns: unless_unknown(&prices), ..Tally::default() };
        for (&(id, group), cell) in cells {
            let path = self.objects.get(id);
            let found = known
                .filter(|(last, _)| *last == id)
                .map_or_else(|| place(path, &self.targets), |(_, at)| at);
            known = Some((id, found));
            let call = self.base.calls.get(group.call());
            let cost_ns = prices.cost(group, cell);
            let tally =
                Tally { calls: cell.calls, failed: if group.failed() { cell.calls } else { 0 }, cost_ns };
            all.merge(tally);
            if found == Place::Cache && call.family() == Family::Read && !group.failed() {
                self.setting.cache_reads += cell.calls;
            }
            python(path, group, &mut self.setting.pythons);
            let names = [
                (Dimension::Family, call.family().name()),
                (Dimension::Place, found.name()),
                (Dimension::Syscall, &*call.name),
            ];
            for (dimension, name) in names {
                tallies
                    .entry((dimension, name))
                    .or_insert_with(|| Tally { cost_ns: unless_unknown(&prices), ..Tally::default() })
                    .merge(tally);
            }
            if found != Place::NoFile
                && let Some(directory) = directory(path)
            {
                *directories.entry(directory).or_default() += cell.calls;
            }
        }
        self.figures.insert(Measure::Calls, all.calls);
        self.figures.insert(Measure::Failed, all.failed);
        self.figures.extend(all.cost_ns.map(|cost_ns| (Measure::Cost, cost_ns)));
        self.setting.options = self.options();
        self.setting.resolved = self.resolved();
        let mut directories: Vec<(&[u8], u64)> = directories.into_iter().collect();
        directories.sort_unstable_by_key(|(name, calls)| (std::cmp::Reverse(*calls), *name));
        directories.truncate(MOST_DIRECTORIES);
        Profile {
            quality: prices.model.quality,
            tallies: tallies
                .into_iter()
                .map(|((dimension, name), tally)| ((dimension, name.into()), tally))
                .collect(),
            directories: directories.into_iter().map(|(name, calls)| (name.into(), calls)).collect(),
            programs: self.programs(),
            setting: self.setting,
            figures: self.figures,
            path: self.path.finish(),
            integrity: self.base.watch.finish(),
        }
    }

    fn whole_run(&mut self) {
        let list = self.base.processes.list();
        let threads = list.iter().map(|process| u64::from(process.threads)).sum();
        let programs = list.iter().map(|process| process.execs.len() as u64).sum();
        let whole = [
            (Measure::Processes, list.len() as u64),
            (Measure::Threads, threads),
            (Measure::Programs, programs),
            (Measure::BytesRead, self.bytes[0]),
            (Measure::BytesWritten, self.bytes[1]),
            (Measure::Connections, self.peers.len() as u64),
        ];
        self.figures.extend(whole);
    }

    fn words(&self) -> impl Iterator<Item = &[u8]> {
        let execs = self.base.processes.list().iter().flat_map(|process| &process.execs);
        execs.flat_map(|exec| arguments(self.base.processes.strings.get(exec.argv)))
    }

    /// Directories that the command is told to install to.
    fn named_targets(&self) -> Vec<Vec<u8>> {
        let words: Vec<&[u8]> = self.words().collect();
        let named = words.windows(2).filter(|pair| matches!(pair[0], b"--target" | b"--prefix"));
        let named = named.map(|pair| pair[1].strip_suffix(b"/").unwrap_or(pair[1]).to_vec());
        named.filter(|path| path.starts_with(b"/") && path.len() > 1).collect()
    }

    /// Options of installers that change what they do, whatever they install.
    fn options(&self) -> BTreeSet<Text> {
        const KNOWN: [&[u8]; 10] = [
            b"--no-deps",
            b"--no-index",
            b"--offline",
            b"--no-cache",
            b"--no-cache-dir",
            b"--no-compile",
            b"--compile-bytecode",
            b"--require-hashes",
            b"--force-reinstall",
            b"--no-build-isolation",
        ];
        let is_known = |word: &&[u8]| KNOWN.contains(word) || word.starts_with(b"--link-mode");
        self.words().filter(is_known).map(Text::from).collect()
    }

    /// Whether one of the installers that ran had to find out which versions go together.
    fn resolved(&self) -> Option<bool> {
        let execs = self.base.processes.list().iter().flat_map(|process| &process.execs);
        let asked = execs.filter_map(|exec| {
            let words: Vec<&[u8]> = arguments(self.base.processes.strings.get(exec.argv)).collect();
            installers::resolves(&words)
        });
        asked.reduce(|one, other| one || other)
    }

    fn programs(&self) -> BTreeSet<Text> {
        let execs = self.base.processes.list().iter().flat_map(|process| &process.execs);
        execs.map(|exec| Text::from(self.base.processes.strings.get(exec.path))).collect()
    }
}

fn unless_unknown(prices: &Prices) -> Option<u64> {
    (prices.model.quality != Quality::Unknown).then_some(0)
}

/// Notes which Python's library a path that was found is of.
fn python(path: &[u8], group: Group, pythons: &mut BTreeSet<Text>) {
    if group.failed() {
        return;
    }
    let mut parts = path.split(|&byte| byte == b'/').skip_while(|part| *part != b"lib").skip(1);
    let name = parts.next().filter(|name| name.starts_with(b"python") && name.contains(&b'.'));
    if let Some(name) = name.filter(|_| parts.next() == Some(b"encodings")) {
        pythons.insert(name.into());
    }
}
