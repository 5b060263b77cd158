//! Voice notes out of what browsers record.

use std::borrow::Cow;

use pyo3::{exceptions::PyValueError, prelude::*};

/// (an Ogg file, seconds, waveform).
type Made = (Cow<'static, [u8]>, u32, Cow<'static, [u8]>);

/// Opus in Ogg of a recording in WebM or Ogg, its seconds, and its loudness in 64 steps.
#[pyfunction]
pub fn voice_note(py: Python<'_>, file: &[u8]) -> PyResult<Made> {
    let made = py.detach(|| wafast_voice::voice(file)).map_err(|refused| PyValueError::new_err(refused.to_string()))?;
    Ok((made.ogg.into(), made.seconds, made.waveform.to_vec().into()))
}
