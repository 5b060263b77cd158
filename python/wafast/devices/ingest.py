"""The core's way in, as the settings want it."""

from __future__ import annotations

from typing import Any

import msgspec

from wafast import _core
from wafast.devices.counts import Counts
from wafast.settings import Settings
from wafast.vitals import of_this_process


def open_ingest(settings: Settings, uri: str, owner: str) -> _core.Ingest:
    """Start this process' one way in; `owner` is a name no other process has. See `_core.Ingest` for errors."""
    return _core.Ingest(
        uri,
        owner,
        settings.spool_dir,
        messages_per_chat=settings.messages_per_chat,
        chat_storage=settings.chat_storage,
        eager_media=settings.media == "eager",
    )


def figures(ingest: _core.Ingest, counts: Counts) -> dict[str, Any]:
    """What a worker has counted since its start and has now, as `workers.figures` keeps it: each counter by its name,
    each change of state as [from, to, count], and each of `histograms` as [[bound, count], …], count, sum."""
    histograms = {**ingest.histograms(), "loop_late_seconds": counts.loop_late.figures()}
    told: dict[str, Any] = msgspec.structs.asdict(of_this_process())
    return told | ingest.stats() | counts.figures() | {"histograms": histograms}
