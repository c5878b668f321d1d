//! Names of addresses: functions, those put into others by the compiler, source lines.
//!
//! blazesym reads symbols and DWARF, also from separate debug files. A symbol counts only for the addresses it says it
//! covers: the nearest one before an address may be of another function.

use std::borrow::Cow;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

use blazesym::MaybeDefault;
use blazesym::symbolize::source::{Elf, Kernel, Source};
use blazesym::symbolize::{Input, Sym, Symbolized, Symbolizer};
use rustc_hash::{FxHashMap, FxHashSet};

use super::super::sys::file_faults;
use super::exported::Functions;
use super::guard::guarded;
use super::mangled::demangled;
use super::object::{Object, ObjectId};
use super::run_time_code::RunTimeCode;
use super::space::Address;
use super::table::Table;
use crate::event::Event;
use crate::event::stack::{Frame, FrameKind};

/// Addresses remembered.
const MOST: usize = 1 << 20;

/// Names addresses, each once.
pub struct Symbols {
    symbolizer: Symbolizer,
    run_time: RunTimeCode,
    /// Objects whose file was cut short while it was read: what is remembered of it is not to be believed.
    broken: FxHashSet<ObjectId>,
    /// Numbers of frames, outermost first: a range of `frames`.
    code: FxHashMap<(ObjectId, u64), (u32, u32)>,
    kernel: FxHashMap<u64, (u32, u32)>,
    frames: Vec<u32>,
    /// Frames are instructions, not lines.
    exact: bool,
    /// The names that the objects' own files have, where frames are instructions.
    own: FxHashMap<ObjectId, Functions>,
}

impl std::fmt::Debug for Symbols {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Symbols").field("addresses", &self.code.len()).finish_non_exhaustive()
    }
}

impl Default for Symbols {
    fn default() -> Self {
        let builder = Symbolizer::builder().enable_auto_reload(false);
        Self {
            symbolizer: builder.build(),
            run_time: RunTimeCode::default(),
            broken: FxHashSet::default(),
            code: FxHashMap::default(),
            kernel: FxHashMap::default(),
            frames: Vec::new(),
            exact: false,
            own: FxHashMap::default(),
        }
    }
}

impl Symbols {
    /// A frame for each instruction, of which the place in its function is told, by the name that its object's own file has
    /// for it, if it has one.
    pub fn exact(self) -> Self {
        Self { exact: true, ..self }
    }

    /// The process runs another program: code that it has made is gone.
    pub fn forget(&mut self, pid: u32) {
        self.run_time.forget(pid);
    }

