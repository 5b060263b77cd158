"""The log of a whole run at its most talkative: whose line it is, what it is about, and no secret."""

from __future__ import annotations

import base64
import json
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from tests.system import EMAIL, System, run

PHONE, CONTACT = "601277700001", "601277700002"
RECEIVED, ANSWERED = "kata laluan bank saya 7391", "resit rahsia 8842"
PROXY_PASSWORD, WRONG_PASSWORD = "proksi-geheim", "a password nobody has"
T = TypeVar("T")


class Run:
    """What was printed, and what nobody may read there, by what it is."""

    def __init__(self, text: str, secrets: dict[str, str]) -> None:
        self.text, self.secrets = text, secrets

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The lines of the log; the supervisor also says what it does in plain words."""
        return [json.loads(line) for line in self.text.splitlines() if line.startswith("{")]


def until(ask: Callable[[], T | None]) -> T:
    """The first answer that is something."""
    deadline = time.monotonic() + 60
    while True:
        answer = ask()
        if answer:
            return answer
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def whole_run(data_dirs: list[Path]) -> Iterator[Run]:
    """A line is paired by QR code and another one by a typed code; messages come and go; people sign in, or can't."""
    folder = Path(tempfile.mkdtemp(prefix="wafast-log-"))
    data_dirs.append(folder)
    system = System(folder, "--demo", more={"WAFAST_LOG": "debug,json"})
    try:
        secrets = use(system.wait_ready())
    finally:
        system.stop()
    text = system.output.read_text("utf-8", "replace")
    yield Run(text + "".join(path.read_text("utf-8", "replace") for path in (folder / "logs").iterdir()), secrets)


def use(system: System) -> dict[str, str]:
    """Do what a day brings; gives every secret that took part."""
    key = run(system.data_dir, "key", "create", "--scope", "admin", "--tenant", "Demo").stdout.strip()
    api = httpx.Client(
        base_url=f"{system.url}/api/v1", headers={"Authorization": f"Bearer {key}"}, timeout=30, trust_env=False
    )
    device = api.post("/devices", json={"name": "Log"}).json()["id"]
    proxy = f"socks5://ali:{PROXY_PASSWORD}@127.0.0.1:9"
    assert api.patch(f"/devices/{device}", json={"proxy": proxy}).status_code == 200
    by_qr = api.post(f"/devices/{device}/pairings", json={"method": "qr"}).json()["id"]
    qr = until(lambda: api.get(f"/pairings/{by_qr}").json()["qr"])
    system.simulator.scan(PHONE, qr, name="Log")
    until(lambda: api.get(f"/devices/{device}").json()["state"] == "online")
    typed = api.post("/devices", json={"name": "Typed"}).json()["id"]
    by_code = api.post(f"/devices/{typed}/pairings", json={"method": "code", "phone": f"+{CONTACT}"}).json()["id"]
    code = until(lambda: api.get(f"/pairings/{by_code}").json()["code"])
    api.delete(f"/pairings/{by_code}")
    system.simulator.text(PHONE, CONTACT, RECEIVED)
    until(lambda: RECEIVED in api.get("/search", params={"q": "kata laluan"}).text or RECEIVED in chats(api, device))
    sent = api.post("/messages", json={"device_id": device, "to": CONTACT, "type": "text", "text": ANSWERED}).json()
    until(lambda: api.get(f"/outbox/{sent['id']}").json()["state"] in ("sent", "delivered", "read"))
    login = {"email": EMAIL, "password": WRONG_PASSWORD}
    assert httpx.post(f"{system.url}/api/v1/session", json=login, trust_env=False).status_code == 401
    login["password"] = system.password
    cookie = httpx.post(f"{system.url}/api/v1/session", json=login, trust_env=False).headers["set-cookie"]
    return {
        "API key": key,
        "QR code": qr,
        "pairing code": code,
        "message received": RECEIVED,
        "message sent": ANSWERED,
        "proxy password": PROXY_PASSWORD,
        "password": system.password,
        "wrong password": WRONG_PASSWORD,
        "cookie": cookie.partition("=")[2].partition(";")[0],
    } | session_keys(system.data_dir, device)


def chats(api: httpx.Client, device: str) -> str:
    """The device's chats with their previews."""
    return api.get(f"/devices/{device}/chats").text


def session_keys(data_dir: Path, device: str) -> dict[str, str]:
    """A line's keys as they might be printed."""
    [store] = (data_dir / "sessions").rglob(f"{device}*.db")
    with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as database:
        [row] = database.execute("SELECT noise_key, identity_key, adv_key FROM whatsmeow_device").fetchall()
    named = zip(("noise key", "identity key", "adv key"), row, strict=True)
    return {
        f"{name} as {form}": text
        for name, key in named
        for form, text in (("hex", key.hex()), ("base64", base64.b64encode(key).decode().rstrip("=")))
    }


def test_no_secret_is_in_the_log(whole_run: Run) -> None:
    assert len(whole_run.secrets) == 15 and all(len(secret) >= 8 for secret in whole_run.secrets.values())
    said = [what for what, secret in whole_run.secrets.items() if secret in whole_run.text]
    assert said == []
    assert "device is online" in whole_run.text


def test_every_line_names_its_process_and_component(whole_run: Run) -> None:
    for line in whole_run.lines:
        assert line["process"] in ("supervisor", "api", "demo", "worker whatsapp", "worker loopback")
        assert line["logger"] and line["level"] and line["timestamp"]
        assert len(line.get("worker", "")) == (8 if line["process"].startswith("worker") else 0)


def test_a_line_about_a_device_names_it_by_its_number(whole_run: Run) -> None:
    about = [line for line in whole_run.lines if "device" in line]
    assert {line["logger"] for line in about} >= {"wafast.devices.fleet", "wafast.devices.neonize", "wafast.demo"}
    assert [line for line in about if not isinstance(line["device"], int)] == []
