//! How a report looks where it goes: a terminal of some width, or a pipe.

use std::io::IsTerminal;

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

    /// What fits standard output: its width if it is a terminal, colour if the environment agrees
    /// (`NO_COLOR`, `CLICOLOR_FORCE`, `TERM`).
    #[must_use]
    pub fn of_stdout() -> Self {
        let stdout = std::io::stdout();
        let colour = anstream::AutoStream::choice(&stdout) != anstream::ColorChoice::Never;
        let width = terminal_size::terminal_size().filter(|_| stdout.is_terminal());
        Self { width: width.map(|(width, _)| usize::from(width.0)), colour }
    }

    /// A title.
    #[must_use]
    pub fn title(self, text: &str) -> String {
        self.styled(Style::new().bold(), text)
    }

    /// Something the reader should not miss.
    #[must_use]
    pub fn warning(self, text: &str) -> String {
        self.styled(Style::new().bold().fg_color(Some(AnsiColor::Yellow.into())), text)
    }

    /// Something the reader may pass over.
    #[must_use]
    pub fn note(self, text: &str) -> String {
        self.styled(Style::new().dimmed(), text)
    }

    fn styled(self, style: Style, text: &str) -> String {
        if self.colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_is_plain() {
        assert_eq!(Look::PLAIN.title("x"), "x");
        let colour = Look { colour: true, ..Look::PLAIN };
        assert_eq!(colour.title("x"), "\u{1b}[1mx\u{1b}[0m");
    }
}
