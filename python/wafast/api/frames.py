"""From events to frames: the rows an event names, as the REST routes give them, loaded for many events at once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from wafast import clock
from wafast.api.campaigns import show_campaigns
from wafast.api.chats import chats_with
from wafast.api.devices import device_of
from wafast.api.ids import MAX_INT4
from wafast.api.outbox import outbox_of
from wafast.api.pairings import pairing_of
from wafast.campaigns import rows as campaigns
from wafast.devices import rows as devices
from wafast.events.frames import Code, Draft
from wafast.events.hub import Activity
from wafast.inbox import chats, labels, messages, notes
from wafast.outbox import rows as outbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import asyncpg

    from wafast.devices.rows import DeviceRow
    from wafast.events.bus import Event

#: A device seen for the first time came online, or was logged out, just now when its state is younger.
JUST_NOW = timedelta(seconds=30)
#: States that a person must hear of by a code of their own.
TOLD: dict[str, Code] = {"online": "DEVICE_CONNECTED", "logged_out": "DEVICE_LOGGED_OUT"}
#: More are not told at once; nobody finds one among them.
MOST_LABELS = 1000
encode = msgspec.json.Encoder().encode
GONE = encode({"reason": "very many chats changed, or changes may not have been told"})


class FrameLoader:
    """Makes frames of events, in the order messages, sends, chats, what is gone of these, pairings, devices, notes,
    labels, campaigns, leads, imports.

    Each row is loaded once a batch, so every frame shows what is true now; a client never sees a state older than the
    one before.

    Args:
        pool: connections to PostgreSQL.
        observe_lag: is told how many seconds ago each new message was inserted, when its frame is made.
    """

    def __init__(self, pool: asyncpg.Pool, observe_lag: Callable[[float], None]) -> None:
        self._pool, self._observe_lag = pool, observe_lag
        #: what goes on in a chat right now; the hub knows, and it is made after its loader
        self.activity: Callable[[int], Activity] = lambda _chat_id: Activity()
        self._states: dict[int, str] = {}

    async def __call__(self, events: list[Event]) -> list[Draft]:
        """The frames of a batch of events."""
        by_kind: dict[str, list[Event]] = {}
        for event in events:
            by_kind.setdefault(str(event.get("k")), []).append(event)
        return [
            *await self._messages(by_kind),
            *await self._outbox(by_kind.get("outbox", [])),
            *await self._chats(by_kind),
            *await self._gone([*by_kind.get("merged", []), *by_kind.get("removed", [])]),
            *await self._pairings(by_kind.get("pairing", [])),
            *await self._devices(by_kind.get("device", [])),
            *await self._notes(by_kind.get("note", [])),
            *await self._labels(by_kind.get("labels", [])),
            *_sequences(by_kind.get("sequence", [])),
            *await self._campaigns(by_kind.get("campaign", [])),
            *_leads(by_kind.get("lead", [])),
            *_imports(by_kind.get("import", [])),
            *(Draft(event["t"], None, "RESYNC", GONE) for event in by_kind.get("gone", [])),
            *self._deleted(by_kind.get("deleted", [])),
        ]

    async def _messages(self, by_kind: dict[str, list[Event]]) -> list[Draft]:
        new = _keys(by_kind.get("message", []))
        changed = _keys(by_kind.get("status", []))
        if not new and not changed:
            return []
        tenants = _tenants([*by_kind.get("message", []), *by_kind.get("status", [])])
        rows = await messages.get_messages(self._pool, tenants, list({**new, **changed}))
        found = {
            (row["chat_id"], row["key"]): (row, message)
            for row, message in zip(rows, await messages.messages_of(self._pool, rows), strict=True)
        }
        now = clock.now()
        drafts = []
        for row, message in (found[key] for key in new if key in found):
            drafts.append(Draft(row["tenant_id"], row["device_id"], "NEW_MESSAGE", encode(message)))
            self._observe_lag(max(0.0, (now - message.created_at).total_seconds()))
        for row, message in (found[key] for key in changed if key in found):
            # a change of a trimmed message is no news: nobody can see it any more
            if not row["is_trimmed"]:
                drafts.append(Draft(row["tenant_id"], row["device_id"], "MESSAGE_STATUS", encode(message)))
        return drafts

    async def _outbox(self, events: list[Event]) -> list[Draft]:
        wanted = _ids(events, "o")
        if not wanted:
            return []
        rows = sorted(await outbox.get_many(self._pool, wanted), key=lambda row: row.id)
        return [Draft(row.tenant_id, row.device_id, "MESSAGE_STATUS", encode(outbox_of(row))) for row in rows]

    async def _chats(self, by_kind: dict[str, list[Event]]) -> list[Draft]:
        one = [*by_kind.get("message", []), *by_kind.get("typing", [])]
        many = by_kind.get("chat", [])
        wanted = list(dict.fromkeys([event["c"] for event in one] + _ids(many, "c")))
        if not wanted:
            return []
        rows = {row["id"]: row for row in await chats.get_chats(self._pool, _tenants([*one, *many]), wanted)}
        found = [rows[chat_id] for chat_id in wanted if chat_id in rows]
        shown = await chats_with(self._pool, [chats.chat_of(row) for row in found], self.activity)
        return [
            Draft(row["tenant_id"], row["device_id"], "CHAT_UPDATE", encode(chat))
            for row, chat in zip(found, shown, strict=True)
        ]

    async def _notes(self, events: list[Event]) -> list[Draft]:
        if not events:
            return []
        found = {
            row["id"]: row for row in await notes.get_notes(self._pool, _tenants(events), [one["n"] for one in events])
        }
        gone = [event for event in events if event["n"] not in found]
        drafts = [
            Draft(row["tenant_id"], row["device_id"], "NOTE_UPDATE", encode(notes.note_of(row)))
            for row in found.values()
        ]
        devices_of = await self._devices_of(gone)
        return drafts + [
            Draft(event["t"], devices_of[event["d"]], "NOTE_UPDATE", encode(_gone_note(event)))
            for event in gone
            if event["d"] in devices_of
        ]

    async def _gone(self, events: list[Event]) -> list[Draft]:
        devices_of = await self._devices_of(events)
        drafts = []
        for event in events:
            device_id, chat_id = devices_of.get(event["d"]), str(event["c"])
            if device_id is None:
                continue
            if event["k"] == "merged":
                result = {"id": chat_id, "became": str(event["b"]), "device_id": str(device_id)}
                drafts.append(Draft(event["t"], device_id, "CHAT_GONE", encode(result)))
            for key in event.get("m", []):
                result = {"id": f"{chat_id}-{key}", "chat_id": chat_id, "device_id": str(device_id)}
                drafts.append(Draft(event["t"], device_id, "MESSAGE_GONE", encode(result)))
        return drafts

    async def _devices_of(self, events: list[Event]) -> dict[int, UUID]:
        numbers = list({event["d"] for event in events})
        rows = await devices.get_devices_by_no(self._pool, numbers) if numbers else []
        return {row.no: row.id for row in rows}

    async def _labels(self, events: list[Event]) -> list[Draft]:
        drafts = []
        for tenant_id in _tenants(events):
            rows = await labels.list_labels(self._pool, tenant_id, before=MAX_INT4, limit=MOST_LABELS)
            result = encode({"items": [labels.label_of(row) for row in rows]})
            drafts.append(Draft(tenant_id, None, "LABELS_UPDATE", result))
        return drafts

    async def _campaigns(self, events: list[Event]) -> list[Draft]:
        if not events:
            return []
        rows = await campaigns.get_many(self._pool, list({event["id"] for event in events}))
        shown = await show_campaigns(self._pool, rows)
        return [
            Draft(
                row.tenant_id,
                None,
                "CAMPAIGN_UPDATE",
                encode(one if row.deleted_at is None else {"id": one.id, "deleted": True}),
            )
            for row, one in zip(rows, shown, strict=True)
        ]

    async def _pairings(self, events: list[Event]) -> list[Draft]:
        drafts: list[Draft] = []
        for text, event in {event["p"]: event for event in events}.items():
            pairing = await devices.get_pairing(self._pool, event["t"], UUID(text))
            if pairing is None:
                continue
            drafts.append(Draft(event["t"], pairing.device_id, "QR_UPDATE", encode(pairing_of(pairing))))
            if pairing.state == "paired":
                device = await devices.get_device(self._pool, event["t"], pairing.device_id)
                if device is not None:
                    drafts.append(_device(device, "DEVICE_PAIRED"))
        return drafts

    async def _devices(self, events: list[Event]) -> list[Draft]:
        wanted = list(dict.fromkeys(event["d"] for event in events))
        if not wanted:
            return []
        rows = {row.no: row for row in await devices.get_devices_by_no(self._pool, wanted)}
        drafts: list[Draft] = []
        for number in wanted:
            if number in rows:
                drafts.append(_device(rows[number], "DEVICE_STATUS"))
                drafts.extend(self._told(rows[number]))
        return drafts

    def _told(self, row: DeviceRow) -> Iterable[Draft]:
        before = self._states.get(row.no)
        self._states[row.no] = row.state
        code = TOLD.get(row.state)
        if code is None or before == row.state:
            return
        if before is not None or clock.now() - row.state_at < JUST_NOW:
            yield _device(row, code)

    def _deleted(self, events: list[Event]) -> list[Draft]:
        drafts = []
        for event in events:
            self._states.pop(event["d"], None)
            result = encode({"id": event["id"], "deleted": True})
            drafts.append(Draft(event["t"], UUID(event["id"]), "DEVICE_STATUS", result))
        return drafts


def _sequences(events: list[Event]) -> list[Draft]:
    changed = dict.fromkeys((event["t"], event["id"]) for event in events)
    return [Draft(tenant, None, "SEQUENCE_UPDATE", encode({"id": str(number)})) for tenant, number in changed]


def _leads(events: list[Event]) -> Iterable[Draft]:
    for tenant_id in _tenants(events):
        named = [event["l"] for event in events if event["t"] == tenant_id]
        ids = [] if [] in named else list(dict.fromkeys(str(one) for ids in named for one in ids))
        yield Draft(tenant_id, None, "LEAD_UPDATE", encode({"ids": ids}))


def _imports(events: list[Event]) -> Iterable[Draft]:
    for tenant_id, import_id in {(event["t"], event["i"]): None for event in events}:
        yield Draft(tenant_id, None, "IMPORT_UPDATE", encode({"id": str(import_id)}))


def _gone_note(event: Event) -> dict[str, Any]:
    return {"id": str(event["n"]), "chat_id": str(event["c"]), "deleted": True}


def _device(row: DeviceRow, code: Code) -> Draft:
    return Draft(row.tenant_id, row.id, code, encode(device_of(row)))


def _keys(events: list[Event]) -> dict[tuple[int, int], None]:
    return {(event["c"], key): None for event in events for key in event["m"]}


def _ids(events: list[Event], name: str) -> list[int]:
    return list(dict.fromkeys(number for event in events for number in event[name]))


def _tenants(events: list[Event]) -> list[int]:
    return list({event["t"] for event in events})
