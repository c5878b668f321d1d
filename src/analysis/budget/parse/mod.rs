//! The language of budgets, read by hand so that an error can point at where it is.
//!
//! ```text
//! expression = metric [ comparison number [unit] ]
//! metric     = subject [ '{' condition { ',' condition } '}' ] { '.' part }
//! condition  = ('path' | 'thread') ('~' | '!~' | '=' | '!=') text
//! ```

mod condition;
mod input;
mod limit;

use super::expression::{Expression, Figure, Metric, Outcome, Quantity, Subject};
use crate::analysis::errno;
use crate::event::Abi;
use crate::syscall::{self, Classes, Family};
use condition::conditions;
pub use input::ParseError;
use input::{Input, is_word};
use limit::limit;

/// Longest expression that is read.
const LONGEST: usize = 4096;

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
                let what = "there is no such family, system call or figure (`all` is every call; trace assert --help has examples)";
                return Err(input.error_at(begin, what));
            }
        },
    })
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
