//! `trace install` as text: phases, packages, kinds of calls, what was made, findings, the ceiling.

use std::io::{self, Write};

use super::escape::{command_line, escape};
use super::look::Look;
use super::notes;
use super::startup::{self, Options};
use super::table::{Column, Table};
use super::units::{bytes, count, percent, things, time, time_or_dash};
use crate::analysis::install::{Kind, Package, PhaseRow, Report};
use crate::analysis::wall::WallKind;

/// Kinds of calls and packages that are shown without a wish.
const TOP: usize = 10;
/// Modules of a package that are named beside it.
const MODULES: usize = 2;

/// What is said of a command that has installed nothing.
const NOTHING: &str = "No package was installed: no file was made in a directory of packages (site-packages, \
                       dist-packages, node_modules, --target). trace startup tells where the time of other commands goes.";

/// The same where it may have.
const NOTHING_SEEN: &str = "Whether a package was installed is not known: no file made in a directory of packages is among \
                            the events that are there.";

/// Writes the report.
pub fn write(out: &mut dyn Write, report: &Report, options: Options<'_>) -> io::Result<()> {
    let look = options.look;
    for line in notes::integrity(&report.startup.integrity) {
        writeln!(out, "{}", look.warning(&line))?;
    }
    let command = command_line(&report.startup.command);
    writeln!(out, "{}", look.headline(&command, &headline(report)))?;
    if report.startup.integrity.calls == 0 {
        writeln!(out, "\n{}", look.warning("The log has no calls: what the command did is not known."))?;
        return writeln!(out, "\n{}", look.text(options.last));
    }
    if report.packages.is_empty() && report.not_packages.is_none() {
        let text = if report.startup.integrity.is_lossy() { NOTHING_SEEN } else { NOTHING };
        writeln!(out, "\n{}", look.warning(text))?;
    }
    writeln!(out)?;
    for line in phases(report).lines(look, 0) {
        writeln!(out, "{line}")?;
    }
    let note = "A phase is the time up to the end of each call that is for it, in whichever process: an estimate, traced \
                times less the tracer's, in proportion to the wall time.";
    writeln!(out, "{}", look.note(note))?;
    if overlaps(report) {
        writeln!(out, "{}", look.note(OVERLAP))?;
    }
    if let Some(left) = &report.left_behind {
        let text = format!(
            "{} by processes that the command left behind, up to {} after its end: in no phase, and counted with packages \
             and kinds of calls.",
            things(left.calls, "more call", "more calls"),
            time(left.traced_ns),
        );
        writeln!(out, "{}", look.note(&text))?;
    }
    let top = if options.top == usize::MAX { usize::MAX } else { TOP };
    packages(out, report, top, look)?;
    kinds(out, &report.kinds, top, look)?;
    if !report.made.is_empty() {
        let made =
            report.made.iter().map(|(measure, number)| format!("{} {}", measure.name(), count(*number)));
        writeln!(out, "\n{}", look.text(&made.collect::<Vec<_>>().join(", ")))?;
    }
    startup::write_findings(out, report.findings(), options)?;
    writeln!(
        out,
        "\n{}",
        look.note(&format!(
            "{}.",
            notes::costs(report.startup.quality, report.startup.stop_ns, &report.startup.backend)
        ))
    )?;
    writeln!(out, "{}", look.title(&startup::ceiling(&report.startup)))?;
    writeln!(out, "\n{}", look.text(options.last))
}

fn headline(report: &Report) -> String {
    let wall = report.wall();
    let wall_text = if let (WallKind::UntracedMedian, Some(untraced)) = (wall.kind, &report.startup.untraced)
    {
        format!(
            "wall {} (median of {})",
            time(wall.ns),
            things(untraced.figures.wall_ns.count as u64, "untraced run", "untraced runs"),
        )
    } else {
        let behind_ns = report.left_behind.map_or(0, |left| left.traced_ns);
        let own_ns = wall.ns.saturating_sub(behind_ns);
        format!("{} traced (--runs N with --prepare tells the wall time)", time(own_ns))
    };
    let installer = report.installer.map_or_else(String::new, |name| format!("   installer {name}"));
    format!("{wall_text}   backend {}{installer}", escape(report.startup.backend.as_bytes()))
}

/// What is said of phases where threads work at the same time.
const OVERLAP: &str = "Threads worked at the same time. What stands under takes adds up to the wall time: where several were at \
                       work, it is that of whichever call ended first. Under in threads is what each of them took by itself, \
                       waits for others left out, which adds up to more.";

/// Whether threads took so much more than the clock that they must have worked at the same time.
fn overlaps(report: &Report) -> bool {
    let sum = |of: fn(&PhaseRow) -> u64| report.phases.iter().map(of).sum::<u64>();
    sum(|row| row.threads_ns) > sum(|row| row.takes_ns) / 20 * 21
}

