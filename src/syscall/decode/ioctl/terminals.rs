//! Operations on terminals, and those that descriptors of all kinds share with them.

use super::super::Decoder;
use super::super::structures::WINSIZE;
use super::super::termios::{TERMIO, TERMIOS, TERMIOS2};
use super::Use::{In, Nothing, Out};
use super::{Row, What};
use crate::syscall::flags::{MODEM, TERMINAL_FLOW, TERMINAL_FLUSH};

const INT: What = What::Integer(4);

pub(super) static ROWS: &[Row] = &[
    (0x5401, Out(What::Of(&TERMIOS))),           // TCGETS
    (0x5402, In(What::Of(&TERMIOS))),            // TCSETS
    (0x5403, In(What::Of(&TERMIOS))),            // TCSETSW
    (0x5404, In(What::Of(&TERMIOS))),            // TCSETSF
    (0x5405, Out(What::Of(&TERMIO))),            // TCGETA
    (0x5406, In(What::Of(&TERMIO))),             // TCSETA
    (0x5407, In(What::Of(&TERMIO))),             // TCSETAW
    (0x5408, In(What::Of(&TERMIO))),             // TCSETAF
    (0x5409, In(What::Value)),                   // TCSBRK
    (0x540a, In(What::Choice(&TERMINAL_FLOW))),  // TCXONC
    (0x540b, In(What::Choice(&TERMINAL_FLUSH))), // TCFLSH
    (0x540c, Nothing),                           // TIOCEXCL
    (0x540d, Nothing),                           // TIOCNXCL
    (0x540e, In(What::Value)),                   // TIOCSCTTY
    (0x540f, Out(INT)),                          // TIOCGPGRP
    (0x5410, In(INT)),                           // TIOCSPGRP
    (0x5411, Out(INT)),                          // TIOCOUTQ
    (0x5412, In(What::Own(write_typed))),        // TIOCSTI
    (0x5413, Out(What::Of(&WINSIZE))),           // TIOCGWINSZ
    (0x5414, In(What::Of(&WINSIZE))),            // TIOCSWINSZ
    (0x5415, Out(What::Bits(&MODEM))),           // TIOCMGET
    (0x5416, In(What::Bits(&MODEM))),            // TIOCMBIS
    (0x5417, In(What::Bits(&MODEM))),            // TIOCMBIC
    (0x5418, In(What::Bits(&MODEM))),            // TIOCMSET
    (0x5419, Out(INT)),                          // TIOCGSOFTCAR
    (0x541a, In(INT)),                           // TIOCSSOFTCAR
    (0x541b, Out(INT)),                          // FIONREAD
    (0x541d, Nothing),                           // TIOCCONS
    (0x541f, Nothing),                           // TIOCSSERIAL
    (0x5420, In(INT)),                           // TIOCPKT
    (0x5421, In(INT)),                           // FIONBIO
    (0x5422, Nothing),                           // TIOCNOTTY
    (0x5423, In(INT)),                           // TIOCSETD
    (0x5424, Out(INT)),                          // TIOCGETD
    (0x5425, In(What::Value)),                   // TCSBRKP
    (0x5427, Nothing),                           // TIOCSBRK
    (0x5428, Nothing),                           // TIOCCBRK
    (0x5429, Out(INT)),                          // TIOCGSID
    (0x802c_542a, Out(What::Of(&TERMIOS2))),     // TCGETS2
    (0x402c_542b, In(What::Of(&TERMIOS2))),      // TCSETS2
    (0x402c_542c, In(What::Of(&TERMIOS2))),      // TCSETSW2
    (0x402c_542d, In(What::Of(&TERMIOS2))),      // TCSETSF2
    (0x8004_5430, Out(INT)),                     // TIOCGPTN
    (0x4004_5431, In(INT)),                      // TIOCSPTLCK
    (0x8004_5432, Out(INT)),                     // TIOCGDEV
    (0x5437, Nothing),                           // TIOCVHANGUP
    (0x8004_5440, Out(INT)),                     // TIOCGEXCL
    (0x5450, Nothing),                           // FIONCLEX
    (0x5451, Nothing),                           // FIOCLEX
    (0x5452, In(INT)),                           // FIOASYNC
    (0x5456, Out(What::Of(&TERMIOS))),           // TIOCGLCKTRMIOS
    (0x5457, In(What::Of(&TERMIOS))),            // TIOCSLCKTRMIOS
];

/// A character that is to be taken as typed.
fn write_typed(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64) {
    call.write_buffer(out, address, 1);
}
