"""The session files: whether every device that is to be online has one that can be used."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from wafast.devices import session_file
from wafast.doctor.database import SessionFile
from wafast.doctor.trouble import Trouble

SHOWN = 3


def usable(files: Sequence[SessionFile], folder: Path) -> str:
    """Look at each; those of devices that are not online are opened. `folder` holds one folder a network."""
    found = []
    for file in files:
        path = folder / file.network / file.store
        objection = session_file.objection(path) if file.is_online else session_file.inspect(path)
        if objection is not None:
            found.append(f"{file.name}: {objection}")
    if found:
        shown = "; ".join(found[:SHOWN])
        raise Trouble(f"{len(found)} of {len(files)} can't be used: {shown}{'; …' if len(found) > SHOWN else ''}")
    return f"{len(files)} that are needed can be used"
