"""A worker stands still for longer than its lease lasts, in the middle of a campaign, and goes on when its devices are
another's: what arrived is counted at WhatsApp's side."""

from __future__ import annotations

import asyncio
import secrets
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from tests.database import Database, pool_of
from tests.integration.devices.stack import Stack, Worker
from tests.simulator import Simulator
from wafast.devices import lease
from wafast.devices.home import Home, make_name
from wafast.devices.lease import Leases
from wafast.devices.rows import DeviceRow
from wafast.outbox import claim as claims

LEFT = ("sent", "delivered", "read")
PACE = {"min_seconds": 0.05, "max_seconds": 0.1}


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Simulator]:
    (tmp_path / "simulator").mkdir()
    simulator = Simulator.start(tmp_path / "simulator", seed=7)
    yield simulator
    simulator.stop()


class Campaign:
    """Three lines in the middle of a campaign. One sends all the time, one types for seconds after a file is uploaded,
    and of one a message has arrived and WhatsApp's answer has not."""

    def __init__(self, stack: Stack, lines: list[DeviceRow], phones: list[str]) -> None:
        self.stack, self.lines, self.phones = stack, lines, phones
        self.sources: list[int] = []

    @classmethod
    async def begin(cls, stack: Stack) -> Campaign:
        """Returns in its middle."""
        phones = [f"6013{secrets.randbelow(10**8):08}" for _ in range(3)]
        made = cls(stack, [await stack.pair(phone) for phone in phones], phones)
        fast, typing, unanswered = (line.no for line in made.lines)
        await stack.pool.execute(
            "UPDATE devices SET min_seconds = 0, max_seconds = 0, per_hour = 1000, per_day = 1000, ramp = false,"
            " typing = no = $1", typing,
        )  # fmt: skip
        file: dict[str, Any] = {"kind": "document", "file_name": "a.pdf"}
        file["media_sha256"] = await stack.add_file(secrets.token_bytes(100_000), "application/pdf")
        await asyncio.to_thread(stack.simulator.hold_acks, phones[2], True)
        long = "Words that are typed for seconds. " * 9
        for line, words, count, more in ((fast, "Hello", 25, {}), (typing, long, 3, file), (unanswered, "Hi", 9, {})):
            made.sources.append(await stack.plan(_people(count), words, line, **PACE, **more))
        await stack.until(made._is_in_the_middle, "three lines at work")
        return made

    async def _is_in_the_middle(self) -> bool:
        typing, unanswered = self.phones[1:]
        left = await self.stack.pool.fetchval("SELECT count(*) FROM outbox WHERE message_id IS NOT NULL")
        arrived = await asyncio.to_thread(self.stack.simulator.inbox, phone=unanswered)
        types = await asyncio.to_thread(self.stack.simulator.seen, typing)
        # the first is typed for a moment, the second for eight seconds
        is_typed = sum(one.state == "composing" for one in types) > 1
        return is_typed and bool(arrived) and left > 2 and {line.no for line in self.lines[1:]} <= set(await self.cut())

    async def cut(self) -> dict[int, asyncpg.Record]:
        """Rows under way, by their devices."""
        rows = await self.stack.pool.fetch("SELECT * FROM outbox WHERE state = 'sending'")
        return {row["device_no"]: row for row in rows}

    async def got(self) -> set[str]:
        """Who has a message."""
        return {message.contact for message in await asyncio.to_thread(self.stack.simulator.inbox)}

    async def ends(self) -> dict[int, tuple[str, int, str | None]]:
        """How each row ended, how often its person got it, and why it did not leave; once none waits."""
        rows = [row for source in self.sources for row in await self.stack.until_ended(source)]
        arrived: Counter[str] = Counter()
        for phone in self.phones:
            inbox = await asyncio.to_thread(self.stack.simulator.inbox, phone=phone)
            arrived.update(contact for contact, _ in {(message.contact, message.id) for message in inbox})
        return {row["id"]: (row["state"], arrived[row["to_jid"].partition("@")[0]], row["reason"]) for row in rows}


