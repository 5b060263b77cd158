"""Who is in a group, as it was said last."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from wafast.database.queries import load
from wafast.inbox.people import Person, people_of
from wafast.visible import one_line

if TYPE_CHECKING:
    import asyncpg

    from wafast.inbox.reach import Reach

q = load(__file__)

#: Who joins and leaves is told; this is for what was not heard.
OLD_SECONDS = 900.0


class Member(Person, frozen=True, kw_only=True):
    """Somebody in a group."""

    is_admin: Annotated[bool, Meta(examples=[False])]
    is_own: Annotated[bool, Meta(description="The device itself.", examples=[False])]


class Kept(msgspec.Struct, frozen=True):
    """What is kept of a group. `is_old`: it should be asked for again."""

    members: list[Member]
    told_at: datetime
    is_old: bool


async def kept_of(pool: asyncpg.Pool, reach: Reach, chat_id: int) -> Kept | None:
    """The members of a group within reach, the device itself first, then admins, then by name; None when nobody has
    asked for them yet."""
    row = await pool.fetchrow(q.members_of, reach.tenant_id, reach.device_ids, chat_id, OLD_SECONDS)
    if row is None:
        return None
    people = await people_of(pool, chat_id, [jid for jid, _, _ in row["members"]])
    members = [
        Member(**people[jid], is_admin=is_admin, is_own=bool(is_own)) for jid, is_admin, is_own in row["members"]
    ]
    return Kept(sorted(members, key=_place), row["told_at"], row["is_old"])


def _place(member: Member) -> tuple[bool, bool, bool, str]:
    name = one_line(member.name or "")
    return not member.is_own, not member.is_admin, not name, _letters(name or member.jid)


def _letters(name: str) -> str:
    """As people look a name up: without regard to case, and to marks over letters."""
    return "".join(one for one in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(one))
