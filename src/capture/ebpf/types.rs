//! The kernel's description of its types (BTF, `Documentation/bpf/btf.rst`), cut down to what is asked for.
//!
//! A kernel describes some 100,000 types; a loader that takes them all in spends longer on it than on everything else
//! together. So one pass looks for the structures that our programs read, and for the types of tracepoints, and a
//! description of no more than these structures goes to the loader. Pointers lead nowhere in it: where fields lie does not
//! depend on what they point to.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

const MAGIC: u16 = 0xeb9f;
const VERSION: u8 = 1;
const HEADER: usize = 24;

/// Kinds of types (`include/uapi/linux/btf.h`).
mod kind {
    pub const INT: u32 = 1;
    pub const PTR: u32 = 2;
    pub const ARRAY: u32 = 3;
    pub const STRUCT: u32 = 4;
    pub const UNION: u32 = 5;
    pub const ENUM: u32 = 6;
    pub const FWD: u32 = 7;
    pub const TYPEDEF: u32 = 8;
    pub const VOLATILE: u32 = 9;
    pub const CONST: u32 = 10;
    pub const RESTRICT: u32 = 11;
    pub const FUNC: u32 = 12;
    pub const FUNC_PROTO: u32 = 13;
    pub const VAR: u32 = 14;
    pub const DATASEC: u32 = 15;
    pub const FLOAT: u32 = 16;
    pub const DECL_TAG: u32 = 17;
    pub const TYPE_TAG: u32 = 18;
    pub const ENUM64: u32 = 19;
}

/// Typedefs and qualifiers in front of a type, at most.
const MOST_NAMES_OF_A_TYPE: usize = 32;

/// Why a description cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TypesError {
    /// It does not begin or end as one.
    #[error("it is no BTF, or cut short")]
    Damaged,
    /// What follows such a type cannot be found.
    #[error("types of the unknown kind {0}")]
    UnknownKind(u32),
}

/// A description: where each type stands, and the names.
#[derive(Debug)]
pub struct Types<'b> {
    records: &'b [u8],
    names: &'b [u8],
    /// Where the type of each number stands in `records`; 0 is `void`, which stands nowhere.
    places: Vec<u32>,
}

/// A type: its three words, and what follows them.
#[derive(Clone, Copy, Debug)]
struct Type<'b> {
    name: u32,
    info: u32,
    /// Its size, or the type behind it.
    size_or_other: u32,
    rest: &'b [u8],
}

impl<'b> Types<'b> {
    /// Finds the types of a description.
    pub fn of(bytes: &'b [u8]) -> Result<Self, TypesError> {
        let header = bytes.get(..HEADER).ok_or(TypesError::Damaged)?;
        let word = |at| word(header, at).unwrap_or_default() as usize;
        if header[..2] != MAGIC.to_ne_bytes() || header[2] != VERSION {
            return Err(TypesError::Damaged);
        }
        let part = |offset: usize, length: usize| {
            bytes.get(word(4)..)?.get(offset..)?.get(..length).ok_or(TypesError::Damaged).ok()
        };
        let records = part(word(8), word(12)).ok_or(TypesError::Damaged)?;
        let names = part(word(16), word(20)).ok_or(TypesError::Damaged)?;
        let mut places = vec![0];
        let mut at = 0;
        while at < records.len() {
            places.push(at as u32);
            at += Type::at(records, at).ok_or(TypesError::Damaged)?.length()?;
        }
        if at != records.len() {
            return Err(TypesError::Damaged);
        }
        Ok(Self { records, names, places })
    }

    fn get(&self, number: u32) -> Option<Type<'b>> {
        if number == 0 {
            return None;
        }
        Type::at(self.records, *self.places.get(number as usize)? as usize)
    }

    fn name(&self, offset: u32) -> &'b [u8] {
        let rest = self.names.get(offset as usize..).unwrap_or_default();
        rest.split(|&byte| byte == 0).next().unwrap_or_default()
    }

    /// Types of one kind: number, name.
    fn named(&self, kind: u32) -> impl Iterator<Item = (u32, &'b [u8])> {
        (1..self.places.len() as u32).filter_map(move |number| {
            let found = self.get(number).filter(|found| found.kind() == kind && found.name != 0)?;
            Some((number, self.name(found.name)))
        })
    }

    /// Names of the structures.
    pub fn structures(&self) -> impl Iterator<Item = &'b [u8]> {
        self.named(kind::STRUCT).map(|(_, name)| name)
    }

    /// Numbers of the typedefs of these names, in their order.
    pub fn typedefs<const N: usize>(&self, names: [&str; N]) -> [Option<u32>; N] {
        let mut found = [None; N];
        for (number, name) in self.named(kind::TYPEDEF) {
            if let Some(at) = names.iter().position(|wanted| wanted.as_bytes() == name) {
                found[at] = found[at].or(Some(number));
            }
        }
        found
    }

    /// A description of the structures of these names, and of what they consist of.
    pub fn only(&self, names: &[&[u8]]) -> Vec<u8> {
        let wanted = self.named(kind::STRUCT).filter(|(_, name)| names.contains(name));
        let mut cut = Cut::new(self);
        for (number, _) in wanted {
            cut.number(number);
        }
        cut.finish()
    }
}

