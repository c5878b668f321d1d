//! Commands of `fcntl(2)`.

pub const DUPFD: u32 = 0;
pub const GETFD: u32 = 1;
pub const SETFD: u32 = 2;
pub const GETFL: u32 = 3;
pub const SETFL: u32 = 4;
pub const SETOWN: u32 = 8;
pub const GETOWN: u32 = 9;
pub const SETSIG: u32 = 10;
pub const GETSIG: u32 = 11;
pub const SETLEASE: u32 = 1024;
pub const GETLEASE: u32 = 1025;
pub const NOTIFY: u32 = 1026;
pub const DUPFD_QUERY: u32 = 1027;
pub const DUPFD_CLOEXEC: u32 = 1030;
pub const SETPIPE_SZ: u32 = 1031;
pub const GETPIPE_SZ: u32 = 1032;
pub const ADD_SEALS: u32 = 1033;
pub const GET_SEALS: u32 = 1034;
