"""The outbox: sending a message, and following what was sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import asyncpg
import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import UNSET, Meta, UnsetType

from wafast import clock
from wafast.accounts import audit
from wafast.accounts.principal import Principal
from wafast.api.chats import find_chat
from wafast.api.devices import find_device
from wafast.api.idempotency import IN_ONE
from wafast.api.ids import number_of
from wafast.api.instants import instant_of
from wafast.api.opt_outs import require_hearing
from wafast.api.paging import before_of, page_of
from wafast.api.parameters import After, IdempotencyKey, Limit, Receiver, check_visible, jid_of
from wafast.api.policy import Policy
from wafast.api.problems import answer_problem, conflict, not_found, refused_field
from wafast.api.responses import Page, problems
from wafast.api.services import Services
from wafast.api.uploads import WANTED
from wafast.campaigns import rows as campaigns
from wafast.database.together import together
from wafast.inbox.media import file_url, hash_of, mime_of_stored
from wafast.outbox import again, resolve, rows
from wafast.outbox.again import NotRetryable
from wafast.outbox.held_by import HeldBy, held_by
from wafast.outbox.rows import Cause, Kind, MessageKind, OutboxRow, Priority
from wafast.sequences import enrolments

OutboxState = Literal["queued", "sending", "sent", "delivered", "read", "failed", "unknown", "expired", "cancelled"]


class Outbox(msgspec.Struct, frozen=True, kw_only=True):
    """One message on its way out."""

    id: Annotated[str, Meta(examples=["93"])]
    device_id: Annotated[
        str | None,
        Meta(
            description="Null while a campaign's send waits for a device.",
            examples=["0b9f6a3e-5a0c-4b60-8d5e-6d0f3a3f7c11"],
        ),
    ]
    to_jid: Annotated[str, Meta(examples=["60198765432@s.whatsapp.net"])]
    chat_id: Annotated[str | None, Meta(description="The chat it belongs to; null before the first message.")]
    type: Annotated[Kind, Meta(description="`reaction`, `edit` and `delete` change the message `target_message_id`.")]
    text: Annotated[
        str,
        Meta(description="Text, caption, or the emoji of a reaction (empty: taken back).", examples=["Yes, it is!"]),
    ]
    media_url: str | None
    file_name: str | None
    quoted_message_id: str | None
    target_message_id: Annotated[str | None, Meta(description="WhatsApp's id of the message that is changed.")]
    is_forwarded: bool
    priority: Priority
    state: Annotated[OutboxState, Meta(examples=["queued"])]
    reason: Annotated[str | None, Meta(description="Why it waits or failed.")]
    cause: Annotated[Cause | None, Meta(description="What kind of reason a failed or cancelled one has.")]
    message_id: Annotated[str | None, Meta(description="WhatsApp's id, from `sent` on.")]
    attempts: int
    is_counted: Annotated[
        bool, Meta(description="Whether a campaign or a sequence counts it: it can't be taken off its chat.")
    ]
    created_at: datetime
    not_before: datetime
    expires_at: datetime | None
    sent_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None
    held_by: Annotated[
        HeldBy | None, Meta(description="Of one that is `queued`: what holds it; only in `GET /outbox/{outbox_id}`.")
    ] = None


class SendMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to send, to whom, from which line."""

    device_id: Annotated[str, Meta(examples=["0b9f6a3e-5a0c-4b60-8d5e-6d0f3a3f7c11"])]
    to: Receiver
    type: Annotated[MessageKind, Meta(examples=["text"])] = "text"
    text: Annotated[
        str, Meta(max_length=65_536, description="The text, or the caption of a file.", examples=["Yes, it is!"])
    ] = ""
    media_id: Annotated[str | None, Meta(description="From `POST /media`.")] = None
    file_name: Annotated[str, Meta(min_length=1, max_length=255, examples=["price-list.pdf"])] | None = None
    quoted_message_id: (
        Annotated[str, Meta(min_length=1, max_length=200, description="WhatsApp's id of the message answered.")] | None
    ) = None
    priority: Annotated[
        Priority, Meta(description="`reply` goes first and at once; `paced` keeps the device's pace.")
    ] = "reply"
    not_before: Annotated[
        datetime | None, Meta(description="It waits until then.", examples=["2027-03-01T09:00:00+08:00"])
    ] = None
    expires_at: Annotated[
        datetime | UnsetType | None,
        Meta(
            description="What has not left by then is `expired`. Left out, a reply that a person writes lives a day, "
            "and everything else for ever, as with null.",
            examples=["2027-03-02T09:00:00+08:00"],
        ),
    ] = UNSET


