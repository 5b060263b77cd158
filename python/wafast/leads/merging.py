"""Two leads that are one person become one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from wafast.accounts import audit
from wafast.database.queries import load
from wafast.leads import notes
from wafast.leads.rows import MOST_FIELDS, MOST_TAGS, remove, tell, tell_renamed

if TYPE_CHECKING:
    import asyncpg

    from wafast.accounts.principal import Principal
    from wafast.leads.sends import Sends

q = load(__file__)


#: A lead can have so many.
MOST: dict[Literal["tags", "fields"], int] = {"tags": MOST_TAGS, "fields": MOST_FIELDS}


class TooMany(Exception):
    """The two have more tags or fields (`what`) together than a lead can have, and nothing is lost by a merge; the text
    says how many, and what to do."""

    def __init__(self, what: str, count: int, most: int) -> None:
        super().__init__(
            f"Together they have {count} {what}, and a lead has at most {most}: take {count - most} off them first."
        )
        self.what = what


async def merge(pool: asyncpg.Pool, principal: Principal, kept: int, gone: int, sends: Sends) -> bool:
    """The lead `kept` gets tags, fields, notes and history of `gone`, which is deleted; where both say something,
    `kept` has the last word. What waited for `gone` is cancelled, and its number stands in a note. False when one of
    them is not there. Raises TooMany."""
    tenant_id = principal.tenant_id
    async with pool.acquire() as connection, connection.transaction():
        rows = {row["id"]: row for row in await connection.fetch(q.lock_both, tenant_id, kept, gone)}
        if len(rows) != 2:
            return False
        for what, most in MOST.items():
            together = {one for row in rows.values() for one in row[what]}
            if len(together) > most:
                raise TooMany(what, len(together), most)
        # first: else tags that come over let the lead enter again where the other has been
        await sends.become_one(connection, tenant_id, kept, gone)
        await connection.execute(q.take_over, tenant_id, kept, gone)
        await connection.execute(q.move_notes, tenant_id, kept, gone)
        said = f"Was also {rows[gone]['phone']}" + (f", {rows[gone]['name']}" if rows[gone]["name"] else "")
        await notes.write(connection, principal, kept, said)
        await remove(connection, tenant_id, [gone], sends)
        told = {"phone": rows[gone]["phone"]}
        await audit.record(connection, tenant_id, principal.actor, "lead.merge", f"lead:{kept}", **told)
        await tell(connection, tenant_id, [kept])
        await tell_renamed(connection, tenant_id, [rows[kept]["phone"]])
    return True
