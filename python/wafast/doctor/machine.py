"""The machine: limits, memory, disk, clock, against what so many devices need.

A device that is online takes a thread that neonize parks for it, seven descriptors (three sockets: its own and the
gate's two; three files of its SQLite, for moments more), about five mappings and 0.4 MiB (20 devices on the simulator's
network, neonize 0.5.2).
"""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
from pathlib import Path

import msgspec

from wafast.doctor.trouble import Note, Trouble

MIB, GIB = 1 << 20, 1 << 30
#: What one device takes, and what everything else does beside: a worker's own, rounded up.
FILES_A_DEVICE, THREADS_A_DEVICE, MAPPINGS_A_DEVICE, BYTES_A_DEVICE = 7, 1, 6, int(0.4 * MIB)
FILES_BESIDE, THREADS_BESIDE, MAPPINGS_BESIDE, BYTES_BESIDE = 200, 200, 4000, 300 * MIB
#: Below this the next import of pictures, or a busy day, fills the disk.
FREE_BYTES = 2 * GIB
#: Control groups: which are ours, and where they lie.
OWN_GROUPS, GROUPS = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")
#: `state` of adjtimex when nobody keeps the clock right.
_TIME_ERROR, _STA_UNSYNC = 5, 0x40


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """What the kernel says. A limit that is None: there is none, or it can't be known here.

    Args:
        files: descriptors a process may open.
        processes: threads this user may have, all its processes together.
        pids: threads the control group (container, service) may have.
        threads: threads all of the machine may have.
        mappings: of memory a process may have.
        available_bytes, memory_bytes: what programs may still take, and all there is; of the control group where it
            has less than the machine.
        clock_is_kept: whether something keeps the clock right; None: the kernel does not say.
    """

    files: int | None
    processes: int | None
    pids: int | None
    threads: int | None
    mappings: int | None
    available_bytes: int
    memory_bytes: int
    clock_is_kept: bool | None


def read() -> Machine:
    """This machine, as this process sees it."""
    memory = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text("ascii").splitlines())
    total, available = (int(memory[name].split()[0]) << 10 for name in ("MemTotal", "MemAvailable"))
    group = narrowest("memory", "memory.max", "memory.limit_in_bytes")
    if group is not None and group[0] < total:
        total, folder = group
        used = _number(folder / "memory.current") or _number(folder / "memory.usage_in_bytes") or 0
        available = min(available, max(0, total - used))
    pids = narrowest("pids", "pids.max", "pids.max")
    return Machine(
        files=_limit(resource.RLIMIT_NOFILE),
        processes=None if os.geteuid() == 0 else _limit(resource.RLIMIT_NPROC),  # root has no such limit
        pids=pids[0] if pids else None,
        threads=_number(Path("/proc/sys/kernel/threads-max")),
        mappings=_number(Path("/proc/sys/vm/max_map_count")),
        available_bytes=available,
        memory_bytes=total,
        clock_is_kept=_clock_is_kept(),
    )


def files(machine: Machine, devices: int) -> str:
    """Descriptors, of the worker that holds the most devices."""
    wanted = FILES_BESIDE + FILES_A_DEVICE * devices
    if machine.files is not None and machine.files < wanted:
        raise Trouble(
            f"a process may open {machine.files}, {_for(devices, 'a worker')} take {wanted}: raise the limit "
            f"(LimitNOFILE={wanted} in the service, `ulimit -Hn`), or start more workers (WAFAST_WORKERS)"
        )
    return f"{_shown(machine.files)} a process, {wanted} wanted"


def threads(machine: Machine, devices: int) -> str:
    """Threads, of all devices together."""
    wanted = THREADS_BESIDE + THREADS_A_DEVICE * devices
    remedies = (
        ("processes", machine.processes, f"LimitNPROC={2 * wanted} in the service, `ulimit -Hu`"),
        ("pids", machine.pids, f"TasksMax={2 * wanted} in the service, --pids-limit of the container"),
        ("threads", machine.threads, f"sysctl kernel.threads-max={4 * wanted}"),
    )
    for what, most, remedy in remedies:
        if most is not None and most < wanted:
            whose = {"processes": "this user", "pids": "this control group", "threads": "this machine"}[what]
            raise Trouble(f"{whose} may have {most}, {_for(devices)} take {wanted}: raise the limit ({remedy})")
    least = min((most for _, most, _ in remedies if most is not None), default=None)
    return f"{_shown(least)} at most, {wanted} wanted"


