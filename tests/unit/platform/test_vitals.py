"""What a process says of itself is what the kernel says of it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from wafast import vitals
from wafast.vitals import Spread, of_this_process, proportional_bytes, watch_loop


def status(field: str) -> int:
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field + ":"))


#: For a process of its own: what other tests have left in this one may end meanwhile.
COUNTED = """
import os, threading
from wafast.vitals import of_this_process
before, released = of_this_process(), threading.Event()
for _ in range(5):
    threading.Thread(target=released.wait).start()
opened = [os.open("/dev/null", os.O_RDONLY) for _ in range(7)]
now = of_this_process()
released.set()
print(now.threads - before.threads, now.fds - before.fds)
"""


def test_threads_and_descriptors_are_counted() -> None:
    counted = subprocess.run([sys.executable, "-c", COUNTED], capture_output=True, text=True, check=True)
    assert counted.stdout == "5 7\n"
    assert of_this_process().threads == status("Threads")


def test_memory_is_the_kernels_figure_and_private_is_a_part_of_it() -> None:
    before = of_this_process()
    taken = bytearray(os.urandom(1 << 20) * 32)
    now = of_this_process()
    assert now.rss_bytes - before.rss_bytes >= 30 << 20
    assert now.private_bytes - before.private_bytes >= 30 << 20
    assert abs(now.rss_bytes - (status("VmRSS") << 10)) < 8 << 20
    assert now.private_bytes <= now.rss_bytes
    assert len(taken) == 32 << 20


def test_the_proportional_size_is_no_more_than_what_is_resident_and_none_of_no_process() -> None:
    size = proportional_bytes(os.getpid())
    assert size is not None and 0 < size <= of_this_process().rss_bytes + (8 << 20)
    assert proportional_bytes(2**22 + 1) is None


def test_processor_time_only_grows_with_work() -> None:
    before = of_this_process().cpu_seconds
    until = time.process_time() + 0.05
    while time.process_time() < until:
        pass
    assert of_this_process().cpu_seconds - before >= 0.05


async def test_a_loop_that_was_held_up_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vitals, "LOOK_SECONDS", 0.01)
    seen: asyncio.Queue[float] = asyncio.Queue()
    watching = asyncio.create_task(watch_loop(seen.put_nowait))
    await seen.get()
    time.sleep(0.3)  # noqa: ASYNC251  # what is to be seen
    assert await seen.get() >= 0.2
    watching.cancel()


def test_a_spread_counts_what_is_at_or_below_each_bound() -> None:
    spread = Spread((1.0, 5.0))
    for value in (0.5, 1.0, 3.0, 9.0):
        spread.observe(value)
    assert spread.figures() == ([(1.0, 2), (5.0, 3)], 4, 13.5)
