//! Programs and libraries: their files, told apart by device and inode, and what unwinding needs of them.
//!
//! A file is opened when it is first heard of and kept open, so that one that is deleted or replaced later is still
//! the one that was mapped. What is opened must have the identity that the kernel reported for the mapping; anything
//! else is another file, and its names would be wrong.

use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use framehop::{ExplicitModuleSectionInfo, Module};
use object::read::elf::{ElfFile64, ProgramHeader};
use object::{Endianness, Object as _, ObjectSection, ObjectSymbol, ReadCache, ReadRef, SectionKind};
use rustc_hash::FxHashMap;

use super::calls::BEFORE;
use super::endless;
use super::guard::guarded;
use super::vdso;

/// Longest section that is read.
const LONGEST_SECTION: u64 = 256 << 20;
/// Segments of an object that are looked at.
const MOST_SEGMENTS: usize = 64;
/// Sections with code that are looked at.
const MOST_CODE: usize = 1 << 10;
/// Bytes of code that runs first, at most.
const LONGEST_ENTRY: u64 = 128;
/// Objects told apart.
const MOST: usize = 1 << 14;

/// The section of Python's run-time state, and its name where there is no such section.
const PYTHON: &str = ".PyRuntime";
const PYTHON_SYMBOL: &[u8] = b"_PyRuntime";

/// The bytes of a section, shared by all processes that have the object mapped.
pub type Bytes = Arc<[u8]>;

/// Which file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// Device (`makedev`).
    pub dev: u64,
    /// Inode.
    pub ino: u64,
}

impl Identity {
    /// Of a file.
    fn of(file: &File) -> Option<Self> {
        file.metadata().ok().map(|file| Self { dev: file.dev(), ino: file.ino() })
    }

    /// Whether a file that was opened is the one that was mapped. File systems without a device of their own (btrfs,
    /// overlayfs; their numbers have the major 0) give mappings another device than stat(2), and the same inode.
    fn is_mapped_as(self, mapped: Self) -> bool {
        let has_none = |identity: Self| libc::major(identity.dev) == 0;
        self.ino == mapped.ino && (self.dev == mapped.dev || has_none(self) || has_none(mapped))
    }
}

/// Index of an object in [`Objects`].
pub type ObjectId = u32;

/// One program or library.
#[derive(Debug)]
pub struct Object {
    /// As the process named it.
    pub path: Vec<u8>,
    /// The build id, in hexadecimal; empty without one.
    pub build_id: Vec<u8>,
    file: Option<File>,
    /// When the file was last written to, and how long it was then.
    written: Option<(i64, i64, u64)>,
    segments: Vec<Segment>,
    sections: Sections,
    /// Where its sections with code are.
    code: Vec<std::ops::Range<u64>>,
    /// Where it begins to run.
    entry: u64,
}

/// A loaded part of the file.
#[derive(Clone, Copy, Debug)]
struct Segment {
    offset: u64,
    len: u64,
    address: u64,
}

/// What unwinding needs, and the addresses where the object's headers place it.
#[derive(Clone, Debug, Default)]
struct Sections {
    eh_frame: Option<(u64, Bytes)>,
    eh_frame_hdr: Option<(u64, Bytes)>,
    got: Option<(u64, u64)>,
    text: Option<(u64, u64)>,
    python: Option<u64>,
}

impl Object {
    /// The address, as the object's headers count, of what stands at this offset of its file.
    pub fn address(&self, offset: u64) -> Option<u64> {
        let inside = |segment: &&Segment| {
            offset.checked_sub(segment.offset).is_some_and(|distance| distance < segment.len)
        };
        let segment = self.segments.iter().find(inside)?;
        segment.address.checked_add(offset - segment.offset)
    }

    /// Whether an address is outside of the section with code that another one is in, if that is in any: what begins in one does
    /// not reach into another.
    pub fn is_beyond_section(&self, begin: u64, at: u64) -> bool {
        self.code.iter().any(|section| section.contains(&begin) && !section.contains(&at))
    }

