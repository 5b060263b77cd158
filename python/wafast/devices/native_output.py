"""Keeps what Go code prints by itself out of the log: it goes to a file, where a crash leaves its trace too."""

from __future__ import annotations

import os
import sys
from pathlib import Path

#: The file begins anew when a process starts and finds it larger than this, in bytes. The one before stays until then:
#: the trace of a crash is larger, and other workers still write.
LARGEST = 1 << 20


def divert(path: Path) -> None:
    """From now on Python alone writes to this process's terminal; native code that prints writes to `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LARGEST:
        path.replace(path.with_name(path.name + ".1"))
    sys.stdout.flush()
    sys.stderr.flush()
    sys.stdout = os.fdopen(os.dup(1), "w", buffering=1)
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1)
    native = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(native, 1)
    os.dup2(native, 2)
    os.close(native)
