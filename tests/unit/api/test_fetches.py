"""Files on their way from WhatsApp."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from wafast.api.fetches import Fetches

SHA256 = bytes(32)


class Device:
    """Asked for a file, it has it stored."""

    def __init__(self) -> None:
        self.asked = 0
        self.stored: set[bytes] = set()

    async def call(self, _device_no: int, _verb: str, _args: dict[str, Any], _seconds: float) -> dict[str, Any]:
        self.asked += 1
        await asyncio.sleep(0)
        self.stored.add(SHA256)
        return {"sha256": SHA256.hex()}

    async def has(self, _tenant_id: int, sha256: bytes) -> bool | None:
        return sha256 in self.stored or None


async def test_who_comes_when_the_file_has_just_come_does_not_ask_again() -> None:
    device = Device()
    fetches = Fetches(cast("Any", device), cast("Any", device))
    together = [fetches.fetch(1, SHA256, 2, 3, 4) for _ in range(3)]
    assert await asyncio.gather(*together) == [SHA256] * 3
    assert await fetches.fetch(1, SHA256, 2, 3, 4) == SHA256, "who had looked before it was here"
    assert device.asked == 1
    assert await fetches.fetch(1, None, 2, 3, 4) == SHA256
    assert device.asked == 2, "of a message that does not say which it is"
