//! Plain values that the kernel's maps may hold.

/// A value without padding or pointers.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Shared<T: bytemuck::Pod>(pub T);

// SAFETY: `T` is plain old data by its own bound, and the wrapper adds nothing to it.
unsafe impl<T: bytemuck::Pod> aya::Pod for Shared<T> {}
