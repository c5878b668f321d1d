//! Frames that were seen before, known again without reading their names.
//!
//! A frame's names and its table of lines are some eight pieces of memory. Most frames of a call were there
//! at the call before. So only what tells frames apart is read: the code object's address, the position in it, and of
//! the code object what never changes, because another can lie at the same address later. If all of a stack's frames are
//! known, that is the stack; if one is not, its names are read, and it is known from then on.

use rustc_hash::FxHashMap;

use super::super::super::sys::memory::{MOST_SPANS, Span, read_spans};
use super::layout::{Innermost, LONGEST_HEAD, LONGEST_IDENTITY, Layout, Root};
use super::memory::{field, int, read, word};

/// Threads and frames of an interpreter looked at, as py-spy does.
const MOST: usize = 4096;
/// In the place of a frame's number: it is of no function that anybody wrote.
pub const NO_FUNCTION: u32 = 0;
/// Frames remembered.
const MOST_KNOWN: usize = 1 << 18;

/// Low bits of a pointer to a code object that say how the frame refers to it (`Py_TAG_BITS`), since 3.14.
const TAG: u64 = 7;

/// What tells a frame apart from others: its code object, and the position in it.
pub type Place = (u64, u64);

/// Of a code object, what never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Fields of its own.
    pub fields: [u8; LONGEST_IDENTITY],
    /// A hash of its names and table of lines, where these were read: others can lie at the same addresses later. 0: not known.
    pub contents: u64,
}

/// See the module's documentation.
pub struct Memo {
    layout: Layout,
    known: FxHashMap<Place, (u32, Box<Identity>)>,
    /// The frames of the present stack, innermost first.
    places: Vec<Place>,
    identities: Vec<Identity>,
}

impl Memo {
    pub fn new(layout: Layout) -> Self {
        Self { layout, known: FxHashMap::default(), places: Vec::new(), identities: Vec::new() }
    }

    /// Looks at the frames of a stopped thread. False: it cannot be read, or is none of the interpreter's. `pointer` is
    /// what its segment register points to.
    pub fn look(&mut self, pid: i32, tid: i32, pointer: u64) -> bool {
        self.places.clear();
        self.identities.clear();
        self.walk(pid, if self.layout.is_tid { tid as u64 } else { pointer }).is_some()
            && self.identify(pid).is_some()
    }

    /// Whether there is no thread yet, or none any more, that could run a function.
    pub fn is_idle(&self, pid: i32) -> bool {
        let interpreter = self.youngest(pid);
        let first = |interpreter| word(pid, interpreter, self.layout.first_thread);
        interpreter.is_some_and(|interpreter| interpreter == 0 || first(interpreter) == Some(0))
    }

    /// Appends the numbers of the frames looked at, outermost first. False, and nothing is appended: some are not known.
    pub fn known(&self, out: &mut Vec<u32>) -> bool {
        let begin = out.len();
        for (place, identity) in self.places.iter().zip(&self.identities).rev() {
            let Some(frame) = self.number(place, identity) else {
                out.truncate(begin);
                return false;
            };
            out.extend((frame != NO_FUNCTION).then_some(frame));
        }
        true
    }

    /// The frames looked at, innermost first.
    pub fn places(&mut self) -> impl Iterator<Item = (&Place, &mut Identity)> {
        self.places.iter().zip(&mut self.identities)
    }

    /// One of them, counted from the innermost.
    pub fn place(&mut self, index: usize) -> Option<(Place, &mut Identity)> {
        Some((*self.places.get(index)?, self.identities.get_mut(index)?))
    }

    /// The number of a frame looked at, if it is known.
    pub fn number(&self, place: &Place, identity: &Identity) -> Option<u32> {
        self.known.get(place).filter(|(_, known)| **known == *identity).map(|(frame, _)| *frame)
    }

    /// These are the numbers of the frames looked at, innermost first. False: they are not as many, so what was read does
    /// not mean what it is taken for.
    pub fn learn(&mut self, frames: &[u32]) -> bool {
        if frames.len() != self.places.len() {
            return false;
        }
        if self.known.len() > MOST_KNOWN {
            self.known.clear();
        }
        for ((place, identity), frame) in self.places.iter().zip(&self.identities).zip(frames) {
            self.known.insert(*place, (*frame, Box::new(*identity)));
        }
        true
    }

    fn walk(&mut self, pid: i32, thread: u64) -> Option<()> {
        let (_, length) = self.layout.heads();
        let mut frame = self.innermost(pid, thread)?;
        let mut head = [0; LONGEST_HEAD];
        while frame != 0 {
            read(pid, frame, &mut head[..length])?;
            frame = self.push(pid, &head[..length])?;
        }
        Some(())
    }

    /// The interpreter that was made last, as far as it is known.
    fn youngest(&self, pid: i32) -> Option<u64> {
        match self.layout.root {
            Root::From(interpreter) => Some(interpreter),
            Root::First(at) => word(pid, at, 0),
        }
    }

