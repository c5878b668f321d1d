//! Whether the command has written what is waited for.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use regex::bytes::Regex;

use crate::capture::sys::clock::monotonic_ns;

/// The end of a stream in which a match is looked for, in bytes.
const KEPT: usize = 16 * 1024;

/// What is waited for, and when it came. Shared by whoever reads the command's output.
#[derive(Debug)]
pub struct OutputWatch {
    regex: Regex,
    at_ns: AtomicU64,
}

impl OutputWatch {
    /// Waits for a match.
    pub fn new(regex: Regex) -> Self {
        Self { regex, at_ns: AtomicU64::new(0) }
    }

    /// A new run: nothing has come yet.
    pub fn arm(&self) {
        self.at_ns.store(0, SeqCst);
    }

    /// When it came, by the monotonic clock.
    pub fn seen_ns(&self) -> Option<u64> {
        Some(self.at_ns.load(SeqCst)).filter(|&at| at != 0)
    }

    /// Takes in what was read from one stream; `before` is the end of what came before, kept by the reader.
    pub fn see(&self, before: &mut Vec<u8>, bytes: &[u8]) {
        if self.seen_ns().is_some() {
            return;
        }
        let now_ns = monotonic_ns();
        before.extend_from_slice(bytes);
        if self.regex.is_match(before) {
            // The first one, should both streams match.
            let _ = self.at_ns.compare_exchange(0, now_ns, SeqCst, SeqCst);
        }
        let excess = before.len().saturating_sub(KEPT);
        before.drain(..excess);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_match_across_reads_is_seen_once() {
        let watch = OutputWatch::new(Regex::new("(?m)^ready on [0-9]+$").unwrap());
        let mut before = Vec::new();
        watch.see(&mut before, b"starting\nready ");
        assert_eq!(watch.seen_ns(), None);
        watch.see(&mut before, b"on 80\n");
        let seen = watch.seen_ns();
        assert!(seen.is_some());
        watch.see(&mut before, b"ready on 81\n");
        assert_eq!(watch.seen_ns(), seen);
        watch.arm();
        assert_eq!(watch.seen_ns(), None);
        watch.see(&mut before, &vec![b'x'; 3 * KEPT]);
        assert_eq!(before.len(), KEPT);
    }
}
