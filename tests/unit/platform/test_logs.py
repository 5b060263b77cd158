"""What a log line carries."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from threading import Thread

import pytest
import structlog

from wafast import logs


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    handlers = logging.getLogger().handlers[:]
    yield
    logging.getLogger().handlers[:] = handlers
    structlog.reset_defaults()


def lines(capture: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capture.readouterr().err.splitlines()]


def test_every_thread_names_its_process(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "worker")
    thread = Thread(target=lambda: logs.get("threads").info("from a thread"))
    thread.start()
    thread.join()
    logging.getLogger("wafast.plain").warning("from the standard library")
    assert [line["process"] for line in lines(capsys)] == ["worker", "worker"]


def test_secrets_are_hidden_and_error_codes_are_not(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "worker")
    logs.get("devices").info("refused", code=463, pairing_code="ABCD-1234", password="x", qr="2@abc")
    [line] = lines(capsys)
    assert (line["code"], line["pairing_code"], line["password"], line["qr"]) == (463, "***", "***", "***")


def test_levels_are_per_component(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("warning,devices=debug", "worker")
    logs.get("devices.lease").debug("heard")
    logs.get("api").info("not heard")
    assert [line["event"] for line in lines(capsys)] == ["heard"]


def test_every_line_of_a_worker_names_it_shortly(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "worker loopback", worker="0b9f6a3e-5a0c-4b60-8d5e-6d0f3a3f7c11")
    logs.get("devices.fleet").info("device is online", device=7)
    logging.getLogger("wafast.plain").warning("from the standard library")
    assert [(line["worker"], line.get("device")) for line in lines(capsys)] == [("0b9f6a3e", 7), ("0b9f6a3e", None)]


def test_secrets_are_hidden_at_any_depth(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "api")
    logs.get("api").info("asked", body={"name": "Ali", "login": {"password": "geheim"}}, rows=[{"Token": "t0k"}])
    said = capsys.readouterr().err
    assert "geheim" not in said and "t0k" not in said and "Ali" in said


def test_a_password_in_an_address_is_hidden_wherever_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "api")
    try:
        raise OSError("socks5://ali:geheim@10.0.0.1:1080 does not answer")
    except OSError as error:
        logs.get("devices.gate").exception("not reached: http://ali:geheim@10.0.0.1/", error=str(error))
    said = capsys.readouterr().err
    assert "geheim" not in said and "socks5://ali:***@10.0.0.1:1080" in said and "http://ali:***@10.0.0.1/" in said


def test_the_form_can_be_set(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info,text", "api")
    logs.get("api").info("serving", port=3000)
    said = capsys.readouterr().err
    assert not said.startswith("{") and "serving" in said and "port=3000" in said
    logs.configure("info,json", "api")
    logs.get("api").info("serving", port=3000)
    assert lines(capsys)[0]["port"] == 3000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("loud", "'loud' is no level (debug, info, warning, error), and neither json nor text"),
        ("info,devcies=debug", "there is no component 'devcies'; there are accounts, ai, ai_client, answers, api,"),
        ("devices=json", "'devices=json' is no level"),
    ],
)
def test_a_wrong_level_or_component_is_named(text: str, said: str) -> None:
    with pytest.raises(ValueError, match="^" + re.escape(said)):
        logs.read(text)
