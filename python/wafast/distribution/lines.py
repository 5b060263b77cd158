"""How a tenant's devices stand: what each can take today, and its share of those whom nobody knows."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from wafast.database.queries import load

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wafast.events.bus import Executor

q = load(__file__)

#: A new device's share grows to a whole one in so many days.
GROWN_DAYS = 14
#: And begins with this.
NEW_SHARE = 0.25
#: So much of its share a device loses with each connection it lost within a day …
LOSS = 0.9
#: … and with a pause by WhatsApp within a week.
PAUSE_SHARE = 0.5
#: A device that failed to connect so often in a row, which takes some minutes, is not waited for.
MOST_FAILURES = 6
#: Rows that are summed up in one statement.
STEP = 20_000


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A device that could take people.

    Args:
        no: its number.
        device_id: its public id.
        name: as people call it.
        network: it is on.
        state: of its session.
        cap: sends it may make in a day, fewer while it is new.
        per_hour: and in an hour.
        sent: those it has made within a day.
        waiting: rows that wait there and may leave within a day, counted up to an hour's worth.
        lost: connections it lost within a day.
        people: leads it has.
        days: since it was paired.
        was_paused: WhatsApp held it back within a week.
        paused_until: WhatsApp holds it back until then.
        desired_state: what people want of it.
        failures: to connect, in a row.
    """

    no: int
    device_id: UUID
    name: str
    network: str
    state: str
    cap: int
    per_hour: int
    sent: int
    waiting: int
    lost: int
    people: int
    days: float
    was_paused: bool
    paused_until: datetime | None
    desired_state: str
    failures: int

    @property
    def is_ready(self) -> bool:
        """Whether it is online and nobody holds it back."""
        return self.state == "online" and self.paused_until is None

    @property
    def comes_back(self) -> bool:
        """Whether it can send, now or once it is connected again."""
        if self.paused_until is not None or is_away(self.state, self.desired_state, self.failures):
            return False
        return self.state in ("online", "offline", "connecting")

    @property
    def left(self) -> int:
        """Sends it has left today."""
        return max(0, self.cap - self.sent)

    @property
    def room(self) -> int:
        """Rows it can take now: what it may send in an hour is enough to wait there, so that who comes online later
        gets a share, and little has to move when it is lost."""
        return max(0, self.hour - self.waiting)

    @property
    def hour(self) -> int:
        """What it may send in the next hour, as far as is known."""
        return min(self.left, self.per_hour) if self.comes_back else 0

    @property
    def weight(self) -> float:
        """Its share of those whom nobody knows: by what it has left, health and age."""
        return self.left * self.share if self.is_ready else 0.0

    @property
    def share(self) -> float:
        """How much of its capacity it is trusted with, from 0 to 1: by health and age."""
        age = NEW_SHARE + (1 - NEW_SHARE) * min(1.0, self.days / GROWN_DAYS)
        return max(0.01, LOSS**self.lost * (PAUSE_SHARE if self.was_paused else 1.0) * age)

    @property
    def why(self) -> str:
        """How it stands, for people."""
        told = [f"{self.left} of {self.cap} sends left today", f"paired {int(self.days)} days ago"]
        if self.lost:
            told.append(f"lost its connection {self.lost} times today")
        if self.was_paused:
            told.append("held back by WhatsApp this week")
        return ", ".join(told)


def is_away(state: str, desired_state: str, failures: int) -> bool:
    """Whether a device is without a connection for longer: it is not linked, people want it so, or it failed again and
    again."""
    if state in ("new", "pairing"):
        return True
    return state in ("offline", "connecting") and (desired_state != "connected" or failures >= MOST_FAILURES)


async def standings(connection: Executor, tenant_id: int, device_ids: Sequence[UUID] | None = None) -> list[Standing]:
    """All paired devices of a tenant, or those of `device_ids` only."""
    rows = await connection.fetch(q.standings, tenant_id, device_ids)
    return [msgspec.convert(dict(row), Standing) for row in rows]


async def fold(connection: Executor) -> None:
    """Sum up how many leads devices have got and lost since, so that reading it stays cheap; as outbox/counts.py. One
    process at a time does it."""
    while await connection.fetchval(q.fold_lead_counts, STEP) == STEP:
        pass


def why_none(lines: Iterable[Standing], chosen: bool) -> str:
    """Why none of these devices can take anybody, for people."""
    which = "the chosen devices" if chosen else "your devices"
    ready = [line for line in lines if line.state == "online"]
    if not ready:
        return f"None of {which} is online"
    if all(line.paused_until is not None for line in ready):
        return f"WhatsApp holds back all of {which} that are online"
    if all(line.left == 0 for line in ready):
        return f"All of {which} that are online have sent what they may today"
    return f"All of {which} that are online have enough to send for the next hour"
