"""The demo workspace: simulated lines on the loopback network, whose contacts write by themselves, a campaign that
goes on for a day, and a sequence."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from wafast import logs
from wafast.accounts import tenants
from wafast.campaigns import rows as campaigns
from wafast.campaigns.rows import Plan
from wafast.database.pool import open_pool
from wafast.database.queries import load
from wafast.devices import rows
from wafast.devices.rows import DeviceRow
from wafast.outbox.sources import Message, Pace
from wafast.sequences import intakes
from wafast.sequences import rows as sequences
from wafast.settings import Settings

q = load(__file__)
log = logs.get("demo")

TENANT = "Demo"
#: The lines: name, phone, how many contacts write to it, and how many messages they begin a minute.
LINES = (
    ("Kedai Bunga Melor", "60123456701", 6, 6.0),
    ("Klinik Gigi Seri", "60123456702", 5, 4.0),
    ("Bengkel Ah Seng", "60123456703", 4, 3.0),
)
#: Who the demo's campaign goes to: so many for each line that it goes on for a day at the lines' pace.
PEOPLE_A_LINE = 800
NAMES = (
    ("Aina", "Farid", "Mei Ling", "Kumar", "Siti", "Wei Jie", "Nurul", "Arjun", "Hafiz", "Li Ting", "Devi", "Zainab"),
    ("Rahman", "Tan", "Abdullah", "Lim", "Subramaniam", "Ismail", "Wong", "Hassan", "Nair", "Chong"),
)
FIRST_NUMBER = 60_11_2000_0000
OFFER = """{{Hi|Hello}} {name|friend}, {greeting}!

Our *weekend offer* is here: 20% off everything until Sunday. Reply STOP if you would rather not hear from us."""
#: A sequence of a few minutes, so that one can watch somebody go through it: seconds after the step before, and words.
WELCOME = (
    (0, "{salam} {name|friend}! Thank you for your interest. How can we help?"),
    (180, "Did you have time to look at our price list, {name|friend}?"),
    (600, "Shall we call you tomorrow? Just answer with a time that suits you."),
    (86_400, "It was nice to meet you. Write to us whenever you like."),
)
#: Faster than a real line should be, so that something can be seen.
PACE: dict[str, Any] = {"min_seconds": 20.0, "max_seconds": 90.0, "per_hour": 120, "per_day": 1000, "ramp": False}
#: A pairing takes a second; on a machine that still builds and starts other things, longer.
QR_SECONDS = 60.0
ORDER_SECONDS = 60.0


class Profile(msgspec.Struct, frozen=True):
    """What the simulator says of itself (`loopback.json`)."""

    proxy: str
    control: str


class SimulatorError(RuntimeError):
    """The simulator refused an order, or hung up; the text is its reason."""


def read_profile(path: Path) -> Profile:
    """The simulator's profile file."""
    return msgspec.json.decode(path.read_bytes(), type=Profile)


def main(settings: Settings, database_uri: str) -> None:
    """`run` as a process of its own."""
    logs.configure(settings.log, "demo")
    asyncio.run(run(settings, database_uri))


async def run(settings: Settings, database_uri: str) -> None:
    """Make the demo workspace and its lines, and bring them to life. Does what is missing, so it may run again.

    Raises SimulatorError or TimeoutError when a line can't be paired.
    """
    profile = read_profile(settings.simulator_dir / "loopback.json")
    pool = await open_pool(database_uri, size=2, name="demo")
    try:
        tenant_id = await _tenant(pool)
        devices = {device.name: device for device in await _devices(pool, tenant_id)}
        for name, phone, contacts, per_minute in LINES:
            if name not in devices:
                continue  # a person deleted or renamed it
            if devices[name].jid is None and devices[name].state in ("new", "pairing"):
                await _pair(pool, devices[name], phone, profile)
            await order(profile, "live", phone=phone, on=True, contacts=contacts, per_minute=per_minute)
        await _campaign(pool, tenant_id, [devices[name] for name, *_ in LINES if name in devices])
    finally:
        await pool.close()


