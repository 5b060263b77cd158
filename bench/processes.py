"""What the processes of a running system hold and have used, from /proc."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from bench import machine


@dataclass(frozen=True)
class Group:
    """Processes that are one thing, with what they have started; `alone`: without that."""

    pids: list[int]
    alone: bool = False

    def held(self) -> Held:
        """What they hold now."""
        pids = self.pids if self.alone else [one for pid in self.pids for one in family(pid)]
        return sum((_held(pid) for pid in pids), NOTHING)

    def cpu_seconds(self) -> float:
        """CPU time they have used."""
        return sum(machine.own_cpu_seconds(pid) if self.alone else machine.cpu_seconds(pid) for pid in self.pids)


@dataclass(frozen=True)
class Held:
    """Memory in MiB (`pss`: what several share counts with its share), and counts."""

    pss: float
    private: float
    threads: int
    descriptors: int

    def __add__(self, other: Held) -> Held:
        return Held(
            self.pss + other.pss,
            self.private + other.private,
            self.threads + other.threads,
            self.descriptors + other.descriptors,
        )


NOTHING = Held(0, 0, 0, 0)


def _held(pid: int) -> Held:
    """Nothing when the process has just ended: some children are there for an instant."""
    try:
        return _read(pid)
    except OSError:
        return NOTHING


def _read(pid: int) -> Held:
    fields = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, _, rest = line.partition(":")
        fields[name] = int(rest.split()[0]) / 1024
    return Held(
        pss=fields["Pss"],
        private=fields["Private_Clean"] + fields["Private_Dirty"],
        threads=len(os.listdir(f"/proc/{pid}/task")),
        descriptors=len(os.listdir(f"/proc/{pid}/fd")),
    )


def children(pid: int) -> list[int]:
    """Processes a process has started that still run, without Python's resource trackers."""
    try:
        found = [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in _children_of(task)]
    except OSError:
        return []
    return [child for child in found if not _is_tracker(child)]


def _children_of(task: Path) -> list[str]:
    try:
        return (task / "children").read_text().split()
    except OSError:
        return []


def _is_tracker(pid: int) -> bool:
    try:
        return b"resource_tracker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return True


def family(pid: int) -> list[int]:
    """A process, and what it and its have started."""
    return [pid, *(one for child in children(pid) for one in family(child))]


class Cores:
    """How many cores each group keeps busy, from when this was made until it is asked."""

    def __init__(self, groups: dict[str, Group]) -> None:
        self._groups, self._begun = groups, time.monotonic()
        self._before = {name: group.cpu_seconds() for name, group in groups.items()}

    def now(self) -> dict[str, float]:
        """By the groups' names, and their sum as `all`."""
        seconds = time.monotonic() - self._begun
        cores = {name: (group.cpu_seconds() - self._before[name]) / seconds for name, group in self._groups.items()}
        return cores | {"all": sum(cores.values())}
