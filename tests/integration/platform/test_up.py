"""`wafast up`: starts, keeps alive, stops, starts again, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from tests.integration.core import events
from tests.system import System, free_port, run
from wafast.database.embedded import running_uri

KEY = "wf_"


def wait_for(what: Callable[[], object], seconds: float = 300.0) -> None:
    """Wait until it is true."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.1)


def data_folder(data_dirs: list[Path]) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="wafast-up-"))
    data_dirs.append(folder)
    return folder


@pytest.fixture(scope="module")
def plain(data_dirs: list[Path]) -> Iterator[System]:
    """A system without the demo; tests may stop and start it."""
    system = System(data_folder(data_dirs))
    try:
        yield system.wait_ready()
    finally:
        system.stop()


@pytest.fixture
def running(plain: System) -> System:
    """It, running."""
    if plain.process.poll() is not None:
        plain.start()
    return plain.wait_ready()


def child(system: System, part: str) -> int:
    """The process that answers on the port, or another child, by what the supervisor said when it started it."""
    lines = [line for line in system.lines() if f'"child": "{part}"' in line]
    started = [line for line in lines if '"event": "started"' in line]
    return int(started[-1].split('"pid": ')[1].split(",")[0])


def test_a_second_one_on_the_same_folder_is_refused(running: System) -> None:
    refused = run(running.data_dir, "up", "--port", "1", check=False)
    assert refused.returncode == 1
    assert f"another wafast (process {running.process.pid}) runs on {running.data_dir}" in refused.stderr


def test_commands_work_beside_it_and_print_a_key_once(running: System) -> None:
    key = run(running.data_dir, "key", "create", "--scope", "admin").stdout
    assert key.startswith(KEY) and len(key.splitlines()) == 1
    run(running.data_dir, "tenant", "create", "Second")
    assert run(running.data_dir, "tenant", "list").stdout.splitlines()[0].startswith("Main\twhatsapp")
    in_second = run(running.data_dir, "key", "create", "--scope", "read", "--tenant", "Second").stdout
    assert in_second.startswith(KEY)
    assert run(running.data_dir, "tenant", "create", "Second", check=False).returncode == 1
    assert run(running.data_dir, "migrate").stdout == "nothing to do\n"
    assert running.answers("/readyz")


def test_a_child_that_dies_is_started_again(running: System) -> None:
    for name in ("api", "whatsapp worker 1"):
        before = child(running, name)
        os.kill(before, signal.SIGKILL)
        wait_for(lambda name=name, before=before: child(running, name) != before)  # type: ignore[misc]
    running.wait_ready()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_everything_and_it_starts_again(running: System, number: signal.Signals) -> None:
    assert len(running.processes()) >= 4
    assert running.stop(number) == 0
    assert running.left() == {}
    running.start()
    running.wait_ready()


def test_a_signal_at_any_moment_of_the_start_stops_it(running: System) -> None:
    for delay in (0.4, 0.8, 1.2, 2.0):
        running.stop()
        running.start()
        time.sleep(delay)
        running.stop(signal.SIGINT)
        assert running.left() == {}


def test_nothing_outlives_a_killed_one_and_the_next_starts(running: System) -> None:
    running.process.kill()
    running.process.wait()
    wait_for(lambda: not running.processes())
    running.start()
    running.wait_ready()
    running.process.kill()
    running.process.wait()
    running.start()  # at once: what the killed one left is still ending
    running.wait_ready()


def test_a_killed_database_comes_back(running: System) -> None:
    pid_file = running.data_dir / "postgres" / "postmaster.pid"
    before = pid_file.read_text("utf-8").split()[0]
    os.kill(int(before), signal.SIGKILL)
    # a new one is empty for a moment
    wait_for(lambda: pid_file.exists() and pid_file.read_text("utf-8").split()[:1] not in ([], [before]))
    running.wait_ready()


def test_the_first_start_prints_the_password_once(data_dirs: list[Path]) -> None:
    folder = data_folder(data_dirs)
    system = System(folder, more={"WAFAST_ADMIN_PASSWORD": ""})
    try:
        system.wait_ready()
        assert system.tail().count("password  ") == 1
        system.stop()
        system.start()
        system.wait_ready()
        assert system.tail().count("password  ") == 1
    finally:
        system.stop()


def test_a_first_start_that_was_cut_off_can_be_repeated(data_dirs: list[Path]) -> None:
    system = System(data_folder(data_dirs))
    try:
        wait_for(lambda: list(system.data_dir.glob("postgres.making-*")))
        system.process.kill()
        system.process.wait()
        system.start()
        system.wait_ready()
    finally:
        system.stop()


def test_commands_without_a_running_system_start_a_database_and_stop_it(data_dirs: list[Path]) -> None:
    folder = data_folder(data_dirs)
    key = run(folder, "key", "create", "--scope", "send")
    assert key.stdout.startswith(KEY)
    assert run(folder, "user", "create", "siti@example.com", "--role", "viewer").stdout.strip()
    assert "siti@example.com\tsiti\tMain\tviewer" in run(folder, "user", "list").stdout
    assert run(folder, "key", "create", "--scope", "all", check=False).returncode == 2
    assert run(folder, "key", "create", "--scope", "send", "--tenant", "None", check=False).returncode == 2
    assert not (folder / "postgres" / "postmaster.pid").exists()


