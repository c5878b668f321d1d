//! Operations on trusted environments (TEE).

use super::super::layout::Show::{Descriptor, Flags, Hex, Int, Uint};
use super::super::layout::Size::{B4, B8};
use super::super::layout::layouts;
use super::Use::{In, Out};
use super::{Row, What};
use crate::syscall::flags::TRUSTED_MEMORY;

pub(super) static ROWS: &[Row] = &[
    (0x800c_a400, Out(What::Pointer)),                  // TEE_IOC_VERSION
    (0xc010_a401, answered!(ALLOCATED, ALLOCATION)),    // TEE_IOC_SHM_ALLOC
    (0x8010_a402, In(What::Pointer)),                   // TEE_IOC_OPEN_SESSION
    (0x8010_a403, In(What::Pointer)),                   // TEE_IOC_INVOKE
    (0x8008_a404, In(What::Of(&CANCELLED))),            // TEE_IOC_CANCEL
    (0x8004_a405, In(What::Of(&CLOSED))),               // TEE_IOC_CLOSE_SESSION
    (0x8010_a406, In(What::Pointer)),                   // TEE_IOC_SUPPL_RECV
    (0x8010_a407, In(What::Pointer)),                   // TEE_IOC_SUPPL_SEND
    (0xc020_a408, answered!(GIVEN, TAKEN)),             // TEE_IOC_SHM_REGISTER_FD
    (0xc018_a409, answered!(REGISTERED, REGISTRATION)), // TEE_IOC_SHM_REGISTER
];

layouts! {
    /// `struct tee_ioctl_shm_alloc_data`.
    ALLOCATED: 16/16 {
        always size @ 0/0 Hex(B8);
        always flags @ 8/8 Flags(&TRUSTED_MEMORY, B4);
    }
    /// The same, filled.
    ALLOCATION: 16/16 {
        always size @ 0/0 Hex(B8);
        always flags @ 8/8 Flags(&TRUSTED_MEMORY, B4);
        always id @ 12/12 Int(B4);
    }
    /// `struct tee_ioctl_cancel_arg`.
    CANCELLED: 8/8 {
        always cancel_id @ 0/0 Uint(B4);
        always session @ 4/4 Hex(B4);
    }
    /// `struct tee_ioctl_close_session_arg`.
    CLOSED: 4/4 { always session @ 0/0 Hex(B4); }
    /// `struct tee_ioctl_shm_register_fd_data`.
    GIVEN: 32/32 {
        always fd @ 0/0 Descriptor;
        always flags @ 16/16 Flags(&TRUSTED_MEMORY, B4);
    }
    /// What of it is filled.
    TAKEN: 32/32 {
        always size @ 8/8 Hex(B8);
        always id @ 24/24 Int(B4);
    }
    /// `struct tee_ioctl_shm_register_data`.
    REGISTERED: 24/24 {
        always addr @ 0/0 Hex(B8);
        always length @ 8/8 Hex(B8);
        always flags @ 16/16 Flags(&TRUSTED_MEMORY, B4);
    }
    /// The same, filled.
    REGISTRATION: 24/24 {
        always length @ 8/8 Hex(B8);
        always flags @ 16/16 Flags(&TRUSTED_MEMORY, B4);
        always id @ 20/20 Int(B4);
    }
}
