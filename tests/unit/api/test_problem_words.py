"""The web app says in every language what the API refuses."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from wafast.api.problems import KINDS
from wafast.campaigns.estimate import HoldsCause
from wafast.devices.state import TERMINAL
from wafast.outbox.rows import Cause

ROOT = Path(__file__).parents[3]


def _kinds(source: Path) -> Iterator[str]:
    """What the code of one file names as a problem's kind."""
    for node in ast.walk(ast.parse(source.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("Problem", "conflict"):
            kind = node.args[1 if node.func.id == "Problem" else 0]
            if isinstance(kind, ast.Constant) and isinstance(kind.value, str):
                yield kind.value


def test_every_problem_and_every_cause_has_its_words_in_malay() -> None:
    said = {kind for source in (ROOT / "python/wafast").rglob("*.py") for kind in _kinds(source)}
    said |= {*KINDS.values(), *get_args(Cause), *TERMINAL}
    said |= {cause for some in get_args(HoldsCause) for cause in get_args(some)}
    catalogue = (ROOT / "web/src/i18n/ms_server.ts").read_text("utf-8")
    assert said - set(re.findall(r"^  '?([a-z_-]+)'?: ", catalogue, re.MULTILINE)) == set()
