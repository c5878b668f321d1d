//! The text of an expression while it is read, and errors that point into it.

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}{}", place(.before, .after))]
pub struct ParseError {
    /// What was expected.
    pub message: String,
    /// Where, in characters from 1.
    pub column: usize,
    /// The expression before that place.
    before: String,
    /// The expression from there on.
    after: String,
}

/// The place of an error, as words.
fn place(before: &str, after: &str) -> String {
    match (before.is_empty(), after.is_empty()) {
        (true, true) => String::new(),
        (true, false) => format!(", at the beginning of \"{after}\""),
        (false, true) => format!(", at the end of \"{before}\""),
        (false, false) => format!(", at \"{after}\" in \"{before}{after}\""),
    }
}

/// What is left of the text.
pub struct Input<'a> {
    /// All of it.
    pub text: &'a str,
    /// How far it has been read, in bytes.
    pub at: usize,
}

impl<'a> Input<'a> {
    pub fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub fn skip_blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Takes a word if it comes next.
    pub fn take(&mut self, word: &str) -> bool {
        let is_next = self.rest().starts_with(word);
        self.at += if is_next { word.len() } else { 0 };
        is_next
    }

    /// Takes characters for as long as they are of a kind.
    pub fn take_while(&mut self, kind: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let taken = &rest[..rest.find(|c| !kind(c)).unwrap_or(rest.len())];
        self.at += taken.len();
        taken
    }

    pub fn error(&self, message: impl Into<String>) -> ParseError {
        self.error_at(self.at, message)
    }

    pub fn error_at(&self, at: usize, message: impl Into<String>) -> ParseError {
        let (before, after) = self.text.split_at(at);
        ParseError {
            message: message.into(),
            column: before.chars().count() + 1,
            before: before.to_owned(),
            after: after.to_owned(),
        }
    }
}

pub fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}
