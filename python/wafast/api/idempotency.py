"""``Idempotency-Key``: a create or send repeated with the same key is done once and answered twice.

The row in ``idempotency_keys`` is claimed before the work. Most work is one transaction with its answer (`IN_ONE`):
what has no answer was not done, so a repeat does it, whatever became of the first. Of two that do it at once the first
to keep its answer is the one, and the other is undone.

Work of several transactions gets its answer after it, and a refused request gives its key back; so does one whose work
is at its end (`AT_END`) when a device or the disk has failed it before. One that ends in any other way, or with its
process, leaves a claimed key without answer: repeating it is refused for the day the key lives, because whether the
work was done is not known, and sending twice is worse than asking a person.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from typing import TYPE_CHECKING, TypeVar

import msgspec

from wafast.api.problems import Problem, conflict
from wafast.database.queries import load

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import asyncpg

    from wafast.events.bus import Executor

q = load(__file__)

Made = TypeVar("Made")

#: What a route says in `idempotent` whose work with a key is one transaction with its answer. It waits for nobody but
#: the database, and uses one connection.
IN_ONE = "in one"
#: The same of a route that asks a device first: its work is one transaction at its end.
AT_END = "at its end"
#: What a device, or a disk that is full, makes of a request: nothing is done then but what was asked.
FAILED_BEFORE = frozenset({502, 504, 507})
KEPT_SECONDS = 86_400.0
WAIT_SECONDS = 15.0  # how long a duplicate waits for the first request of this process


class Answer(msgspec.Struct, frozen=True):
    """A stored answer: HTTP status and JSON body."""

    status: int
    body: bytes


def digest(actor: str, body: bytes) -> bytes:
    """What makes two requests the same: who asks, and the body's bytes."""
    return hashlib.sha256(actor.encode() + b"\0" + body).digest()


class IdempotencyKeys:
    """The keys of every tenant, as this process sees them.

    Args:
        pool: where the keys are kept.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._running: dict[tuple[int, str], asyncio.Event] = {}
        #: answers that must not be written down, with the time they were given
        self._secrets: dict[tuple[int, str], tuple[float, bytes]] = {}

    async def claim(
        self, tenant_id: int, key: str, route: str, body_hash: bytes, *, in_one: bool = False
    ) -> Answer | None:
        """Claims a key for this request.

        Args:
            route: method and path, e.g. ``POST /api/v1/messages``.
            body_hash: ``digest`` of the request.
            in_one: the answer is kept with the work (`keep`), so that a claim without answer stands in nobody's way.

        Returns:
            None when the caller must do the work and then ``finish``, ``fail`` or ``leave``; else the first answer.

        Raises:
            Problem: 422 when the key belongs to another request, 409 when the first has not ended.
        """
        while (running := self._running.get((tenant_id, key))) is not None:
            try:
                await asyncio.wait_for(running.wait(), WAIT_SECONDS)
            except TimeoutError:
                raise _unfinished(key) from None
        self._running[tenant_id, key] = asyncio.Event()
        try:
            if await self._pool.fetchval(q.claim_key, tenant_id, key, route, body_hash):
                return None
            first = await self._first_answer(tenant_id, key, route, body_hash)
            if first is None and in_one:
                return None
        except BaseException:
            self.leave(tenant_id, key)
            raise
        self.leave(tenant_id, key)
        if first is None:
            raise _unfinished(key)
        return first

    async def once(
        self,
        tenant_id: int,
        key: str,
        route: str,
        body_hash: bytes,
        work: Callable[[], Awaitable[Made]],
        kind: type[Made],
    ) -> Made:
        """Makes something once, and gives what was made when the same is asked for again.

        Args:
            kind: of what `work` makes; 201 is its status.

        Raises:
            Problem: as `claim`.
        """
        first = await self.claim(tenant_id, key, route, body_hash)
        if first is not None:
            return msgspec.json.decode(first.body, type=kind)
        try:
            made = await work()
        except Problem as problem:
            await self.fail(tenant_id, key, problem.status)
            raise
        except BaseException:
            self.leave(tenant_id, key)
            raise
        await self.finish(tenant_id, key, Answer(201, msgspec.json.encode(made)))
        return made

    async def keep(
        self, connection: Executor, tenant_id: int, key: str, answer: Answer, *, secret: bool = False
    ) -> None:
        """Keeps the answer for the next 24 hours, in the transaction that does the work; one with a secret only in the
        memory of this process.

        Raises:
            Problem: 409 when the same was done meanwhile: the transaction must not be committed.
        """
        if secret:
            self._secrets[tenant_id, key] = (time.monotonic(), answer.body)
        kept = None if secret else answer.body
        if not await connection.fetchval(q.keep_answer, tenant_id, key, answer.status, kept):
            raise _unfinished(key)

    async def finish(self, tenant_id: int, key: str, answer: Answer) -> None:
        """Keeps the answer of work that is done."""
        try:
            await self.keep(self._pool, tenant_id, key, answer)
        finally:
            self.leave(tenant_id, key)

    async def fail(self, tenant_id: int, key: str, status: int, *, at_end: bool = False) -> None:
        """Gives a key back whose request was refused, as trying again is right, or failed before its work, which is
        `at_end`; not after any other failure, which may have come when the work was done."""
        try:
            if 400 <= status < 500 or (at_end and status in FAILED_BEFORE):
                await self._pool.execute(q.release_key, tenant_id, key)
        finally:
            self.leave(tenant_id, key)

    async def forget_old(self) -> None:
        """Deletes keys older than 24 hours."""
        await self._pool.execute(q.forget_old_keys)
        oldest = time.monotonic() - KEPT_SECONDS
        self._secrets = {place: kept for place, kept in self._secrets.items() if kept[0] > oldest}

    def leave(self, tenant_id: int, key: str) -> None:
        """This process does nothing for a key any more: who waits for it here looks what became of it."""
        running = self._running.pop((tenant_id, key), None)
        if running is not None:
            running.set()

    async def _first_answer(self, tenant_id: int, key: str, route: str, body_hash: bytes) -> Answer | None:
        """None: there is none yet."""
        row = await self._pool.fetchrow(q.stored_answer, tenant_id, key)
        if row is None:
            raise _unfinished(key)  # it was given back in this moment
        if row["route"] != route or row["body_hash"] != body_hash:
            raise Problem(
                422,
                "idempotency-key-reused",
                f"Idempotency-Key {key!r} was used for another request ({row['route']}) within 24 hours: "
                "use a new key for a new request.",
            )
        if row["status"] is None:
            return None
        if row["response"] is not None:
            return Answer(row["status"], row["response"])
        if (tenant_id, key) not in self._secrets:
            raise conflict(
                "answer-not-kept",
                f"The request with Idempotency-Key {key!r} was done, but its answer held a secret and is not kept over "
                "a restart: revoke what it made and make it again with a new key.",
            )
        return Answer(row["status"], self._secrets[tenant_id, key][1])


def _unfinished(key: str) -> Problem:
    problem = conflict(
        "request-in-progress",
        f"The first request with Idempotency-Key {key!r} has not ended: repeat it in a moment. If it never does, the "
        "server or its database was stopped in the middle; look whether its work was done before using a new key.",
    )
    problem.headers["Retry-After"] = "1"
    return problem