    /// Whether an address is in the code that runs first, which nobody has called.
    pub fn is_entry(&self, at: u64) -> bool {
        at.checked_sub(self.entry).is_some_and(|distance| distance < LONGEST_ENTRY)
    }

    /// What the file has before an address, [`BEFORE`] bytes; `None`: it cannot be read, or is not what runs any more.
    pub fn before(&self, at: u64) -> Option<[u8; BEFORE]> {
        let file = self.file.as_ref()?;
        let begin = at.checked_sub(BEFORE as u64)?;
        let segment = self.segments.iter().find(|segment| {
            begin.checked_sub(segment.address).is_some_and(|distance| distance < segment.len)
        })?;
        let mut bytes = [0; BEFORE];
        file.read_exact_at(&mut bytes, segment.offset.checked_add(begin - segment.address)?).ok()?;
        (self.written.is_some() && written(file) == self.written).then_some(bytes)
    }

    /// Where, as the object's headers count, the run-time state of a Python since 3.13 stands, in a section of its own so
    /// that others can find it.
    pub fn python(&self) -> Option<u64> {
        self.sections.python
    }

    /// For unwinding a process that has the object at `range`, where its address 0 is at `base` (which may lie
    /// before all memory, and then wraps).
    pub fn module(&self, range: std::ops::Range<u64>, base: u64) -> Module<Bytes> {
        let extent = |section: &Option<(u64, Bytes)>| {
            section.as_ref().and_then(|(at, bytes)| Some(*at..at.checked_add(bytes.len() as u64)?))
        };
        let bytes = |section: &Option<(u64, Bytes)>| section.as_ref().map(|(_, bytes)| Arc::clone(bytes));
        let place = |place: Option<(u64, u64)>| place.and_then(|(at, len)| Some(at..at.checked_add(len)?));
        let Sections { eh_frame, eh_frame_hdr, got, text, .. } = &self.sections;
        let info = ExplicitModuleSectionInfo {
            base_svma: 0,
            text_svma: place(*text),
            got_svma: place(*got),
            eh_frame_svma: extent(eh_frame),
            eh_frame: bytes(eh_frame),
            eh_frame_hdr_svma: extent(eh_frame_hdr),
            eh_frame_hdr: bytes(eh_frame_hdr),
            ..Default::default()
        };
        Module::new(String::new(), range, base, info)
    }

    /// Reads what it needs of an open file.
    fn read(path: &[u8], file: File) -> Self {
        let mut object = Self::unknown(path);
        object.written = written(&file);
        if guarded(|| object.take_in(&file)).is_some() {
            object.file = Some(file);
        }
        object
    }

    /// From where symbols are to be read now; `None`: it could not be opened, is no ELF file for 64 bits, or was changed
    /// since, so that what it says is not of the code that runs.
    pub fn source(&self) -> Option<PathBuf> {
        let file = self.file.as_ref()?;
        (self.written.is_some() && written(file) == self.written).then_some(())?;
        // By its own name where that still is the file: separate debug files are looked for beside it.
        let named = Path::new(std::ffi::OsStr::from_bytes(&self.path));
        let is_same = named
            .metadata()
            .is_ok_and(|named| Identity::of(file) == Some(Identity { dev: named.dev(), ino: named.ino() }));
        Some(if is_same {
            named.to_owned()
        } else {
            PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
        })
    }

