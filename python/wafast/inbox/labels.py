"""Labels of a workspace: a name and a colour, put on chats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import asyncpg
import msgspec
from msgspec import Meta

from wafast.accounts import audit
from wafast.database.queries import load
from wafast.events import bus

if TYPE_CHECKING:
    from wafast.accounts.principal import Principal

q = load(__file__)

#: Each with 4.5:1 on its ground, light and dark; the table's CHECK has the same list.
Colour = Literal["teal", "pink", "amber", "violet", "green", "red", "blue", "olive"]


class Label(msgspec.Struct, frozen=True):
    """A label of the workspace."""

    id: Annotated[str, Meta(examples=["3"])]
    name: Annotated[str, Meta(examples=["Waiting for payment"])]
    colour: Annotated[Colour, Meta(examples=["amber"])]


class NameTaken(Exception):
    """Another label has this name, whatever its case."""


async def list_labels(pool: asyncpg.Pool, tenant_id: int, *, before: int, limit: int) -> list[asyncpg.Record]:
    """Rows of labels with ids below `before`, newest first; ``label_of`` makes a Label of one."""
    return await pool.fetch(q.list_labels, tenant_id, before, limit)


async def create_label(pool: asyncpg.Pool, principal: Principal, name: str, colour: Colour) -> Label:
    """A new label. Raises NameTaken."""
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(q.create_label, principal.tenant_id, name, colour)
        if row is None:
            raise NameTaken
        await _tell(connection, principal, "label.create", row["id"], name=name, colour=colour)
    return label_of(row)


async def change_label(
    pool: asyncpg.Pool, principal: Principal, label_id: int, name: str | None, colour: Colour | None
) -> Label | None:
    """Another name or colour, None each for the one it has; None when there is no such label. Raises NameTaken."""
    try:
        async with pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(q.change_label, principal.tenant_id, label_id, name, colour)
            if row is None:
                return None
            await _tell(connection, principal, "label.change", label_id, name=row["name"], colour=row["colour"])
    except asyncpg.UniqueViolationError:
        raise NameTaken from None
    return label_of(row)


async def delete_label(pool: asyncpg.Pool, principal: Principal, label_id: int) -> bool:
    """Takes it from every chat too; False when there is no such label."""
    async with pool.acquire() as connection, connection.transaction():
        name = await connection.fetchval(q.delete_label, principal.tenant_id, label_id)
        if name is None:
            return False
        await _tell(connection, principal, "label.delete", label_id, name=name)
    return True


def label_of(row: asyncpg.Record) -> Label:
    """A Label of a row."""
    return Label(str(row["id"]), row["name"], row["colour"])


async def _tell(connection: bus.Executor, principal: Principal, action: str, label_id: int, **detail: str) -> None:
    await audit.record(connection, principal.tenant_id, principal.actor, action, f"label:{label_id}", **detail)
    await bus.publish(connection, [{"k": "labels", "t": principal.tenant_id}])
