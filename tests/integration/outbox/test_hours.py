"""What the claim asks the database of hours is what outbox/hours.py says."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as some

from tests.database import Database
from wafast.database.pool import connect
from wafast.outbox.hours import Hours, next_open, open_at

ZONES = ["Asia/Kuala_Lumpur", "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu",
         "America/Santiago", "Africa/Cairo", "Pacific/Apia"]  # fmt: skip
DAY = timedelta(days=1)
clocks = some.times().map(lambda at: at.replace(second=0, microsecond=0))
every_hours = some.builds(Hours, clocks, clocks, some.integers(1, 127)) | some.builds(Hours, days=some.integers(1, 127))
#: Around the days on which clocks change, and any other.
instants = some.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=some.just(UTC))
changes = some.sampled_from(
    [datetime(2026, 3, 29, 1), datetime(2026, 10, 25, 1), datetime(2026, 10, 3, 15, 30), datetime(2026, 4, 4, 15),
     datetime(2026, 3, 8, 7), datetime(2026, 11, 1, 6), datetime(2026, 9, 6, 4), datetime(2026, 4, 5, 3),
     datetime(2026, 4, 23, 22), datetime(2026, 10, 29, 21)]
).flatmap(lambda at: some.timedeltas(-DAY, DAY).map(lambda off: (at + off).replace(tzinfo=UTC)))  # fmt: skip


def test_the_database_opens_at_the_same_instants(database: Database) -> None:
    loop = asyncio.new_event_loop()
    connection = loop.run_until_complete(connect(database.uri, "hours"))
    ask = "SELECT is_open($1, $2, $3::int2, $4, $5) AS is_open, next_open($1::time, $2::time, $3::int2, $4, $5) AS next"

    @settings(max_examples=600, deadline=None)
    @given(every_hours, some.sampled_from(ZONES), instants | changes)
    def same(hours: Hours, zone: str, at: datetime) -> None:
        row = loop.run_until_complete(connection.fetchrow(ask, hours.opens, hours.closes, hours.days, zone, at))
        assert row is not None
        assert row["is_open"] is open_at(hours, zone, at)
        assert row["next"] == next_open(hours, zone, at)

    try:
        same()
    finally:
        loop.run_until_complete(connection.close())
        loop.close()
