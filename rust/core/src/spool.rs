//! The spool: what reached the inlet, on disk until it is committed.
//!
//! A record is copied into a memory-mapped file, so that it survives the process from the instant the callback returns
//! (the page cache outlives a `kill -9`), and marked when its transaction has committed. Files of processes that are gone
//! are replayed by the next one that starts. Files are allocated before use: a full disk is an error, not a SIGBUS.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::fd::AsRawFd,
    path::{Path, PathBuf},
    ptr,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering},
    },
};

use memmap2::MmapRaw;
use parking_lot::Mutex;
use serde_json::json;

/// Of one file: about 35,000 messages.
const SEGMENT: usize = 16 << 20;
/// length, checksum, device, code: 4 bytes each; arrival: 8; state: 4; padding to a multiple of 8.
const HEADER: usize = 32;
const STATE: usize = 24;
const COMMITTED: u32 = 1;

/// A spooled event.
pub struct Entry {
    pub device_no: i32,
    pub code: i32,
    /// Unix seconds.
    pub received_at: i64,
    /// It was left by a process that is gone.
    pub is_replay: bool,
    pub place: Place,
}

/// Where an event's bytes lie. Dropped without [`Place::commit`] it stays on disk and is replayed at the next start.
pub struct Place {
    segment: Arc<Segment>,
    offset: usize,
    length: usize,
}

impl Place {
    /// When the event came, in Unix seconds.
    #[must_use]
    pub fn received_at(&self) -> i64 {
        self.segment.read(self.offset + 16)
    }

    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: written before the place was made, inside the map, and never again.
        unsafe { std::slice::from_raw_parts(self.segment.at(self.offset + HEADER), self.length) }
    }

    /// The event is in the database: it need not be replayed, and its file goes when this was the last in it.
    pub fn commit(self) {
        self.segment.state(self.offset).store(COMMITTED, Ordering::Release);
        self.segment.release();
    }
}

struct Segment {
    path: PathBuf,
    map: MmapRaw,
    /// Places not committed, and one more while records may still be added.
    held: AtomicUsize,
    usage: Arc<Usage>,
    /// Its lock tells other processes that the owner lives.
    _file: File,
}

/// What lies on disk, of this process.
#[derive(Debug, Default)]
pub struct Usage {
    pub segments: AtomicU64,
    pub bytes: AtomicU64,
}

impl Segment {
    fn new(path: PathBuf, file: File, usage: &Arc<Usage>) -> io::Result<Arc<Self>> {
        let map = MmapRaw::map_raw(&file)?;
        usage.segments.fetch_add(1, Ordering::Relaxed);
        usage.bytes.fetch_add(map.len() as u64, Ordering::Relaxed);
        Ok(Arc::new(Self { path, map, held: AtomicUsize::new(1), usage: Arc::clone(usage), _file: file }))
    }

