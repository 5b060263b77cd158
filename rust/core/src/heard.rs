//! Which messages of a device were read lately, also by processes that are gone.
//!
//! WhatsApp sends again what was read but not acknowledged, and whatsmeow can't decrypt it a second time. Most of that has
//! its row; reactions, edits and what the phone tells its devices have none, and a busy chat may have trimmed it already.
//! So each device has a page of a file, shared by all processes of this machine, with hashes of the last ids: what is in
//! there was not lost. It costs 4 KiB a device and survives a `kill -9` as the spool does.

use std::{
    fs::OpenOptions,
    io,
    os::fd::AsRawFd,
    path::Path,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

use memmap2::{MmapOptions, MmapRaw};

const PAGE: usize = 4096;
/// Of a page's 1,024 numbers the first counts.
const IDS: usize = PAGE / 4 - 1;

/// One device's page.
pub struct Heard {
    map: MmapRaw,
}

impl Heard {
    /// Opens a device's page in `folder`.
    ///
    /// # Errors
    /// The disk is full, or `device_no` is no device.
    pub fn open(folder: &Path, device_no: i32) -> io::Result<Self> {
        let place = u64::try_from(device_no).map_err(io::Error::other)? * PAGE as u64;
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(folder.join("heard"))?;
        let offset = place.try_into().map_err(io::Error::other)?;
        // Allocated before use: a full disk is an error, not a SIGBUS.
        // SAFETY: a plain call on an open descriptor.
        let refused = unsafe { libc::posix_fallocate(file.as_raw_fd(), offset, PAGE as libc::off_t) };
        if refused != 0 {
            return Err(io::Error::from_raw_os_error(refused));
        }
        Ok(Self { map: MmapOptions::new().offset(place).len(PAGE).map_raw(&file)? })
    }

    fn numbers(&self) -> &[AtomicU32] {
        // SAFETY: the map is one page, aligned, and all processes access it as atomic numbers only.
        unsafe { std::slice::from_raw_parts(self.map.as_ptr().cast(), PAGE / 4) }
    }

    /// Notes that a message was read.
    pub fn note(&self, message_id: &str) {
        if let [count, ids @ ..] = self.numbers() {
            ids[count.fetch_add(1, Relaxed) as usize % IDS].store(hash(message_id), Relaxed);
        }
    }

    /// Whether it is one of the last 1,023 messages that were read.
    #[must_use]
    pub fn has(&self, message_id: &str) -> bool {
        let wanted = hash(message_id);
        self.numbers()[1..].iter().any(|id| id.load(Relaxed) == wanted)
    }
}

/// Never 0, which is an empty place.
fn hash(message_id: &str) -> u32 {
    crc32fast::hash(message_id.as_bytes()).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_thousand_of_a_device_are_known_after_its_process() {
        let folder = std::env::temp_dir().join(format!("wafast-heard-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let first = Heard::open(&folder, 7).unwrap();
        (0..=IDS).for_each(|n| first.note(&format!("M{n}")));
        drop(first);
        let second = Heard::open(&folder, 7).unwrap();
        assert!(second.has("M1") && second.has(&format!("M{IDS}")) && !second.has("M0"));
        assert!(!Heard::open(&folder, 8).unwrap().has("M1"), "another device");
        assert!(Heard::open(&folder, -1).is_err());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
