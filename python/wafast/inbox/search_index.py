"""The index of search, kept behind what is stored: new messages as they are announced, and what the queue says changed.

One process does it, the others wait for its place. It keeps nothing that a crash could lose: changes wait in a table,
and what was stored around the time of a cut is looked for in the messages themselves.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from wafast.database.queries import load
from wafast.database.turn import SEARCH, keep_at
from wafast.events.announced import MOST_WAITING, Announced
from wafast.inbox.grams import MOST_CHARACTERS, bucket_of, device_gram, fold, grams_of, in_bucket

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import asyncpg

    from wafast.events.announced import MessageKey

q = load(__file__)

#: Between an announcement and the look at it, so that one transaction takes what comes together. Far below the two
#: seconds after which a message is to be found.
GATHER_SECONDS = 0.15
#: Messages of one transaction, 10 ms of this process' own work.
STEP = 400
#: Chats that were there before the index, taken at once.
WALK = 100
#: After each step it rests as long as that took: who stores messages needs the processor more.
REST = 1.0
#: Steps of one turn: under steady traffic there is always more to catch up with, and what was missed and what was there
#: before the index must have their turn too.
TURN = 10
#: Between two notes of how far it is.
NOTE_SECONDS = 30.0

MESSAGE_COLUMNS = ("chat_id", "key", "tenant_id", "device_no", "kind", "words", "grams")
CHAT_COLUMNS = ("chat_id", "tenant_id", "device_no", "name", "number", "grams")


async def keep_indexed(uri: str) -> None:
    """Indexes what is stored until cancelled. Any number of processes may do this.

    Args:
        uri: where PostgreSQL is; it takes one connection.
    """
    await keep_at(uri, "search", SEARCH, lambda connection: Indexer(connection).run())


class Indexer:
    """Follows what is announced on one connection.

    Args:
        connection: for this alone.
    """

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._announced = Announced()
        #: when it last looked back: what it noted then is far older than its waiting
        self._looked_back = 0.0

    async def run(self) -> None:
        """Until the connection is cut, which raises."""
        await self._connection.execute(q.lasting_soon)
        await self._announced.listen(self._connection)
        noted, walks, is_behind = 0.0, True, False
        while True:
            if not (walks or is_behind or self._announced.has_missed):
                await self._announced.heard.wait()
                await asyncio.sleep(GATHER_SECONDS)
            self._announced.heard.clear()
            if self._announced.has_missed and len(self._announced) < STEP:
                await self.look_back()
            is_behind = await self.catch_up(TURN)
            now, waits = time.monotonic(), self._announced.oldest_seconds()
            is_sure = not self._announced.has_missed and now - waits > self._looked_back
            if is_sure and now - noted > NOTE_SECONDS:
                noted = now
                await self._connection.execute(q.note_told, waits)
            walks = walks and await self.walk()

    async def look_back(self) -> None:
        """Notes what was stored since it was last known to have heard everything."""
        self._announced.has_missed = False
        since = await self._connection.fetchval(q.told_until)
        rows = await self._connection.fetch(q.untold_places, MOST_WAITING, since)
        self._announced.has_missed |= len(rows) == MOST_WAITING
        self._announced.add((row["chat_id"], row["key"]) for row in rows)
        self._looked_back = time.monotonic()

    async def catch_up(self, steps: int) -> bool:
        """Indexes what was heard of, the last first, and what waits in the queue: so many steps at most. Gives whether
        there is more."""
        for _ in range(steps):
            began = time.monotonic()
            step = self._announced.take_last(STEP)
            async with self._connection.transaction():
                await index_messages(self._connection, step)
            if not (await self._take_queue() or self._announced):
                return False
            await asyncio.sleep(REST * (time.monotonic() - began))
        return True

    async def _take_queue(self) -> int:
        async with self._connection.transaction():
            rows = await self._connection.fetch(q.take_queue, STEP)
            await index_chats(self._connection, {row["chat_id"] for row in rows if row["key"] is None})
            changed = {(row["chat_id"], row["key"]) for row in rows if row["key"] is not None}
            await index_messages(self._connection, changed)
        return len(rows)

    async def walk(self) -> bool:
        """Indexes the next chats of those that were there before; gives whether there are more."""
        began = time.monotonic()
        async with self._connection.transaction():
            chats = [row["id"] for row in await self._connection.fetch(q.next_walked, WALK)]
            if chats:
                await index_chats(self._connection, chats)
                rows = await self._connection.fetch(q.places_of_chats, chats)
                places = [(row["chat_id"], row["key"]) for row in rows]
                for first in range(0, len(places), STEP):
                    await index_messages(self._connection, places[first : first + STEP])
                await self._connection.execute(q.note_walked, chats[-1])
        await asyncio.sleep(REST * (time.monotonic() - began))
        return bool(chats)


async def index_messages(connection: asyncpg.Connection, places: Collection[MessageKey]) -> None:
    """Brings the rows of these messages up to date, in the caller's transaction, and drops what their chats trimmed.

    Args:
        places: chat and key of each, also of such as are gone.
    """
    if not places:
        return
    chats, keys = [chat for chat, _ in places], [key for _, key in places]
    rows = await connection.fetch(q.places_to_index, chats, keys)
    await connection.execute(q.unindex_places, chats, keys)
    records = list(map(message_record, rows))
    await connection.copy_records_to_table("message_search", records=records, columns=MESSAGE_COLUMNS)
    await connection.execute(q.settle_grams)
    await connection.execute(q.unindex_trimmed, list(set(chats)))
    buckets = {(row["tenant_id"], bucket_of(row["key"])) for row in rows}
    await connection.execute(q.note_buckets, [one for one, _ in buckets], [one for _, one in buckets])


async def index_chats(connection: asyncpg.Connection, chats: Collection[int]) -> None:
    """Brings names and numbers up to date, in the caller's transaction; of chats that are gone nothing stays."""
    if not chats:
        return
    rows = await connection.fetch(q.chats_to_index, list(chats))
    await connection.execute(q.unindex_chats, list(chats))
    await connection.copy_records_to_table("chat_search", records=map(chat_record, rows), columns=CHAT_COLUMNS)
    gone = set(chats) - {row["chat_id"] for row in rows}
    if gone:
        await connection.execute(q.unindex_messages_of, list(gone))


def message_record(row: Mapping[str, Any] | asyncpg.Record) -> Sequence[object]:
    """A row of message_search for a row with a message's body."""
    tenant_id, device_no, bucket = row["tenant_id"], row["device_no"], bucket_of(row["key"])
    words = fold(row["body"][:MOST_CHARACTERS])
    grams = grams_of(words, tenant_id) | {device_gram(device_no, tenant_id)}
    placed = [in_bucket(gram, bucket) for gram in grams]
    return row["chat_id"], row["key"], tenant_id, device_no, row["kind"], words, placed


def chat_record(row: Mapping[str, Any] | asyncpg.Record) -> Sequence[object]:
    """A row of chat_search for a row with a chat's name and number."""
    tenant_id, device_no = row["tenant_id"], row["device_no"]
    name = fold(row["name"])
    grams = grams_of(f"{name} {row['number']}", tenant_id) | {device_gram(device_no, tenant_id)}
    return row["chat_id"], tenant_id, device_no, name, row["number"], list(grams)
