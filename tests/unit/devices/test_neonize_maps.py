"""Turns at neonize's maps: whatever order clients start, log in, call and stop in, a write is always alone."""

from __future__ import annotations

import asyncio
import random

import pytest

from wafast.devices.neonize_maps import BATCH, Maps


class Watched:
    """Clients of one process, and who is at the maps now."""

    def __init__(self) -> None:
        self.maps = Maps()
        self.writing = self.reading = self.together = 0
        self.order: list[str] = []

    async def start(self, seconds: float = 0.0) -> None:
        async with self.maps.writing():
            assert not self.writing
            assert not self.reading, "nobody reads while one writes"
            self.order.append("start")
            self.writing += 1
            try:
                await asyncio.sleep(seconds)
            finally:
                self.writing -= 1
        async with self.maps.logging_in():
            assert not self.writing
            self.order.append("login")
            self.reading += 1
            self.together = max(self.together, self.reading)
            try:
                await asyncio.sleep(seconds)
            finally:
                self.reading -= 1

    async def call(self) -> None:
        await self.maps.calling()
        assert not self.writing


async def test_starts_go_in_batches_and_each_batch_logs_in_together() -> None:
    clients = Watched()
    await asyncio.gather(*(clients.start() for _ in range(2 * BATCH + 3)))
    expected = ["start"] * BATCH + ["login"] * BATCH
    assert clients.order == expected + expected + ["start"] * 3 + ["login"] * 3
    assert clients.together == BATCH


@pytest.mark.parametrize("seed", range(20))
async def test_a_write_is_always_alone_and_everybody_has_a_turn(seed: int) -> None:
    chance, clients = random.Random(seed), Watched()

    async def act() -> None:
        await asyncio.sleep(chance.uniform(0, 0.05))
        if chance.random() < 0.3:
            await clients.call()
        else:
            work = asyncio.ensure_future(clients.start(chance.uniform(0, 0.005)))
            if chance.random() < 0.1:
                await asyncio.sleep(chance.uniform(0, 0.01))
                work.cancel()
            await asyncio.wait([work])
            if not work.cancelled():
                work.result()

    async with asyncio.timeout(60):
        await asyncio.gather(*(act() for _ in range(80)))
        await clients.start()
