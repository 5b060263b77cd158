"""One workspace on a database of its own: leads, a sequence, the walk, and a sender that needs no phone."""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import Any

import asyncpg
import msgspec

from tests.claimed import CLAIMED
from wafast.answers.follow import Follower, end_suppressed
from wafast.database.pool import connect
from wafast.devices import number_checks
from wafast.outbox.sources import Message, Pace
from wafast.sequences import enrolments, rows
from wafast.sequences.rows import Step
from wafast.sequences.walk import Walker

_numbers = itertools.count(1)


def step(text: str, delay_seconds: int = 0, expires_seconds: int | None = None) -> Step:
    """A step that says a text."""
    return Step(Message("text", text), Pace(0, 0), delay_seconds, expires_seconds)


def saying(text: str, delay_seconds: int = 0) -> dict[str, Any]:
    """What makes a step say that, as `step` does."""
    return msgspec.structs.asdict(step(text, delay_seconds))


class People:
    """The workspace.

    Args:
        uri: of the database.
        pool: of connections to it.
        tenant_id: of the workspace.
        device_no: of its device.
    """

    def __init__(self, uri: str, pool: asyncpg.Pool, tenant_id: int, device_no: int) -> None:
        self.uri, self.pool, self.tenant_id, self.device_no = uri, pool, tenant_id, device_no

    @classmethod
    async def make(cls, uri: str, pool: asyncpg.Pool) -> People:
        """With one device."""
        name = f"Workspace {next(_numbers)}"
        tenant_id = await pool.fetchval("INSERT INTO tenants (name) VALUES ($1) RETURNING id", name)
        device_no = await pool.fetchval(
            "INSERT INTO devices (tenant_id, name, network, state, jid, desired_state, store, min_seconds, max_seconds,"
            " ramp, typing) VALUES ($1, 'Shop', 'loopback', 'online', '60111@s.whatsapp.net', 'connected', 'x.db',"
            " 0, 0, false, false) RETURNING no",
            tenant_id,
        )
        return cls(uri, pool, tenant_id, device_no)

    async def lead(self, *tags: str, has_device: bool = True, **more: Any) -> int:
        """A new lead's id."""
        found: int = await self.pool.fetchval(
            "INSERT INTO leads (tenant_id, phone, name, tags, device_no, zone) VALUES ($1, $2, $3, $4, $5, $6)"
            " RETURNING id",
            self.tenant_id, more.get("phone", f"+60130{next(_numbers):06}"), more.get("name", "Farid"), list(tags),
            self.device_no if has_device else None, more.get("zone", "Asia/Kuala_Lumpur"),
        )  # fmt: skip
        return found

    async def sequence(self, *steps: Step, **more: Any) -> int:
        """A new sequence's id; active unless told otherwise."""
        state = more.pop("state", "active")
        wanted: dict[str, Any] = {"trigger": None, "next_sequence_id": None, "stop_on_reply": True} | more
        made = await rows.create(self.pool, self.tenant_id, "Welcome", **wanted, steps=steps, created_by="test")
        await rows.change(self.pool, self.tenant_id, made, {"state": state})
        return made

    async def enrol(self, sequence_id: int, *leads: int, again: bool = False) -> int:
        """How many entered."""
        found = await enrolments.enrol(self.pool, self.tenant_id, sequence_id, leads, again=again)
        return sum(kept_out is None for kept_out in found.values())

    async def name(self, phone: str, named: str) -> None:
        """WhatsApp has told that it names a number otherwise."""
        await number_checks.note(self.pool, self.device_no, {phone: f"{named[1:]}@s.whatsapp.net"})

    async def walk(self) -> None:
        """Until nothing waits for it."""
        connection = await connect(self.uri, "walk")
        try:
            walker = Walker(connection)
            while await self.pool.fetchval(
                "SELECT EXISTS (TABLE walk_queue) OR EXISTS (TABLE sequence_edits) OR EXISTS (TABLE enrolment_counts)"
                " OR EXISTS (SELECT FROM intakes WHERE state = 'running') OR EXISTS (TABLE given_leads)"
            ):
                await walker.tick()
        finally:
            await connection.close()

    async def send(self, state: str = "sent", cause: str | None = None) -> list[str]:
        """Ends whatever is due of running sources so; gives what its templates say, by row."""
        due = (
            "SELECT o.id FROM outbox o JOIN sources s ON s.id = o.source_id JOIN lanes l ON l.id = o.lane_id"
            " WHERE l.is_live AND s.state = 'running' AND o.state = 'queued' AND o.not_before <= now()"
        )
        async with self.pool.acquire() as connection, connection.transaction():
            rows = [row["id"] for row in await connection.fetch(due)]
            if state != "expired":
                await connection.execute(f"{CLAIMED} WHERE id = ANY ($1)", rows)
            sent = await connection.fetch(
                "UPDATE outbox o SET state = $1, cause = $2, sent_at = CASE WHEN $1 = 'sent' THEN now() END,"
                " message_id = CASE WHEN $1 = 'sent' THEN 'M' || o.id END"
                " FROM sources s WHERE s.id = o.source_id AND o.id = ANY ($3) RETURNING o.id, s.template",
                state, cause, rows,
            )  # fmt: skip
        return [row["template"] for row in sorted(sent, key=lambda row: int(row["id"]))]

    async def pass_time(self, seconds: float) -> None:
        """What waits, waits that much less."""
        await self.pool.execute(
            "UPDATE outbox SET not_before = not_before - make_interval(secs => $1), sent_at = sent_at -"
            " make_interval(secs => $1), expires_at = expires_at - make_interval(secs => $1)"
            " WHERE not_before < now() + interval '50 years'",
            seconds,
        )
        await self.pool.execute("UPDATE enrolments SET since = since - make_interval(secs => $1)", seconds)

    async def until_end(self, limit: int = 100) -> list[str]:
        """Walks and sends until nothing is due any more; gives all that was sent."""
        said: list[str] = []
        for _ in range(limit):
            await self.walk()
            now = await self.send()
            if not now:
                break
            said += now
        return said

    async def states(self, sequence_id: int) -> list[tuple[str, str | None]]:
        """State and reason of its enrolments, the first first."""
        found = await self.pool.fetch("SELECT * FROM enrolments WHERE sequence_id = $1 ORDER BY id", sequence_id)
        return [(row["state"], row["reason"]) for row in found]

    async def until(self, query: str) -> None:
        """Until a query's value is true."""
        deadline = time.monotonic() + 300
        while not await self.value(query):
            assert time.monotonic() < deadline, query
            await asyncio.sleep(0.05)

    async def value(self, query: str, *arguments: object) -> Any:
        """One value."""
        return await self.pool.fetchval(query, *arguments)

    async def write(
        self, text: str, phone: str, *, at: float | None = None, flags: int = 0, kind: int = 0, jid: str | None = None
    ) -> tuple[int, int]:
        """The person of a number writes to the device, as the core stores it; gives its place.

        Args:
            at: seconds from now.
        """
        jid = jid or f"{phone[1:]}@s.whatsapp.net"
        chat = await self.pool.fetchval(
            "INSERT INTO chats (tenant_id, device_no, jid, is_group) VALUES ($1, $2, $3, $3 LIKE '%@g.us')"
            " ON CONFLICT (device_no, jid) DO UPDATE SET jid = excluded.jid RETURNING id",
            self.tenant_id, self.device_no, jid,
        )  # fmt: skip
        key = int(time.time() + (at or 0)) << 32 | next(_numbers)
        await self.pool.execute(
            "INSERT INTO messages (chat_id, key, created_at, device_no, tenant_id, kind, flags, status, message_id,"
            " body) VALUES ($1, $2, now(), $3, $4, $5, $6, 0, $7, $8)",
            chat, key, self.device_no, self.tenant_id, kind, flags, f"M{key}", text,
        )  # fmt: skip
        return chat, key

    async def follow(self) -> None:
        """Looks at everything people wrote, as after a start."""
        connection = await connect(self.uri, "answers")
        try:
            follower = Follower(connection)
            await follower.look_back()
            await follower.look_at_known()
            await follower.catch_up()
            while await end_suppressed(connection):
                pass
        finally:
            await connection.close()
