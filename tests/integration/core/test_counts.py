"""What a chat shows of its messages is exact, whatever comes, how often and in which order.

The model takes events one at a time. A message is unread when it came live and neither it nor a later one was read; of
a history the phone says once how many are, of what it had heard until then. What happened to a group is never unread.
Later is what has the later second, and within a second what came later. A chat keeps its newest messages; one that is
older than all of them is not stored and does not count.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as some
from neonize.proto import Neonize_pb2 as pb

from tests.database import Database
from tests.integration.core import events
from tests.integration.core.conftest import OWN, World
from tests.integration.core.events import GROUP, GROUP_INFO, HISTORY_SYNC, MESSAGE, NOW, RECEIPT, SITI, SITI_LID
from wafast.inbox.chats import q as inbox

IDS = 14
"""Messages there are, few enough to come several times."""
SECONDS = 4
"""In which they were sent, few enough for several in one."""
Place = tuple[int, int]
owners = (f"counts-{number}" for number in itertools.count())


STATUSES = ["received", "sent", "delivered", "read"]


@dataclass(frozen=True, order=True)
class Change:
    """What is done to a message: edit, revoke, a reaction, a receipt, or the chat is read up to it."""

    order: int
    kind: str
    at: int = 0
    what: str = ""


@dataclass
class Row:
    """A stored message."""

    id: str
    second: int
    order: int
    from_me: bool
    is_unread: bool
    kind: str = "text"
    text: str = ""
    reaction: tuple[int, str] = (0, "")
    """The other person's, and when; empty when it was taken back."""
    status: str = "received"

    def __post_init__(self) -> None:
        if self.from_me:
            self.status = "sent"

    def change(self, change: Change) -> None:
        """All but reading."""
        if change.kind == "receipt":
            if self.from_me:
                self.reach(change.what)
        elif self.kind == "deleted":
            pass
        elif change.kind == "react":
            self.reaction = max(self.reaction, (change.at, change.what))
        elif change.kind == "revoke":
            self.kind, self.text, self.reaction = "deleted", "", (0, "")
        else:
            self.text = f"xedit {change.order}"

    def reach(self, status: str) -> None:
        """It never goes back."""
        self.status = max(self.status, status, key=STATUSES.index)

    @property
    def place(self) -> Place:
        return self.second, self.order


