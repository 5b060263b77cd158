//! What SQLite keeps in memory and open for the sessions' stores, through the functions that neonize's library exports.
//!
//! neonize 0.5.2 opens a store for each client and never closes it: two descriptors for each start of a session.
//!
//! Each device has a store of its own, so what a connection holds counts thousandfold. Of 167 KiB a connection (neonize
//! 0.5.2, whose own settings can't change it) 41 are a pool for small things, which is not made here, and 84 are pages
//! that a quiet store reads again from its file when something comes.

use std::{
    collections::HashSet,
    ffi::{CStr, CString, OsStr, c_char, c_int, c_uint, c_void},
    mem::transmute_copy,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    ptr,
    sync::OnceLock,
};

use parking_lot::Mutex;
use pyo3::{exceptions::PyRuntimeError, prelude::*};

const SQLITE_OK: c_int = 0;
const SQLITE_UTF8: c_int = 1;
const SQLITE_CONFIG_LOOKASIDE: c_int = 13;
const SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE: c_int = 1006;
const SQLITE_LIMIT_SQL_LENGTH: c_int = 1;
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
    db_filename: unsafe extern "C" fn(Connection, *const c_char) -> *const c_char,
    db_config: unsafe extern "C" fn(Connection, c_int, ...) -> c_int,
    next_stmt: unsafe extern "C" fn(Connection, *mut c_void) -> *mut c_void,
    get_autocommit: unsafe extern "C" fn(Connection) -> c_int,
    deserialize: unsafe extern "C" fn(Connection, *const c_char, *mut u8, i64, i64, c_uint) -> c_int,
    limit: unsafe extern "C" fn(Connection, c_int, c_int) -> c_int,
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
                db_filename: find(handle, "sqlite3_db_filename")?,
                db_config: find(handle, "sqlite3_db_config")?,
                next_stmt: find(handle, "sqlite3_next_stmt")?,
                get_autocommit: find(handle, "sqlite3_get_autocommit")?,
                deserialize: find(handle, "sqlite3_deserialize")?,
                limit: find(handle, "sqlite3_limit")?,
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
        let give_back = |connection| {
            // SAFETY: an open connection, whose lock is held.
            unsafe { (sqlite.db_release_memory)(connection) };
        };
        let released = known().into_iter().filter(|one| with_idle(sqlite, *one, give_back).is_some()).count();
        // SAFETY: glibc's; gives whole pages that are free back to the system.
        unsafe { malloc_trim(0) };
        released
    })
}

/// See `_core.pyi`.
#[pyfunction]
pub fn close_store(py: Python<'_>, file: PathBuf) -> usize {
    py.detach(|| {
        let (Some(sqlite), Some(file)) = (SQLITE.get(), as_sqlite_calls(&file)) else { return 0 };
        let mut done = known();
        done.retain(|one| with_idle(sqlite, *one, |connection| close(sqlite, connection, &file)) == Some(true));
        if let Some(open) = OPEN.lock().as_mut() {
            open.retain(|one| !done.contains(one));
        }
        done.len()
    })
}

/// The whole path without links, as SQLite keeps it; the file itself may be gone.
fn as_sqlite_calls(file: &Path) -> Option<PathBuf> {
    Some(file.parent()?.canonicalize().ok()?.join(file.file_name()?))
}

/// Lets go of a connection's file if it is this one. The connection stays, for Go still has it: of an empty database in
/// memory, which takes no statement any more.
fn close(sqlite: &Sqlite, connection: Connection, file: &Path) -> bool {
    let main = c"main".as_ptr();
    // SAFETY: an open connection, whose lock is held. Without a statement nobody reads in what is closed here.
    unsafe {
        let name = (sqlite.db_filename)(connection, main);
        if name.is_null() || Path::new(OsStr::from_bytes(CStr::from_ptr(name).to_bytes())) != file {
            return false;
        }
        let is_used = !(sqlite.next_stmt)(connection, ptr::null_mut()).is_null();
        if is_used || (sqlite.get_autocommit)(connection) == 0 {
            return false;
        }
        // The next one reads what is in its journal, as after a crash: a start and a stop need not wait for the disk.
        (sqlite.db_config)(connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1 as c_int, ptr::null_mut::<c_int>());
        if (sqlite.deserialize)(connection, main, ptr::null_mut(), 0, 0, 0) != SQLITE_OK {
            return false;
        }
        (sqlite.limit)(connection, SQLITE_LIMIT_SQL_LENGTH, 1);
    }
    true
}

fn known() -> Vec<usize> {
    OPEN.lock().iter().flatten().copied().collect()
}

/// Does something with a connection that is still open and that nobody works with now; else None. This never waits for a
/// connection's lock, because whoever closes one holds it and waits for ours.
fn with_idle<T>(sqlite: &Sqlite, connection: usize, work: impl FnOnce(Connection) -> T) -> Option<T> {
    let open = OPEN.lock();
    if !open.as_ref().is_some_and(|open| open.contains(&connection)) {
        return None;
    }
    let connection = connection as Connection;
    // SAFETY: it is open, and stays so while `open` is locked.
    let mutex = unsafe { (sqlite.db_mutex)(connection) };
    // SAFETY: as above.
    if mutex.is_null() || unsafe { (sqlite.mutex_try)(mutex) } != SQLITE_OK {
        return None;
    }
    let done = work(connection);
    // SAFETY: it was entered above.
    unsafe { (sqlite.mutex_leave)(mutex) };
    Some(done)
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
