//! Progress on standard error, when that is a terminal.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};

use crate::capture::untraced::Progress;

/// Steps of the bar.
const STEPS: u64 = 1000;

/// A bar over the untraced runs; it appears after the first run, which may print on the terminal itself.
pub struct RunsBar {
    bar: ProgressBar,
    what: &'static str,
}

impl RunsBar {
    pub fn new() -> Self {
        Self { bar: ProgressBar::hidden(), what: "untraced runs" }
    }

    /// A bar that is there from the beginning, because nothing is printed meanwhile.
    pub fn now(what: &'static str) -> Self {
        Self { bar: bar(what), what }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for RunsBar {
    fn finished(&mut self, run: usize, share: f64) {
        if run == 0 {
            self.bar = bar(self.what);
        }
        self.bar.set_position((share * STEPS as f64) as u64);
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
