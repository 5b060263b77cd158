"""Devices that the body of a request names."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from wafast.api.ids import uuid_of
from wafast.api.problems import not_found
from wafast.devices import rows as devices

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg

    from wafast.accounts.principal import Principal


async def chosen_devices(pool: asyncpg.Pool, principal: Principal, named: Sequence[str | UUID]) -> list[UUID]:
    """The devices, each once: one that is not there would be chosen for nobody, without a word.

    Raises:
        Problem: 404 for the first that is not the workspace's, or out of the caller's reach.
    """
    wanted = [one if isinstance(one, UUID) else uuid_of("device", one) for one in dict.fromkeys(named)]
    own = await devices.ids_of_tenant(pool, principal.tenant_id, wanted)
    for device_id in wanted:
        if device_id not in own or not principal.sees(device_id):
            raise not_found("device", device_id)
    return list(dict.fromkeys(wanted))
