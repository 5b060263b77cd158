"""A device's state machine. Its one writer is the worker that holds the lease; every move says why.

`new → pairing → connecting → online ⇄ offline → logged_out | banned | replaced | outdated`
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from uuid import UUID

from wafast.database.queries import load
from wafast.events import bus

q = load(__file__)

if TYPE_CHECKING:
    from wafast.events.bus import Executor

State = Literal["new", "pairing", "connecting", "online", "offline", "logged_out", "banned", "replaced", "outdated"]

#: States that only a person can end.
TERMINAL: frozenset[State] = frozenset({"logged_out", "banned", "replaced", "outdated"})

#: Those in which the phone still knows the device: where a new pairing comes to nothing, the old link is what remains.
KEEPS_LINK = TERMINAL - {"logged_out"}

#: Where each state may be reached from. A state may be written again, with another reason.
REACHED_FROM: dict[State, frozenset[State]] = {
    "new": frozenset({"new", "pairing"}),
    "pairing": frozenset({"new", "pairing", "offline", *TERMINAL}),
    "connecting": frozenset({"pairing", "connecting", "online", "offline", "banned", "replaced", "outdated"}),
    "online": frozenset({"online", "connecting", "offline"}),
    "offline": frozenset({"offline", "connecting", "online"}),
    "logged_out": frozenset({"pairing", "connecting", "online", "offline", *TERMINAL}),
    "banned": frozenset({"banned", "connecting", "online", "offline", "pairing"}),
    "replaced": frozenset({"replaced", "connecting", "online", "offline", "pairing"}),
    "outdated": frozenset({"outdated", "connecting", "online", "offline", "pairing"}),
}

NEVER = -1.0
"""Instead of seconds until the next try: none, until a person acts."""

# What people read. A terminal state's text says what to do.
LOST = "The connection was lost; connecting again"
NO_ANSWER = "WhatsApp does not answer; connecting again"
STUCK = "WhatsApp did not let the device in in time; trying again"
UNANSWERED = "WhatsApp left a request unanswered for minutes; connecting again"
MOVES = "Moving to another worker process; back in a moment"
NEW_PROXY = "Its proxy was changed; connecting through the new one"
ON_REQUEST = "Disconnected on request"
HOME_AWAY = (
    "Its session file lies in another data folder, on which no wafast runs now. It connects when one does; "
    "`wafast device show` says which, or log it out and pair it again here"
)
STARTING = "Connecting to WhatsApp"
PAIRING = "Waiting for the phone"
WORKER_STOPS = "wafast is restarting; the device comes back by itself"
REPLACED = "Opened in another place with the same link. Connect again to take it back, or leave it there"
OUTDATED = "WhatsApp wants a newer client. Update wafast, then connect again"
UNLINKED_HERE = "Logged out on request. Pair the device again to use it"


def logged_out(reason: str) -> str:
    """The text for a link that is over."""
    return f"Logged out: {reason}. Pair the device again"


def banned(reason: str, seconds: int) -> str:
    """The text for a ban; for how many seconds, 0 when WhatsApp does not say."""
    if seconds > 0:
        return f"WhatsApp banned the number for {_span(seconds)}: {reason}. It connects again when the ban is over"
    return f"WhatsApp banned the number: {reason}. Wait for the end of the ban, then connect again"


def refused(reason: str) -> str:
    """The text for a login that failed."""
    return f"{reason[:1].upper()}{reason[1:]}; trying again"


def _span(seconds: int) -> str:
    for size, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = round(seconds / size)
            return f"{count} {name}{'s' if count > 1 else ''}"
    return f"{seconds} seconds"


async def move(
    connection: Executor,
    lease: tuple[UUID, int],
    device_no: int,
    state: State,
    reason: str | None,
    *,
    retry_seconds: float | None = None,
    failed: bool = False,
) -> bool:
    """Write a device's state under a lease (worker, epoch), and tell.

    `retry_seconds` is when the reconciler may try next: None at once, `NEVER` not at all. `failed` counts a failure.
    Gives False, and changes nothing, when the lease is gone or the state cannot be reached from the present one.
    """
    sources = list(REACHED_FROM[state])
    tenant_id = await connection.fetchval(
        q.move_state, device_no, *lease, state, reason, sources, retry_seconds, failed
    )
    if tenant_id is None:
        return False
    await bus.publish(connection, [{"k": "device", "t": tenant_id, "d": device_no}])
    return True


async def before_pairing(connection: Executor, device_no: int) -> tuple[State, str | None, float]:
    """What a device that has a link is, and why, once a new pairing comes to nothing; and when it is tried again, in
    seconds, or `NEVER`."""
    row = await connection.fetchrow(q.state_before_pairing, device_no)
    if row is None or row["state"] not in KEEPS_LINK:
        return "logged_out", logged_out("the new pairing failed"), NEVER
    return row["state"], row["state_reason"], row["retry_seconds"] or NEVER


async def exists(connection: Executor, device_no: int) -> bool:
    """Whether the device is still there: what is left of one that was deleted is nobody else's."""
    there: bool = await connection.fetchval(q.device_exists, device_no)
    return there


async def set_push_name(connection: Executor, lease: tuple[UUID, int], device_no: int, name: str) -> None:
    """Keep the name the phone gives itself, and tell when it is a new one."""
    tenant_id = await connection.fetchval(q.set_push_name, device_no, *lease, name)
    if tenant_id is not None:
        await bus.publish(connection, [{"k": "device", "t": tenant_id, "d": device_no}])


async def leave(connection: Executor, worker_id: UUID) -> None:
    """All that a worker holds goes offline because it stops."""
    rows = await connection.fetch(q.leave_devices, worker_id, WORKER_STOPS)
    await bus.publish(connection, [{"k": "device", "t": row["tenant_id"], "d": row["no"]} for row in rows])
