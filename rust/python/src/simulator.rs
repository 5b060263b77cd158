//! The simulator, so that the demo works after an install.

use pyo3::prelude::*;

/// Runs the simulator until it is told to end.
#[pyfunction]
pub fn loopback(py: Python<'_>, arguments: Vec<String>) -> i32 {
    py.detach(|| wafast_loopback::run(&arguments))
}
