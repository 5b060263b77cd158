"""The present instant. The database and every process hold instants in UTC; only browsers show local times."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """This instant, in UTC."""
    return datetime.now(UTC)
