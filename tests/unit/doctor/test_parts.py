"""What wafast is made of: each part that is missing or wrong is named with what would help."""

from __future__ import annotations

import importlib
import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from tests.ai_endpoint import KEY, MODEL, AiEndpoint, Reply
from wafast import settings
from wafast.data_dir import Running, claim, running
from wafast.doctor import machine, parts
from wafast.doctor.trouble import Note, Trouble
from wafast.settings import Settings


@pytest.fixture
def ours(tmp_path: Path) -> Settings:
    return settings.load({"data_dir": str(tmp_path / "data")}, environment={}, env_file=tmp_path / "no.env")


def instead(monkeypatch: pytest.MonkeyPatch, module: str, found: Callable[[], Any]) -> None:
    """What an import of this module gives."""
    real = importlib.import_module
    monkeypatch.setattr(importlib, "import_module", lambda name: found() if name == module else real(name))


def missing() -> Any:
    raise ImportError("no such module")


def test_every_part_of_this_build_is_well() -> None:
    assert parts.python() and parts.core() and parts.neonize() and parts.web_app()


def test_that_no_answer_is_heard_is_said(ours: Settings) -> None:
    assert parts.chats(ours) == "stored"
    with pytest.raises(Note, match="no STOP is heard"):
        parts.chats(msgspec.structs.replace(ours, chat_storage=False))


def test_a_core_that_is_missing_or_slow_is_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    instead(monkeypatch, "wafast._core", missing)
    with pytest.raises(Trouble, match="no such module; build it: make build"):
        parts.core()
    monkeypatch.undo()
    instead(monkeypatch, "wafast._core", lambda: SimpleNamespace(build_info=lambda: {"profile": "dev"}))
    with pytest.raises(Trouble, match="built as dev, which is many times slower: make build"):
        parts.core()


def test_a_neonize_that_is_missing_or_another_is_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    instead(monkeypatch, "wafast.devices.neonize_package", missing)
    with pytest.raises(Trouble, match="it can't be loaded"):
        parts.neonize()
    monkeypatch.undo()
    instead(monkeypatch, "wafast.devices.neonize_package", lambda: SimpleNamespace(VERSION="0.9.0"))
    with pytest.raises(Trouble, match=r"0\.9\.0 is installed, neonize==0\.5\.2 is wanted"):
        parts.neonize()


def test_a_web_app_that_is_not_built_is_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "WEB_APP", tmp_path / "index.html")
    with pytest.raises(Trouble, match="is missing: make build"):
        parts.web_app()


def test_a_data_folder_that_cannot_be_written_or_is_full_is_trouble(
    ours: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert parts.data_dir(ours)
    with pytest.raises(Trouble, match="set WAFAST_DATA_DIR"):
        parts.data_dir(msgspec.structs.replace(ours, data_dir=Path("/proc/wafast")))
    monkeypatch.setattr(machine, "FREE_BYTES", 1 << 60)
    with pytest.raises(Trouble, match="WAFAST_MEDIA_QUOTA"):
        parts.data_dir(ours)


def test_a_simulator_that_does_not_answer_is_trouble(ours: Settings, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        profile = tmp_path / "loopback.json"
        ca_file = tmp_path / "ca.pem"
        ca_file.touch()
        told = {"proxy": f"http://127.0.0.1:{port}", "ca_file": str(ca_file), "noise_root": "00" * 32}
        profile.write_text(json.dumps(told), "utf-8")
        with_profile = msgspec.structs.replace(ours, loopback=profile)
        assert parts.loopback(with_profile) == f"answers at 127.0.0.1:{port}"
    with pytest.raises(Trouble, match=f"nobody answers at 127.0.0.1:{port}.*start the simulator"):
        parts.loopback(with_profile)
    profile.write_text("{}", "utf-8")
    with pytest.raises(Trouble):
        parts.loopback(with_profile)


def test_an_ai_endpoint_is_named_and_asked(ours: Settings) -> None:
    assert parts.ai(ours) == "off: WAFAST_AI_URL is not set"
    with pytest.raises(Note, match="WAFAST_AI_URL is not"):
        parts.ai(msgspec.structs.replace(ours, ai_key=KEY))
    with AiEndpoint() as endpoint:
        on = msgspec.structs.replace(ours, ai_url=endpoint.url, ai_key=KEY, ai_model=MODEL)
        assert parts.ai(on) == f"{endpoint.url} answers with a key, model {MODEL}"
        with pytest.raises(Note, match="names no model other"):
            parts.ai(msgspec.structs.replace(on, ai_model="other"))
        endpoint.models = Reply(404)
        with pytest.raises(Trouble, match="look at WAFAST_AI_URL"):
            parts.ai(on)
        endpoint.models = Reply(401, f"wrong key {KEY}".encode())
        with pytest.raises(Trouble, match=r"refuses the key \(401\): look at WAFAST_AI_KEY") as refused:
            parts.ai(on)
        assert KEY not in str(refused.value)
    with pytest.raises(Trouble, match="The AI endpoint is not there"):
        parts.ai(on)


def test_a_web_server_that_is_not_ours_or_not_ready_is_trouble(ours: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        other = msgspec.structs.replace(ours, port=server.getsockname()[1])
        answer = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        threading.Thread(target=hang_up, args=(server, answer), daemon=True).start()
        with pytest.raises(Trouble, match="answers 404: not ready, or another program; set PORT"):
            parts.web_server(ours, Running(1, other.port))


def test_a_port_that_another_program_has_is_trouble(ours: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = msgspec.structs.replace(ours, port=server.getsockname()[1])
        threading.Thread(target=hang_up, args=(server, b"220 mail\r\n"), daemon=True).start()
        with pytest.raises(Trouble, match=r"can't be had: .*; end what has it, or set PORT"):
            parts.web_server(taken, None)
    assert "is free" in parts.web_server(taken, None)


def test_a_system_is_looked_for_at_the_port_it_was_started_with(ours: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        threading.Thread(target=hang_up, args=(server, answer), daemon=True).start()
        ours.data_dir.mkdir()
        taken = claim(ours.data_dir, "up", port)
        system = running(ours.data_dir)
        assert parts.web_server(ours, system) == f"answers on port {port}"
    with pytest.raises(Trouble, match=f"http://127.0.0.1:{port}/readyz does not answer"):
        parts.web_server(ours, system)
    taken.release()
    assert running(ours.data_dir) is None


def hang_up(server: socket.socket, answer: bytes) -> None:
    """Gives one caller this answer."""
    connection, _ = server.accept()
    connection.recv(4096)
    connection.sendall(answer)
    connection.close()
