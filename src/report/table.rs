//! Tables: aligned columns that fit the terminal.
//!
//! A thin layer over comfy-table, which knows how wide characters are. Where a table is too wide,
//! columns are left out, those that matter least first, then names lose their middle, and where that is not
//! enough columns go that tell what others tell too. Lines are never wrapped.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ContentArrangement};

use super::escape::shorten;
use super::look::Look;

/// Blanks between columns.
const GAP: usize = 2;
/// Narrowest that names are cut to.
const NARROWEST: usize = 12;

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its title.
    pub title: &'static str,
    /// Whether numbers stand in it, which are aligned to the right.
    pub number: bool,
    /// Columns with higher values are left out earlier; 0: never.
    pub drop: u8,
    /// A column that is left out only where names that are cut leave too little room; higher values go first; 0: never.
    pub last: u8,
}

impl Column {
    /// A column of numbers that is never left out.
    #[must_use]
    pub const fn number(title: &'static str) -> Self {
        Self { title, number: true, drop: 0, last: 0 }
    }

    /// A column of text that is never left out; in the first such column names are cut to fit.
    #[must_use]
    pub const fn text(title: &'static str) -> Self {
        Self { title, number: false, drop: 0, last: 0 }
    }

    /// The same, left out where there is no room; higher values go first.
    #[must_use]
    pub const fn dropped(self, drop: u8) -> Self {
        Self { drop, ..self }
    }

    /// The same, left out only where names that are cut leave too little room.
    #[must_use]
    pub const fn dropped_last(self, last: u8) -> Self {
        Self { last, ..self }
    }
}

/// A table; rows have one cell for each column.
#[derive(Debug, Clone)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Row>,
}

/// A row, and the column without which it says nothing.
#[derive(Debug, Clone)]
struct Row {
    cells: Vec<String>,
    needs: Option<usize>,
}

