//! Unwinding information that would keep who follows it busy for ever: DWARF expressions that jump backwards.
//!
//! Nothing that a compiler makes for unwinding does; framehop, which evaluates them, sets no limit.

use gimli::{
    BaseAddresses, CallFrameInstruction, CieOrFde, EhFrame, Encoding, EndianSlice, Format, LittleEndian,
    Operation, UnwindExpression, UnwindSection,
};

type Reader<'a> = EndianSlice<'a, LittleEndian>;

/// As of x86-64's `.eh_frame`; the version matters to no jump.
const ENCODING: Encoding = Encoding { format: Format::Dwarf32, version: 4, address_size: 8 };
/// `DW_OP_bra` and `DW_OP_skip`.
const JUMPS: [u8; 2] = [0x28, 0x2f];

/// Whether a section `.eh_frame` that lies at this address may have such an expression.
pub fn may_be(section: &[u8], address: u64) -> bool {
    let frames = EhFrame::new(section, LittleEndian);
    let bases = BaseAddresses::default().set_eh_frame(address);
    let mut entries = frames.entries(&bases);
    let mut end = 0;
    loop {
        let jumps = match entries.next() {
            Ok(Some(CieOrFde::Cie(cie))) => {
                end = end.max(cie.offset() + cie.entry_len());
                any_jumps_back(&frames, cie.instructions(&frames, &bases))
            }
            Ok(Some(CieOrFde::Fde(partial))) => {
                let Ok(fde) = partial.parse(|_, bases, at| frames.cie_from_offset(bases, at)) else {
                    return has_jump_back(section);
                };
                end = end.max(fde.offset() + fde.entry_len());
                any_jumps_back(&frames, fde.instructions(&frames, &bases))
            }
            // What stands behind the end can be found by the section's index all the same.
            Ok(None) => return has_jump_back(section.get(end..).unwrap_or_default()),
            Err(_) => return has_jump_back(section),
        };
        if jumps {
            return true;
        }
    }
}

/// Whether bytes that cannot be told apart may be a jump backwards.
fn has_jump_back(bytes: &[u8]) -> bool {
    bytes.windows(3).any(|bytes| JUMPS.contains(&bytes[0]) && bytes[2] >= 0x80)
}

fn any_jumps_back<'a>(
    frames: &EhFrame<Reader<'a>>,
    mut instructions: gimli::CallFrameInstructionIter<'a, Reader<'a>>,
) -> bool {
    loop {
        let expression = match instructions.next() {
            Ok(Some(
                CallFrameInstruction::DefCfaExpression { expression }
                | CallFrameInstruction::Expression { expression, .. }
                | CallFrameInstruction::ValExpression { expression, .. },
            )) => expression,
            Ok(Some(_)) => continue,
            // Who follows them ends there, too.
            Ok(None) | Err(_) => return false,
        };
        if jumps_back(frames, &expression) {
            return true;
        }
    }
}

fn jumps_back(frames: &EhFrame<Reader<'_>>, expression: &UnwindExpression<usize>) -> bool {
    let Ok(expression) = expression.get(frames) else { return false };
    // A jump may lead into the middle of an operation, so that every byte counts.
    let mut operations = expression.operations(ENCODING);
    let mut has_jump = false;
    while let Ok(Some(operation)) = operations.next() {
        match operation {
            Operation::Bra { target } | Operation::Skip { target } if target < 0 => return true,
            Operation::Bra { .. } | Operation::Skip { .. } => has_jump = true,
            _ => {}
        }
    }
    has_jump && has_jump_back(expression.0.slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A CIE and an FDE whose frame address is an expression.
    fn section(expression: &[u8]) -> Vec<u8> {
        let entry = |body: &[u8]| [&(body.len() as u32).to_le_bytes()[..], body].concat();
        // Version 1, no augmentation, alignments 1 and -8, return address in 16; CFA in register 7.
        let cie = entry(&[0, 0, 0, 0, 1, 0, 1, 0x78, 16, 0x0c, 7, 8]);
        let back = (cie.len() as u32 + 4).to_le_bytes();
        let code = [&[0x0f, expression.len() as u8][..], expression].concat();
        let fde = entry(&[&back[..], &[0; 8], &[16, 0, 0, 0, 0, 0, 0, 0], &code].concat());
        [cie, fde, vec![0; 4]].concat()
    }

    #[test]
    fn jumps_backwards_are_found_and_others_are_not() {
        // DW_OP_breg7 8; DW_OP_skip -3: for ever.
        assert!(may_be(&section(&[0x77, 8, 0x2f, 0xfd, 0xff]), 0x1000));
        assert!(may_be(&section(&[0x77, 8, 0x28, 0xfb, 0xff]), 0x1000));
        // Past a constant, in which another jump is hidden.
        assert!(may_be(&section(&[0x77, 8, 0x2f, 1, 0, 0x0e, 0x2f, 0xfd, 0xff, 0, 0, 0, 0, 0]), 0x1000));
        assert!(!may_be(&section(&[0x77, 8, 0x2f, 1, 0, 0x96]), 0x1000));
        assert!(!may_be(&section(&[0x77, 8]), 0x1000));
        assert!(!may_be(&[], 0));
        // Behind the end, or where nothing can be made of it.
        assert!(may_be(&[&section(&[0x77, 8])[..], &[0x2f, 0xfd, 0xff]].concat(), 0));
        assert!(may_be(&[0xff, 0x2f, 0xfd, 0xff], 0));
    }
}
