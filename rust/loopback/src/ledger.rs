//! A bounded log that tests read: entries have increasing numbers, and a reader may wait for the next.

use std::{collections::VecDeque, time::Duration};

use parking_lot::Mutex;
use tokio::{sync::Notify, time::Instant};

/// Older entries go when there are more. At about 200 bytes each a full ledger takes 4 MB.
const CAPACITY: usize = 20_000;

struct Entries<T> {
    next: u64,
    kept: VecDeque<T>,
}

/// The log.
pub struct Ledger<T> {
    entries: Mutex<Entries<T>>,
    added: Notify,
}

impl<T> Default for Ledger<T> {
    fn default() -> Self {
        Self { entries: Mutex::new(Entries { next: 1, kept: VecDeque::new() }), added: Notify::new() }
    }
}

impl<T: Clone> Ledger<T> {
    /// Adds what `make` returns for the entry's number, which starts at 1.
    pub fn add(&self, make: impl FnOnce(u64) -> T) {
        let mut entries = self.entries.lock();
        let number = entries.next;
        entries.next += 1;
        if entries.kept.len() == CAPACITY {
            entries.kept.pop_front();
        }
        entries.kept.push_back(make(number));
        drop(entries);
        self.added.notify_waiters();
    }

    /// Entries after number `after` that `wanted` accepts; waits up to `patience` for the first.
    pub async fn read(&self, after: u64, patience: Duration, wanted: impl Fn(&T) -> bool) -> Vec<T> {
        let deadline = Instant::now() + patience;
        loop {
            let added = self.added.notified();
            let found = self.after(after, &wanted);
            if !found.is_empty() || tokio::time::timeout_at(deadline, added).await.is_err() {
                return found;
            }
        }
    }

    fn after(&self, after: u64, wanted: &impl Fn(&T) -> bool) -> Vec<T> {
        let entries = self.entries.lock();
        let first = entries.next - entries.kept.len() as u64;
        let skip = (after + 1).saturating_sub(first) as usize;
        entries.kept.iter().skip(skip).filter(|entry| wanted(entry)).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn a_reader_gets_what_is_after_its_number_and_waits_for_more() {
        let ledger = Arc::new(Ledger::default());
        (0..3).for_each(|_| ledger.add(|number| number));
        assert_eq!(ledger.read(1, Duration::ZERO, |_| true).await, [2, 3]);
        let waiting = tokio::spawn({
            let ledger = Arc::clone(&ledger);
            async move { ledger.read(3, Duration::from_secs(60), |number| *number == 5).await }
        });
        tokio::task::yield_now().await;
        ledger.add(|number| number);
        ledger.add(|number| number);
        assert_eq!(waiting.await.unwrap(), [5]);
    }

    #[tokio::test]
    async fn only_the_newest_are_kept() {
        let ledger = Ledger::default();
        (0..CAPACITY + 10).for_each(|_| ledger.add(|number| number));
        assert_eq!(ledger.read(0, Duration::ZERO, |_| true).await[0], 11);
        assert_eq!(ledger.read(CAPACITY as u64 + 9, Duration::ZERO, |_| true).await, [CAPACITY as u64 + 10]);
    }
}
