//! What was read or written, byte by byte, as `-e read=` and `-e write=` show it below a call.

use super::Decoder;
use crate::syscall::flags::{write_hex, write_radix};

/// Bytes of a line.
const LINE: usize = 16;
/// Most bytes of a buffer.
const MOST: usize = 32 << 20;
/// What is read of one at once.
const PART: usize = 1 << 16;
/// Most pieces of one.
const MOST_PIECES: u64 = 1024;

/// Where a call has its data.
enum Data {
    /// At the second argument, as many bytes as it returned.
    Returned,
    /// There, as many as the third says.
    Passed,
    /// In pieces.
    Pieces,
    /// In the pieces of a message.
    Message,
    /// In those of several.
    Messages,
}

/// How a call reads (`true`) or writes, if it does.
fn data(name: &str) -> Option<(bool, Data)> {
    Some(match name {
        "read" | "pread64" | "recv" | "recvfrom" | "mq_timedreceive" => (true, Data::Returned),
        "readv" | "preadv" | "preadv2" => (true, Data::Pieces),
        "recvmsg" => (true, Data::Message),
        "write" | "pwrite64" | "send" | "sendto" | "mq_timedsend" => (false, Data::Passed),
        "writev" | "pwritev" | "pwritev2" | "vmsplice" => (false, Data::Pieces),
        "recvmmsg" | "recvmmsg_time64" => (true, Data::Messages),
        "sendmsg" => (false, Data::Message),
        "sendmmsg" => (false, Data::Messages),
        _ => return None,
    })
}

impl Decoder<'_, '_> {
    /// Writes the data of the call in lines of their own, where that is asked for.
    pub fn dump(&mut self, out: &mut Vec<u8>) {
        let Some((reads, data)) = data(self.spec.name) else { return };
        // What was to be written is there, too, where that has failed.
        if !self.succeeded() && (reads || matches!(data, Data::Messages)) {
            return;
        }
        if !self.style.dumps[usize::from(!reads)].has(self.arg(0) as i32) {
            return;
        }
        self.phase = super::Phase::Exit;
        let limit = if reads { self.event.ret.unwrap_or(0).unsigned_abs() } else { u64::MAX };
        match data {
            Data::Returned => self.dump_buffer(out, self.arg(1), limit),
            Data::Passed => self.dump_buffer(out, self.arg(1), self.arg(2)),
            Data::Pieces => self.dump_pieces(out, self.arg(1), self.arg(2), limit),
            Data::Message => {
                if let Some((pieces, count)) = self.pieces_of(self.arg(1)) {
                    self.dump_pieces(out, pieces, count, limit);
                }
            }
            Data::Messages => self.dump_messages(out),
        }
    }

    /// Where the pieces of a message are, and how many.
    fn pieces_of(&mut self, message: u64) -> Option<(u64, u64)> {
        let word = self.word_size() as u64;
        let pieces = self.read_word(message.wrapping_add(2 * word))?;
        Some((pieces, self.read_word(message.wrapping_add(3 * word))?))
    }

    /// The messages that were sent or received, each as much of it as there was.
    fn dump_messages(&mut self, out: &mut Vec<u8>) {
        let word = self.word_size() as u64;
        for index in 0..self.event.ret.unwrap_or(0).unsigned_abs().min(MOST_PIECES) {
            let message = self.arg(1).wrapping_add(index * 8 * word);
            let length = self.read_u32_at(self.phase, message.wrapping_add(7 * word));
            let (Some((pieces, count)), Some(length)) = (self.pieces_of(message), length) else { return };
            out.extend_from_slice(b" = ");
            write_radix(out, count, 10, 1);
            out.extend_from_slice(b" buffers in vector ");
            write_radix(out, index, 10, 1);
            out.push(b'\n');
            self.dump_pieces(out, pieces, count, u64::from(length));
        }
    }

    fn dump_pieces(&mut self, out: &mut Vec<u8>, address: u64, count: u64, limit: u64) {
        let word = self.word_size() as u64;
        // strace reads the vector as a whole, or shows nothing of it.
        let end = address.wrapping_add(count.wrapping_mul(2 * word));
        if count == 0 || self.read_word(end.wrapping_sub(word)).is_none() {
            return;
        }
        let mut left = limit;
        for index in 0..count.min(MOST_PIECES) {
            let at = address.wrapping_add(index.wrapping_mul(2 * word));
            let (Some(base), Some(length)) = (self.read_word(at), self.read_word(at.wrapping_add(word)))
            else {
                return;
            };
            let length = length.min(left);
            left -= length;
            if length == 0 {
                continue;
            }
            out.extend_from_slice(b" * ");
            write_radix(out, length, 10, 1);
            out.extend_from_slice(b" bytes in buffer ");
            write_radix(out, index, 10, 1);
            out.push(b'\n');
            self.dump_buffer(out, base, length);
        }
    }

    fn dump_buffer(&mut self, out: &mut Vec<u8>, address: u64, length: u64) {
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX).min(MOST)];
        let read = self.memory.read(self.phase, address, &mut bytes);
        if read < bytes.len() {
            // strace reads a large buffer in parts, and shows those that can be read.
            bytes.truncate(read / PART * PART);
        }
        // As wide as the largest offset, and five digits at least.
        let digits = format!("{:x}", length.min(MOST as u64).saturating_sub(1)).len().max(5);
        for (index, line) in bytes.chunks(LINE).enumerate() {
            dump_line(out, (index * LINE) as u64, digits, line);
        }
        let missing = length.min(MOST as u64) - bytes.len() as u64;
        if missing > 0 && !bytes.is_empty() {
            self.write_unfetched(out, address.wrapping_add(bytes.len() as u64), missing.min(PART as u64));
        }
    }

    /// That there is a part behind those that could be read.
    fn write_unfetched(&self, out: &mut Vec<u8>, address: u64, count: u64) {
        out.extend_from_slice(b" | <Cannot fetch ");
        write_radix(out, count, 10, 1);
        out.extend_from_slice(if count == 1 { b" byte" } else { b" bytes" });
        out.extend_from_slice(b" from pid ");
        write_radix(out, u64::from(self.event.tid), 10, 1);
        out.extend_from_slice(b" @");
        write_hex(out, address);
        out.extend_from_slice(b">\n");
    }
}

/// ` | 00000  68 65 6c 6c 6f 0a                                 hello.           |`
fn dump_line(out: &mut Vec<u8>, offset: u64, digits: usize, line: &[u8]) {
    out.extend_from_slice(b" | ");
    write_radix(out, offset, 16, digits);
    out.push(b' ');
    for at in 0..LINE {
        if at % 8 == 0 {
            out.push(b' ');
        }
        match line.get(at) {
            Some(byte) => {
                write_radix(out, u64::from(*byte), 16, 2);
                out.push(b' ');
            }
            None => out.extend_from_slice(b"   "),
        }
    }
    out.push(b' ');
    for at in 0..LINE {
        let byte = line.get(at).copied().unwrap_or(b' ');
        out.push(if (b' '..=b'~').contains(&byte) { byte } else { b'.' });
    }
    out.extend_from_slice(b" |\n");
}
