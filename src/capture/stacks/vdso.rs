//! The vDSO: code of the kernel that every process has mapped, and that is in no file.

use std::fs::File;
use std::os::unix::fs::FileExt;

/// What the kernel calls it in lists of mappings.
pub const NAME: &[u8] = b"[vdso]";
/// It is a few pages long.
const LONGEST: u64 = 1 << 20;

/// That of this process, whole.
pub fn image() -> Option<Vec<u8>> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    let line = maps.lines().find(|line| line.ends_with("[vdso]"))?;
    let (start, end) = line.split(' ').next()?.split_once('-')?;
    let [start, end] = [start, end].map(|number| u64::from_str_radix(number, 16).ok());
    let (start, length) = (start?, end?.checked_sub(start?).filter(|length| *length <= LONGEST)?);
    let mut image = vec![0; usize::try_from(length).ok()?];
    File::open("/proc/self/mem").ok()?.read_exact_at(&mut image, start).ok()?;
    Some(image)
}

#[cfg(test)]
mod tests {
    use super::super::object::Objects;
    use super::*;

    #[test]
    fn ours_is_a_program() {
        let image = image().expect("x86-64 has one");
        assert_eq!(&image[..4], b"\x7fELF");
        let mut objects = Objects::default();
        let id = objects.vdso((0, image.len() as u64)).expect("it is read");
        assert_eq!(objects.vdso((8192, 8192 + image.len() as u64)), Some(id));
        assert_eq!(objects.vdso((0, 1)), None, "that of a 32-bit process");
        assert!(objects.get(id).source().is_some());
    }
}
