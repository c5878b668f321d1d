//! The flame graph that `trace startup` leaves beside its log.

use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::analysis::fold::Stack;
use crate::analysis::startup::Report;
use crate::report::flame::{self, Metric};
use crate::report::notes;

/// Draws the flame graph, width being estimated or true cost. False: there is nothing to draw.
pub fn draw(path: &Path, report: &Report, stacks: &[Stack]) -> io::Result<bool> {
    let mut svg = Vec::new();
    let subtitle = notes::quality(report.quality, &report.backend);
    if !flame::svg(&mut svg, stacks, Metric::Cost, &report.command.join(" "), &subtitle)? {
        return Ok(false);
    }
    replace(path, &svg)?;
    Ok(true)
}

/// Stands at the end of our drawings, to tell them from others'.
const SIGNATURE: &[u8] = b"<!-- flame graph by trace -->\n";

/// Writes the drawing, in the place of an older one of ours only. Names in it are as private as the log.
fn replace(path: &Path, svg: &[u8]) -> io::Result<()> {
    if let Ok(old) = path.symlink_metadata() {
        let is_ours = |old: Vec<u8>| old.is_empty() || old.ends_with(SIGNATURE);
        if !old.is_file() || !std::fs::read(path).is_ok_and(is_ours) {
            let text = format!("{} holds something else and is not overwritten", path.display());
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, text));
        }
    }
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(svg).and_then(|()| file.write_all(SIGNATURE)).inspect_err(|_| {
        // Half a drawing is none; what cannot be removed either is reported by the first error.
        let _ = std::fs::remove_file(path);
    })
}
