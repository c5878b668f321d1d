//! Sets of system calls, from the language of strace's `-e trace=`.

use super::error::{FilterError, near_calls, near_classes};
use super::pattern::Pattern;
use crate::event::Abi;
use crate::syscall::{Classes, Family, Spec, X32_BIT, lookup, multiplexed};

/// Numbers below this have a bit; the highest call of any ABI has a lower one.
const NUMBERS: u32 = 576;
/// The newest call in the tables, of those that all ABIs have by the same number.
const NEWEST: u32 = 469;
const WORDS: usize = NUMBERS as usize / 64;

/// Classes that strace has another name for.
const ALIASES: [(&str, &str); 1] = [("net", "network")];
/// Classes that may be written without `%`, as in old versions of strace.
const OLD_CLASSES: [&str; 7] = ["file", "desc", "process", "memory", "network", "signal", "ipc"];

/// A set of calls by ABI and number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallSet {
    bits: [[u64; WORDS]; Abi::ALL.len()],
    /// Whether numbers that no kernel of today has are in it.
    beyond: bool,
}

impl CallSet {
    /// The calls that an expression chooses; see [`super::Filter::parse`].
    pub fn parse(expression: &str) -> Result<Self, FilterError> {
        let list = strip_qualifier(expression)?;
        let (negated, list) = match list.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, list),
        };
        let mut set = Self::none();
        // As under strace, nothing between two commas is no mistake; nothing at all is.
        let is_empty = list.split(',').all(str::is_empty);
        for item in list.split(',').filter(|item| is_empty || !item.is_empty()) {
            let offset = item.as_ptr() as usize - expression.as_ptr() as usize;
            let place = Place { expression, offset };
            set.add(item, place)?;
        }
        Ok(if negated { set.complement() } else { set })
    }

    /// Whether the call is in the set.
    #[must_use]
    pub fn contains(&self, abi: Abi, nr: u32) -> bool {
        let nr = if abi == Abi::X32 { nr & !X32_BIT } else { nr };
        match self.bits[abi as usize].get(nr as usize / 64) {
            Some(word) => word >> (nr % 64) & 1 == 1,
            None => self.beyond,
        }
    }

    /// Whether no call is in the set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::none()
    }

    fn none() -> Self {
        Self { bits: [[0; WORDS]; Abi::ALL.len()], beyond: false }
    }

    fn complement(mut self) -> Self {
        self.bits.iter_mut().flatten().for_each(|word| *word = !*word);
        self.beyond = !self.beyond;
        self
    }

    fn insert(&mut self, abi: Abi, nr: u32) {
        self.bits[abi as usize][nr as usize / 64] |= 1 << (nr % 64);
    }

    /// Adds the calls of the table that pass; says whether there was any.
    fn insert_where(&mut self, abis: &[Abi], passes: impl Fn(&Spec) -> bool) -> bool {
        let mut found = false;
        for &abi in abis {
            for nr in (0..NUMBERS).filter(|&nr| lookup(abi, nr).is_some_and(&passes)) {
                self.insert(abi, nr);
                found = true;
            }
            if abi == Abi::I386 {
                for part in multiplexed::own_numbers().filter(|part| passes(part)) {
                    self.insert(abi, part.nr);
                    found = true;
                }
            }
        }
        found
    }

    fn add(&mut self, item: &str, place: Place<'_>) -> Result<(), FilterError> {
        let (is_optional, word) = match item.strip_prefix('?') {
            Some(word) => (true, word.trim_start_matches('?')),
            None => (false, item),
        };
        let place = Place { offset: place.offset + item.len() - word.len(), ..place };
        match self.add_word(word, place) {
            Err(FilterError::Unknown { .. }) if is_optional => Ok(()),
            added => added,
        }
    }

    fn add_word(&mut self, word: &str, place: Place<'_>) -> Result<(), FilterError> {
        match word {
            "" => return Err(place.invalid("a name is missing".to_owned())),
            "all" => {
                *self = Self::none().complement();
                return Ok(());
            }
            "none" => return Ok(()),
            _ => {}
        }
        if let Some(pattern) = word.strip_prefix('/') {
            let (pattern, abis) = split_abi(pattern, place)?;
            let pattern = Pattern::new(pattern).map_err(|problem| place.invalid(problem))?;
            self.insert_where(abis, |spec| pattern.matches(spec.name));
            return Ok(());
        }
        let (name, abis) = split_abi(word, place)?;
        if name == "all" {
            self.insert_where(abis, |_| true);
            return Ok(());
        }
        if name.is_empty() {
            return Err(place.invalid("a name is missing".to_owned()));
        }
        if name.starts_with('%') {
            return self.add_class(name, abis, place);
        }
        if name.bytes().all(|byte| byte.is_ascii_digit()) {
            return self.add_number(name, abis, place);
        }
        let of_class =
            OLD_CLASSES.contains(&name) && self.add_class(&format!("%{name}"), abis, place).is_ok();
        if self.insert_where(abis, |spec| spec.name == name) || of_class {
            return Ok(());
        }
        Err(place.unknown("system call", name, near_calls(name)))
    }

    fn add_class(&mut self, word: &str, abis: &[Abi], place: Place<'_>) -> Result<(), FilterError> {
        let name = &word[1..];
        if let Some(family) = name.strip_prefix("family:") {
            let Some(family) = Family::ALL.into_iter().find(|known| known.name() == family) else {
                return Err(place.unknown("family", word, near_classes(word)));
            };
            self.insert_where(abis, |spec| spec.family == family);
            return Ok(());
        }
        let name = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, name)| name);
        let Some((class, _)) = Classes::ALL.into_iter().find(|(_, known)| *known == name) else {
            return Err(place.unknown("class", word, near_classes(word)));
        };
        self.insert_where(abis, |spec| spec.classes.intersects(class));
        Ok(())
    }

    fn add_number(&mut self, digits: &str, abis: &[Abi], place: Place<'_>) -> Result<(), FilterError> {
        let is_one = |nr: &u32| abis.iter().any(|&abi| lookup(abi, *nr).is_some());
        let is_of_a_later_kernel = |nr: &u32| *nr > NEWEST && *nr < NUMBERS;
        let number = digits.parse().ok().filter(|nr| is_one(nr) || is_of_a_later_kernel(nr));
        let number =
            number.ok_or_else(|| place.invalid(format!("no system call has the number {digits}")))?;
        for &abi in abis {
            self.insert(abi, number);
        }
        Ok(())
    }
}

