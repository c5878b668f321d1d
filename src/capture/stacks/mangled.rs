//! Names of functions as their source has them.
//!
//! Only what is marked as mangled is taken for it: to a demangler of C++ the C function `i` is the type `int`.

use std::borrow::Cow;

use super::guard::guarded;

/// What mangled names of C++ begin with (Itanium C++ ABI, 5.1.2). Those of Rust have a mark at their end, too, or begin otherwise.
const CPP: &str = "_Z";

/// The name that a symbol stands for; itself, where it is not mangled.
pub fn demangled(symbol: &str) -> Cow<'_, str> {
    let name = guarded(|| {
        if let Ok(name) = rustc_demangle::try_demangle(symbol) {
            return Some(format!("{name:#}"));
        }
        let is_cpp = symbol.starts_with(CPP);
        is_cpp.then(|| cpp_demangle::Symbol::new(symbol).ok()?.demangle().ok()).flatten()
    });
    name.map_or(Cow::Borrowed(symbol), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_every_language() {
        assert_eq!(demangled("_ZN3fooIiE3barEv"), "foo<int>::bar()");
        assert_eq!(demangled("_ZN4core3fmt9Formatter3pad17h0123456789abcdefE"), "core::fmt::Formatter::pad");
        assert_eq!(demangled("_RNvC6_123foo3bar"), "123foo::bar");
        for plain in ["main", "f", "i", "h", "v", "z", "St", "Ss", "Pc", "N3fooE", "_Zebra", "_R", "_Z", ""] {
            assert_eq!(demangled(plain), plain);
        }
    }
}
