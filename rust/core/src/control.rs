//! Events for the worker: a queue and a file descriptor that is readable while something is in it.

use std::{
    collections::VecDeque,
    io,
    os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd},
};

use parking_lot::Mutex;

/// Code of an event of our own: chats have no name yet; its data is their JIDs, joined by newlines.
pub const NAMELESS_CHATS: i32 = -1;
/// Code of an event of our own: messages with files were stored that the worker is to fetch; it has no data.
pub const NEW_FILES: i32 = -2;
/// Code of an event of our own: somebody has read something of ours in groups; its data is their chats' ids, joined by
/// newlines.
pub const GROUPS_READ: i32 = -3;

/// One event as neonize gave it, or one of our own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    pub device_no: i32,
    pub code: i32,
    pub data: Vec<u8>,
}

/// The queue. Any thread puts in; the worker's event loop watches the descriptor and drains.
pub struct Controls {
    queue: Mutex<VecDeque<Control>>,
    signal: OwnedFd,
}

impl Controls {
    /// An empty queue.
    ///
    /// # Errors
    /// No descriptor is left.
    pub fn new() -> io::Result<Self> {
        // SAFETY: eventfd has no pointer arguments; the result is checked before it becomes an owned descriptor.
        let signal = unsafe {
            let fd = libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC);
            if fd < 0 {
                return Err(io::Error::last_os_error());
            }
            OwnedFd::from_raw_fd(fd)
        };
        Ok(Self { queue: Mutex::default(), signal })
    }

    /// The descriptor to watch; it stays ours.
    #[must_use]
    pub fn descriptor(&self) -> RawFd {
        self.signal.as_raw_fd()
    }

    pub fn push(&self, control: Control) {
        self.queue.lock().push_back(control);
        let one = 1u64.to_ne_bytes();
        // SAFETY: eight readable bytes. A full counter means that it is readable already.
        unsafe { libc::write(self.descriptor(), one.as_ptr().cast(), one.len()) };
    }

    /// Everything that came since the last call, in order.
    #[must_use]
    pub fn drain(&self) -> Vec<Control> {
        let mut counter = [0u8; 8];
        // SAFETY: eight writable bytes. Read before the queue is taken, so that what comes after signals again.
        unsafe { libc::read(self.descriptor(), counter.as_mut_ptr().cast(), counter.len()) };
        self.queue.lock().drain(..).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_readable(controls: &Controls) -> bool {
        let mut poll = libc::pollfd { fd: controls.descriptor(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one valid pollfd.
        unsafe { libc::poll(&raw mut poll, 1, 0) == 1 }
    }

    #[test]
    fn the_descriptor_tells_of_what_waits() {
        let controls = Controls::new().unwrap();
        assert!(!is_readable(&controls));
        let control = Control { device_no: 7, code: 3, data: vec![1] };
        controls.push(control.clone());
        controls.push(control.clone());
        assert!(is_readable(&controls));
        assert_eq!(controls.drain(), vec![control.clone(), control]);
        assert!(!is_readable(&controls));
    }
}
