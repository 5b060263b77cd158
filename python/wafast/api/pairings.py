"""Pairing attempts: each is a row of its own, whose result reaches only its device."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from wafast.api.authentication import Principal
from wafast.api.parameters import IdempotencyKey
from wafast.api.policy import Policy
from wafast.api.responses import problems
from wafast.api.services import Services


class Pairing(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to link a device to a phone."""

    id: Annotated[str, Meta(examples=["6e7d3c52-0d0a-4a54-9a6e-0c5a3b8f6a01"])]
    device_id: Annotated[str, Meta(examples=["0b9f6a3e-5a0c-4b60-8d5e-6d0f3a3f7c11"])]
    method: Literal["qr", "code"]
    state: Literal["waiting", "paired", "failed", "expired"]
    reason: Annotated[str | None, Meta(description="Why it failed or expired, and what to do.")]
    qr: Annotated[str | None, Meta(description="Text of the QR code to show now; null until the first.")]
    code: Annotated[str | None, Meta(description="Code to type on the phone.", examples=["ABCD-1234"])]
    expires_at: datetime
    created_at: datetime


class CreatePairing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """By QR, or by a code typed on the phone."""

    method: Annotated[Literal["qr", "code"], Meta(examples=["qr"])]
    phone: (
        Annotated[
            str, Meta(max_length=40, description="The phone's number, needed for `code`.", examples=["012-345 6789"])
        ]
        | None
    ) = None


class PairingController(Controller):
    """Linking a device to a phone."""

    tags = ["Pairings"]

    @post(
        "/devices/{device_id:str}/pairings",
        opt={"policy": Policy.ADMIN},
        operation_id="create_pairing",
        summary="Start pairing",
        responses=problems(400, 401, 403, 404, 409, 422),
    )
    async def create(
        self,
        device_id: FromPath[str],
        data: JSONBody[CreatePairing],
        principal: NamedDependency[Principal],
        services: NamedDependency[Services],
        idempotency_key: IdempotencyKey = None,
    ) -> Pairing:
        """The QR text or the code follows within seconds: poll the pairing or listen for `QR_UPDATE`."""
        raise NotImplementedError

    @get(
        "/pairings/{pairing_id:str}",
        opt={"policy": Policy.READ},
        operation_id="get_pairing",
        summary="How a pairing goes",
        responses=problems(401, 404),
    )
    async def show(
        self, pairing_id: FromPath[str], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> Pairing:
        """Always with the QR text to show now."""
        raise NotImplementedError

    @delete(
        "/pairings/{pairing_id:str}",
        opt={"policy": Policy.ADMIN},
        status_code=200,
        operation_id="cancel_pairing",
        summary="Cancel a pairing",
        responses=problems(401, 403, 404),
    )
    async def cancel(
        self, pairing_id: FromPath[str], principal: NamedDependency[Principal], services: NamedDependency[Services]
    ) -> Pairing:
        """A pairing that has ended stays as it ended."""
        raise NotImplementedError
