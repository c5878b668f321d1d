//! One system call as a line: name, arguments, and what came back.

use super::Options;
use super::result;
use crate::event::{Event, Flags};
use crate::syscall::Ret;
use crate::syscall::decode::{
    Decoder, Memory, NoMemory, Returned, Snapshot, write_unknown, write_unknown_name,
};

/// `openat(AT_FDCWD, "/etc/passwd", O_RDONLY) = 3</etc/passwd> <0.000010>`
pub(super) fn write(out: &mut Vec<u8>, event: &Event<'_>, options: &Options) {
    if event.flags.has(Flags::NO_ENTRY) {
        return write_return(out, event, options, false);
    }
    write_entry(out, event, options);
    write_end(out, event, options, true);
}

/// `vfork( <unfinished ...>`: where the call begins.
pub(super) fn write_begun(out: &mut Vec<u8>, event: &Event<'_>, options: &Options) {
    write_entry(out, event, options);
    out.extend_from_slice(b" <unfinished ...>");
}

/// `<... vfork resumed>) = 4165 <0.000010>`: where it returns.
pub(super) fn write_resumed(out: &mut Vec<u8>, event: &Event<'_>, options: &Options) {
    write_return(out, event, options, true);
}

fn write_return(out: &mut Vec<u8>, event: &Event<'_>, options: &Options, with_arguments: bool) {
    out.extend_from_slice(b"<... ");
    write_name(out, event, options);
    out.extend_from_slice(b" resumed>");
    write_end(out, event, options, with_arguments);
}

fn write_name(out: &mut Vec<u8>, event: &Event<'_>, options: &Options) {
    with_decoder(event, options, |call| {
        if let Some(call) = call {
            out.extend_from_slice(call.name().as_bytes());
        } else {
            write_unknown_name(out, event.nr);
        }
    });
}

fn write_entry(out: &mut Vec<u8>, event: &Event<'_>, options: &Options) {
    write_name(out, event, options);
    out.push(b'(');
    with_decoder(event, options, |call| match call {
        Some(mut call) => call.entry(out),
        None => write_unknown(out, event),
    });
}

/// The arguments that are known when the call returns, and the rest of the line.
fn write_end(out: &mut Vec<u8>, event: &Event<'_>, options: &Options, with_arguments: bool) {
    with_decoder(event, options, |mut call| {
        if let Some(call) = call.as_mut().filter(|_| with_arguments) {
            call.exit(out);
        }
        out.push(b')');
        let returned = call.as_mut().map_or(Returned::Value(Ret::Int), Decoder::returned);
        result::write(out, event, returned, &options.style);
        if let Some(call) = &mut call {
            call.after(out);
        }
    });
    result::write_markers(out, event);
    result::write_duration(out, event, options);
}

/// Calls a function with what prints the call; `None`: its number is not in the table.
fn with_decoder(event: &Event<'_>, options: &Options, write: impl FnOnce(Option<Decoder<'_, '_>>)) {
    let (mut kept, mut none) = (Snapshot(event.memory.unwrap_or_default()), NoMemory);
    let memory: &mut dyn Memory = if event.memory.is_some() { &mut kept } else { &mut none };
    write(Decoder::new(event, &options.style, memory));
}
