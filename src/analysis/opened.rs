//! Which files a run has opened, executed or mapped: those whose pages it needs.

use rustc_hash::FxHashSet;

use super::calls::Calls;
use crate::event::{Event, Kind};
use crate::syscall::Family;

/// Most files that are kept.
const MOST: usize = 100_000;

/// Takes the events of a log, gives absolute paths.
#[derive(Debug, Default)]
pub struct Opened {
    calls: Calls,
    paths: FxHashSet<Vec<u8>>,
}

impl Opened {
    /// Takes in one event.
    pub fn add(&mut self, event: &Event<'_>) {
        let path = match event.kind {
            Kind::Exec => event.path_abs.or(event.path),
            Kind::Syscall if event.ret.is_some_and(|ret| ret >= 0) => {
                let call = self.calls.id(event.abi, event.nr);
                (self.calls.get(call).family() == Family::Open).then_some(event.path_abs).flatten()
            }
            _ => None,
        };
        let Some(path) = path.filter(|path| path.starts_with(b"/")) else { return };
        if self.paths.len() < MOST && !self.paths.contains(path) {
            self.paths.insert(path.to_vec());
        }
    }

    /// The paths, in order.
    #[must_use]
    pub fn finish(self) -> Vec<Vec<u8>> {
        let mut paths: Vec<Vec<u8>> = self.paths.into_iter().collect();
        paths.sort_unstable();
        paths
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::call;
    use super::*;

    #[test]
    fn what_was_opened_or_executed_once_each() {
        let mut opened = Opened::default();
        let open = |path, ret| Event { path: Some(path), path_abs: Some(path), ..call("openat", 0, 1, ret) };
        opened.add(&open(b"/b", 3));
        opened.add(&open(b"/b", 4));
        opened.add(&open(b"/missing", -2));
        opened.add(&open(b"relative", 3));
        opened.add(&Event { path_abs: Some(b"/looked-at"), ..call("stat", 0, 1, 0) });
        opened.add(&Event { path: Some(b"/a"), ..Event::new(Kind::Exec) });
        assert_eq!(opened.finish(), [b"/a", b"/b"]);
    }
}
