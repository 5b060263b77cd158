"""Thousands of linked lines: one is paired as any other, the rest are copies of it, here and in the simulator.

Keys are the same in all of them and everything that depends on the number is its own, so each logs in, decrypts and is
stored as a line that was paired by itself; only the pairing's 0.3 s of CPU is spared.
"""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import asyncpg

from wafast import demo
from wafast.database.pool import open_pool
from wafast.database.queries import load
from wafast.devices import rows

q = load(__file__)

#: Numbers of the line that is paired and of its contact; those of the copies follow.
FIRST, FIRST_CONTACT = 60_170_000_000, 60_190_000_000
PAIR_SECONDS = 60.0
#: Lines the simulator is given in one order: its answer is one line, and `demo.order` reads 64 KiB of one.
MANY = 200


async def pair_first(uri: str, profile: demo.Profile) -> asyncpg.Record:
    """Pair one new line of a running system; its row once its phone has told its name."""
    pool = await open_pool(uri, size=2, name="bench")
    try:
        tenant_id = await pool.fetchval("INSERT INTO tenants (name) VALUES ('Bench') RETURNING id")
        device = await rows.create_device(pool, tenant_id, "line 0", "loopback")
        pairing = await rows.create_pairing(pool, tenant_id, device.id, "qr", None)
        async with asyncio.timeout(PAIR_SECONDS):
            while pairing is None or pairing.qr is None:
                await asyncio.sleep(0.1)
                assert pairing is not None
                pairing = await rows.get_pairing(pool, tenant_id, pairing.id)
            await demo.order(profile, "scan", phone=str(FIRST), qr=pairing.qr, name="Line")
            while True:
                row = await pool.fetchrow(q.paired, device.no)
                assert row is not None
                if row["state"] == "online" and row["push_name"]:
                    return row
                await asyncio.sleep(0.1)
    finally:
        await pool.close()


async def load_copies(uri: str, profile: demo.Profile, sessions: Path, first: asyncpg.Record, count: int) -> None:
    """Make `count` lines of the first, in the simulator, in `sessions` and in the database; no system may run."""
    session = _session(sessions / first["store"])
    copied: list[dict[str, Any]] = []
    for start in range(0, count, MANY):
        phones = [str(FIRST + n) for n in range(start + 1, min(start + MANY, count) + 1)]
        copied += await demo.order(profile, "copy", phone=str(FIRST), phones=phones)
    for line in copied:
        (sessions / _store(line)).write_bytes(_renumbered(session, line))
    connection = await asyncpg.connect(uri)
    try:
        await connection.execute("DELETE FROM devices WHERE no = $1", first["no"])
        columns = (
            "tenant_id", "name", "network", "state", "desired_state", "jid", "lid", "phone", "wa_device", "store",
            "push_name",
        )  # fmt: skip
        records = [
            (
                first["tenant_id"], f"line {line['phone']}", "loopback", "offline", "disconnected",
                f"{line['phone']}@s.whatsapp.net", f"{line['lid']}@lid", f"+{line['phone']}", line["device"],
                _store(line), first["push_name"],
            )
            for line in copied
        ]  # fmt: skip
        await connection.copy_records_to_table("devices", records=records, columns=columns)
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


def _store(line: dict[str, Any]) -> str:
    return f"{line['phone']}.db"


def _session(path: Path) -> bytes:
    """A session file as one piece, without its journal."""
    database = sqlite3.connect(path)
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return _with_journal(path.read_bytes(), 1)


def _with_journal(file: bytes, way: int) -> bytes:
    """An SQLite file that says how it is written: 1 with a rollback journal, 2 with a write-ahead log. One in memory
    can only be the first, one of neonize's is the second (bytes 18 and 19, sqlite.org/fileformat2)."""
    return file[:18] + bytes([way, way]) + file[20:]


def _renumbered(session: bytes, line: dict[str, Any]) -> bytes:
    values = {
        "jid": f"{line['phone']}:{line['device']}@s.whatsapp.net",
        "lid": f"{line['lid']}:{line['device']}@lid",
        "phone": line["phone"],
        "lid_user": line["lid"],
        "phone_id": f"{line['lid']}_1:0",
        "identity": bytes.fromhex(line["identity"]),
    }
    database = sqlite3.connect(":memory:", isolation_level=None)
    database.deserialize(session)
    database.execute("PRAGMA foreign_keys = ON")
    for query in (
        q.forget_people, q.forget_identities, q.forget_lids, q.renumber_session, q.know_phone, q.know_own_lid,
    ):  # fmt: skip
        database.execute(query, values)
    file = database.serialize()
    database.close()
    return _with_journal(file, 2)
