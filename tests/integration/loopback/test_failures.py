from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.loopback.line import Failed, Line
from tests.simulator import Simulator

OpenLine = Callable[[Simulator, str], Line]


def test_an_undecryptable_message_is_asked_for_and_comes_again(
    simulator: Simulator, line: Line, phone: str, contact: str
) -> None:
    id = simulator.corrupt(phone, contact, "second time")
    assert line.wait("Undecryptable")["id"] == id
    assert line.wait("Message", text="second time")["id"] == id
    simulator.text(phone, contact, "goes on")
    line.wait("Message", text="goes on")
    line.text(contact, "both ways")
    assert simulator.inbox(contact=contact, wait=30)[-1].text == "both ways"
    group = simulator.group(phone, "Team", [contact])
    simulator.corrupt(phone, contact, "group, second time", group=group)
    line.wait("Message", text="group, second time")
    simulator.text(phone, contact, "group goes on", group=group)
    line.wait("Message", text="group goes on")


def test_the_device_sends_again_what_a_contact_could_not_read(
    simulator: Simulator, line: Line, phone: str, contact: str
) -> None:
    sent = line.text(contact, "again please")
    (first,) = simulator.inbox(contact=contact, wait=30)
    simulator.ask_again(phone, contact, sent)
    (again,) = simulator.inbox(contact=contact, after=first.seq, wait=30)
    assert (again.id, again.text, again.retry) == (sent, "again please", 1)


def test_what_was_not_acknowledged_waits_for_the_device(
    simulator: Simulator, open_line: OpenLine, phone: str, contact: str
) -> None:
    line = open_line(simulator, "line").pair(phone)
    simulator.text(phone, contact, "online")
    line.wait("Message", text="online")
    sent = line.text(contact, "to be read later")
    line.close()
    simulator.text(phone, contact, "offline", count=5)
    simulator.receipt(phone, contact, [sent], "read")
    waiting = simulator.account(phone)
    assert waiting is not None and waiting.devices[0].unacked >= 6
    line = open_line(simulator, "line")
    line.connect()
    assert line.wait("OfflineSyncPreview")["data"]["Message"] == 5
    line.wait("Receipt", ids=[sent], type=4)
    assert line.wait("OfflineSyncCompleted")["data"]["Count"] == waiting.devices[0].unacked
    line.wait("Message", text="offline 4")
    assert [event["text"] for event in line.named("Message")] == [f"offline {n}" for n in range(5)]


def test_a_cut_line_comes_back_by_itself(simulator: Simulator, line: Line, phone: str, contact: str) -> None:
    blows: list[Callable[[], object]] = [lambda: simulator.drop(phone), lambda: simulator.stream_error(phone, 503)]
    for blow in blows:
        mark = line.mark
        blow()
        line.wait("Disconnected", after=mark)
        line.wait("Connected", after=mark)
        simulator.text(phone, contact, f"after {mark}")
        line.wait("Message", text=f"after {mark}")


def test_an_unknown_stream_error_is_told(simulator: Simulator, line: Line, phone: str) -> None:
    simulator.stream_error(phone, 500)
    assert line.wait("StreamError")["data"]["Code"] == "500"


def test_the_phone_unlinks_the_device(simulator: Simulator, line: Line, phone: str) -> None:
    simulator.logout(phone)
    assert line.wait("LoggedOut")["data"].get("OnConnect", False) is False
    account = simulator.account(phone)
    assert account is not None and account.devices == []


def test_a_device_unlinked_while_away_learns_it_when_it_logs_in(
    own_simulator: Simulator, open_line: OpenLine, phone: str
) -> None:
    open_line(own_simulator, "line").pair(phone).close()
    own_simulator.logout(phone)
    # neonize looks its device up behind the handshake, and waits for ever for one that is deleted by then. No network's
    # answer is so soon; wafast itself holds it back until then (`Binding.run`)
    own_simulator.latency(300)
    line = open_line(own_simulator, "line")
    line.order("connect")
    assert line.wait("LoggedOut")["data"]["OnConnect"] is True