    fn create(path: PathBuf, size: usize, usage: &Arc<Usage>) -> io::Result<Arc<Self>> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
        lock(&file)?;
        // SAFETY: a plain call on an open descriptor.
        let refused = unsafe { libc::posix_fallocate(file.as_raw_fd(), 0, size.try_into().map_err(io::Error::other)?) };
        if refused != 0 {
            let _ = fs::remove_file(&path);
            return Err(io::Error::from_raw_os_error(refused));
        }
        Self::new(path, file, usage)
    }

    /// A file whose owner is gone; None while it lives.
    fn adopt(path: &Path, usage: &Arc<Usage>) -> io::Result<Option<Arc<Self>>> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        if lock(&file).is_err() {
            return Ok(None);
        }
        if file.metadata()?.len() == 0 {
            fs::remove_file(path)?;
            return Ok(None);
        }
        Self::new(path.to_owned(), file, usage).map(Some)
    }

    fn at(&self, offset: usize) -> *mut u8 {
        debug_assert!(offset <= self.map.len());
        // SAFETY: inside the map, as every caller has checked.
        unsafe { self.map.as_mut_ptr().add(offset) }
    }

    fn state(&self, offset: usize) -> &AtomicU32 {
        // SAFETY: records begin at multiples of 8 in a page-aligned map, so the field is aligned.
        unsafe { AtomicU32::from_ptr(self.at(offset + STATE).cast()) }
    }

    fn release(&self) {
        if self.held.fetch_sub(1, Ordering::AcqRel) == 1 {
            let _ = fs::remove_file(&self.path);
            self.usage.segments.fetch_sub(1, Ordering::Relaxed);
            self.usage.bytes.fetch_sub(self.map.len() as u64, Ordering::Relaxed);
        }
    }

    fn read<T: Copy>(&self, offset: usize) -> T {
        // SAFETY: callers have checked that the header lies inside the map; unaligned reads are allowed.
        unsafe { ptr::read_unaligned(self.at(offset).cast()) }
    }

    fn checksum(&self, offset: usize, length: usize) -> u32 {
        // SAFETY: callers have checked that the record lies inside the map.
        let (head, payload) = unsafe {
            (
                std::slice::from_raw_parts(self.at(offset + 8), STATE - 8),
                std::slice::from_raw_parts(self.at(offset + HEADER), length),
            )
        };
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(head);
        hasher.update(payload);
        hasher.finalize()
    }

    /// Copies a record in; its length goes last, so that half a record is none.
    fn write(&self, offset: usize, device_no: i32, code: i32, received_at: i64, data: &[u8]) {
        // SAFETY: the caller holds the spool's lock and has checked that the record fits; nobody else reads here yet.
        unsafe {
            ptr::copy_nonoverlapping(data.as_ptr(), self.at(offset + HEADER), data.len());
            ptr::write_unaligned(self.at(offset + 8).cast(), device_no);
            ptr::write_unaligned(self.at(offset + 12).cast(), code);
            ptr::write_unaligned(self.at(offset + 16).cast(), received_at);
            ptr::write_unaligned(self.at(offset + 4).cast(), self.checksum(offset, data.len()));
            // 0 is the end of a file, so that an event of no bytes has a length too.
            let length = AtomicU32::from_ptr(self.at(offset).cast());
            length.store(u32::try_from(data.len() + 1).unwrap_or(u32::MAX), Ordering::Release);
        }
    }

    /// The record at `offset`: its entry when it was not committed, and where the next one begins.
    fn entry(self: &Arc<Self>, offset: usize) -> Option<(Option<Entry>, usize)> {
        if offset + HEADER > self.map.len() {
            return None;
        }
        let length = (self.read::<u32>(offset) as usize).checked_sub(1)?;
        if length > self.map.len() - offset - HEADER || self.checksum(offset, length) != self.read::<u32>(offset + 4) {
            return None;
        }
        let next = offset + stride(length);
        if self.state(offset).load(Ordering::Acquire) == COMMITTED {
            return Some((None, next));
        }
        self.held.fetch_add(1, Ordering::AcqRel);
        let place = Place { segment: Arc::clone(self), offset, length };
        let entry = Entry {
            device_no: self.read(offset + 8),
            code: self.read(offset + 12),
            received_at: self.read(offset + 16),
            is_replay: true,
            place,
        };
        Some((Some(entry), next))
    }
}

fn stride(length: usize) -> usize {
    (HEADER + length).next_multiple_of(8)
}

fn lock(file: &File) -> io::Result<()> {
    // SAFETY: a plain call on an open descriptor.
    if unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) } == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// The files of one process.
pub struct Spool {
    folder: PathBuf,
    owner: String,
    current: Mutex<Current>,
    pub usage: Arc<Usage>,
}

struct Current {
    segment: Option<Arc<Segment>>,
    end: usize,
    made: u32,
}