impl<'b> Type<'b> {
    fn at(records: &'b [u8], at: usize) -> Option<Self> {
        let record = records.get(at..)?;
        let word = |at| word(record, at);
        Some(Self { name: word(0)?, info: word(4)?, size_or_other: word(8)?, rest: record.get(12..)? })
    }

    fn kind(&self) -> u32 {
        self.info >> 24 & 0x1f
    }

    /// How many members, values or parameters follow.
    fn count(&self) -> usize {
        (self.info & 0xffff) as usize
    }

    /// Bytes of what follows the three words.
    fn rest_length(&self) -> Result<usize, TypesError> {
        Ok(match self.kind() {
            kind::INT | kind::VAR | kind::DECL_TAG => 4,
            kind::ARRAY => 12,
            kind::STRUCT | kind::UNION | kind::DATASEC | kind::ENUM64 => 12 * self.count(),
            kind::ENUM | kind::FUNC_PROTO => 8 * self.count(),
            kind::PTR
            | kind::FWD
            | kind::TYPEDEF
            | kind::VOLATILE
            | kind::CONST
            | kind::RESTRICT
            | kind::FUNC
            | kind::FLOAT
            | kind::TYPE_TAG => 0,
            other => return Err(TypesError::UnknownKind(other)),
        })
    }

