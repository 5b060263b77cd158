//! The spool: what reached the inlet, on disk until it is committed.
//!
//! A record is copied into a memory-mapped file, so that it survives the process from the instant the callback returns
//! (the page cache outlives a `kill -9`), and marked when its transaction has committed. Files of processes that are gone
//! are replayed by the next one that starts. Files are allocated before use: a full disk is an error, not a SIGBUS.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::{fd::AsRawFd, unix::fs::MetadataExt},
    path::{Path, PathBuf},
    ptr,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering},
    },
};

use memmap2::{MmapRaw, UncheckedAdvice};
use parking_lot::Mutex;
use serde_json::json;

/// Of one file: about 3,500 messages.
const SEGMENT: usize = 4 << 20;
/// Files kept at least for the next turn when all in them is committed: their pages are there already, and making them is
/// most of what a record costs otherwise. While more are in use as many are kept: at full speed they become free in crowds,
/// and page faults in new ones were an eighth of what the inlet's thread did.
const SPARES: usize = 4;
/// Files that count as the process' memory while they are in use or spare; at full speed some 20 are. While the database is
/// away a million messages wait in 150 to 250: those are read back from the page cache, which the system takes back when it
/// needs to, when their turn comes.
const RESIDENT: usize = 32;
/// From this size on a record, a piece of a history, counts as the process' memory only while it is written and read.
const LARGE: usize = 64 << 10;
/// length, checksum, device, code: 4 bytes each; arrival: 8; state: 4; padding to a multiple of 8.
const HEADER: usize = 32;
const STATE: usize = 24;
const COMMITTED: u32 = 1;

/// An event on its way to the database.
pub struct Entry {
    pub device_no: i32,
    pub code: i32,
    /// Unix seconds.
    pub received_at: i64,
    /// It was left by a process that is gone.
    pub is_replay: bool,
    pub place: Place,
}

/// A history of many chats is as much work as many messages: one for this many of its bytes.
const BYTES_A_ROW: usize = 4096;

impl Entry {
    /// About how many messages' worth of work it is.
    #[must_use]
    pub fn weight(&self) -> usize {
        1 + self.place.bytes().len() / BYTES_A_ROW
    }
}

/// Where an event's bytes lie.
pub enum Place {
    /// On disk. Dropped without [`Place::commit`] they stay there and are replayed at the next start.
    Spooled(Slot),
    /// Only in memory: losing them loses nothing that is stored.
    Fleeting(Box<[u8]>),
}

/// A record of a segment.
pub struct Slot {
    segment: Arc<Segment>,
    offset: usize,
    length: usize,
}

impl Place {
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            // SAFETY: inside the map, written before the slot was made, and not again before it is committed, which takes it.
            Self::Spooled(slot) => unsafe {
                std::slice::from_raw_parts(slot.segment.at(slot.offset + HEADER), slot.length)
            },
            Self::Fleeting(bytes) => bytes,
        }
    }

    /// Nobody reads it for a while.
    pub fn rest(&self) {
        if let Self::Spooled(slot) = self
            && slot.length >= LARGE
        {
            slot.segment.forget(slot.offset, HEADER + slot.length);
        }
    }

    /// The event is in the database: it need not be replayed. When it was the last in its file, that is begun anew or goes.
    pub fn commit(self) {
        if let Self::Spooled(slot) = &self {
            slot.segment.state(slot.offset).store(COMMITTED, Ordering::Release);
            self.rest();
            slot.segment.release();
        }
    }
}

struct Segment {
    path: Mutex<PathBuf>,
    map: MmapRaw,
    /// Places not committed, and one more while records may still be added.
    held: AtomicUsize,
    files: Arc<Files>,
    /// Its lock tells other processes that the owner lives.
    _file: File,
}

/// What the files of a spool share.
struct Files {
    /// Those in which everything is committed; None once the spool is closed and none is needed any more.
    spares: Mutex<Option<Vec<Arc<Segment>>>>,
    usage: Usage,
}

/// What lies on disk, of this process; spare files too.
#[derive(Debug, Default)]
pub struct Usage {
    pub segments: AtomicU64,
    pub bytes: AtomicU64,
}

