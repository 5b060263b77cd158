"""Looks at each device every half minute, so that `online` is never a lie.

Three signals: the keepalive's answers, which the session tells of by itself (`Fleet` hears them); the socket, of which
the connect gate knows when WhatsApp last said something; and the queue of requests that wait for an answer.
"""

from __future__ import annotations

import asyncio
import random
import time

from wafast import logs
from wafast.database.away import DATABASE_AWAY
from wafast.devices import state
from wafast.devices.fleet import Fleet
from wafast.devices.held import CHECK_SECONDS, Held

log = logs.get("devices.health")

LOOK_SECONDS = 1.0
#: whatsmeow pings every 20 to 30 seconds and is answered at once: nothing for so long is at least one missed answer.
SILENT_SECONDS = 60.0
#: whatsmeow gives a request up after 75 seconds at the latest.
UNANSWERED_SECONDS = 180.0


class Health:
    """Of all devices a worker holds."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    async def run(self) -> None:
        """Look until cancelled; what is there to do for a device is nobody else's trouble."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            now = time.monotonic()
            for held in [held for held in self._fleet.held.values() if held.check_at <= now]:
                try:
                    await self._check(held, time.monotonic())
                except DATABASE_AWAY:
                    pass  # looked at again in half a minute
                except Exception:
                    log.exception("a device's health was not looked at", device=held.device_no)

    async def _check(self, held: Held, now: float) -> None:
        held.check_at = now + CHECK_SECONDS * random.uniform(0.8, 1.2)
        session = held.session
        if session is None or held.is_handling or held.state != "online":
            return
        since = session.waiting_since()
        if since is not None and now - since > UNANSWERED_SECONDS:
            await self._fleet.restart_stuck(held, state.UNANSWERED)
            return
        heard_at = session.heard_at()
        if heard_at is not None and now - heard_at < SILENT_SECONDS:
            held.check_at = min(held.check_at, heard_at + SILENT_SECONDS)
            return
        log.warning("a device is silent", device=held.device_no, seconds=heard_at and round(now - heard_at))
        await self._fleet.move(held, "offline", state.NO_ANSWER)
        session.redial()
