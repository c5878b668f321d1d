//! Imports of Python: below each import those that it made; or, where Python has not told of them, when the files of modules
//! were opened.

use std::io::{self, Write};

use super::colours::IMPORTS;
use super::{GAP, NAME, RIGHT, Sheet, fit, span_title};
use crate::report::escape::{escape, shorten};
use crate::report::svg::{escaped, text};
use crate::report::units::{things, time};

/// Rows, and their height.
const ROWS: usize = 8;
const HEIGHT: f64 = 13.0;
/// Narrower imports are not drawn, in pixels; nor are more than so many.
const NARROWEST: f64 = 1.0;
const MOST: usize = 1500;
/// Rows for the names of modules, and the room above them.
const NAME_ROWS: usize = 3;
const TICK: f64 = 6.0;
/// Height of the letters of a name, and its width at most.
const SIZE: f64 = 9.5;
const LONGEST_NAME: f64 = 120.0;

pub fn write(sheet: &mut Sheet<'_>) -> io::Result<()> {
    let imports = &sheet.picture.imports;
    if imports.list.is_empty() {
        return Ok(());
    }
    if imports.are_told { tree(sheet) } else { files(sheet) }
}

fn tree(sheet: &mut Sheet<'_>) -> io::Result<()> {
    let imports = &sheet.picture.imports;
    let mut ends = [f64::MIN; ROWS];
    let mut placed = Vec::new();
    for import in &imports.list {
        if (import.to - import.from) * sheet.scale < NARROWEST || placed.len() >= MOST {
            continue;
        }
        // Several processes may import at the same time.
        let free = |row: &usize| ends[*row] <= import.from + 0.5 / sheet.scale;
        let Some(row) = (import.depth..ROWS).find(free) else { continue };
        ends[row] = import.to;
        placed.push((row, import));
    }
    let rows = placed.iter().map(|(row, _)| row + 1).max().unwrap_or(1);
    let all = imports.list.len() as u64 + imports.left_out;
    let narrow = all - placed.len() as u64;
    let below = match narrow {
        0 => things(all, "import", "imports"),
        _ => format!("{narrow} of {all} are too narrow"),
    };
    sheet.label(rows as f64 * HEIGHT, "Python imports", &below)?;
    let top = sheet.y;
    for (row, import) in placed {
        sheet.y = top + row as f64 * HEIGHT;
        let name = escape(import.name.bytes());
        let title = span_title(&format!("import {}", shorten(&name, NAME)), import.from, import.to);
        let colour = IMPORTS[row % IMPORTS.len()];
        let look = format!("fill=\"{colour}\" stroke=\"#ffffff\" stroke-width=\"0.5\"");
        sheet.block((import.from, import.to), HEIGHT - 1.0, &look, (&name, &title))?;
    }
    sheet.y = top + rows as f64 * HEIGHT + GAP;
    Ok(())
}

fn files(sheet: &mut Sheet<'_>) -> io::Result<()> {
    let imports = &sheet.picture.imports;
    let height = TICK + NAME_ROWS as f64 * HEIGHT;
    let all = imports.list.len() as u64 + imports.left_out;
    let below = format!("{}, when opened", things(all, "file", "files"));
    sheet.label(height, "Python modules", &below)?;
    let mut ends = [f64::MIN; NAME_ROWS];
    for import in imports.list.iter().take(MOST) {
        let x = sheet.x(import.from);
        let name = escape(import.name.bytes());
        let shown = fit(&name, LONGEST_NAME, SIZE).filter(|shown| x + width(shown) < RIGHT);
        // The line down to a name crosses no other one: the first of several is the lowest.
        let free = ends.iter().take_while(|end| **end <= x).count();
        let row = shown.as_ref().and_then(|_| free.checked_sub(1));
        let bottom = row.map_or(TICK, |row| TICK + (row + 1) as f64 * HEIGHT - 2.0);
        let title =
            format!("module {}: its file is opened at {}", shorten(&name, NAME), time(import.from as u64));
        writeln!(
            sheet.body,
            "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"1\" height=\"{bottom:.1}\" fill=\"{}\"><title>{}</title></rect>",
            sheet.y,
            IMPORTS[0],
            escaped(&title)
        )?;
        if let (Some(row), Some(shown)) = (row, shown) {
            ends[row] = x + width(&shown);
            let at = (x + 3.0, sheet.y + bottom);
            text(&mut sheet.body, at, "start", "class=\"dim quiet\" font-size=\"9.5\"", &shown)?;
        }
    }
    sheet.y += height + GAP;
    Ok(())
}

/// Room that a name takes.
fn width(shown: &str) -> f64 {
    8.0 + shown.chars().map(|c| if c.is_ascii() { 0.6 } else { 1.05 }).sum::<f64>() * SIZE
}
