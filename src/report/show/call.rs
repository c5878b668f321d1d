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
    let (mut kept, mut none) = (Snapshot(event.memory.unwrap_or_default()), NoMemory);
    let memory: &mut dyn Memory = if event.memory.is_some() { &mut kept } else { &mut none };
    let Some(mut call) = Decoder::new(event, &options.style, memory) else {
        write_unknown_name(out, event.nr);
        out.push(b'(');
        write_unknown(out, event);
        out.push(b')');
        result::write(out, event, Returned::Value(Ret::Int), &options.style);
        result::write_duration(out, event, options);
        return;
    };
    if event.flags.has(Flags::NO_ENTRY) {
        out.extend_from_slice(b"<... ");
        out.extend_from_slice(call.name().as_bytes());
        out.extend_from_slice(b" resumed>");
    } else {
        out.extend_from_slice(call.name().as_bytes());
        out.push(b'(');
        call.entry(out);
        call.exit(out);
    }
    out.push(b')');
    result::write(out, event, call.returned(), &options.style);
    call.after(out);
    result::write_duration(out, event, options);
}
