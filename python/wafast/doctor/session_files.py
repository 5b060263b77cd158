"""The session files: whether every device that is to be online has one that can be used."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from wafast.devices import session_file
from wafast.doctor.database import SessionFile
from wafast.doctor.trouble import Trouble

SHOWN = 3


def usable(files: Sequence[SessionFile], folder: Path, here: str | None) -> str:
    """Look at each that lies here; those of devices that are not online are opened. `folder` holds one folder a
    network, in the data folder of the name `here`."""
    found, ours = [], [file for file in files if file.home in (None, here)]
    for file in ours:
        path = folder / file.network / file.store
        objection = session_file.objection(path) if file.is_online else session_file.inspect(path)
        if objection is not None:
            found.append(f"{file.name}: {objection}")
    if found:
        shown = "; ".join(found[:SHOWN])
        raise Trouble(f"{len(found)} of {len(ours)} can't be used: {shown}{'; …' if len(found) > SHOWN else ''}")
    return f"{len(ours)} that are needed can be used"