impl Spool {
    /// Opens the folder, which is made when it is not there; `owner` is a name no other process has.
    ///
    /// # Errors
    /// The folder can't be made.
    pub fn open(folder: &Path, owner: &str) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let current = Mutex::new(Current { segment: None, end: 0, made: 0 });
        Ok(Self { folder: folder.to_owned(), owner: owner.to_owned(), current, usage: Arc::default() })
    }

    /// Puts an event on disk.
    ///
    /// # Errors
    /// The disk is full.
    pub fn append(&self, device_no: i32, code: i32, received_at: i64, data: &[u8]) -> io::Result<Entry> {
        let mut current = self.current.lock();
        let needed = stride(data.len());
        let full = current.segment.as_ref().is_none_or(|segment| current.end + needed > segment.map.len());
        if full {
            let path = self.folder.join(format!("{}-{:06}.spool", self.owner, current.made));
            let fresh = Segment::create(path, SEGMENT.max(needed.next_multiple_of(4096)), &self.usage)?;
            current.made += 1;
            current.end = 0;
            if let Some(old) = current.segment.replace(fresh) {
                old.release();
            }
        }
        let segment = Arc::clone(current.segment.as_ref().ok_or_else(|| io::Error::other("no segment"))?);
        let offset = current.end;
        segment.write(offset, device_no, code, received_at, data);
        segment.held.fetch_add(1, Ordering::AcqRel);
        current.end += needed;
        let place = Place { segment, offset, length: data.len() };
        Ok(Entry { device_no, code, received_at, is_replay: false, place })
    }

    /// What processes that are gone left behind, oldest first within a file. Their files are ours from now on.
    ///
    /// # Errors
    /// The folder can't be read.
    pub fn adopt(&self) -> io::Result<Vec<Entry>> {
        let mut paths: Vec<PathBuf> = fs::read_dir(&self.folder)?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|ending| ending == "spool"))
            .collect();
        paths.sort();
        let mut entries = Vec::new();
        for path in paths {
            // One that another starter takes away in this instant is his.
            let Ok(Some(segment)) = Segment::adopt(&path, &self.usage) else { continue };
            let mut offset = 0;
            while let Some((entry, next)) = segment.entry(offset) {
                entries.extend(entry);
                offset = next;
            }
            segment.release();
        }
        Ok(entries)
    }

    /// Keeps an event nothing can be done with, to be looked at and replayed (`wafast.inbox.poison` reads it): a line of
    /// JSON, then its bytes. The same event again is the same file.
    pub fn set_aside(&self, device_no: i32, code: i32, received_at: i64, reason: &str, data: &[u8]) {
        let folder = self.folder.join("poison");
        let name = format!("{device_no}-{code}-{:08x}", crc32fast::hash(data));
        let head = json!({"device_no": device_no, "code": code, "received_at": received_at, "reason": reason});
        let bytes = [head.to_string().as_bytes(), b"\n", data].concat();
        let draft = folder.join(format!("{name}.draft"));
        let kept = fs::create_dir_all(&folder)
            .and_then(|()| fs::write(&draft, bytes))
            .and_then(|()| fs::rename(&draft, folder.join(format!("{name}.poison"))));
        if let Err(error) = kept {
            eprintln!("wafast: an event of device {device_no} can't be set aside: {error}");
        }
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        if let Some(segment) = self.current.get_mut().segment.take() {
            segment.release();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("wafast-spool-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            Self(path)
        }

        fn files(&self) -> usize {
            fs::read_dir(&self.0).unwrap().count()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn what_was_not_committed_comes_back_once_its_owner_is_gone() {
        let folder = Folder::new("replay");
        let first = Spool::open(&folder.0, "first").unwrap();
        first.append(1, 17, 100, b"committed").unwrap().place.commit();
        drop(first.append(2, 18, 200, b"left").unwrap());
        drop(first.append(3, 18, 300, b"").unwrap());
        let second = Spool::open(&folder.0, "second").unwrap();
        assert!(second.adopt().unwrap().is_empty(), "the first lives");
        drop(first);
        let entries = second.adopt().unwrap();
        let found: Vec<_> =
            entries.iter().map(|entry| (entry.device_no, entry.code, entry.received_at, entry.place.bytes())).collect();
        assert_eq!(found, vec![(2, 18, 200, b"left".as_slice()), (3, 18, 300, b"")]);
        for entry in entries {
            entry.place.commit();
        }
        assert_eq!(folder.files(), 0);
    }

    #[test]
    fn half_a_record_is_none() {
        let folder = Folder::new("torn");
        let first = Spool::open(&folder.0, "first").unwrap();
        drop(first.append(1, 17, 1, b"whole").unwrap());
        let torn = first.append(1, 17, 1, b"torn").unwrap();
        // SAFETY: inside the record that was just written.
        unsafe { *torn.place.segment.at(torn.place.offset + HEADER) = b'T' };
        drop((torn, first));
        let found = Spool::open(&folder.0, "second").unwrap().adopt().unwrap();
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn files_go_when_they_are_empty_and_large_events_get_their_own() {
        let folder = Folder::new("rotate");
        let spool = Spool::open(&folder.0, "one").unwrap();
        let large = vec![7u8; SEGMENT + 1];
        let entries = [spool.append(1, 13, 1, &large).unwrap(), spool.append(1, 13, 1, &large).unwrap()];
        assert_eq!(folder.files(), 2);
        assert_eq!(entries[1].place.bytes(), large);
        for entry in entries {
            entry.place.commit();
        }
        assert_eq!(folder.files(), 1);
        drop(spool);
        assert_eq!(folder.files(), 0);
    }
}
