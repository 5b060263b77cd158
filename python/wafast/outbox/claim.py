"""The one place that claims sends: by the worker that holds the lease, when the device's clock allows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from uuid import UUID

import asyncpg
import msgspec

from wafast.database.queries import load
from wafast.devices import number_checks
from wafast.outbox.render import fault, render, seed_of
from wafast.outbox.rows import Cause, Kind, Priority
from wafast.outbox.told import tell

if TYPE_CHECKING:
    from wafast.events.bus import Executor

q = load(__file__)


#: Why no source's row leaves where people's answers are not stored.
NOT_HEARD = "WHATSAPP_CHAT_STORAGE is false, so no message is read. Set it to true to let campaigns and sequences send."
#: Rows that are expired at once: more wait for the next look.
EXPIRED_AT_ONCE = 10_000
#: Rows of one statement after a clock was set back, some 100 ms.
SET_BACK_AT_ONCE = 5_000


class Claim(msgspec.Struct, frozen=True):
    """A row in state `sending`, and the lease it was claimed under. `to_jid` is as WhatsApp names the person, as far as
    that is known. `refusals`: how often it was not taken before. `is_first`: nothing of its source has left its device
    before. `expires_in`: seconds from the claim until it must not leave any more; None: it may as long as it takes."""

    id: int
    tenant_id: int
    device_no: int
    to_jid: str
    kind: Kind
    body: str
    media_sha256: bytes | None
    file_name: str | None
    quoted: str | None
    target: str | None
    forwarded: bool
    priority: Priority
    attempts: int
    claim_epoch: int
    typing: bool
    media_mime: str | None
    media_seconds: int | None
    media_waveform: bytes | None
    media_width: int | None
    media_height: int | None
    media_poster: bytes | None
    source_id: int | None = None
    refusals: int = 0
    is_first: bool = False
    expires_in: float | None = None


#: Devices of which a reply's file is on its way, and the JID it goes to. What follows it there waits for it, and so do
#: other files; all else passes it, since a large file is on its way for minutes.
Filing = Mapping[int, str]
NO_FILES: Filing = MappingProxyType({})


async def claim(
    pool: asyncpg.Pool,
    worker_id: UUID,
    replies: Sequence[int],
    paced: Sequence[int],
    at: datetime | None = None,
    filing: Filing = NO_FILES,
    *,
    hears: bool = True,
) -> list[Claim]:
    """Claim what may leave now: at most one reply from each of the devices `replies`, one paced row from each of
    `paced`. A source's row gets its words, which are in it before anybody sends them. What can't leave ends instead,
    and is not among those given: rows for people who want no more of them, are known not to be on WhatsApp, or have
    the same at another number, and those for which there are no words. `at`: the instant that is now, when it is not
    the database's. `hears`: whether people are heard who want no more; where not, nothing of a source leaves."""
    files = list(filing), list(filing.values())
    looked = worker_id, list(replies), list(paced), *files, at, number_checks.KEPT_DAYS, hears
    try:
        async with pool.acquire() as connection, connection.transaction():
            said = await _take(connection, looked, at)
    except asyncpg.UniqueViolationError:
        # another worker has claimed the same for one of these people: the next look sees that
        return []
    return [_claim(record, words) for record, words in said if not isinstance(words, Ending)]


async def _take(connection: Executor, looked: Sequence[Any], at: datetime | None) -> list[tuple[asyncpg.Record, Said]]:
    """Picks and claims, in the caller's transaction; gives what was claimed, with its words or why it ends."""
    picked = _once_a_person(await connection.fetch(q.pick, *looked))
    said = [(record, _said(record)) for record in picked]
    if not said:
        return []
    columns = zip(*(_written(record, words) for record, words in said), strict=True)
    taken = {row["id"] for row in await connection.fetch(q.claim, looked[0], *map(list, columns), at)}
    said = [(record, words) for record, words in said if record["id"] in taken]
    # of a source's rows only their end is told, one by one
    is_told = [isinstance(words, Ending) or record["source_id"] is None for record, words in said]
    await tell(connection, [record for (record, _), told in zip(said, is_told, strict=True) if told])
    return said


def _once_a_person(picked: Iterable[asyncpg.Record]) -> Iterator[asyncpg.Record]:
    """Of several rows of a source that would leave for one person now, the first: the next look ends the others."""
    persons: set[tuple[int, str]] = set()
    for record in picked:
        person = record["source_id"], record["named"]
        if record["source_id"] is not None and record["ends"] is None:
            if person in persons:
                continue
            persons.add(person)
        yield record


class Ending(NamedTuple):
    """Why a row does not leave: what kind of reason, and in words."""

    cause: Cause
    reason: str


