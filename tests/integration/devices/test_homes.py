"""A line is connected where its session file is, and nowhere else."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from tests.database import Database
from wafast.accounts import tenants
from wafast.database.pool import open_pool
from wafast.devices import home, lease, rows
from wafast.devices.backoff import LONGEST_SECONDS
from wafast.devices.counts import Counts
from wafast.devices.fleet import Fleet
from wafast.devices.home import Home
from wafast.devices.lease import HOME_PATIENCE_SECONDS, Leases
from wafast.devices.reconciler import Reconciler
from wafast.devices.state import HOME_AWAY
from wafast.outbox import claim


@pytest_asyncio.fixture
async def pool(database: Database) -> AsyncIterator[asyncpg.Pool]:
    pool = await open_pool(database.uri, size=4, name="test")
    await tenants.bootstrap(pool, "admin@example.com", "a long password")
    yield pool
    await pool.close()


class Node:
    """A worker on a data folder of its own, whose sessions would be started."""

    def __init__(self, pool: asyncpg.Pool, data_dir: Path) -> None:
        self.pool, self.data_dir = pool, data_dir
        self.sessions = data_dir / "sessions" / "loopback"
        self.sessions.mkdir(parents=True, exist_ok=True)
        self.home = Home(home.make_name(data_dir), self.sessions)
        self.leases = Leases(pool, uuid4(), "loopback", home=self.home)
        self.started: list[int] = []
        self.fleet = Fleet(pool, self.leases.worker_id, self.sessions, self._make, Counts())
        self.reconciler = Reconciler(pool, self.leases, self.fleet, self._orphan, 50)

    def _make(self, device_no: int, *_: Any) -> Any:
        self.started.append(device_no)
        raise AssertionError("no test gets so far")

    async def _orphan(self, numbers: list[int]) -> None:
        await claim.orphan(self.pool, numbers)

    async def take(self) -> list[int]:
        """The devices its worker takes."""
        await self.leases.beat()
        return [taken.device_no for taken in await self.leases.acquire()]

    async def look(self) -> None:
        """Do what is due, to the end."""
        await self.leases.beat()
        for _ in range(2):
            await self.reconciler.look(None)
            await asyncio.gather(*self.fleet._kept)

    async def dies(self) -> None:
        """It is seen to be gone."""
        await self.pool.execute("UPDATE workers SET expires_at = '-infinity' WHERE id = $1", self.leases.worker_id)
        await lease.Burial(self.pool).attempt()


async def line(pool: asyncpg.Pool, node: Node, *, homeless: bool = False, file: bool = True) -> int:
    """A line that was paired on a node and is to be online; its number."""
    tenant_id = await pool.fetchval("SELECT min(id) FROM tenants")
    device = await rows.create_device(pool, tenant_id, "Shop", "loopback")
    await pool.execute(
        "UPDATE devices SET jid = $2, store = $3, home = $4, state = 'offline', desired_state = 'connected'"
        " WHERE no = $1",
        device.no, f"6010{device.no}@s.whatsapp.net", f"{device.no}.db", None if homeless else node.home.name,
    )  # fmt: skip
    if file:
        with sqlite3.connect(node.sessions / f"{device.no}.db") as made:
            made.execute("CREATE TABLE whatsmeow_device (jid text)")
            made.execute("INSERT INTO whatsmeow_device VALUES ('x')")
        made.close()
    return device.no


async def long_ago(pool: asyncpg.Pool) -> None:
    """Nothing has happened for a while."""
    await pool.execute("UPDATE devices SET state_at = now() - make_interval(secs => $1)", HOME_PATIENCE_SECONDS + 1)


async def state_of(pool: asyncpg.Pool, no: int) -> tuple[str, str | None]:
    row = await pool.fetchrow("SELECT state, state_reason FROM devices WHERE no = $1", no)
    assert row is not None
    return row["state"], row["state_reason"]


async def test_a_line_is_taken_where_its_session_file_is(pool: asyncpg.Pool, tmp_path: Path) -> None:
    here, there = Node(pool, tmp_path / "here"), Node(pool, tmp_path / "there")
    ours, theirs = await line(pool, here), await line(pool, there)
    await long_ago(pool)
    await here.leases.beat(), await there.leases.beat()
    assert await here.take() == [ours]
    assert await there.take() == [theirs]
    assert await here.leases.surplus(10) == []


async def test_a_line_of_before_goes_to_whoever_has_its_file(pool: asyncpg.Pool, tmp_path: Path) -> None:
    here, there = Node(pool, tmp_path / "here"), Node(pool, tmp_path / "there")
    ours, theirs = await line(pool, here, homeless=True), await line(pool, there, homeless=True)
    assert (await here.take(), await there.take()) == ([ours], [theirs])
    homes = await pool.fetch("SELECT home FROM devices ORDER BY no")
    assert [row["home"] for row in homes] == [here.home.name, there.home.name]


async def test_a_line_that_is_paired_lives_where_it_was_paired(pool: asyncpg.Pool, tmp_path: Path) -> None:
    here, there = Node(pool, tmp_path / "here"), Node(pool, tmp_path / "there")
    tenant_id = await pool.fetchval("SELECT min(id) FROM tenants")
    device = await rows.create_device(pool, tenant_id, "Shop", "loopback")
    await rows.create_pairing(pool, tenant_id, device.id, "qr", None)
    assert await there.take() == [device.no]
    await there.dies()
    assert await here.take() == [device.no], "there is no file yet"


async def test_what_a_node_that_is_gone_left_is_ended_elsewhere_and_connected_nowhere(
    pool: asyncpg.Pool, tmp_path: Path
) -> None:
    here, there = Node(pool, tmp_path / "here"), Node(pool, tmp_path / "there")
    no = await line(pool, there)
    assert await there.take() == [no]
    await pool.execute("UPDATE devices SET state = 'online'")
    await there.dies()
    await here.look()
    assert (await state_of(pool, no))[1] == lease.WORKER_DIED, "its node may only restart"
    await Leases(pool, uuid4(), "whatsapp", home=there.home).beat()  # would not take it
    await long_ago(pool)
    await here.look()
    assert await state_of(pool, no) == ("offline", HOME_AWAY)
    assert await pool.fetchval("SELECT worker_id FROM leases") is None
    await long_ago(pool)
    assert await here.take() == [], "all is said"
    assert here.started == []
    again = Node(pool, there.data_dir)
    assert await again.take() == [no]


async def test_a_line_whose_node_is_gone_is_logged_out_elsewhere_and_may_be_paired_there(
    pool: asyncpg.Pool, tmp_path: Path
) -> None:
    here, there = Node(pool, tmp_path / "here"), Node(pool, tmp_path / "there")
    no = await line(pool, there)
    await long_ago(pool)
    await pool.execute("UPDATE devices SET desired_state = 'logged_out'")
    await here.look()
    row = await pool.fetchrow("SELECT id, tenant_id, state, store, home FROM devices WHERE no = $1", no)
    assert row is not None and (row["state"], row["store"], row["home"]) == ("logged_out", None, None)
    await rows.create_pairing(pool, row["tenant_id"], row["id"], "qr", None)
    assert await here.take() == [no]


async def test_a_line_is_moved_by_its_file_and_one_command(pool: asyncpg.Pool, tmp_path: Path) -> None:
    here, there = Node(pool, tmp_path / "here"), Node(pool, tmp_path / "there")
    no = await line(pool, there)
    held = await there.take()

    async def adopt() -> dict[int, str]:
        return await home.adopt(pool, here.data_dir, here.sessions.parent, [no])

    assert "it is held on" in (await adopt())[no]
    await there.leases.release(held)
    assert "is missing" in (await adopt())[no]
    (there.sessions / f"{no}.db").rename(here.sessions / f"{no}.db")
    assert await adopt() == {}
    assert await adopt() == {}, "it is here already"
    assert await there.take() == []
    assert await here.take() == [no]


def test_a_data_folder_has_one_name_whoever_asks_first(tmp_path: Path) -> None:
    assert home.name_of(tmp_path) is None
    with ThreadPoolExecutor(8) as threads:
        names = set(threads.map(home.make_name, [tmp_path] * 8))
    assert names == {home.name_of(tmp_path)}
    assert {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*")} == {"home", "sessions", "sessions/home"}


def test_a_name_that_was_cut_short_is_no_name(tmp_path: Path) -> None:
    (tmp_path / "home").write_bytes(b"")
    assert home.make_name(tmp_path) == home.name_of(tmp_path) != ""


@pytest.mark.parametrize("lost", ["home", "sessions/home"])
@pytest.mark.parametrize("remains", [None, b""])
async def test_a_folder_that_lost_its_name_knows_itself_again(
    pool: asyncpg.Pool, tmp_path: Path, lost: str, remains: bytes | None
) -> None:
    before = Node(pool, tmp_path)
    no = await line(pool, before)
    (tmp_path / lost).unlink()
    if remains is not None:
        (tmp_path / lost).write_bytes(remains)
    again = Node(pool, tmp_path)
    assert await again.take() == [no]
    assert (tmp_path / lost).read_text().strip() == before.home.name


def test_a_name_counts_where_it_was_given_whatever_lies_beside_the_session_files(tmp_path: Path) -> None:
    name = home.make_name(tmp_path)
    (tmp_path / "sessions" / "home").write_text("another folder's, copied here with its files\n")
    assert home.make_name(tmp_path) == name == (tmp_path / "sessions" / "home").read_text().strip()


def test_a_folder_that_takes_no_second_file_has_a_name_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "sessions").symlink_to(tmp_path / "a disk that is not there")
    name = home.make_name(tmp_path)
    assert home.name_of(tmp_path) == name
    (tmp_path / "sessions").unlink()
    (tmp_path / "sessions").write_bytes(b"in the way")
    assert home.make_name(tmp_path) == name


async def test_a_clock_that_was_set_back_lengthens_no_backoff(pool: asyncpg.Pool, tmp_path: Path) -> None:
    node = Node(pool, tmp_path)
    no = await line(pool, node)
    await node.take()

    async def is_due(state: str, seconds: float) -> bool:
        set_back = "UPDATE devices SET state = $1, retry_at = now() + make_interval(secs => $2)"
        await pool.execute(set_back, state, seconds)
        return (await node.reconciler._read([no]))[no].is_due

    assert not await is_due("offline", LONGEST_SECONDS - 10)
    assert await is_due("offline", 3600)
    assert not await is_due("banned", 3600), "that is how long it is"