def check(ends: dict[int, tuple[str, int, str | None]], cut: dict[int, asyncpg.Record]) -> None:
    """Who is said to have got it got it once; only of what was under way as the worker stood still is anything else
    said, with its reason, and then nobody has it twice."""
    under_way = {row["id"] for row in cut.values()}
    for row, (state, times, reason) in ends.items():
        assert times == 1 if state in LEFT else row in under_way and reason and times < 2, (state, times, reason)


def _people(count: int) -> list[str]:
    first = 60_140_000_000 + secrets.randbelow(10**8)
    return [str(first + number) for number in range(count)]


@pytest_asyncio.fixture
async def campaign(database: Database, tmp_path: Path, simulator: Simulator) -> AsyncIterator[Campaign]:
    async with pool_of(database.uri) as pool:
        stack = await Stack.make(database.uri, tmp_path, simulator, pool)
        stack.start_worker(node="one", safety="1")
        yield await Campaign.begin(stack)
        stack.end()


@pytest.fixture
def frozen(campaign: Campaign) -> Worker:
    """The worker of the lines, as it stands still."""
    [worker] = campaign.stack.workers
    worker.process.send_signal(signal.SIGSTOP)
    return worker


async def test_what_another_worker_took_from_one_that_stood_still_leaves_once_and_from_one_of_them(
    campaign: Campaign, frozen: Worker
) -> None:
    stack, (_, typing, unanswered) = campaign.stack, campaign.lines
    cut = await campaign.cut()
    await asyncio.to_thread(stack.simulator.clear, campaign.phones[2])
    stack.start_worker(node="two", safety="1")
    held = "SELECT count(*) = 3 FROM leases l JOIN workers w ON w.id = l.worker_id WHERE w.node = 'two'"
    await stack.until(lambda: stack.pool.fetchval(held), "the other's leases")
    for line in campaign.lines:
        await stack.until_state(line.id, "online")
    frozen.process.send_signal(signal.SIGCONT)
    await stack.until_sent(cut[unanswered.no]["id"], "delivered")
    ends = await campaign.ends()
    assert ends[cut[typing.no]["id"]][:2] in (("failed", 0), ("unknown", 0))
    assert ends[cut[unanswered.no]["id"]][:2] == ("delivered", 1), "its receipt said so"
    check(ends, cut)
    became = await stack.pool.fetch("SELECT DISTINCT state FROM device_changes WHERE state = 'replaced'")
    assert became == [], "who has lost the lease says nothing of the line"
    accounts = await asyncio.to_thread(stack.simulator.accounts)
    assert all(device.online for phone in campaign.phones for device in accounts[phone].devices)


async def test_a_worker_that_goes_on_before_the_other_has_a_session_sends_nothing_more(
    campaign: Campaign, frozen: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own sessions are whole then."""
    stack, typing = campaign.stack, campaign.lines[1]
    monkeypatch.setattr(lease, "this_node", lambda: "two")
    home = Home(make_name(stack.data_dir), stack.data_dir / "sessions" / "loopback")
    other = Leases(stack.pool, uuid4(), "loopback", home=home)

    async def taken() -> bool:
        await other.beat()
        await other.bury_others()
        await other.acquire()
        return bool(await stack.pool.fetchval("SELECT count(*) = 3 FROM leases WHERE worker_id = $1", other.worker_id))

    cut = await campaign.cut()
    await stack.until(taken, "the other's leases")
    await claims.orphan(stack.pool, [line.no for line in campaign.lines])
    before = await campaign.got()
    frozen.process.send_signal(signal.SIGCONT)

    async def given_up() -> bool:
        await other.beat()
        accounts = await asyncio.to_thread(stack.simulator.accounts)
        return not any(device.online for phone in campaign.phones for device in accounts[phone].devices)

    await stack.until(given_up, "the end of its sessions")
    under_way = {row["to_jid"].partition("@")[0] for no, row in cut.items() if no != typing.no}
    assert await campaign.got() - before <= under_way, "what the engine had already may leave"
    await asyncio.to_thread(stack.simulator.clear, campaign.phones[2])
    await other.resign()
    ends = await campaign.ends()
    assert ends[cut[typing.no]["id"]] == (
        "failed", 0, "not sent: its worker stood still, and others had given it up before it left",
    )  # fmt: skip
    check(ends, cut)
