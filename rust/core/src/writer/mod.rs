//! The writer: a batch of records to one committed transaction, and then the news of it.
//!
//! [`transaction`] is the order of the steps; [`known`] what it need not ask; [`messages`], [`placeholders`],
//! [`counts`], [`changes`], [`people`] and [`lids`] are what is written.

mod changes;
mod counts;
mod known;
mod lids;
mod messages;
mod people;
mod placeholders;
mod transaction;

use std::{
    cell::Cell,
    io,
    sync::Arc,
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
    stats,
};

/// How often waiting changes whose message never came are swept away.
const SWEEP: Duration = Duration::from_secs(3600);

/// Starts a writing thread, which ends when all senders of `items` are gone.
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
        match Session::new(&connector) {
            Ok(session) => Writer { shared, session, known: Cell::default(), news, swept: None }.run(&items),
            Err(error) => eprintln!("wafast: writer {number} does not start: {error}"),
        }
    })
}

struct Writer<'a> {
    shared: Arc<Shared>,
    session: Session<'a>,
    known: Cell<known::Known>,
    news: Option<Sender<News>>,
    swept: Option<Instant>,
}

impl Writer<'_> {
    fn run(&mut self, items: &Receiver<Item>) {
        let options = &self.shared.options;
        let (rows, window) = (options.batch_rows, options.batch_window);
        let mut overdue = Vec::new();
        while let Some(batch) = batch::gather(&mut overdue, items, rows, window) {
            self.sweep();
            overdue = self.store(batch);
        }
    }

    /// Commits a batch and gives what waited for its places. Items that can't be stored are found by halving and set
    /// aside; when the database is away at the end, all stays in the spool.
    fn store(&mut self, mut batch: Vec<Item>) -> Vec<Item> {
        let began = Instant::now();
        let records = u32::try_from(batch.iter().map(|item| item.records.len()).sum::<usize>()).unwrap_or(u32::MAX);
        match self.commit(&batch) {
            Ok(told) => {
                stats::add(&self.shared.stats.batches, 1);
                self.shared.histograms.commit_seconds.observe(began.elapsed().as_secs_f64());
                self.shared.histograms.batch_records.observe(f64::from(records));
                if let Some(news) = &self.news {
                    let _ = news.send(told);
                }
                self.tell_of_nameless();
                batch.into_iter().filter_map(|item| self.shared.finish(item)).collect()
            }
            Err(Failure::Away) => Vec::new(),
            Err(Failure::Refused(error)) if batch.len() == 1 => {
                // Without the detail, which holds the row.
                let reason = error.as_db_error().map_or_else(|| error.to_string(), |said| said.message().to_owned());
                eprintln!("wafast: an event of device {} can't be stored: {reason}", batch[0].device.no);
                batch.into_iter().filter_map(|item| self.set_aside(item, &reason)).collect()
            }
            Err(Failure::Refused(_)) => {
                let second = batch.split_off(batch.len() / 2);
                let mut next = self.store(batch);
                next.extend(self.store(second));
                next
            }
        }
    }

    /// The worker may ask WhatsApp what groups are called that nothing has named yet.
    fn tell_of_nameless(&mut self) {
        for (device_no, jid) in self.known.get_mut().take_nameless() {
            let data = jid.to_string().into_bytes();
            self.shared.controls.push(Control { device_no, code: control::NAMELESS_GROUP, data });
        }
    }

    fn commit(&mut self, batch: &[Item]) -> Result<News, Failure> {
        let Self { shared, session, known, .. } = self;
        let was_lost = Cell::new(false);
        session.retry(
            async |database| {
                // What was committed just before the connection broke was never announced.
                let again = was_lost.get();
                transaction::run(database, shared, known, batch, again).await
            },
            || {
                was_lost.set(true);
                stats::add(&shared.stats.retries, 1);
            },
        )
    }

    fn set_aside(&self, item: Item, reason: &str) -> Option<Item> {
        stats::add(&self.shared.stats.poisoned, 1);
        if let Some(place) = &item.place {
            self.shared.spool.set_aside(item.device.no, item.code, place.received_at(), reason, place.bytes());
        }
        self.shared.finish(item)
    }

    fn sweep(&mut self) {
        if self.swept.is_none_or(|at| at.elapsed() > SWEEP) {
            self.swept = Some(Instant::now());
            // Refused or away: the next hour will do.
            let _ = self.session.retry(async |database| changes::forget_old(database).await, || ());
        }
    }
}