    /// Appends the frames that an address of a process stands for, outermost first.
    pub fn code(
        &mut self,
        (objects, pid): (&[Arc<Object>], u32),
        address: Address,
        table: &mut Table,
        define: &mut dyn FnMut(&Event<'_>),
        out: &mut Vec<u32>,
    ) {
        let Some((id, at)) = address.place else {
            let name = self.run_time.find(pid, address.at);
            let known = name.map(|name| Frame { kind: FrameKind::Native, name, ..Frame::UNKNOWN });
            out.push(table.frame(&known.unwrap_or(Frame::UNKNOWN), define));
            return;
        };
        if self.code.len() >= MOST {
            self.code.clear();
            self.kernel.clear();
            self.frames.clear();
        }
        let known = self.code.get(&(id, at)).copied();
        let range = known.unwrap_or_else(|| self.name(objects, id, at, table, define));
        self.code.insert((id, at), range);
        self.give(range, out);
    }

    /// The same for an address of the kernel.
    pub fn kernel(
        &mut self,
        at: u64,
        table: &mut Table,
        define: &mut dyn FnMut(&Event<'_>),
        out: &mut Vec<u32>,
    ) {
        let known = self.kernel.get(&at).copied();
        let range = known.unwrap_or_else(|| self.name_kernel(at, table, define));
        self.kernel.insert(at, range);
        self.give(range, out);
    }

    fn give(&self, (start, end): (u32, u32), out: &mut Vec<u32>) {
        out.extend(self.frames.get(start as usize..end as usize).unwrap_or_default());
    }

    fn name(
        &mut self,
        objects: &[Arc<Object>],
        id: ObjectId,
        at: u64,
        table: &mut Table,
        define: &mut dyn FnMut(&Event<'_>),
    ) -> (u32, u32) {
        let start = self.frames.len() as u32;
        let Some(object) = objects.get(id as usize) else { return (start, start) };
        let own = Frame {
            kind: FrameKind::Native,
            object: &object.path,
            build_id: &object.build_id,
            address: at,
            ..Frame::UNKNOWN
        };
        let source = object.source().filter(|_| !self.broken.contains(&id));
        let faults = file_faults::count();
        if let Some(path) = source.as_ref().filter(|_| self.exact) {
            let own_names =
                self.own.entry(id).or_insert_with(|| guarded(|| Functions::of(path)).unwrap_or_default());
            let reaches = |begin| !object.is_beyond_section(begin, at);
            if let Some((name, offset)) = own_names.at(at, reaches) {
                self.frames.push(table.frame(&Frame { name, offset, ..own }, define));
                return (start, self.frames.len() as u32);
            }
        }
        let found = source.and_then(|path| guarded(|| find(&self.symbolizer, Elf::new(path), object, at)));
        if file_faults::count() != faults {
            self.broken.insert(id);
        }
        let Some(symbol) = found else {
            self.frames.push(table.frame(&own, define));
            return (start, self.frames.len() as u32);
        };
        // The line of the address is that of the innermost inlined call; those around are where the next is put in.
        let lines: Vec<(Vec<u8>, u32)> = std::iter::once(symbol.code_info.as_deref())
            .chain(symbol.inlined.iter().map(|inlined| inlined.code_info.as_ref()))
            .map(|info| {
                info.map_or_else(Default::default, |info| {
                    (info.to_path().as_os_str().as_bytes().to_vec(), info.line.unwrap_or(0))
                })
            })
            .collect();
        let names = std::iter::once(&symbol.name).chain(symbol.inlined.iter().map(|inlined| &inlined.name));
        for (depth, (name, (file, line))) in names.zip(&lines).enumerate() {
            let name = demangled(name);
            let frame = Frame {
                name: name.as_bytes(),
                file,
                line: *line,
                // One frame a line rather than one an instruction; what is not named keeps its address.
                address: if self.exact { at } else { 0 },
                offset: if self.exact { symbol.offset as u64 } else { 0 },
                inlined: depth > 0,
                ..own
            };
            self.frames.push(table.frame(&frame, define));
        }
        (start, self.frames.len() as u32)
    }

    fn name_kernel(&mut self, at: u64, table: &mut Table, define: &mut dyn FnMut(&Event<'_>)) -> (u32, u32) {
        let start = self.frames.len() as u32;
        let kallsyms = Kernel { vmlinux: MaybeDefault::None, ..Kernel::default() };
        let found = self.symbolizer.symbolize_single(&Source::Kernel(kallsyms), Input::AbsAddr(at));
        let name = match &found {
            Ok(Symbolized::Sym(symbol)) => demangled(&symbol.name),
            _ => Cow::default(),
        };
        let frame = Frame { kind: FrameKind::Kernel, name: name.as_bytes(), ..Frame::UNKNOWN };
        self.frames.push(table.frame(&frame, define));
        (start, self.frames.len() as u32)
    }
}

/// The function at an address of a file. One whose DWARF cannot be read has its symbol table.
fn find(symbolizer: &Symbolizer, mut elf: Elf, object: &Object, at: u64) -> Option<Sym<'static>> {
    let found = symbolizer.symbolize_single(&Source::Elf(elf.clone()), Input::VirtOffset(at));
    let found = found.or_else(|_| {
        elf.debug_syms = false;
        symbolizer.symbolize_single(&Source::Elf(elf), Input::VirtOffset(at))
    });
    found.ok()?.into_sym().filter(|symbol| covers(symbol, object, at)).map(Sym::into_owned)
}

/// Whether a symbol of an ELF file is for the address it was found for. One without a size is of the symbol table, which
/// does not say how far it reaches, but not out of its section: the last function of `.init` gives its name to no stub of the `.plt`
/// behind it. Or it is of DWARF, where its function lies in several pieces, which begins at no address at all then.
fn covers(symbol: &Sym<'_>, object: &Object, at: u64) -> bool {
    match symbol.size {
        Some(size) => symbol.offset < size,
        None => !object.is_beyond_section(symbol.addr, at),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;
    use std::path::Path;

    use object::{Object as _, ObjectSection as _, ObjectSymbol as _};

    use super::super::object::{Identity, Objects};
    use super::*;

    /// The name of the function at an address of a program.
    fn named(program: &Path, at: u64) -> String {
        let file = program.metadata().unwrap();
        let identity = Identity { dev: file.dev(), ino: file.ino() };
        let mut objects = Objects::default();
        let id = objects.open(std::process::id(), program.as_os_str().as_bytes(), (0, 0), identity).unwrap();
        let mut name = String::new();
        let address = Address { at, place: Some((id, at)) };
        let mut define = |event: &Event<'_>| {
            let frame = Frame::of(event).map_or(&b""[..], |(_, frame)| frame.name);
            name = String::from_utf8_lossy(frame).into_owned();
        };
        let (mut table, mut out) = (Table::default(), Vec::new());
        Symbols::default().code((objects.list(), 1), address, &mut table, &mut define, &mut out);
        assert_eq!(out.len(), 1);
        name
    }

    #[test]
    fn a_function_without_a_size_does_not_reach_into_another_section() {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("program");
        let source = directory.path().join("program.c");
        std::fs::write(
            &source,
            "#include <unistd.h>\nint main(void) { return getppid() == getpid(); }\n\
             __asm__(\".text\\n.globl sizeless\\n.type sizeless, @function\\nsizeless: nop; nop; nop; ret\\n\");\n",
        )
        .unwrap();
        let mut compiler = std::process::Command::new("cc");
        let options = ["-O1", "-fcf-protection=none", "-fplt", "-Wl,-z,lazy", "-o"];
        assert!(compiler.args(options).args([&program, &source]).status().unwrap().success());
        let bytes = std::fs::read(&program).unwrap();
        let elf = object::File::parse(&*bytes).unwrap();
        let section = |name: &str| elf.section_by_name(name).unwrap_or_else(|| panic!("no {name}"));
        let (init, stubs) = (section(".init"), section(".plt"));
        assert!(stubs.address() > init.address() && stubs.size() >= 32, "it calls by stubs");
        assert_eq!(named(&program, init.address() + 1), "_init");
        assert_eq!(named(&program, stubs.address() + 17), "");
        let sizeless = object::Object::symbol_by_name(&elf, "sizeless").unwrap();
        assert_eq!(named(&program, object::ObjectSymbol::address(&sizeless) + 2), "sizeless");
    }

    #[test]
    fn a_function_in_two_pieces_has_its_name() {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("program");
        let source = directory.path().join("program.c");
        std::fs::write(
            &source,
            "#include <stdio.h>\nvolatile int sum;\n__attribute__((cold, noinline)) void rare(int x) { printf(\"%d\", x); }\n\
             __attribute__((noinline)) int often(int x) { if (x == 7) { rare(x); rare(sum); return 1; } sum += x; return sum * x; }\n\
             int main(int count, char **words) { (void)words; return often(count); }\n",
        )
        .unwrap();
        let mut compiler = std::process::Command::new("cc");
        assert!(compiler.args(["-O2", "-g", "-o"]).args([&program, &source]).status().unwrap().success());
        let bytes = std::fs::read(&program).unwrap();
        let elf = object::File::parse(&*bytes).unwrap();
        let at = |name| object::ObjectSymbol::address(&object::Object::symbol_by_name(&elf, name).unwrap());
        assert!(elf.symbols().any(|symbol| symbol.name() == Ok("often.cold")), "it is in two pieces");
        for (address, name) in [(at("often"), "often"), (at("often.cold"), "often"), (at("rare"), "rare")] {
            assert_eq!(named(&program, address), name);
        }
    }
}
