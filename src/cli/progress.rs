//! Progress on standard error, when that is a terminal.

use std::fs::File;
use std::io::{IsTerminal, Read};
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::failure::note;
use crate::capture::untraced::Progress;

/// Steps of the bar.
const STEPS: u64 = 1000;

/// A bar over the untraced runs; it appears after the first run, which may print on the terminal itself.
#[derive(Clone)]
pub struct RunsBar {
    bar: ProgressBar,
    shown: bool,
    what: &'static str,
    began: Instant,
}

impl RunsBar {
    pub fn new() -> Self {
        Self::of("untraced runs")
    }

    /// A bar over runs of this kind.
    pub fn of(what: &'static str) -> Self {
        Self { bar: ProgressBar::hidden(), shown: false, what, began: Instant::now() }
    }

    /// A bar that is there from the beginning, because nothing is printed meanwhile.
    pub fn now(what: &'static str) -> Self {
        Self { bar: bar(what), shown: true, what, began: Instant::now() }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for RunsBar {
    fn finished(&mut self, run: usize, share: f64) {
        if !self.shown {
            self.bar = bar(self.what);
            self.shown = true;
        }
        let left =
            left(self.began.elapsed(), share).map_or_else(String::new, |left| format!(", {left} left"));
        self.bar.set_message(format!("{} {}{left}", self.what, run + 1));
        self.bar.set_position((share * STEPS as f64) as u64);
    }

    fn typed_to(&mut self) {
        let text = "the command has read from the terminal: each further run waits to be typed to again, and its \
                    time holds the typing; to type once, redirect its input from a file or a pipe";
        self.bar.suspend(|| note(text));
    }
}

/// The time that is left if the rest goes as fast as what is done; `None`: too little is done to tell.
fn left(elapsed: Duration, share: f64) -> Option<String> {
    let left_s = elapsed.as_secs_f64() * (1.0 - share) / share;
    (share > 0.05 && left_s.is_finite()).then(|| match left_s.max(0.0).ceil() as u64 {
        seconds @ 0..=99 => format!("{seconds} s"),
        seconds => format!("{} min", seconds.div_ceil(60)),
    })
}

/// Shorter logs are read before a bar could be looked at.
const LONG_LOG: u64 = 16 << 20;

/// A bar over the reading of a log, where that takes a while.
pub struct ReadBar {
    bar: ProgressBar,
}

impl ReadBar {
    pub fn new(log: &Path) -> Self {
        let length = log.metadata().ok().filter(std::fs::Metadata::is_file).map_or(0, |file| file.len());
        let bar = if length < LONG_LOG { ProgressBar::hidden() } else { bar("reading the log") };
        bar.set_length(length);
        Self { bar }
    }

    /// Whether there is nothing to be seen of it.
    pub fn is_hidden(&self) -> bool {
        self.bar.is_hidden()
    }

    /// The file, its reading shown.
    pub fn wrap(&self, file: File) -> impl Read + Send + 'static {
        self.bar.wrap_read(file)
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// A bar for work of which one knows the share that is done.
fn bar(what: &'static str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(STEPS).with_message(what);
    if let Ok(style) = ProgressStyle::with_template("trace: {msg} {bar:30} {percent:>3} %") {
        bar.set_style(style);
    }
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_left_is_told_once_it_can_be() {
        let after = |seconds, share| left(Duration::from_secs(seconds), share);
        assert_eq!(after(10, 0.5).as_deref(), Some("10 s"));
        assert_eq!(after(10, 1.0).as_deref(), Some("0 s"));
        assert_eq!(after(60, 0.1).as_deref(), Some("9 min"));
        assert_eq!((after(10, 0.0), after(10, 0.01), after(0, f64::NAN)), (None, None, None));
    }
}
