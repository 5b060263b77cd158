"""Why a row that waits has not left: the one rule that holds it, and until when."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from wafast.database.queries import load
from wafast.outbox.claim import NOT_HEARD

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg

    from wafast.outbox.rows import OutboxRow

q = load(__file__)

Rule = Literal[
    "pool", "device_over", "device_offline", "source_not_running", "not_heard", "never_open", "whatsapp_pause",
    "not_before", "hours", "cap_hour", "cap_day", "ramp", "gap", "file", "others", "due",
]  # fmt: skip
#: Rows ahead that are counted, in one lane and in those of all rows that are looked at; where these are in very many,
#: a few in each.
MOST_AHEAD = 1_000
MOST_LOOKED_AT = 20_000
FEW_AHEAD = 100
TEXTS: dict[Rule, str] = {
    "pool": "It waits for a device. {left_reason}.",
    "device_over": "Its device is {state} and sends nothing more: pair it again, let another take its place, or give "
    "this person another device.",
    "device_offline": "Its device is {state}.",
    "source_not_running": "What it belongs to is {state}.",
    "not_heard": f"It does not leave as nobody's STOP would be heard: {NOT_HEARD}",
    "never_open": "The working hours of what it belongs to lie in the quiet hours of its device: it can never leave.",
    "whatsapp_pause": "WhatsApp holds its device back: {pause_reason}.",
    "not_before": "It is to leave then.",
    "hours": "It is outside of working hours, or in quiet hours, where this person lives.",
    "cap_hour": "Its device has sent all it may in an hour ({per_hour}).",
    "cap_day": "Its device has sent all it may in a day ({per_day}).",
    "ramp": "Its device was paired lately, and may send {day_cap} on this day.",
    "gap": "It keeps a gap to what left before.",
    "file": "A file is on its way from its device: what follows it to the same chat, and other files, wait for it.",
    "others": "{ahead} wait before it.",
    "due": "It leaves at any moment.",
}


class HeldBy(msgspec.Struct, frozen=True):
    """The strictest rule that holds a row, until when (None: until something is done), and in plain words. For one
    behind others `until` is an estimate."""

    rule: Rule
    until: datetime | None
    text: str


class Clock(msgspec.Struct, frozen=True):
    """How a device stands with its pace."""

    last_paced_at: datetime | None
    #: the first of what waits; null when nothing does
    next_at: datetime | None
    #: before then nothing may, whatever comes: by the gap, the caps and what WhatsApp told it
    free_at: datetime
    sent_in_hour: int
    sent_in_day: int
    day_cap: int


async def held_by(pool: asyncpg.Pool, row: OutboxRow, *, hears: bool = True) -> HeldBy | None:
    """What holds a row; None when it does not wait. `hears`: as the claim has it."""
    waiting = [row.id] if row.state == "queued" else []
    return (await what_holds(pool, row.tenant_id, waiting, hears=hears)).get(row.id)


async def what_holds(
    pool: asyncpg.Pool, tenant_id: int, rows: Sequence[int], *, hears: bool = True
) -> dict[int, HeldBy]:
    """What holds each of a page of rows; those that do not wait are left out. One query, which looks at MOST_LOOKED_AT
    rows that wait before them, or FEW_AHEAD in each lane."""
    if not rows:
        return {}
    found = await pool.fetch(q.held_by, tenant_id, list(rows), MOST_AHEAD, MOST_LOOKED_AT, FEW_AHEAD)
    return {facts["id"]: judge(dict(facts), hears=hears) for facts in found}


def judge(facts: dict[str, Any], *, hears: bool = True) -> HeldBy:
    """The rule that follows from the facts of the query `held_by`."""

    def by(rule: Rule, until: datetime | None = None) -> HeldBy:
        state: str | None = facts["source_state"] if rule == "source_not_running" else facts["state"]
        words = {**facts, "state": (state or "").replace("_", " ")}
        words["ahead"] = f"{facts['ahead']} or more" if facts["ahead"] == facts["most_ahead"] else facts["ahead"]
        return HeldBy(rule, until, TEXTS[rule].format(**words))

    if facts["source_state"] not in (None, "running"):
        return by("source_not_running")
    if facts["source_state"] is not None and not hears:
        return by("not_heard")
    if facts["device_no"] is None:
        return by("pool")
    if facts["is_over"]:
        return by("device_over")
    if facts["state"] != "online":
        return by("device_offline")
    if facts["priority"] == "paced" and facts["open_at"] is None:
        return by("never_open")
    timed: list[tuple[Rule, str]] = [("not_before", "not_before")]
    if facts["priority"] == "paced":
        timed += [
            ("whatsapp_pause", "paused_until"), ("hours", "open_at"), ("cap_hour", "hour_until"),
            ("cap_day", "day_until"), ("ramp", "ramp_until"),
        ]  # fmt: skip
    now: datetime = facts["now"]
    until, rule = max(((facts[name] or now, rule) for rule, name in timed), key=lambda found: found[0])
    if until > now:
        return by(rule, until)
    after_gap = max(now, facts["gap_until"] or now)
    if facts["is_behind_file"]:
        return by("file")
    if facts["ahead"]:
        return by("others", after_gap + facts["ahead"] * timedelta(seconds=facts["gap_seconds"]))
    if facts["priority"] == "paced" and after_gap > now:
        return by("gap", after_gap)
    return by("due", now)


async def clock_of(pool: asyncpg.Pool, device_no: int) -> Clock:
    """How a device stands with its pace now."""
    row = await pool.fetchrow(q.device_clock, device_no)
    assert row is not None, "the device was there a moment ago"
    return msgspec.convert(dict(row), Clock)
