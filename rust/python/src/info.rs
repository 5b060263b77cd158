//! Small facts.

use std::collections::HashMap;

use pyo3::{exceptions::PyRuntimeWarning, prelude::*};

const PROFILE: &str = if cfg!(debug_assertions) { "debug" } else { "release" };

/// How this module was built.
#[pyfunction]
pub fn build_info() -> HashMap<&'static str, &'static str> {
    HashMap::from([("version", env!("CARGO_PKG_VERSION")), ("profile", PROFILE)])
}

/// The key of a message in its chat.
#[pyfunction]
pub fn message_key(timestamp: i64, message_id: &str) -> i64 {
    wafast_core::record::key(timestamp, message_id)
}

/// A debug build is thirty times slower: nobody should measure or deploy one unknowingly.
pub fn warn_of_debug(py: Python<'_>) -> PyResult<()> {
    if PROFILE == "release" {
        return Ok(());
    }
    let category = py.get_type::<PyRuntimeWarning>();
    PyErr::warn(py, &category, c"wafast._core is a debug build: slow; build it with --release", 1)
}
