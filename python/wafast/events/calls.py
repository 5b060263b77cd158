"""Asking a device something: one request and one answer between an API process and the worker that holds the lease.

What must survive a restart is not a call but a row (outbox, pairing, desired_state).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import msgspec

from wafast import logs
from wafast.database.queries import load
from wafast.events.bus import MAX_PAYLOAD, Listener

q = load(__file__)
log = logs.get("events.calls")

#: How often a call that takes longer looks whether the worker it was given to still holds the device.
LOOK_SECONDS = 5.0

Handler = Callable[[int, str, dict[str, Any]], Awaitable[dict[str, Any]]]


class CallError(Exception):
    """A call did not give an answer; `code` is for programs, the text for people."""

    code = "failed"
    again_seconds: float | None = None


class NoLease(CallError):
    """No worker holds the device now."""

    code = "no_lease"


class DeadlinePassed(CallError):
    """The device did not answer in time."""

    code = "deadline"


class CallFailed(CallError):
    """The device answered that it cannot; `code` says why (offline, expired, failed, too_fast, unknown_verb …), and
    `again_seconds` when it may be asked again, where that is known."""

    def __init__(self, code: str, message: str, again_seconds: float | None = None) -> None:
        super().__init__(message)
        self.code, self.again_seconds = code, again_seconds


class _Request(msgspec.Struct):
    id: str
    d: int
    verb: str
    args: dict[str, Any]
    reply_to: str
    seconds: float


class _Reply(msgspec.Struct):
    id: str
    result: dict[str, Any] | None = None
    code: str | None = None
    message: str = ""
    again_seconds: float | None = None


def request_channel(worker_id: UUID) -> str:
    """Channel a worker takes calls on."""
    return f"wafast_call_{worker_id.hex}"


def _encode(message: msgspec.Struct) -> str:
    payload = msgspec.json.encode(message)
    if len(payload) > MAX_PAYLOAD:
        raise CallFailed("too_large", f"{len(payload)} bytes do not fit a call; at most {MAX_PAYLOAD} do")
    return payload.decode()


class Caller:
    """The asking end, one per API process. Run `listener` as a task."""

    def __init__(self, pool: asyncpg.Pool, uri: str) -> None:
        self._pool = pool
        self._channel = f"wafast_reply_{uuid4().hex}"
        self._waiting: dict[str, asyncio.Future[_Reply]] = {}
        self.listener = Listener(uri, "replies", {self._channel: self._receive}, lambda: None)

    async def call(self, device_no: int, verb: str, args: dict[str, Any], seconds: float = 10.0) -> dict[str, Any]:
        """Ask the holder of a device; it may take so many seconds.

        Raises NoLease, DeadlinePassed, CallFailed.
        """
        worker_id = await self._pool.fetchval(q.lease_holder, device_no)
        if worker_id is None:
            raise NoLease("the device is not connected; connect it and try again")
        request = _Request(uuid4().hex, device_no, verb, args, self._channel, seconds)
        future = asyncio.get_running_loop().create_future()
        self._waiting[request.id] = future
        try:
            await self._pool.execute(q.notify, request_channel(worker_id), [_encode(request)])
            reply = await self._reply(future, device_no, worker_id, seconds)
        finally:
            del self._waiting[request.id]
        if reply.code is not None:
            raise CallFailed(reply.code, reply.message, reply.again_seconds)
        return reply.result or {}

    async def _reply(self, future: asyncio.Future[_Reply], device_no: int, worker_id: UUID, seconds: float) -> _Reply:
        left = seconds
        while left > 0:
            done, _ = await asyncio.wait([future], timeout=min(left, LOOK_SECONDS))
            if done:
                return future.result()
            left -= LOOK_SECONDS
            if left > 0 and await self._pool.fetchval(q.lease_holder, device_no) != worker_id:
                raise NoLease("the worker that was asked has ended; try again")
        raise DeadlinePassed(f"the device did not answer within {seconds:g} seconds; try again")

    def _receive(self, payload: str) -> None:
        reply = msgspec.json.decode(payload, type=_Reply)
        future = self._waiting.get(reply.id)
        if future is not None and not future.done():
            future.set_result(reply)


class Server:
    """The answering end, one per worker; `handler(device_no, verb, args)` gives the answer or raises CallError.

    Register `receive` for `request_channel(worker_id)` on the worker's listener.
    """

    def __init__(self, pool: asyncpg.Pool, handler: Handler) -> None:
        self._pool, self._handler = pool, handler
        self._tasks: set[asyncio.Task[None]] = set()

    def receive(self, payload: str) -> None:
        """Take one request; it is answered by a task of its own."""
        task = asyncio.create_task(self._answer(msgspec.json.decode(payload, type=_Request)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, request: _Request) -> None:
        try:
            async with asyncio.timeout(request.seconds):
                reply = _Reply(request.id, await self._handler(request.d, request.verb, request.args))
                payload = _encode(reply)
        except TimeoutError:
            return
        except CallError as error:
            payload = _encode(_Reply(request.id, None, error.code, str(error), error.again_seconds))
        except Exception as error:
            log.exception("a call failed", verb=request.verb, device=request.d)
            payload = _encode(_Reply(request.id, code="failed", message=f"{request.verb} failed: {error}"[:500]))
        with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            await self._pool.execute(q.notify, request.reply_to, [payload])
