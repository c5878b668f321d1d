//! Frames that were seen before, known again without reading their names.
//!
//! py-spy reads some eight pieces of memory a frame: its names and its table of lines. Most frames of a call were there
//! at the call before. So only what tells frames apart is read: the code object's address, the position in it, and of
//! the code object what never changes, because another can lie at the same address later. If all of a stack's frames are
//! known, that is the stack; if one is not, py-spy reads it, and all are known from then on.

use rustc_hash::FxHashMap;

use super::super::super::sys::memory::{MOST_SPANS, Span, read_spans};
use super::layout::{HEAD, Innermost, LONGEST_IDENTITY, Layout};

/// Threads and frames of an interpreter looked at, as py-spy does.
const MOST: usize = 4096;
/// Frames remembered.
const MOST_KNOWN: usize = 1 << 18;

/// What tells a frame apart from others: its code object, and the position in it.
type Place = (u64, u64);

/// Of a code object, what never changes.
type Identity = [u8; LONGEST_IDENTITY];

/// See the module's documentation.
pub struct Memo {
    layout: Layout,
    interpreter: u64,
    known: FxHashMap<Place, (u32, Box<Identity>)>,
    /// The frames of the present stack, innermost first.
    places: Vec<Place>,
    identities: Vec<Identity>,
}

impl Memo {
    pub fn new(layout: Layout, interpreter: u64) -> Self {
        Self { layout, interpreter, known: FxHashMap::default(), places: Vec::new(), identities: Vec::new() }
    }

    /// Looks at the frames of a stopped thread. False: it cannot be read, or is none of the interpreter's. `pointer` is
    /// what its segment register points to.
    pub fn look(&mut self, pid: i32, tid: i32, pointer: u64) -> bool {
        self.places.clear();
        self.identities.clear();
        self.walk(pid, if self.layout.is_tid { tid as u64 } else { pointer }).is_some()
            && self.identify(pid).is_some()
    }

    /// Appends the numbers of the frames looked at, outermost first. False, and nothing is appended: some are not known.
    pub fn known(&self, out: &mut Vec<u32>) -> bool {
        let begin = out.len();
        for (place, identity) in self.places.iter().zip(&self.identities).rev() {
            match self.known.get(place) {
                Some((frame, known)) if **known == *identity => out.push(*frame),
                _ => {
                    out.truncate(begin);
                    return false;
                }
            }
        }
        true
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
        let layout = self.layout;
        let mut state = pointer(pid, self.interpreter, layout.first_thread)?;
        for _ in 0..MOST {
            let head = head(pid, state)?;
            if field(&head, layout.thread) == thread {
                let mut frame = match layout.innermost {
                    Innermost::At(at) => field(&head, at),
                    Innermost::Behind(at, then) => pointer(pid, field(&head, at), then)?,
                };
                while frame != 0 {
                    frame = self.push(&self::head(pid, frame)?)?;
                }
                return Some(());
            }
            state = field(&head, layout.next_thread);
            if state == 0 {
                return None;
            }
        }
        None
    }

    /// Takes a frame down. Gives its caller's.
    fn push(&mut self, frame: &[u8; HEAD]) -> Option<u64> {
        let Layout { back, code, position: (at, length), owner, .. } = self.layout;
        let position = if length == 4 { field(frame, at) & 0xffff_ffff } else { field(frame, at) };
        if owner.is_none_or(|(at, none)| frame[at] != none) {
            if self.places.len() >= MOST {
                return None;
            }
            self.places.push((field(frame, code), position));
        }
        Some(field(frame, back))
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
                let mut identity = [0; LONGEST_IDENTITY];
                identity[..length].copy_from_slice(part);
                identity
            }));
        }
        Some(())
    }
}

/// The first bytes at an address.
fn head(pid: i32, address: u64) -> Option<[u8; HEAD]> {
    let mut bytes = [0; HEAD];
    // What lies at the end of a mapping is read as far as it goes: the rest are fields of nothing.
    let span = |length| Span { address, length };
    let read = read_spans(pid, &[span(HEAD)], &mut bytes).ok().filter(|read| *read == HEAD);
    let to_page = (4096 - (address % 4096) as usize).min(HEAD);
    match read {
        None if to_page >= 128 => {
            read_spans(pid, &[span(to_page)], &mut bytes[..to_page]).ok().filter(|read| *read == to_page)?
        }
        read => read?,
    };
    Some(bytes)
}

/// The pointer at an offset from an address.
fn pointer(pid: i32, address: u64, offset: usize) -> Option<u64> {
    let mut bytes = [0; 8];
    let span = Span { address: address.wrapping_add(offset as u64), length: 8 };
    (read_spans(pid, &[span], &mut bytes).ok()? == 8).then_some(u64::from_ne_bytes(bytes))
}

fn field(bytes: &[u8; HEAD], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_ne_bytes)
}
