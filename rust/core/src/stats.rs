//! Counters of the pipeline, as `Ingest.stats` gives them.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use parking_lot::Mutex;

macro_rules! counters {
    ($($(#[$about:meta])* $name:ident),* $(,)?) => {
        /// All counters since the start.
        #[derive(Debug, Default)]
        pub struct Stats { $($(#[$about])* pub $name: AtomicU64),* }

        impl Stats {
            /// Each counter by its name.
            #[must_use]
            pub fn snapshot(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name.load(Relaxed))),*]
            }
        }
    };
}

counters! {
    /// Data events taken from the callback.
    events,
    /// Control events passed on to the worker.
    controls,
    /// Events that came back from the spool after a crash.
    replayed,
    /// Events left on disk because their device's buffer was full.
    deferred,
    /// Events that were no protobuf.
    damaged,
    /// Events set aside because nothing could be done with them.
    poisoned,
    /// Rows inserted.
    stored,
    /// Messages that were there already.
    duplicates,
    /// Messages older than what is kept of their chat.
    trimmed,
    /// Messages that could not be read and are shown as waiting.
    undecryptable,
    /// Messages changed by receipts, edits, reactions and the like.
    changed,
    /// Changes that wait for their message.
    waiting,
    /// Timestamps that were nonsense.
    repaired,
    /// Transactions committed.
    batches,
    /// Batches that met an unreachable database.
    retries,
    /// Batches that went through the staging table.
    staged,
}

/// Adds to a counter.
pub fn add(counter: &AtomicU64, count: usize) {
    counter.fetch_add(count as u64, Relaxed);
}

/// How often which values came.
pub struct Histogram {
    bounds: &'static [f64],
    observed: Mutex<Observed>,
}

/// For each bound how many values did not exceed it, how many there were at all, and their sum.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    pub buckets: Vec<(f64, u64)>,
    pub count: u64,
    pub sum: f64,
}

impl Histogram {
    fn new(bounds: &'static [f64]) -> Self {
        let buckets = bounds.iter().map(|bound| (*bound, 0)).collect();
        Self { bounds, observed: Mutex::new(Observed { buckets, count: 0, sum: 0.0 }) }
    }

    pub fn observe(&self, value: f64) {
        let first = self.bounds.partition_point(|bound| *bound < value);
        let mut observed = self.observed.lock();
        observed.buckets[first..].iter_mut().for_each(|(_, count)| *count += 1);
        observed.count += 1;
        observed.sum += value;
    }

    #[must_use]
    pub fn snapshot(&self) -> Observed {
        self.observed.lock().clone()
    }
}

/// All histograms since the start.
pub struct Histograms {
    /// From a batch's first statement until it was committed.
    pub commit_seconds: Histogram,
    /// Rows and changes of a batch.
    pub batch_records: Histogram,
}

impl Default for Histograms {
    fn default() -> Self {
        Self {
            commit_seconds: Histogram::new(&[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0]),
            batch_records: Histogram::new(&[1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1_000.0, 3_000.0, 10_000.0]),
        }
    }
}

impl Histograms {
    /// Each by its name.
    #[must_use]
    pub fn snapshot(&self) -> [(&'static str, Observed); 2] {
        [("commit_seconds", self.commit_seconds.snapshot()), ("batch_records", self.batch_records.snapshot())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_counts_what_does_not_exceed_its_bound() {
        let histogram = Histogram::new(&[1.0, 10.0]);
        [1.0, 2.0, 10.0, 11.0].into_iter().for_each(|value| histogram.observe(value));
        let wanted = Observed { buckets: vec![(1.0, 1), (10.0, 3)], count: 4, sum: 24.0 };
        assert_eq!(histogram.snapshot(), wanted);
    }
}
