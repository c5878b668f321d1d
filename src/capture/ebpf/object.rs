//! From the compiled `trace.bpf.c` to programs that run in this kernel.
//!
//! `aya` could do all of it, but takes in the description of all the kernel's types for that, which takes longer than the
//! rest: here the object is given those alone that it reads ([`Types::only`]).

use std::collections::{HashMap, HashSet};
use std::error::Error;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use aya::Endianness;
use aya::maps::MapData;
use aya_obj::btf::{Btf, BtfFeatures};
use aya_obj::{EbpfSectionKind, Object};

use super::super::sys::bpf;
use super::error::LoadError;
use super::types::{Types, TypesError};

/// What every kernel can describe that has what the programs use (Linux 5.17), but for `ENUM64`, which is later, and not
/// in the object.
const FEATURES: BtfFeatures = BtfFeatures::new(true, true, true, true, true, true, true, false);

/// The object, fitted to this kernel.
pub struct Fitted {
    object: Object,
    types: OwnedFd,
    /// The kernel's side of the maps, by name.
    pub maps: HashMap<String, MapData>,
}

/// A program at its tracepoint, until this is dropped.
#[derive(Debug)]
pub struct Attached {
    _link: OwnedFd,
}

/// How the object is to be changed.
pub struct Settings<'s> {
    /// Values of global variables.
    pub variables: HashMap<&'s str, &'s [u8]>,
    /// Sizes of maps.
    pub sizes: HashMap<&'s str, u32>,
}

