//! The writer: a batch of records to one committed transaction, and then the news of it.
//!
//! [`said`] is what the batch says, [`transaction`] the order of the steps, [`known`] what it need not ask; [`messages`],
//! [`calls`], [`notices`], [`placeholders`], [`removal`], [`counts`], [`changes`], [`people`] and [`lids`] are what is written.

mod calls;
mod changes;
mod counts;
mod known;
mod lids;
mod messages;
mod notices;
mod people;
mod placeholders;
mod receipts;
mod removal;
mod said;
mod transaction;

use std::{
    cell::Cell,
    io, mem,
    panic::{self, AssertUnwindSafe},
    process,
    sync::{Arc, atomic::Ordering},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, Sender};

use crate::{
    announce::News,
    batch::{self, Item},
    connection::{Failure, Session},
    control::{self, Control},
    pipeline::Shared,
    record::Records,
    stats,
};
pub use messages::{COLUMNS, Row, encode};
use said::{Batch, Unreadable};

/// How often waiting changes whose message never came are swept away.
const SWEEP: Duration = Duration::from_secs(3600);

/// Starts a writing thread, which ends when all senders of `items` are gone. The one with the last number writes what is
/// much work, one event a transaction, so that nobody's messages wait for another's history.
///
/// # Errors
/// No thread can be made.
pub fn start(
    number: usize,
    shared: Arc<Shared>,
    items: Receiver<Item>,
    news: Option<Sender<News>>,
) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(format!("wafast-writer-{number}")).spawn(move || {
        let connector = Arc::clone(&shared.connector);
        let work = || match Session::new(&connector) {
            Ok(session) => {
                let (known, room) = (Cell::default(), Records::default());
                Writer { number, shared, session, known, room, news, swept: None }.run(&items);
            }
            Err(error) => panic!("writer {number} does not start: {error}"),
        };
        if panic::catch_unwind(AssertUnwindSafe(work)).is_err() {
            // Messages would pile up unseen. The spool has them, and whoever starts next stores them.
            tell!("wafast: writer {number} has failed, and without it nothing is stored: this process ends");
            process::abort();
        }
    })
}

struct Writer<'a> {
    number: usize,
    shared: Arc<Shared>,
    session: Session<'a>,
    known: Cell<known::Known>,
    /// What the last batch was read into.
    room: Records<'static>,
    news: Option<Sender<News>>,
    swept: Option<Instant>,
}