class Resolve(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person has found out of a send that is `unknown`."""

    arrived: bool


#: So long a reply that a person writes waits for its device. Who gets an answer later than that has asked elsewhere, or
#: has another one; its bubble says so, and offers to send it again.
REPLY_LIVES = timedelta(days=1)
#: From these a person may have a row tried again.
RETRYABLE = frozenset({"failed", "expired", "cancelled", "unknown"})
#: What a file must be to be sent as one of these.
WANTED_MIME = {"image": "image/jpeg", **WANTED}


def outbox_of(row: OutboxRow) -> Outbox:
    """An outbox row as the API shows it."""
    has_file = row.media_sha256 is not None and row.media_mime is not None
    return Outbox(
        id=str(row.id),
        device_id=None if row.device_id is None else str(row.device_id),
        to_jid=row.to_jid,
        chat_id=None if row.chat_id is None else str(row.chat_id),
        type=row.kind,
        text=row.body,
        media_url=file_url(row.media_sha256 or b"", row.media_mime or "") if has_file else None,
        file_name=row.file_name,
        quoted_message_id=row.quoted,
        target_message_id=row.target,
        is_forwarded=row.forwarded,
        priority=row.priority,
        state=msgspec.convert(row.state, OutboxState),
        reason=row.reason,
        cause=row.cause,
        message_id=row.message_id,
        attempts=row.attempts,
        is_counted=row.source_id is not None,
        created_at=row.created_at,
        not_before=row.not_before,
        expires_at=row.expires_at,
        sent_at=row.sent_at,
        delivered_at=row.delivered_at,
        read_at=row.read_at,
    )


def answer_not_paired(request: Request[Any, Any, Any], refusal: rows.NotPaired) -> Response[bytes]:
    """What can't leave yet is a conflict."""
    way_out = f"pair it with POST /api/v1/devices/{refusal.device_id}/pairings."
    return answer_problem(request, conflict("never-paired", f"{refusal}: {way_out}"))


async def find_row(pool: asyncpg.Pool, principal: Principal, outbox_id: str) -> OutboxRow:
    """An outbox row within the caller's reach.

    Raises:
        Problem: 404.
    """
    row = await rows.get(pool, principal.tenant_id, number_of("outbox row", outbox_id), principal.device_ids)
    if row is None:
        raise not_found("outbox row", outbox_id)
    return row


class OutboxController(Controller):
    """Everything that leaves."""

    tags = ["Messages"]
    exception_handlers = {rows.NotPaired: answer_not_paired}

    @post(
        "/messages",
        opt={"policy": Policy.SEND, "idempotent": IN_ONE},
        status_code=202,
        operation_id="send_message",
        summary="Send a message",
        responses=problems(400, 401, 403, 404, 409, 422),
    )
    async def send(
        self,
        data: JSONBody[SendMessage],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        idempotency_key: IdempotencyKey = None,
    ) -> Outbox:
        """Queued at once, also while the device is offline; follow `GET /outbox/{outbox_id}` or `MESSAGE_STATUS`."""
        device = await find_device(services.pool, principal, data.device_id)
        wanted = rows.Send(
            device_id=device.id,
            to_jid=await jid_of(services.pool, principal.tenant_id, data.to),
            kind=data.type,
            body=data.text,
            media_sha256=await _file_to_send(services.pool, principal.tenant_id, data),
            file_name=data.file_name,
            quoted=data.quoted_message_id,
            priority=data.priority,
            not_before=None if data.not_before is None else instant_of("not_before", data.not_before),
            expires_at=_expiry(data, principal),
        )
        try:
            row = await rows.enqueue(services.pool, principal.tenant_id, wanted, created_by=principal.actor)
        except rows.UnknownMedia:
            raise not_found("media", data.media_id) from None
        except rows.UnknownQuoted:
            why = "this chat has no message of this id, or no more; leave it out to send without a quote"
            raise refused_field("quoted_message_id", data.quoted_message_id, why, status=422) from None
        if row is None:
            raise not_found("device", data.device_id)
        return outbox_of(row)

    @get(
        "/outbox/{outbox_id:str}",
        opt={"policy": Policy.READ},
        operation_id="get_outbox",
        summary="How a send goes",
        responses=problems(401, 404),
    )
    async def show(
        self, outbox_id: FromPath[str], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> Outbox:
        """State, WhatsApp's id, the times of its ticks, and while it waits the rule that holds it."""
        row = await find_row(services.pool, principal, outbox_id)
        held = await held_by(services.pool, row, hears=services.settings.chat_storage)
        return msgspec.structs.replace(outbox_of(row), held_by=held)

    @get(
        "/devices/{device_id:str}/outbox",
        opt={"policy": Policy.READ},
        operation_id="list_outbox",
        summary="Outbox of a device",
        responses=problems(400, 401, 404),
    )
    async def index(
        self,
        device_id: FromPath[str],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        in_state: Annotated[
            OutboxState | None, QueryParameter(name="state", required=False, description="Only rows in this state.")
        ] = None,
        limit: Limit = 50,
        after: After = None,
    ) -> Page[Outbox]:
        """Newest first."""
        device = await find_device(services.pool, principal, device_id)
        found = await rows.list_rows(
            services.pool,
            principal.tenant_id,
            device.id,
            states=None if in_state is None else [in_state],
            limit=limit + 1,
            before=before_of(after),
        )
        return page_of(found, limit, outbox_of, lambda row: row.id)

    @get(
        "/chats/{chat_id:str}/outbox",
        opt={"policy": Policy.READ},
        operation_id="list_chat_outbox",
        summary="What has not left in a chat",
        responses=problems(400, 401, 404),
    )
    async def index_of_chat(
        self,
        chat_id: FromPath[str],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        limit: Limit = 50,
        after: After = None,
    ) -> Page[Outbox]:
        """Newest first: `queued` and `sending` ones, and those that are `failed`, `expired` or `unknown`. What a
        campaign or a sequence has waiting for this person is not among them: it has no words before it is due."""
        chat = await find_chat(services.pool, principal, chat_id)
        found = await rows.open_rows_of_chat(services.pool, int(chat.id), limit=limit + 1, before=before_of(after))
        return page_of(found, limit, outbox_of, lambda row: row.id)

    @post(
        "/outbox/{outbox_id:str}/retry",
        opt={"policy": Policy.SEND, "idempotent": IN_ONE},
        status_code=200,
        operation_id="retry_outbox",
        summary="Try a failed send again",
        responses=problems(401, 403, 404, 409, 422),
    )
    async def retry(
        self,
        outbox_id: FromPath[str],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        idempotency_key: IdempotencyKey = None,
    ) -> Outbox:
        """For `failed`, `expired`, `cancelled`, and `unknown` when a person has seen that it did not arrive. What a
        campaign or a sequence sends only while that goes on, and not to people who want no more."""
        found = await find_row(services.pool, principal, outbox_id)
        if found.state not in RETRYABLE:
            raise conflict("not-failed", f"Outbox row {found.id} is {found.state}: there is nothing to try again.")
        if found.source_id is not None:
            require_hearing(services)
        try:
            await _retry(found)(services.pool, principal.tenant_id, found.id)
        except (NotRetryable, campaigns.NotPossible) as error:
            raise conflict("not-retryable", f"Outbox row {found.id} can't be tried again. {error}") from None
        return outbox_of(await find_row(services.pool, principal, outbox_id))

    @post(
        "/outbox/{outbox_id:str}/resolve",
        opt={"policy": Policy.SEND},
        status_code=200,
        operation_id="resolve_outbox",
        summary="Say whether an unknown send arrived",
        responses=problems(400, 401, 403, 404, 409),
    )
    async def resolve(
        self,
        outbox_id: FromPath[str],
        data: JSONBody[Resolve],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
    ) -> Outbox:
        """For one that is `unknown`. What arrived is `sent`, with a message in its chat, whose id is one of ours, as
        nobody knows WhatsApp's; what did not is `failed`, and can be tried again."""
        found = await find_row(services.pool, principal, outbox_id)
        keep = services.settings.messages_per_chat
        async with together(services.pool) as pool:
            try:
                settled = await resolve.say(pool, principal, [found.id], arrived=data.arrived, keep=keep)
            except resolve.NotKnowable as error:
                raise conflict("not-possible", str(error)) from None
            if not settled:
                why = "only one that is unknown waits for somebody to say whether it arrived"
                raise conflict("not-unknown", f"Outbox row {found.id} is {found.state}: {why}.")
            await audit.record(
                pool,
                principal.tenant_id,
                principal.actor,
                "message.resolve",
                f"outbox:{found.id}",
                arrived=data.arrived,
            )
        return outbox_of(await find_row(services.pool, principal, outbox_id))

    @post(
        "/outbox/{outbox_id:str}/cancel",
        opt={"policy": Policy.SEND},
        status_code=200,
        operation_id="cancel_outbox",
        summary="Cancel a queued send",
        responses=problems(401, 403, 404, 409),
    )
    async def cancel(
        self, outbox_id: FromPath[str], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> Outbox:
        """Possible while it is `queued`. One that is `failed` or `expired` is taken off its chat so."""
        found = await find_row(services.pool, principal, outbox_id)
        row = await rows.cancel(services.pool, principal.tenant_id, found.id)
        if row is None:
            raise not_found("outbox row", outbox_id)
        if row.state != "cancelled":
            over = row.source_id is not None and row.state in RETRYABLE
            why = "it stays in what its campaign counts" if over else "only one that has not left can be cancelled"
            if row.state == "unknown":
                why = "it may have arrived; say whether it did with POST /api/v1/outbox/{outbox_id}/resolve"
            if row.state == "sending":
                why = "it may still arrive, and is cancelled if it does not leave"
            raise conflict("not-queued", f"Outbox row {row.id} is {row.state}: {why}.")
        return outbox_of(row)


def _expiry(data: SendMessage, principal: Principal) -> datetime | None:
    """Until when a message is to leave. Raises Problem 400 when that is over before it may."""
    begins = max(clock.now(), data.not_before or clock.now())
    if data.expires_at is UNSET:
        return begins + REPLY_LIVES if principal.user_id is not None and data.priority == "reply" else None
    if data.expires_at is None:
        return None
    at = instant_of("expires_at", data.expires_at)
    if at <= begins:
        raise refused_field("expires_at", at.isoformat(), "it lies before the message may leave: choose a later time")
    return at


def _retry(row: OutboxRow) -> Callable[[asyncpg.Pool, int, int], Awaitable[None]]:
    """Whoever knows what stands behind the row."""
    if row.source_id is None:
        return again.retry
    return campaigns.retry_row if row.enrolment_id is None else enrolments.retry_row


async def _file_to_send(pool: asyncpg.Pool, tenant_id: int, data: SendMessage) -> bytes | None:
    """The hash of the file to send, None for a text; refuses what can't be sent so."""
    if data.type == "text":
        if data.media_id is not None:
            raise refused_field("media_id", data.media_id, "a text has no file; say what the file is in `type`")
        check_visible(data.text)
        return None
    if data.media_id is None:
        raise refused_field("media_id", None, f"a message of type {data.type} needs one; POST /api/v1/media gives it")
    sha256 = hash_of(data.media_id)
    mime = None if sha256 is None else await mime_of_stored(pool, tenant_id, sha256)
    if sha256 is None or mime is None:
        raise not_found("media", data.media_id)
    if not mime.startswith(WANTED_MIME[data.type]):
        raise refused_field(
            "type",
            data.type,
            f"the file is {mime}; upload it with a part `type` of {data.type!r}, or send it as document",
        )
    return sha256
