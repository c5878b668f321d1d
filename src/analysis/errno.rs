//! Names of error numbers, as errno(3) has them.

use nix::errno::Errno;

/// The name of an errno, or its number where it has none.
///
/// 512 to 516 never reach a program: the kernel uses them for calls to be restarted after a signal
/// (`include/linux/errno.h`), and only a tracer sees them.
#[must_use]
pub fn name(errno: u16) -> String {
    let restart = match errno {
        512 => "ERESTARTSYS",
        513 => "ERESTARTNOINTR",
        514 => "ERESTARTNOHAND",
        515 => "ENOIOCTLCMD",
        516 => "ERESTART_RESTARTBLOCK",
        _ => "",
    };
    if !restart.is_empty() {
        return restart.to_owned();
    }
    match Errno::from_raw(i32::from(errno)) {
        Errno::UnknownErrno => format!("E{errno}"),
        known => format!("{known:?}"),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn names() {
        assert_eq!(super::name(2), "ENOENT");
        assert_eq!(super::name(512), "ERESTARTSYS");
        assert_eq!(super::name(4000), "E4000");
    }
}
