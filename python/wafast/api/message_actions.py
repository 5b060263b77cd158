"""What is done to a message that is there: reactions, edits, deletions, forwarding. All of it leaves by the outbox."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import asyncpg
import msgspec
from litestar import Controller, Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from wafast.accounts.principal import Principal
from wafast.api.calls import ask
from wafast.api.chats import find_chat
from wafast.api.idempotency import AT_END, IN_ONE
from wafast.api.ids import message_place, uuid_of
from wafast.api.outbox import Outbox, answer_not_paired, outbox_of
from wafast.api.parameters import IdempotencyKey, check_visible
from wafast.api.policy import Policy
from wafast.api.problems import answer_problem, conflict, not_found, refused_field
from wafast.api.responses import problems
from wafast.api.services import Services
from wafast.devices.session import ChangeKind
from wafast.inbox import messages
from wafast.inbox.chats import Chat
from wafast.inbox.media import film_of, hash_of, message_thumbnail, sound_of
from wafast.inbox.messages import FROM_ME
from wafast.inbox.reach import Reach
from wafast.outbox import changes, rows
from wafast.outbox.changes import NotPossible

#: As many as WhatsApp lets a person choose.
CHATS_AT_ONCE = 5


class React(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A reaction; a person has one a message, the latest counts."""

    emoji: Annotated[str, Meta(max_length=64, description="Empty takes it back.", examples=["👍"])]


class Edit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a text says from now on."""

    text: Annotated[str, Meta(max_length=65_536, examples=["Ten o'clock, sorry!"])]


class Forward(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a message is passed on to."""

    chat_ids: Annotated[
        list[str],
        Meta(min_length=1, max_length=CHATS_AT_ONCE, description="Of any device within reach.", examples=[["4711"]]),
    ]


class Forwarded(msgspec.Struct, frozen=True):
    """A row of the outbox for each chat, in their order."""

    items: list[Outbox]


async def find_message(pool: asyncpg.Pool, principal: Principal, message_id: str) -> asyncpg.Record:
    """The row of a message within the caller's reach.

    Raises:
        Problem: 404.
    """
    place = message_place(message_id)
    listed = [] if place is None else await messages.get_messages(pool, [principal.tenant_id], [place])
    if not listed or listed[0]["is_trimmed"] or not principal.sees(listed[0]["device_id"]):
        raise not_found("message", message_id)
    return listed[0]


def answer_not_possible(request: Request[Any, Any, Any], refusal: NotPossible) -> Response[bytes]:
    """What can't be done to a message is a conflict."""
    return answer_problem(request, conflict(refusal.code, str(refusal)))


