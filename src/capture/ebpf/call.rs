//! The record of a call into its event: its pieces, absolute paths, and whether it is a restart.

use std::ops::Range;
use std::rc::Rc;

use super::super::Sink;
use super::super::decode::effect::Effect;
use super::super::decode::layout;
use super::super::decode::paths::{Base, push_absolute};
use super::super::decode::plan::{self, PathArg, Plan, ResultFact};
use super::super::decode::restart::{asks_for_restart, is_restart_syscall};
use super::super::decode::sockaddr;
use super::session::{FirstExec, Session, Thread, until_nul};
use super::stacks::Done;
use super::wire::{Head, Itself, Piece, Words, flag, numbers, pieces};
use crate::event::{self, Abi, Event, FileStat, Flags, mark};
use crate::syscall::passed::{CloneRange, CopyOffsets, FileLock};

/// Names of the files behind a call's descriptors.
type Files = [Option<Rc<[u8]>>; 2];

impl<S: Sink> Session<'_, S> {
    /// A call has returned, or never will.
    pub(super) fn call(&mut self, head: &Head, words: &Words, bytes: &[u8]) {
        let abi = Abi::ALL.get(usize::from(head.abi)).copied().unwrap_or_default();
        let plan = plan::of(abi, head.nr);
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        let parts = Parts::of(plan, abi, words, bytes, &mut text);
        self.learn(head, parts.news);
        if !self.recording {
            self.text = text;
            // Our own child's, unless it dies of it: then it was the command's end.
            if plan.effect == Effect::Exec {
                self.first_exec =
                    Some(FirstExec { head: *head, words: *words, pieces: bytes.to_vec(), signal: None });
            }
            return;
        }
        let thread = self.known(head);
        // Who has made the call, which may have another number since (execve(2), "Effect on threads").
        let caller = thread.exec.as_ref().map_or(head.tid, |exec| exec.former);
        let begins = self.push_exec(head.tid, parts.argv);
        self.push_call(Made { head, words, abi, plan, caller }, &parts, &mut text);
        self.text = text;
        if begins {
            self.mark(&Head { start_ns: head.end_ns, ..*head }, mark::ENTRY);
        }
        if plan.effect == Effect::IoUring {
            self.mark(head, mark::IO_URING);
        }
    }

    /// Takes in what the record says of its thread.
    fn learn(&mut self, head: &Head, news: Option<Itself>) {
        let Some(news) = news else { return };
        let thread = self.known(head);
        thread.places = [news.cwd, news.root];
        if thread.comm[0] == 0 {
            // Its birth was not told.
            thread.comm = news.comm;
        }
    }

    fn push_call(&mut self, made: Made<'_>, parts: &Parts<'_>, text: &mut Vec<u8>) {
        let Made { head, words, abi, plan, caller } = made;
        let thread = self.known(head);
        let mut flags = flags(head.flags);
        if is_restart(thread, &made, parts.extra) {
            flags.set(Flags::RESTARTED);
        }
        // The kernel's side takes all for members from the beginning.
        let met_inside = head.flags & flag::ENTERED_BEFORE != 0;
        let start_ns =
            if met_inside { head.start_ns.max(thread.joined_ns).min(head.end_ns) } else { head.start_ns };
        let comm = thread.comm;
        let mut args = [0; 6];
        let taken = usize::from(plan.arg_count);
        args[..taken].copy_from_slice(&words.0[..taken]);
        let places = thread.places;
        let files: Files = parts.files.map(|identity| self.names.get(identity));
        let absolute = [0, 1].map(|slot| {
            let (path, at) = (parts.paths[slot]?, plan.paths[slot]?);
            let range = self.push_absolute_of(text, (&args, plan), (places, &files), path, at);
            if range.is_none() && !path.is_empty() {
                flags.set(Flags::BASE_UNKNOWN);
            }
            range
        });
        let stack = self.stacks.as_mut().and_then(|stacks| {
            let done = Done { head, abi, args: &args, file: parts.files[0] };
            let stack = stacks.of_call(head.tid);
            stacks.returned(done, &self.names);
            stack
        });
        let part = |range: Option<Range<usize>>| range.and_then(|range| text.get(range));
        let ret = (head.flags & flag::RETURNED != 0).then_some(head.ret);
        let [path_abs, path2_abs] = absolute.map(part);
        let made = Event {
            pid: head.pid,
            tid: caller,
            comm: until_nul(&comm),
            start_ns: self.time(start_ns),
            end_ns: ret.map(|_| self.time(head.end_ns)),
            abi,
            nr: head.nr,
            args,
            ret,
            ip: head.ip,
            path: parts.paths[0],
            path_abs,
            path2: parts.paths[1],
            path2_abs,
            file: files[0].as_deref(),
            file2: files[1].as_deref(),
            text: parts.text.or_else(|| part(parts.made.clone())),
            peer: part(parts.peer.clone()),
            argv: parts.argv,
            stat: parts.stat,
            stack,
            flags,
            ..Event::new(event::Kind::Syscall)
        };
        self.sink.push(&made);
    }

    /// Appends the absolute form of a path to the text.
    fn push_absolute_of(
        &self,
        text: &mut Vec<u8>,
        (args, plan): (&[u64; 6], &Plan),
        (places, files): ([u64; 2], &Files),
        path: &[u8],
        at: PathArg,
    ) -> Option<Range<usize>> {
        let [cwd, root] = places;
        let base = match Base::of(path, at, plan, args) {
            Base::Root => None,
            Base::File(slot) => Some(files[slot].clone()?),
            Base::Cwd => Some(self.names.get(cwd)?),
            Base::Nothing => return None,
        };
        let root = self.names.get(root).filter(|root| **root != *b"/");
        let begin = text.len();
        text.extend_from_slice(path);
        let end = text.len();
        let (root, base) = (root.as_deref().unwrap_or_default(), base.as_deref().unwrap_or_default());
        push_absolute(text, root, base, begin..end);
        Some(end..text.len())
    }
}

