"""What is found is what a look at every text would find, each once, newest first, however little one look covers."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterator, Sequence
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from tests.database import Database
from wafast._core import message_key
from wafast.database.pool import connect, open_pool
from wafast.inbox import search
from wafast.inbox.grams import BUCKET_SECONDS, wanted
from wafast.inbox.reach import Reach
from wafast.inbox.search_index import index_messages

NEWEST = int(time.time())
DEVICES = 4
#: Letters few enough that words share them; scripts with and without spaces; marks, signs between words, pictures.
LETTERS = "aab bcé- 1'_价格คน🌸q\u0301ς你ﬁ"

texts = some.text(LETTERS, min_size=1, max_size=20)
properties = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


class Inbox:
    """A workspace with devices of two chats each, and messages that an example puts there."""

    def __init__(self, runner: asyncio.Runner, pool: asyncpg.Pool, connection: asyncpg.Connection) -> None:
        self._runner, self._pool, self._connection = runner, pool, connection
        self._ids = (f"P{number}" for number in itertools.count())
        self.tenant, self.devices = runner.run(self._make())

    async def _make(self) -> tuple[int, list[tuple[int, UUID, list[int]]]]:
        tenant = await self._pool.fetchval("INSERT INTO tenants (name) VALUES ('Shop') RETURNING id")
        devices = []
        for number in range(DEVICES):
            device = await self._pool.fetchrow(
                "INSERT INTO devices (tenant_id, name, network) VALUES ($1, $2, 'loopback') RETURNING no, id",
                tenant, f"Line {number}",
            )  # fmt: skip
            assert device is not None
            chats = await self._pool.fetch(
                "INSERT INTO chats (tenant_id, device_no, jid, last_key)"
                " SELECT $1, $2, n || '@s.whatsapp.net', $3 FROM generate_series(1, 2) n RETURNING id",
                tenant, device["no"], NEWEST << 32,
            )  # fmt: skip
            devices.append((device["no"], device["id"], [row["id"] for row in chats]))
        return tenant, devices

    def hold(self, said: Sequence[tuple[int, int, str]]) -> dict[str, tuple[int, int, str]]:
        """Holds these messages and no others: of each the device, how many quarters of a bucket ago it came, and its
        text. Gives them by id."""
        return self._runner.run(self._hold(said))

    async def _hold(self, said: Sequence[tuple[int, int, str]]) -> dict[str, tuple[int, int, str]]:
        held, places = {}, []
        async with self._connection.transaction():
            await self._connection.execute("TRUNCATE message_search, messages, search_buckets")
            for number, (device, ago, text) in enumerate(said):
                no, _, chats = self.devices[device]
                # several of one second stand in it by their keys alone
                at, name = NEWEST - ago * BUCKET_SECONDS // 4, next(self._ids)
                place = chats[number % 2], message_key(at, name)
                await self._connection.execute(
                    "INSERT INTO messages (chat_id, key, created_at, device_no, tenant_id, kind, flags, status,"
                    " message_id, body) VALUES ($1, $2, now(), $3, $4, 0, 0, 0, $5, $6)",
                    *place, no, self.tenant, name, text,
                )  # fmt: skip
                places.append(place)
                held["{}-{}".format(*place)] = (device, at, text)
            await index_messages(self._connection, places)
        return held

    def found(self, query: str, devices: list[int] | None, limit: int) -> list[str]:
        """Ids of all that is found by who sees these devices, page after page; in the order of pages, and of times."""
        return self._runner.run(asyncio.wait_for(self._found(query, devices, limit), 120))

    async def _found(self, query: str, devices: list[int] | None, limit: int) -> list[str]:
        scope = search.Scope(Reach(self.tenant), None)
        if devices is not None:
            seen = tuple(self.devices[device][1] for device in devices)
            scope = await search.scope_of(self._pool, Reach(self.tenant, seen))
        found: list[str] = []
        after: search.Place | None = None
        while True:
            page = await search.find_messages(self._pool, scope, wanted(query), after=after, limit=limit)
            found += [one.message.id for one in page.items]
            if page.last is None:
                return found
            after = page.last


@pytest.fixture(scope="module")
def inbox(database: Database) -> Iterator[Inbox]:
    with asyncio.Runner() as runner:
        uri = database.create()
        pool, connection = runner.run(open_pool(uri, size=2, name="test")), runner.run(connect(uri, "test"))
        yield Inbox(runner, pool, connection)
        runner.run(connection.close())
        runner.run(pool.close())


@pytest.mark.parametrize(("seconds", "most_device_grams"), [(0.0, 16), (10.0, 1)])
@properties
@given(data=some.data())
def test_all_pages_together_have_what_a_look_at_every_text_finds(
    inbox: Inbox, seconds: float, most_device_grams: int, data: some.DataObject
) -> None:
    said = data.draw(some.lists(some.tuples(some.integers(0, DEVICES - 1), some.integers(0, 12), texts), max_size=30))
    held = inbox.hold(said)
    part = some.sampled_from(said).flatmap(
        lambda one: some.tuples(some.integers(0, len(one[2])), some.integers(1, 8)).map(
            lambda cut: one[2][cut[0] : cut[0] + cut[1]]
        )
    )
    is_part = bool(said) and data.draw(some.booleans())
    query = data.draw(part if is_part else texts)
    devices = data.draw(some.none() | some.lists(some.integers(0, DEVICES - 1), max_size=3, unique=True))
    meant = wanted(query)
    expected = {
        name: at
        for name, (device, at, text) in held.items()
        # of fewer letters inside words nothing is looked up
        if meant.grams and (devices is None or device in devices) and meant.ranges(text) is not None
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "BUDGET_SECONDS", seconds)
        patch.setattr(search, "LEAST", 1)
        patch.setattr(search, "MOST_DEVICE_GRAMS", most_device_grams)
        found = inbox.found(query, devices, data.draw(some.integers(1, 5)))
    assert sorted(found) == sorted(expected)
    times = [expected[name] for name in found]
    assert times == sorted(times, reverse=True)
