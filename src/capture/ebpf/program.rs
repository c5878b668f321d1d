//! What the file of an executed program says: which dynamic loader it has, and how large that is.
//!
//! The kernel's side tells where program and loader begin (the auxiliary vector); the rest is read from the files
//! by name, once each. They may have been replaced since, or belong to another mount namespace: what does not fit
//! what the kernel says is left out.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::super::launch::elf::{self, Elf};

const PAGE: u64 = 4096;

/// What the kernel says of a program that begins.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    /// `AT_ENTRY`.
    pub entry: u64,
    /// `AT_BASE`: where the loader lies; 0 without one.
    pub base: u64,
    /// `AT_PHNUM`.
    pub headers: u64,
}

/// A program as it begins.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Image {
    /// Its entry point.
    pub entry: u64,
    /// Where the dynamic loader lies: its first address, and the first after it; zeros without one.
    pub loader: (u64, u64),
    /// The loader's path, as the program names it; empty without one.
    pub loader_path: Vec<u8>,
}

/// What a file says.
#[derive(Debug)]
struct Facts {
    entry: u64,
    headers: u64,
    /// From the first address to the first after it.
    extent: (u64, u64),
    loader: Option<Loader>,
}

/// The loader that a program asks for.
#[derive(Debug)]
struct Loader {
    path: Vec<u8>,
    extent: (u64, u64),
}

/// An object of a program that begins, and where it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<'p> {
    /// Its file.
    pub path: &'p [u8],
    /// From its first address to the first after it.
    pub range: (u64, u64),
}

/// The files met so far.
#[derive(Debug, Default)]
pub struct Programs(FxHashMap<Rc<[u8]>, Option<Facts>>);

impl Programs {
    /// The image of the program at `path` that begins so.
    pub fn image(&mut self, path: Option<&[u8]>, start: &Start) -> Image {
        let mut image = Image { entry: start.entry, ..Image::default() };
        if start.base == 0 {
            return image;
        }
        image.loader = (start.base, start.base);
        let facts = path.and_then(|path| self.facts(path)).filter(|facts| facts.fit(start));
        if let Some(loader) = facts.and_then(|facts| facts.loader.as_ref()) {
            image.loader.1 = start.base.saturating_add(loader.extent.1);
            image.loader_path.clone_from(&loader.path);
        }
        image
    }

    /// Where the program at `path` that begins so lies, and its loader.
    pub fn parts<'p>(&'p mut self, path: &'p [u8], start: &Start) -> [Option<Part<'p>>; 2] {
        let Some(facts) = self.facts(path).filter(|facts| facts.fit(start)) else { return [None, None] };
        let at = |base: u64, (first, end): (u64, u64)| (base.wrapping_add(first), base.wrapping_add(end));
        let program = Part { path, range: at(start.entry.wrapping_sub(facts.entry), facts.extent) };
        let loader = facts.loader.as_ref().filter(|_| start.base != 0);
        let loader = loader.map(|loader| Part { path: &loader.path, range: at(start.base, loader.extent) });
        [Some(program), loader]
    }

    fn facts(&mut self, path: &[u8]) -> Option<&Facts> {
        if !self.0.contains_key(path) {
            self.0.insert(path.into(), Facts::of(Path::new(OsStr::from_bytes(path))));
        }
        self.0.get(path)?.as_ref()
    }
}

impl Facts {
    fn of(path: &Path) -> Option<Self> {
        let program = elf::read(path)?;
        let own = extent(&program);
        let loader = program.loader.map(|path| {
            let extent = elf::read(&path).as_ref().map_or((0, 0), extent);
            Loader { path: path.into_os_string().into_encoded_bytes(), extent }
        });
        Some(Self { entry: program.entry, headers: program.headers, extent: own, loader })
    }

    fn fit(&self, start: &Start) -> bool {
        start.headers == self.headers && start.entry.wrapping_sub(self.entry).is_multiple_of(PAGE)
    }
}

/// From where to where an object reaches, in whole pages.
fn extent(elf: &Elf) -> (u64, u64) {
    let end = |address: u64, size| address.checked_add(size)?.checked_next_multiple_of(PAGE);
    let ends = elf.segments.iter().filter_map(|segment| end(segment.address, segment.memory_size));
    let first = elf.segments.iter().map(|segment| segment.address & !(PAGE - 1)).min();
    (first.unwrap_or(0), ends.max().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_left_out() {
        let own = std::env::current_exe().expect("proc(5)");
        let path = own.as_os_str().as_bytes();
        let elf = elf::read(&own).expect("an ELF file");
        let start = Start { entry: elf.entry + 0x5000, base: 0x7000, headers: elf.headers };
        let image = Programs::default().image(Some(path), &start);
        assert_eq!(image.loader.0, 0x7000);
        assert!(image.loader.1 > 0x8000 && image.loader_path.starts_with(b"/lib"), "{image:?}");
        for other in [Start { entry: elf.entry + 1, ..start }, Start { headers: 0, ..start }] {
            let image = Programs::default().image(Some(path), &other);
            assert_eq!(
                image,
                Image { entry: other.entry, loader: (0x7000, 0x7000), loader_path: Vec::new() }
            );
        }
        let alone = Programs::default().image(Some(path), &Start { base: 0, ..start });
        assert_eq!(alone, Image { entry: start.entry, ..Image::default() });
    }
}
