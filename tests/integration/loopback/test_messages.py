from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Callable

from PIL import Image

from tests.integration.loopback.line import Line
from tests.simulator import Simulator

DELIVERED, RETRY, READ = 1, 3, 4
"""neonize's numbers of receipt types."""


def test_text_goes_both_ways_and_chats_are_told_by_number(
    simulator: Simulator, line: Line, phone: str, contact: str
) -> None:
    for turn in range(3):
        (id,) = simulator.text(phone, contact, f"to the line {turn}")
        message = line.wait("Message", text=f"to the line {turn}")
        assert message["id"] == id and message["alt"] == f"{contact}@s.whatsapp.net" and not message["from_me"]
        sent = line.text(contact, f"to the contact {turn}")
        got = simulator.inbox(contact=contact, wait=30)[-1]
        assert (got.id, got.text, got.kind, got.phone) == (sent, f"to the contact {turn}", "text", phone)


def test_an_answer_names_what_it_answers(simulator: Simulator, line: Line, phone: str, contact: str) -> None:
    sent = line.text(contact, "question")
    simulator.text(phone, contact, "answer", quoted=sent)
    assert line.wait("Message", text="answer")["quoted"] == sent


def test_groups_carry_text_both_ways(simulator: Simulator, line: Line, phone: str, number: Callable[[], str]) -> None:
    members = [number(), number()]
    group = simulator.group(phone, "Team", members)
    for turn in range(2):
        simulator.text(phone, members[0], f"hello {turn}", group=group)
        message = line.wait("Message", text=f"hello {turn}")
        assert message["group"] and message["chat"] == group
        assert message["alt"] == f"{members[0]}@s.whatsapp.net"
    sent = line.text(group, "to all")
    assert {got.contact for member in members for got in simulator.inbox(contact=member, wait=30)} == set(members)
    assert {got.id for member in members for got in simulator.inbox(contact=member)} == {sent}
    assert [group, "Team", 3] in line.order("groups")
    assert not [got for got in simulator.inbox(contact=phone) if got.group], "the own phone is not a contact"


def test_images_arrive_whole_both_ways(simulator: Simulator, line: Line, phone: str, contact: str) -> None:
    image = simulator.image(phone, contact, caption="look")
    message = line.wait("Message", kind="imageMessage")
    assert (message["id"], message["text"]) == (image.id, "look")
    assert line.order("download", id=message["id"]) == image.sha256

    buffer = io.BytesIO()
    Image.effect_noise((320, 200), 50).convert("RGB").save(buffer, "JPEG")
    line.image(contact, buffer.getvalue(), "mine")
    got = simulator.inbox(contact=contact, wait=30)[-1]
    assert (got.kind, got.text, got.media_sha_ok) == ("image", "mine", True)
    assert got.media_sha256 == hashlib.sha256(buffer.getvalue()).hexdigest()


def test_contacts_deliver_and_read_as_told(simulator: Simulator, line: Line, phone: str, contact: str) -> None:
    first = line.text(contact, "only delivered")
    line.wait("Receipt", ids=[first], type=DELIVERED)
    simulator.auto(phone=phone, contact=contact, deliver_ms=10, read_ms=30)
    second = line.text(contact, "read")
    line.wait("Receipt", ids=[second], type=DELIVERED)
    line.wait("Receipt", ids=[second], type=READ)
    simulator.receipt(phone, contact, [first], "read")
    line.wait("Receipt", ids=[first], type=READ)


def test_the_device_tells_what_it_got_and_read(simulator: Simulator, line: Line, phone: str, contact: str) -> None:
    line.order("active_receipts")
    ids = simulator.text(phone, contact, "read me", count=2)
    message = line.wait("Message", text="read me 1")
    delivered = simulator.receipts(phone, wait=30)
    while {id for receipt in delivered for id in receipt.ids if receipt.type == "delivered"} < set(ids):
        delivered = [*delivered, *simulator.receipts(phone, after=delivered[-1].seq, wait=30)]
    line.order("read", chat=message["chat"], ids=ids)
    read = simulator.receipts(phone, after=delivered[-1].seq, wait=30)[-1]
    assert (read.type, read.ids, read.to) == ("read", ids, contact)