#: What is known without looking at the words.
ENDINGS: dict[str, Ending] = {
    "opted_out": Ending("opted_out", "this person wants no more of these messages"),
    "not_on_whatsapp": Ending("not_on_whatsapp", "this number is not on WhatsApp"),
    "same_person": Ending("same_person", "this person has it at another of their numbers"),
}


#: What a row says, or why it does not leave.
Said = str | Ending


def _said(record: asyncpg.Record) -> Said:
    """What a row says: its own words, or its source's for the person."""
    if record["ends"] is not None:
        return ENDINGS[record["ends"]]
    if record["source_id"] is None:
        return str(record["body"])
    if record["lead_id"] is not None and record["lead_phone"] is None:
        return Ending("lead_gone", "this person is not among the leads any more")
    if record["lead_phone"] is not None and record["to_jid"] != f"{record['lead_phone'][1:]}@s.whatsapp.net":
        return Ending("number_changed", "the number of this person has changed; tried again, it goes to the new one")
    lead = {**(record["lead_fields"] or {}), "name": record["lead_name"] or "", "phone": record["lead_phone"] or ""}
    template = record["template"]
    seed = seed_of(template, record["lead_id"] or 0)
    words = render(template, lead, seed=seed, local_hour=record["local_hour"])
    why = fault(words, is_text=record["kind"] == "text")
    return words if why is None else Ending("render", why)


#: What the claim writes as it was picked: a message that is changed in this moment changes none that has its words.
AS_PICKED = ("id", "claim_epoch", "is_walked", "kind", "media_sha256", "file_name", "named_jid")


def _written(record: asyncpg.Record, said: Said) -> tuple[Any, ...]:
    """What the claim writes of a row."""
    cause, reason = said if isinstance(said, Ending) else (None, None)
    words = said if isinstance(said, str) and record["source_id"] is not None else None
    return *(record[name] for name in AS_PICKED), words, cause, reason


def _claim(record: asyncpg.Record, words: str) -> Claim:
    fields = {name: value for name, value in record.items() if name not in FOR_WORDS}
    return msgspec.convert(fields | {"body": words, "to_jid": record["named"]}, Claim)


#: What is picked only to claim it, and to make words of it.
FOR_WORDS = frozenset((
    "ends", "is_walked", "named", "named_jid", "template", "lead_id", "lead_name", "lead_phone", "lead_fields",
    "local_hour",
))  # fmt: skip


async def held_since(
    pool: asyncpg.Pool, worker_id: UUID, claim: Claim
) -> Literal["opted_out", "held", "given_up"] | None:
    """Why a claim may not leave any more, by the rules it was claimed under; None where it may. `given_up`: others have
    done so, or its device is another worker's now."""
    which = worker_id, claim.id, claim.claim_epoch, claim.attempts, claim.device_no
    row = await pool.fetchrow(q.held_since, *which)
    held: Literal["opted_out", "held", "given_up"] | None = "given_up" if row is None else row["held"]
    return held


async def next_due(
    pool: asyncpg.Pool,
    replies: Sequence[int],
    paced: Sequence[int],
    at: datetime | None = None,
    filing: Filing = NO_FILES,
    *,
    hears: bool = True,
) -> dict[int, float]:
    """In how many seconds to look at these devices again; one of which nothing waits is not among them."""
    files = list(filing), list(filing.values())
    records = await pool.fetch(q.next_due, list(replies), list(paced), *files, at, hears)
    return {record["no"]: max(0.0, record["seconds"]) for record in records}


async def set_clocks_back(pool: asyncpg.Pool, worker_id: UUID) -> None:
    """Devices of this worker that have sent later than now, by a clock that was set back since, go on from now, with
    what waits for them. Their clocks come last: by these it is seen what is still to be done."""
    ahead = [record["no"] for record in await pool.fetch(q.ahead, worker_id)]
    if not ahead:
        return
    while await pool.fetchval(q.set_rows_back, ahead, SET_BACK_AT_ONCE) == SET_BACK_AT_ONCE:
        pass
    await pool.execute(q.set_lanes_back, ahead)
    await pool.execute(q.set_clocks_back, ahead)


async def expire(pool: asyncpg.Pool) -> None:
    """End rows that were not to leave so late, of any device."""
    records = await pool.fetch(q.expire_queued, EXPIRED_AT_ONCE)
    await tell(pool, records)


async def give_up_lost(pool: asyncpg.Pool, worker_id: UUID, in_flight: Sequence[int]) -> None:
    """Claims that this worker does not know of become `unknown`; `in_flight` are those it is sending."""
    records = await pool.fetch(q.give_up_lost, worker_id, list(in_flight))
    await tell(pool, records)


async def orphan(pool: asyncpg.Pool, device_nos: Sequence[int]) -> int:
    """What an earlier holder of these devices was just sending becomes `unknown`; it is never sent again by itself."""
    records = await pool.fetch(q.orphan_sends, list(device_nos))
    await tell(pool, records)
    return len(records)
