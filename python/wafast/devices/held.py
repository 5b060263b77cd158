"""What a worker keeps of each device it holds."""

from __future__ import annotations

import random
import time
from collections import deque
from dataclasses import dataclass, field
from uuid import UUID

from wafast.devices.pairing import Pairing
from wafast.devices.session import ControlEvent, Session
from wafast.devices.state import State

#: How often a device's health is looked at, more or less.
CHECK_SECONDS = 30.0


@dataclass(slots=True)
class Held:
    """A device under this worker's lease. Instants are of the monotonic clock."""

    device_no: int
    tenant_id: int
    lease: tuple[UUID, int]
    state: State = "offline"
    state_at: float = field(default_factory=time.monotonic)
    session: Session | None = None
    pairing: Pairing | None = None
    jid: str | None = None
    push_name: str | None = None
    store: str | None = None
    proxy: str | None = None
    """The one its session goes through."""
    failures: int = 0
    crashes: int = 0
    """Workers that died in a row while it was coming online."""
    check_at: float = field(default_factory=lambda: time.monotonic() + random.uniform(0, CHECK_SECONDS))
    """When its health is looked at next."""
    events: deque[ControlEvent] = field(default_factory=deque)
    is_handling: bool = False
    touched: float = 0.0
    """When this worker last changed the device: a row that was read before does not know of it."""

    def touch(self) -> None:
        """Note a change."""
        self.touched = time.monotonic()

    @property
    def is_online(self) -> bool:
        """Whether messages can leave now."""
        return self.session is not None and self.state == "online"

    @property
    def is_connecting(self) -> bool:
        """Whether its session is between its start and being online."""
        return self.session is not None and self.state == "connecting"
