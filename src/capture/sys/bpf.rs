//! bpf(2): what the loader of the eBPF backend asks for itself.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use aya_obj::generated::{bpf_attach_type, bpf_attr, bpf_cmd, bpf_insn, bpf_prog_type};
use bytemuck::Pod;

/// Has the kernel take in a description of types (BTF).
pub fn load_types(types: &[u8]) -> io::Result<OwnedFd> {
    let mut attributes = zeroed();
    // SAFETY: any bytes are a valid value of each of the union's members, all integers.
    let load = unsafe { &mut attributes.__bindgen_anon_7 };
    load.btf = address(types);
    load.btf_size = types.len() as u32;
    // SAFETY: the kernel reads as many bytes as there are.
    unsafe { made(bpf_cmd::BPF_BTF_LOAD, &mut attributes) }
}

/// A program for a tracepoint, ready to be loaded.
#[derive(Clone, Copy, Debug)]
pub struct Program<'p> {
    /// Its name, of which the kernel keeps 15 bytes.
    pub name: &'p str,
    /// Its code.
    pub instructions: &'p [bpf_insn],
    /// Its licence.
    pub license: &'p CStr,
    /// Types of its functions, as `.BTF.ext` has them, and the bytes of one of these records.
    pub functions: (&'p [u8], usize),
    /// The types that those mean.
    pub types: BorrowedFd<'p>,
    /// The number of the tracepoint's type in the kernel's own description.
    pub tracepoint: u32,
}

/// Room for the verifier's account of a program, which kernels before 6.4 do not shorten.
const ACCOUNT: usize = 16 << 20;

/// Has the kernel verify and take in a program. What it refuses is refused with the verifier's reason.
pub fn load_program(program: &Program<'_>) -> io::Result<OwnedFd> {
    let error = match try_program(program, &mut []) {
        Err(error) if error.raw_os_error() != Some(libc::EPERM) => error,
        done => return done,
    };
    let mut account = vec![0; ACCOUNT];
    match try_program(program, &mut account) {
        // As when the kernel was short of memory.
        Ok(loaded) => Ok(loaded),
        Err(_) => Err(why_refused(&account).map_or(error, |why| {
            io::Error::other(format!("the kernel's verifier refuses the program {} ({why})", program.name))
        })),
    }
}

/// The last line of a verifier's account but that of its figures; none: it had nothing to say.
fn why_refused(account: &[u8]) -> Option<String> {
    let text = account.split(|&byte| byte == 0).next().unwrap_or_default();
    let said = text.split(|&byte| byte == b'\n').rev();
    let mut said = said.filter(|line| !line.is_empty() && !line.starts_with(b"processed "));
    Some(String::from_utf8_lossy(said.next()?).trim().to_owned())
}

/// With room for the verifier's account, it gives one.
fn try_program(program: &Program<'_>, account: &mut [u8]) -> io::Result<OwnedFd> {
    let mut attributes = zeroed();
    // SAFETY: as above.
    let load = unsafe { &mut attributes.__bindgen_anon_3 };
    load.prog_type = bpf_prog_type::BPF_PROG_TYPE_TRACING as u32;
    load.expected_attach_type = bpf_attach_type::BPF_TRACE_RAW_TP as u32;
    load.attach_btf_id = program.tracepoint;
    let room = load.prog_name.len() - 1;
    for (to, from) in load.prog_name[..room].iter_mut().zip(program.name.bytes()) {
        *to = from.cast_signed();
    }
    load.insns = address(program.instructions);
    load.insn_cnt = program.instructions.len() as u32;
    load.license = address(program.license.to_bytes_with_nul());
    if !account.is_empty() {
        load.log_level = 1;
        load.log_buf = account.as_mut_ptr().expose_provenance() as u64;
        load.log_size = account.len() as u32;
    }
    load.prog_btf_fd = program.types.as_raw_fd().cast_unsigned();
    let (functions, size) = program.functions;
    if let Some(count) = functions.len().checked_div(size) {
        load.func_info = address(functions);
        load.func_info_cnt = count as u32;
        load.func_info_rec_size = size as u32;
    }
    // SAFETY: the kernel reads as many instructions and records as there are, and the licence up to its NUL byte; it writes
    // no more of the account than there is room for.
    unsafe { made(bpf_cmd::BPF_PROG_LOAD, &mut attributes) }
}

