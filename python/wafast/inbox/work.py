"""What a team agrees on a chat: who answers it, whether it is done, its labels; and what is known of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from wafast.accounts import audit
from wafast.accounts.principal import Role
from wafast.database.queries import load
from wafast.events import bus
from wafast.inbox.kinds import MessageType

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    import asyncpg

    from wafast.inbox.reach import Reach

q = load(__file__)

MOST_LABELS = 20  # on one chat
MOST_COUNTED = 10_000  # messages of a chat that are counted by kind: 10 ms, where everything is kept


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be different of a chat; UNSET stays.

    Args:
        assignee_id: who answers it from now on; None: nobody in particular.
        is_open: False closes it until the other side writes again.
        label_ids: all its labels from now on.
        add_label_id: one it has from now on, beside the others.
        remove_label_id: one it has no longer.
    """

    assignee_id: int | UnsetType | None = UNSET
    is_open: bool | UnsetType = UNSET
    label_ids: list[int] | UnsetType = UNSET
    add_label_id: int | UnsetType = UNSET
    remove_label_id: int | UnsetType = UNSET


class NotColleague(Exception):
    """Nobody of this id can answer the chat: unknown here, a viewer, or limited to other devices."""


class UnknownLabel(Exception):
    """There is no such label; `label_id` names it."""

    def __init__(self, label_id: int) -> None:
        super().__init__(f"there is no label {label_id}")
        self.label_id = label_id


class TooManyLabels(Exception):
    """The chat has MOST_LABELS already."""


class Colleague(msgspec.Struct, frozen=True):
    """Somebody a chat can be assigned to."""

    id: Annotated[str, Meta(examples=["7"])]
    name: Annotated[str, Meta(examples=["Aina"])]
    role: Role


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a chat beside what lists show. Messages are those that are kept."""

    lid: Annotated[
        str | None, Meta(description="The person's LID, where it is known.", examples=["120363041234567@lid"])
    ]
    device_name: Annotated[str, Meta(examples=["Sales"])]
    device_phone: Annotated[str | None, Meta(examples=["+60123456780"])]
    first_message_time: datetime | None
    created_at: Annotated[datetime, Meta(description="When the chat was first seen here.")]
    messages: Annotated[
        dict[MessageType, int],
        Meta(description="How many of each kind; among the newest 10,000.", examples=[{"text": 18, "image": 2}]),
    ]


async def change_chat(pool: asyncpg.Pool, reach: Reach, actor: str, chat_id: int, change: Change) -> bool:
    """Changes a chat, tells everybody who sees it, and writes it into the audit log.

    Returns:
        False when there is no such chat within reach.

    Raises:
        NotColleague, UnknownLabel, TooManyLabels: nothing was changed.
    """
    async with pool.acquire() as connection, connection.transaction():
        chat = await connection.fetchrow(q.lock_shown_chat, reach.tenant_id, reach.device_ids, chat_id)
        if chat is None:
            return False
        if change.assignee_id is not UNSET:
            await _assign(connection, reach.tenant_id, chat, change.assignee_id)
        if change.label_ids is not UNSET:
            await _check_labels(connection, reach.tenant_id, change.label_ids)
            await connection.execute(q.label_chat, reach.tenant_id, chat_id, change.label_ids)
        if change.add_label_id is not UNSET:
            await _check_labels(connection, reach.tenant_id, [change.add_label_id])
            if await connection.fetchval(q.add_label, reach.tenant_id, chat_id, change.add_label_id) > MOST_LABELS:
                raise TooManyLabels
        if change.remove_label_id is not UNSET:
            await _check_labels(connection, reach.tenant_id, [change.remove_label_id])
            await connection.execute(q.remove_label, reach.tenant_id, chat_id, change.remove_label_id)
        if change.is_open is not UNSET and change.is_open != chat["is_open"]:
            await connection.execute(q.open_chat if change.is_open else q.close_chat, reach.tenant_id, chat_id)
        said = {name: value for name, value in msgspec.structs.asdict(change).items() if value is not UNSET}
        await audit.record(connection, reach.tenant_id, actor, "chat.change", f"chat:{chat_id}", **said)
        event = {"k": "chat", "t": reach.tenant_id, "d": chat["device_no"], "c": [chat_id]}
        await bus.publish(connection, [event])
    return True


async def colleagues(pool: asyncpg.Pool, tenant_id: int, device_id: UUID | None) -> list[Colleague]:
    """Who may answer chats of a device, or of some device, by name."""
    rows = await pool.fetch(q.colleagues, tenant_id, device_id)
    return [Colleague(str(row["id"]), row["name"], row["role"]) for row in rows]


async def release(pool: asyncpg.Pool, tenant_id: int, user_id: int, device_ids: Sequence[UUID] | None) -> None:
    """Takes chats from somebody who can't answer them any more: all, or those of devices not among `device_ids`."""
    rows = await pool.fetch(q.release_chats, tenant_id, user_id, device_ids)
    if rows:
        # they may be thousands: every page fetches again what it shows
        await bus.publish(pool, [{"k": "gone", "t": tenant_id}])


async def facts(pool: asyncpg.Pool, reach: Reach, chat_id: int) -> Facts | None:
    """What is known of a chat within reach, or None."""
    row = await pool.fetchrow(q.chat_facts, reach.tenant_id, reach.device_ids, chat_id, MOST_COUNTED)
    if row is None:
        return None
    return Facts(
        lid=None if row["lid"] is None else f"{row['lid']}@lid",
        device_name=row["device_name"],
        device_phone=row["device_phone"],
        first_message_time=row["first_message_time"],
        created_at=row["created_at"],
        messages=row["kinds"],
    )


async def _assign(connection: bus.Executor, tenant_id: int, chat: asyncpg.Record, user_id: int | None) -> None:
    if user_id is not None:
        able = {row["id"] for row in await connection.fetch(q.colleagues, tenant_id, chat["device_id"])}
        if user_id not in able:
            raise NotColleague
    await connection.execute(q.assign_chat, tenant_id, chat["id"], user_id)


async def _check_labels(connection: bus.Executor, tenant_id: int, label_ids: list[int]) -> None:
    known = {row["id"] for row in await connection.fetch(q.labels_among, tenant_id, label_ids)}
    for label_id in label_ids:
        if label_id not in known:
            raise UnknownLabel(label_id)
