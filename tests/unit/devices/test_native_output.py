"""Where native code prints: what a crash left there is still there after the next start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from wafast.devices.native_output import LARGEST

START = """
import os, sys
from pathlib import Path
from wafast.devices import native_output
native_output.divert(Path(sys.argv[1]))
os.write(2, b"from the next one")
"""


def test_the_trace_of_a_crash_outlives_the_next_start(tmp_path: Path) -> None:
    file = tmp_path / "neonize-loopback.log"
    trace = b"x" * (LARGEST + 1)
    file.write_bytes(trace)
    subprocess.run([sys.executable, "-c", START, str(file)], check=True)
    assert file.read_bytes() == b"from the next one"
    assert file.with_name(file.name + ".1").read_bytes() == trace
