//! Readiness as the end of a run, for all the runs of a command.

use std::io;
use std::sync::Arc;

use crate::capture::ready::{AtReady, Detector, OutputWatch, ReadyWatch, Until};
use crate::capture::stdio::Stdio;

/// When a run is over, for a program that does not end.
#[derive(Clone, Debug)]
pub struct Ready {
    pub(super) until: Until,
    pub(super) then: AtReady,
    output: Option<Arc<OutputWatch>>,
}

impl Ready {
    /// A run is over when this comes true; then the program is ended, or left alone. `stdio` is that of all the runs.
    pub fn new(until: Until, then: AtReady, stdio: &mut Stdio) -> Self {
        let output = match &until {
            Until::Output(regex) => {
                let watch = Arc::new(OutputWatch::new(regex.clone()));
                stdio.watch_output(&watch);
                Some(watch)
            }
            _ => None,
        };
        Self { until, then, output }
    }

    /// The same for a program that has its streams from elsewhere: its output is not seen.
    #[must_use]
    pub fn with_own_streams(until: Until, then: AtReady) -> Self {
        Self { until, then, output: None }
    }

    /// What is waited for.
    #[must_use]
    pub fn until(&self) -> &Until {
        &self.until
    }

    /// Watches a traced run, which has its streams and is about to start.
    pub fn watch_traced(&self, origin_ns: u64) -> io::Result<ReadyWatch> {
        self.arm();
        ReadyWatch::start(&self.until, self.then, self.output.clone(), origin_ns)
    }

    /// Looks for readiness of an untraced run that is about to start.
    pub(super) fn detector(&self) -> io::Result<Detector> {
        Detector::new(&self.until, self.output.clone())
    }

    /// Forgets what earlier runs wrote. They have been read to their end when the next one has its streams.
    pub(super) fn arm(&self) {
        if let Some(output) = &self.output {
            output.arm();
        }
    }
}
