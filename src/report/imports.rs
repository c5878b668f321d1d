//! The tree of Python's imports, as a table and as the text that `python -X importtime` writes.

use std::io::{self, Write};

use super::escape::{command_line, escape};
use super::look::Look;
use super::notes;
use super::table::{Column, Table};
use super::units::{count, percent, things, time};
use crate::analysis::imports::{Absence, Import, Tree};

/// Imports that take less than this part of all are left out, unless all are asked for.
const LEAST: f64 = 0.005;

/// How the table is shown.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// With imports that take next to nothing.
    pub all: bool,
    /// Width and colour.
    pub look: Look,
}

/// Writes the table.
pub fn write(out: &mut dyn Write, tree: &Tree, options: Options) -> io::Result<()> {
    let look = options.look;
    for line in notes::integrity(&tree.integrity) {
        writeln!(out, "{}", look.text(&line))?;
    }
    let command = command_line(&tree.command);
    writeln!(out, "{}\n", look.headline(&command, &summary(tree)))?;
    let least = if options.all { 0 } else { (tree.total_ns as f64 * LEAST) as u64 };
    let mut table = Table::new(vec![
        Column::text("import"),
        Column::number("cumulative"),
        Column::number("self"),
        Column::number("finding").dropped(3),
        Column::number("reading").dropped(4),
        Column::number("executing").dropped(2),
        Column::number("rest").dropped(5),
        Column::number("probes").dropped(6),
        Column::number("in vain").dropped(7),
        Column::text("imported at").dropped(1),
    ]);
    for import in shown(tree, least) {
        table.row(row(import));
    }
    for line in table.lines(look, 0) {
        writeln!(out, "{line}")?;
    }
    let hidden = (tree.imports.len() - shown(tree, least).count()) as u64;
    if hidden > 0 {
        let each = if hidden == 1 { "which takes" } else { "each of which takes" };
        let more = format!(
            "({}, {each} less than {}: --all)",
            things(hidden, "more import", "more imports"),
            time(least)
        );
        writeln!(out, "{}", look.note(&more))?;
    }
    writeln!(out)?;
    for line in remarks(tree) {
        writeln!(out, "{}", look.text(&line))?;
    }
    Ok(())
}

fn shown(tree: &Tree, least: u64) -> impl Iterator<Item = &Import> {
    tree.imports.iter().filter(move |import| import.cumulative_ns >= least)
}

fn summary(tree: &Tree) -> String {
    let untraced = tree.wall_ns.map(|wall_ns| format!(" (untraced: {})", time(wall_ns))).unwrap_or_default();
    format!(
        "{} in {} of {}{untraced}   backend {}",
        things(tree.imports.len() as u64, "import", "imports"),
        time(tree.total_ns),
        time(tree.traced_ns),
        escape(tree.backend.as_bytes())
    )
}

fn row(import: &Import) -> Vec<String> {
    let part = |ns: u64| if ns == 0 { String::new() } else { time(ns) };
    let number = |number: u64| if number == 0 { String::new() } else { count(number) };
    let importer = escape(import.importer.bytes());
    let at = match (importer.is_empty(), import.importer_line) {
        (true, _) => String::new(),
        (false, 0) => importer,
        (false, line) => format!("{importer}:{line}"),
    };
    vec![
        format!("{}{}", "  ".repeat(import.depth), escape(import.name.bytes())),
        time(import.cumulative_ns),
        time(import.self_ns),
        part(import.find_ns),
        part(import.read_ns),
        part(import.execute_ns),
        part(import.rest_ns),
        number(import.probes),
        number(import.probes_failed),
        at,
    ]
}

/// What the numbers are.
fn remarks(tree: &Tree) -> Vec<String> {
    let mut lines = vec![
        "Imports and their times are those that Python tells (PYTHONPROFILEIMPORTTIME), without its writing of them and without \
         what tracing the calls takes. Executing is with unmarshalling; rest is what no call tells apart: all of a module that \
         is built in or frozen."
            .to_owned(),
    ];
    if let Some((calls, known)) = tree.aligned.filter(|(calls, _)| *calls > 0) {
        lines.push(format!(
            "Stacks are those of another run: {} of {} have their counterpart there ({}).",
            count(known),
            things(calls, "call", "calls"),
            percent(known as f64 / calls as f64)
        ));
    }
    if tree.without_stack > 0 {
        lines.push(format!(
            "{} about files within imports without a stack: counted with what went on around them.",
            things(tree.without_stack, "call", "calls")
        ));
    }
    if tree.left_out > 0 {
        lines.push(format!("{} beyond those are not shown.", things(tree.left_out, "import", "imports")));
    }
    lines
}