fn phases(report: &Report) -> Table {
    let overlaps = overlaps(report);
    let mut table = Table::new(vec![
        Column::text("Phase"),
        Column::number("takes"),
        Column::number("share"),
        Column::number("in threads").dropped(3),
        Column::number("syscalls").dropped(1),
        Column::number("failed").dropped(2),
        Column::number("fs time"),
    ]);
    for row in &report.phases {
        table.row(vec![
            row.phase.name().to_owned(),
            time(row.takes_ns),
            percent(row.share),
            if overlaps { time(row.threads_ns) } else { String::new() },
            count(row.calls),
            count(row.failed),
            time_or_dash(row.file_system_ns),
        ]);
    }
    table
}

fn packages(out: &mut dyn Write, report: &Report, top: usize, look: Look) -> io::Result<()> {
    let none = report.not_packages.as_ref();
    if report.packages.is_empty() && none.is_none() {
        return Ok(());
    }
    let mut table = Table::new(vec![
        Column::text("Package"),
        Column::number("files"),
        Column::number("links").dropped(2),
        Column::number("bytes"),
        Column::number("calls"),
        Column::number("cost").dropped(1),
    ]);
    let mut add = |name: String, package: &Package| {
        table.row(vec![
            name,
            count(package.files),
            count(package.links),
            bytes(package.bytes),
            count(package.calls),
            time_or_dash(package.cost_ns),
        ]);
    };
    for package in report.packages.iter().take(top) {
        add(package_name(package), package);
    }
    if let Some(none) = none {
        add("(no package)".to_owned(), none);
    }
    writeln!(out)?;
    for line in table.lines(look, 0) {
        writeln!(out, "{line}")?;
    }
    let hidden = report.packages.len().saturating_sub(top) as u64;
    if hidden > 0 {
        writeln!(out, "({}: --all)", things(hidden, "more package", "more packages"))?;
    }
    let targets: Vec<String> = report.targets.iter().map(|target| escape(target.bytes())).collect();
    writeln!(out, "{}", look.note(&format!("installed to {}", targets.join(", "))))
}

/// A package's name, and those of its modules where they are others.
fn package_name(package: &Package) -> String {
    let modules: Vec<String> =
        package.modules.iter().take(MODULES).map(|module| escape(module.bytes())).collect();
    let more = if package.modules.len() > MODULES { ", …" } else { "" };
    let name = escape(package.name.bytes());
    if modules.is_empty() { name } else { format!("{name} ({}{more})", modules.join(", ")) }
}

fn kinds(out: &mut dyn Write, kinds: &[Kind], top: usize, look: Look) -> io::Result<()> {
    let mut table =
        Table::new(vec![Column::text("Kind of call"), Column::number("calls"), Column::number("cost")]);
    for kind in kinds.iter().take(top) {
        let errno = kind.errno.as_deref().map_or_else(String::new, |errno| format!(" {errno}"));
        table.row(vec![format!("{}{errno}", kind.call), count(kind.calls), time_or_dash(kind.cost_ns)]);
    }
    writeln!(out)?;
    table.lines(look, 0).iter().try_for_each(|line| writeln!(out, "{line}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::install::{Install, Owners};
    use crate::analysis::testing::{call, header};
    use crate::event::Event;

    #[test]
    fn hostile_names_and_an_install_of_nothing() {
        let text = |events: &[Event<'_>]| {
            let mut install = Install::new(&header());
            for event in events {
                install.add(event);
            }
            let (report, _) = install.finish(&Owners::default());
            let mut out = Vec::new();
            write(&mut out, &report, Options { top: TOP, look: Look::PLAIN, last: "log x" }).unwrap();
            String::from_utf8(out).unwrap()
        };
        let path = "/v/site-packages/a\u{1b}[2J\nb/x.py".as_bytes();
        let made = Event {
            args: [0, 0, 0o101, 0, 0, 0],
            path: Some(path),
            path_abs: Some(path),
            ..call("openat", 0, 9_000, 3)
        };
        let shown = text(&[made]);
        assert!(
            shown.contains("a\\33[2J\\nb") && shown.contains("If every file-system call were free"),
            "{shown}"
        );
        assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown:?}");
        let total = Event { text: Some(b"events"), ret: Some(0), ..Event::new(crate::event::Kind::Total) };
        let one = call("getpid", 0, 9_000, 1);
        assert!(text(&[one, total]).contains("No package was installed"));
        assert!(text(&[one]).contains("Whether a package was installed is not known"), "cut short");
        let none = text(&[]);
        assert!(none.contains("The log has no calls") && !none.contains("Phase"), "{none}");
    }
}
