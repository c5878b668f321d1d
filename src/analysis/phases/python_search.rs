//! Searches of the module path that find nothing: the last thing `site` does.
//!
//! At its end `site` tries to import `sitecustomize` and, unless told otherwise, `usercustomize`
//! (`main` in `Lib/site.py`). Each search is a pass through the directories of the path, which are
//! only looked at: their lists of names are kept in memory. The program's own vain imports look
//! the same where the current directory is not on the path (else they ask for that first), so
//! passes are counted: where there are more than `site` makes, the last ones may be the program's.

use super::{Cut, Segments};
use crate::analysis::text::file_name;
use crate::event::Event;

/// `S_IFMT` and `S_IFDIR` of inode(7).
const TYPE: u32 = 0o170_000;
const DIRECTORY: u32 = 0o040_000;

/// Passes through the module path that follow each other without a file looked up between.
#[derive(Debug, Default)]
pub(super) struct Searches {
    /// The directory looked up last.
    last: Vec<u8>,
    passes: u32,
    /// When the last lookup ended, if it was of a `…-packages` directory.
    end_ns: Option<u64>,
    /// The first call after the last pass.
    end: Option<Cut>,
    /// Whether there ever was a row.
    any: bool,
    /// Modules that `site` found rather than searched in vain.
    found: u32,
    /// A `.pth` file was opened, the code of which may do anything.
    path_files: bool,
}

impl Searches {
    /// A path was looked up.
    pub(super) fn lookup(&mut self, event: &Event<'_>, path: &[u8]) {
        self.path_files |= path.ends_with(b".pth") && event.errno().is_none();
        self.end = None;
        self.end_ns = None;
        let directory = event.stat.is_some_and(|stat| stat.mode & TYPE == DIRECTORY);
        if event.errno().is_some() || !(directory || path == self.last.as_slice()) {
            let customized = event.stat.is_some() && event.errno().is_none();
            let custom = file_name(path).strip_suffix(b".py").unwrap_or_default();
            if customized
                && path != self.last.as_slice()
                && matches!(custom, b"sitecustomize" | b"usercustomize")
            {
                self.found += 1;
            }
            self.last = path.to_vec();
            self.passes = 0;
            return;
        }
        if path.ends_with(b"-packages") {
            // Only an import comes from there; `site` itself looks at these directories too.
            self.passes += u32::from(self.last.ends_with(b"/lib-dynload"));
            self.end_ns = event.end_ns;
            self.any = true;
        }
        self.last = path.to_vec();
    }

    /// A call that looks up nothing: the first one after a pass is what comes after `site`, if the
    /// pass was its last.
    pub(super) fn other_call(&mut self, segments: &mut Segments) {
        if let Some(end_ns) = self.end_ns.take() {
            self.end = segments.cut(end_ns);
        }
    }

    /// Whether a `…-packages` directory was ever searched.
    pub(super) fn any(&self) -> bool {
        self.any
    }

    /// Whether what happens now may be the code of a `.pth` file: one was opened, and this is not the end of a pass.
    pub(super) fn may_run_path_file(&self) -> bool {
        self.path_files && self.end.is_none()
    }

    /// The end of the last pass, if nothing was looked up since.
    pub(super) fn end(&self) -> Option<Cut> {
        self.end
    }

    /// How many passes there were in the last row.
    pub(super) fn passes(&self) -> u32 {
        self.passes
    }

    /// How many passes of `site` there can be at its end.
    pub(super) fn expected(&self, user_site: bool) -> u32 {
        (1 + u32::from(user_site)).saturating_sub(self.found)
    }
}
