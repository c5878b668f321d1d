//! `trace record --text`: lines as `trace show` prints them, while the command runs.

use std::path::Path;

use super::failure::{Failure, note};
use super::inject::Injections;
use super::lines::Lines;
use super::record::Arguments;
use super::text_output::{Finished, TextOutput};
use crate::capture::{Intervention, PokeError, Sink};
use crate::event::Event;
use crate::report::show::Options;
use crate::report::show::filter::Filter;

/// What is done beside writing the log.
pub struct Beside {
    text: Option<TextSink>,
    injections: Injections,
}

impl Beside {
    /// As the command line says; the log goes to `log`.
    pub fn new(arguments: &Arguments, log: &Path) -> Result<Self, Failure> {
        let injections = Injections::parse(&arguments.inject).map_err(Failure::of_trace)?;
        let text = if let Some(name) = &arguments.text {
            let filter = arguments.filter.filter().map_err(|failure| failure.or_code(125))?;
            let options = Options { style: arguments.style.style(), ..Options::default() };
            Some(TextSink::new(Lines::new(options, false, false), filter, TextOutput::open(name, log)?))
        } else {
            refuse_without_text(arguments).map_err(Failure::of_trace)?;
            None
        };
        Ok(Self { text, injections })
    }

    /// Ends the text, and says what was injected into no call: that may be a mistake in the expression; and that the command
    /// which reads the text failed. Why the text is not whole, if it is not.
    pub fn finish(self) -> Option<std::io::Error> {
        for (expression, were_met) in self.injections.without_effect() {
            let why =
                if were_met { "the calls that when= names did not come" } else { "no such call was made" };
            note(format_args!("--inject {expression}: nothing was done: {why}"));
        }
        let Finished { error, reader } = self.text.map(TextSink::finish).unwrap_or_default();
        if let Some(reader) = reader {
            note(format_args!("--text: {reader}"));
        }
        error
    }
}

/// Refuses what would have no effect without a text.
fn refuse_without_text(arguments: &Arguments) -> anyhow::Result<()> {
    anyhow::ensure!(
        arguments.filter.typed().is_none(),
        "-e, -P, -z and -Z choose what --text prints; the log has every call"
    );
    anyhow::ensure!(
        !arguments.style.shapes_lines(),
        "-v and -x say how --text prints; trace show takes them for a log (one of --decode full has the structures)"
    );
    anyhow::ensure!(
        arguments.decode.is_some() || !arguments.style.limits_strings(),
        "-s says how much --text prints of strings, and how much --decode full keeps of them: give one of these, too"
    );
    Ok(())
}

impl Sink for Beside {
    fn push(&mut self, event: &Event<'_>) {
        if let Some(text) = &mut self.text {
            text.push(event);
        }
    }

    fn intervention(&mut self, event: &Event<'_>) -> Intervention {
        self.injections.of(event)
    }

    fn not_poked(&mut self, tid: u32, error: PokeError) {
        note(format_args!("--inject: memory of thread {tid} was not changed as asked: {error}"));
    }
}

/// Prints what passes the filter.
struct TextSink {
    lines: Lines,
    filter: Filter,
    output: TextOutput,
    line: Vec<u8>,
}

impl TextSink {
    /// Prints to this output.
    fn new(lines: Lines, filter: Filter, output: TextOutput) -> Self {
        Self { lines, filter, output, line: Vec::new() }
    }

    /// Ends the text.
    fn finish(self) -> Finished {
        self.output.finish()
    }
}

impl Sink for TextSink {
    fn push(&mut self, event: &Event<'_>) {
        self.lines.saw(event);
        if !self.filter.matches(event) {
            return;
        }
        self.line.clear();
        // Writing to memory cannot fail.
        if self.lines.write(&mut self.line, event).is_ok() {
            self.output.write(&self.line);
        }
    }
}
