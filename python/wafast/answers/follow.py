"""What people write back, as it is stored: who answered what, which sequences stop, and who wants nothing more.

One process does it, the others wait for its place. It keeps nothing that a crash could lose: what was stored around the
time of a cut is looked at again, and looking twice changes nothing.
"""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import asyncpg
import msgspec

from wafast import clock, logs
from wafast.answers.words import is_opt_out
from wafast.database import batches
from wafast.database.queries import load
from wafast.database.turn import ANSWERS, keep_at
from wafast.events import bus
from wafast.events.announced import Announced
from wafast.leads import rows as leads
from wafast.outbox import told
from wafast.outbox.cancel import cancel
from wafast.sequences import enrolments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wafast.events.announced import MessageKey

q = load(__file__)
log = logs.get("answers")

#: Who puts a number on the list, or learns whose LID it is, says so here (migrations/0025).
WAKE = "wafast_answers"
#: Between an announcement and the look at it, so that one query takes what comes together.
GATHER_SECONDS = 0.15
#: Messages looked at together.
STEP = 500
#: Between two notes of how far it is, and between two looks at what somebody else holds: an import leads or numbers of
#: the list, a deletion a line.
NOTE_SECONDS = 30.0
AGAIN_SECONDS = 1.0
#: Messages looked at again in one round, each of which may wait 0.2 s for who holds it still: no other waits for long.
HELD_A_ROUND = 5
#: Who wrote the word longer ago, to a line that was off, is not written to any more, not even that it was heard.
CONFIRMED_WITHIN = timedelta(days=1)


class Heard(msgspec.Struct, frozen=True):
    """A message of somebody known; `lead_id` is None where the lead is gone."""

    tenant_id: int
    device_no: int
    chat_id: int
    key: int
    body: str
    is_text: bool
    at: datetime
    jid: str
    phone: str
    lead_id: int | None
    opt_out_words: list[str]
    opt_out_answer: str


async def keep_answered(uri: str) -> None:
    """Follows what people write until cancelled. Any number of processes may do this.

    Args:
        uri: where PostgreSQL is; it takes one connection.
    """
    await keep_at(uri, "answers", ANSWERS, lambda connection: Follower(connection).run())


