//! How a report looks where it goes: a terminal of some width, or a pipe.

use std::ffi::OsStr;

use anstyle::{AnsiColor, Style};

/// Width and colour of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Columns there are; `None`: as many as the text needs (files, pipes).
    pub width: Option<usize>,
    /// Whether to use colour and weight.
    pub colour: bool,
}

impl Look {
    /// No colour and no limit to the width: for pipes, files and tests.
    pub const PLAIN: Self = Self { width: None, colour: false };

    /// What fits standard output. Its width is `COLUMNS` where that is set (for a pager, too), else the
    /// terminal's if it is one. There is colour if [`anstream::ColorChoice::global`] and the environment agree
    /// (`NO_COLOR`, `CLICOLOR_FORCE`, `TERM`).
    #[must_use]
    pub fn of_stdout() -> Self {
        let stdout = std::io::stdout();
        let colour = anstream::AutoStream::choice(&stdout) != anstream::ColorChoice::Never;
        // One without a height has a width all the same (`stty cols 40` where nobody has set the rows).
        let terminal = || {
            let size = rustix::termios::tcgetwinsize(&stdout).ok()?;
            Some(usize::from(size.ws_col)).filter(|width| *width > 0)
        };
        let width = columns(std::env::var_os("COLUMNS").as_deref()).or_else(terminal);
        Self { width: width.map(|width| width.max(NARROWEST)), colour }
    }

    /// A text, over as many lines as it needs.
    #[must_use]
    pub fn text(self, text: &str) -> String {
        self.wrapped(Style::new(), text)
    }

    /// What stands to the right of so many columns, its further lines there, too.
    #[must_use]
    pub fn beside(self, columns: usize, text: impl FnOnce(Self) -> String) -> String {
        let width = self.width.map(|width| width.saturating_sub(columns).max(NARROWEST / 2));
        let lines = text(Self { width, ..self });
        lines.replace('\n', &format!("\n{}", " ".repeat(columns)))
    }

    /// What stands to the right of a head, which is so many columns wide; in a narrow terminal below it, further in.
    #[must_use]
    pub fn beside_or_below(self, columns: usize, text: impl FnOnce(Self) -> String) -> String {
        let is_narrow = self.width.is_some_and(|width| width < columns + NARROWEST / 2);
        if is_narrow {
            format!("\n{INDENT}{}", self.beside(INDENT.len(), text))
        } else {
            self.beside(columns, text)
        }
    }

    /// A text behind a few words, its further lines below it.
    #[must_use]
    pub fn hanging(self, head: &str, text: &str) -> String {
        format!("{head}{}", self.beside(head.chars().count(), |look| look.text(text)))
    }

    /// A title and what stands beside it; where there is no room for both in a line, below it.
    #[must_use]
    pub fn headline(self, title: &str, beside: &str) -> String {
        if beside.is_empty() {
            return self.title(title);
        }
        let between = if self.fits(&format!("{title}   {beside}")) { "   " } else { "\n" };
        format!("{}{between}{}", self.title(title), self.text(beside))
    }

    /// A title, over as many lines as it needs.
    #[must_use]
    pub fn title(self, text: &str) -> String {
        self.wrapped(Style::new().bold(), text)
    }

    /// The first line of a table, as it is.
    #[must_use]
    pub fn header(self, line: &str) -> String {
        self.styled(Style::new().bold(), line)
    }

    /// Something the reader should not miss.
    #[must_use]
    pub fn warning(self, text: &str) -> String {
        self.wrapped(Style::new().bold().fg_color(Some(AnsiColor::Yellow.into())), text)
    }

    /// Something the reader may pass over.
    #[must_use]
    pub fn note(self, text: &str) -> String {
        self.wrapped(Style::new().dimmed(), text)
    }

    fn fits(self, line: &str) -> bool {
        self.width.is_none_or(|width| line.chars().count() <= width)
    }

