"""What the sessions' stores hold in memory goes back to the system, with the SQLite inside neonize's library."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

#: In a process of its own: the library's SQLite takes settings only before its first connection.
PROGRAM = """
import ctypes, importlib.util, os, pathlib, sys
from wafast import _core

package = pathlib.Path(importlib.util.find_spec("neonize").origin).parent
library = str(next(package.glob("neonize-linux-*.so")))
sqlite = ctypes.CDLL(library)
sqlite.sqlite3_memory_used.restype = ctypes.c_int64
sqlite.sqlite3_close.argtypes = [ctypes.c_void_p]
sqlite.sqlite3_changes.argtypes = [ctypes.c_void_p]
sqlite.sqlite3_exec.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]

def open_one(path):
    connection = ctypes.c_void_p()
    assert sqlite.sqlite3_open(path.encode(), ctypes.byref(connection)) == 0
    return connection

def do(connection, text):
    assert sqlite.sqlite3_exec(connection, text.encode(), None, None, None) == 0, text

_core.watch_stores(library)
first, second = open_one(sys.argv[1] + "/a.db"), open_one(sys.argv[1] + "/b.db")
for one in (first, second):
    do(one, "CREATE TABLE t (x)")
    for _ in range(50):
        do(one, "INSERT INTO t SELECT randomblob(3000)")
    do(one, "SELECT sum(length(x)) FROM t")
before = sqlite.sqlite3_memory_used()
print("released", _core.release_stores())
print("smaller", sqlite.sqlite3_memory_used() < before - 200_000)
do(first, "SELECT sum(length(x)) FROM t")
do(first, "INSERT INTO t VALUES (1)")
assert sqlite.sqlite3_close(second) == 0
print("released", _core.release_stores())

def open_files():
    names = [os.path.realpath(one) for one in pathlib.Path("/proc/self/fd").iterdir()]
    return sum(name.endswith(("/a.db", "/a.db-wal")) for name in names)

do(first, "PRAGMA journal_mode = WAL")
do(first, "SELECT sum(length(x)) FROM t")
third = open_one(sys.argv[1] + "/a.db")
do(third, "SELECT sum(length(x)) FROM t")
do(third, "BEGIN; INSERT INTO t VALUES (2)")
print("open", open_files(), "closed", _core.close_store(sys.argv[1] + "/b.db"))
print("closed", _core.close_store(pathlib.Path(sys.argv[1], "../" + os.path.basename(sys.argv[1]), "a.db")))
do(third, "COMMIT")
print("closed", _core.close_store(sys.argv[1] + "/a.db"), "open", open_files())
asked = [sqlite.sqlite3_exec(one, b"SELECT * FROM t", None, None, None) for one in (first, third)]
print("asked", asked, _core.release_stores())
again = open_one(sys.argv[1] + "/a.db")
do(again, "INSERT INTO t SELECT count(*) FROM t WHERE x IN (1, 2) HAVING count(*) = 2")
print("changed", sqlite.sqlite3_changes(again))
try:
    _core.watch_stores(library)
except RuntimeError as error:
    print("refused", error)
"""


def test_quiet_stores_give_their_pages_back_and_those_left_open_are_let_go_of(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], check=True, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.splitlines() == [
        "released 2",
        "smaller True",
        "released 1",
        "open 4 closed 0",
        "closed 1",
        "closed 1 open 0",
        "asked [18, 18] 0",
        "changed 1",
        "refused SQLite refuses with 21: a store is open already",
    ]