class MessageActionController(Controller):
    """Acting on a message."""

    tags = ["Messages"]
    exception_handlers = {NotPossible: answer_not_possible, rows.NotPaired: answer_not_paired}

    @post(
        "/messages/{message_id:str}/react",
        opt={"policy": Policy.SEND, "idempotent": IN_ONE},
        status_code=202,
        operation_id="react_to_message",
        summary="React to a message",
        responses=problems(400, 401, 403, 404, 409, 422),
    )
    async def react(
        self,
        message_id: FromPath[str],
        data: JSONBody[React],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        idempotency_key: IdempotencyKey = None,
    ) -> Outbox:
        """The message shows it once WhatsApp has taken it."""
        message = await find_message(services.pool, principal, message_id)
        if data.emoji and not changes.is_emoji(data.emoji):
            raise refused_field("emoji", data.emoji, "one emoji is wanted, or nothing to take it back")
        changes.check_reaction(message)
        return await _change(services, principal, message, "reaction", data.emoji)

    @post(
        "/messages/{message_id:str}/edit",
        opt={"policy": Policy.SEND, "idempotent": IN_ONE},
        status_code=202,
        operation_id="edit_message",
        summary="Edit a text",
        responses=problems(400, 401, 403, 404, 409, 422),
    )
    async def edit(
        self,
        message_id: FromPath[str],
        data: JSONBody[Edit],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        idempotency_key: IdempotencyKey = None,
    ) -> Outbox:
        """Our own, within 15 minutes; an edit that can't leave in that time expires."""
        message = await find_message(services.pool, principal, message_id)
        check_visible(data.text)
        until = changes.edit_until(message)
        return await _change(services, principal, message, "edit", data.text, until)

    @post(
        "/messages/{message_id:str}/delete",
        opt={"policy": Policy.SEND, "idempotent": IN_ONE},
        status_code=202,
        operation_id="delete_message",
        summary="Delete a message for everyone",
        responses=problems(400, 401, 403, 404, 409, 422),
    )
    async def delete(
        self,
        message_id: FromPath[str],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        idempotency_key: IdempotencyKey = None,
    ) -> Outbox:
        """Our own, within 60 hours. What was deleted keeps its place, without words and file."""
        message = await find_message(services.pool, principal, message_id)
        until = changes.delete_until(message)
        return await _change(services, principal, message, "delete", "", until)

    @post(
        "/messages/{message_id:str}/forward",
        opt={"policy": Policy.SEND, "idempotent": AT_END},
        status_code=202,
        operation_id="forward_message",
        summary="Forward a message",
        responses=problems(400, 401, 403, 404, 409, 410, 422, 502, 504, 507),
    )
    async def forward(
        self,
        message_id: FromPath[str],
        data: JSONBody[Forward],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        idempotency_key: IdempotencyKey = None,
    ) -> Forwarded:
        """To up to five chats, each from its own device: to all of them or, when it is refused, to none. A file not
        seen before is fetched first, through the message's device."""
        message = await find_message(services.pool, principal, message_id)
        changes.check_forward(message)
        chats = [await find_chat(services.pool, principal, chat_id) for chat_id in dict.fromkeys(data.chat_ids)]
        sha256 = await _file_of(services, message)
        sends = [_copy_for(chat, message, sha256) for chat in chats]
        try:
            queued = await rows.enqueue_all(services.pool, principal.tenant_id, sends, created_by=principal.actor)
        except rows.UnknownMedia:
            raise conflict("media-gone", "Its file is not here any more just now: forward it again.") from None
        if queued is None:
            raise not_found("chat", ", ".join(data.chat_ids))
        return Forwarded([outbox_of(row) for row in queued])

    @post(
        "/messages/{message_id:str}/played",
        opt={"policy": Policy.SEND},
        status_code=202,
        operation_id="mark_message_played",
        summary="Mark a voice note played",
        responses=problems(401, 403, 404, 409, 502, 504),
    )
    async def played(
        self, message_id: FromPath[str], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> None:
        """Its sender sees the blue microphone."""
        message = await find_message(services.pool, principal, message_id)
        if message["kind"] not in ("voice", "audio") or message["flags"] & FROM_ME:
            raise conflict("nothing-to-hear", "Only a voice note that came from somebody else can be marked played.")
        changes.check_line(message)
        told = {"chat": message["chat_jid"], "sender": message["sender_jid"], "id": message["message_id"]}
        await ask(services.caller, message["device_no"], "mark_played", told)


async def _change(
    services: Services,
    principal: Principal,
    message: asyncpg.Record,
    kind: ChangeKind,
    text: str = "",
    until: datetime | None = None,
) -> Outbox:
    wanted = rows.Send(
        device_id=message["device_id"],
        to_jid=message["chat_jid"],
        kind=kind,
        body=text,
        target=message["message_id"],
        expires_at=until,
    )
    row = await rows.enqueue(services.pool, principal.tenant_id, wanted, created_by=principal.actor)
    if row is None:
        raise not_found("device", message["device_id"])
    return outbox_of(row)


async def _file_of(services: Services, message: asyncpg.Record) -> bytes | None:
    """The hash of a message's file, which is on this machine then; None when it has none."""
    media = message["media"]
    if media is None or "ext" not in media:
        return None
    tenant_id, told = message["tenant_id"], hash_of(media.get("sha256"))
    place = message["device_no"], message["chat_id"], message["key"]
    sha256 = await services.fetches.fetch(tenant_id, told, *place)
    sound = sound_of(media)
    if sound is not None:
        await services.media.describe_sound(tenant_id, sha256, sound)
    if message["kind"] == "video":
        poster = await message_thumbnail(services.pool, Reach(tenant_id), message["chat_id"], message["key"])
        await services.media.describe_film(tenant_id, sha256, film_of(media, poster))
    return sha256


def _copy_for(chat: Chat, message: asyncpg.Record, sha256: bytes | None) -> rows.Send:
    name = message["media"].get("name") if message["kind"] == "document" else None
    return rows.Send(
        device_id=uuid_of("device", chat.device_id),
        to_jid=chat.chat_jid,
        kind=message["kind"],
        body="" if message["body"] == name else message["body"],
        media_sha256=sha256,
        file_name=name,
        forwarded=True,
    )
