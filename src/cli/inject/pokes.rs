//! `@argN=HEX,@argM=HEX`: what is to be written to where arguments point.

use crate::capture::Poke;

/// Arguments that can be named. There is one more of them than any call has here: strace counts for all machines.
const ARGUMENTS: std::ops::RangeInclusive<u8> = b'1'..=b'7';

/// Most bytes for one.
const MOST: usize = 1024;

/// Each argument once. Commas alone are no bytes for any, as strace has it.
pub fn parse(text: &str) -> Option<Vec<Poke>> {
    let mut pokes: Vec<Poke> = Vec::new();
    // Nothing between two commas is nothing, as strtok(3) has it.
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (argument, digits) = part.strip_prefix("@arg")?.split_once('=')?;
        let &[argument] = argument.as_bytes() else { return None };
        let argument = usize::from(ARGUMENTS.contains(&argument).then(|| argument - b'0')?);
        if pokes.iter().any(|poke| poke.argument == argument) {
            return None;
        }
        pokes.push(Poke { argument, bytes: bytes(digits)? });
    }
    (!text.is_empty()).then_some(pokes)
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    (1..=2 * MOST).contains(&digits.len()).then(|| pairs.map(byte).collect()).flatten()
}

/// Two characters as sscanf(3) reads them by `%2hhx`: a space or a sign may be the first, what is no digit may be the second, and
/// `0x` is nothing.
fn byte(pair: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let &[first, second] = pair else { return None };
    match (first, digit(first), digit(second)) {
        (_, Some(high), Some(low)) => Some(high << 4 | low),
        (_, Some(only), None) => Some(only),
        (b'-', None, Some(low)) => Some(low.wrapping_neg()),
        (b'+' | b' ' | b'\t' | b'\n', None, Some(low)) => Some(low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_by_argument() {
        let pokes = parse("@arg2=00fF,,@arg1=41,").unwrap();
        assert_eq!(
            pokes,
            [Poke { argument: 2, bytes: vec![0, 255] }, Poke { argument: 1, bytes: vec![0x41] }]
        );
        assert_eq!(parse(","), Some(Vec::new()));
        let longest = format!("@arg1={}", "00".repeat(MOST));
        assert_eq!(parse(&longest).unwrap()[0].bytes.len(), MOST);
        assert_eq!(parse(&format!("{longest}00")), None);
        for (digits, byte) in [("1g", 1), (" 1", 1), ("-1", 255), ("0x", 0)] {
            assert_eq!(parse(&format!("@arg1={digits}")).unwrap()[0].bytes, [byte], "{digits}");
        }
        for wrong in [
            "",
            "@arg1",
            "@arg1=",
            "@arg1=4",
            "@arg0=00",
            "@arg8=00",
            "@arg01=00",
            "arg1=00",
            "@arg1=gg",
            "@arg1=é",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
        assert_eq!(parse("@arg1=00,@arg1=01"), None, "each argument once");
    }
}
