//! Regular expressions on names of system calls: the part of POSIX extended syntax that is of use there.
//!
//! Letters, `.`, `[a-z]`, `[^a-z]`, `*`, `+`, `?`, `|`, `()`, `^`, `$`, and a backslash before any of them.
//! A name is at most 63 letters long, so the places inside it that a part of the expression can reach are
//! the bits of one number, and a match costs time in proportion to the expression, whatever it is.

/// The longest name that is matched.
const LONGEST: usize = 63;
/// How deep brackets may be nested.
const DEEPEST: usize = 32;

/// A compiled expression.
#[derive(Debug)]
pub(super) struct Pattern(Node);

#[derive(Debug)]
enum Node {
    /// One byte out of a set of ASCII.
    Byte(u128),
    /// Beginning of the name.
    Start,
    /// End of the name.
    End,
    /// One after the other.
    Sequence(Vec<Node>),
    /// Any of them.
    Choice(Vec<Node>),
    /// Again and again: at least once or not, more than once or not.
    Repeat { node: Box<Node>, at_least_once: bool, more_than_once: bool },
}

impl Pattern {
    /// Compiles an expression; the error says what is wrong with it.
    pub(super) fn new(text: &str) -> Result<Self, String> {
        let mut parser = Parser { rest: text.as_bytes(), depth: 0 };
        let node = parser.choice()?;
        if parser.rest.is_empty() { Ok(Self(node)) } else { Err("a ) without its (".to_owned()) }
    }

    /// Whether any part of the name matches.
    pub(super) fn matches(&self, name: &str) -> bool {
        let name = name.as_bytes();
        if name.len() > LONGEST {
            return false;
        }
        let everywhere = u64::MAX >> (LONGEST - name.len());
        ends(&self.0, name, everywhere) != 0
    }
}

/// Where a match can end that starts at any of these places; places are bits, place 0 is before the
/// first letter.
fn ends(node: &Node, name: &[u8], starts: u64) -> u64 {
    match node {
        Node::Start => starts & 1,
        Node::End => starts & 1 << name.len(),
        Node::Byte(set) => {
            let step = |reached: u64, (place, &byte): (usize, &u8)| {
                let fits = starts >> place & 1 == 1 && byte < 128 && set >> byte & 1 == 1;
                reached | u64::from(fits) << (place + 1)
            };
            name.iter().enumerate().fold(0, step)
        }
        Node::Sequence(nodes) => nodes.iter().fold(starts, |starts, node| ends(node, name, starts)),
        Node::Choice(nodes) => nodes.iter().fold(0, |reached, node| reached | ends(node, name, starts)),
        Node::Repeat { node, at_least_once, more_than_once } => {
            let mut reached = ends(node, name, starts);
            loop {
                let further = reached | if *more_than_once { ends(node, name, reached) } else { 0 };
                if further == reached {
                    break;
                }
                reached = further;
            }
            if *at_least_once { reached } else { reached | starts }
        }
    }
}

struct Parser<'a> {
    rest: &'a [u8],
    depth: usize,
}

