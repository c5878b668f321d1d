//! Which files a run has opened for writing, or put in their place by renaming.

use rustc_hash::FxHashSet;

use super::calls::Calls;
use super::text::Text;
use crate::event::{Event, Kind};

/// Most files that are kept.
const MOST: usize = 100_000;
/// `O_WRONLY` and `O_RDWR` of `open(2)`.
const WRITING: u64 = 3;

/// Takes the events of a log, gives absolute paths.
#[derive(Debug, Default)]
pub struct Written {
    calls: Calls,
    seen: FxHashSet<Vec<u8>>,
    order: Vec<Text>,
}

impl Written {
    /// Takes in one event.
    pub fn add(&mut self, event: &Event<'_>) {
        if event.kind != Kind::Syscall || event.ret.is_none_or(|ret| ret < 0) {
            return;
        }
        let call = self.calls.id(event.abi, event.nr);
        let path = match &*self.calls.get(call).name {
            // The flags of openat2 stand in memory that is not recorded.
            "open" => event.path_abs.filter(|_| event.args[1] & WRITING != 0),
            "openat" => event.path_abs.filter(|_| event.args[2] & WRITING != 0),
            "creat" | "truncate" | "truncate64" => event.path_abs,
            "rename" | "renameat" | "renameat2" => event.path2_abs,
            _ => None,
        };
        let Some(path) = path.filter(|path| path.starts_with(b"/")) else { return };
        if self.order.len() < MOST && !self.seen.contains(path) {
            self.seen.insert(path.to_vec());
            self.order.push(path.into());
        }
    }

    /// The paths, the first one written first.
    #[must_use]
    pub fn finish(self) -> Vec<Text> {
        self.order
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::call;
    use super::*;

    #[test]
    fn what_was_written_once_each() {
        let mut written = Written::default();
        let open = |path, flags, ret| Event {
            path_abs: Some(path),
            args: [0, 0, flags, 0, 0, 0],
            ..call("openat", 0, 1, ret)
        };
        written.add(&open(b"/read", 0o2_000_000, 3));
        written.add(&open(b"/b", 0o101, 3));
        written.add(&open(b"/b", 2, 3));
        written.add(&open(b"/denied", 1, -13));
        let rename = call("rename", 0, 1, 0);
        written.add(&Event { path_abs: Some(b"/tmp"), path2_abs: Some(b"/a"), ..rename });
        assert_eq!(written.finish(), ["/b", "/a"].map(Text::from));
    }
}