    fn take_in(&mut self, file: &File) -> Option<()> {
        let cache = ReadCache::new(file);
        let elf = ElfFile64::<Endianness, _>::parse(&cache).ok()?;
        let endian = elf.endian();
        self.entry = elf.entry();
        let loaded =
            elf.elf_program_headers().iter().filter(|header| header.p_type(endian) == object::elf::PT_LOAD);
        self.segments = loaded
            .take(MOST_SEGMENTS)
            .map(|header| Segment {
                offset: header.p_offset(endian),
                len: header.p_filesz(endian),
                address: header.p_vaddr(endian),
            })
            .collect();
        self.code = elf
            .sections()
            .filter(|section| section.kind() == SectionKind::Text)
            .take(MOST_CODE)
            .map(|section| section.address()..section.address().saturating_add(section.size()))
            .collect();
        let build_id = elf.build_id().ok().flatten().unwrap_or_default();
        self.build_id =
            build_id.iter().take(64).flat_map(|byte| format!("{byte:02x}").into_bytes()).collect();
        let section =
            |name: &str| elf.section_by_name(name).filter(|section| section.size() <= LONGEST_SECTION);
        let bytes = |name: &str| {
            let section = section(name)?;
            Some((section.address(), Bytes::from(section.data().ok()?)))
        };
        let place = |name: &str| section(name).map(|section| (section.address(), section.size()));
        let is_followed = |(at, bytes): &(u64, Bytes)| !endless::may_be(bytes, *at);
        let eh_frame = bytes(".eh_frame").filter(is_followed);
        self.sections = Sections {
            eh_frame_hdr: bytes(".eh_frame_hdr").filter(|_| eh_frame.is_some()),
            eh_frame,
            got: place(".got"),
            text: place(".text"),
            python: place(PYTHON).or_else(|| symbol(&elf, PYTHON_SYMBOL)).map(|(at, _)| at),
        };
        Some(())
    }

    /// One of which nothing is known but how it was named.
    fn unknown(path: &[u8]) -> Self {
        Self {
            path: path.to_vec(),
            build_id: Vec::new(),
            file: None,
            written: None,
            segments: Vec::new(),
            sections: Sections::default(),
            code: Vec::new(),
            entry: 0,
        }
    }
}

/// All objects that processes had mapped.
#[derive(Debug, Default)]
pub struct Objects {
    list: Vec<Arc<Object>>,
    known: FxHashMap<(Identity, Vec<u8>), ObjectId>,
}

impl Objects {
    /// The object that a process has mapped under this name. Looks for its file where the process sees it, in the
    /// process's list of mappings (where a deleted one still is), and where we see it.
    pub fn open(&mut self, pid: u32, path: &[u8], range: (u64, u64), identity: Identity) -> Option<ObjectId> {
        if let Some(&known) = self.known.get(&(identity, path.to_vec())) {
            return Some(known);
        }
        if self.list.len() >= MOST {
            return None;
        }
        let mut seen_by_it = format!("/proc/{pid}/root").into_bytes();
        seen_by_it.extend_from_slice(path);
        let mapped = format!("/proc/{pid}/map_files/{:x}-{:x}", range.0, range.1).into_bytes();
        let found = [&seen_by_it[..], &mapped, path].into_iter().find_map(|place| {
            let file = open_file(Path::new(std::ffi::OsStr::from_bytes(place)))?;
            Identity::of(&file).is_some_and(|found| found.is_mapped_as(identity)).then_some(file)
        });
        let object = found.map_or_else(|| Object::unknown(path), |file| Object::read(path, file));
        let id = self.list.len() as ObjectId;
        self.list.push(Arc::new(object));
        self.known.insert((identity, path.to_vec()), id);
        Some(id)
    }

    /// The kernel's code that processes have mapped, where it is as long as ours, which it is for all 64-bit processes.
    pub fn vdso(&mut self, (start, end): (u64, u64)) -> Option<ObjectId> {
        let identity = Identity { dev: 0, ino: 0 };
        let image = vdso::image().filter(|image| end.checked_sub(start) == Some(image.len() as u64))?;
        if let Some(&known) = self.known.get(&(identity, vdso::NAME.to_vec())) {
            return Some(known);
        }
        let mut file = tempfile::tempfile().ok()?;
        file.write_all(&image).ok()?;
        let id = self.list.len() as ObjectId;
        self.list.push(Arc::new(Object::read(vdso::NAME, file)));
        self.known.insert((identity, vdso::NAME.to_vec()), id);
        Some(id)
    }

