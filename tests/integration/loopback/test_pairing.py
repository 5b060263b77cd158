from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.integration.loopback.line import Line
from tests.simulator import Simulator, SimulatorError

OpenLine = Callable[[Simulator, str], Line]


def test_a_scanned_code_links_the_device_to_the_phone(simulator: Simulator, open_line: OpenLine, phone: str) -> None:
    line = open_line(simulator, "line").pair(phone)
    assert line.wait("PairStatus")["data"]["Status"] == "SUCCESS"
    assert line.order("me")["jid"] == f"{phone}@s.whatsapp.net"
    account = simulator.account(phone)
    assert account is not None
    assert [(device.device, device.online) for device in account.devices] == [(1, True)]


def test_a_typed_code_links_the_device_too(simulator: Simulator, open_line: OpenLine, phone: str, contact: str) -> None:
    line = open_line(simulator, "line")
    line.order("connect")
    line.wait("QR")
    code = line.order("pair_phone", phone=phone)
    simulator.enter_code(phone, code.lower())
    line.wait("Connected")
    simulator.text(phone, contact, "welcome")
    line.wait("Message", text="welcome")


def test_a_wrong_code_links_nothing(simulator: Simulator, open_line: OpenLine, phone: str) -> None:
    line = open_line(simulator, "line")
    line.order("connect")
    line.wait("QR")
    code = line.order("pair_phone", phone=phone)
    wrong = code[:-1] + ("2" if code[-1] == "1" else "1")
    with pytest.raises(SimulatorError):
        simulator.enter_code(phone, wrong)
    account = simulator.account(phone)
    assert account is None or account.devices == []


def test_a_code_nobody_shows_is_refused(simulator: Simulator, phone: str) -> None:
    with pytest.raises(SimulatorError, match="no device shows this code"):
        simulator.scan(
            phone, "https://wa.me/settings/linked_devices#2@nothing," + ",".join(["A" * 43 + "="] * 3) + ",1"
        )
    with pytest.raises(SimulatorError, match="fields"):
        simulator.scan(phone, "nonsense")


def test_the_push_name_arrives_so_that_presence_can_be_sent(simulator: Simulator, line: Line, phone: str) -> None:
    line.wait("Message", kind="protocolMessage")
    line.wait("PushNameSetting") if line.named("PushNameSetting") else None
    wait_for_name(line, "Kedai Ujian")
    line.order("presence", state="available")
    assert [(seen.state, seen.name) for seen in simulator.seen(phone, wait=30)] == [("available", "Kedai Ujian")]
    simulator.push_name(phone, "Kedai Baru")
    wait_for_name(line, "Kedai Baru")


def wait_for_name(line: Line, name: str) -> None:
    for _ in range(200):
        if line.order("me")["name"] == name:
            return
    raise AssertionError(f"the device is not called {name}")


def test_two_companions_of_one_phone_both_get_messages_and_each_others(
    simulator: Simulator, open_line: OpenLine, phone: str, contact: str
) -> None:
    first, second = open_line(simulator, "first").pair(phone), open_line(simulator, "second").pair(phone)
    simulator.text(phone, contact, "to both")
    first.wait("Message", text="to both")
    second.wait("Message", text="to both")
    first.text(contact, "from the first")
    assert second.wait("Message", text="from the first")["from_me"]
    second.text(contact, "from the second")
    assert first.wait("Message", text="from the second")["from_me"]
    texts = [message.text for message in simulator.inbox(contact=contact)]
    assert texts == ["from the first", "from the second"]


def test_the_device_logs_out(simulator: Simulator, line: Line, phone: str) -> None:
    line.order("logout")
    account = simulator.account(phone)
    assert account is not None and account.devices == []
