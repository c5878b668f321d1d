//! What one side alone does.

use std::io::{self, Write};

use super::letter;
use crate::analysis::compare::{Comparison, Only};
use crate::report::escape::escape;
use crate::report::look::Look;
use crate::report::units::count;

pub fn only(out: &mut dyn Write, compared: &Comparison, top: usize, look: Look) -> io::Result<()> {
    for (at, _) in compared.sides.iter().enumerate() {
        let own: Vec<&Only> = compared.only.iter().filter(|only| only.side == at).collect();
        let mut rest = own.as_slice();
        if !own.is_empty() {
            writeln!(out, "\n{}", look.title(&format!("Only {}", letter(at))))?;
        }
        while let Some(first) = rest.first() {
            let (kind, others) = rest.split_at(rest.partition_point(|only| only.kind == first.kind));
            rest = others;
            let names = kind.iter().take(top).map(|only| match only.calls {
                0 => escape(only.name.bytes()),
                calls => format!("{} ({})", escape(only.name.bytes()), count(calls)),
            });
            let names: Vec<String> = names.collect();
            let more = kind.len().saturating_sub(top);
            let more = if more > 0 { format!(", {} more", count(more as u64)) } else { String::new() };
            let head = format!("  {}: ", first.kind.name());
            writeln!(out, "{}", look.hanging(&head, &format!("{}{more}", names.join(", "))))?;
        }
    }
    Ok(())
}