    /// All of them, by their ids.
    pub fn list(&self) -> &[Arc<Object>] {
        &self.list
    }

    /// An object.
    pub fn get(&self, id: ObjectId) -> &Object {
        &self.list[id as usize]
    }
}

/// Where a symbol that other objects may refer to is, and its size.
fn symbol<'a, R: ReadRef<'a>>(elf: &ElfFile64<'a, Endianness, R>, name: &[u8]) -> Option<(u64, u64)> {
    let mut all = elf.dynamic_symbols();
    let symbol = all.find(|symbol| symbol.name_bytes().is_ok_and(|other| other == name))?;
    Some((symbol.address(), symbol.size()))
}

/// When a file was last written to, and how long it is.
fn written(file: &File) -> Option<(i64, i64, u64)> {
    file.metadata().ok().map(|file| (file.mtime(), file.mtime_nsec(), file.len()))
}

/// Opens a regular file; anything else could block, or do something by being opened.
fn open_file(path: &Path) -> Option<File> {
    let is_file =
        |metadata: std::io::Result<std::fs::Metadata>| metadata.is_ok_and(|metadata| metadata.is_file());
    if !is_file(path.metadata()) {
        return None;
    }
    let mut options = std::fs::OpenOptions::new();
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK | libc::O_NOCTTY);
    let file = options.read(true).open(path).ok()?;
    is_file(file.metadata()).then_some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> (PathBuf, Identity) {
        let path = std::env::current_exe().unwrap();
        let identity = Identity::of(&File::open(&path).unwrap()).unwrap();
        (path, identity)
    }

    #[test]
    fn a_program_is_read() {
        let (path, identity) = own();
        let mut objects = Objects::default();
        let name = path.as_os_str().as_bytes();
        let id = objects.open(std::process::id(), name, (0, 0), identity).unwrap();
        assert_eq!(objects.open(std::process::id(), name, (0, 0), identity), Some(id));
        let object = objects.get(id);
        assert_eq!(object.source().as_deref(), Some(&*path));
        assert!(object.sections.eh_frame.is_some() && !object.segments.is_empty());
        assert_eq!(object.address(0), Some(0));
        assert_eq!(object.address(u64::MAX), None);
    }

    #[test]
    fn another_file_of_the_same_name_is_not_taken_for_it() {
        let (path, identity) = own();
        let mut objects = Objects::default();
        let other = Identity { ino: identity.ino + 1, ..identity };
        let id = objects.open(std::process::id(), path.as_os_str().as_bytes(), (0, 0), other).unwrap();
        assert_eq!(objects.get(id).source(), None);
        assert_eq!(objects.get(id).address(0), None);
    }

    #[test]
    fn devices_may_differ_where_a_file_system_has_none() {
        let disk = |minor| Identity { dev: libc::makedev(8, minor), ino: 5 };
        let anonymous = |minor| Identity { dev: libc::makedev(0, minor), ino: 5 };
        assert!(disk(1).is_mapped_as(disk(1)) && !disk(1).is_mapped_as(disk(2)));
        assert!(anonymous(40).is_mapped_as(anonymous(41)) && anonymous(40).is_mapped_as(disk(1)));
        assert!(!Identity { ino: 6, ..anonymous(40) }.is_mapped_as(anonymous(40)));
    }

    #[test]
    fn what_is_no_program_has_no_addresses() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"\x7fELF\x02\x01\x01 and then nothing of it").unwrap();
        let identity = Identity::of(file.as_file()).unwrap();
        let mut objects = Objects::default();
        let name = file.path().as_os_str().as_bytes();
        let id = objects.open(1, name, (0, 0), identity).unwrap();
        assert_eq!((objects.get(id).source(), objects.get(id).address(0)), (None, None));
    }
}
