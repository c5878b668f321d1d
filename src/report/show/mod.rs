//! Events as text, one line each, in the form of strace(1).
//!
//! ```text
//! 4164 0.001234 openat(AT_FDCWD</home/me>, "a.txt", O_RDONLY|O_CLOEXEC) = 3</home/me/a.txt> <0.000012>
//! ```
//!
//! What a log does not hold (buffers, most structures) is shown as an address, as strace does where it
//! cannot read. Whatever a traced program chose (paths, names, link targets, addresses) passes through
//! [`escape`], so that no byte of it can drive a terminal. Lines are appended to a buffer of the caller;
//! nothing is allocated but its growth.
//!
//! [`filter`] decides which events are shown.

mod call;
mod errno;
pub use errno::sentence as error_sentence;
pub mod filter;
pub mod json;
mod kinds;
pub mod live;
mod modes;
mod result;
pub mod stack;
#[cfg(test)]
mod tests;

pub use crate::syscall::decode::escape;
pub use modes::Modes;

use crate::event::{Event, Kind};
use crate::syscall::decode::Style;
use crate::syscall::flags::{write_number, write_radix};

/// What a line consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Who did it, at the beginning of the line.
    pub who: Who,
    /// When it began, after that.
    pub time: Time,
    /// How long it took, at the end (strace's `-T`).
    pub duration: bool,
    /// How arguments are shown, the file behind each descriptor included (strace's `-y`).
    pub style: Style,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            who: Who::Thread,
            time: Time::Since(0),
            duration: true,
            style: Style { files: true, ..Style::default() },
        }
    }
}

/// How the thread is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Not at all.
    Hidden,
    /// By its id: `4164`.
    Thread,
    /// By id and name: `4164<python3>` (strace's `-Y`).
    Named,
}

/// How the time is shown. All times are seconds with six decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// Not at all.
    Hidden,
    /// Since this moment, in nanoseconds of the log's clock (0 is the log's beginning); what began before it
    /// is shown at zero.
    Since(u64),
    /// Since the epoch (strace's `-ttt`), given the realtime clock at the log's time 0, in nanoseconds.
    Epoch(u64),
    /// The time of day (strace's `-t` and `-tt`).
    Day {
        /// The realtime clock at the log's time 0, in nanoseconds.
        origin_ns: u64,
        /// How far the local time is ahead of UTC, in seconds.
        offset_s: i64,
        /// Decimals of the seconds.
        decimals: usize,
    },
}

/// The times of strace's `-r`: how much later than everything shown before it an event began.
///
/// strace prints calls as they begin, a log holds them as they end. A call that began before a line that
/// is already shown, and ended after it (a wait for a child), has therefore no time of its own: it is shown
/// at zero. So no time is negative, those of one thread are as under strace, and they add up to the time
/// from the first event to the last.
#[derive(Clone, Copy, Debug, Default)]
pub struct Relative {
    latest_ns: Option<u64>,
}

impl Relative {
    /// The time to show for the next event, which begins at this moment.
    pub fn next(&mut self, start_ns: u64) -> Time {
        let before = self.latest_ns.unwrap_or(start_ns);
        self.latest_ns = Some(before.max(start_ns));
        Time::Since(before)
    }
}

/// Appends an event as one line, without a newline.
pub fn line(out: &mut Vec<u8>, event: &Event<'_>, options: &Options) {
    write_head(out, event, options);
    if let Some(signal) = event.stopped_by() {
        return kinds::write_stop(out, signal);
    }
    match event.kind {
        Kind::Syscall => call::write(out, event, options),
        Kind::Signal => kinds::write_signal_line(out, event, options.style.constants),
        Kind::Exit => kinds::write_exit(out, event),
        Kind::Exec
        | Kind::Fork
        | Kind::Mark
        | Kind::Lost
        | Kind::Total
        | Kind::Sample
        | Kind::Frame
        | Kind::Stack => kinds::write_own(out, event),
    }
}

