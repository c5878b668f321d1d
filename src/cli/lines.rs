//! Events as lines of text or JSON: what `trace show` prints, and `trace record --text` while the command runs.

use std::io::{self, Write};

use clap::Args;

use crate::analysis::stacks::Stacks;
use crate::event::{Event, Kind};
use crate::report::json;
use crate::report::show::json::Row;
use crate::report::show::{Modes, Options, Relative, Time, change_of_mode, line, line_in_parts, stack};
use crate::syscall::decode::{Hex, Style};

/// Bytes of a string that are shown, as by strace.
const STRINGS: usize = 32;

/// How strings and structures are shown.
#[derive(Debug, Args)]
pub struct StyleArguments {
    /// Show at most N bytes of a string or buffer, and N elements of an array; paths are always whole [default: 32]
    #[arg(short = 's', long = "string-limit", value_name = "N")]
    strings: Option<usize>,

    /// Show all members of structures, and all elements of arrays
    #[arg(short = 'v', long = "no-abbrev")]
    verbose: bool,

    /// Show strings that do not print in hexadecimal; twice: all strings
    #[arg(short = 'x', action = clap::ArgAction::Count)]
    hex: u8,
}

impl StyleArguments {
    /// Whether it was said how much is shown of strings (`-s`).
    pub fn limits_strings(&self) -> bool {
        self.strings.is_some()
    }

    /// Whether it was said how the rest is shown (`-v`, `-x`).
    pub fn shapes_lines(&self) -> bool {
        self.verbose || self.hex > 0
    }

    /// As the decoder takes it, with the files behind descriptors.
    pub fn style(&self) -> Style {
        let hex = match self.hex {
            0 => Hex::Never,
            1 => Hex::Unprintable,
            _ => Hex::All,
        };
        let strings = self.strings.unwrap_or(STRINGS);
        Style { strings, hex, verbose: self.verbose, files: true, ..Style::default() }
    }
}

/// The lines of events.
pub struct Lines {
    options: Options,
    /// Times are those of `-r`.
    relative: Option<Relative>,
    modes: Modes,
    json: bool,
    /// Where they are to be shown.
    stacks: Option<Stacks>,
    text: Vec<u8>,
}

impl Lines {
    /// Lines of this form; with `is_relative` each has the time since the one before.
    pub fn new(options: Options, is_relative: bool, json: bool) -> Self {
        Self {
            options,
            relative: is_relative.then(Relative::default),
            modes: Modes::default(),
            json,
            stacks: None,
            text: Vec::new(),
        }
    }

    /// From now on the functions that made a call stand below it, where they are known.
    pub fn show_stacks(&mut self) {
        self.stacks = Some(Stacks::default());
    }

    /// Takes note of an event that is perhaps not shown: a child begins in its parent's mode, and later ones refer to
    /// stacks.
    pub fn saw(&mut self, event: &Event<'_>) {
        if let Some(stacks) = &mut self.stacks {
            stacks.add(event);
        }
        if event.kind == Kind::Fork {
            self.modes.change(event);
        }
    }

    /// Writes an event as a line, or two.
    pub fn write(&mut self, out: &mut dyn Write, event: &Event<'_>) -> io::Result<()> {
        if self.json {
            return json::write_line(out, &Row::from(event));
        }
        // The sense of these is in tables and drawings, not line by line.
        if matches!(event.kind, Kind::Sample | Kind::Frame | Kind::Stack) {
            return Ok(());
        }
        if let Some(relative) = &mut self.relative
            && self.options.time != Time::Hidden
        {
            self.options.time = relative.next(event.start_ns);
        }
        self.text.clear();
        change_of_mode(&mut self.text, event, &self.options, &mut self.modes);
        line(&mut self.text, event, &self.options);
        self.text.push(b'\n');
        if let (Some(stacks), Some(number)) = (&self.stacks, event.stack) {
            stack::write(&mut self.text, stacks, number);
        }
        out.write_all(&self.text)
    }

    /// Writes a call as two lines: where it begins and where it returns.
    pub fn write_parts(
        &mut self,
        begun: &mut Vec<u8>,
        resumed: &mut Vec<u8>,
        event: &Event<'_>,
    ) -> io::Result<()> {
        change_of_mode(begun, event, &self.options, &mut self.modes);
        line_in_parts(begun, resumed, event, &self.options);
        begun.write_all(b"\n")?;
        resumed.write_all(b"\n")
    }
}
