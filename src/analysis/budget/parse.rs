//! The language of budgets, read by hand so that an error can point at where it is.
//!
//! ```text
//! expression = metric [ comparison number [unit] ]
//! metric     = subject [ '{' condition { ',' condition } '}' ] { '.' part }
//! condition  = ('path' | 'thread') ('~' | '!~' | '=' | '!=') text
//! ```

use regex::bytes::Regex;

use super::expression::{
    Comparison, Condition, Expression, Field, Figure, Limit, Metric, Outcome, Quantity, Subject, Unit,
};
use crate::analysis::errno;
use crate::event::Abi;
use crate::syscall::{self, Classes, Family};

/// Longest expression that is read.
const LONGEST: usize = 4096;
/// Largest program that a pattern may become: a budget file is input from elsewhere.
const LARGEST_PATTERN: usize = 1 << 20;

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} at », in: {before}»{after}")]
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

/// Reads one expression.
pub fn parse(text: &str) -> Result<Expression, ParseError> {
    let mut input = Input { text, at: 0 };
    if text.len() > LONGEST {
        return Err(Input { text: "", at: 0 }.error("an expression of at most 4096 bytes is expected"));
    }
    input.skip_blanks();
    let begin = input.at;
    let metric = metric(&mut input)?;
    let metric = Metric { text: text[begin..input.at].trim_end().to_owned(), ..metric };
    input.skip_blanks();
    let limit = if input.rest().is_empty() { None } else { Some(limit(&mut input, metric.unit())?) };
    input.skip_blanks();
    if !input.rest().is_empty() {
        return Err(input.error("the end is expected"));
    }
    Ok(Expression { text: text.trim().to_owned(), metric, limit })
}