/// Appends a call as two lines, without newlines: what strace prints when it begins, and when it returns.
pub fn line_in_parts(begun: &mut Vec<u8>, resumed: &mut Vec<u8>, event: &Event<'_>, options: &Options) {
    write_head(begun, event, options);
    call::write_begun(begun, event, options);
    let returned = Event { start_ns: event.end_ns.unwrap_or(event.start_ns), ..*event };
    write_head(resumed, &returned, options);
    call::write_resumed(resumed, event, options);
}

/// Appends a line, and its newline, that tells another calling convention than that of the thread's calls before.
pub fn change_of_mode(out: &mut Vec<u8>, event: &Event<'_>, options: &Options, modes: &mut Modes) {
    if let Some(mode) = modes.change(event) {
        write_head(out, event, options);
        out.extend_from_slice(b"[ Process PID=");
        write_number(out, i64::from(event.tid));
        out.extend_from_slice(b" runs in ");
        out.extend_from_slice(mode.as_bytes());
        out.extend_from_slice(b" mode. ]\n");
    }
}

/// Whether strace has a line for events like this one.
#[must_use]
pub fn has_line_of_strace(event: &Event<'_>) -> bool {
    matches!(event.kind, Kind::Syscall | Kind::Signal | Kind::Exit) || event.stopped_by().is_some()
}

fn write_head(out: &mut Vec<u8>, event: &Event<'_>, options: &Options) {
    write_who(out, event, options.who);
    write_time(out, event.start_ns, options.time);
}

fn write_who(out: &mut Vec<u8>, event: &Event<'_>, who: Who) {
    if who == Who::Hidden {
        return;
    }
    write_number(out, i64::from(event.tid));
    if who == Who::Named {
        escape::write_bracketed(out, event.comm);
    }
    out.push(b' ');
}

fn write_time(out: &mut Vec<u8>, start_ns: u64, time: Time) {
    match time {
        Time::Hidden => return,
        Time::Since(moment) => write_seconds(out, start_ns.saturating_sub(moment)),
        Time::Epoch(origin) => write_seconds(out, origin.saturating_add(start_ns)),
        Time::Day { origin_ns, offset_s, decimals } => {
            write_time_of_day(out, origin_ns.saturating_add(start_ns), offset_s, decimals);
        }
    }
    out.push(b' ');
}

/// Nanoseconds as seconds with six decimals, cut, not rounded (so that the order of lines is kept).
fn write_seconds(out: &mut Vec<u8>, ns: u64) {
    write_radix(out, ns / 1_000_000_000, 10, 1);
    out.push(b'.');
    write_radix(out, ns % 1_000_000_000 / 1000, 10, 6);
}

/// A moment of the realtime clock in nanoseconds as the time of day, with so many decimals of its seconds, cut.
fn write_time_of_day(out: &mut Vec<u8>, now_ns: u64, offset_s: i64, decimals: usize) {
    let second = (now_ns / 1_000_000_000).cast_signed().saturating_add(offset_s).rem_euclid(86_400);
    for (unit, behind) in [(second / 3600, &b":"[..]), (second / 60 % 60, b":"), (second % 60, b"")] {
        write_radix(out, unit.unsigned_abs(), 10, 2);
        out.extend_from_slice(behind);
    }
    write_decimals(out, now_ns, decimals);
}

/// The decimals of seconds, as many as are wanted, behind a point.
fn write_decimals(out: &mut Vec<u8>, ns: u64, decimals: usize) {
    if decimals > 0 {
        let unit = 10_u64.pow(9_u32.saturating_sub(decimals as u32));
        out.push(b'.');
        write_radix(out, ns % 1_000_000_000 / unit, 10, decimals);
    }
}

/// The same with nine decimals: a replayed call takes less than a microsecond.
fn write_nanoseconds(out: &mut Vec<u8>, ns: u64) {
    write_seconds(out, ns);
    write_radix(out, ns % 1000, 10, 3);
}
