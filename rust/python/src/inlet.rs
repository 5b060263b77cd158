//! The callback neonize's Go side calls for every event, in place of the one made by ctypes. Python is not involved.

use std::{
    ffi::{CStr, c_char, c_int, c_void},
    panic::{self, AssertUnwindSafe},
    slice,
    sync::Arc,
    thread,
    time::Duration,
};

use parking_lot::RwLock;
use pyo3::prelude::*;
use wafast_core::pipeline::{self, Pipeline};

/// How long a callback sleeps that finds no pipeline.
const CLOSED_PAUSE: Duration = Duration::from_millis(50);

/// Where events go: the process' one pipeline.
static PIPELINE: RwLock<Option<Arc<Pipeline>>> = RwLock::new(None);

/// Lets events flow into `pipeline`; gives it back when there is one already.
pub fn open(pipeline: Arc<Pipeline>) -> Result<(), Arc<Pipeline>> {
    let mut current = PIPELINE.write();
    if current.is_some() {
        return Err(pipeline);
    }
    *current = Some(pipeline);
    Ok(())
}

/// Events that come from now on wait, if need be until the process ends.
pub fn close() {
    *PIPELINE.write() = None;
}

/// The address of the callback, for `ctypes.cast`.
#[pyfunction]
pub fn inlet_address() -> usize {
    inlet as *const () as usize
}

/// neonize's event callback (`goneonize/main.go`, `eventHandler`): the client's name, an event's protobuf, its code.
///
/// # Safety
/// `name` is a C string, `data` points to `size` bytes or is null when `size` is 0; both live until this returns.
unsafe extern "C" fn inlet(name: *const c_char, data: *const c_void, size: c_int, code: c_int) {
    // Go must not see a panic: it would end the process.
    let _ = panic::catch_unwind(AssertUnwindSafe(|| {
        if name.is_null() {
            return;
        }
        // SAFETY: the caller's promise.
        let name = unsafe { CStr::from_ptr(name) };
        let Some(device_no) = name.to_str().ok().and_then(|name| name.parse().ok()) else { return };
        let data = match usize::try_from(size) {
            // SAFETY: the caller's promise.
            Ok(size) if size > 0 && !data.is_null() => unsafe { slice::from_raw_parts(data.cast(), size) },
            _ => &[],
        };
        current().receive(device_no, code, data, pipeline::now());
    }));
}

/// The pipeline, once there is one: what this did not take WhatsApp must not be told to have arrived.
fn current() -> Arc<Pipeline> {
    loop {
        let pipeline = PIPELINE.read().clone();
        if let Some(pipeline) = pipeline {
            return pipeline;
        }
        thread::sleep(CLOSED_PAUSE);
    }
}