    /// The innermost frame of a thread, or 0; `None`: no interpreter knows the thread, or nobody knows in which of several it
    /// runs.
    fn innermost(&self, pid: i32, thread: u64) -> Option<u64> {
        let mut interpreter = self.youngest(pid)?;
        // The innermost frame in one that was made by another, and what was found elsewhere.
        let (mut made, mut found) = (None, None);
        for _ in 0..MOST {
            if interpreter == 0 {
                break;
            }
            let next = word(pid, interpreter, self.layout.next_interpreter)?;
            let is_made = next != 0;
            let frame = if is_made && self.layout.moves {
                self.rests(pid, interpreter).then_some(())?;
                None
            } else {
                self.innermost_of(pid, interpreter, thread)
            };
            match frame {
                // Which of two is called by the other?
                Some(frame) if is_made && frame != 0 && made.is_some() => return None,
                Some(frame) if is_made && frame != 0 => made = Some(frame),
                _ => found = found.max(frame),
            }
            interpreter = next;
        }
        made.or(found)
    }

    /// Whether no thread runs a function in an interpreter, as far as can be read.
    fn rests(&self, pid: i32, interpreter: u64) -> bool {
        self.any_state(pid, interpreter, |head| (self.frame(pid, head) != Some(0)).then_some(())).is_none()
    }

    /// The innermost frame of a thread, or 0, by what one interpreter knows.
    fn innermost_of(&self, pid: i32, interpreter: u64, thread: u64) -> Option<u64> {
        self.any_state(pid, interpreter, |head| {
            (field(head, self.layout.thread) == thread).then(|| self.frame(pid, head))
        })?
    }

    /// The innermost frame that a thread's state leads to, or 0.
    fn frame(&self, pid: i32, head: &[u8]) -> Option<u64> {
        match self.layout.innermost {
            Innermost::At(at) => Some(field(head, at)),
            Innermost::Behind(at, then) => word(pid, field(head, at), then),
        }
    }

    /// What is wanted of the first thread's state of an interpreter that has it.
    fn any_state<T>(&self, pid: i32, interpreter: u64, wanted: impl Fn(&[u8]) -> Option<T>) -> Option<T> {
        let (length, _) = self.layout.heads();
        let mut head = [0; LONGEST_HEAD];
        let head = &mut head[..length];
        let mut state = word(pid, interpreter, self.layout.first_thread)?;
        for _ in 0..MOST {
            if state == 0 {
                break;
            }
            read(pid, state, head)?;
            if let Some(found) = wanted(head) {
                return Some(found);
            }
            state = field(head, self.layout.next_thread);
        }
        None
    }

    /// Takes a frame down. Gives its caller's.
    fn push(&mut self, pid: i32, frame: &[u8]) -> Option<u64> {
        let Layout { back, code, owner, .. } = self.layout;
        if owner.is_none_or(|(at, none)| frame.get(at).is_some_and(|owner| *owner < none)) {
            if self.places.len() >= MOST {
                return None;
            }
            let code = field(frame, code) & !TAG;
            let position = self.position(pid, frame, code)?;
            self.places.push((code, position));
        }
        Some(field(frame, back))
    }

    /// Where a frame is in its code.
    fn position(&self, pid: i32, frame: &[u8], code: u64) -> Option<u64> {
        let (at, length) = self.layout.position;
        // Before the first instruction it is negative.
        let position = if length == 4 {
            i64::from(int(frame, at).cast_signed()).cast_unsigned()
        } else {
            field(frame, at)
        };
        let Some(bytecode) = self.layout.bytecode else { return Some(position) };
        let copy = bytecode.copies.map(|(index, list)| (int(frame, index), list));
        let begin = match copy.filter(|(index, _)| *index != 0) {
            None => code.wrapping_add(bytecode.at as u64),
            // How many there are, and then each.
            Some((index, list)) => {
                let list = word(pid, code, list)?;
                (u64::from(index) < word(pid, list, 0)?).then_some(())?;
                word(pid, list, 8 + 8 * index as usize)?
            }
        };
        Some(position.wrapping_sub(begin))
    }

    /// Reads what tells the code objects apart.
    fn identify(&mut self, pid: i32) -> Option<()> {
        let (at, length) = self.layout.identity;
        for places in self.places.chunks(MOST_SPANS) {
            let mut spans = [Span { address: 0, length }; MOST_SPANS];
            for (span, (code, _)) in spans.iter_mut().zip(places) {
                span.address = code.wrapping_add(at as u64);
            }
            let mut bytes = [0; LONGEST_IDENTITY * MOST_SPANS];
            let bytes = &mut bytes[..length * places.len()];
            let read = read_spans(pid, &spans[..places.len()], bytes).ok()?;
            (read == bytes.len()).then_some(())?;
            self.identities.extend(bytes.chunks_exact(length).map(|part| {
                let mut fields = [0; LONGEST_IDENTITY];
                fields[..length].copy_from_slice(part);
                Identity { fields, contents: 0 }
            }));
        }
        Some(())
    }
}
