"""Keeps the session files' memory small: neonize opens each with a SQLite of its own, whose caches grow and stay.

Of some 450 KiB a line, measured with 300 of them, SQLite's page cache is 84 and its lookaside buffer 41: both are of no
use to a line that gets a message now and then. neonize's library exports the functions of its SQLite.
"""

from __future__ import annotations

import asyncio
import ctypes
import threading

from wafast import logs

log = logs.get("devices.neonize")

RELEASE_SECONDS = 15.0

# of sqlite3.h
_CONFIG_LOOKASIDE = 13
_UTF8 = 1
_Opened = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
_Compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
_Closed = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class StoreMemory:
    """Of all session files of this process."""

    def __init__(self, library: ctypes.CDLL) -> None:
        """`library` is neonize's; no session file may have been opened before."""
        self._sqlite = library
        library.sqlite3_db_mutex.argtypes = [ctypes.c_void_p]
        library.sqlite3_db_mutex.restype = ctypes.c_void_p
        for name in ("sqlite3_mutex_try", "sqlite3_mutex_leave", "sqlite3_db_release_memory"):
            getattr(library, name).argtypes = [ctypes.c_void_p]
        self._open: set[int] = set()
        self._lock = threading.Lock()
        # SQLite calls these ever after
        self._callbacks = _Opened(self._opened), _Compare(lambda *_: 0), _Closed(self._closed)
        if library.sqlite3_config(_CONFIG_LOOKASIDE, 0, 0) != 0:
            log.warning("SQLite keeps its lookaside buffers: it was used before")
        library.sqlite3_auto_extension(self._callbacks[0])

    @property
    def connections(self) -> int:
        """How many connections to session files there are."""
        return len(self._open)

    def _opened(self, database: int, _error: int, _api: int) -> int:
        """A connection tells of its end by what it destroys then: a collation that nobody uses."""
        _, compare, closed = self._callbacks
        name, pointer = b"wafast", ctypes.c_void_p(database)
        if self._sqlite.sqlite3_create_collation_v2(pointer, name, _UTF8, pointer, compare, closed) == 0:
            with self._lock:
                self._open.add(database)
        return 0

    def _closed(self, database: int) -> None:
        with self._lock:
            self._open.discard(database)

    async def run(self) -> None:
        """Give back what is not in use, until cancelled."""
        while True:
            await asyncio.sleep(RELEASE_SECONDS)
            await asyncio.to_thread(self.release)

    def release(self) -> None:
        """Give back the caches of connections that are not in use at this moment, and let the system have them."""
        for database in list(self._open):
            self._release(database)
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's
        if trim is not None:
            trim(0)

    def _release(self, database: int) -> None:
        # A connection that closes holds its mutex and waits for our lock in `_closed`: so its mutex is only tried.
        with self._lock:
            if database not in self._open:
                return
            mutex = self._sqlite.sqlite3_db_mutex(database)
            if mutex and self._sqlite.sqlite3_mutex_try(mutex) == 0:
                try:
                    self._sqlite.sqlite3_db_release_memory(database)
                finally:
                    self._sqlite.sqlite3_mutex_leave(mutex)
