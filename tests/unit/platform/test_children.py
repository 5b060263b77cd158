"""A child that hangs, and a supervisor that is asked before it listens."""

from __future__ import annotations

import subprocess
import sys

from structlog.testing import capture_logs

from wafast.children import HANG_SECONDS, Child
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


def test_a_restart_that_is_asked_for_before_anything_runs_ends_nothing() -> None:
    ended = subprocess.run([sys.executable, "-c", EARLY], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, "alive\n")
