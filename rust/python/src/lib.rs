//! `wafast._core`: what Python sees of the Rust side. `python/wafast/_core.pyi` describes it.

#![cfg_attr(clippy, deny(warnings))]

mod info;
mod ingest;
mod inlet;
mod simulator;
mod stores;
mod voice;

#[pyo3::pymodule]
mod _core {
    #[pymodule_export]
    use crate::info::{build_info, message_key};
    #[pymodule_export]
    use crate::ingest::Ingest;
    #[pymodule_export]
    use crate::inlet::inlet_address;
    #[pymodule_export]
    use crate::simulator::loopback;
    #[pymodule_export]
    use crate::stores::{close_store, release_stores, watch_stores};
    #[pymodule_export]
    use crate::voice::voice_note;

    use pyo3::prelude::{Bound, PyModule, PyResult};

    use crate::info;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        info::warn_of_debug(module.py())
    }
}
