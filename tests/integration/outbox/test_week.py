"""A week of sending on a virtual clock: gaps, caps, hours where people live, fairness, and the slow start."""

from __future__ import annotations

import asyncio
import itertools
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from tests.database import Database
from tests.integration.outbox.floor import Floor
from tests.integration.outbox.lines import Line, Send, sending, take
from tests.integration.outbox.virtual import World
from wafast.devices.session import Change, Content, NotSent, Refused, Sent, Unanswered
from wafast.outbox import send
from wafast.outbox.sources import Pace

#: A Monday; the clocks of Berlin change in the night to Sunday the 29th.
START = datetime(2026, 3, 23, tzinfo=UTC)
WEEK = timedelta(days=7)
ZONES = ["Asia/Kuala_Lumpur", "Europe/Berlin", "America/New_York"]
OPENS, CLOSES = time(9), time(18)


def most_within(instants: Sequence[datetime], width: timedelta) -> int:
    """How many lie in the fullest window of this width, wherever it begins."""
    return max((bisect_left(instants, at + width) - place for place, at in enumerate(instants)), default=0)


def test_a_week_keeps_caps_hours_and_turns(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two devices, each with two campaigns of very different gaps, to people of three zones on working days: through a
    worker's sender, with its typing, to a server that refuses some and does not answer others."""
    world = World(database.uri, START)
    monkeypatch.setattr(send, "time", SimpleNamespace(monotonic=world.loop.time))
    monkeypatch.setattr(send, "SAFETY_SECONDS", 3 * 3600.0)
    world.run(_week(world, tmp_path))


async def _week(world: World, folder: Path) -> None:
    pool = await world.open_pool(4)
    floor = await Floor.make(pool)
    devices = await floor.devices(2, min_seconds=5, max_seconds=15, per_hour=8, per_day=20, quiet_from=time(17, 30),
                                  quiet_until=time(7), typing=True)  # fmt: skip
    working_days, every_day = Pace(10, 30, OPENS, CLOSES, 0b0011111), Pace(60, 300, OPENS, CLOSES)
    pace_of: dict[str, Pace] = {}
    zone_of: dict[str, ZoneInfo] = {}
    for pace in (working_days, every_day):
        source = await floor.source(pace)
        for device, zone in itertools.product(devices, ZONES):
            await floor.rows(source, device, 60, zone)
        for row in await pool.fetch("SELECT to_jid, n.zone FROM outbox o JOIN lanes n ON n.id = o.lane_id"
                                    " WHERE o.source_id = $1", source):  # fmt: skip
            zone_of[row["to_jid"]] = ZoneInfo(row["zone"])
            pace_of[row["to_jid"]] = pace
    left: dict[int, list[tuple[datetime, str]]] = {no: [] for no in devices}
    lines = [Line(no) for no in devices]
    for line in lines:
        line.server = _moody(world, left[line.device_no])
    async with sending(floor, lines, folder):
        await asyncio.sleep(WEEK.total_seconds())
    for sent in left.values():
        instants = [at for at, _ in sent]
        assert most_within(instants, timedelta(hours=1)) <= 8
        assert most_within(instants, timedelta(days=1)) <= 20
        assert len(sent) > 7 * 14, "and the caps are used"
        assert min(b - a for a, b in itertools.pairwise(instants)) >= timedelta(seconds=10), "typing comes on top"
    everybody = [one for sent in left.values() for one in sent]
    for at, person in everybody:
        local = at.astimezone(zone_of[person])
        assert OPENS <= local.time() < time(17, 30, 10), "hours of the campaign, less the device's quiet ones"
        assert pace_of[person].days >> local.weekday() & 1
    sunday = [at for at, person in everybody if zone_of[person].key == "Europe/Berlin" and at.date().day == 29]
    assert min(sunday).hour == 7, "9:00 in Berlin is an hour earlier after the change"
    working = [pace_of[person] is every_day for at, person in everybody if at < START + timedelta(days=4)]
    assert abs(2 * sum(working) - len(working)) <= 0.1 * len(working), "they take turns"
    assert len({person for _, person in everybody}) == len(everybody), "nothing leaves twice"
    ends = await pool.fetch("SELECT to_jid, state FROM outbox WHERE state NOT IN ('queued', 'sending')")
    assert {row["to_jid"] for row in ends if row["state"] in ("sent", "unknown")} == {person for _, person in everybody}
    assert {row["state"] for row in ends} == {"sent", "unknown", "failed"}


def _moody(world: World, left: list[tuple[datetime, str]]) -> Send:
    """A server that takes most: of ten people it answers nothing for one, refuses one, and is away for one at first."""
    asked: Counter[str] = Counter()

    async def answer(to_jid: str, content: Content | Change) -> Sent:
        asked[to_jid] += 1
        match int(to_jid.partition("@")[0]) % 10:
            case 1:
                left.append((world.now(), to_jid))
                raise Unanswered("the line broke")
            case 2:
                raise Refused("WhatsApp refused it")
            case 3 if asked[to_jid] == 1:
                raise NotSent("the media servers are away")
        left.append((world.now(), to_jid))
        return await take(to_jid, content)

    return answer


async def test_gaps_are_uniform_between_the_stricter_bounds(floor: Floor) -> None:
    [device] = await floor.devices(1, min_seconds=5, max_seconds=25, per_hour=100_000, per_day=1_000_000)
    await floor.rows(await floor.source(Pace(10, 20)), device, 1_500)
    left = await floor.run(START, START + timedelta(days=1), [device])
    gaps = sorted((b - a).total_seconds() for (a, _), (b, _) in itertools.pairwise(left))
    assert len(gaps) == 1_499
    assert gaps[0] >= 10
    assert gaps[-1] <= 25.01
    # Kolmogorov and Smirnov: were they uniform, the distance would be above this once in a billion runs
    distance = max(abs((place + 0.5) / len(gaps) - (gap - 10) / 15) for place, gap in enumerate(gaps))
    assert distance < 3.3 / len(gaps) ** 0.5


async def test_a_device_paired_lately_starts_slowly(floor: Floor) -> None:
    [device] = await floor.devices(
        1, ramp=True, min_seconds=60, max_seconds=120, per_hour=500, per_day=200, paired_at=START
    )
    await floor.rows(await floor.source(Pace(0, 0)), device, 1_500)
    left = await floor.run(START, START + timedelta(days=15), [device])
    days = Counter((at - START).days for at, _ in left)
    assert days[0] == 20
    assert most_within([at for at, _ in left], timedelta(days=1)) <= 200
    assert all(days[day] <= days[day + 1] * 1.1 + 5 for day in range(13)), days
    assert days[3] < 45
    assert days[7] < 90
    assert days[14] > 150
