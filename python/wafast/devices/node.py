"""Which node this is: what can see each other's processes by their number."""

from __future__ import annotations

import functools
import os
import socket
from pathlib import Path

import msgspec

BOOT_ID, NAMESPACE = Path("/proc/sys/kernel/random/boot_id"), "/proc/self/ns/pid"


@functools.cache
def this_node() -> str:
    """The host's name for people, and what tells apart those that have it in common: the boot of the kernel, and the
    namespace of process numbers (a container has its own). On another node, or before a restart of this one, a process
    number is somebody else's."""
    boot, namespace = BOOT_ID.read_text("ascii").strip(), os.stat(NAMESPACE).st_ino
    return f"{socket.gethostname()} {boot[:8]}-{namespace}"


class Process(msgspec.Struct, frozen=True):
    """A process of this node."""

    #: when it began, in the kernel's ticks since the boot: with its number that is one process and no other
    began: int
    #: it has ended, and its parent has not looked yet how
    is_over: bool


def process(pid: int) -> Process | None:
    """The process of this number; None when there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()  # a process may have any name, also one with brackets and spaces
    return Process(began=int(fields[19]), is_over=fields[0] in "ZX")