async def _tenant(pool: asyncpg.Pool) -> int:
    found = await tenants.find_tenant(pool, TENANT)
    return found if found is not None else await tenants.create_tenant(pool, TENANT, "loopback")


async def _devices(pool: asyncpg.Pool, tenant_id: int) -> list[DeviceRow]:
    """The workspace's devices; the first time all lines are made at once, so that one missing later was deleted."""
    found = await rows.list_devices(pool, tenant_id, limit=1000)
    if found:
        return found
    return [await rows.create_device(pool, tenant_id, name, "loopback") for name, *_ in reversed(LINES)]


async def _pair(pool: asyncpg.Pool, device: DeviceRow, phone: str, profile: Profile) -> None:
    """The simulated phone scans the device's code, as a person would."""
    pairing = await rows.create_pairing(pool, device.tenant_id, device.id, "qr", None)
    assert pairing is not None
    async with asyncio.timeout(QR_SECONDS):
        while pairing.qr is None:
            if pairing.state != "waiting":
                raise SimulatorError(f"{device.name} could not be paired: {pairing.reason}")
            await asyncio.sleep(0.1)
            shown = await rows.get_pairing(pool, device.tenant_id, pairing.id)
            assert shown is not None
            pairing = shown
    await order(profile, "scan", phone=phone, qr=pairing.qr, name=device.name)
    log.info("paired", device=device.no, name=device.name)


async def _campaign(pool: asyncpg.Pool, tenant_id: int, lines: list[DeviceRow]) -> None:
    """People to write to, and a campaign that runs; the first time only, so that one missing later was deleted."""
    if not lines or await pool.fetchval(q.has_campaigns, tenant_id):
        return
    for line in lines:
        await rows.change_device(pool, tenant_id, line.id, PACE)
    count = PEOPLE_A_LINE * len(lines)
    numbers = [f"+{FIRST_NUMBER + n}" for n in range(count)]
    first, last = NAMES
    names = [f"{first[n % len(first)]} {last[n // len(first) % len(last)]}" for n in range(count)]
    await pool.execute(q.people, tenant_id, numbers, names, [line.no for line in lines])
    plan = Plan(
        name="Weekend offer", audience={"tags": ["regular"]}, message=Message("text", OFFER),
        pace=Pace(PACE["min_seconds"], PACE["max_seconds"]),
    )  # fmt: skip
    made = await campaigns.create(pool, tenant_id, "demo", plan, None)
    await campaigns.start(pool, tenant_id, made.id)
    later = Plan(
        name="Raya greetings", audience={"tags": ["vip"]}, pace=Pace(),
        message=Message("text", "Selamat Hari Raya, {name|friend}!"),
    )  # fmt: skip
    await campaigns.create(pool, tenant_id, "demo", later, None)
    await _sequence(pool, tenant_id)
    log.info("a campaign runs", people=count)


async def _sequence(pool: asyncpg.Pool, tenant_id: int) -> None:
    """One that runs, with the people of one tag in it."""
    steps = [sequences.Step(Message("text", words), Pace(), seconds) for seconds, words in WELCOME]
    made = await sequences.create(
        pool, tenant_id, "Welcome", trigger="new", next_sequence_id=None, stop_on_reply=True, steps=steps,
        created_by="demo",
    )  # fmt: skip
    await sequences.change(pool, tenant_id, made, {"state": "active"})
    await intakes.begin(pool, tenant_id, made, {"tags": ["vip"]}, again=False, created_by="demo")


async def order(profile: Profile, op: str, **fields: Any) -> Any:
    """Give the simulator an order by its control port, one line of JSON each way. Raises SimulatorError."""
    host, _, port = profile.control.rpartition(":")
    async with asyncio.timeout(ORDER_SECONDS):
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            writer.write(msgspec.json.encode({"op": op} | fields) + b"\n")
            await writer.drain()
            line = await reader.readline()
        finally:
            writer.close()
    reply = msgspec.json.decode(line or b'{"error": "it hung up"}')
    if "error" in reply:
        raise SimulatorError(f"{op}: {reply['error']}")
    return reply["ok"]
