//! Conditions on paths and threads, in braces.

use regex::bytes::Regex;

use super::input::{Input, ParseError, is_word};
use crate::analysis::budget::expression::{Condition, Field};

/// Largest program that a pattern may become: a budget file is input from elsewhere.
const LARGEST_PATTERN: usize = 1 << 20;

pub fn conditions(input: &mut Input<'_>) -> Result<Vec<Condition>, ParseError> {
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