def test_typing_and_presence_are_seen_both_ways(simulator: Simulator, line: Line, phone: str, contact: str) -> None:
    assert simulator.typing(phone, contact, "composing")
    assert "MessageSource" in line.wait("ChatPresence")["data"]
    assert simulator.presence(phone, contact, True)
    assert line.wait("Presence")["data"]["Unavailable"] is False
    line.order("typing", to=contact, state="composing")
    line.order("subscribe", to=contact)
    line.order("typing", to=contact, state="paused")
    wanted = [(state, contact) for state in ("composing", "subscribe", "paused")]
    deadline = time.monotonic() + 60
    while (seen := [(one.state, one.to) for one in simulator.seen(phone)]) != wanted and time.monotonic() < deadline:
        time.sleep(0.05)  # what is ordered goes out without an answer
    assert seen == wanted


def test_history_comes_as_file_or_inline_in_chunks(simulator: Simulator, line: Line, phone: str, contact: str) -> None:
    ids = simulator.history(phone, contact, 4_100, days=20)
    chunks = [line.wait("HistorySync", chunk=chunk) for chunk in (1, 2, 3)]
    assert [chunk["progress"] for chunk in chunks] == [33, 66, 100]
    assert {chunk["chats"][0] for chunk in chunks} == {f"{contact}@s.whatsapp.net"}
    assert [id for chunk in chunks for id in chunk["ids"]] == ids[::-1], "newest first"
    mark = line.mark
    ids = simulator.history(phone, contact, 3, inline=True)
    assert line.wait("HistorySync", after=mark)["ids"] == ids[::-1]


def test_what_is_typed_on_the_phone_is_the_lines_own(
    simulator: Simulator, line: Line, phone: str, contact: str
) -> None:
    simulator.text(phone, contact, "first, so that the chat is known")
    chat = line.wait("Message", from_me=False)["chat"]
    simulator.own(phone, contact, "typed on the phone")
    message = line.wait("Message", text="typed on the phone")
    assert message["from_me"] and message["chat"] == chat


def test_numbers_without_whatsapp_are_told_apart(
    simulator: Simulator, line: Line, contact: str, number: Callable[[], str]
) -> None:
    absent = number()
    simulator.not_on_whatsapp(absent)
    answers = line.order("on_whatsapp", phones=[f"+{contact}", f"+{absent}"])
    assert {query: there for query, _, there in answers} == {f"+{contact}": True, f"+{absent}": False}


def test_a_flood_stays_in_order_and_in_the_window(simulator: Simulator, line: Line, phone: str, contact: str) -> None:
    simulator.text(phone, contact, "flood", count=2_500)
    line.wait("Message", text="flood 2499", seconds=90)
    texts = [event["text"] for event in line.named("Message") if event["text"].startswith("flood")]
    assert texts == [f"flood {n}" for n in range(2_500)]


def test_two_lines_write_to_each_other(
    simulator: Simulator, open_line: Callable[[Simulator, str], Line], number: Callable[[], str]
) -> None:
    (one, two) = (number(), number())
    first, second = open_line(simulator, "one").pair(one, name="One"), open_line(simulator, "two").pair(two)
    sent = first.text(two, "from line to line")
    message = second.wait("Message", text="from line to line")
    assert (message["id"], message["name"], message["alt"]) == (sent, "One", f"{one}@s.whatsapp.net")
    second.text(one, "and back")
    first.wait("Message", text="and back")
    group = simulator.group(one, "Both", [two])
    first.text(group, "in a group")
    assert second.wait("Message", text="in a group")["chat"] == group
    second.order("read", chat=message["chat"], ids=[sent])
    first.wait("Receipt", ids=[sent], type=READ)


def test_members_come_and_go_and_the_device_knows(
    simulator: Simulator, line: Line, phone: str, number: Callable[[], str]
) -> None:
    first, second = number(), number()
    group = simulator.group(phone, "Team", [first])
    line.wait("JoinedGroup")
    line.text(group, "one reader")
    simulator.group(phone, "Team B", [first, second], id=group)
    line.wait("GroupInfoEvent")
    assert [group, "Team B", 3] in line.order("groups")
    line.text(group, "two readers")
    assert [got.text for got in simulator.inbox(contact=second, wait=30)] == ["two readers"]
