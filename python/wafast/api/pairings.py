"""Pairing attempts: each is a row of its own, whose result reaches only its device."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import asyncpg
import msgspec
from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from wafast.accounts import audit
from wafast.accounts.principal import Principal
from wafast.api.devices import find_device
from wafast.api.idempotency import IN_ONE
from wafast.api.ids import uuid_of
from wafast.api.parameters import IdempotencyKey, phone_of
from wafast.api.policy import Policy
from wafast.api.problems import conflict, not_found, refused_field
from wafast.api.responses import problems
from wafast.api.services import Services
from wafast.devices import rows
from wafast.devices.rows import PairingRow


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


def pairing_of(row: PairingRow) -> Pairing:
    """A pairing as the API shows it. What a phone could still scan is shown only while it waits."""
    waiting = row.state == "waiting"
    return Pairing(
        id=str(row.id),
        device_id=str(row.device_id),
        method=row.method,
        state=row.state,
        reason=row.reason,
        qr=row.qr if waiting else None,
        code=row.code if waiting else None,
        expires_at=row.expires_at,
        created_at=row.created_at,
    )


async def find_pairing(pool: asyncpg.Pool, principal: Principal, pairing_id: str) -> PairingRow:
    """A pairing of a device within the caller's reach.

    Raises:
        Problem: 404.
    """
    row = await rows.get_pairing(pool, principal.tenant_id, uuid_of("pairing", pairing_id))
    if row is None or not principal.sees(row.device_id):
        raise not_found("pairing", pairing_id)
    return row


class PairingController(Controller):
    """Linking a device to a phone."""

    tags = ["Pairings"]

    @post(
        "/devices/{device_id:str}/pairings",
        opt={"policy": Policy.ADMIN, "idempotent": IN_ONE},
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
        device = await find_device(services.pool, principal, device_id)
        phone = await _phone_to_type_on(services.pool, principal.tenant_id, data)
        try:
            row = await rows.create_pairing(services.pool, principal.tenant_id, device.id, data.method, phone)
        except rows.AlreadyPaired:
            raise conflict(
                "already-paired",
                f"{device.name} is linked to {device.phone or 'a phone'}: log it out first with "
                f"POST /api/v1/devices/{device.id}/logout.",
            ) from None
        if row is None:
            raise not_found("device", device_id)
        subject = f"device:{device.id}"
        await audit.record(
            services.pool, principal.tenant_id, principal.actor, "pairing.create", subject, method=data.method
        )
        return pairing_of(row)

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
        return pairing_of(await find_pairing(services.pool, principal, pairing_id))

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
        found = await find_pairing(services.pool, principal, pairing_id)
        row = await rows.cancel_pairing(services.pool, principal.tenant_id, found.id)
        if row is None:
            raise not_found("pairing", pairing_id)
        return pairing_of(row)


async def _phone_to_type_on(pool: asyncpg.Pool, tenant_id: int, data: CreatePairing) -> str | None:
    """The number a code is for; WhatsApp wants to know whose phone will type it."""
    if data.method == "qr":
        return None
    if data.phone is None:
        raise refused_field("phone", None, "the phone's number is needed for a code, as +60 12-345 6789")
    return await phone_of(pool, tenant_id, data.phone)