def test_a_ban_names_its_code_and_end_and_then_ends(
    simulator: Simulator, open_line: OpenLine, line: Line, phone: str
) -> None:
    simulator.ban(phone, 104, 3600)
    ban = line.wait("TemporaryBan")["data"]
    assert 3500 <= int(ban["Expire"]) <= 3600, ban
    line.close()
    simulator.clear(phone)
    open_line(simulator, "line").connect()


def test_a_second_login_replaces_the_first(simulator: Simulator, open_line: OpenLine, line: Line, phone: str) -> None:
    second = open_line(simulator, "line").connect()
    line.wait("StreamReplaced")
    simulator.replaced(phone)
    second.wait("StreamReplaced")


def test_an_outdated_client_is_told(simulator: Simulator, line: Line, phone: str) -> None:
    simulator.outdated(phone)
    line.wait("ClientOutdated")


def test_logins_fail_until_cleared(simulator: Simulator, open_line: OpenLine, phone: str) -> None:
    open_line(simulator, "line").pair(phone).close()
    simulator.failure(phone, 503)
    line = open_line(simulator, "line")
    line.order("connect")
    line.wait("Disconnected")
    assert not line.named("Connected")
    simulator.clear(phone)
    line.wait("Connected")


def test_a_refused_send_is_an_error_with_the_servers_code(
    simulator: Simulator, line: Line, phone: str, contact: str
) -> None:
    simulator.refuse_send(phone, 463, count=1)
    with pytest.raises(Failed, match="463"):
        line.text(contact, "refused")
    line.text(contact, "taken")
    assert [got.text for got in simulator.inbox(contact=contact, wait=30)] == ["taken"]


def test_a_held_acknowledgement_keeps_the_send_waiting(
    simulator: Simulator, line: Line, phone: str, contact: str
) -> None:
    simulator.hold_acks(phone, True)
    sends = threading.Thread(target=lambda: line.text(contact, "held"))
    sends.start()
    assert simulator.inbox(contact=contact, wait=30)[0].text == "held"
    assert sends.is_alive()
    simulator.hold_acks(phone, False)
    sends.join(60)
    assert not sends.is_alive()


def test_a_server_that_is_down_is_found_again(
    own_simulator: Simulator, open_line: OpenLine, phone: str, contact: str
) -> None:
    line = open_line(own_simulator, "line").pair(phone)
    own_simulator.down(True)
    line.wait("Disconnected")
    own_simulator.text(phone, contact, "meanwhile")
    mark = line.mark
    own_simulator.down(False)
    line.wait("Connected", after=mark)
    line.wait("Message", text="meanwhile")


@pytest.mark.parametrize("end", [Simulator.stop, Simulator.kill], ids=["stopped", "killed"])
def test_a_restarted_server_knows_its_devices(
    end: Callable[[Simulator], None], tmp_path: Path, open_line: OpenLine, phone: str, contact: str
) -> None:
    simulator = Simulator.start(tmp_path / "simulator")
    line = open_line(simulator, "line").pair(phone)
    group = simulator.group(phone, "Team", [contact])
    simulator.text(phone, contact, "before")
    line.wait("Message", text="before")
    line.text(contact, "before too")
    line.close()
    end(simulator)
    simulator = Simulator.start(tmp_path / "simulator")
    try:
        line = open_line(simulator, "line").connect()
        simulator.text(phone, contact, "after")
        line.wait("Message", text="after")
        line.text(contact, "after too")
        assert simulator.inbox(contact=contact, wait=30)[0].text == "after too"
        simulator.text(phone, contact, "in the group", group=simulator.group(phone, "Team", [contact], id=group))
        line.wait("Message", text="in the group")
    finally:
        simulator.stop()
