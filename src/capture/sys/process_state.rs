//! What `/proc` says of a process, read in a signal handler: async-signal-safe calls only, no allocation.

use std::ffi::c_int;

/// What it says.
pub struct State {
    /// Its first thread is held for its tracer.
    pub is_stopping: bool,
    /// Signals sent to it that none of its threads has taken.
    pending: u64,
}

impl State {
    /// Asks; `None`: it cannot be read.
    pub fn of(pid: i32) -> Option<Self> {
        let mut path = [0u8; 32];
        let mut buffer = [0u8; 4096];
        write_path(&mut path, pid);
        // SAFETY: `path` ends with a NUL byte, `buffer` has the length that is passed; open, read and close
        // are async-signal-safe.
        let got = unsafe {
            let fd = libc::open(path.as_ptr().cast(), libc::O_RDONLY | libc::O_CLOEXEC);
            if fd == -1 {
                return None;
            }
            let got = libc::read(fd, buffer.as_mut_ptr().cast(), buffer.len());
            libc::close(fd);
            got
        };
        let text = buffer.get(..usize::try_from(got).ok()?)?;
        let field = |name: &[u8]| {
            let mut lines = text.split(|&byte| byte == b'\n');
            lines.find_map(|line| line.strip_prefix(name)).map(<[u8]>::trim_ascii)
        };
        let pending = std::str::from_utf8(field(b"ShdPnd:")?).ok()?;
        Some(Self {
            is_stopping: field(b"State:")?.first() == Some(&b't'),
            pending: u64::from_str_radix(pending, 16).ok()?,
        })
    }

    /// Whether a signal waits that was sent to the process.
    pub fn has_pending(&self, signal: c_int) -> bool {
        signal > 0 && self.pending & (1 << (signal - 1)) != 0
    }
}

/// `/proc/PID/status` with a NUL byte, without allocating.
fn write_path(path: &mut [u8; 32], pid: i32) {
    use std::io::Write;
    // Longer than any of these.
    let _ = write!(&mut path[..], "/proc/{pid}/status\0");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_of_a_process_is_read() {
        let state = State::of(std::process::id().cast_signed()).expect("our own is readable");
        assert!(!state.is_stopping && !state.has_pending(libc::SIGTERM));
        assert!(State::of(i32::MAX).is_none());
    }
}