class Follower:
    """Follows what is announced on one connection.

    Args:
        connection: for this alone.
    """

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._announced = Announced(only_messages=True)
        #: leads that are held by somebody else, and when they wrote
        self._late: dict[int, datetime] = {}
        #: messages that wait for what somebody else holds, the one that was looked at longest ago first
        self._held: dict[MessageKey, None] = {}
        #: whether people are still to be told that their word counts, whose line somebody holds
        self._has_untold = False
        #: whether more may wait for people who were put on the list
        self._is_ending = False

    async def run(self) -> None:
        """Until the connection is cut, which raises."""
        await self._announced.listen(self._connection)
        await self._connection.add_listener(WAKE, lambda *_: self._announced.heard.set())
        noted = 0.0
        while True:
            if not (self._announced.has_missed or self._is_ending):
                await self._wait()
            self._announced.heard.clear()
            if self._announced.has_missed:
                await self.look_back()
            await self.look_at_known()
            await self.catch_up()
            self._is_ending = await end_suppressed(self._connection)
            if not (self._announced.has_missed or self._puts_aside()) and time.monotonic() > noted + NOTE_SECONDS:
                noted = time.monotonic()
                await self._connection.execute(q.note_told)

    def _puts_aside(self) -> bool:
        """Whether something waits for what somebody else holds."""
        return bool(self._late or self._held or self._has_untold)

    async def _wait(self) -> None:
        try:
            await asyncio.wait_for(self._announced.heard.wait(), AGAIN_SECONDS if self._puts_aside() else None)
            await asyncio.sleep(GATHER_SECONDS)
        except TimeoutError:
            pass

    async def look_back(self) -> None:
        """Looks at what was stored since it was last known to have heard everything, which is read once."""
        self._announced.has_missed = False
        since = await self._connection.fetchval(q.told_until)
        async with self._connection.transaction():
            await self._connection.execute(q.for_all_rows)
            await self._connection.execute(q.open_untold, since)
        while rows := await self._connection.fetch(q.next_untold):
            places = [(row["chat_id"], row["key"]) for row in rows]
            for first in range(0, len(places), STEP):
                await self._look_at(places[first : first + STEP])
        await self._connection.execute(q.close_untold)

    async def catch_up(self) -> None:
        """Looks at what was heard of, and again at whom somebody else held; who wants nothing more is told so."""
        is_more = True
        while is_more:
            await self._look_at(self._announced.take_first(STEP))
            is_more = bool(self._announced)
        for place in list(self._held)[:HELD_A_ROUND]:
            del self._held[place]
            await self._look_at([place])
        await self._confirm()

    async def look_at_known(self) -> None:
        """Looks at what was said under LIDs whose number has become known."""
        while lids := [row["id"] for row in await self._connection.fetch(q.known_lids, STEP)]:
            place: MessageKey = (0, 0)
            while rows := await self._connection.fetch(q.places_of_lids, lids, *place, STEP):
                place = rows[-1]["chat_id"], rows[-1]["key"]
                await self._look_at([(row["chat_id"], row["key"]) for row in rows])
            if self._held:  # they stay in the queue: what was said there may be old, and is not read again after a cut
                return
            await self._connection.execute(q.forget_lids, lids)

    async def _look_at(self, places: Sequence[MessageKey]) -> None:
        await batches.do(places, self._heed, self._pass_over)

    async def _pass_over(self, place: MessageKey, error: Exception) -> None:
        if isinstance(error, asyncpg.LockNotAvailableError):
            self._held[place] = None
            return
        log.error("what a person wrote can't be heeded", chat=place[0], key=place[1], exc_info=error)

    async def _heed(self, places: Sequence[MessageKey]) -> None:
        chats, keys = [chat for chat, _ in places], [key for _, key in places]
        rows = [msgspec.convert(dict(row), Heard) for row in await self._connection.fetch(q.heard, chats, keys)]
        for message in sorted(rows, key=lambda one: one.key):
            is_word = message.is_text and is_opt_out(message.body, message.opt_out_words)
            if is_word:
                await opt_out(self._connection, message)
        replies = [(one.lead_id, one.at) for one in rows if one.lead_id is not None]
        await self._note(replies)
        if replies:
            await stop_answered(self._connection, replies)
            await note_answered(self._connection, replies)

    async def _confirm(self) -> None:
        """Tells people that their word counts. Those whose line somebody else holds have their turn behind all others;
        no more than HELD_A_ROUND are waited for."""
        held = 0

        async def give_up(one: int, error: Exception) -> None:
            nonlocal held
            if isinstance(error, asyncpg.LockNotAvailableError):
                held += 1
                await self._connection.execute(q.tell_again, one)
                return
            log.error("a person can't be told that its word counts", answer=one, exc_info=error)
            await self._connection.execute(q.forget_to_be_told, one)

        while held < HELD_A_ROUND and (one := await self._connection.fetchval(q.next_to_be_told)):
            await batches.do([one], lambda ones: confirm(self._connection, ones[0]), give_up)
        self._has_untold = held > 0

    async def _note(self, replies: Sequence[tuple[int, datetime]]) -> None:
        last = dict(self._late)
        for lead_id, at in replies:
            last[lead_id] = max(at, last.get(lead_id, at))
        if last:
            both = list(last), list(last.values())
            noted = await self._connection.fetch(q.note_replies, *both)
            self._late = {row["id"]: row["at"] for row in await self._connection.fetch(q.not_noted, *both)}
            for tenant_id in {row["tenant_id"] for row in noted}:
                told = [row["id"] for row in noted if row["tenant_id"] == tenant_id]
                await leads.tell(self._connection, tenant_id, told)


