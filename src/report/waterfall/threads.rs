//! A bar for each thread: what it does, its longest calls by name, the programs it becomes, and the critical path.

use std::io::{self, Write};

use super::colours::{CRITICAL, class_name};
use super::{LEFT, NAME, Sheet, columns, fit, rule, span_title};
use crate::analysis::errno;
use crate::analysis::waterfall::{Class, Row};
use crate::report::escape::{arguments, escape, shorten};
use crate::report::svg::{escaped, text};
use crate::report::units::{count, things, time};

/// Height of a row, and of the bar in it.
const ROW: f64 = 19.0;
const BAR: f64 = 13.0;
/// Pixels that a level of processes is moved to the right, and levels that are.
const INDENT: f64 = 8.0;
const DEEPEST: usize = 8;
/// Calls narrower than this have no name in the picture.
const NAMED: f64 = 40.0;

pub fn write(sheet: &mut Sheet<'_>) -> io::Result<()> {
    let picture = sheet.picture;
    let top = sheet.y;
    for row in &picture.rows {
        bar(sheet, row)?;
        sheet.y += ROW;
    }
    path(sheet, top)?;
    if let Some(others) = &picture.others {
        let name = format!("{} more", things(others.threads, "thread", "threads"));
        let below = format!("full height: {:.0} at once", others.most.max(1.0));
        sheet.label(ROW * 1.6, &name, &below)?;
        let place = (sheet.y, ROW * 1.4);
        columns::write(
            &mut sheet.body,
            (0, &others.columns),
            picture.length_ns,
            place,
            others.most.max(1.0),
        )?;
        sheet.y += ROW * 1.6;
    }
    Ok(())
}

fn bar(sheet: &mut Sheet<'_>, row: &Row) -> io::Result<()> {
    let indent = row.depth.min(DEEPEST) as f64 * INDENT + if row.is_thread { INDENT } else { 0.0 };
    let number = if row.is_thread { row.tid } else { row.pid }.to_string();
    let room = LEFT - 30.0 - indent - number.len() as f64 * 6.0 - 8.0;
    let name = fit(&escape(row.name.bytes()), room, 11.0).unwrap_or_default();
    let at = (20.0 + indent, sheet.y + 11.0);
    let class = if row.is_thread { "class=\"dim\"" } else { "class=\"ink\"" };
    text(&mut sheet.body, at, "start", class, &name)?;
    text(&mut sheet.body, (LEFT - 10.0, at.1), "end", "class=\"dim\" font-size=\"10\"", &number)?;

    let (x, y) = (sheet.x(row.from), sheet.y);
    let width = (sheet.x(row.to) - x).max(2.0);
    writeln!(
        sheet.body,
        "<rect class=\"life\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{BAR:.1}\"><title>{}</title></rect>",
        escaped(&title(sheet, row))
    )?;
    columns::write(&mut sheet.body, (row.first, &row.columns), sheet.picture.length_ns, (y, BAR), 1.0)?;
    for call in &row.long {
        let mut name = call.call.to_string();
        if call.errno != 0 {
            name = format!("{name} {}", errno::name(call.errno));
        }
        let object = shorten(&escape(call.object.bytes()), NAME);
        let title = span_title(&format!("{name} {object}"), call.from, call.to);
        let wide = sheet.x(call.to) - sheet.x(call.from) >= NAMED;
        let shown = if wide { name.as_str() } else { "" };
        sheet.block((call.from, call.to), BAR, "fill-opacity=\"0\"", (shown, &title))?;
    }
    for (at, program) in &row.programs {
        let x = sheet.x(*at);
        let title = format!("becomes {} at {}", shorten(&escape(program.bytes()), NAME), time(*at as u64));
        writeln!(
            sheet.body,
            "<rect class=\"ink\" x=\"{x:.1}\" y=\"{:.1}\" width=\"1.2\" height=\"{:.1}\"><title>{}</title></rect>",
            y - 2.0,
            BAR + 2.0,
            escaped(&title)
        )?;
    }
    Ok(())
}

/// What hovering over a bar tells.
fn title(sheet: &Sheet<'_>, row: &Row) -> String {
    let knows_cpu = sheet.picture.knows_cpu;
    let what = if row.argv.is_empty() {
        escape(row.name.bytes())
    } else {
        arguments(row.argv.iter().map(crate::analysis::text::Text::bytes))
    };
    let who = if row.is_thread {
        format!("thread {} of {}", row.tid, row.pid)
    } else {
        format!("process {}", row.pid)
    };
    let mut lines = vec![span_title(&format!("{who}, {}", shorten(&what, NAME)), row.from, row.to)];
    let mut classes: Vec<(Class, f64)> = Class::ALL
        .into_iter()
        .map(|class| (class, row.sum.get(class)))
        .filter(|(_, ns)| *ns >= 1.0)
        .collect();
    classes.sort_by(|a, b| b.1.total_cmp(&a.1));
    let parts =
        classes.iter().map(|(class, ns)| format!("{} {}", class_name(*class, knows_cpu), time(*ns as u64)));
    lines.push(parts.collect::<Vec<_>>().join("; "));
    lines.push(format!("{} calls; {} on the critical path", count(row.calls), time(row.critical as u64)));
    match row.status {
        Some(status) if status < 0 => lines.push(format!("killed by signal {}", -status)),
        Some(status) if status > 0 => lines.push(format!("exit status {status}")),
        _ => {}
    }
    // A line break is not text that a log brings, which is escaped already; XML keeps it.
    lines.join(" · ")
}

/// The critical path below the bars, and from one to the next.
fn path(sheet: &mut Sheet<'_>, top: f64) -> io::Result<()> {
    let Some(critical) = &sheet.picture.critical else { return Ok(()) };
    let y = |row: usize| top + row as f64 * ROW + BAR + 1.2;
    let look = format!("stroke=\"{CRITICAL}\" stroke-width=\"2.4\" class=\"quiet\"");
    let link = format!("stroke=\"{CRITICAL}\" stroke-width=\"1\" stroke-opacity=\"0.6\" class=\"quiet\"");
    let mut last: Option<(usize, f64)> = None;
    for &(row, from, to) in &critical.stretches {
        let Some(row) = row else {
            last = None;
            continue;
        };
        let (x1, x2) = (sheet.x(from), sheet.x(to));
        rule(&mut sheet.body, (x1, y(row)), (x2.max(x1 + 0.8), y(row)), &look)?;
        if let Some((before, _)) = last.filter(|(before, x)| *before != row && (x - x1).abs() < 1.0) {
            rule(&mut sheet.body, (x1, y(before)), (x1, y(row)), &link)?;
        }
        last = Some((row, x2));
    }
    Ok(())
}
