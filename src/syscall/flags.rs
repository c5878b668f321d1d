//! Names of flag bits and enumerated values, as the kernel's headers define them.

/// A set of named values.
#[derive(Debug, PartialEq, Eq)]
pub struct FlagSet {
    /// Prefix of a value without a name, as strace writes it in its comment (`O_???`).
    pub unknown: &'static str,
    /// (value, name). For bit sets, wider masks come before the bits they contain.
    pub values: &'static [(u64, &'static str)],
}

/// `open(2)` flags.
pub static OPEN: FlagSet = FlagSet { unknown: "O_???", values: &[(0o2_000_000, "O_CLOEXEC")] };
