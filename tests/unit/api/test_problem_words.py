"""The web app says in every language what the API refuses."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from wafast.api.refusals import KINDS
from wafast.campaigns.estimate import HoldsCause
from wafast.devices.state import TERMINAL
from wafast.outbox.rows import Cause

ROOT = Path(__file__).parents[3]


#: What becomes a problem, and which argument its kind is.
RAISED = {"Problem": 1, "conflict": 0, "NotPossible": 0, "NotReplaceable": 0}


def _kinds(source: Path) -> Iterator[str]:
    """What the code of one file names as a problem's kind; a `NotPossible` of campaigns begins with its text."""
    for node in ast.walk(ast.parse(source.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RAISED:
            said = node.args[RAISED[node.func.id]]
            for kind in (said.body, said.orelse) if isinstance(said, ast.IfExp) else (said,):
                if isinstance(kind, ast.Constant) and re.fullmatch("[a-z-]+", str(kind.value)):
                    yield str(kind.value)


def test_every_problem_and_every_cause_has_its_words_in_malay() -> None:
    said = {kind for source in (ROOT / "python/wafast").rglob("*.py") for kind in _kinds(source)}
    said |= {*KINDS.values(), *get_args(Cause), *TERMINAL}
    said |= {cause for some in get_args(HoldsCause) for cause in get_args(some)}
    catalogue = (ROOT / "web/src/i18n/ms_server.ts").read_text("utf-8")
    assert "{" not in catalogue.partition("= {")[2], "nothing of the server's own English is filled in"
    assert said - set(re.findall(r"^  '?([a-z_-]+)'?:\s", catalogue, re.MULTILINE)) == set()
