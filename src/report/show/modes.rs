//! Changes of the calling convention, as strace tells them: `[ Process PID=1 runs in 32 bit mode. ]`.

use rustc_hash::FxHashMap;

use crate::event::{Abi, Event, Kind};

/// The convention with which each thread called last, among the calls shown.
#[derive(Debug, Clone, Default)]
pub struct Modes(FxHashMap<u32, Abi>);

impl Modes {
    /// strace's name of the convention of this call, if it is another than that of the thread's calls before.
    pub fn change(&mut self, event: &Event<'_>) -> Option<&'static str> {
        // Only threads that are not where all begin are kept.
        let before = match (event.kind, event.abi) {
            // A child begins as its parent is.
            (Kind::Fork, _) => {
                if let (Some(&mode), Some(child)) = (self.0.get(&event.tid), event.ret) {
                    self.0.insert(child as u32, mode);
                }
                return None;
            }
            (Kind::Exit, _) | (Kind::Syscall, Abi::X86_64) => self.0.remove(&event.tid),
            (Kind::Syscall, other) => self.0.insert(event.tid, other),
            _ => return None,
        };
        let changed = event.kind == Kind::Syscall && before.unwrap_or_default() != event.abi;
        changed.then_some(match event.abi {
            Abi::X86_64 => "64 bit",
            Abi::I386 => "32 bit",
            Abi::X32 => "x32",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::show::{Options, change_of_mode};

    #[test]
    fn a_change_is_told_once_for_each_thread() {
        let mut modes = Modes::default();
        let mut told = |tid, abi| modes.change(&Event { tid, abi, ..Event::new(Kind::Syscall) });
        assert_eq!(
            (told(7, Abi::X86_64), told(7, Abi::I386), told(7, Abi::I386)),
            (None, Some("32 bit"), None)
        );
        assert_eq!((told(8, Abi::X86_64), told(7, Abi::X86_64)), (None, Some("64 bit")));
        assert_eq!((told(8, Abi::X32), told(7, Abi::X86_64)), (Some("x32"), None));
        let mut out = Vec::new();
        let event = Event { tid: 9, abi: Abi::I386, ..Event::new(Kind::Syscall) };
        change_of_mode(&mut out, &event, &Options::default(), &mut modes);
        assert_eq!(out, b"9 0.000000 [ Process PID=9 runs in 32 bit mode. ]\n");
    }
}
