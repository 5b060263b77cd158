"""What a worker's process is started with."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wafast import settings, supervisor
from wafast.devices import go_runtime


def test_go_gets_more_processors_than_there_are() -> None:
    made = go_runtime.environment({"PATH": "/bin"})
    assert made["PATH"] == "/bin"
    assert int(made["GOMAXPROCS"]) > (os.cpu_count() or 1)


def test_who_sets_another_number_has_it() -> None:
    assert go_runtime.environment({"GOMAXPROCS": "3"}) == {"GOMAXPROCS": "3"}


def test_the_supervisor_starts_its_workers_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GOMAXPROCS", raising=False)
    loaded = settings.load({"data_dir": str(tmp_path)}, environment={}, env_file=tmp_path / "no.env")
    child = supervisor._worker(loaded, "postgresql://nowhere", "whatsapp", 0, None)
    assert child._environment is not None
    assert child._environment(os.environ)["GOMAXPROCS"] == go_runtime.environment({})["GOMAXPROCS"]
