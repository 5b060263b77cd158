"""What a process loads before it is at work: each does so at every start, and keeps it."""

from __future__ import annotations

import subprocess
import sys

import pytest

#: A terminal's drawings, and what neonize's own client brings along.
UNUSED = {"rich", "neonize.client", "linkpreview", "bs4", "requests", "httpx", "tqdm", "magic"}


@pytest.mark.parametrize(
    "modules", ["wafast.worker, wafast.devices.neonize_session", "wafast.api.serve", "wafast.supervisor"]
)
def test_nothing_is_loaded_that_is_never_used(modules: str) -> None:
    look = f"import sys, {modules}; print(*sys.modules)"
    looked = subprocess.run([sys.executable, "-c", look], check=True, capture_output=True, text=True)
    assert UNUSED & set(looked.stdout.split()) == set()


def test_what_has_loaded_rich_before_keeps_it() -> None:
    look = "import rich, sys, wafast.logs; assert sys.modules['rich'] is rich"
    subprocess.run([sys.executable, "-c", look], check=True)
    look = "import wafast.logs, rich.console"
    subprocess.run([sys.executable, "-c", look], check=True)
