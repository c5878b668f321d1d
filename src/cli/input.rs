//! Opening the LOG argument that reporting commands take.

use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use clap::Args;

use super::failure::{Failure, note};
use super::progress::ReadBar;
use crate::log::{Columns, Error, Source};
use crate::report::units::things;

/// How long a FIFO may give nothing before that is said.
const UNTOLD: Duration = Duration::from_secs(1);

/// What a text of strace's may leave out.
#[derive(Debug, Default, Args)]
pub struct Place {
    /// Where the command of a log of strace's was started, for its relative paths (strace -y tells itself)
    #[arg(long, value_name = "DIR")]
    cwd: Option<PathBuf>,
}

impl Place {
    /// The directory as it stands in paths.
    pub fn directory(&self) -> Result<Option<PathBuf>, Failure> {
        let absolute = self.cwd.as_deref().map(std::path::absolute).transpose();
        absolute.map_err(|error| Failure::with_code(2, anyhow::Error::new(error).context("--cwd")))
    }
}

/// Opens a log, `-` being standard input, to decode these columns only.
pub fn open(path: &Path, place: &Place, columns: Columns) -> Result<Source, Failure> {
    open_with(path, place, columns, None)
}

/// The same, a bar telling how far the reading has come.
pub fn open_watched(path: &Path, place: &Place, columns: Columns, bar: &ReadBar) -> Result<Source, Failure> {
    open_with(path, place, columns, Some(bar).filter(|bar| !bar.is_hidden()))
}

fn open_with(path: &Path, place: &Place, columns: Columns, bar: Option<&ReadBar>) -> Result<Source, Failure> {
    let cwd = place.directory()?;
    let cwd = cwd.as_deref().map(|cwd| cwd.as_os_str().as_bytes());
    let waiting = tell_of_waiting(path);
    let source = match bar {
        _ if path.as_os_str() == "-" => Source::new(io::stdin(), cwd),
        None => Source::open(path, cwd),
        Some(bar) => {
            let file = File::open(path).map_err(|source| Error::Open { path: path.to_owned(), source })?;
            Source::named(bar.wrap(file), path, cwd)
        }
    };
    drop(waiting);
    Ok(source.map_err(|error| named(path, error))?.with_columns(columns))
}

/// Says after a while that nothing comes from a FIFO, until what is returned is dropped: its open waits for a writer.
fn tell_of_waiting(path: &Path) -> Option<Sender<()>> {
    fs::metadata(path).ok().filter(|found| found.file_type().is_fifo())?;
    let name = path.display().to_string();
    let (opened, is_opened) = channel();
    let waits = move || {
        if is_opened.recv_timeout(UNTOLD) == Err(RecvTimeoutError::Timeout) {
            note(format_args!("{name} is a FIFO: waiting for somebody to write a log into it"));
        }
    };
    // Without it, it is only not told.
    thread::Builder::new().spawn(waits).ok().map(|_| opened)
}

/// Says which lines of a text of strace's could not be read, once it was.
pub fn tell_unreadable(path: &Path, source: &Source) {
    let Some(lineage) = source.lineage() else { return };
    let name = path.display();
    if lineage.joined {
        note(format_args!(
            "{name}: lines go on after the end of the thread they are of, and name no other: are these files of strace -ff \
             put together? NAME in place of NAME.PID reads all of them as one run"
        ));
    }
    if lineage.unreadable == 0 {
        return;
    }
    if lineage.ours {
        note(format_args!(
            "{name}: this is what trace show prints for people, its times are misread; trace show --strace LOG prints what can be \
             read again"
        ));
    }
    for (number, line) in &lineage.shown {
        note(format_args!("{name}: line {number} cannot be read: {}", String::from_utf8_lossy(line)));
    }
    if lineage.too_long > 0 {
        let lines = things(lineage.too_long, "line is too long", "lines are too long");
        note(format_args!(
            "{name}: {lines} (more than 64 MiB, less in several files): strace -s N makes shorter ones"
        ));
    }
    let more = lineage.unreadable - lineage.shown.len() as u64;
    if more > 0 {
        note(format_args!("{name}: {} cannot be read either", things(more, "more line", "more lines")));
    }
}

/// An error of reading, with the log's name where the error does not have it.
pub fn named(path: &Path, error: Error) -> anyhow::Error {
    match error {
        // These name their file, which may be another.
        Error::Open { .. }
        | Error::Create { .. }
        | Error::Occupied { .. }
        | Error::Busy { .. }
        | Error::Write { .. } => error.into(),
        error if path.as_os_str() == "-" => anyhow::Error::new(error).context("standard input"),
        error => anyhow::Error::new(error).context(path.display().to_string()),
    }
}