impl Writer<'_> {
    fn run(&mut self, items: &Receiver<Item>) {
        let options = &self.shared.options;
        let (rows, window) = (if self.is_of_histories() { 1 } else { options.batch_rows }, options.batch_window);
        let mut overdue = Vec::new();
        while let Some(batch) = batch::gather(&mut overdue, items, rows, window) {
            self.sweep();
            self.forget_what_others_wrote(&batch);
            let freed = self.store(batch);
            overdue = self.hand_over(freed);
        }
    }

    fn is_of_histories(&self) -> bool {
        self.number == self.shared.options.writers
    }

    fn forget_what_others_wrote(&mut self, batch: &[Item]) {
        if self.is_of_histories() {
            self.known.take();
            return; // the mark is for the device's own writer
        }
        let known = self.known.get_mut();
        for Item { device, .. } in batch {
            if device.is_written_beside.swap(false, Ordering::AcqRel) {
                known.forget_device(device.no);
            }
        }
    }

    /// Sends what is another writer's to it, and gives the rest.
    fn hand_over(&self, freed: Vec<Item>) -> Vec<Item> {
        let (ours, others): (Vec<Item>, Vec<Item>) =
            freed.into_iter().partition(|item| self.shared.writer_of(item) == self.number);
        others.into_iter().for_each(|item| self.shared.send(item));
        ours
    }

    /// Commits a batch and gives what waited for its places. Items that can't be read are set aside first, and those that
    /// can't be stored are found by halving; when the database is away at the end, all stays in the spool.
    fn store(&mut self, mut batch: Vec<Item>) -> Vec<Item> {
        let keep = usize::try_from(self.shared.options.messages_per_chat).unwrap_or(0);
        let done = match Batch::read(&batch, keep, mem::take(&mut self.room)) {
            Ok(said) => {
                let done = if said.is_empty() { Ok(News::default()) } else { self.commit(&said) };
                self.room = said.into_room();
                done
            }
            Err(unreadable) => return self.store_others(batch, &unreadable),
        };
        match done {
            Ok(news) => {
                self.tell(news);
                if self.is_of_histories() {
                    batch.iter().for_each(|item| item.device.is_written_beside.store(true, Ordering::Release));
                }
                batch.into_iter().flat_map(|item| self.shared.finish(item)).collect()
            }
            Err(Failure::Away) => Vec::new(),
            Err(Failure::Refused(error)) if batch.len() == 1 => {
                // Without the detail, which holds the row.
                let reason = error.as_db_error().map_or_else(|| error.to_string(), |said| said.message().to_owned());
                tell!("wafast: an event of device {} can't be stored: {reason}", batch[0].device.no);
                stats::add(&self.shared.stats.poisoned, 1);
                batch.into_iter().flat_map(|item| self.set_aside(item, &reason)).collect()
            }
            Err(Failure::Refused(_)) => {
                let second = batch.split_off(batch.len() / 2);
                let mut next = self.store(batch);
                next.extend(self.store(second));
                next
            }
        }
    }

    /// Sets aside what can't be read, which must not hold up those behind it, and stores the rest.
    fn store_others(&mut self, batch: Vec<Item>, unreadable: &[Unreadable]) -> Vec<Item> {
        let (mut readable, mut next) = (Vec::new(), Vec::new());
        let mut unreadable = unreadable.iter().peekable();
        for (index, item) in batch.into_iter().enumerate() {
            let Some(one) = unreadable.next_if(|one| one.index == index) else {
                readable.push(item);
                continue;
            };
            let stats = &self.shared.stats;
            let (counter, reason) = match one.damaged {
                Some(damaged) => (&stats.damaged, damaged.to_string()),
                None => (&stats.poisoned, "reading it failed: a fault of this version".to_owned()),
            };
            stats::add(counter, 1);
            next.extend(self.set_aside(item, &reason));
        }
        next.extend(self.store(readable));
        next
    }

    /// Tells the worker and browsers what was committed.
    fn tell(&mut self, news: News) {
        for device_no in &news.files {
            let (device_no, code) = (*device_no, control::NEW_FILES);
            self.shared.controls.push(Control { device_no, code, data: Vec::new() });
        }
        for (device_no, chats) in &news.groups_read {
            let chats: Vec<String> = chats.iter().map(ToString::to_string).collect();
            let (device_no, code, data) = (*device_no, control::GROUPS_READ, chats.join("\n").into_bytes());
            self.shared.controls.push(Control { device_no, code, data });
        }
        if let Some(announcer) = &self.news {
            let _ = announcer.send(news);
        }
        self.tell_of_nameless();
    }

    /// The worker may find out what chats are called that nothing has named yet.
    fn tell_of_nameless(&mut self) {
        let mut nameless = self.known.get_mut().take_nameless();
        nameless.sort_unstable_by_key(|(device_no, _)| *device_no);
        for of_device in nameless.chunk_by(|one, next| one.0 == next.0) {
            let jids: Vec<String> = of_device.iter().map(|(_, jid)| jid.to_string()).collect();
            let (device_no, code, data) = (of_device[0].0, control::NAMELESS_CHATS, jids.join("\n").into_bytes());
            self.shared.controls.push(Control { device_no, code, data });
        }
    }

    fn commit(&mut self, batch: &Batch<'_>) -> Result<News, Failure> {
        let Self { shared, session, known, .. } = self;
        let (was_lost, began) = (Cell::new(false), Instant::now());
        stats::add(&shared.stats.batches, 1);
        let told = session.retry(
            async |database| {
                // What was committed just before the connection broke was never announced.
                let again = was_lost.get();
                transaction::run(database, shared, known, batch, again).await
            },
            || {
                was_lost.set(true);
                stats::add(&shared.stats.retries, 1);
            },
        )?;
        shared.histograms.commit_seconds.observe(began.elapsed().as_secs_f64());
        shared.histograms.batch_records.observe(f64::from(u32::try_from(batch.records()).unwrap_or(u32::MAX)));
        Ok(told)
    }

    fn set_aside(&self, item: Item, reason: &str) -> Vec<Item> {
        let Item { device, entry } = &item;
        let bytes = entry.place.bytes();
        match self.shared.spool.set_aside(device.no, entry.code, entry.received_at, reason, bytes) {
            Ok(()) => self.shared.finish(item).collect(),
            Err(error) => {
                tell!("wafast: an event of device {} can't be set aside and stays in the spool: {error}", device.no);
                self.shared.leave(item).collect()
            }
        }
    }

    fn sweep(&mut self) {
        if self.swept.is_none_or(|at| at.elapsed() > SWEEP) {
            self.swept = Some(Instant::now());
            // Refused or away: the next hour will do.
            let _ = self.session.retry(async |database| changes::forget_old(database).await, || ());
        }
    }
}
