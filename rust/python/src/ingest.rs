//! The pipeline as a Python object.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use pyo3::{
    exceptions::{PyRuntimeError, PyValueError},
    prelude::*,
    types::PyBytes,
};
use wafast_core::pipeline::{self, Options, Pipeline};

use crate::inlet;

/// (bound, how many did not exceed it), how many there were at all, their sum.
type Observed = (Vec<(f64, u64)>, u64, f64);

/// The way from neonize's callback to committed rows; one a process.
#[pyclass(frozen, module = "wafast._core")]
pub struct Ingest {
    pipeline: Arc<Pipeline>,
}

#[pymethods]
impl Ingest {
    #[new]
    #[pyo3(signature = (
        uri, owner, spool_dir, *, messages_per_chat = 20, chat_storage = true, eager_media = false, buffer = 100,
        batch_rows = 10_000, batch_ms = 5, writers = 2
    ))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        py: Python<'_>,
        uri: String,
        owner: String,
        spool_dir: PathBuf,
        messages_per_chat: i64,
        chat_storage: bool,
        eager_media: bool,
        buffer: usize,
        batch_rows: usize,
        batch_ms: u64,
        writers: usize,
    ) -> PyResult<Self> {
        for (name, value, least) in [
            ("messages_per_chat", messages_per_chat, 0),
            ("buffer", buffer.try_into().unwrap_or(i64::MAX), 1),
            ("batch_rows", batch_rows.try_into().unwrap_or(i64::MAX), 1),
            ("writers", writers.try_into().unwrap_or(i64::MAX), 1),
        ] {
            if value < least {
                return Err(PyValueError::new_err(format!("{name} is {value}; at least {least} is wanted")));
            }
        }
        let options = Options {
            uri,
            owner,
            spool_dir,
            messages_per_chat,
            chat_storage,
            eager_media,
            buffer,
            batch_rows,
            batch_window: Duration::from_millis(batch_ms),
            writers,
        };
        let pipeline = py
            .detach(|| Pipeline::start(options))
            .map_err(|error| PyRuntimeError::new_err(format!("ingest does not start: {error}")))?;
        inlet::open(Arc::clone(&pipeline)).map_err(|_| {
            PyRuntimeError::new_err("this process has an Ingest already; close it before a second one is made")
        })?;
        Ok(Self { pipeline })
    }

    #[pyo3(signature = (device_no, code, data, received_at = None))]
    fn receive(&self, py: Python<'_>, device_no: i32, code: i32, data: &[u8], received_at: Option<i64>) {
        py.detach(|| self.pipeline.receive(device_no, code, data, received_at.unwrap_or_else(pipeline::now)));
    }

    fn control_fd(&self) -> i32 {
        self.pipeline.shared.controls.descriptor()
    }

    fn control<'py>(&self, py: Python<'py>) -> Vec<(i32, i32, Bound<'py, PyBytes>)> {
        let controls = self.pipeline.shared.controls.drain();
        controls.into_iter().map(|one| (one.device_no, one.code, PyBytes::new(py, &one.data))).collect()
    }

    fn stats(&self) -> HashMap<&'static str, u64> {
        let mut stats: HashMap<_, _> = self.pipeline.shared.stats.snapshot().into_iter().collect();
        stats.insert("open", self.pipeline.open() as u64);
        let usage = self.pipeline.shared.spool.usage();
        stats.insert("spool_segments", usage.segments.load(Ordering::Relaxed));
        stats.insert("spool_bytes", usage.bytes.load(Ordering::Relaxed));
        stats
    }

    fn histograms(&self) -> HashMap<&'static str, Observed> {
        let all = self.pipeline.shared.histograms.snapshot();
        all.into_iter().map(|(name, observed)| (name, (observed.buckets, observed.count, observed.sum))).collect()
    }

    fn flush(&self, py: Python<'_>, seconds: f64) -> PyResult<bool> {
        let longest = Duration::try_from_secs_f64(seconds)
            .map_err(|_| PyValueError::new_err(format!("seconds is {seconds}; a time from 0 on is wanted")))?;
        Ok(py.detach(|| self.pipeline.flush(longest)))
    }

    fn close(&self, py: Python<'_>) {
        inlet::close();
        py.detach(|| self.pipeline.close());
    }
}