def test_config_needs_no_database_and_hides_secrets(tmp_path: Path) -> None:
    shown = run(tmp_path, "config", DB_URI="postgresql://ali:s3cret@127.0.0.1:1/x", PORT="4000").stdout
    assert "DB_URI=postgresql://ali:***@127.0.0.1:1/x  # environment" in shown.splitlines()
    assert "WAFAST_ADMIN_PASSWORD=***  # environment" in shown.splitlines()
    assert f"WAFAST_DATA_DIR={tmp_path}  # flag" in shown.splitlines()
    assert "PORT=4000  # environment" in shown.splitlines()
    assert not (tmp_path / "postgres").exists()


def test_doctor_tells_of_events_that_were_set_aside(tmp_path: Path) -> None:
    assert "spool        empty" in run(tmp_path, "doctor", check=False).stdout
    set_aside(tmp_path, 7, b"?")
    looked = run(tmp_path, "doctor", check=False)
    assert looked.returncode == 1
    assert "TROUBLE  spool        1 events could not be read" in looked.stdout
    assert "a fault. `wafast poison list`" in looked.stdout
    listed = run(tmp_path, "poison", "list").stdout.split("\t")
    assert (listed[0], listed[1:3], listed[4:]) == ("7-17-0badcafe", ["7", "17"], ["1", "a fault\n"])
    assert run(tmp_path, "poison", "show", "7-17-0badcafe").stdout.endswith("\n\n3f\n")
    assert "`wafast poison list` shows them" in run(tmp_path, "poison", "drop", "8", check=False).stderr
    run(tmp_path, "poison", "drop", "7-17-0badcafe")
    assert run(tmp_path, "poison", "list").stdout == ""


def test_the_figures_of_its_workers_are_served(running: System) -> None:
    text = httpx.get(f"{running.url}/metrics").text
    for figure in ("wafast_messages_stored_total", "wafast_undecryptable_total", "wafast_ingest_commit_seconds_count"):
        assert f'{figure}{{network="whatsapp",worker="' in text


def test_the_figures_of_the_web_servers_process_are_the_kernels(running: System) -> None:
    folder = Path("/proc", str(child(running, "api")))

    def agree() -> bool:
        lines = httpx.get(f"{running.url}/metrics").text.splitlines()
        told = {line.split()[0]: float(line.split()[1]) for line in lines if line.startswith("wafast_api_")}
        status = dict(line.split(":", 1) for line in (folder / "status").read_text("utf-8").splitlines())
        rss = int(status["VmRSS"].split()[0]) << 10
        return (
            told["wafast_api_threads"] == int(status["Threads"])
            and abs(told["wafast_api_resident_bytes"] - rss) < 16 << 20
            and told["wafast_api_private_bytes"] < told["wafast_api_resident_bytes"]
            and told["wafast_api_loop_late_seconds_count"] > 0
            and told["wafast_api_cpu_seconds_total"] > 0
        )

    wait_for(agree)


def set_aside(data_dir: Path, device_no: int, data: bytes) -> None:
    """As the core does."""
    folder = data_dir / "spool" / "poison"
    folder.mkdir(parents=True, exist_ok=True)
    head = f'{{"device_no": {device_no}, "code": 17, "received_at": 1790000000, "reason": "a fault"}}\n'
    (folder / f"{device_no}-17-0badcafe.poison").write_bytes(head.encode() + data)


def test_poison_is_replayed_while_it_runs_and_while_it_does_not(running: System) -> None:
    async def ask(query: str) -> Any:
        uri = running_uri(running.data_dir)
        assert uri is not None
        connection = await asyncpg.connect(uri)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    device = "SELECT min(id), 'Poisoned', 'whatsapp' FROM tenants RETURNING no"
    device_no = asyncio.run(ask(f"INSERT INTO devices (tenant_id, name, network) {device}"))
    count = f"SELECT count(*) FROM messages WHERE device_no = {device_no}"
    set_aside(running.data_dir, device_no, events.message("P1", "first"))
    assert run(running.data_dir, "poison", "replay", "--all").stdout == "1 stored\n"
    assert asyncio.run(ask(count)) == 1
    running.stop()
    for id in ("P1", "P2"):
        set_aside(running.data_dir, device_no, events.message(id, "second"))
        assert run(running.data_dir, "poison", "replay", f"{device_no}-17-0badcafe").stdout == "1 stored\n"
    running.start()
    running.wait_ready()
    assert asyncio.run(ask(count)) == 2


@pytest.mark.parametrize(
    ("arguments", "more", "said"),
    [
        (("up",), {"PORT": "many"}, "PORT is 'many' (from environment)"),
        (("up",), {"WAFAST_LOOPBACK": "/nonexistent"}, "there is no such file"),
        (("worker", "--network", "loopback"), {}, "WAFAST_LOOPBACK"),
        (
            ("up", "--port", "FREE"),
            {"DB_URI": "postgresql://a:s3cret@127.0.0.1:1/x"},
            "DB_URI is 'postgresql://a:***@",
        ),
        (("up", "--data-dir", "/proc/wafast"), {}, "WAFAST_DATA_DIR is '/proc/wafast', and can't be made"),
    ],
)
def test_a_wrong_setting_is_one_clear_line(
    tmp_path: Path, arguments: tuple[str, ...], more: dict[str, str], said: str
) -> None:
    arguments = tuple(str(free_port()) if one == "FREE" else one for one in arguments)
    refused = run(tmp_path, *arguments, check=False, **more)
    assert refused.returncode == 1
    assert said in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_a_profile_beside_the_demo_is_refused(tmp_path: Path) -> None:
    profile = tmp_path / "loopback.json"
    profile.write_text("{}", "utf-8")
    refused = run(tmp_path, "up", "--demo", check=False, WAFAST_LOOPBACK=str(profile))
    assert refused.returncode == 1
    assert "--demo" in refused.stderr
