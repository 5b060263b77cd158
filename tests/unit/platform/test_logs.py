"""What a log line carries."""

from __future__ import annotations

import json
import logging
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
