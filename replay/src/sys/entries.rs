//! A directory listing as `getdents64` writes it: a digest of the set of entries, whatever their order.

/// Offsets in `struct linux_dirent64`: inode (8), offset (8), record length (2), type (1), name.
const LENGTH: usize = 16;
const KIND: usize = 18;
const NAME: usize = 19;

const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// The sum of a hash of each entry's inode, type and name: the same for the same set.
pub(crate) fn digest(entries: &[u8]) -> u64 {
    let mut sum = 0_u64;
    let mut rest = entries;
    while let Some(length) = rest.get(LENGTH..LENGTH + 2) {
        let length = usize::from(u16::from_ne_bytes([length[0], length[1]]));
        let Some((entry, after)) = rest.split_at_checked(length.max(NAME)) else { break };
        sum = sum.wrapping_add(of_entry(entry));
        rest = after;
    }
    sum
}

/// The bytes after the name's end are whatever was in the buffer, so only those up to the NUL count.
fn of_entry(entry: &[u8]) -> u64 {
    let name = &entry[NAME..];
    let name = &name[..name.iter().position(|&byte| byte == 0).unwrap_or(name.len())];
    let mut hash = mix(word(&entry[..8]), u64::from(entry[KIND]));
    for chunk in name.chunks(8) {
        hash = mix(hash, word(chunk));
    }
    hash
}

fn word(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    word[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(word)
}

/// One step of a multiplicative hash.
pub(crate) fn mix(hash: u64, value: u64) -> u64 {
    (hash.rotate_left(5) ^ value).wrapping_mul(MULTIPLIER)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(inode: u64, name: &[u8]) -> Vec<u8> {
        let length = (NAME + name.len() + 1).next_multiple_of(8);
        let mut entry = vec![0xaa; length];
        entry[..8].copy_from_slice(&inode.to_ne_bytes());
        entry[LENGTH..LENGTH + 2].copy_from_slice(&(length as u16).to_ne_bytes());
        entry[KIND] = libc::DT_REG;
        entry[NAME..NAME + name.len()].copy_from_slice(name);
        entry[NAME + name.len()] = 0;
        entry
    }

    #[test]
    fn the_order_does_not_matter_and_the_names_do() {
        let (a, b) = (entry(1, b"one"), entry(2, b"a longer name"));
        assert_eq!(digest(&[a.clone(), b.clone()].concat()), digest(&[b.clone(), a.clone()].concat()));
        assert_ne!(
            digest(&[a.clone(), b].concat()),
            digest(&[a.clone(), entry(2, b"b longer name")].concat())
        );
        assert_ne!(digest(&a), digest(&entry(2, b"one")));
    }

    #[test]
    fn a_cut_or_absurd_listing_ends() {
        let whole = entry(1, b"one");
        for length in 0..whole.len() {
            digest(&whole[..length]);
        }
        digest(&[0; 64]);
    }
}
