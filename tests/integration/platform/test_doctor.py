"""The doctor on real databases and a running system: what it reads is what is there."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.database import Database
from tests.system import System, run
from wafast.database import migrations
from wafast.devices.lease import EXPIRY_SECONDS
from wafast.doctor import database as doctor
from wafast.doctor import leases
from wafast.doctor.trouble import Note, Trouble


class World:
    """A database, and devices and workers in it."""

    def __init__(self, uri: str, connection: asyncpg.Connection, tenant_id: int) -> None:
        self.uri, self._connection, self._tenant_id = uri, connection, tenant_id

    async def device(self, name: str, state: str, **more: Any) -> int:
        """A device that is to be online."""
        columns = {
            "tenant_id": self._tenant_id, "name": name, "network": "loopback", "state": state,
            "jid": f"{name}@s.whatsapp.net", "desired_state": "connected",
        } | more  # fmt: skip
        places = ", ".join(f"${place}" for place in range(1, len(columns) + 1))
        query = f"INSERT INTO devices ({', '.join(columns)}) VALUES ({places}) RETURNING no"
        no: int = await self._connection.fetchval(query, *columns.values())
        return no

    async def worker(self, seconds: float, *holds: int) -> UUID:
        """A worker that lives for so many seconds more and holds devices."""
        id = uuid4()
        await self._connection.execute(
            "INSERT INTO workers (id, network, node, pid, expires_at, figures) "
            "VALUES ($1, 'loopback', 'n', 1, now() + make_interval(secs => $2), '{\"rss_bytes\": 7}')",
            id, seconds,
        )  # fmt: skip
        for device_no in holds:
            await self._connection.execute(
                "INSERT INTO leases (device_no, tenant_id, worker_id) VALUES ($1, $2, $3)",
                device_no, self._tenant_id, id,
            )  # fmt: skip
        return id

    async def value(self, query: str) -> Any:
        """The first of any statement."""
        return await self._connection.fetchval(query)

    async def execute(self, query: str, *arguments: object) -> None:
        """Any statement."""
        await self._connection.execute(query, *arguments)


@pytest.fixture
async def world(database: Database) -> Any:
    connection = await asyncpg.connect(database.uri)
    tenant_id = await connection.fetchval("INSERT INTO tenants (name) VALUES ('Main') RETURNING id")
    yield World(database.uri, connection, tenant_id)
    await connection.close()


async def test_what_the_server_says_of_itself_is_read(world: World) -> None:
    server = (await doctor.read(world.uri)).server
    assert server.applied == len(migrations.read())
    assert server.version.startswith("1") and abs(server.skew_seconds) < 1
    assert server.settings == {name: await world.value(f"SHOW {name}") for name in doctor.WANTED}
    with pytest.raises(Trouble, match=r"fsync is off.*autovacuum is off"):
        doctor.safety(server)  # as those of tests are (tests/conftest.py)
    assert server.connections >= 2 and server.ours == 0 and server.room > 50
    assert server.folder is not None and server.folder in doctor.disk(server)
    for check in (doctor.version, doctor.connections, doctor.age, doctor.skew, doctor.disk):
        assert check(server)


async def test_our_own_connections_are_counted(world: World) -> None:
    ours = [
        await asyncpg.connect(world.uri, server_settings={"application_name": name})
        for name in ("wafast api", "wafast core", "wafast command", "psql")
    ]
    assert (await doctor.read(world.uri)).server.ours == 2
    for connection in ours:
        await connection.close()


async def test_a_database_without_migrations_says_only_what_it_is(database: Database) -> None:
    empty = await doctor.read(database.create(migrated=False))
    assert (empty.server.applied, empty.workers, empty.devices) == (0, [], [])
    assert f"{len(migrations.read())} migrations to come" in doctor.version(empty.server)


async def test_devices_that_are_held_and_online_are_no_trouble(world: World) -> None:
    held = [await world.device(name, "online") for name in ("one", "two")]
    await world.worker(EXPIRY_SECONDS - 4, *held)
    await world.device("resting", "offline", desired_state="disconnected")
    await world.device("fresh", "new", jid=None)
    found = await doctor.read(world.uri)
    assert [(d.network, d.wanted, d.online) for d in found.devices] == [("loopback", 2, 2)]
    assert re.fullmatch(r"1 loopback; 2 devices held, oldest heartbeat \d+ s ago", leases.workers(found))
    assert [worker.rss_bytes for worker in found.workers] == [7]
    assert leases.holders(found, None, system_runs=True) and leases.stuck(found) and leases.given_up(found)


async def test_a_dead_workers_devices_are_found_without_a_holder(world: World) -> None:
    held = [await world.device(name, "online") for name in ("one", "two")]
    dead = await world.worker(-60.0, *held)
    found = await doctor.read(world.uri)
    with pytest.raises(Trouble, match=f"worker {dead} .* has not beaten for 6[0-9] s too long and still holds 2"):
        leases.workers(found)
    with pytest.raises(Trouble, match=r"2 devices \(one, two\); no worker of network loopback lives"):
        leases.holders(found, None, system_runs=True)


async def test_a_device_in_connecting_for_minutes_is_found(world: World) -> None:
    no = await world.device("slow", "connecting", state_reason="Connecting to WhatsApp")
    await world.worker(11.0, no)
    assert leases.stuck(await doctor.read(world.uri))
    await world.execute("UPDATE devices SET state_at = now() - interval '12 minutes' WHERE no = $1", no)
    with pytest.raises(Trouble, match=r"1 device \(slow\), the longest for 12"):
        leases.stuck(await doctor.read(world.uri))


async def test_devices_that_are_left_alone_until_a_person_acts_are_found(world: World) -> None:
    for name, state in (("a", "banned"), ("b", "replaced"), ("c", "logged_out"), ("d", "offline")):
        no = await world.device(name, state, state_reason=f"because {name}")
        if state != "logged_out":
            await world.execute("UPDATE devices SET retry_at = 'infinity' WHERE no = $1", no)
    await world.device("waits a while", "offline")
    await world.execute("UPDATE devices SET retry_at = now() + interval '1 minute' WHERE name = 'waits a while'")
    with pytest.raises(Note, match=r"a person: 4 devices .*1 banned.*because"):
        leases.given_up(await doctor.read(world.uri))


async def test_devices_a_worker_died_of_are_found_while_they_are_tried(world: World) -> None:
    await world.device("bad", "offline", crashes=2)
    await world.device("worse", "offline", crashes=3)
    await world.execute("UPDATE devices SET retry_at = 'infinity' WHERE name = 'worse'")
    found = await doctor.read(world.uri)
    with pytest.raises(Note, match=r"1 device \(bad\), bad 2 times"):
        leases.suspected(found)
    assert [device.name for device in found.given_up] == ["worse"]


def test_a_running_system_is_well(system: System) -> None:
    looked = run(system.data_dir, "doctor", "--json", check=False, PORT=str(system.port))
    told = json.loads(looked.stdout)
    levels = {finding["check"]: finding["level"] for finding in told["checks"]}
    assert {check: level for check, level in levels.items() if level == "trouble"} == {}
    assert looked.returncode == 0 and told["ok"] is True
    assert {
        "Python", "core", "neonize", "web app", "data folder", "database", "db disk", "db clock", "connections",
        "db safety", "db age", "workers", "leases", "connecting", "suspected", "given up", "sessions", "worker RAM",
        "homes",
        "open files", "threads", "mappings", "memory", "clock", "spool", "chats", "loopback", "AI", "web server",
    } == set(levels)  # fmt: skip
    text = run(system.data_dir, "doctor", PORT=str(system.port)).stdout
    assert f"  ok       web server   answers on port {system.port}" in text.splitlines()


def test_a_database_that_does_not_answer_is_trouble(tmp_path: Path) -> None:
    looked = run(tmp_path, "doctor", check=False, DB_URI="postgresql://a:s3cret@127.0.0.1:1/x")
    assert looked.returncode == 1
    assert "TROUBLE  database     it does not answer: " in looked.stdout and "look at DB_URI" in looked.stdout
    assert "s3cret" not in looked.stdout
    assert os.fspath(tmp_path) in looked.stdout  # and everything else is still looked at
