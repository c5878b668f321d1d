//! Strings and buffers that are arguments of their own.

use super::escape::write_quoted;
use super::files::LONGEST_PATH;
use super::text::{Hex, write_text};
use super::{Decoder, net, special};
use crate::event::Flags;
use crate::syscall::Arg;

/// Calls whose string is shown whole, as paths are: the target of a link, what is mounted, names of queues.
const PATHS: [&str; 3] = ["symlink", "mount", "mq_"];

/// Calls that fill a buffer with as many bytes as they return, its size being the next argument.
pub(super) const BUFFERS: [&str; 13] = [
    "read",
    "pread64",
    "recvfrom",
    "recv",
    "getxattr",
    "lgetxattr",
    "fgetxattr",
    "listxattr",
    "llistxattr",
    "flistxattr",
    "mq_timedreceive",
    "mq_timedreceive_time64",
    "lookup_dcookie",
];

impl Decoder<'_, '_> {
    /// A string that is no path: known where the capture keeps it as the event's text (link targets).
    pub(super) fn write_string(&mut self, out: &mut Vec<u8>, index: usize) {
        let is_first = self.ordinal(index, is_string) == 0;
        match self.event.text.filter(|_| is_first && !special::returns_text(self.spec)) {
            Some(text) if PATHS.iter().any(|call| self.spec.name.starts_with(call)) => {
                self.write_text(out, text, false);
            }
            Some(text) => {
                let shown = &text[..text.len().min(self.style.strings).min(longest(self.spec.name))];
                // That of a text which was cut is not that of a path, which is longer then.
                let was_cut = !self.is_deep()
                    && self.event.flags.has(Flags::TRUNCATED)
                    && self.event.path.is_none_or(|path| path.len() < LONGEST_PATH);
                self.write_text(out, shown, was_cut || shown.len() < text.len());
            }
            None if PATHS.iter().any(|call| self.spec.name.starts_with(call)) => {
                self.write_whole_path(out, self.arg(index));
            }
            None => self.write_string_within(out, self.arg(index), longest(self.spec.name)),
        }
    }

    pub(super) fn write_strings(&mut self, out: &mut Vec<u8>, index: usize) {
        let address = self.arg(index);
        match self.event.argv.filter(|_| self.ordinal(index, is_string) == 0) {
            Some(argv) if !self.is_deep() => write_argv(out, argv, self.event.flags.has(Flags::TRUNCATED)),
            Some(_) if self.style.addresses => self.write_address(out, address),
            Some(_) => self.write_string_array(out, address, false),
            None if self.is_deep() && address != 0 && !self.style.addresses => {
                let is_counted = !(self.style.verbose && self.style.environment);
                self.write_string_array(out, address, is_counted);
            }
            None => self.write_address(out, address),
        }
    }

    /// A buffer whose length is the next argument.
    pub(super) fn write_in_buffer(&mut self, out: &mut Vec<u8>, index: usize) {
        match self.spec.args.get(index + 1) {
            Some(next) if next.arg == Arg::Size => {
                let (address, length) = (self.arg(index), self.arg(index + 1));
                match self.netlink_of_call() {
                    Some(protocol) => self.write_netlink(out, protocol, address, length),
                    None => self.write_buffer(out, address, length),
                }
            }
            _ => self.write_address(out, self.arg(index)),
        }
    }

    pub(super) fn write_out_buffer(&mut self, out: &mut Vec<u8>, index: usize) {
        let address = self.arg(index);
        if !self.succeeded() {
            return self.write_address(out, address);
        }
        if net::is_option_value(self.spec, index) && self.style.addresses {
            return self.write_address(out, address);
        }
        if net::is_option_value(self.spec, index) {
            return self.write_socket_option(out, index);
        }
        if self.is_deep() && self.event.ret == Some(0) && special::returns_text(self.spec) {
            // No kernel returns that: strace takes what the buffer has for a path, and nothing for a link's target.
            return match self.spec.name {
                "getcwd" => self.write_whole_path(out, address),
                _ => self.write_buffer(out, address, 0),
            };
        }
        if let Some(text) = self.event.text.filter(|_| special::returns_text(self.spec)) {
            // The C string of a cwd is whole, the target of a link as long as it fits.
            return self.write_limited(out, text);
        }
        let length = self.event.ret.unwrap_or(0).unsigned_abs();
        // More than there is room for is told with MSG_TRUNC.
        let length =
            if self.spec.name.starts_with("recv") { length.min(self.arg(index + 1)) } else { length };
        match self.spec.name {
            "getdents64" | "getdents" => self.write_directory(out, address, length),
            "getrandom" => self.write_buffer_as(out, address, length, Hex::All),
            // Without room for them the call tells how many there are.
            name if BUFFERS.contains(&name) && (self.arg(index + 1) != 0 || !name.contains("xattr")) => {
                match self.netlink_of_call() {
                    Some(protocol) => self.write_netlink(out, protocol, address, length),
                    None => self.write_buffer(out, address, length),
                }
            }
            _ => self.write_address(out, address),
        }
    }

    fn write_limited(&self, out: &mut Vec<u8>, text: &[u8]) {
        if self.spec.name == "getcwd" {
            // It may have been changed since: it ends where a C string does.
            let whole = text.split(|&byte| byte == 0).next().unwrap_or_default();
            return self.write_text(out, whole, false);
        }
        let shown = &text[..text.len().min(self.style.strings)];
        write_text(out, shown, self.style.hex, shown.len() < text.len());
    }
}

/// Most bytes that a call takes of a string, of which strace shows no more.
fn longest(call: &str) -> usize {
    match call {
        // With the NUL byte, as strace has it.
        "memfd_create" => 250,
        "reboot" => 255,
        _ => super::text::LONGEST,
    }
}

fn is_string(kind: Arg) -> bool {
    matches!(kind, Arg::Str | Arg::StrArray)
}

/// `["python3", "-c", "pass"]`, from strings that each end with a NUL byte.
pub fn write_argv(out: &mut Vec<u8>, argv: &[u8], is_cut: bool) {
    out.push(b'[');
    let strings = argv.strip_suffix(b"\0").unwrap_or(argv);
    let mut is_first = true;
    for string in strings.split(|&byte| byte == 0).filter(|_| !argv.is_empty()) {
        if !is_first {
            out.extend_from_slice(b", ");
        }
        is_first = false;
        write_quoted(out, string);
    }
    out.extend_from_slice(if is_cut { b"...]" } else { b"]" });
}
