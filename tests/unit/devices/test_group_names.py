"""Groups nobody has named, met by several devices."""

from __future__ import annotations

import asyncio
from typing import cast

import asyncpg
import pytest

from wafast.devices import group_names
from wafast.devices.group_names import GroupNames
from wafast.devices.session import Session

SILENT, SPEAKS = 1, 2


class Pool:
    """No group has a name."""

    async def fetch(self, _query: str, devices: list[int], jids: list[str]) -> list[dict[str, object]]:
        """All that is asked for."""
        return [{"device_no": device_no, "jid": jid} for device_no, jid in zip(devices, jids, strict=True)]


class Phone:
    """What WhatsApp is asked through a device, and when it answers."""

    def __init__(self, answers: asyncio.Event) -> None:
        self.answers, self.asked = answers, asyncio.Queue[str]()

    async def name_group(self, jid: str) -> None:
        """Asked."""
        self.asked.put_nowait(jid)
        await self.answers.wait()


async def test_a_device_without_an_answer_keeps_no_other_from_asking_and_is_asked_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(group_names, "GATHER_SECONDS", 0.0)
    at_once, never = asyncio.Event(), asyncio.Event()
    at_once.set()
    phones = {SILENT: Phone(never), SPEAKS: Phone(at_once)}
    names = GroupNames(cast(asyncpg.Pool, Pool()), lambda device_no: cast(Session, phones[device_no]))
    running = asyncio.create_task(names.run())
    try:
        async with asyncio.timeout(60):
            names.want(SILENT, ["1@g.us", "2@g.us"])
            first = await phones[SILENT].asked.get()
            for group in ("3@g.us", "4@g.us"):
                names.want(SPEAKS, [group])
                names.want(SILENT, [group])
                assert await phones[SPEAKS].asked.get() == group
            assert phones[SILENT].asked.empty()
            never.set()
            others = {await phones[SILENT].asked.get() for _ in range(3)}
        assert others | {first} == {"1@g.us", "2@g.us", "3@g.us", "4@g.us"}
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
