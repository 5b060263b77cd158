//! Counters of the pipeline, as `Ingest.stats` gives them.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

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