/// Why a log holds no imports, and what to do.
#[must_use]
pub fn absence(absence: &Absence) -> String {
    match absence {
        Absence::Strace => "holds no imports: strace does not know of them; `trace imports CMD` records them".to_owned(),
        Absence::NotAsked => {
            "holds no imports: Python was not asked to tell of them, as `trace imports CMD` asks it".to_owned()
        }
        Absence::NoPython => "holds no imports: the command started no Python".to_owned(),
        Absence::TooOld(version) => format!(
            "holds no imports: Python {} does not tell of them, 3.7 is the first that does; `trace startup CMD` shows the \
             modules whose files were opened",
            escape(version.bytes())
        ),
        Absence::IgnoresEnvironment => {
            "holds no imports: with -E or -I, Python does not heed the variable that asks it to tell of them; give it the \
             option -X importtime as well"
                .to_owned()
        }
        Absence::Cut => "holds no imports as far as it is there: it was cut short".to_owned(),
        Absence::Silent => {
            "holds no imports: Python was asked to tell of them and did not, or its standard error goes elsewhere".to_owned()
        }
    }
}

/// Writes the tree as `python -X importtime` does, which tuna and others read: each import behind those within it.
pub fn write_importtime(out: &mut dyn Write, tree: &Tree) -> io::Result<()> {
    writeln!(out, "import time: self [us] | cumulative | imported package")?;
    // Those whose own line is still to come.
    let mut open: Vec<&Import> = Vec::new();
    for import in &tree.imports {
        while let Some(ended) = open.pop_if(|open| open.depth >= import.depth) {
            write_line(out, ended)?;
        }
        open.push(import);
    }
    open.iter().rev().try_for_each(|ended| write_line(out, ended))
}

fn write_line(out: &mut dyn Write, import: &Import) -> io::Result<()> {
    let us = |ns: u64| ns.div_ceil(1000);
    let (name, indent) = (escape(import.name.bytes()), import.depth * 2);
    let (own, cumulative) = (us(import.self_ns), us(import.cumulative_ns));
    writeln!(out, "import time: {own:9} | {cumulative:10} | {:indent$}{name}", "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::imports::{Imports, Line};
    use crate::analysis::testing::{call, header};
    use crate::event::Event;

    fn tree(lines: &[(u64, u64, u64, &'static str)]) -> Tree {
        let mut imports = Imports::new(&header());
        let mut at_us = 1000;
        for &(depth, self_us, cumulative_us, name) in lines {
            at_us += self_us;
            let line = Line { depth, self_us, cumulative_us, name: name.as_bytes() };
            imports.add(&line.mark(&Event { start_ns: at_us * 1000, ..call("write", 0, 0, 0) }, None), true);
        }
        imports.finish()
    }

    #[test]
    fn importtimes_text_comes_back() {
        let lines = [(2, 5, 5, "c"), (1, 10, 15, "b"), (1, 7, 7, "d"), (0, 3, 25, "a"), (0, 4, 4, "e")];
        let mut out = Vec::new();
        write_importtime(&mut out, &tree(&lines)).unwrap();
        let read: Vec<(u64, u64, u64, String)> = Line::all(&out)
            .map(|line| {
                (line.depth, line.self_us, line.cumulative_us, String::from_utf8(line.name.to_vec()).unwrap())
            })
            .collect();
        assert_eq!(read, lines.map(|(depth, own, all, name)| (depth, own, all, name.to_owned())));
    }

    #[test]
    fn what_takes_next_to_nothing_is_left_out_and_counted() {
        let tree = tree(&[(1, 1, 1, "small"), (0, 999, 1000, "big\x1b")]);
        let shown = |all| {
            let mut out = Vec::new();
            write(&mut out, &tree, Options { all, look: Look::PLAIN }).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert!(
            shown(false).contains("(1 more import, which takes less than 5.00 µs: --all)"),
            "{}",
            shown(false)
        );
        assert!(shown(true).contains("\n  small ") && !shown(true).contains("more import"));
        assert!(!shown(true).contains('\x1b'));
    }
}
