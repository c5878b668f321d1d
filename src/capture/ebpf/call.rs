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
use super::wire::{Head, Piece, flag, pieces};
use crate::event::{self, Abi, Event, FileStat, Flags, mark};

impl<S: Sink> Session<'_, S> {
    /// A call has returned, or never will.
    pub(super) fn call(&mut self, head: &Head, bytes: &[u8]) {
        let abi = Abi::ALL.get(usize::from(head.abi)).copied().unwrap_or_default();
        let plan = plan::of(abi, head.nr);
        if !self.recording {
            // Our own child's, unless it dies of it: then it was the command's end.
            if plan.effect == Effect::Exec {
                self.first_exec = Some(FirstExec { head: *head, pieces: bytes.to_vec(), signal: None });
            }
            return;
        }
        // The last: what could not be read in whole is told again.
        let words = pieces(bytes).filter(|(piece, _)| *piece == Piece::Argv).last().map(|(_, words)| words);
        let thread = self.known(head);
        // Who has made the call, which may have another number since (execve(2), "Effect on threads").
        let caller = thread.exec.as_ref().map_or(head.tid, |(exec, _)| exec.args[0] as u32);
        let begins = self.push_exec(head.tid, words);
        self.push_call(Made { head, abi, plan, caller }, bytes);
        if begins {
            self.mark(&Head { start_ns: head.end_ns, ..*head }, mark::ENTRY);
        }
        if plan.effect == Effect::IoUring {
            self.mark(head, mark::IO_URING);
        }
    }

    fn push_call(&mut self, Made { head, abi, plan, caller }: Made<'_>, bytes: &[u8]) {
        let thread = self.known(head);
        let mut flags = flags(head.flags);
        if is_restart(thread, head, abi, plan.effect) {
            flags.set(Flags::RESTARTED);
        }
        let comm = thread.comm;
        let mut args = [0; 6];
        let taken = usize::from(plan.arg_count);
        args[..taken].copy_from_slice(&head.args[..taken]);
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        let files = head.file.map(|identity| self.names.get(identity));
        let parts = Parts::of(plan, abi, bytes, &mut text);
        let absolute = [0, 1].map(|slot| {
            let (path, at) = (parts.paths[slot]?, plan.paths[slot]?);
            let range = self.push_absolute_of(&mut text, (head, plan), &files, path, at);
            if range.is_none() && !path.is_empty() {
                flags.set(Flags::BASE_UNKNOWN);
            }
            range
        });
        let part = |range: Option<Range<usize>>| range.and_then(|range| text.get(range));
        let ret = (head.flags & flag::RETURNED != 0).then_some(head.ret);
        let [path_abs, path2_abs] = absolute.map(part);
        let made = Event {
            pid: head.pid,
            tid: caller,
            comm: until_nul(&comm),
            start_ns: self.time(head.start_ns),
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
            flags,
            ..Event::new(event::Kind::Syscall)
        };
        self.sink.push(&made);
        self.text = text;
    }

    /// Appends the absolute form of a path to the text.
    fn push_absolute_of(
        &self,
        text: &mut Vec<u8>,
        (head, plan): (&Head, &Plan),
        files: &[Option<Rc<[u8]>>; 2],
        path: &[u8],
        at: PathArg,
    ) -> Option<Range<usize>> {
        let base = match Base::of(path, at, plan, &head.args) {
            Base::Root => None,
            Base::File(slot) => Some(files[slot].clone()?),
            Base::Cwd => Some(self.names.get(head.cwd)?),
            Base::Nothing => return None,
        };
        let root = self.names.get(head.root).filter(|root| **root != *b"/");
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
    abi: Abi,
    plan: &'a Plan,
    caller: u32,
}

/// Whether the call goes on with an interrupted one; remembers what it means for the calls to come.
fn is_restart(thread: &mut Thread, head: &Head, abi: Abi, effect: Effect) -> bool {
    let is_restart = thread.interrupted.is_restart(head.nr, head.ip, is_restart_syscall(abi, head.nr));
    if head.flags & flag::RETURNED != 0 && asks_for_restart(head.ret) {
        thread.interrupted.push(head.nr, head.ip);
    } else if effect == Effect::Sigreturn {
        thread.interrupted.handler_returned(head.extra);
    }
    is_restart
}

fn flags(bits: u16) -> Flags {
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
struct Parts<'a> {
    paths: [Option<&'a [u8]>; 2],
    text: Option<&'a [u8]>,
    /// Text that was made of a structure.
    made: Option<Range<usize>>,
    peer: Option<Range<usize>>,
    argv: Option<&'a [u8]>,
    stat: Option<FileStat>,
}

impl<'a> Parts<'a> {
    fn of(plan: &Plan, abi: Abi, bytes: &'a [u8], text: &mut Vec<u8>) -> Self {
        let mut parts = Self { paths: [None; 2], text: None, made: None, peer: None, argv: None, stat: None };
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
                Piece::Effect => parts.made = layout::push_open_how(text, bytes),
            }
        }
        parts
    }
}
