//! Operations on virtual machines (KVM).

use super::super::Decoder;
use super::super::layout::Show::{Flags, Hex, Nested, Uint, Words};
use super::super::layout::Size::{B1, B2, B4, B8};
use super::super::layout::layouts;
use super::super::net::word64;
use super::Row;
use super::Use::{In, Out};
use super::What;
use crate::syscall::flags::{MACHINE_CPUID, MACHINE_EXTENSION, MACHINE_MEMORY, write_hex, write_radix};

const CPUID: What = What::Own(write_cpuid);

pub(super) static ROWS: &[Row] = &[
    (0xae03, In(What::Choice(&MACHINE_EXTENSION))), // KVM_CHECK_EXTENSION
    (0xae41, In(What::Value)),                      // KVM_CREATE_VCPU
    (0x4020_ae46, In(What::Of(&MEMORY))),           // KVM_SET_USER_MEMORY_REGION
    (0xc008_ae05, Out(CPUID)),                      // KVM_GET_SUPPORTED_CPUID
    (0xc008_ae09, Out(CPUID)),                      // KVM_GET_EMULATED_CPUID
    (0x4008_ae90, In(CPUID)),                       // KVM_SET_CPUID2
    (0x8090_ae81, Out(What::Own(write_registers))), // KVM_GET_REGS
    (0x4090_ae82, In(What::Own(write_registers))),  // KVM_SET_REGS
    (0x8138_ae83, Out(What::Of(&SPECIAL))),         // KVM_GET_SREGS
    (0x4138_ae84, In(What::Of(&SPECIAL))),          // KVM_SET_SREGS
];

layouts! {
    /// `struct kvm_userspace_memory_region`.
    MEMORY: 32/32 {
        always slot @ 0/0 Uint(B4);
        always flags @ 4/4 Flags(&MACHINE_MEMORY, B4);
        always guest_phys_addr @ 8/8 Hex(B8);
        always memory_size @ 16/16 Uint(B8);
        always userspace_addr @ 24/24 Hex(B8);
    }
    /// `struct kvm_cpuid_entry2`.
    CPUID_ENTRY: 40/40 {
        always function @ 0/0 Hex(B4);
        always index @ 4/4 Hex(B4);
        always flags @ 8/8 Flags(&MACHINE_CPUID, B4);
        always eax @ 12/12 Hex(B4);
        always ebx @ 16/16 Hex(B4);
        always ecx @ 20/20 Hex(B4);
        always edx @ 24/24 Hex(B4);
    }
    /// `struct kvm_sregs`.
    SPECIAL: 312/312 {
        always cs @ 0/0 Nested(&SEGMENT);
        v ds @ 24/24 Nested(&SEGMENT);
        v es @ 48/48 Nested(&SEGMENT);
        v fs @ 72/72 Nested(&SEGMENT);
        v gs @ 96/96 Nested(&SEGMENT);
        v ss @ 120/120 Nested(&SEGMENT);
        v tr @ 144/144 Nested(&SEGMENT);
        v ldt @ 168/168 Nested(&SEGMENT);
        v gdt @ 192/192 Nested(&TABLE);
        v idt @ 208/208 Nested(&TABLE);
        v cr0 @ 224/224 Uint(B8);
        v cr2 @ 232/232 Uint(B8);
        v cr3 @ 240/240 Uint(B8);
        v cr4 @ 248/248 Uint(B8);
        v cr8 @ 256/256 Uint(B8);
        v efer @ 264/264 Uint(B8);
        v apic_base @ 272/272 Hex(B8);
        v interrupt_bitmap @ 280/280 Words(B8, 4);
    }
    /// `struct kvm_segment`.
    SEGMENT: 24/24 {
        always base @ 0/0 Hex(B8);
        always limit @ 8/8 Uint(B4);
        always selector @ 12/12 Uint(B2);
        always type @ 14/14 Uint(B1);
        always present @ 15/15 Uint(B1);
        always dpl @ 16/16 Uint(B1);
        always db @ 17/17 Uint(B1);
        always s @ 18/18 Uint(B1);
        always l @ 19/19 Uint(B1);
        always g @ 20/20 Uint(B1);
        always avl @ 21/21 Uint(B1);
    }
    /// `struct kvm_dtable`.
    TABLE: 16/16 {
        always base @ 0/0 Hex(B8);
        always limit @ 8/8 Uint(B2);
    }
}

/// The registers of `struct kvm_regs`, in its order.
const REGISTERS: [&str; 18] = [
    "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rsp", "rbp", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
    "r15", "rip", "rflags",
];

/// Those that are shown of them, where not all are.
const FEW: [&str; 5] = ["rax", "rsp", "rbp", "rip", "rflags"];

/// `{rax=0x2, ..., rsp=0, rbp=0, ..., rip=0x1000, rflags=0x2}`
fn write_registers(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64) {
    let mut bytes = [0; 8 * REGISTERS.len()];
    let is_looked_at = address != 0 && !call.style.addresses;
    if !is_looked_at || call.memory.read(call.phase, address, &mut bytes) < bytes.len() {
        return call.write_address(out, address);
    }
    out.push(b'{');
    for (index, name) in REGISTERS.iter().enumerate() {
        let is_shown = call.style.verbose || FEW.contains(name);
        if !is_shown && out.ends_with(b"...") {
            continue;
        }
        if index > 0 {
            out.extend_from_slice(b", ");
        }
        if is_shown {
            out.extend_from_slice(name.as_bytes());
            out.push(b'=');
            write_hex(out, word64(&bytes, 8 * index));
        } else {
            out.extend_from_slice(b"...");
        }
    }
    out.push(b'}');
}

/// `{nent=2, entries=[...]}`: `struct kvm_cpuid2`.
fn write_cpuid(call: &mut Decoder<'_, '_>, out: &mut Vec<u8>, address: u64) {
    const HEAD: u64 = 8;
    let count = call.read_u32_at(call.phase, address).filter(|_| !call.style.addresses);
    let Some(count) = count else { return call.write_address(out, address) };
    out.extend_from_slice(b"{nent=");
    write_radix(out, count.into(), 10, 1);
    out.extend_from_slice(b", entries=");
    if count > 0 && !call.style.verbose {
        out.extend_from_slice(b"[...]");
    } else {
        let first = address.wrapping_add(HEAD);
        call.write_array(out, first, count.into(), CPUID_ENTRY.size[0], &mut |call, out, bytes| {
            call.write_members(out, &CPUID_ENTRY, bytes);
        });
    }
    out.push(b'}');
}