@dataclass
class Chat:
    """One chat as it must be."""

    rows: dict[str, Row] = field(default_factory=dict)
    trimmed: dict[str, Row] = field(default_factory=dict)
    told: int = 0
    """What the phone said is unread beyond the rows there are."""
    is_told: bool = False
    read: Place | None = None
    waiting: dict[str, list[Change]] = field(default_factory=dict)

    @property
    def unread(self) -> int:
        return self.told + sum(row.is_unread for row in [*self.rows.values(), *self.trimmed.values()])

    def add(self, row: Row, keep: int) -> None:
        if row.id in self.rows or row.id in self.trimmed:
            return
        places = sorted(row.place for row in self.rows.values())
        if keep and len(places) >= keep and row.second < places[0][0]:
            return
        row.is_unread &= self.read is None or row.second >= self.read[0]
        self.rows[row.id] = row
        for change in self.waiting.pop(row.id, []):
            self.change(row.id, change)
        self.trim(keep)

    def trim(self, keep: int) -> None:
        oldest = sorted(self.rows.values(), key=lambda row: row.place)
        for row in oldest[: -keep or len(oldest)] if keep else []:
            # Trimmed in both of two chats that became one: what is trimmed is forgotten, so nobody knows.
            self.told += row.id in self.trimmed and self.trimmed[row.id].is_unread
            self.trimmed[row.id] = self.rows.pop(row.id)

    def change(self, id: str, change: Change) -> None:
        row = self.rows.get(id)
        if row is None:
            self.waiting.setdefault(id, []).append(change)
        elif change.kind != "read":
            row.change(change)
        elif self.read is None or row.place >= self.read:
            self._read(row.place)

    def read_all(self) -> None:
        self.told = 0
        if self.rows:
            self._read(max(row.place for row in self.rows.values()))
        for row in self.trimmed.values():
            row.is_unread = False

    def _read(self, place: Place) -> None:
        self.read, self.told = place, 0
        for row in [*self.rows.values(), *self.trimmed.values()]:
            row.is_unread &= row.place > place

    def tell(self, unread: int, heard_to: int) -> None:
        if self.read is not None or self.is_told or unread == 0:
            return
        heard = [row for row in self.rows.values() if not row.from_me and row.second <= heard_to]
        newest = sorted(heard, key=lambda row: row.place)[-unread:]
        for row in [*heard, *self.trimmed.values()]:
            row.is_unread = row in newest
        self.told, self.is_told = unread - len(newest), True

    def take(self, other: Chat, keep: int) -> None:
        """The chat a person had by LID becomes part of the one by number."""
        for id in self.rows.keys() & other.rows.keys():
            mine, row = self.rows[id], other.rows.pop(id)
            mine.is_unread = row.is_unread = mine.is_unread and row.is_unread
            reaction = max(mine.reaction, row.reaction)
            row.reach(mine.status)
            mine.reach(row.status)
            if mine.kind != "deleted" and (row.kind == "deleted" or row.text > mine.text):
                self.rows[id] = row
            self.rows[id].reaction = (0, "") if self.rows[id].kind == "deleted" else reaction
        read = max(filter(None, (self.read, other.read)), default=None)
        for chat in (self, other):
            if read is not None and chat.read != read:
                chat._read(read)
                # What was read is not among its rows: nothing says which of the trimmed were before it.
                chat.trimmed = {id: replace(row, is_unread=False) for id, row in chat.trimmed.items()}
        self.read = read
        self.rows |= other.rows
        self.is_told |= other.is_told
        self.told += other.told + sum(row.is_unread for row in other.trimmed.values())
        self.trimmed = {id: replace(row, is_unread=False) for id, row in other.trimmed.items()} | self.trimmed
        self.trim(keep)
        waiting = [(change, id) for chat in (self, other) for id, changes in chat.waiting.items() for change in changes]
        self.waiting = {}
        for change, id in sorted(waiting):
            self.change(id, change)

    def shown(self) -> dict[str, Any]:
        last = max(self.rows.values(), key=lambda row: row.place, default=None)
        return {
            "unread": self.unread,
            "messages": {
                (row.id, row.kind, row.text, row.status, row.reaction[1] or None) for row in self.rows.values()
            },
            "last": last and (last.kind, last.text, NOW - 100 + last.second),
        }


