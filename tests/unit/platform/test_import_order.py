"""Arrows point one way: a package knows only those before it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import wafast

ROOT = Path(wafast.__file__).parent
#: Single files that anybody may know.
GROUND = {
    "_core", "ai", "ai_client", "clock", "crashes", "csv_rows", "data_dir", "limits", "loaded", "logs", "phones",
    "pulse", "refusal", "settings", "visible", "vitals",
}  # fmt: skip
#: Packages and the other files, from the ground up. What sends to people knows people and lines; these do not know what
#: is sent to them.
ORDER = [
    "database", "events", "accounts", "inbox", "devices", "leads", "outbox", "distribution", "sequences", "campaigns",
    "answers", "worker", "doctor", "api", "children", "worker_group", "demo", "supervisor", "cli", "__main__",
]  # fmt: skip


def _known_by(file: Path) -> set[str]:
    """Packages and single files of wafast that a file imports, for types as well."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names = [f"{node.module}.{one.name}" for one in node.names]
        found |= {name.split(".")[1] for name in names if name.startswith("wafast.")}
    return found - {"__version__"}


def _files(name: str) -> list[Path]:
    return [ROOT / f"{name}.py"] if (ROOT / f"{name}.py").exists() else sorted((ROOT / name).rglob("*.py"))


def test_each_knows_only_what_is_before_it() -> None:
    wrong = {
        f"{file.relative_to(ROOT)} knows {known}"
        for place, name in enumerate(ORDER)
        for file in _files(name)
        for known in _known_by(file) - GROUND - set(ORDER[: place + 1])
    }
    assert wrong == set()


def test_everything_has_its_place() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    files = {path.stem for path in ROOT.glob("*.py")} - {"__init__"}
    assert packages | files == set(ORDER) | GROUND - {"_core"}


def test_leads_do_not_read_what_is_sent_to_them() -> None:
    tables = re.compile(r"\b(outbox|sources|lanes|campaigns|sequences|sequence_steps|enrolments)\b")
    assert [file.name for file in (ROOT / "leads").glob("*.sql") if tables.search(file.read_text("utf-8"))] == []


def test_who_reads_the_outbox_from_before_it_says_why_no_query_of_its_own_would_do() -> None:
    reads = re.compile(r"\b(FROM|JOIN|UPDATE|INTO) outbox\b")
    before = [file for name in ORDER[: ORDER.index("outbox")] for file in sorted((ROOT / name).glob("*.sql"))]
    readers = [file for file in before if reads.search(file.read_text("utf-8"))]
    assert readers, "none is left: this test and what it looks for can go"
    assert [file.name for file in readers if "-- Reads the outbox itself: " not in file.read_text("utf-8")] == []