def mappings(machine: Machine, devices: int) -> str:
    """Mappings of memory, of the worker that holds the most devices."""
    wanted = MAPPINGS_BESIDE + MAPPINGS_A_DEVICE * devices
    if machine.mappings is not None and machine.mappings < wanted:
        raise Trouble(
            f"a process may have {machine.mappings}, {_for(devices, 'a worker')} take {wanted}: "
            f"sysctl vm.max_map_count={2 * wanted}, or start more workers (WAFAST_WORKERS)"
        )
    return f"{_shown(machine.mappings)} a process, {wanted} wanted"


def memory(machine: Machine, devices: int) -> str:
    """Memory for devices that are not online yet."""
    wanted = BYTES_BESIDE + BYTES_A_DEVICE * devices if devices else 0
    if machine.available_bytes < wanted:
        raise Trouble(
            f"{_gib(machine.available_bytes)} of {_gib(machine.memory_bytes)} are available, {_for(devices)} that are "
            f"not online yet take {_gib(wanted)}: add memory, end other programs, or move devices to another machine"
        )
    return f"{_gib(machine.available_bytes)} of {_gib(machine.memory_bytes)} available"


def clock(machine: Machine) -> str:
    """Whether something keeps the clock right: sessions, schedules and leases of several nodes need it."""
    if machine.clock_is_kept is False:
        raise Note(
            "the kernel knows of nothing that keeps its clock right: start a time service (systemd-timesyncd, chrony), "
            "unless the host of this container or virtual machine keeps it"
        )
    return "kept right" if machine.clock_is_kept else "the kernel does not say whether it is kept right"


def disk(folder: Path, what: str) -> str:
    """Room where a folder lies."""
    free = shutil.disk_usage(folder).free
    if free < FREE_BYTES:
        raise Trouble(
            f"{folder}: {_gib(free)} free, at least {_gib(FREE_BYTES)} are wanted for {what}: make room, lower "
            "WAFAST_MEDIA_QUOTA or WAFAST_MESSAGES_PER_CHAT, or move it to another disk"
        )
    return f"{folder}, {_gib(free)} free"


def _limit(which: int) -> int | None:
    _, most = resource.getrlimit(which)
    return None if most == resource.RLIM_INFINITY else most


def _number(path: Path) -> int | None:
    try:
        text = path.read_text("ascii").strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None


def narrowest(controller: str, unified: str, legacy: str) -> tuple[int, Path] | None:
    """The narrowest limit of this process's control group and those above it, of either version, and its folder."""
    try:
        lines = OWN_GROUPS.read_text("utf-8").splitlines()
    except OSError:
        return None
    found = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        root = GROUPS / controllers
        name, below = legacy if controllers else unified, root / path.lstrip("/")
        folders = [folder for folder in (below, *below.parents) if folder.is_relative_to(root)]
        found += [(limit, folder) for folder in folders if (limit := _number(folder / name)) is not None]
    return min(found, default=None)


class _Timex(ctypes.Structure):
    """The head of the kernel's `struct timex`; the rest is room for it."""

    _fields_ = (
        ("modes", ctypes.c_uint), ("offset", ctypes.c_long), ("freq", ctypes.c_long), ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long), ("status", ctypes.c_int), ("rest", ctypes.c_long * 40),
    )  # fmt: skip


def _clock_is_kept() -> bool | None:
    timex = _Timex()
    state = ctypes.CDLL(None).adjtimex(ctypes.byref(timex))
    if state < 0:
        return None
    return not (state == _TIME_ERROR or timex.status & _STA_UNSYNC)


def _for(devices: int, whose: str = "") -> str:
    return f"{devices} device{'' if devices == 1 else 's'}" + (f" of {whose}" if whose else "")


def _shown(limit: int | None) -> str:
    return "no limit" if limit is None else str(limit)


def _gib(size: int) -> str:
    return f"{size / GIB:.1f} GiB"
