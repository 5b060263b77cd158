"""The outbox: sending a message, and following what was sent."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta

from wafast.api.authentication import Principal
from wafast.api.parameters import After, IdempotencyKey, Limit
from wafast.api.policy import Policy
from wafast.api.responses import Page, problems
from wafast.api.services import Services

OutboxState = Literal[
    "queued", "sending", "sent", "delivered", "read", "failed", "unknown", "expired", "cancelled"
]
SendType = Literal["text", "image", "video", "audio", "voice", "document"]
Priority = Literal["reply", "paced"]


class Outbox(msgspec.Struct, frozen=True, kw_only=True):
    """One message on its way out."""

    id: Annotated[str, Meta(examples=["93"])]
    device_id: Annotated[str, Meta(examples=["0b9f6a3e-5a0c-4b60-8d5e-6d0f3a3f7c11"])]
    to_jid: Annotated[str, Meta(examples=["60198765432@s.whatsapp.net"])]
    chat_id: Annotated[str | None, Meta(description="The chat it belongs to; null before the first message.")]
    type: SendType
    text: Annotated[str, Meta(description="Text, or the caption.", examples=["Yes, it is!"])]
    media_url: str | None
    file_name: str | None
    quoted_message_id: str | None
    priority: Priority
    state: Annotated[OutboxState, Meta(examples=["queued"])]
    reason: Annotated[str | None, Meta(description="Why it waits or failed.")]
    message_id: Annotated[str | None, Meta(description="WhatsApp's id, from `sent` on.")]
    attempts: int
    created_at: datetime
    not_before: datetime
    expires_at: datetime | None
    sent_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None


class SendMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to send, to whom, from which line."""

    device_id: Annotated[str, Meta(examples=["0b9f6a3e-5a0c-4b60-8d5e-6d0f3a3f7c11"])]
    to: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=100,
            description="A phone number in any usual form, or a JID.",
            examples=["012-345 6789"],
        ),
    ]
    type: Annotated[SendType, Meta(examples=["text"])] = "text"
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


class OutboxController(Controller):
    """Everything that leaves."""

    tags = ["Messages"]

    @post(
        "/messages",
        opt={"policy": Policy.SEND},
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
        raise NotImplementedError

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
        """State, WhatsApp's id, and the times of its ticks."""
        raise NotImplementedError

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
        raise NotImplementedError

    @post(
        "/outbox/{outbox_id:str}/retry",
        opt={"policy": Policy.SEND},
        status_code=200,
        operation_id="retry_outbox",
        summary="Try a failed send again",
        responses=problems(401, 403, 404, 409),
    )
    async def retry(
        self, outbox_id: FromPath[str], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> Outbox:
        """For `failed`, `expired`, and `unknown` when a person has seen that it did not arrive."""
        raise NotImplementedError

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
        """Possible while it is `queued`."""
        raise NotImplementedError
