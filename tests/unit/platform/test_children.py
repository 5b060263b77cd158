"""A child that hangs, and a supervisor that is asked before it listens."""

from __future__ import annotations

import multiprocessing.connection
import subprocess
import sys
import time
from pathlib import Path

from structlog.testing import capture_logs

from wafast.children import HANG_SECONDS, Child
from wafast.crashes import Crashes
from wafast.devices.node import process
from wafast.pulse import Pulse

#: The command line, with a signal to its own process in the place of everything it imports.
EARLY = """
import os, signal, sys, types
sys.modules["wafast.cli.app"] = types.SimpleNamespace(run=lambda: os.kill(os.getpid(), signal.SIGUSR1))
from wafast.cli import main
main()
print("alive")
"""


def test_one_that_hangs_is_killed_once() -> None:
    pulse = Pulse()
    child = Child("api", "time:sleep", lambda: (60.0,), pulse=pulse)
    child.start()
    pulse.beat()
    try:
        with capture_logs() as logged:
            child.check(pulse.beat_at + HANG_SECONDS - 1)
            assert logged == []
            for _ in range(5):
                child.check(pulse.beat_at + HANG_SECONDS + 1)
    finally:
        child.finish()
    assert [line["event"] for line in logged] == ["killed: it hangs"]


def test_one_that_stood_still_with_its_supervisor_has_as_long_as_any_to_beat_again() -> None:
    pulse = Pulse()
    child = Child("api", "time:sleep", lambda: (60.0,), pulse=pulse)
    child.start()
    pulse.beat()
    awake = pulse.beat_at + 600
    try:
        with capture_logs() as logged:
            child.check(awake + HANG_SECONDS - 1, awake)
            assert logged == []
            child.check(awake + HANG_SECONDS + 1, awake)
    finally:
        child.finish()
    assert [line["event"] for line in logged] == ["killed: it hangs"]


def ended(tmp_path: Path, code: str, *, hangs: bool = False, asked: Path | None = None) -> bool:
    """Whether the end of a child that runs this counts as a crash; it is asked to restart when this file is there."""
    pulse, crashes = Pulse(), Crashes(tmp_path)
    child = Child("worker", "builtins:exec", lambda: (code,), pulse=pulse, crashes=crashes)
    child.start()
    pid = child.pid
    assert pid is not None
    found = process(pid)
    assert found is not None
    if hangs:
        pulse.beat()
        child.check(pulse.beat_at + HANG_SECONDS + 1)
    if asked is not None:
        while not asked.exists():
            time.sleep(0.01)
        child.restart()
    while child.sentinel is not None:
        multiprocessing.connection.wait([child.sentinel])
        child.reap()
    assert (pid, found.began + 1) not in crashes, "that is another process of this number"
    return (pid, found.began) in crashes


def test_one_that_ends_by_itself_or_hangs_has_crashed_and_one_that_is_killed_has_not(tmp_path: Path) -> None:
    assert ended(tmp_path, "import os; os.abort()")
    assert ended(tmp_path, "import time; time.sleep(60)", hangs=True)
    assert not ended(tmp_path, "import os; os.kill(os.getpid(), 9)")
    assert not ended(tmp_path, "pass")


def test_one_that_was_asked_to_end_has_not_crashed_however_it_ends(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    aborts = (
        "import os, pathlib, signal, time; signal.signal(15, lambda *_: os.abort()); "
        f"pathlib.Path({str(ready)!r}).touch(); time.sleep(60)"
    )
    assert not ended(tmp_path, aborts, asked=ready)


def test_a_restart_that_is_asked_for_before_anything_runs_ends_nothing() -> None:
    ended = subprocess.run([sys.executable, "-c", EARLY], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, "alive\n")
