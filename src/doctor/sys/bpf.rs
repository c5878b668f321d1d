//! BPF (bpf(2)): a map, and a program of eleven instructions that counts system calls in it.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use super::{checked, owned};

/// Commands of `linux/bpf.h`.
const MAP_CREATE: i32 = 0;
const MAP_LOOKUP_ELEM: i32 = 1;
const PROG_LOAD: i32 = 5;
const RAW_TRACEPOINT_OPEN: i32 = 17;

const MAP_TYPE_ARRAY: u64 = 2;
const PROG_TYPE_RAW_TRACEPOINT: u64 = 17;

/// The attributes of a command: the first 128 bytes of the union, those not given being zero.
type Attributes = [u64; 16];

/// Two 32-bit fields beside each other.
fn pair(low: u64, high: u64) -> u64 {
    low | high << 32
}

fn bpf(command: i32, attributes: &Attributes) -> libc::c_long {
    // SAFETY: `attributes` is live and its size is given; the addresses in it are those of live buffers of the
    // size that the command reads or writes.
    unsafe { libc::syscall(libc::SYS_bpf, command, attributes.as_ptr(), size_of::<Attributes>()) }
}

fn address<T: ?Sized>(of: &T) -> u64 {
    std::ptr::from_ref(of).cast::<u8>() as u64
}

/// Makes an array of one 64-bit number.
pub fn create_map() -> io::Result<OwnedFd> {
    let mut attributes = Attributes::default();
    (attributes[0], attributes[1]) = (pair(MAP_TYPE_ARRAY, 4), pair(8, 1));
    owned(bpf(MAP_CREATE, &attributes))
}

/// One instruction: operation, registers, offset, immediate value (Documentation/bpf/standardization).
fn instruction(operation: u64, target: u64, source: u64, offset: i16, immediate: i32) -> u64 {
    operation
        | target << 8
        | source << 12
        | u64::from(offset as u16) << 16
        | u64::from(immediate as u32) << 32
}

/// Loads a program for a raw tracepoint that adds one to the number in the map.
pub fn load_program(map: &OwnedFd) -> io::Result<OwnedFd> {
    let program = [
        instruction(0x62, 10, 0, -4, 0),             // *(u32 *)(r10 - 4) = 0
        instruction(0xbf, 2, 10, 0, 0),              // r2 = r10
        instruction(0x07, 2, 0, 0, -4),              // r2 += -4
        instruction(0x18, 1, 1, 0, map.as_raw_fd()), // r1 = the map, in two words
        0,
        instruction(0x85, 0, 0, 0, 1), // r0 = bpf_map_lookup_elem(r1, r2)
        instruction(0x15, 0, 0, 2, 0), // if r0 == 0 skip two
        instruction(0xb7, 1, 0, 0, 1), // r1 = 1
        instruction(0xdb, 0, 1, 0, 0), // *(u64 *)r0 += r1, atomically
        instruction(0xb7, 0, 0, 0, 0), // r0 = 0
        instruction(0x95, 0, 0, 0, 0), // return r0
    ];
    let license = c"GPL";
    let mut attributes = Attributes::default();
    attributes[0] = pair(PROG_TYPE_RAW_TRACEPOINT, program.len() as u64);
    (attributes[1], attributes[2]) = (address(&program), address(license));
    owned(bpf(PROG_LOAD, &attributes))
}

/// Attaches the program to the entry of every system call.
pub fn attach(program: &OwnedFd) -> io::Result<OwnedFd> {
    let name = c"sys_enter";
    let mut attributes = Attributes::default();
    (attributes[0], attributes[1]) = (address(name), pair(program.as_raw_fd() as u64, 0));
    owned(bpf(RAW_TRACEPOINT_OPEN, &attributes))
}

/// Makes some system calls; gives how many the program has counted, of whatever process.
pub fn count(map: &OwnedFd, calls: usize) -> io::Result<i64> {
    for _ in 0..calls {
        // SAFETY: takes no pointers. Not through a wrapper, which might answer by itself.
        unsafe { libc::syscall(libc::SYS_getppid) };
    }
    let (key, mut value) = (0_u32, 0_u64);
    let mut attributes = Attributes::default();
    attributes[0] = pair(map.as_raw_fd() as u64, 0);
    (attributes[1], attributes[2]) = (address(&key), &raw mut value as u64);
    checked(bpf(MAP_LOOKUP_ELEM, &attributes))?;
    Ok(value.min(i64::MAX as u64) as i64)
}
