"""What waits for people whom a file gave to another device goes over there, a portion at a time: who gives somebody to
one by hand lets it go over at once, and a file is taken in as a whole, with a million at most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wafast.database.queries import load
from wafast.leads import rows as leads
from wafast.sequences import of_leads

if TYPE_CHECKING:
    import asyncpg

    from wafast.database.aside import Aside

q = load(__file__)

#: People of one transaction.
STEP = 500


async def go_on(connection: asyncpg.Connection, aside: Aside) -> int | None:
    """For the next STEP people of a workspace it goes over; gives the workspace, None when nobody is left.

    Only one process may do this at a time.

    Args:
        aside: workspaces whose people others hold, so that the others go on.
    """

    async def portion(tenant_id: int) -> int | None:
        async with connection.transaction():
            await connection.execute(q.wait_for_portion)
            given = [row["lead_id"] for row in await connection.fetch(q.next_given, tenant_id, STEP)]
            if not given:
                aside.put(tenant_id)
                return None
            await leads.hold(connection, tenant_id, given, of_leads)
            await of_leads.go_over(connection, tenant_id, given)
            await connection.execute(q.take_out, tenant_id, given)
        return tenant_id

    return await aside.do_first(lambda those: connection.fetchval(q.next_tenant, those), portion)
