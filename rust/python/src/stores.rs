//! What SQLite keeps in memory for the sessions' stores, through the functions that neonize's library exports.
//!
//! Each device has a store of its own, so what a connection holds counts thousandfold. Of 167 KiB a connection (neonize
//! 0.5.2, whose own settings can't change it) 41 are a pool for small things, which is not made here, and 84 are pages
//! that a quiet store reads again from its file when something comes.

use std::{
    collections::HashSet,
    ffi::{CString, c_char, c_int, c_void},
    mem::transmute_copy,
    sync::OnceLock,
};

use parking_lot::Mutex;
use pyo3::{exceptions::PyRuntimeError, prelude::*};

const SQLITE_OK: c_int = 0;
const SQLITE_UTF8: c_int = 1;
const SQLITE_CONFIG_LOOKASIDE: c_int = 13;
const RTLD_NOW: c_int = 2;

unsafe extern "C" {
    fn dlopen(file: *const c_char, flags: c_int) -> *mut c_void;
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
    fn malloc_trim(pad: usize) -> c_int;
}

/// A `sqlite3 *`.
type Connection = *mut c_void;
type Opened = unsafe extern "C" fn(Connection, *mut *mut c_char, *const c_void) -> c_int;
type Compare = unsafe extern "C" fn(*mut c_void, c_int, *const c_void, c_int, *const c_void) -> c_int;
type Forget = unsafe extern "C" fn(*mut c_void);

/// The functions that are used, as sqlite.org documents them.
struct Sqlite {
    config: unsafe extern "C" fn(c_int, ...) -> c_int,
    auto_extension: unsafe extern "C" fn(Opened) -> c_int,
    create_collation: unsafe extern "C" fn(Connection, *const c_char, c_int, *mut c_void, Compare, Forget) -> c_int,
    db_mutex: unsafe extern "C" fn(Connection) -> *mut c_void,
    mutex_try: unsafe extern "C" fn(*mut c_void) -> c_int,
    mutex_leave: unsafe extern "C" fn(*mut c_void),
    db_release_memory: unsafe extern "C" fn(Connection) -> c_int,
}

static SQLITE: OnceLock<Sqlite> = OnceLock::new();
/// Connections that are open, by address. One that closes waits for this lock before it is freed.
static OPEN: Mutex<Option<HashSet<usize>>> = Mutex::new(None);

impl Sqlite {
    fn of(library: &str) -> Result<Self, String> {
        let file = CString::new(library).map_err(|error| error.to_string())?;
        // SAFETY: a C string; the library stays loaded, as neonize's is.
        let handle = unsafe { dlopen(file.as_ptr(), RTLD_NOW) };
        if handle.is_null() {
            return Err(format!("{library} can't be loaded"));
        }
        // SAFETY: the types are those of sqlite3.h for these names.
        unsafe {
            Ok(Self {
                config: find(handle, "sqlite3_config")?,
                auto_extension: find(handle, "sqlite3_auto_extension")?,
                create_collation: find(handle, "sqlite3_create_collation_v2")?,
                db_mutex: find(handle, "sqlite3_db_mutex")?,
                mutex_try: find(handle, "sqlite3_mutex_try")?,
                mutex_leave: find(handle, "sqlite3_mutex_leave")?,
                db_release_memory: find(handle, "sqlite3_db_release_memory")?,
            })
        }
    }
}

/// # Safety
/// `F` is the type of the function that has this name.
unsafe fn find<F>(library: *mut c_void, name: &str) -> Result<F, String> {
    let text = CString::new(name).map_err(|error| error.to_string())?;
    // SAFETY: an open library and a C string.
    let address = unsafe { dlsym(library, text.as_ptr()) };
    if address.is_null() {
        return Err(format!("neonize's library has no {name}: another version?"));
    }
    // SAFETY: the caller's promise; both are pointers.
    Ok(unsafe { transmute_copy(&address) })
}

/// See `_core.pyi`.
#[pyfunction]
pub fn watch_stores(library: &str) -> PyResult<()> {
    let sqlite = Sqlite::of(library).map_err(PyRuntimeError::new_err)?;
    let sqlite = SQLITE.get_or_init(|| sqlite);
    // SAFETY: as sqlite.org/c3ref describes both; `opened` lives as long as the process.
    let refused = unsafe {
        let configured = (sqlite.config)(SQLITE_CONFIG_LOOKASIDE, 0 as c_int, 0 as c_int);
        if configured == SQLITE_OK { (sqlite.auto_extension)(opened) } else { configured }
    };
    if refused == SQLITE_OK {
        return Ok(());
    }
    Err(PyRuntimeError::new_err(format!("SQLite refuses with {refused}: a store is open already")))
}

/// See `_core.pyi`.
#[pyfunction]
pub fn release_stores(py: Python<'_>) -> usize {
    py.detach(|| {
        let Some(sqlite) = SQLITE.get() else { return 0 };
        let known: Vec<usize> = OPEN.lock().iter().flatten().copied().collect();
        let released = known.into_iter().filter(|connection| release(sqlite, *connection)).count();
        // SAFETY: glibc's; gives whole pages that are free back to the system.
        unsafe { malloc_trim(0) };
        released
    })
}

/// Whether it is still open and nobody works with it now: this never waits for a connection's lock, because whoever
/// closes one holds it and waits for ours.
fn release(sqlite: &Sqlite, connection: usize) -> bool {
    let open = OPEN.lock();
    if !open.as_ref().is_some_and(|open| open.contains(&connection)) {
        return false;
    }
    let connection = connection as Connection;
    // SAFETY: it is open, and stays so while `open` is locked.
    unsafe {
        let mutex = (sqlite.db_mutex)(connection);
        if mutex.is_null() || (sqlite.mutex_try)(mutex) != SQLITE_OK {
            return false;
        }
        (sqlite.db_release_memory)(connection);
        (sqlite.mutex_leave)(mutex);
    }
    true
}

/// SQLite calls this for each connection it opens. Of its end a collation tells that nobody uses.
unsafe extern "C" fn opened(connection: Connection, _error: *mut *mut c_char, _api: *const c_void) -> c_int {
    let Some(sqlite) = SQLITE.get() else { return SQLITE_OK };
    OPEN.lock().get_or_insert_default().insert(connection as usize);
    // SAFETY: SQLite has just made the connection.
    let made =
        unsafe { (sqlite.create_collation)(connection, c"wafast".as_ptr(), SQLITE_UTF8, connection, same, closed) };
    if made != SQLITE_OK {
        // SAFETY: nothing is read behind the pointer.
        unsafe { closed(connection) };
    }
    SQLITE_OK
}

unsafe extern "C" fn same(_: *mut c_void, _: c_int, _: *const c_void, _: c_int, _: *const c_void) -> c_int {
    0
}

unsafe extern "C" fn closed(connection: *mut c_void) {
    if let Some(open) = OPEN.lock().as_mut() {
        open.remove(&(connection as usize));
    }
}