impl Table {
    /// An empty table.
    #[must_use]
    pub fn new(columns: Vec<Column>) -> Self {
        Self { columns, rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<String>) {
        debug_assert_eq!(cells.len(), self.columns.len());
        self.rows.push(Row { cells, needs: None });
    }

    /// Adds a row that is left out where this column is.
    pub fn row_with(&mut self, column: usize, cells: Vec<String>) {
        debug_assert_eq!(cells.len(), self.columns.len());
        self.rows.push(Row { cells, needs: Some(column) });
    }

    /// The lines, titles first, each indented by this many blanks.
    #[must_use]
    pub fn lines(&self, look: Look, indent: usize) -> Vec<String> {
        let mut shown: Vec<usize> = (0..self.columns.len()).filter(|&at| !self.is_blank(at)).collect();
        let mut table = self.table(&shown, None);
        if let Some(room) = look.width.map(|width| width.saturating_sub(indent)) {
            while width(&table) > room {
                let least = shown.iter().copied().max_by_key(|&at| self.columns[at].drop);
                let Some(least) = least.filter(|&at| self.columns[at].drop > 0) else { break };
                shown.retain(|&at| at != least);
                table = self.table(&shown, None);
            }
            table = self.fitted(table, &mut shown, room);
        }
        let pad = " ".repeat(indent);
        table
            .lines()
            .enumerate()
            .map(|(at, line)| {
                let line = line.trim_end();
                format!("{pad}{}", if at == 0 { look.header(line) } else { line.to_owned() })
            })
            .collect()
    }

    /// Where nothing can be left out that goes easily: names are cut, and the last columns that may go do so.
    fn fitted(
        &self,
        mut table: comfy_table::Table,
        shown: &mut Vec<usize>,
        room: usize,
    ) -> comfy_table::Table {
        loop {
            let over = width(&table).saturating_sub(room);
            let names = shown.iter().position(|&at| !self.columns[at].number);
            let Some(names) = names.filter(|_| over > 0) else { return table };
            let natural = usize::from(table.column_max_content_widths()[names]);
            let last = shown.iter().copied().max_by_key(|&at| self.columns[at].last);
            let last = last.filter(|&at| self.columns[at].last > 0);
            // Titles are not cut.
            let title = self.columns[names].title.chars().count().max(NARROWEST);
            match last.filter(|_| natural.saturating_sub(over) < title) {
                Some(last) => {
                    shown.retain(|&at| at != last);
                    table = self.table(shown, None);
                }
                None => return self.table(shown, Some((names, natural.saturating_sub(over).max(NARROWEST)))),
            }
        }
    }

    /// Whether no row has anything in a column.
    fn is_blank(&self, at: usize) -> bool {
        let blank = |row: &Row| row.cells.get(at).is_none_or(String::is_empty);
        !self.rows.is_empty() && self.rows.iter().all(blank)
    }

    /// The columns shown, the names in one of them cut to a width.
    fn table(&self, shown: &[usize], cut: Option<(usize, usize)>) -> comfy_table::Table {
        let mut table = comfy_table::Table::new();
        table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(shown.iter().map(|&at| self.columns[at].title));
        for row in self.rows.iter().filter(|row| row.needs.is_none_or(|needs| shown.contains(&needs))) {
            table.add_row(shown.iter().enumerate().map(|(place, &at)| {
                let cell = row.cells.get(at).map_or("", String::as_str);
                match cut {
                    Some((column, width)) if column == place => shorten(cell, width),
                    _ => cell.to_owned(),
                }
            }));
        }
        let last = shown.len().saturating_sub(1);
        for (place, (column, &at)) in table.column_iter_mut().zip(shown).enumerate() {
            column.set_padding((0, if place == last { 0 } else { GAP as u16 }));
            if self.columns[at].number {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table
    }
}

/// How wide a table is.
fn width(table: &comfy_table::Table) -> usize {
    let widths = table.column_max_content_widths();
    let gaps = widths.len().saturating_sub(1) * GAP;
    widths.iter().map(|&width| usize::from(width)).sum::<usize>() + gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let columns = vec![
            Column::text("name"),
            Column::number("calls"),
            Column::number("p99").dropped(2),
            Column::text("errors").dropped(1),
        ];
        let mut table = Table::new(columns);
        table.row(["/usr/lib/python3/dist-packages", "12", "1.2 ms", ""].map(str::to_owned).into());
        table.row(["/b", "5", "", "ENOENT 3"].map(str::to_owned).into());
        table
    }

    #[test]
    fn plain_tables_are_as_wide_as_they_need() {
        let lines = table().lines(Look::PLAIN, 0);
        assert_eq!(
            lines,
            [
                "name                            calls     p99  errors",
                "/usr/lib/python3/dist-packages     12  1.2 ms",
                "/b                                  5          ENOENT 3",
            ]
        );
    }

    #[test]
    fn columns_go_in_order_and_then_names_are_cut() {
        let at = |width| table().lines(Look { width: Some(width), colour: false }, 0);
        assert!(at(55)[0].contains("p99"));
        assert!(!at(50)[0].contains("p99") && at(50)[0].contains("errors"));
        assert!(!at(40)[0].contains("errors"));
        assert_eq!(
            at(24),
            ["name               calls", "/usr/…st-packages     12", "/b                     5"]
        );
        for width in 0..60 {
            let widest = at(width).iter().map(|line| line.chars().count()).max().unwrap();
            assert!(widest <= width.max(NARROWEST + GAP + 5), "{width}");
        }
    }

    #[test]
    fn last_columns_go_where_cut_names_leave_no_room() {
        let columns =
            vec![Column::text("name"), Column::number("calls").dropped_last(1), Column::number("p50")];
        let mut table = Table::new(columns);
        table.row(["/usr/lib/python3/dist-packages", "12", "1.2 ms"].map(str::to_owned).into());
        let at = |width| table.lines(Look { width: Some(width), colour: false }, 0);
        assert_eq!(at(30), ["name             calls     p50", "/usr…t-packages     12  1.2 ms"]);
        assert!(at(24)[0].ends_with("p50") && !at(24)[0].contains("calls"), "{:?}", at(24));
        for width in NARROWEST + GAP + 6..60 {
            assert!(at(width).iter().all(|line| line.chars().count() <= width), "{width}");
        }
    }

    #[test]
    fn a_row_goes_with_the_column_it_needs() {
        let mut table = table();
        table.row_with(2, vec!["tail".to_owned(), String::new(), "9 s".to_owned(), String::new()]);
        let lines = |width| table.lines(Look { width: Some(width), colour: false }, 0).len();
        assert_eq!((lines(100), lines(50)), (4, 3));
    }

    #[test]
    fn empty_columns_and_tables() {
        let mut one = Table::new(vec![Column::text("a"), Column::text("b")]);
        assert_eq!(one.lines(Look::PLAIN, 2), ["  a  b"]);
        one.row(vec!["x".to_owned(), String::new()]);
        assert_eq!(one.lines(Look::PLAIN, 0), ["a", "x"], "a column with nothing in it is left out");
    }
}
