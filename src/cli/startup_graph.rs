//! The flame graph that `trace startup` leaves beside its log.

use std::io;
use std::path::Path;

use super::drawing_file;
use crate::analysis::flame::Drawing;
use crate::report::flame::{self, Caption};

/// Draws the flame graph. False: there is nothing to draw.
pub fn draw(path: &Path, drawing: &Drawing) -> io::Result<bool> {
    let mut svg = Vec::new();
    if !flame::svg(&mut svg, drawing, &Caption::default())? {
        return Ok(false);
    }
    drawing_file::replace_svg(path, &svg)?;
    Ok(true)
}
