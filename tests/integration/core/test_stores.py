"""What the sessions' stores hold in memory goes back to the system, with the SQLite inside neonize's library."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

#: In a process of its own: the library's SQLite takes settings only before its first connection.
PROGRAM = """
import ctypes, importlib.util, pathlib, sys
from wafast import _core

package = pathlib.Path(importlib.util.find_spec("neonize").origin).parent
library = str(next(package.glob("neonize-linux-*.so")))
sqlite = ctypes.CDLL(library)
sqlite.sqlite3_memory_used.restype = ctypes.c_int64
sqlite.sqlite3_close.argtypes = [ctypes.c_void_p]
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
try:
    _core.watch_stores(library)
except RuntimeError as error:
    print("refused", error)
"""


def test_quiet_stores_give_their_pages_back_and_closed_ones_are_known_no_more(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], check=True, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.splitlines() == [
        "released 2",
        "smaller True",
        "released 1",
        "refused SQLite refuses with 21: a store is open already",
    ]