impl Parser<'_> {
    fn next(&mut self) -> Option<u8> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(byte)
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_next = self.rest.first() == Some(&byte);
        if is_next {
            self.rest = &self.rest[1..];
        }
        is_next
    }

    fn choice(&mut self) -> Result<Node, String> {
        let mut nodes = vec![self.sequence()?];
        while self.take(b'|') {
            nodes.push(self.sequence()?);
        }
        Ok(Node::Choice(nodes))
    }

    fn sequence(&mut self) -> Result<Node, String> {
        let mut nodes = Vec::new();
        while self.rest.first().is_some_and(|byte| !matches!(byte, b'|' | b')')) {
            let node = self.one()?;
            nodes.push(self.repeated(node)?);
        }
        Ok(Node::Sequence(nodes))
    }

    fn repeated(&mut self, node: Node) -> Result<Node, String> {
        let (at_least_once, more_than_once) = match self.rest.first() {
            Some(b'*') => (false, true),
            Some(b'+') => (true, true),
            Some(b'?') => (false, false),
            _ => return Ok(node),
        };
        self.rest = &self.rest[1..];
        if matches!(self.rest.first(), Some(b'*' | b'+' | b'?')) {
            return Err("two of * + ? in a row".to_owned());
        }
        Ok(Node::Repeat { node: Box::new(node), at_least_once, more_than_once })
    }

    fn one(&mut self) -> Result<Node, String> {
        match self.next() {
            None => Err("it ends too soon".to_owned()),
            Some(b'.') => Ok(Node::Byte(u128::MAX)),
            Some(b'^') => Ok(Node::Start),
            Some(b'$') => Ok(Node::End),
            Some(b'[') => self.set(),
            Some(b'(') => self.group(),
            Some(b'*' | b'+' | b'?') => Err("nothing stands before * + or ?".to_owned()),
            Some(b'{') => Err("repetition by {} is not supported".to_owned()),
            Some(b'\\') => match self.next() {
                Some(byte) if byte.is_ascii_punctuation() => Ok(Node::Byte(1 << byte)),
                _ => Err("a backslash stands before nothing that needs it".to_owned()),
            },
            Some(byte) if byte.is_ascii() => Ok(Node::Byte(1 << byte)),
            Some(_) => Err("names of system calls are ASCII".to_owned()),
        }
    }

    fn group(&mut self) -> Result<Node, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("brackets are nested more than {DEEPEST} deep"));
        }
        let node = self.choice()?;
        self.depth -= 1;
        if self.take(b')') { Ok(node) } else { Err("a ( without its )".to_owned()) }
    }

    /// The rest of `[a-z_]`; a `]` or `-` that comes first stands for itself.
    fn set(&mut self) -> Result<Node, String> {
        let is_negated = self.take(b'^');
        let mut set = 0_u128;
        let mut is_first = true;
        loop {
            let Some(from) = self.next() else { return Err("a [ without its ]".to_owned()) };
            if from == b']' && !is_first {
                break;
            }
            is_first = false;
            let mut to = from;
            if let [b'-', last, ..] = self.rest
                && *last != b']'
            {
                to = *last;
                self.rest = &self.rest[2..];
            }
            if !from.is_ascii() || !to.is_ascii() {
                return Err("names of system calls are ASCII".to_owned());
            }
            if from > to {
                return Err(format!("the range {}-{} is empty", char::from(from), char::from(to)));
            }
            set = (from..=to).fold(set, |set, byte| set | 1 << byte);
        }
        Ok(Node::Byte(if is_negated { !set } else { set }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matches(pattern: &str, name: &str) -> bool {
        Pattern::new(pattern).unwrap_or_else(|problem| panic!("{pattern}: {problem}")).matches(name)
    }

    #[test]
    fn the_syntax() {
        for (pattern, yes, no) in [
            ("open", "openat2", "creat"),
            ("^open", "openat", "mq_open"),
            ("at$", "statat", "stat64"),
            ("^(l|new)?f?stat(at)?$", "newfstatat", "statx"),
            ("^p(read|write)v?64$", "pread64", "preadv"),
            ("^f[a-z]+at2?$", "faccessat2", "fstatfs"),
            ("^[^p].*v2$", "xv2", "preadv2"),
            ("get.*gid", "getresgid", "getuid"),
            ("^$", "", "a"),
            ("[]x-]", "a-b", "ab"),
            ("_\\.?_", "a__b", "a_b"),
            ("(a|b|)c|d", "c", "ab"),
        ] {
            assert!(matches(pattern, yes), "{pattern} matches {yes}");
            assert!(!matches(pattern, no), "{pattern} does not match {no}");
        }
    }

    #[test]
    fn what_is_wrong() {
        let deep = "(".repeat(100_000);
        for (pattern, word) in [
            ("(a", "( without"),
            ("a)", ") without"),
            ("[a", "[ without"),
            ("*", "nothing stands before"),
            ("a**", "two of"),
            ("a{2}", "not supported"),
            ("\\", "backslash"),
            ("[z-a]", "empty"),
            ("é", "ASCII"),
            (&deep, "nested"),
        ] {
            let problem = Pattern::new(pattern).expect_err("not a pattern");
            assert!(problem.contains(word), "{problem}");
        }
    }

    #[test]
    fn time_is_bounded() {
        let pattern = format!("{}$", "(a*)*".repeat(200));
        assert!(matches(&pattern, &"a".repeat(63)));
        assert!(!matches(&format!("^{pattern}"), &format!("{}b", "a".repeat(62))));
    }

    proptest! {
        #[test]
        fn no_pattern_panics(pattern in "[a-c.*+?|()\\[\\]^$\\\\-]{0,20}", name in "[a-c]{0,10}") {
            if let Ok(pattern) = Pattern::new(&pattern) {
                pattern.matches(&name);
            }
        }

        /// A plain word matches where the standard library finds it.
        #[test]
        fn words(word in "[a-b]{0,4}", name in "[a-b]{0,12}") {
            prop_assert_eq!(matches(&word, &name), name.contains(&word));
        }
    }
}