/// Runs a loaded program at its tracepoint from now on, until the descriptor is closed.
pub fn attach(program: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let mut attributes = zeroed();
    attributes.raw_tracepoint.prog_fd = program.as_raw_fd().cast_unsigned();
    // SAFETY: the name is no address: the program knows its tracepoint.
    unsafe { made(bpf_cmd::BPF_RAW_TRACEPOINT_OPEN, &mut attributes) }
}

/// Sets the one element of a map of global variables.
pub fn set_variables(map: BorrowedFd<'_>, size: u32, variables: &[u8]) -> io::Result<()> {
    if variables.len() < size as usize {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    let key = [0_u32];
    let mut attributes = zeroed();
    // SAFETY: as above.
    let update = unsafe { &mut attributes.__bindgen_anon_2 };
    update.map_fd = map.as_raw_fd().cast_unsigned();
    update.key = address(&key);
    update.__bindgen_anon_1.value = address(variables);
    // SAFETY: such a map has keys of four bytes; a value's bytes are as many as its caller has said, or fewer are there to
    // read than the kernel would.
    unsafe { call(bpf_cmd::BPF_MAP_UPDATE_ELEM, &mut attributes) }.map(drop)
}

/// Keeps user space from changing a map from now on, so that programs may take its values for constants.
pub fn freeze(map: BorrowedFd<'_>) -> io::Result<()> {
    let mut attributes = zeroed();
    // SAFETY: as above.
    unsafe { &mut attributes.__bindgen_anon_2 }.map_fd = map.as_raw_fd().cast_unsigned();
    // SAFETY: no addresses.
    unsafe { call(bpf_cmd::BPF_MAP_FREEZE, &mut attributes) }.map(drop)
}

/// Sets the first elements of an array, in one call.
pub fn set_all<T: Pod>(array: BorrowedFd<'_>, values: &[T]) -> io::Result<()> {
    let keys: Vec<u32> = (0..values.len() as u32).collect();
    let mut attributes = zeroed();
    // SAFETY: as above.
    let batch = unsafe { &mut attributes.batch };
    batch.map_fd = array.as_raw_fd().cast_unsigned();
    batch.keys = address(&keys);
    batch.values = address(values);
    batch.count = values.len() as u32;
    // SAFETY: an array's keys have four bytes.
    unsafe { call(bpf_cmd::BPF_MAP_UPDATE_BATCH, &mut attributes) }.map(drop)
}

fn address<T>(of: &[T]) -> u64 {
    of.as_ptr().expose_provenance() as u64
}

fn zeroed() -> bpf_attr {
    // SAFETY: all members are integers, for which zero is a value.
    unsafe { std::mem::zeroed() }
}

/// A call that makes a descriptor.
///
/// # Safety
/// As that of [`call`]; the command must be one that makes a descriptor.
unsafe fn made(command: bpf_cmd, attributes: &mut bpf_attr) -> io::Result<OwnedFd> {
    // SAFETY: our caller's.
    let made = unsafe { call(command, attributes) }?;
    // SAFETY: the kernel has just made it for us.
    Ok(unsafe { OwnedFd::from_raw_fd(made) })
}

/// # Safety
/// What the command reads at the addresses in the attributes must be there.
unsafe fn call(command: bpf_cmd, attributes: &mut bpf_attr) -> io::Result<i32> {
    // SAFETY: the attributes are as large as is said; our caller's for the addresses.
    let done =
        unsafe { libc::syscall(libc::SYS_bpf, command as libc::c_int, attributes, size_of::<bpf_attr>()) };
    if done < 0 { Err(io::Error::last_os_error()) } else { Ok(done as i32) }
}
