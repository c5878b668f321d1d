//! Which frames the stack of a call is to have.

/// See the module's documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Those of Python.
    Python,
    /// Those of machine code.
    Native,
    /// Those of Python, and upon them those of the machine code that the innermost calls.
    Both,
}

impl Wanted {
    /// All choices, and their names.
    pub const ALL: [(Self, &'static str); 3] = [
        (Self::Python, Self::Python.name()),
        (Self::Native, Self::Native.name()),
        (Self::Both, Self::Both.name()),
    ];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Native => "native",
            Self::Both => "both",
        }
    }

    /// Whether Python's frames are wanted.
    #[must_use]
    pub fn python(self) -> bool {
        self != Self::Native
    }

    /// Whether those of machine code are.
    #[must_use]
    pub fn native(self) -> bool {
        self != Self::Python
    }
}
