//! Memory that is free goes back to the system.
//!
//! The allocator keeps what it was given for the next that asks. After a large query that is most of
//! its memory, which nobody else on the machine can use then.

/// Gives back what is free.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "the allocator offers this by no other way")]
pub(super) fn trim() {
    // SAFETY: the function takes a number, touches only the allocator's own free memory under the
    // allocator's own locks, and may be called from any thread at any time (malloc_trim(3)).
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Other allocators have ways of their own.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(super) fn trim() {}

/// What the process holds of the machine's memory, where the system tells.
pub(super) fn resident_bytes() -> Option<usize> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: usize = text.split(' ').nth(1)?.parse().ok()?;
    pages.checked_mul(4096)
}