/// A call and who has made it.
#[derive(Clone, Copy)]
struct Made<'a> {
    head: &'a Head,
    words: &'a Words,
    abi: Abi,
    plan: &'a Plan,
    caller: u32,
}

/// Whether the call goes on with an interrupted one; remembers what it means for the calls to come.
fn is_restart(thread: &mut Thread, made: &Made<'_>, extra: u64) -> bool {
    let Made { head, abi, plan, .. } = *made;
    let is_restart = thread.interrupted.is_restart(head.nr, head.ip, is_restart_syscall(abi, head.nr));
    if head.flags & flag::RETURNED != 0 && asks_for_restart(head.ret) {
        thread.interrupted.push(head.nr, head.ip);
    } else if plan.effect == Effect::Sigreturn {
        thread.interrupted.handler_returned(extra);
    }
    is_restart
}

fn flags(bits: u8) -> Flags {
    let mut flags = Flags::default();
    for (bit, flag) in [
        (flag::UNREADABLE0, Flags::PATH_UNREADABLE),
        (flag::UNREADABLE1, Flags::PATH2_UNREADABLE),
        (flag::RESULT_UNREADABLE, Flags::RESULT_UNREADABLE),
        (flag::TRUNCATED, Flags::TRUNCATED),
        (flag::ENTERED_BEFORE, Flags::NO_ENTRY),
    ] {
        if bits & bit != 0 {
            flags.set(flag);
        }
    }
    flags
}

/// What the pieces of a call's record hold.
#[derive(Default)]
struct Parts<'a> {
    paths: [Option<&'a [u8]>; 2],
    text: Option<&'a [u8]>,
    /// Text that was made of a structure.
    made: Option<Range<usize>>,
    peer: Option<Range<usize>>,
    /// What could not be read in whole is told again: the last.
    argv: Option<&'a [u8]>,
    stat: Option<FileStat>,
    /// Identities of files behind descriptors.
    files: [u64; 2],
    /// Where a signal handler's return leads to.
    extra: u64,
    /// What the record says of its thread.
    news: Option<Itself>,
}

impl<'a> Parts<'a> {
    fn of(plan: &Plan, abi: Abi, words: &Words, bytes: &'a [u8], text: &mut Vec<u8>) -> Self {
        let mut parts = Self::default();
        let mut passed = [None; 2];
        for (piece, bytes) in pieces(bytes) {
            match piece {
                Piece::Path(slot) => parts.paths[slot] = Some(bytes),
                Piece::Text => parts.text = Some(bytes),
                Piece::Argv => parts.argv = Some(bytes),
                Piece::Peer => {
                    let begin = text.len();
                    sockaddr::push_text(text, bytes);
                    parts.peer = Some(begin..text.len());
                }
                Piece::Result => match plan.result {
                    ResultFact::Stat(layout, _) => {
                        parts.stat = Some(layout::stat(layout, abi == Abi::X86_64, bytes));
                    }
                    ResultFact::Cwd(_) => parts.text = Some(bytes.strip_suffix(b"\0").unwrap_or(bytes)),
                    _ => parts.text = Some(bytes),
                },
                Piece::Effect if plan.effect == Effect::Openat2 => {
                    parts.made = layout::push_open_how(text, bytes);
                }
                Piece::Effect => passed = [passed[1], Some(bytes)],
                Piece::Files => parts.files = numbers(bytes),
                Piece::Extra => [parts.extra] = numbers(bytes),
                Piece::Itself => parts.news = bytemuck::try_pod_read_unaligned(bytes).ok(),
            }
        }
        if let [first, Some(last)] = passed {
            parts.made = push_passed(plan.effect, words, [first, Some(last)], text);
        }
        parts
    }
}

/// Appends the text of what the call was passed by address: the last one or two pieces that were read.
fn push_passed(
    effect: Effect,
    words: &Words,
    pieces: [Option<&[u8]>; 2],
    text: &mut Vec<u8>,
) -> Option<Range<usize>> {
    let whole = || pieces[1]?.try_into().ok();
    let offset = |piece: Option<&[u8]>| Some(i64::from_le_bytes(piece?.try_into().ok()?));
    let [first, last] = pieces;
    match effect {
        Effect::Fcntl => Some(FileLock::from_bytes(whole()?).push(text)),
        Effect::Ioctl => Some(CloneRange::from_bytes(whole()?).push(text)),
        Effect::SendFile => CopyOffsets { from: offset(last), to: None }.push(text),
        // One piece for each that is not null; with less, which was read is not known.
        Effect::CopyRange => match (words.0[1] != 0, words.0[3] != 0) {
            (true, true) => CopyOffsets { from: Some(offset(first)?), to: offset(last) }.push(text),
            (true, false) => CopyOffsets { from: offset(last), to: None }.push(text),
            (false, true) => CopyOffsets { from: None, to: offset(last) }.push(text),
            (false, false) => None,
        },
        _ => None,
    }
}
