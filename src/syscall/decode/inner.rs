//! Files that a call names elsewhere than in its arguments: in sets of descriptors, or where another argument tells that
//! there is one. Who chooses calls by paths (`-P`) looks at these, too.

use super::descriptors::Question;
use super::files::{AT_FDCWD, LONGEST_PATH};
use super::poll;
use super::text::End;
use super::{Decoder, Phase};
use crate::syscall::Spec;
use crate::syscall::flags::write_number;

/// Commands of `fsconfig(2)` with a path and a descriptor that it starts from; the next one has a descriptor only.
const SET_PATH: u32 = 3;
const SET_PATH_EMPTY: u32 = 4;
const SET_FD: u32 = 5;
/// Most descriptors that are looked at.
const MOST: usize = 1 << 10;

/// Whether this call is passed `AT_FDCWD` where only some of its commands have a directory.
#[must_use]
pub fn starts_from_cwd(spec: &Spec, args: &[u64; 6]) -> bool {
    spec.name == "fsconfig" && has_path(args[1]) && args[4] as i32 == AT_FDCWD
}

fn has_path(command: u64) -> bool {
    matches!(command as u32, SET_PATH | SET_PATH_EMPTY)
}

/// The last argument of `fsconfig(2)`: where the path starts from, or a descriptor, or a number.
pub(super) fn write_start(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, index: usize) {
    let fd = call.arg(index) as i32;
    if starts_from_cwd(call.spec, &call.event.args) {
        call.write_cwd(out, None);
    } else if has_path(call.arg(1)) || call.arg(1) as u32 == SET_FD {
        call.write_descriptor(out, fd);
    } else {
        write_number(out, i64::from(fd));
    }
}

impl Decoder<'_, '_> {
    /// Passes on the paths of files that are named so, as they are at the entry of the call.
    pub fn inner_paths(&mut self, mut each: impl FnMut(&[u8])) {
        self.phase = Phase::Entry;
        for fd in self.inner_descriptors() {
            if let Some(path) = self.ask(Question::Path(fd)) {
                each(&path);
            }
        }
        if self.spec.name == "fsconfig" && has_path(self.arg(1)) {
            let mut path = Vec::new();
            if matches!(self.read_c_string(self.arg(3), LONGEST_PATH, &mut path), End::Nul) {
                each(&path);
            }
        }
    }

    /// Whether what the arguments themselves name is not looked at.
    #[must_use]
    pub fn names_inner_paths_only(&self) -> bool {
        self.spec.name == "fsconfig"
    }

    fn inner_descriptors(&mut self) -> Vec<i32> {
        match self.spec.name {
            "poll" | "ppoll" | "ppoll_time64" => poll::polled(self, MOST),
            // One argument: what it points to has them.
            "select" if self.spec.args.len() == 1 => Vec::new(),
            "select" | "_newselect" | "pselect6" | "pselect6_time64" => poll::in_sets(self, MOST),
            "fsconfig" if (SET_PATH..=SET_FD).contains(&(self.arg(1) as u32)) => vec![self.arg(4) as i32],
            _ => Vec::new(),
        }
    }
}
