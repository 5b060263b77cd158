//! The pipeline of one worker process: takes events from neonize's callback, and ends with committed rows.

use std::{
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use crossbeam_channel::{Sender, unbounded};
use parking_lot::{Mutex, RwLock};
use rustc_hash::FxHashMap;

use crate::{
    announce::Announcer,
    batch::Item,
    buffer::Buffer,
    connection::Connector,
    control::{Control, Controls},
    event,
    heard::Heard,
    pieces::{self, PIECE},
    spool::{Entry, Place, Spool},
    stats::{self, Histograms, Stats},
    writer,
};

/// How long a device waits before it looks whether the disk has room again.
const FULL_DISK_PAUSE: Duration = Duration::from_millis(200);

/// Settings of a pipeline.
pub struct Options {
    /// `postgresql://…`
    pub uri: String,
    /// A name no other process on this machine has.
    pub owner: String,
    pub spool_dir: PathBuf,
    /// Newest messages kept of a chat; 0 keeps all.
    pub messages_per_chat: i64,
    /// Off: messages are not stored; receipts still move what was sent.
    pub chat_storage: bool,
    /// Files of new incoming messages are to be fetched by the worker.
    pub eager_media: bool,
    /// Messages of one device in memory.
    pub buffer: usize,
    /// Records in one transaction.
    pub batch_rows: usize,
    /// How long a batch stays open.
    pub batch_window: Duration,
    /// Writing threads, each with its connection; a device always has the same. One more writes large histories.
    pub writers: usize,
}

/// What went wrong at the start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the database address is wrong: {0}")]
    Address(tokio_postgres::Error),
    #[error("the spool in {0}: {1}")]
    Spool(PathBuf, io::Error),
    #[error(transparent)]
    System(#[from] io::Error),
}

/// A device as the pipeline knows it.
pub struct Device {
    pub no: i32,
    pub buffer: Buffer,
    /// The writer of histories has written to its chats: its own writer knows nothing of them any more.
    pub is_written_beside: AtomicBool,
    /// None when the disk is full: then nothing is remembered.
    pub heard: Option<Heard>,
}

/// What all threads share.
pub struct Shared {
    pub options: Options,
    pub stats: Stats,
    pub histograms: Histograms,
    pub spool: Spool,
    pub controls: Controls,
    pub connector: Arc<Connector>,
    devices: RwLock<FxHashMap<i32, Arc<Device>>>,
    /// The ways to the writers; the last goes to the one of histories. None once the pipeline closes.
    writers: RwLock<Vec<Sender<Item>>>,
    /// Events that are not through yet, of all devices.
    open: AtomicUsize,
}

/// See the module.
pub struct Pipeline {
    pub shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    announcer: Mutex<Option<Announcer>>,
}

/// Unix seconds.
#[must_use]
pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed())
}

impl Pipeline {
    /// Starts the threads and takes over what processes that are gone have left in the spool.
    ///
    /// # Errors
    /// [`StartError`]. A database that is away is none: it is waited for.
    pub fn start(options: Options) -> Result<Arc<Self>, StartError> {
        let connector = Arc::new(Connector::new(&options.uri).map_err(StartError::Address)?);
        let spool = Spool::open(&options.spool_dir, &options.owner)
            .map_err(|error| StartError::Spool(options.spool_dir.clone(), error))?;
        let left = spool.adopt().map_err(|error| StartError::Spool(options.spool_dir.clone(), error))?;
        let announcer = Announcer::start(Arc::clone(&connector))?;
        let shared = Arc::new(Shared {
            options,
            stats: Stats::default(),
            histograms: Histograms::default(),
            spool,
            controls: Controls::new()?,
            connector,
            devices: RwLock::default(),
            writers: RwLock::default(),
            open: AtomicUsize::new(0),
        });
        let mut threads = Vec::new();
        for number in 0..=shared.options.writers {
            let (sender, items) = unbounded();
            threads.push(writer::start(number, Arc::clone(&shared), items, announcer.sender())?);
            shared.writers.write().push(sender);
        }
        let pipeline = Arc::new(Self { shared, threads: Mutex::new(threads), announcer: Mutex::new(Some(announcer)) });
        for entry in left {
            stats::add(&pipeline.shared.stats.replayed, 1);
            pipeline.take(entry);
        }
        Ok(pipeline)
    }