class Check:
    """The core and the model, given the same."""

    def __init__(self, world: World, keep: int, buffer: int, seconds: list[int]) -> None:
        self.world, self.keep, self.buffer, self.seconds = world, keep, buffer, seconds
        self.chats: dict[str, Chat] = {}
        self.orders, self.times = itertools.count(), itertools.count(NOW)
        self.is_known = False
        self.fed: list[tuple[int, bytes]] = []
        self.open: list[tuple[int, bytes]] = []
        self.restart()

    def chat(self, jid: str) -> Chat:
        return self.chats.setdefault(self.name(jid), Chat())

    def name(self, jid: str) -> str:
        return SITI if self.is_known and jid == SITI_LID else jid

    def restart(self) -> None:
        self.flush()
        self.world.close()
        self.world.start(next(owners), messages_per_chat=self.keep, buffer=self.buffer)

    @property
    def is_trimming(self) -> bool:
        return 0 < self.keep < 2 * IDS

    def flush(self) -> None:
        if self.open:
            self.world.feed(*self.open)
            self.fed += self.open
            self.open = []

    def at(self, number: int) -> int:
        return NOW - 100 + self.seconds[number]

    def row(self, number: int, *, from_me: bool, is_unread: bool) -> Row:
        id, order = f"M{number}", next(self.orders)
        return Row(id, self.seconds[number], order, from_me, is_unread, text=f"text {number}")

    # What can happen.

    def say(self, jid: str, number: int) -> None:
        from_me = number % 5 == 0
        self.chat(jid).add(self.row(number, from_me=from_me, is_unread=not from_me), self.keep)
        sender = OWN if from_me else SITI if jid == GROUP else jid
        event = events.message(
            f"M{number}", f"text {number}", chat=jid, sender=sender, at=self.at(number), from_me=from_me
        )
        self.open.append((MESSAGE, event))

    def notice(self, number: int) -> None:
        """A group gets another link."""
        from_me = number % 5 == 0
        event = events.group_info(
            sender=OWN if from_me else SITI, at=self.at(number), NewInviteLink=f"https://chat.example/{number}"
        )
        id = f"GROUP{hashlib.sha256(event).hexdigest()[:16].upper()}"
        text = f"+{(OWN if from_me else SITI).partition('@')[0]} reset the invite link"
        row = self.row(number, from_me=from_me, is_unread=False)
        self.chat(GROUP).add(replace(row, id=id, kind="system", text=text), self.keep)
        self.open.append((GROUP_INFO, event))

    def change(self, jid: str, number: int, kind: str) -> None:
        from_me, at = number % 5 == 0, next(self.times)
        sender = OWN if from_me else SITI if jid == GROUP else jid
        self.chat(jid).change(f"M{number}", Change(at, kind))
        content = events.edit(f"M{number}", f"xedit {at}") if kind == "edit" else events.revoke(f"M{number}")
        event = events.message(f"C{at}", content, chat=jid, sender=sender, at=at, from_me=from_me)
        self.open.append((MESSAGE, event))

    def react(self, jid: str, number: int, emoji: str, is_late: bool) -> None:
        order = next(self.times)
        at = 2 * NOW - order if is_late else order
        self.chat(jid).change(f"M{number}", Change(order, "react", at, emoji))
        event = events.message(
            f"R{order}", events.reaction(f"M{number}", emoji, at), chat=jid, sender=SITI if jid == GROUP else jid
        )
        self.open.append((MESSAGE, event))

    def receipt(self, jid: str, number: int, status: str) -> None:
        self.chat(jid).change(f"M{number}", Change(next(self.times), "receipt", what=status))
        self.open.append((RECEIPT, events.receipt([f"M{number}"], status.upper(), chat=jid, sender=jid)))

    def read(self, jid: str, number: int) -> None:
        self.chat(jid).change(f"M{number}", Change(next(self.times), "read"))
        event = events.receipt([f"M{number}"], "READ_SELF", chat=jid, sender=OWN, from_me=True)
        self.open.append((RECEIPT, event))

    def read_here(self, jid: str) -> None:
        self.flush()
        self.chat(jid).read_all()
        chat = f"(SELECT id FROM chats WHERE jid = '{self.name(jid)}')"
        self.world.rows(inbox.mark_chat_read.replace("$1", "tenant_id").replace("$2", chat))

    def tell(self, numbers: list[int], unread: int) -> None:
        if self.is_trimming:
            self.flush()  # what of the batch is trimmed before the phone's count is taken in is not counted
        chat = self.chat(SITI)
        # Of the person's own: what is ours is in no history here.
        numbers = sorted({number for number in numbers if number % 5}, key=lambda number: self.seconds[number])
        for number in numbers[-self.keep :]:
            chat.add(self.row(number, from_me=False, is_unread=False), self.keep)
        chat.tell(unread, max((self.seconds[number] for number in numbers), default=SECONDS))
        # As the phone sends them, newest first.
        texts = [(f"M{number}", f"text {number}", self.at(number)) for number in reversed(numbers)]
        # As large as many messages: with a small buffer it goes alone, by the writer of histories.
        name = "Siti" * 10_000
        self.open.append((HISTORY_SYNC, events.history(SITI, texts, unreadCount=unread, name=name)))
        if self.is_trimming:
            self.flush()

    def learn(self) -> None:
        self.flush()
        if not self.is_known:
            self.is_known = True
            by_lid = self.chats.pop(SITI_LID, None)
            if by_lid is not None:
                self.chat(SITI).take(by_lid, self.keep)
        seen = events.receipt(["nothing"], "DELIVERED", chat=GROUP, sender=SITI_LID)
        told = pb.Receipt.FromString(seen)
        told.MessageSource.SenderAlt.CopyFrom(events.jid(SITI))
        self.open.append((RECEIPT, bytes(told.SerializePartialToString())))
        self.flush()

    def again(self, count: int) -> None:
        """As after a crash: the last events are replayed."""
        self.flush()
        self.open += self.fed[-count:]

    def check(self) -> None:
        self.flush()
        found = asyncio.run(shown(self.world.uri))
        wanted = {jid: chat.shown() for jid, chat in self.chats.items() if chat.rows or chat.unread}
        assert found == wanted