/// What is left of the text.
struct Input<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Input<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip_blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Takes a word if it comes next.
    fn take(&mut self, word: &str) -> bool {
        let is_next = self.rest().starts_with(word);
        self.at += if is_next { word.len() } else { 0 };
        is_next
    }

    /// Takes characters for as long as they are of a kind.
    fn take_while(&mut self, kind: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let taken = &rest[..rest.find(|c| !kind(c)).unwrap_or(rest.len())];
        self.at += taken.len();
        taken
    }

    fn error(&self, message: impl Into<String>) -> ParseError {
        self.error_at(self.at, message)
    }

    fn error_at(&self, at: usize, message: impl Into<String>) -> ParseError {
        let (before, after) = self.text.split_at(at);
        ParseError {
            message: message.into(),
            column: before.chars().count() + 1,
            before: before.to_owned(),
            after: after.to_owned(),
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn metric(input: &mut Input<'_>) -> Result<Metric, ParseError> {
    let subject = subject(input)?;
    let begin = input.at;
    let conditions = conditions(input)?;
    let mut metric =
        Metric { text: String::new(), subject, conditions, outcome: Outcome::Any, quantity: Quantity::Calls };
    while input.take(".") {
        part(input, &mut metric)?;
    }
    if matches!(metric.subject, Subject::Run(_)) && input.at > begin {
        return Err(input.error_at(begin, "a figure of the whole run has no conditions and no parts"));
    }
    Ok(metric)
}

fn subject(input: &mut Input<'_>) -> Result<Subject, ParseError> {
    let begin = input.at;
    let is_class = input.take("%");
    let is_call = !is_class && input.take("syscall:");
    // `%%stat` is a class of strace's, too.
    let name = input.take_while(|c| is_word(c) || is_class && c == '%');
    if name.is_empty() {
        let known = "a family (stat, open, read...), %class, syscall:NAME, all, fs, processes, programs, \
                     threads, wall or cpu is expected";
        return Err(input.error_at(begin, known));
    }
    if is_class {
        let known = Classes::ALL.iter().find(|(_, known)| *known == name);
        return known
            .map(|(class, _)| Subject::Class(*class))
            .ok_or_else(|| input.error_at(begin, "a class of strace's is expected, as %file or %network"));
    }
    let family = || Family::ALL.into_iter().find(|family| family.name() == name);
    let figure = || Figure::ALL.iter().find(|(_, known)| *known == name);
    let call = || [Abi::X86_64, Abi::I386].into_iter().find_map(|abi| syscall::by_name(abi, name));
    Ok(match name {
        "all" if !is_call => Subject::All,
        "fs" if !is_call => Subject::FileSystem,
        _ => match (figure().filter(|_| !is_call), family().filter(|_| !is_call), call()) {
            (Some((figure, _)), ..) => Subject::Run(*figure),
            (_, Some(family), _) => Subject::Family(family),
            (.., Some(spec)) => Subject::Syscall(spec.name.into()),
            (None, None, None) => {
                let what = "there is no such family, system call or figure";
                return Err(input.error_at(begin, what));
            }
        },
    })
}

fn conditions(input: &mut Input<'_>) -> Result<Vec<Condition>, ParseError> {
    let mut conditions = Vec::new();
    if !input.take("{") {
        return Ok(conditions);
    }
    loop {
        conditions.push(condition(input)?);
        input.skip_blanks();
        if input.take("}") {
            return Ok(conditions);
        }
        if !input.take(",") {
            return Err(input.error("} is expected, or a comma and another condition"));
        }
    }
}

fn condition(input: &mut Input<'_>) -> Result<Condition, ParseError> {
    input.skip_blanks();
    let begin = input.at;
    let field = match input.take_while(is_word) {
        "path" => Field::Path,
        "thread" => Field::Thread,
        _ => return Err(input.error_at(begin, "path or thread is expected")),
    };
    input.skip_blanks();
    let (negated, exact) = match () {
        () if input.take("!~") => (true, false),
        () if input.take("!=") => (true, true),
        () if input.take("~") => (false, false),
        () if input.take("=") => (false, true),
        () => return Err(input.error("~ (matches), !~, = or != is expected")),
    };
    input.skip_blanks();
    let begin = input.at;
    let text = text(input)?;
    let pattern = if exact { format!("^(?:{})$", regex::escape(&text)) } else { text };
    let pattern = regex::bytes::RegexBuilder::new(&pattern).size_limit(LARGEST_PATTERN).build();
    let pattern: Regex = pattern.map_err(|error| {
        let why = error.to_string();
        let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        input.error_at(begin, format!("a regular expression is expected ({why})"))
    })?;
    Ok(Condition { field, pattern, negated })
}

/// A text in double quotes, with \" and \\, or plain up to a comma or a brace.
fn text(input: &mut Input<'_>) -> Result<String, ParseError> {
    let begin = input.at;
    if !input.take("\"") {
        let plain = input.take_while(|c| c != ',' && c != '}').trim_end();
        if plain.is_empty() {
            return Err(input.error_at(begin, "a text is expected"));
        }
        return Ok(plain.to_owned());
    }
    let mut out = String::new();
    loop {
        out.push_str(input.take_while(|c| c != '"' && c != '\\'));
        if input.take("\"") {
            return Ok(out);
        }
        let escaped = input.rest().strip_prefix('\\').and_then(|rest| rest.chars().next());
        let Some(escaped) = escaped else { return Err(input.error_at(begin, "this quote is not closed")) };
        if !matches!(escaped, '"' | '\\') {
            // Of a regular expression, and its own.
            out.push('\\');
        }
        out.push(escaped);
        input.at += 1 + escaped.len_utf8();
    }
}

/// What follows a dot: how calls ended, or what is added up of them.
fn part(input: &mut Input<'_>, metric: &mut Metric) -> Result<(), ParseError> {
    let begin = input.at;
    let word = input.take_while(is_word);
    let outcome = match word {
        "failed" => Some(Outcome::Failed),
        "ok" => Some(Outcome::Succeeded),
        word => errno_of(word).map(Outcome::Errno),
    };
    let quantity = match word {
        "calls" => Some(Quantity::Calls),
        "cost" => Some(Quantity::Cost),
        "bytes" => Some(Quantity::Bytes),
        _ => None,
    };
    match (outcome, quantity) {
        (Some(outcome), _) if metric.outcome == Outcome::Any => metric.outcome = outcome,
        (_, Some(quantity)) => metric.quantity = quantity,
        (Some(_), _) => return Err(input.error_at(begin, "one way to end is said already")),
        (None, None) => {
            return Err(
                input.error_at(begin, "calls, cost, bytes, failed, ok or an errno (enoent) is expected")
            );
        }
    }
    Ok(())
}

/// The number of an errno, its name in small letters or as it is.
fn errno_of(word: &str) -> Option<u16> {
    let known = (1..=133).chain(512..=516);
    known.into_iter().find(|&number| errno::name(number).eq_ignore_ascii_case(word))
}

fn limit(input: &mut Input<'_>, unit: Unit) -> Result<Limit, ParseError> {
    let comparison = Comparison::ALL.iter().find(|(_, sign)| input.take(sign));
    let Some(&(comparison, _)) = comparison else {
        return Err(input.error("one of <= < >= > == is expected"));
    };
    input.skip_blanks();
    let begin = input.at;
    let digits = input.take_while(|c| c.is_ascii_digit() || c == '.');
    let Ok(number) = digits.parse::<f64>() else {
        return Err(input.error_at(begin, "a number is expected"));
    };
    input.skip_blanks();
    let at_unit = input.at;
    let word = input.take_while(char::is_alphabetic);
    let factor = factor(unit, word).ok_or_else(|| {
        input.error_at(
            at_unit,
            match unit {
                Unit::Count => "no unit is expected: this is a count",
                Unit::Ns => "a unit of time is expected: ns, us, ms or s",
                Unit::Bytes => "a unit of size is expected: B, kB, MB, GB, KiB, MiB or GiB",
            },
        )
    })?;
    let value = number * factor;
    let is_whole = factor > 1.0 || number.fract() == 0.0;
    if !is_whole {
        return Err(input.error_at(begin, "a whole number is expected"));
    }
    if value >= u64::MAX as f64 {
        return Err(input.error_at(begin, "a smaller number is expected"));
    }
    Ok(Limit { comparison, value: value.round() as u64 })
}

/// What a unit is worth.
fn factor(unit: Unit, word: &str) -> Option<f64> {
    const TIMES: [(&str, f64); 5] = [("ns", 1.0), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9)];
    const SIZES: [(&str, f64); 9] = [
        ("", 1.0),
        ("B", 1.0),
        ("kB", 1e3),
        ("KB", 1e3),
        ("MB", 1e6),
        ("GB", 1e9),
        ("KiB", 1024.0),
        ("MiB", 1_048_576.0),
        ("GiB", 1_073_741_824.0),
    ];
    let known: &[(&str, f64)] = match unit {
        Unit::Count => &[("", 1.0)],
        Unit::Ns => &TIMES,
        Unit::Bytes => &SIZES,
    };
    known.iter().find(|(name, _)| *name == word).map(|(_, factor)| *factor)
}