/// Reads the object, finds its fields in the kernel's structures, and makes its maps.
pub fn fit(object: &[u8], kernel: &Types<'_>, settings: &Settings<'_>) -> Result<Fitted, LoadError> {
    let failed = |error: &(dyn Error + 'static)| LoadError::new("read its own object", error);
    let mut object = Object::parse(object).map_err(|error| failed(&error))?;
    let variables = settings.variables.iter().map(|(&name, &value)| (name, (value, true))).collect();
    object.patch_map_data(variables).map_err(|error| failed(&error))?;
    let own = object.fixup_and_sanitize_btf(&FEATURES).map_err(|error| failed(&error))?;
    let own = own.map(Btf::to_bytes).ok_or_else(|| failed(&TypesError::Damaged))?;
    let types = bpf::load_types(&own).map_err(|error| LoadError::new("describe its types (BTF)", &error))?;

    let names: Vec<&[u8]> = Types::of(&own).map_err(|error| failed(&error))?.structures().collect();
    let needed = Btf::parse(&kernel.only(&names), Endianness::default()).map_err(|error| failed(&error))?;
    object
        .relocate_btf(&needed)
        .map_err(|error| LoadError::new("find the kernel's structures in its types (BTF)", &error))?;

    let maps = make_maps(&mut object, &types, &settings.sizes)?;
    let sections: HashSet<usize> = object.functions.keys().map(|(section, _)| *section).collect();
    let definitions = object.maps.clone();
    let numbered = definitions
        .iter()
        .filter_map(|(name, map)| Some((name.as_str(), maps.get(name)?.fd().as_fd().as_raw_fd(), map)));
    object.relocate_maps(numbered, &sections).map_err(|error| failed(&error))?;
    object.relocate_calls(&sections).map_err(|error| failed(&error))?;
    Ok(Fitted { object, types, maps })
}

fn make_maps(
    object: &mut Object,
    types: &OwnedFd,
    sizes: &HashMap<&str, u32>,
) -> Result<HashMap<String, MapData>, LoadError> {
    let mut maps = HashMap::new();
    for (name, map) in &mut object.maps {
        let failed = |error: &(dyn Error + 'static)| LoadError::new("make the maps", error);
        if let Some(&size) = sizes.get(name.as_str()) {
            map.set_max_entries(size);
        }
        let made = MapData::create(map.clone(), name, Some(types.as_fd())).map_err(|error| failed(&error))?;
        let fd = made.fd().as_fd();
        if !map.data().is_empty() {
            bpf::set_variables(fd, map.value_size(), map.data()).map_err(|error| failed(&error))?;
        }
        if map.section_kind() == EbpfSectionKind::Rodata {
            bpf::freeze(fd).map_err(|error| failed(&error))?;
        }
        maps.insert(name.clone(), made);
    }
    Ok(maps)
}

impl Fitted {
    /// Loads a program and attaches it to the tracepoint with this number among the kernel's types.
    pub fn attach(&self, name: &str, tracepoint: u32) -> io::Result<Attached> {
        let program = self.object.programs.get(name);
        let program = program.ok_or_else(|| io::Error::other(format!("no {name} in the object")))?;
        let function = self.object.functions.get(&program.function_key());
        let function =
            function.ok_or_else(|| io::Error::other(format!("no code of {name} in the object")))?;
        let loaded = bpf::load_program(&bpf::Program {
            name,
            instructions: &function.instructions,
            license: &program.license,
            functions: (&function.func_info.func_info_bytes(), function.func_info_rec_size),
            types: self.types.as_fd(),
            tracepoint,
        })?;
        // The link keeps the program.
        bpf::attach(loaded.as_fd()).map(|link| Attached { _link: link })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use aya_obj::generated::bpf_insn;

    use super::*;

    /// Bytes that all functions share that are called one from the other, before Linux 6.13 (`MAX_BPF_STACK`).
    const STACK: usize = 512;
    /// What a function takes at least, and its multiples (`check_max_stack_depth` of kernel/bpf/verifier.c).
    const UNIT: usize = 32;

    /// The function that an instruction calls, or hands on to be called (`BPF_PSEUDO_CALL`, `BPF_PSEUDO_FUNC`).
    fn called(at: usize, instruction: bpf_insn) -> Option<usize> {
        let is_call = matches!((instruction.code, instruction.src_reg()), (0x85, 1) | (0x18, 4));
        is_call.then(|| (at as i64 + i64::from(instruction.imm) + 1) as usize)
    }

    /// Bytes below the frame pointer (r10) that a function uses.
    fn own(function: &[bpf_insn]) -> usize {
        const FRAME: u8 = 10;
        let used = function.iter().enumerate().map(|(at, instruction)| {
            let (to, from) = (instruction.dst_reg(), instruction.src_reg());
            let is_copy = at > 0 && function[at - 1].code == 0xbf && function[at - 1].src_reg() == FRAME;
            match instruction.code & 7 {
                1 if from == FRAME => -i32::from(instruction.off),
                2 | 3 if to == FRAME => -i32::from(instruction.off),
                7 if instruction.code == 0x07 && is_copy && function[at - 1].dst_reg() == to => {
                    -instruction.imm
                }
                _ => 0,
            }
        });
        usize::try_from(used.max().unwrap_or(0)).expect("the stack grows down")
    }

    /// Bytes of the function that begins at `at` and of whatever it calls.
    fn deepest(program: &[bpf_insn], begins: &BTreeSet<usize>, at: usize) -> usize {
        let end = begins.range(at + 1..).next().copied().unwrap_or(program.len());
        let function = &program[at..end];
        let calls = function.iter().enumerate().filter_map(|(offset, found)| called(at + offset, *found));
        let below = calls.map(|next| deepest(program, begins, next)).max().unwrap_or(0);
        own(function).max(1).next_multiple_of(UNIT) + below
    }

    /// This machine's kernel may be a later one, which would not complain.
    #[test]
    fn programs_fit_the_stack_of_older_kernels() {
        let mut object = Object::parse(aya::include_bytes_aligned!("trace.bpf.o")).expect("our own object");
        let sections: HashSet<usize> = object.functions.keys().map(|(section, _)| *section).collect();
        object.relocate_calls(&sections).expect("our own object");
        let mut most = 0;
        for (name, program) in &object.programs {
            let code = &object.functions[&program.function_key()].instructions;
            let calls = code.iter().enumerate().filter_map(|(at, instruction)| called(at, *instruction));
            let begins: BTreeSet<usize> = calls.chain([0]).collect();
            let depth = deepest(code, &begins, 0);
            assert!(depth <= STACK, "{name}: {depth} bytes");
            most = most.max(depth);
        }
        assert!(most > STACK / 2, "calls are followed: {most}");
    }
}
