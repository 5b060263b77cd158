"""Looks at each device every half minute, so that `online` is never a lie.

Three signals: the keepalive's answers, which the session tells of by itself (`Fleet` hears them); the socket, of which
the connect gate knows when WhatsApp last said something; and the queue of requests that wait for an answer.
"""

from __future__ import annotations

import asyncio
import random
import time

from wafast.devices.fleet import Fleet
from wafast.devices.held import CHECK_SECONDS, Held
from wafast.devices.session import Session, Silent, Stuck

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
        """Look until cancelled. What is found takes its turn among what the session tells."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.look(time.monotonic())

    def look(self, now: float) -> None:
        """Look at those whose time has come; `now` is of the monotonic clock."""
        for held in [held for held in self._fleet.held.values() if held.check_at <= now]:
            held.check_at = now + CHECK_SECONDS * random.uniform(0.8, 1.2)
            if held.session is not None and held.state == "online":
                self._check(held, held.session, time.monotonic())

    def _check(self, held: Held, session: Session, now: float) -> None:
        since = session.waiting_since()
        heard_at = session.heard_at()
        if since is not None and now - since > UNANSWERED_SECONDS:
            self._fleet.hear(held.device_no, Stuck())
        elif heard_at is None or now - heard_at > SILENT_SECONDS:
            self._fleet.hear(held.device_no, Silent())
        else:
            held.check_at = min(held.check_at, heard_at + SILENT_SECONDS)
