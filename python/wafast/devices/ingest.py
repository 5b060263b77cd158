"""The core's way in, as the settings want it."""

from __future__ import annotations

from typing import Any

from wafast import _core
from wafast.settings import Settings


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


def figures(ingest: _core.Ingest) -> dict[str, Any]:
    """What it has counted since its start, as `workers.figures` keeps it: each counter by its name, and each of
    `histograms` as [[bound, count], …], count, sum."""
    return {**ingest.stats(), "histograms": ingest.histograms()}