/// Where a word stands, for messages.
#[derive(Clone, Copy)]
struct Place<'a> {
    expression: &'a str,
    /// In bytes.
    offset: usize,
}

impl Place<'_> {
    fn column(self) -> usize {
        self.expression.get(..self.offset).map_or(1, |before| before.chars().count() + 1)
    }

    fn unknown(self, kind: &'static str, word: &str, near: Vec<String>) -> FilterError {
        FilterError::Unknown {
            kind,
            word: word.escape_debug().to_string(),
            column: self.column(),
            expression: self.expression.escape_debug().to_string(),
            near,
        }
    }

    fn invalid(self, problem: String) -> FilterError {
        FilterError::Invalid {
            problem,
            column: self.column(),
            expression: self.expression.escape_debug().to_string(),
        }
    }
}

/// The list behind `trace=`, which may be left out; strace's other qualifiers are not for this.
fn strip_qualifier(expression: &str) -> Result<&str, FilterError> {
    match expression.split_once('=') {
        Some(("trace" | "t", list)) => Ok(list),
        Some((qualifier, _)) if qualifier.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-') => {
            let place = Place { expression, offset: 0 };
            Err(place.invalid(format!("\"{qualifier}=\" is not known here; only trace= is")))
        }
        _ => Ok(expression),
    }
}

/// Splits `name@64` into the name and the ABIs meant.
fn split_abi<'a>(word: &'a str, place: Place<'_>) -> Result<(&'a str, &'static [Abi]), FilterError> {
    let Some((name, abi)) = word.rsplit_once('@') else { return Ok((word, &Abi::ALL)) };
    let abis: &[Abi] = match abi {
        "64" => &[Abi::X86_64],
        "32" => &[Abi::I386],
        "x32" => &[Abi::X32],
        _ => {
            let problem = format!("\"@{}\" is no convention; @64, @32 and @x32 are", abi.escape_debug());
            return Err(place.invalid(problem));
        }
    };
    Ok((name, abis))
}
