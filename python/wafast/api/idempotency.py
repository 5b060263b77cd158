"""``Idempotency-Key``: a create or send repeated with the same key is done once and answered twice.

The row in ``idempotency_keys`` is claimed before the work and gets the answer after it. A failed request releases its
key. A process killed in between leaves a claimed key without answer: repeating it is refused for the day the key lives,
because whether the work was done is not known, and sending twice is worse than asking a person.
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

q = load(__file__)

Made = TypeVar("Made")

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

    async def claim(self, tenant_id: int, key: str, route: str, body_hash: bytes) -> Answer | None:
        """Claims a key for this request.

        Args:
            route: method and path, e.g. ``POST /api/v1/messages``.
            body_hash: ``digest`` of the request.

        Returns:
            None when the caller must do the work and then ``finish`` or ``release``; else the first answer.

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
        except BaseException:
            self._wake(tenant_id, key)
            raise
        self._wake(tenant_id, key)
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
        except BaseException:
            await self.release(tenant_id, key)
            raise
        await self.finish(tenant_id, key, Answer(201, msgspec.json.encode(made)))
        return made

    async def finish(self, tenant_id: int, key: str, answer: Answer, *, secret: bool = False) -> None:
        """Keeps the answer for the next 24 hours; one with a secret only in the memory of this process."""
        if secret:
            self._secrets[tenant_id, key] = (time.monotonic(), answer.body)
        await self._pool.execute(q.store_answer, tenant_id, key, answer.status, None if secret else answer.body)
        self._wake(tenant_id, key)

    async def release(self, tenant_id: int, key: str) -> None:
        """Gives a key back: its request failed, and trying again is right."""
        await self._pool.execute(q.release_key, tenant_id, key)
        self._wake(tenant_id, key)

    async def forget_old(self) -> None:
        """Deletes keys older than 24 hours."""
        await self._pool.execute(q.forget_old_keys)
        oldest = time.monotonic() - KEPT_SECONDS
        self._secrets = {place: kept for place, kept in self._secrets.items() if kept[0] > oldest}

    def _wake(self, tenant_id: int, key: str) -> None:
        running = self._running.pop((tenant_id, key), None)
        if running is not None:
            running.set()

    async def _first_answer(self, tenant_id: int, key: str, route: str, body_hash: bytes) -> Answer:
        row = await self._pool.fetchrow(q.stored_answer, tenant_id, key)
        if row is None:
            raise _unfinished(key)
        if row["route"] != route or row["body_hash"] != body_hash:
            raise Problem(
                422,
                "idempotency-key-reused",
                f"Idempotency-Key {key!r} was used for another request ({row['route']}) within 24 hours: "
                "use a new key for a new request.",
            )
        if row["status"] is None:
            raise _unfinished(key)
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
        "server was stopped in the middle; look whether its work was done before using a new key.",
    )
    problem.headers["Retry-After"] = "1"
    return problem
