"""What the processes of a running system hold and have used, from /proc."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from bench.machine import cpu_seconds


@dataclass(frozen=True)
class Held:
    """Of one or several processes: memory in MiB, and counts."""

    pss: float
    private: float
    rss: float
    threads: int
    descriptors: int

    def __add__(self, other: Held) -> Held:
        return Held(
            self.pss + other.pss,
            self.private + other.private,
            self.rss + other.rss,
            self.threads + other.threads,
            self.descriptors + other.descriptors,
        )


NOTHING = Held(0, 0, 0, 0, 0)


def held(pid: int) -> Held:
    """What a process holds now. Memory that several share counts with its share (`pss`)."""
    fields = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, _, rest = line.partition(":")
        fields[name] = int(rest.split()[0]) / 1024
    return Held(
        pss=fields["Pss"],
        private=fields["Private_Clean"] + fields["Private_Dirty"],
        rss=fields["Rss"],
        threads=len(os.listdir(f"/proc/{pid}/task")),
        descriptors=len(os.listdir(f"/proc/{pid}/fd")),
    )


def children(pid: int) -> list[int]:
    """Processes a process has started that still run."""
    return [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in _children_of(task)]


def _children_of(task: Path) -> list[str]:
    try:
        return (task / "children").read_text().split()
    except OSError:
        return []


def is_tracker(pid: int) -> bool:
    """Whether it is Python's own resource tracker, which every process that spawns others has."""
    return b"resource_tracker" in Path(f"/proc/{pid}/cmdline").read_bytes()


class Clock:
    """CPU time of named groups of processes since it was made, in cores."""

    def __init__(self, groups: dict[str, list[int]], now: float) -> None:
        self._groups, self._now, self._before = groups, now, self._read(groups)

    @staticmethod
    def _read(groups: dict[str, list[int]]) -> dict[str, float]:
        return {name: sum(map(cpu_seconds, pids)) for name, pids in groups.items()}

    def cores(self, now: float) -> dict[str, float]:
        """How many cores each group kept busy on average."""
        seconds = now - self._now
        return {name: (spent - self._before[name]) / seconds for name, spent in self._read(self._groups).items()}
