"""The SQLite inside neonize gives memory back while connections come and go. In a process of its own: it is set up
once."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import ctypes, pathlib, tempfile, threading
import pylibmagic
from neonize._binder import gocode as sqlite
from wafast.devices.neonize_memory import StoreMemory

memory = StoreMemory(sqlite)
sqlite.sqlite3_memory_used.restype = ctypes.c_int64
folder = pathlib.Path(tempfile.mkdtemp())

def run(database, text):
    assert sqlite.sqlite3_exec(database, text.encode(), None, None, None) == 0, text

def opened(name):
    database = ctypes.c_void_p()
    # READWRITE | CREATE | FULLMUTEX, as neonize's driver does
    assert sqlite.sqlite3_open_v2(str(folder / name).encode(), ctypes.byref(database), 0x10006, None) == 0
    return database

first = opened("a.db")
run(first, "CREATE TABLE t (x); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) "
    "INSERT INTO t SELECT randomblob(1000) FROM n")
run(first, "SELECT sum(length(x)) FROM t")
before = sqlite.sqlite3_memory_used()
memory.release()
after = sqlite.sqlite3_memory_used()
print("connections", memory.connections, "smaller", after < before / 4)

def come_and_go(number):
    for n in range(150):
        database = opened(f"{number}.db")
        run(database, "CREATE TABLE IF NOT EXISTS t (x); INSERT INTO t VALUES (1); SELECT * FROM t")
        assert sqlite.sqlite3_close(database) == 0

threads = [threading.Thread(target=come_and_go, args=(n,)) for n in range(6)]
for thread in threads:
    thread.start()
while any(thread.is_alive() for thread in threads):
    memory.release()
print("left", memory.connections)
run(first, "SELECT count(*) FROM t")
sqlite.sqlite3_close(first)
print("end", memory.connections)
"""


def test_memory_comes_back_while_connections_come_and_go() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.splitlines() == ["connections 1 smaller True", "left 1", "end 0"], done.stderr
