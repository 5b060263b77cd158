from __future__ import annotations

from tests.integration.loopback.line import Line
from tests.simulator import Simulator


def test_live_contacts_write_type_and_answer(simulator: Simulator, line: Line, phone: str) -> None:
    contacts = simulator.live(phone, True, contacts=3, per_minute=120)
    assert len(contacts) == 3
    line.wait("ChatPresence")
    message = line.wait("Message", from_me=False)
    writer = message["alt"].partition("@")[0]
    assert writer in contacts
    simulator.live(phone, True, contacts=3, per_minute=0.01)
    sent = line.text(writer, "Ya, masih ada. RM 25 sahaja")
    line.wait("Receipt", ids=[sent], type=1)
    mark = line.mark
    line.wait("Receipt", ids=[sent], type=4)
    line.wait("Message", after=mark, from_me=False)
    assert simulator.live(phone, False) == []