    fn length(&self) -> Result<usize, TypesError> {
        let rest = self.rest_length()?;
        if self.rest.len() < rest { Err(TypesError::Damaged) } else { Ok(12 + rest) }
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// A description in the making.
struct Cut<'t, 'b> {
    from: &'t Types<'b>,
    /// New numbers by those of `from`.
    numbers: FxHashMap<u32, u32>,
    /// Types that have a number and are to be written, in its order; `None` is the pointer to nothing.
    waiting: VecDeque<Option<u32>>,
    /// Numbers given.
    given: u32,
    pointer: Option<u32>,
    records: Vec<u8>,
    names: Vec<u8>,
}

impl<'t, 'b> Cut<'t, 'b> {
    fn new(from: &'t Types<'b>) -> Self {
        Self {
            from,
            numbers: FxHashMap::default(),
            waiting: VecDeque::new(),
            given: 0,
            pointer: None,
            records: Vec::new(),
            names: vec![0],
        }
    }

    /// The new number of a type, without the names and qualifiers in front of it.
    fn number(&mut self, mut of: u32) -> u32 {
        for _ in 0..MOST_NAMES_OF_A_TYPE {
            let Some(found) = self.from.get(of) else { return 0 };
            match found.kind() {
                kind::TYPEDEF | kind::VOLATILE | kind::CONST | kind::RESTRICT | kind::TYPE_TAG => {
                    of = found.size_or_other;
                }
                kind::PTR => {
                    let number = self.pointer.unwrap_or_else(|| self.give(None));
                    self.pointer = Some(number);
                    return number;
                }
                kind::INT
                | kind::ARRAY
                | kind::STRUCT
                | kind::UNION
                | kind::ENUM
                | kind::FWD
                | kind::FLOAT
                | kind::ENUM64 => {
                    if let Some(&number) = self.numbers.get(&of) {
                        return number;
                    }
                    let number = self.give(Some(of));
                    self.numbers.insert(of, number);
                    return number;
                }
                _ => return 0,
            }
        }
        0
    }

    fn give(&mut self, what: Option<u32>) -> u32 {
        self.waiting.push_back(what);
        self.given += 1;
        self.given
    }

    fn push_name(&mut self, offset: u32) -> u32 {
        let name = self.from.name(offset);
        if name.is_empty() {
            return 0;
        }
        let at = self.names.len() as u32;
        self.names.extend_from_slice(name);
        self.names.push(0);
        at
    }

    fn push(&mut self, words: &[u32]) {
        self.records.extend(words.iter().flat_map(|word| word.to_ne_bytes()));
    }

    /// Writes all that waits, and what that consists of.
    fn finish(mut self) -> Vec<u8> {
        while let Some(next) = self.waiting.pop_front() {
            match next.and_then(|number| self.from.get(number)) {
                Some(found) => self.write(&found),
                None => self.push(&[0, kind::PTR << 24, 0]),
            }
        }
        let (records, names) = (self.records.len() as u32, self.names.len() as u32);
        let mut bytes = [&MAGIC.to_ne_bytes()[..], &[VERSION, 0]].concat();
        for word in [HEADER as u32, 0, records, records, names] {
            bytes.extend_from_slice(&word.to_ne_bytes());
        }
        [bytes, self.records, self.names].concat()
    }

    fn write(&mut self, found: &Type<'b>) {
        let name = self.push_name(found.name);
        let rest = |at| word(found.rest, at).unwrap_or_default();
        match found.kind() {
            kind::INT => self.push(&[name, found.info, found.size_or_other, rest(0)]),
            kind::ARRAY => {
                let (of, by) = (self.number(rest(0)), self.number(rest(4)));
                self.push(&[name, found.info, 0, of, by, rest(8)]);
            }
            kind::STRUCT | kind::UNION => {
                self.push(&[name, found.info, found.size_or_other]);
                for member in (0..found.count()).map(|member| 12 * member) {
                    let (name, of) = (self.push_name(rest(member)), self.number(rest(member + 4)));
                    self.push(&[name, of, rest(member + 8)]);
                }
            }
            // Without their values.
            kind::ENUM | kind::ENUM64 => self.push(&[name, found.info & !0xffff, found.size_or_other]),
            _ => self.push(&[name, found.info, found.size_or_other]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A description, made of words and names.
    fn described(records: &[&[u32]], names: &[u8]) -> Vec<u8> {
        let records: Vec<u8> =
            records.iter().copied().flatten().flat_map(|word| word.to_ne_bytes()).collect();
        let words = [24, 0, records.len() as u32, records.len() as u32, names.len() as u32];
        let mut bytes = [&MAGIC.to_ne_bytes()[..], &[VERSION, 0]].concat();
        bytes.extend(words.iter().flat_map(|word| word.to_ne_bytes()));
        [bytes, records, names.to_vec()].concat()
    }

    const NAMES: &[u8] = b"\0int\0a\0b\0inner\0outer\0btf_trace_x\0";
    const INT: u32 = 1;
    const A: u32 = 5;
    const B: u32 = 7;
    const INNER: u32 = 9;
    const OUTER: u32 = 15;
    const TRACE: u32 = 21;

    fn sample() -> Vec<u8> {
        described(
            &[
                &[INT, 1 << 24, 4, 32],                                 // 1: int
                &[0, 2 << 24, 5],                                       // 2: outer *
                &[TRACE, 8 << 24, 2],                                   // 3: typedef outer *btf_trace_x
                &[INNER, 4 << 24 | 1, 4, A, 1, 0],                      // 4: inner { int a }
                &[OUTER, 4 << 24 | 3, 24, A, 2, 0, B, 7, 64, 0, 6, 96], // 5: outer
                &[0, 5 << 24 | 1, 4, INNER, 4, 0],                      // 6: union { inner inner }
                &[0, 10 << 24, 8],                                      // 7: const array
                &[0, 3 << 24, 0, 1, 1, 2],                              // 8: int[2]
                &[INNER, 4 << 24, 0],                                   // 9: another inner, empty
            ],
            NAMES,
        )
    }

    #[test]
    fn what_is_asked_for_is_cut_out_with_all_that_it_consists_of() {
        let bytes = sample();
        let types = Types::of(&bytes).expect("well-formed");
        assert_eq!(types.typedefs(["btf_trace_x", "btf_trace_y"]), [Some(3), None]);
        assert_eq!(types.structures().collect::<Vec<_>>(), [&b"inner"[..], b"outer", b"inner"]);
        let cut = types.only(&[b"outer"]);
        let cut = Types::of(&cut).expect("well-formed");
        assert_eq!(cut.structures().collect::<Vec<_>>(), [&b"outer"[..], b"inner"]);
        let outer = cut.get(1).expect("the first one");
        let members: Vec<(u32, u32)> = (0..3)
            .map(|at| (word(outer.rest, 12 * at + 4), word(outer.rest, 12 * at + 8)))
            .map(|(of, offset)| (of.expect("a number"), offset.expect("an offset")))
            .map(|(of, offset)| (cut.get(of).expect("a type").kind(), offset))
            .collect();
        assert_eq!(members, [(kind::PTR, 0), (kind::ARRAY, 64), (kind::UNION, 96)]);
        assert_eq!(cut.get(2).expect("the pointer").size_or_other, 0, "leads nowhere");
    }

    #[test]
    fn damaged_descriptions_are_refused() {
        let bytes = sample();
        assert_eq!(Types::of(&[]).unwrap_err(), TypesError::Damaged);
        for length in 0..bytes.len() {
            assert!(Types::of(&bytes[..length]).is_err(), "{length}");
        }
        for at in 0..bytes.len() {
            for byte in [0, 1, 0x7f, 0xff] {
                let mut bytes = bytes.clone();
                bytes[at] = byte;
                // Any answer will do but a panic or one without end.
                if let Ok(types) = Types::of(&bytes) {
                    let _ = Types::of(&types.only(&[b"outer", b"inner"]));
                }
            }
        }
        let unknown = described(&[&[0, 31 << 24, 0]], b"\0");
        assert_eq!(Types::of(&unknown).unwrap_err(), TypesError::UnknownKind(31));
    }

    #[test]
    fn the_kernels_own_description_can_be_cut() {
        let Ok(bytes) = std::fs::read("/sys/kernel/btf/vmlinux") else { return };
        let types = Types::of(&bytes).expect("well-formed");
        let cut = types.only(&[b"task_struct", b"dentry"]);
        let structures = Types::of(&cut).expect("well-formed");
        assert!(structures.structures().any(|name| name == b"task_struct"));
        assert!(cut.len() * 10 < bytes.len(), "{} of {}", cut.len(), bytes.len());
    }
}
