"""Devices that the body of a request names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wafast.api.ids import uuids_of
from wafast.api.problems import not_found
from wafast.devices import rows as devices

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    import asyncpg

    from wafast.accounts.principal import Principal


async def chosen_devices(pool: asyncpg.Pool, principal: Principal, named: Sequence[str | UUID]) -> list[UUID]:
    """The devices, each once: one that is not there would be chosen for nobody, without a word.

    Raises:
        Problem: 404 for the first that is not the workspace's, or out of the caller's reach.
    """
    wanted = uuids_of("device", map(str, named))
    own = await devices.ids_of_tenant(pool, principal.tenant_id, wanted)
    for device_id in wanted:
        if device_id not in own or not principal.sees(device_id):
            raise not_found("device", device_id)
    return wanted
