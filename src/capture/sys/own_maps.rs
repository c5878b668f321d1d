//! Memory of this process that children do not need. A fork copies its page tables, and the child's exec undoes the
//! copy, which would be counted as the command's.

use std::ffi::c_void;

/// Gives back what is not used any more.
pub fn shrink() {
    #[cfg(target_env = "gnu")]
    // SAFETY: takes an integer; memory in use stays as it is.
    unsafe {
        libc::malloc_trim(0)
    };
}

/// Keeps mappings of this kind of file (as `/proc/self/maps` names it) from children.
pub fn keep_from_children(file: &str) {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    for line in maps.lines().filter(|line| line.ends_with(file)) {
        let Some((begin, end)) = line.split_once(' ').and_then(|(range, _)| range.split_once('-')) else {
            continue;
        };
        if let (Ok(begin), Ok(end)) = (usize::from_str_radix(begin, 16), usize::from_str_radix(end, 16)) {
            // SAFETY: changes nothing in this process; a wrong range is refused. Only children that execute a
            // program or that use nothing of these files are made (`spawn`, `process`).
            unsafe { libc::madvise(begin as *mut c_void, end - begin, libc::MADV_DONTFORK) };
        }
    }
}
