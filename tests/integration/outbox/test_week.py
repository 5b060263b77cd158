"""A week of sending on a virtual clock: gaps, caps, hours where people live, fairness, and the slow start."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tests.integration.outbox.floor import Floor
from wafast.outbox.claim import Claim
from wafast.outbox.sources import Pace

#: A Monday; the clocks of Berlin change in the night to Sunday the 29th.
START = datetime(2026, 3, 23, tzinfo=UTC)
WEEK = timedelta(days=7)
ZONES = ["Asia/Kuala_Lumpur", "Europe/Berlin", "America/New_York"]
OPENS, CLOSES = time(9), time(18)


def most_within(instants: Sequence[datetime], width: timedelta) -> int:
    """How many lie in the fullest window of this width, wherever it begins."""
    return max((bisect_left(instants, at + width) - place for place, at in enumerate(instants)), default=0)


def by_device(left: Sequence[tuple[datetime, Claim]]) -> dict[int, list[datetime]]:
    found: dict[int, list[datetime]] = defaultdict(list)
    for at, claim in left:
        found[claim.device_no].append(at)
    return found


async def test_a_week_keeps_caps_hours_and_turns(floor: Floor) -> None:
    """Three devices, each with two campaigns of very different gaps, to people of three zones on working days."""
    devices = await floor.devices(3, min_seconds=5, max_seconds=15, per_hour=12, per_day=70, quiet_from=time(17, 30),
                                  quiet_until=time(7))  # fmt: skip
    working_days = Pace(10, 30, OPENS, CLOSES, 0b0011111)
    every_day = Pace(60, 300, OPENS, CLOSES)
    campaigns = {await floor.source(pace): pace for pace in (working_days, every_day)}
    for campaign, device, zone in itertools.product(campaigns, devices, ZONES):
        await floor.rows(campaign, device, 250, zone)
    zone_of = {
        row["id"]: ZoneInfo(row["zone"])
        for row in await floor.pool.fetch("SELECT o.id, n.zone FROM outbox o JOIN lanes n ON n.id = o.lane_id")
    }
    left = await floor.run(START, START + WEEK, devices)
    for sent in by_device(left).values():
        assert most_within(sent, timedelta(hours=1)) <= 12
        assert most_within(sent, timedelta(days=1)) <= 70
        assert len(sent) > 7 * 55, "and the caps are used"
    for at, claim in left:
        local = at.astimezone(zone_of[claim.id])
        assert OPENS <= local.time() < time(17, 30), "hours of the campaign, less the device's quiet ones"
        assert claim.source_id is not None
        assert campaigns[claim.source_id].days >> local.weekday() & 1
    sunday = [at for at, claim in left if zone_of[claim.id].key == "Europe/Berlin" and at.date().day == 29]
    assert min(sunday).hour == 7, "9:00 in Berlin is an hour earlier after the change"
    working = [claim.source_id for at, claim in left if at < START + timedelta(days=4)]
    shares = Counter(working)
    assert max(shares.values()) - min(shares.values()) <= 0.04 * len(working)
    assert len({claim.id for _, claim in left}) == len(left), "nothing leaves twice"


async def test_gaps_are_uniform_between_the_stricter_bounds(floor: Floor) -> None:
    [device] = await floor.devices(1, min_seconds=5, max_seconds=25, per_hour=100_000, per_day=1_000_000)
    await floor.rows(await floor.source(Pace(10, 20)), device, 1_500)
    left = await floor.run(START, START + timedelta(days=1), [device])
    gaps = sorted((b - a).total_seconds() for (a, _), (b, _) in itertools.pairwise(left))
    assert len(gaps) == 1_499
    assert gaps[0] >= 10
    assert gaps[-1] <= 25.01
    # Kolmogorov and Smirnov: were they uniform, the distance would be above this once in ten thousand runs
    distance = max(abs((place + 0.5) / len(gaps) - (gap - 10) / 15) for place, gap in enumerate(gaps))
    assert distance < 2.23 / len(gaps) ** 0.5


async def test_a_device_paired_lately_starts_slowly(floor: Floor) -> None:
    [device] = await floor.devices(
        1, ramp=True, min_seconds=60, max_seconds=120, per_hour=500, per_day=800, paired_at=START
    )
    await floor.rows(await floor.source(Pace(0, 0)), device, 4_000)
    left = await floor.run(START, START + timedelta(days=15), [device])
    days = Counter((at - START).days for at, _ in left)
    assert days[0] == 20
    assert most_within([at for at, _ in left], timedelta(days=1)) <= 800
    assert all(days[day] <= days[day + 1] * 1.1 + 5 for day in range(13)), days
    assert days[3] < 60
    assert days[7] < 200
    assert days[14] > 600
