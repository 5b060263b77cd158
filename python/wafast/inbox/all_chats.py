"""One list of the chats of all devices a caller sees: pinned first, then newest first, in the order that chat_order.py
keeps, and exact however far that is behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from wafast.database.queries import load
from wafast.inbox.chats import NEWEST, ChatPage, chat_of, oldest_listed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    import asyncpg
    from asyncpg.pool import PoolConnectionProxy

    from wafast.inbox.reach import Reach

q = load(__file__)

#: So many devices are walked each by itself: a page of 100 then reads a hundred chats of each, and else all they have.
#: Who sees most of a tenant's devices finds a page sooner among all.
FEW_DEVICES = 10


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which chats are wanted; None leaves a question open.

    Args:
        devices: inner numbers of the only devices.
        archived: the archived ones, or all others.
        unread: with unread messages, or without.
        is_group: groups, or people.
        assignee_id: of one person.
        unassigned: of nobody, or of anybody.
        label_id: with this label.
        is_open: not closed, or closed.
    """

    devices: list[int] | None = None
    archived: bool = False
    unread: bool | None = None
    is_group: bool | None = None
    assignee_id: int | None = None
    unassigned: bool | None = None
    label_id: int | None = None
    is_open: bool | None = None


class UnknownDevice(Exception):
    """A device that was asked for is not within reach; `device_id` names it."""

    def __init__(self, device_id: UUID) -> None:
        super().__init__(f"there is no device {device_id}")
        self.device_id = device_id


async def devices_of(pool: asyncpg.Pool, reach: Reach, wanted: Sequence[UUID]) -> list[int] | None:
    """Inner numbers of the wanted devices, of all within reach when none is named; None: all of the tenant's.

    Raises:
        UnknownDevice: a wanted one is not within reach.
    """
    if not wanted and reach.device_ids is None:
        return None
    rows = await pool.fetch(q.devices_among_reach, reach.tenant_id, reach.device_ids, list(wanted) or None)
    found = {row["id"] for row in rows}
    for device_id in wanted:
        if device_id not in found:
            raise UnknownDevice(device_id)
    return [row["no"] for row in rows]


async def list_all_chats(
    pool: asyncpg.Pool,
    tenant_id: int,
    wanted: Filter,
    *,
    days: int,
    after: tuple[int, ...] | None = None,
    limit: int = 50,
) -> ChatPage:
    """Chats of a tenant that have messages and pass a filter.

    Args:
        wanted: its devices must be within the caller's reach (``devices_of``).
        days: chats without a message for longer are left out.
        after: ``last`` of the page before: (1 among the pinned and 0 after them, last_key, id).
        limit: how many at most.
    """
    pinned, key, chat_id = after or (1, NEWEST, NEWEST)
    oldest = oldest_listed(days)
    rows: list[asyncpg.Record] = []
    # of one instant, so that no chat comes twice
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.execute(q.plan_each_time)
        moved = await connection.fetchval(q.moved, tenant_id)
        for place in ((1, key, chat_id), (0, NEWEST, NEWEST)) if pinned else ((0, key, chat_id),):
            if len(rows) <= limit:
                rows += await _part(connection, tenant_id, wanted, moved, oldest, place, limit + 1)
    page = rows[:limit]
    last = None
    if len(rows) > limit:
        last = (int(page[-1]["pinned_at"] is not None), page[-1]["last_key"], page[-1]["id"])
    return ChatPage([chat_of(row) for row in page], last)


async def _part(
    connection: PoolConnectionProxy[asyncpg.Record],
    tenant_id: int,
    wanted: Filter,
    moved: Sequence[int],
    oldest: int,
    place: tuple[int, int, int],
    most: int,
) -> list[asyncpg.Record]:
    """Of the pinned chats or of the others those after a place, with those that have not got theirs in the order."""
    rows: list[asyncpg.Record] = []
    is_by_device = wanted.devices is not None and len(wanted.devices) <= FEW_DEVICES
    walked = "label" if wanted.label_id is not None else "devices" if is_by_device else "all"
    for part in (walked, "moved") if moved else (walked,):
        rows += await connection.fetch(
            q.list_all_chats, tenant_id, wanted.devices, oldest, place[1], place[2], bool(place[0]),
            wanted.archived, wanted.unread, wanted.is_group, wanted.assignee_id, wanted.unassigned, wanted.label_id,
            wanted.is_open, most, moved, part,
        )  # fmt: skip
    return sorted(rows, key=lambda row: (row["last_key"], row["id"]), reverse=True)
