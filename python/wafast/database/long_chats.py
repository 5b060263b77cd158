"""An index that only long chats need: a message by its id."""

from __future__ import annotations

from collections.abc import Callable

from wafast.database import migrations
from wafast.database.pool import connect
from wafast.database.queries import load

q = load(__file__)

#: Rows of a chat that are looked through sooner than an index is kept. With 20 it would cost each new message a tenth
#: more CPU and save nothing; with a million each receipt, reaction or edit took 120 to 350 ms without it, and 8 with.
SHORT = 200


async def prepare(uri: str, messages_per_chat: int, say: Callable[[str], None]) -> None:
    """Makes the index where chats may be long, and drops it where they are short. Of several starters one does it, and
    the others wait.

    Args:
        messages_per_chat: newest messages kept of a chat; 0 keeps all.
        say: is told before it takes long: a million messages take 1.5 s.
    """
    connection = await connect(uri, "prepare")
    try:
        await migrations.wait_for_turn(connection)
        is_there = await connection.fetchval(q.has_index_by_id)
        if 0 < messages_per_chat <= SHORT:
            await connection.execute(q.drop_index_by_id)
        elif not is_there:
            say("indexing messages by their ids, as chats may be long")
            await connection.execute(q.make_index_by_id)
    finally:
        await connection.close()
