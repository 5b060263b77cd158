"""What leads ask of whoever sends to them, without knowing who that is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wafast.events.bus import Executor


class Sends(Protocol):
    """What is on its way to leads. Each is called in the transaction that changes the leads and holds them, before it
    does, but `cancel` and `go_over`."""

    async def hold_sources(self, connection: Executor, tenant_id: int, lead_ids: Sequence[int]) -> None:
        """Leads are about to get another number or device: what waits for them may be moved, and stays until then."""

    async def readdress(self, connection: Executor, tenant_id: int, lead_id: int, phone: str, zone: str) -> None:
        """A lead gets another number, of a place with this IANA zone: what waits for it goes there, at its hours."""

    async def go_over(self, connection: Executor, tenant_id: int, lead_ids: Sequence[int]) -> None:
        """Leads were given to other devices: what waits for them leaves from there."""

    async def hold(self, connection: Executor, tenant_id: int, lead_ids: Sequence[int]) -> None:
        """Leads are about to be deleted: whoever is putting in something for one of them is waited for."""

    async def cancel(self, connection: Executor, tenant_id: int, lead_ids: Sequence[int]) -> None:
        """Leads were deleted, and whoever was putting in something for one of them has ended: nothing more leaves."""

    async def become_one(self, connection: Executor, tenant_id: int, kept: int, gone: int) -> None:
        """The lead `gone` becomes part of `kept`: its history goes over, and what waited for it does not leave."""
