"""How an import's process ends."""

from __future__ import annotations

import errno
import io
import sys
from pathlib import Path

import asyncpg
import pytest

from wafast.leads import import_process


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), import_process.FULL),
        (asyncpg.DiskFullError("could not extend file"), import_process.FULL),
        (ConnectionRefusedError(), import_process.AWAY),
        (asyncpg.AdminShutdownError("shut down"), import_process.AWAY),
    ],
    ids=["full here", "full there", "away", "shut down"],
)
def test_a_full_disk_is_not_a_database_that_is_away(
    monkeypatch: pytest.MonkeyPatch, error: Exception, code: int
) -> None:
    async def work(uri: str, import_id: int, folder: Path) -> None:
        raise error

    monkeypatch.setattr(import_process, "work", work)
    monkeypatch.setattr(import_process, "_end_with_parent", lambda: None)
    monkeypatch.setattr("os.nice", lambda by: 0)
    monkeypatch.setattr("resource.setrlimit", lambda *limit: None)
    monkeypatch.setattr(sys, "argv", ["", "1", "folder"])
    monkeypatch.setattr(sys, "stdin", io.StringIO("postgresql://\n"))
    with pytest.raises(SystemExit) as ended:
        import_process.main()
    assert ended.value.code == code
