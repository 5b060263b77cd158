"""What a planner does that finds another one at a plan."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest.mock import Mock

import pytest

from wafast.campaigns import planner


async def test_a_plan_that_another_connection_is_at_is_not_tried_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def connect(uri: str, name: str) -> Any:
        return Mock()

    async def plan(connection: Any, tenant_id: int, campaign_id: int) -> None:
        """Nothing could be planned."""

    monkeypatch.setattr(planner, "connect", connect)
    monkeypatch.setattr(planner, "plan", plan)
    monkeypatch.setattr(planner, "AGAIN_SECONDS", 3600.0)
    runner = planner.Planner("", Mock())
    planning = asyncio.create_task(runner._plan(1, 1))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not runner._woken.is_set()
    planning.cancel()
    await asyncio.gather(planning, return_exceptions=True)
    assert runner._woken.is_set()
