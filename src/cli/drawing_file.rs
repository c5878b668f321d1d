//! Files that drawings are written to: in the place of an older one of ours only, and as private as the log
//! whose names they hold.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::analysis::flame::Drawing;
use crate::report::flame::{self, Caption, is_folded};

/// Stands at the end of our drawings, to tell them from others'.
pub const SIGNATURE: &[u8] = b"<!-- flame graph by trace -->\n";

/// Stands at the end of our plots.
pub const PLOT_SIGNATURE: &[u8] = b"<!-- plot by trace -->\n";

/// Writes a drawing.
pub fn replace_svg(path: &Path, svg: &[u8]) -> io::Result<()> {
    replace(path, &[svg, SIGNATURE], ends_with_signature)
}

/// Writes a plot.
pub fn replace_plot(path: &Path, svg: &[u8]) -> io::Result<()> {
    replace(path, &[svg, PLOT_SIGNATURE], is_plot)
}

/// Whether a plot could be written there, before the long work that it is of. Nothing is made or changed.
pub fn check_plot(path: &Path) -> io::Result<()> {
    refuse_others(path, is_plot)?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if directory.is_dir() {
        return Ok(());
    }
    let text = format!("cannot write {}: there is no directory {}", path.display(), directory.display());
    Err(io::Error::new(io::ErrorKind::NotFound, text))
}

/// Writes folded stacks.
pub fn replace_folded(path: &Path, text: &[u8]) -> io::Result<()> {
    replace(path, &[text], holds_folded_stacks)
}

/// Writes what speedscope reads.
pub fn replace_speedscope(path: &Path, json: &[u8]) -> io::Result<()> {
    replace(path, &[json], begins_as_speedscope)
}

fn begins_as_speedscope(file: File) -> io::Result<bool> {
    let mut begin = Vec::new();
    file.take(flame::SPEEDSCOPE.len() as u64).read_to_end(&mut begin)?;
    Ok(begin == flame::SPEEDSCOPE)
}

fn replace(path: &Path, parts: &[&[u8]], is_ours: fn(File) -> io::Result<bool>) -> io::Result<()> {
    refuse_others(path, is_ours)?;
    let named =
        |error: io::Error| io::Error::new(error.kind(), format!("cannot write {}: {error}", path.display()));
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(path).map_err(named)?;
    parts.iter().try_for_each(|part| file.write_all(part)).map_err(|error| {
        // Half a drawing is none; what cannot be removed either is reported by the first error.
        let _ = std::fs::remove_file(path);
        named(error)
    })
}

fn refuse_others(path: &Path, is_ours: fn(File) -> io::Result<bool>) -> io::Result<()> {
    let Ok(old) = path.symlink_metadata() else { return Ok(()) };
    let ours = || File::open(path).and_then(is_ours).unwrap_or(false);
    if !old.is_file() || (old.len() > 0 && !ours()) {
        let text = format!("{} holds something else and is not overwritten", path.display());
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, text));
    }
    Ok(())
}

fn ends_with_signature(file: File) -> io::Result<bool> {
    ends_with(file, SIGNATURE)
}

fn is_plot(file: File) -> io::Result<bool> {
    ends_with(file, PLOT_SIGNATURE)
}

fn ends_with(mut file: File, signature: &[u8]) -> io::Result<bool> {
    let mut end = Vec::new();
    file.seek(SeekFrom::End(-(signature.len() as i64)))?;
    file.take(signature.len() as u64).read_to_end(&mut end)?;
    Ok(end == signature)
}

fn holds_folded_stacks(file: File) -> io::Result<bool> {
    /// Longer lines are nobody's folded stacks.
    const LONGEST: u64 = 1 << 20;
    let mut file = BufReader::new(file);
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut file).take(LONGEST).read_until(b'\n', &mut line)? {
            0 => return Ok(true),
            _ if !is_folded(&line) => return Ok(false),
            _ => {}
        }
    }
}

/// Draws the flame graph. False: there is nothing to draw.
pub fn draw(path: &Path, drawing: &Drawing) -> io::Result<bool> {
    let mut svg = Vec::new();
    if !flame::svg(&mut svg, drawing, &Caption::default())? {
        return Ok(false);
    }
    replace_svg(path, &svg)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn only_what_is_ours_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x");
        let kept = |old: &[u8], replace: fn(&Path, &[u8]) -> io::Result<()>| {
            fs::write(&path, old).unwrap();
            let replaced = replace(&path, b"a;b 2\n");
            let now = fs::read(&path).unwrap();
            assert_eq!(replaced.is_err(), now == old, "{replaced:?}");
            replaced.is_err()
        };
        let mine = [b"<svg/>", SIGNATURE].concat();
        for old in [&b""[..], &mine] {
            assert!(!kept(old, replace_svg));
        }
        for old in [&b"<svg/>"[..], b"x", b"a;b 1\n", &[&mine[..], b"\n"].concat()] {
            assert!(kept(old, replace_svg));
        }
        for old in [&b""[..], b"a;b 1\nc 3 4\n"] {
            assert!(!kept(old, replace_folded));
        }
        for old in [&b"a;b 1\nletter\n"[..], b"\n", &mine] {
            assert!(kept(old, replace_folded));
        }
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(directory.path().join("elsewhere"), &link).unwrap();
        assert!(replace_svg(&link, b"").is_err(), "a link stays one");
        let error = replace_svg(&directory.path().join("no/x"), b"").unwrap_err().to_string();
        assert!(error.starts_with("cannot write ") && error.contains("no/x"), "{error}");
    }

    #[test]
    fn a_drawing_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.svg");
        replace_svg(&path, b"<svg/>").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
