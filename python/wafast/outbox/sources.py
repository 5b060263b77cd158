"""Sources: what rows of the outbox come from. A campaign's message is one, and so is each step of a sequence.

Rows of a source are put in without words; they are rendered when due. Only rows of a running source are claimed, so
that `set_state` holds all of them back, or lets them go, at the next claim.

The order of locks. Who moves rows (a merge, a deletion, another number or device, a retry, a device that is deleted or
replaced, the pool, the walk) takes what it needs of these in this order, each kind at once and by its number, so that
of those who want the same none waits in a circle:

1. leads that it changes (the walk, which only refers to them, does so last, and passes those that others hold);
2. campaigns and sequences;
3. sources, of campaigns and of steps alike (`hold`);
4. devices, or what refers to one: the device a lead is given, a lane;
5. enrolments (the walk makes its lanes behind them, before it touches a row);
6. rows.

The claim and the ends of sends wait for nobody: they skip what is held, or try again.
"""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING, Literal

import msgspec

from wafast.database.queries import load
from wafast.events import bus
from wafast.outbox.hours import EVERY_DAY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wafast.events.bus import Executor

q = load(__file__)

SourceState = Literal["waiting", "running", "paused", "ended"]
SourceKind = Literal["text", "image", "video", "document"]


class Message(msgspec.Struct, frozen=True):
    """What a source says: a template (outbox/render.py), and a file of the tenant's media unless `kind` is text."""

    kind: SourceKind
    template: str
    media_sha256: bytes | None = None
    file_name: str | None = None


class Pace(msgspec.Struct, frozen=True):
    """How fast a source's rows leave each device, in seconds between two, and in which hours of the person's day; the
    device's own pace holds as well. `opens` and `closes` are None together: at any hour. Days: bit 0 is Monday."""

    min_seconds: float = 10.0
    max_seconds: float = 30.0
    opens: time | None = None
    closes: time | None = None
    days: int = EVERY_DAY


async def create(connection: Executor, tenant_id: int, message: Message, pace: Pace, *, may_move: bool = False) -> int:
    """A new source in state `waiting`; gives its id. `may_move`: its rows may go to another device when theirs can't
    send."""
    source_id: int = await connection.fetchval(q.create_source, tenant_id, *_columns(message, pace), may_move)
    return source_id


async def change(
    connection: Executor, tenant_id: int, source_id: int, message: Message, pace: Pace, *, may_move: bool
) -> None:
    """Rows that have not left say the new words, at the new pace."""
    await connection.execute(q.change_source, tenant_id, source_id, *_columns(message, pace), may_move)
    await _wake(connection, source_id)


async def set_state(connection: Executor, tenant_id: int, source_id: int, state: SourceState) -> None:
    """Let its rows leave (`running`) or hold them back, from the next claim on. Run it in the transaction that changes
    what stands behind the source."""
    await connection.execute(q.set_source_state, tenant_id, source_id, state)
    await connection.execute(q.set_lanes_live, tenant_id, source_id, state == "running")
    if state == "running":
        await _wake(connection, source_id)


async def hold(
    connection: Executor, source_ids: Sequence[int] = (), *, alone: Sequence[int] = ()
) -> dict[int, SourceState]:
    """Until the transaction ends nobody changes these sources; gives the state of each. What a transaction wants of
    sources it takes by this, once, in its place in the order above.

    Args:
        source_ids: whose rows are to be moved.
        alone: those that may be changed besides, or whose rows nobody else may move meanwhile.
    """
    held = await connection.fetch(q.hold_sources, list(source_ids), list(alone))
    return {row["id"]: row["state"] for row in held}


async def _wake(connection: Executor, source_id: int) -> None:
    """Whoever sends for its devices looks again."""
    devices = await connection.fetch(q.devices_of_source, source_id)
    await bus.wake_each(connection, "outbox", [(row["network"], row["no"]) for row in devices])


def _columns(message: Message, pace: Pace) -> tuple[object, ...]:
    return (
        message.kind, message.template, message.media_sha256, message.file_name,
        pace.min_seconds, pace.max_seconds, pace.opens, pace.closes, pace.days,
    )  # fmt: skip
