"""Media fit their room: what was not viewed for the longest goes, what is needed stays."""

from __future__ import annotations

import asyncio

import pytest

from tests.integration.inbox.conftest import Shelf
from wafast.inbox.media_fetches import BEFORE_ALL, forget_gone
from wafast.outbox import rows as outbox

MB = 1 << 20


async def test_what_was_not_viewed_for_the_longest_goes_first(shelf: Shelf) -> None:
    old, older, new = [
        await shelf.put(bytes([number]) * MB, viewed_hours_ago=hours) for number, hours in enumerate((5, 9, 1))
    ]
    assert await shelf.sweep(3 * MB) == 0
    assert await shelf.sweep(2 * MB) == MB
    assert shelf.files() == {old.hex(), new.hex()}
    assert await shelf.rows(older) == 0
    assert await shelf.sweep(MB) == MB
    assert shelf.files() == {new.hex()}


async def test_without_a_quota_nothing_goes(shelf: Shelf) -> None:
    await shelf.put(b"x" * MB, viewed_hours_ago=1000)
    assert await shelf.sweep(0) == 0
    assert len(shelf.files()) == 1


async def test_what_was_uploaded_or_viewed_a_moment_ago_stays(shelf: Shelf) -> None:
    await shelf.put(b"x" * MB)
    assert await shelf.sweep(1) == 0
    assert len(shelf.files()) == 1


async def test_a_file_two_workspaces_have_goes_when_neither_views_it(shelf: Shelf) -> None:
    sha256 = await shelf.put(b"x" * MB, viewed_hours_ago=9)
    await shelf.put(b"x" * MB, viewed_hours_ago=0, tenant_id=shelf.other)
    assert await shelf.sweep(MB) == 0, "it takes its room once"
    assert await shelf.sweep(1) == 0
    assert (shelf.path(sha256).exists(), await shelf.rows(sha256)) == (True, 2)
    await shelf.pool.execute("UPDATE media SET viewed_at = now() - interval '1 day'")
    assert await shelf.sweep(1) == MB
    assert (shelf.path(sha256).exists(), await shelf.rows(sha256)) == (False, 0)


@pytest.mark.parametrize(
    ("state", "stays"), [("queued", True), ("sending", True), ("unknown", True), ("failed", False)]
)
async def test_a_file_that_is_still_to_be_sent_stays(shelf: Shelf, state: str, stays: bool) -> None:
    sha256 = await shelf.put(b"x" * MB, viewed_hours_ago=9)
    await shelf.send(sha256, state)
    await shelf.sweep(1)
    assert (shelf.path(sha256).exists(), await shelf.rows(sha256)) == (stays, int(stays))


@pytest.mark.parametrize(("state", "stays"), [("waiting", True), ("paused", True), ("ended", False)])
async def test_the_file_of_a_campaign_stays_until_it_has_ended(shelf: Shelf, state: str, stays: bool) -> None:
    sha256 = await shelf.put(b"x" * MB, viewed_hours_ago=9)
    await shelf.pool.execute(
        "INSERT INTO sources (tenant_id, kind, media_sha256, state) VALUES ($1, 'image', $2, $3)",
        shelf.tenant, sha256, state,
    )  # fmt: skip
    await shelf.sweep(1)
    assert shelf.path(sha256).exists() is stays


async def test_a_send_that_is_just_put_in_keeps_its_file(shelf: Shelf) -> None:
    sha256 = await shelf.put(b"x" * MB, viewed_hours_ago=9)
    async with shelf.pool.acquire() as connection, connection.transaction():
        # as `outbox.rows.enqueue` does
        await connection.execute(outbox.q.hold_file, sha256)
        sweeping = asyncio.create_task(shelf.sweep(1))
        await shelf.until_somebody_waits_for_a_lock()
        await connection.execute(
            "INSERT INTO outbox (tenant_id, device_no, to_jid, kind, media_sha256, created_by)"
            " VALUES ($1, $2, '1@s.whatsapp.net', 'document', $3, 'test')",
            shelf.tenant, shelf.device_no, sha256,
        )  # fmt: skip
    assert await sweeping == 0
    assert shelf.path(sha256).exists()


async def test_a_crash_between_file_and_row_is_mended_by_the_next_sweep(shelf: Shelf) -> None:
    sha256 = await shelf.put(b"x" * MB, viewed_hours_ago=9)
    shelf.path(sha256).unlink()  # the row is still there: the commit never came
    assert await shelf.store.open(shelf.tenant, sha256) is None, "it is fetched again"
    assert await shelf.sweep(1) == MB
    assert await shelf.rows(sha256) == 0


async def test_two_sweeps_at_once_are_one(shelf: Shelf) -> None:
    for number in range(40):
        await shelf.put(bytes([number]) * 1000, viewed_hours_ago=number + 1)
    freed = await asyncio.gather(*(shelf.sweep(10_000) for _ in range(4)))
    assert sum(freed) == 30_000
    assert len(shelf.files()) == 10


async def test_fetches_of_messages_that_are_gone_are_forgotten_a_thousand_at_a_time(shelf: Shelf) -> None:
    await shelf.pool.execute(
        "INSERT INTO messages (chat_id, key, tenant_id, device_no, kind, flags, status, message_id, created_at)"
        " SELECT 1, n, $1, $2, 1, 0, 0, 'M' || n, now() FROM generate_series(1, 5000) n WHERE n % 10 <> 0",
        shelf.tenant, shelf.device_no,
    )  # fmt: skip
    await shelf.pool.execute(
        "INSERT INTO media_fetches (chat_id, key, tenant_id, device_no) SELECT 1, n, $1, $2"
        " FROM generate_series(1, 2500) n",
        shelf.tenant, shelf.device_no,
    )  # fmt: skip
    await shelf.pool.execute("ANALYZE messages; ANALYZE media_fetches")
    places, left = [BEFORE_ALL], []
    for _ in range(3):
        places.append(await forget_gone(shelf.pool, places[-1]))
        left.append(await shelf.pool.fetchval("SELECT count(*) FROM media_fetches"))
    assert places[1:] == [(1, 1000), (1, 2000), BEFORE_ALL]
    assert left == [2400, 2300, 2250]
