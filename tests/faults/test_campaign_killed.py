"""Processes are killed in the middle of a campaign: everybody gets it once, or its row says what is known."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.campaign_kills import QUICK_PAUSE, drill
from bench.contacts import Lines, running


@pytest.fixture
def lines() -> Iterator[Lines]:
    folder = Path(tempfile.mkdtemp(prefix="wafast-campaign-"))
    folder.chmod(0o755)
    with running(folder, 4) as lines:
        yield lines
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_campaign_whose_processes_are_killed_reaches_everybody_once(lines: Lines) -> None:
    verdict = drill(lines, people=200, kills=4, rate=8, chance=random.Random(7), pause=QUICK_PAUSE)
    assert verdict.kills.total() == 4
    assert verdict.is_sound, verdict
    assert verdict.once + verdict.told_arrived + verdict.told_absent == 200
    assert verdict.looks > 20
