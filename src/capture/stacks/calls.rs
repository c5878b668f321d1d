//! Whether an address is one that a call returns to. What frame pointers lead to may be anything, since a program can use the
//! register for something else, and DWARF may be wrong.

/// Bytes of the longest call that is known.
pub const BEFORE: usize = 7;

/// Whether these bytes may end with a call: `E8` with a distance, or `FF /2` with whatever operand (Intel's manual, volume 2, `CALL`).
pub fn ends_with_call(before: [u8; BEFORE]) -> bool {
    before[BEFORE - 5] == 0xe8 || (2..=BEFORE).any(|length| is_indirect(&before[BEFORE - length..]))
}

/// Whether these bytes are a call by way of a register or of memory, all of it.
fn is_indirect(bytes: &[u8]) -> bool {
    let &[0xff, operand, ref rest @ ..] = bytes else { return false };
    if operand >> 3 & 7 != 2 {
        return false;
    }
    // A fourth byte says more of the address; some forms have a distance without a register.
    let (form, register) = (operand >> 6, operand & 7);
    let more = usize::from(form != 3 && register == 4);
    let is_far = form == 0 && (register == 5 || more == 1 && rest.first().is_some_and(|more| more & 7 == 5));
    let distance = match form {
        _ if is_far => 4,
        1 => 1,
        2 => 4,
        _ => 0,
    };
    rest.len() == more + distance
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: &[u8]) -> bool {
        let mut before = [0x90; BEFORE];
        before[BEFORE - code.len()..].copy_from_slice(code);
        ends_with_call(before)
    }

    #[test]
    fn calls_of_all_forms_are_known_and_nothing_else() {
        assert!(of(&[0xe8, 1, 2, 3, 4]), "call f");
        assert!(of(&[0xff, 0xd0]) && of(&[0x41, 0xff, 0xd3]), "call *%rax, call *%r11");
        assert!(of(&[0xff, 0x10]) && of(&[0xff, 0x50, 8]), "call *(%rax), call *8(%rax)");
        assert!(of(&[0xff, 0x15, 1, 2, 3, 4]), "call *f(%rip)");
        assert!(of(&[0xff, 0x90, 1, 2, 3, 4]), "call *f(%rax)");
        assert!(of(&[0xff, 0x14, 0xc8]) && of(&[0xff, 0x54, 0x24, 8]), "call *(%rax,%rcx,8), call *8(%rsp)");
        assert!(of(&[0xff, 0x14, 0xc5, 1, 2, 3, 4]), "call *f(,%rax,8)");
        assert!(of(&[0xff, 0x94, 0x24, 1, 2, 3, 4]), "call *f(%rsp)");
        assert!(!of(&[0xe9, 1, 2, 3, 4]), "a jump");
        assert!(!of(&[0xff, 0xe0]) && !of(&[0xff, 0x20]) && !of(&[0xff, 0x50]) && !of(&[0xff, 0x15, 1]));
        assert!(!of(&[0xc3]) && !of(&[]) && !of(&[0xf3, 0x0f, 0x1e, 0xfa]));
    }
}