SHOWN = """
    SELECT c.chat_jid AS jid, c.unread_count AS unread,
           (c.last_message_type, c.last_message_text, extract(epoch FROM c.last_message_time)::int8) AS last,
           ARRAY (SELECT (m.message_id, m.message_type, m.message_text, m.status, m.reactions -> 0 ->> 'emoji')
                  FROM whatsapp_messages m
                  WHERE m.chat_id = c.chat_id) AS messages
    FROM whatsapp_chats c WHERE c.last_message_time IS NOT NULL OR c.unread_count > 0
"""
CLEAR = "TRUNCATE chats, messages, thumbnails, media_fetches, pending_changes, lid_numbers RESTART IDENTITY CASCADE"


async def shown(uri: str) -> dict[str, dict[str, Any]]:
    """What users see of the chats."""
    connection = await asyncpg.connect(uri)
    try:
        return {
            row["jid"]: {
                "unread": row["unread"],
                "messages": {tuple(message) for message in row["messages"]},
                "last": tuple(row["last"]) if row["last"][0] else None,
            }
            for row in await connection.fetch(SHOWN)
        }
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def world(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One device for all examples."""
    world = World(database.create(), tmp_path_factory.mktemp("counts"))
    yield world
    world.close()


numbers = some.integers(1, IDS - 1)
ours = some.sampled_from([number for number in range(1, IDS) if number % 5 == 0])
jids = some.sampled_from([SITI, SITI_LID, GROUP])
steps = some.one_of(
    some.tuples(some.just("say"), jids, numbers),
    some.tuples(some.just("say"), jids, numbers),
    some.tuples(some.just("say"), some.just(SITI), numbers),
    some.tuples(some.just("notice"), numbers),
    some.tuples(some.just("change"), jids, numbers, some.sampled_from(["edit", "revoke"])),
    some.tuples(some.just("react"), jids, numbers, some.sampled_from(["👍", "❤️", ""]), some.booleans()),
    some.tuples(some.just("receipt"), some.sampled_from([SITI, SITI_LID]), ours, some.sampled_from(STATUSES[2:])),
    some.tuples(some.just("read"), jids, numbers),
    some.tuples(some.just("read_here"), jids),
    some.tuples(some.just("tell"), some.lists(numbers, max_size=5), some.integers(0, 6)),
    some.tuples(some.just("learn")),
    some.tuples(some.just("again"), some.integers(1, 30)),
    some.tuples(some.just("flush")),
    some.tuples(some.just("check")),
    some.tuples(some.just("restart")),
)


@given(
    keep=some.sampled_from([0, 1, 2, 3, 5, 8, 28]),
    buffer=some.sampled_from([8, 100]),
    seconds=some.lists(some.integers(0, SECONDS - 1), min_size=IDS, max_size=IDS),
    history=some.lists(steps, min_size=5, max_size=40),
)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_chat_shows_exactly_what_its_messages_say(
    world: World, keep: int, buffer: int, seconds: list[int], history: list[tuple[Any, ...]]
) -> None:
    world.close()
    world.rows(CLEAR)
    check = Check(world, keep, buffer, seconds)
    for name, *arguments in history:
        note(f"{name} {arguments}")
        getattr(check, name)(*arguments)
    check.check()