    /// Takes one event that came at `received_at`, in Unix seconds. When this returns, the event survives the process.
    pub fn receive(&self, device_no: i32, code: i32, data: &[u8], received_at: i64) {
        let shared = &self.shared;
        if !event::is_data(code) {
            stats::add(&shared.stats.controls, 1);
            shared.controls.push(Control { device_no, code, data: data.to_vec() });
            return;
        }
        stats::add(&shared.stats.events, 1);
        if event::is_fleeting(code) {
            let device = shared.device(device_no);
            let entry = Entry { device_no, code, received_at, is_replay: false, place: Place::Fleeting(data.into()) };
            if device.buffer.admit_fleeting(&entry) {
                shared.open.fetch_add(1, Ordering::AcqRel);
                shared.send(Item { device, entry });
            }
        } else if shared.options.chat_storage || code == event::code::RECEIPT {
            let take = |data: &[u8]| self.take(self.spooled(device_no, code, data, received_at));
            if code == event::code::HISTORY_SYNC { pieces::cut(data, PIECE, take) } else { take(data) }
        }
    }

    fn spooled(&self, device_no: i32, code: i32, data: &[u8], received_at: i64) -> Entry {
        let mut is_told = false;
        loop {
            match self.shared.spool.append(device_no, code, received_at, data) {
                Ok(entry) => return entry,
                Err(error) => {
                    // Not acknowledged to WhatsApp while we stand here: nothing is lost, the device waits.
                    if !std::mem::replace(&mut is_told, true) {
                        tell!("wafast: the spool can't grow ({error}); device {device_no} waits until it can");
                    }
                    thread::sleep(FULL_DISK_PAUSE);
                }
            }
        }
    }

    fn take(&self, entry: Entry) {
        self.shared.open.fetch_add(1, Ordering::AcqRel);
        let device = self.shared.device(entry.device_no);
        if let Some(entry) = device.buffer.admit(entry) {
            self.shared.send(Item { device, entry });
        } else {
            stats::add(&self.shared.stats.deferred, 1);
        }
    }

    /// Waits until everything that came is committed; false when that takes longer.
    #[must_use]
    pub fn flush(&self, longest: Duration) -> bool {
        let until = Instant::now() + longest;
        while self.shared.open.load(Ordering::Acquire) > 0 {
            if Instant::now() >= until {
                return false;
            }
            thread::sleep(Duration::from_millis(1));
        }
        true
    }

    /// Events that are not committed yet.
    #[must_use]
    pub fn open(&self) -> usize {
        self.shared.open.load(Ordering::Acquire)
    }

    /// Ends the threads. What they have is written if the database is there, else it stays in the spool.
    pub fn close(&self) {
        self.shared.connector.close();
        self.shared.writers.write().clear();
        for device in self.shared.devices.read().values() {
            device.buffer.close();
        }
        for thread in self.threads.lock().drain(..) {
            let _ = thread.join();
        }
        self.shared.spool.close();
        *self.announcer.lock() = None;
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    fn device(&self, no: i32) -> Arc<Device> {
        if let Some(device) = self.devices.read().get(&no) {
            return Arc::clone(device);
        }
        let fresh = || {
            let heard = Heard::open(&self.options.spool_dir, no)
                .inspect_err(|error| tell!("wafast: what device {no} reads is not remembered: {error}"));
            let (buffer, is_written_beside) = (Buffer::new(self.options.buffer), AtomicBool::new(false));
            Arc::new(Device { no, buffer, is_written_beside, heard: heard.ok() })
        };
        Arc::clone(self.devices.write().entry(no).or_insert_with(fresh))
    }

    /// The number of the writer an item goes to. What is more than a buffer goes alone, so that another may write it:
    /// nothing of its device is under way meanwhile.
    #[must_use]
    pub fn writer_of(&self, item: &Item) -> usize {
        let writers = self.options.writers;
        if item.entry.weight() > self.options.buffer {
            writers
        } else {
            item.device.no.unsigned_abs() as usize % writers
        }
    }

    /// Sends an item to its writer; a writer that is gone leaves it in the spool.
    pub fn send(&self, item: Item) {
        if let Some(writer) = self.writers.read().get(self.writer_of(&item)) {
            let _ = writer.send(item);
        }
    }

    /// An item is committed, or set aside: gives those of its device that go now.
    pub fn finish(&self, item: Item) -> impl Iterator<Item = Item> + use<> {
        let weight = item.entry.weight();
        let Item { device, entry } = item;
        entry.place.commit();
        self.release(device, weight)
    }

    /// An item can neither be stored nor set aside: it stays on disk for the next start, and those of its device go on.
    pub fn leave(&self, item: Item) -> impl Iterator<Item = Item> + use<> {
        let weight = item.entry.weight();
        self.release(item.device, weight)
    }

    fn release(&self, device: Arc<Device>, weight: usize) -> impl Iterator<Item = Item> + use<> {
        self.open.fetch_sub(1, Ordering::AcqRel);
        device.buffer.release(weight).into_iter().map(move |entry| Item { device: Arc::clone(&device), entry })
    }
}