impl Files {
    /// How many are in use, when so many are kept.
    fn in_use(&self, kept: usize) -> usize {
        let all = usize::try_from(self.usage.segments.load(Ordering::Relaxed)).unwrap_or(0);
        all.saturating_sub(kept)
    }

    /// How many may be kept, when so many are and one more could be.
    fn most_spares(&self, kept: usize) -> usize {
        self.in_use(kept + 1).clamp(SPARES, RESIDENT)
    }

    fn are_many(&self) -> bool {
        let kept = self.spares.lock().as_ref().map_or(0, Vec::len);
        self.in_use(kept) > RESIDENT
    }
}

impl Segment {
    fn create(path: PathBuf, size: usize, files: &Arc<Files>) -> io::Result<Arc<Self>> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
        let made = (|| {
            lock(&file)?;
            // SAFETY: a plain call on an open descriptor.
            let refused =
                unsafe { libc::posix_fallocate(file.as_raw_fd(), 0, size.try_into().map_err(io::Error::other)?) };
            if refused == 0 { Self::map(path.clone(), file, files) } else { Err(io::Error::from_raw_os_error(refused)) }
        })();
        if made.is_err() {
            let _ = fs::remove_file(&path);
        }
        made
    }

    fn map(path: PathBuf, file: File, files: &Arc<Files>) -> io::Result<Arc<Self>> {
        let map = MmapRaw::map_raw(&file)?;
        files.usage.segments.fetch_add(1, Ordering::Relaxed);
        files.usage.bytes.fetch_add(map.len() as u64, Ordering::Relaxed);
        let (path, files) = (Mutex::new(path), Arc::clone(files));
        Ok(Arc::new(Self { path, map, held: AtomicUsize::new(1), files, _file: file }))
    }

    /// Begins it anew under a name that is later than all before: what is left of its last turn is committed.
    fn reuse(&self, path: PathBuf) -> io::Result<()> {
        let mut current = self.path.lock();
        fs::rename(&*current, &path)?;
        *current = path;
        self.held.store(1, Ordering::Release);
        self.length(0).store(0, Ordering::Release);
        Ok(())
    }

    /// A file whose owner is gone; None while it lives.
    fn adopt(path: &Path, files: &Arc<Files>) -> io::Result<Option<Arc<Self>>> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        if lock(&file).is_err() {
            return Ok(None);
        }
        if file.metadata()?.len() == 0 {
            fs::remove_file(path)?;
            return Ok(None);
        }
        Self::map(path.to_owned(), file, files).map(Some)
    }

    fn at(&self, offset: usize) -> *mut u8 {
        debug_assert!(offset <= self.map.len());
        // SAFETY: inside the map, as every caller has checked.
        unsafe { self.map.as_mut_ptr().add(offset) }
    }

    /// One more than the bytes of the record at `offset`; 0 where there is none.
    fn length(&self, offset: usize) -> &AtomicU32 {
        // SAFETY: callers have checked that the header lies inside the map; records begin at multiples of 8 in it, and it
        // begins at a page.
        unsafe { AtomicU32::from_ptr(self.at(offset).cast()) }
    }

    fn state(&self, offset: usize) -> &AtomicU32 {
        // SAFETY: as above; the field lies at a multiple of 4 in the header.
        unsafe { AtomicU32::from_ptr(self.at(offset + STATE).cast()) }
    }

    /// The process lets go of these pages; they stay in the page cache, and the file, and are there again when they are read.
    fn forget(&self, offset: usize, length: usize) {
        // SAFETY: inside the map. It is shared: what was written is the file's, whoever has its pages.
        let forgotten = unsafe { self.map.unchecked_advise_range(UncheckedAdvice::DontNeed, offset, length) };
        debug_assert!(forgotten.is_ok());
    }

    fn release(self: &Arc<Self>) {
        if self.held.fetch_sub(1, Ordering::AcqRel) > 1 {
            return;
        }
        match &mut *self.files.spares.lock() {
            Some(spares) if self.map.len() == SEGMENT && spares.len() < self.files.most_spares(spares.len()) => {
                spares.push(Arc::clone(self));
            }
            _ => self.remove(),
        }
    }

    fn remove(&self) {
        let _ = fs::remove_file(&*self.path.lock());
        self.files.usage.segments.fetch_sub(1, Ordering::Relaxed);
        self.files.usage.bytes.fetch_sub(self.map.len() as u64, Ordering::Relaxed);
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

    /// Copies a record in; its length goes last, so that half a record is none, and behind it the file ends.
    fn write(&self, offset: usize, device_no: i32, code: i32, received_at: i64, data: &[u8]) {
        self.length(offset).store(0, Ordering::Release);
        let next = offset + stride(data.len());
        if next + HEADER <= self.map.len() {
            self.length(next).store(0, Ordering::Release);
        }
        self.state(offset).store(0, Ordering::Release);
        // SAFETY: the caller holds the spool's lock and has checked that the record fits; nobody else reads here yet.
        unsafe {
            ptr::copy_nonoverlapping(data.as_ptr(), self.at(offset + HEADER), data.len());
            ptr::write_unaligned(self.at(offset + 8).cast(), device_no);
            ptr::write_unaligned(self.at(offset + 12).cast(), code);
            ptr::write_unaligned(self.at(offset + 16).cast(), received_at);
            ptr::write_unaligned(self.at(offset + 4).cast(), self.checksum(offset, data.len()));
        }
        // 0 is the end of a file, so that an event of no bytes has a length too.
        self.length(offset).store(u32::try_from(data.len() + 1).unwrap_or(u32::MAX), Ordering::Release);
    }

    /// The record at `offset`: its entry when it is whole and was not committed, and where the next one begins.
    fn entry(self: &Arc<Self>, offset: usize) -> Option<(Option<Entry>, usize)> {
        if offset + HEADER > self.map.len() {
            return None;
        }
        let length = (self.read::<u32>(offset) as usize).checked_sub(1)?;
        if length > self.map.len() - offset - HEADER {
            return None;
        }
        let next = offset + stride(length);
        // After a power cut pages may be missing anywhere: a damaged record costs no other.
        let is_whole = self.checksum(offset, length) == self.read::<u32>(offset + 4);
        if !is_whole || self.state(offset).load(Ordering::Acquire) == COMMITTED {
            return Some((None, next));
        }
        self.held.fetch_add(1, Ordering::AcqRel);
        let place = Place::Spooled(Slot { segment: Arc::clone(self), offset, length });
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

/// Tells other processes that the file's owner lives.
fn lock(file: &File) -> io::Result<()> {
    // SAFETY: a plain call on an open descriptor.
    if unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // Between opening and locking another process may have taken it for a leftover: what is written into a file without a
    // name does not outlive us.
    if file.metadata()?.nlink() == 0 { Err(io::ErrorKind::NotFound.into()) } else { Ok(()) }
}

/// The files of one process.
pub struct Spool {
    folder: PathBuf,
    owner: String,
    current: Mutex<Current>,
    files: Arc<Files>,
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
        let files = Arc::new(Files { spares: Mutex::new(Some(Vec::new())), usage: Usage::default() });
        Ok(Self { folder: folder.to_owned(), owner: owner.to_owned(), current, files })
    }

    /// What it takes of the disk.
    #[must_use]
    pub fn usage(&self) -> &Usage {
        &self.files.usage
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
            // Names are in the order of their age; one that could not be made is not tried again.
            let path = self.folder.join(format!("{}-{:010}.spool", self.owner, current.made));
            current.made += 1;
            // Before another is made: on a full disk its own room, once all in it is committed, is all there is.
            if let Some(old) = current.segment.take() {
                if self.files.are_many() {
                    old.forget(0, old.map.len());
                }
                old.release();
            }
            current.segment = Some(self.segment(path, SEGMENT.max(needed.next_multiple_of(4096)))?);
            current.end = 0;
        }
        let segment = Arc::clone(current.segment.as_ref().ok_or_else(|| io::Error::other("no segment"))?);
        let offset = current.end;
        segment.write(offset, device_no, code, received_at, data);
        segment.held.fetch_add(1, Ordering::AcqRel);
        current.end += needed;
        let place = Place::Spooled(Slot { segment, offset, length: data.len() });
        Ok(Entry { device_no, code, received_at, is_replay: false, place })
    }

    /// A file to write into: a spare one, or a new one.
    fn segment(&self, path: PathBuf, size: usize) -> io::Result<Arc<Segment>> {
        let spare = self.files.spares.lock().as_mut().filter(|_| size == SEGMENT).and_then(Vec::pop);
        match spare {
            Some(spare) => match spare.reuse(path) {
                Ok(()) => Ok(spare),
                Err(error) => {
                    spare.remove();
                    Err(error)
                }
            },
            None => Segment::create(path, size, &self.files),
        }
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
            let Ok(Some(segment)) = Segment::adopt(&path, &self.files) else { continue };
            let mut offset = 0;
            while let Some((entry, next)) = segment.entry(offset) {
                entries.extend(entry);
                offset = next;
            }
            segment.forget(0, segment.map.len());
            segment.release();
        }
        Ok(entries)
    }

    /// Keeps no file any more in which everything is committed.
    pub fn close(&self) {
        if let Some(segment) = self.current.lock().segment.take() {
            segment.release();
        }
        self.files.spares.lock().take().into_iter().flatten().for_each(|spare| spare.remove());
    }

    /// Keeps an event nothing can be done with, to be looked at and replayed (`wafast.devices.poison` reads it): a line of
    /// JSON, then its bytes. The same event again is the same file.
    ///
    /// # Errors
    /// It is not kept: the disk is full.
    pub fn set_aside(&self, device_no: i32, code: i32, received_at: i64, reason: &str, data: &[u8]) -> io::Result<()> {
        let folder = self.folder.join("poison");
        let name = format!("{device_no}-{code}-{:08x}", crc32fast::hash(data));
        let head = json!({"device_no": device_no, "code": code, "received_at": received_at, "reason": reason});
        let bytes = [head.to_string().as_bytes(), b"\n", data].concat();
        let draft = folder.join(format!("{name}.draft"));
        fs::create_dir_all(&folder)?;
        let mut file = File::create(&draft)?;
        file.write_all(&bytes)?;
        // What is in there is nowhere else once its slot in the spool is free.
        file.sync_data()?;
        fs::rename(&draft, folder.join(format!("{name}.poison")))
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
        drop(second);
        assert_eq!(folder.files(), 0);
    }

    #[test]
    fn a_file_begun_anew_has_nothing_of_its_last_turn() {
        let folder = Folder::new("anew");
        let spool = Spool::open(&folder.0, "one").unwrap();
        let event = vec![7u8; SEGMENT / 8];
        let fill = |size: usize| {
            let entries: Vec<_> = (0..7).map(|n| spool.append(n, 17, 1, &event[..size]).unwrap()).collect();
            entries.into_iter().for_each(|entry| entry.place.commit());
        };
        (0..4).for_each(|_| fill(event.len()));
        assert!(folder.files() <= 2, "one is written, one is spare");
        let of_disk = |spool: &Spool| spool.usage().segments.load(Ordering::Relaxed) as usize;
        assert_eq!(of_disk(&spool), folder.files());
        // Begun anew, with records that end elsewhere, one of them left.
        fill(event.len() - 5000);
        drop(spool.append(9, 18, 2, b"left").unwrap());
        drop(spool);
        let found = Spool::open(&folder.0, "two").unwrap().adopt().unwrap();
        let found: Vec<_> = found.iter().map(|entry| (entry.device_no, entry.place.bytes())).collect();
        assert_eq!(found, [(9, b"left".as_slice())]);
    }

    #[test]
    fn as_many_are_kept_as_are_in_use() {
        let folder = Folder::new("spares");
        let spool = Spool::open(&folder.0, "one").unwrap();
        // Two of them are a file.
        let event = vec![7u8; SEGMENT / 2 - HEADER];
        let append =
            |files: usize| -> Vec<_> { (0..2 * files).map(|_| spool.append(1, 17, 1, &event).unwrap()).collect() };
        let mut entries = append(20);
        assert_eq!(folder.files(), 20);
        entries.drain(..20).for_each(|entry| entry.place.commit());
        assert_eq!(folder.files(), 20, "ten in use, ten spare");
        entries.extend(append(10));
        assert_eq!(folder.files(), 20, "all of them begun anew");
        entries.drain(..).for_each(|entry| entry.place.commit());
        (0..20).for_each(|_| append(1).into_iter().for_each(|entry| entry.place.commit()));
        assert!(folder.files() <= 1 + SPARES, "they go when they are not needed any more");
    }

    /// KiB of the map that this process holds, as the system counts them.
    fn held(segment: &Segment) -> usize {
        let maps = fs::read_to_string("/proc/self/smaps").unwrap();
        let mut lines = maps.lines().skip_while(|line| !line.starts_with(&format!("{:x}-", segment.at(0) as usize)));
        let held = lines.find_map(|line| line.strip_prefix("Rss:")).unwrap();
        held.trim().trim_end_matches(" kB").parse().unwrap()
    }

    #[test]
    fn a_large_record_that_rests_is_no_memory_of_the_process() {
        let folder = Folder::new("rest");
        let spool = Spool::open(&folder.0, "one").unwrap();
        let data: Vec<u8> = (0..2 << 20).map(|n: u32| n.to_le_bytes()[n as usize % 4]).collect();
        let entry = spool.append(1, 13, 1, &data).unwrap();
        let Place::Spooled(slot) = &entry.place else { panic!("spooled") };
        let segment = Arc::clone(&slot.segment);
        assert!(held(&segment) >= 2048);
        entry.place.rest();
        assert!(held(&segment) < 100);
        assert_eq!(entry.place.bytes(), data);
        entry.place.commit();
        assert!(held(&segment) < 100);
    }

    #[test]
    fn what_waits_in_many_files_is_no_memory_of_the_process() {
        let folder = Folder::new("many");
        let first = Spool::open(&folder.0, "first").unwrap();
        let event = |n: u8| vec![n; SEGMENT / 2 - HEADER];
        let all = |entries: &[Entry]| -> usize {
            let segments = entries.iter().step_by(2).map(|entry| match &entry.place {
                Place::Spooled(slot) => held(&slot.segment),
                Place::Fleeting(_) => 0,
            });
            segments.sum()
        };
        let most = (RESIDENT + 1) * SEGMENT / 1024;
        let entries: Vec<_> =
            (0..2 * RESIDENT as u8 + 16).map(|n| first.append(1, 17, 1, &event(n)).unwrap()).collect();
        assert!(all(&entries) <= most, "{}", all(&entries));
        drop((entries, first));
        let entries = Spool::open(&folder.0, "second").unwrap().adopt().unwrap();
        assert!(all(&entries) < most / 2, "{}", all(&entries));
        assert!((0..).zip(&entries).all(|(n, entry)| entry.place.bytes() == event(n)));
    }

    #[test]
    fn half_a_record_is_none_and_costs_no_other() {
        let folder = Folder::new("torn");
        let first = Spool::open(&folder.0, "first").unwrap();
        drop(first.append(1, 17, 1, b"whole").unwrap());
        let torn = first.append(1, 17, 1, b"torn").unwrap();
        let Place::Spooled(slot) = &torn.place else { panic!("spooled") };
        // SAFETY: inside the record that was just written.
        unsafe { *slot.segment.at(slot.offset + HEADER) = b'T' };
        drop(first.append(1, 17, 1, b"whole too").unwrap());
        drop((torn, first));
        let found = Spool::open(&folder.0, "second").unwrap().adopt().unwrap();
        let found: Vec<_> = found.iter().map(|entry| entry.place.bytes()).collect();
        assert_eq!(found, [b"whole".as_slice(), b"whole too"]);
    }

    proptest! {
        #[test]
        fn any_file_is_read_to_its_end(bytes in proptest::collection::vec(0..4u8, 1..400)) {
            let folder = Folder::new("any");
            fs::create_dir_all(&folder.0).unwrap();
            fs::write(folder.0.join("gone-0000000000.spool"), &bytes).unwrap();
            for entry in Spool::open(&folder.0, "next").unwrap().adopt().unwrap() {
                entry.place.commit();
            }
            prop_assert_eq!(folder.files(), 0);
        }
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
        spool.close();
        assert_eq!((folder.files(), spool.usage().bytes.load(Ordering::Relaxed)), (0, 0));
    }
}
