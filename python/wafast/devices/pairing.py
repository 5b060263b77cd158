"""A pairing attempt, from the first code to the device's identity or a reason why not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from uuid import UUID

import asyncpg

from wafast import phones
from wafast.database.queries import load
from wafast.devices import state
from wafast.devices.session import Own
from wafast.events import bus

if TYPE_CHECKING:
    from wafast.events.bus import Executor

q = load(__file__)

#: WhatsApp shows codes for 160 seconds. A session that is ended before leaves a parked thread behind in neonize; one
#: that runs to the end of its codes leaves a thread that asks ten times a second for ever.
CODES_SECONDS = 150.0

TIMED_OUT = "nobody scanned the code in time; start again"

#: What the last words of WhatsApp's codes mean (whatsmeow qrchan.go).
OUTCOMES = {
    "err-client-outdated": "WhatsApp wants a newer client; update wafast",
    "err-scanned-without-multidevice": "the phone has an old WhatsApp; update it and try again",
    "err-unexpected-state": "WhatsApp answered unexpectedly; try again",
}


class NumberTaken(Exception):
    """Another device of the same tenant is linked to this number already; the text says which."""


class Pairing:
    """One waiting pairing of a device that this worker holds."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        lease: tuple[UUID, int],
        device_no: int,
        pairing_id: UUID,
        phone: str | None,
        store: str,
        old_store: str | None,
    ) -> None:
        self._pool, self._lease, self._device_no = pool, lease, device_no
        self.id, self.phone, self.store, self.old_store = pairing_id, phone, store, old_store
        self.code: str | None = None

    async def show(self, *, qr: str | None = None, code: str | None = None) -> None:
        """Put the present QR text or code into the row."""
        row = await self._pool.fetchrow(q.show_code, self._device_no, *self._lease, self.id, qr, code, CODES_SECONDS)
        await self._publish(row)

    async def end(self, outcome: Literal["failed", "expired"], reason: str) -> None:
        """End it without a phone; one that has ended already (cancelled, say) stays as it ended."""
        row = await self._pool.fetchrow(q.end_pairing, self._device_no, *self._lease, self.id, outcome, reason)
        await self._publish(row)

    async def succeed(self, own: Own) -> bool:
        """Write the device's identity, once, and the pairing's success, together. True as well when that was written
        already, and only the database's answer was lost.

        False when the pairing was cancelled or the lease lost meanwhile. Raises NumberTaken.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            held = await connection.fetchrow(q.hold_device, self._device_no, *self._lease)
            if held is None or held["store"] == self.store:
                return held is not None
            row = await connection.fetchrow(q.complete_pairing, self.id)
            if row is None:
                return False
            try:
                async with connection.transaction():
                    await connection.execute(
                        q.write_identity, self._device_no, own.jid, own.lid, phones.of_jid(own.jid), own.wa_device,
                        self.store, state.STARTING, self._lease[0],
                    )  # fmt: skip
            except asyncpg.UniqueViolationError:
                name = await connection.fetchval(q.device_of_number, self._device_no, own.jid)
                raise NumberTaken(
                    f"{phones.of_jid(own.jid)} is already linked to the device {name!r}; delete that one first"
                ) from None
            await self._publish(row, connection)
            await bus.publish(connection, [{"k": "device", "t": row["tenant_id"], "d": self._device_no}])
        return True

    async def _publish(self, row: asyncpg.Record | None, connection: Executor | None = None) -> None:
        if row is not None:
            event = {"k": "pairing", "t": row["tenant_id"], "d": row["device_no"], "p": str(self.id)}
            await bus.publish(connection or self._pool, [event])