    /// Breaks a text between its words where it is wider than there are columns.
    fn wrapped(self, style: Style, text: &str) -> String {
        if self.fits(text) {
            return self.styled(style, text);
        }
        let mut lines: Vec<String> = Vec::new();
        for word in with_units(text) {
            match lines.last_mut() {
                Some(line) if self.fits(&format!("{line} {word}")) => {
                    line.push(' ');
                    line.push_str(word);
                }
                _ => lines.push(word.to_owned()),
            }
        }
        // Several blanks between words are none at the end of a line, nor at the beginning of the next.
        let trimmed = |(at, line)| if at == 0 { str::trim_end(line) } else { str::trim(line) };
        let lines = lines.iter().map(String::as_str).enumerate().map(trimmed);
        let lines = lines.filter(|line| !line.is_empty()).map(|line| self.styled(style, line));
        lines.collect::<Vec<_>>().join("\n")
    }

    fn styled(self, style: Style, text: &str) -> String {
        if self.colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// The words of a text, a number and its unit being one.
fn with_units(text: &str) -> impl Iterator<Item = &str> {
    const UNITS: [&str; 5] = ["ns", "µs", "ms", "s", "%"];
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let blanks = text.match_indices(' ').map(|(at, _)| at);
        let is_unit = |after: &str| {
            let word = after.split(' ').next().unwrap_or_default();
            UNITS.contains(&word.trim_end_matches(|c: char| c.is_ascii_punctuation() && c != '%'))
        };
        let end = blanks.into_iter().find(|at| !is_unit(&text[at + 1..]));
        rest = end.map(|at| &text[at + 1..]);
        Some(end.map_or(text, |at| &text[..at]))
    })
}

/// Fewer columns are no screen: lines are no shorter than this, whatever the terminal says.
const NARROWEST: usize = 40;
/// What stands below something because there is no room beside it.
const INDENT: &str = "      ";

/// The width that `COLUMNS` asks for.
fn columns(variable: Option<&OsStr>) -> Option<usize> {
    variable?.to_str()?.parse().ok().filter(|width| *width > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_is_a_number_or_nothing() {
        let width = |text: &str| columns(Some(OsStr::new(text)));
        assert_eq!(
            (width("80"), width("0"), width(""), width("-1"), width("wide")),
            (Some(80), None, None, None, None)
        );
        assert_eq!(columns(None), None);
    }

    #[test]
    fn sentences_are_broken_between_words() {
        let narrow = Look { width: Some(12), colour: false };
        assert_eq!(narrow.note("no break"), "no break");
        assert_eq!(narrow.note("twelve chars"), "twelve chars");
        assert_eq!(
            narrow.warning("a word-beyond-all-width of µµµµµµµµ"),
            "a\nword-beyond-all-width\nof µµµµµµµµ"
        );
        assert_eq!(narrow.note("it took 12.5 ms, then 5.2 %."), "it took\n12.5 ms,\nthen 5.2 %.");
        assert_eq!(Look { width: Some(0), colour: false }.title("a b"), "a\nb");
        let colour = Look { width: Some(1), colour: true };
        assert_eq!(colour.title("a b"), "\u{1b}[1ma\u{1b}[0m\n\u{1b}[1mb\u{1b}[0m");
        assert_eq!(narrow.headline("a command", "b"), "a command\nb");
        assert_eq!(narrow.headline("cmd", "wall 1 ms"), "cmd\nwall 1 ms");
        assert_eq!(Look::PLAIN.headline("cmd", "wall 1 ms"), "cmd   wall 1 ms");
        assert_eq!(narrow.headline("cmd", ""), "cmd");
        assert_eq!(narrow.text("  two words   and   more"), "  two words\nand   more");
        assert_eq!(narrow.text("eleven char   and more"), "eleven char\nand more");
        assert_eq!(narrow.hanging("why: ", "a long word and others"), "why: a long word and\n     others");
        let below =
            |width| Look { width: Some(width), colour: false }.beside_or_below(20, |look| look.text("a b"));
        assert_eq!((below(40).as_str(), below(39).as_str()), ("a b", "\n      a b"));
        assert_eq!(narrow.header("as  wide  as  it  is"), "as  wide  as  it  is");
    }

    #[test]
    fn plain_is_plain() {
        assert_eq!(Look::PLAIN.title("x"), "x");
        let colour = Look { colour: true, ..Look::PLAIN };
        assert_eq!(colour.title("x"), "\u{1b}[1mx\u{1b}[0m");
    }
}
