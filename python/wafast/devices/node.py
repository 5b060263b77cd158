"""Which node this is: what can see each other's processes by their number."""

from __future__ import annotations

import functools
import os
import socket
from pathlib import Path

BOOT_ID, NAMESPACE = Path("/proc/sys/kernel/random/boot_id"), "/proc/self/ns/pid"


@functools.cache
def this_node() -> str:
    """The host's name for people, and what tells apart those that have it in common: the boot of the kernel, and the
    namespace of process numbers (a container has its own). On another node, or before a restart of this one, a process
    number is somebody else's."""
    boot, namespace = BOOT_ID.read_text("ascii").strip(), os.stat(NAMESPACE).st_ino
    return f"{socket.gethostname()} {boot[:8]}-{namespace}"