async def opt_out(connection: asyncpg.Connection, message: Heard) -> None:
    """The person wants nothing more: it is suppressed; `end_suppressed` does the rest. What it said before a person
    took the lead back does not count again.

    It is told so once (`confirm`), in a transaction of its own, so that the word counts at once where its line is held,
    or just being deleted.
    """
    async with connection.transaction():
        await connection.execute(q.wait_briefly)
        if await connection.fetchval(q.note_opt_out, message.tenant_id, message.phone, message.key) is None:
            return
        reason = f"replied {message.body.strip()[:40]}"
        is_new = await connection.fetchval(q.suppress, message.tenant_id, message.phone, reason)
        if is_new and message.opt_out_answer:
            place = message.tenant_id, message.device_no, message.jid
            await connection.execute(q.to_be_told, *place, message.opt_out_answer, message.at)
        chat = {"k": "chat", "t": message.tenant_id, "d": message.device_no, "c": [message.chat_id]}
        await bus.publish(connection, [chat])
    log.info("a person wants nothing more", tenant=message.tenant_id, device=message.device_no)


async def end_suppressed(connection: asyncpg.Connection) -> bool:
    """Ends what waits for people who were put on the list of those who want nothing more, and their sequences: of the
    next STEP of them; gives whether there may be more. Those of whom somebody holds a row have their turn last.

    In transactions of its own: whoever holds a row of one of them does not hold back the word, which the claim and the
    walk look at.
    """

    async def end(ids: Sequence[int]) -> None:
        async with connection.transaction():
            await connection.execute(q.wait_briefly)
            taken = await connection.fetch(q.take_suppressed, ids)
            ended = [row["lead_id"] for row in taken if row["lead_id"] is not None]
            open_ones = await connection.fetch(q.open_enrolments, ended)
            await enrolments.stop(connection, [row["id"] for row in open_ones], "opted_out")
            await told.tell(
                connection, await cancel(connection, "opted_out", enrolments.IN_WORDS["opted_out"], leads=ended)
            )
            for tenant_id in {row["tenant_id"] for row in taken}:
                of_tenant = [row["lead_id"] for row in taken if row["tenant_id"] == tenant_id]
                await leads.tell(connection, tenant_id, [lead_id for lead_id in of_tenant if lead_id is not None])

    async def give_up(one: int, error: Exception) -> None:  # the claim and the walk let nothing leave all the same
        if isinstance(error, asyncpg.LockNotAvailableError):
            await connection.execute(q.queue_suppressed_again, one)
            return
        log.error("what waits for a suppressed number can't be ended", suppression=one, exc_info=error)
        await connection.fetch(q.take_suppressed, [one])

    ids = [row["id"] for row in await connection.fetch(q.next_suppressed, STEP)]
    if ids:
        await batches.do(ids, end, give_up)
    return len(ids) == STEP


async def confirm(connection: asyncpg.Connection, one: int) -> None:
    """A person is told that its word counts, if it said it lately and its line is still there.

    Args:
        one: its row of opt_out_answers.

    Raises:
        asyncpg.LockNotAvailableError: its line is held.
        asyncpg.ForeignKeyViolationError: its line was deleted at this instant.
    """
    async with connection.transaction():
        await connection.execute(q.wait_briefly)
        row = await connection.fetchrow(q.answer_opt_out, one, clock.now() - CONFIRMED_WITHIN)
        if row is not None:
            await bus.wake(connection, "outbox", row["network"], row["device_no"])
            event = {"k": "outbox", "t": row["tenant_id"], "d": row["device_no"], "o": [row["id"]]}
            await bus.publish(connection, [event])


async def stop_answered(connection: asyncpg.Connection, replies: Sequence[tuple[int, datetime]]) -> None:
    """Stops sequences that stop when a lead writes; those of people on the list end for that reason (`end_suppressed`).

    Args:
        replies: lead and when it wrote.
    """
    async with connection.transaction():
        await connection.execute(q.wait_briefly)
        found = await connection.fetch(q.answered_enrolments, *_columns(replies))
        if found:
            await enrolments.stop(connection, [row["id"] for row in found], "replied")


async def note_answered(connection: asyncpg.Connection, replies: Sequence[tuple[int, datetime]]) -> None:
    """Marks the last send to each lead as replied to.

    Args:
        replies: lead and when it wrote.
    """
    marked = []
    for row in await connection.fetch(q.answered, *_columns(replies)):
        marked += await connection.fetch(q.note_answered, row["id"], row["at"])
    await told.tell(connection, marked)


def _columns(replies: Sequence[tuple[int, datetime]]) -> tuple[list[int], list[datetime]]:
    return [lead_id for lead_id, _ in replies], [at for _, at in replies]
