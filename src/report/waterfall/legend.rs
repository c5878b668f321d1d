//! What colours stand for, and how much of the critical path each is.

use std::io::{self, Write};

use super::colours::{self, class_colour, class_name};
use super::{Sheet, WIDTH};
use crate::analysis::waterfall::Class;
use crate::report::svg::text;
use crate::report::units::{percent, time};

const COLUMNS: usize = 3;
const LINE: f64 = 17.0;
const X: f64 = 20.0;

pub fn write(sheet: &mut Sheet<'_>) -> io::Result<()> {
    sheet.y += 36.0;
    let picture = sheet.picture;
    let caption = match &picture.critical {
        Some(critical) => format!(
            "What threads do, and how much of it is on the critical path ({}):",
            time(critical.sum.sum() as u64)
        ),
        None => "What threads do:".to_owned(),
    };
    text(&mut sheet.body, (X, sheet.y), "start", "class=\"ink\"", &caption)?;
    sheet.y += 8.0;
    let is_there = |class: &Class| {
        let rows = picture.rows.iter().map(|row| row.sum.get(*class)).sum::<f64>();
        let others =
            picture.others.iter().flat_map(|others| &others.columns).map(|shares| shares.get(*class));
        rows + others.sum::<f64>() >= 1.0
    };
    let mut entries: Vec<(&str, String)> = Vec::new();
    for class in Class::ALL.into_iter().filter(is_there) {
        let name = class_name(class, picture.knows_cpu);
        let on_path = picture.critical.as_ref().map(|critical| (critical.sum.get(class), critical.sum.sum()));
        let on_path = on_path.filter(|(ns, _)| *ns >= 1.0);
        let on_path = on_path
            .map_or_else(String::new, |(ns, all)| format!("  {} ({})", time(ns as u64), percent(ns / all)));
        entries.push((class_colour(class), format!("{name}{on_path}")));
    }
    entries.push((
        colours::CRITICAL,
        "the critical path: whom the end waited for, back to the beginning".to_owned(),
    ));
    if picture.all_file_calls[1] > 0 {
        entries.push((colours::IN_VAIN, "file-system calls that failed".to_owned()));
    }
    let lines = entries.len().div_ceil(COLUMNS);
    let width = (WIDTH - 2.0 * X) / COLUMNS as f64;
    for (at, (colour, name)) in entries.iter().enumerate() {
        let x = X + (at / lines) as f64 * width;
        let y = sheet.y + (at % lines) as f64 * LINE;
        writeln!(
            sheet.body,
            "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"12\" height=\"12\" fill=\"{colour}\"/>",
            y + 3.0
        )?;
        text(&mut sheet.body, (x + 18.0, y + 13.0), "start", "class=\"ink\"", name)?;
    }
    sheet.y += lines as f64 * LINE + 16.0;
    Ok(())
}
