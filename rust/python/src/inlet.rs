//! The callback neonize's Go side calls for every event, in place of the one made by ctypes. Python is not involved.

use std::{
    ffi::{CStr, c_char, c_int, c_void},
    panic::{self, AssertUnwindSafe},
    slice,
    sync::Arc,
};

use parking_lot::RwLock;
use pyo3::prelude::*;
use wafast_core::pipeline::{self, Pipeline};

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

/// Events that come from now on are not taken.
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
        let pipeline = PIPELINE.read().clone();
        if let Some(pipeline) = pipeline {
            pipeline.receive(device_no, code, data, pipeline::now());
        }
    }));
}
