"""Who is named in the words of a group."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.api.test_live import _bearer, _next, _socket, _written
from tests.integration.api.test_search import eventually, say, search
from tests.integration.api.world import Chat, Device, Tenant

OWN_LID, LID, BARE_LID = 990001, 167211234567890, 167211234567891


@pytest.fixture
def device(tenant: Tenant) -> Device:
    """A line that knows Aisyah, whose LID is known, Ali, and the number of somebody else's LID."""
    made = tenant.device()
    sql = tenant.world.sql
    sql("UPDATE devices SET lid = $2, paired_at = now() WHERE no = $1", made.no, f"{OWN_LID}@lid")
    for lid, number in ((LID, 60111111111), (BARE_LID, 60122222222)):
        sql("INSERT INTO lid_numbers (tenant_id, device_no, lid, number) VALUES ($1, $2, $3, $4)",
            tenant.id, made.no, lid, number)  # fmt: skip
    tenant.chat(made, name="Aisyah", jid="60111111111@s.whatsapp.net")
    tenant.chat(made, name="Ali", jid="77000111@lid")
    return made


@pytest.fixture
def group(tenant: Tenant, device: Device) -> Chat:
    """A group of that line."""
    return tenant.chat(device, name="Family", jid=f"120363{device.no:012}@g.us")


def _named(tenant: Tenant, chat: Chat) -> list[tuple[str, str | None, str]]:
    newest: dict[str, Any] = tenant.client("read").get(f"/api/v1/chats/{chat.id}/messages").json()["items"][0]
    return [(one["digits"], one["name"], one["jid"]) for one in newest["mentions"]]


def test_people_are_named_by_number_and_by_lid(tenant: Tenant, group: Chat) -> None:
    writer = tenant.message(group, "I am Farid")
    number = tenant.world.sql("SELECT sender >> 3 FROM messages WHERE chat_id = $1 AND key = $2", group.id, writer)
    tenant.message(group, f"@{LID}, @60111111111 and @{LID} again: ask @77000111 (@{number})", at=1_900_000_000)
    assert _named(tenant, group) == [
        (str(LID), "Aisyah", "60111111111@s.whatsapp.net"),
        ("60111111111", "Aisyah", "60111111111@s.whatsapp.net"),
        ("77000111", "Ali", "77000111@lid"),
        (str(number), "Farid", f"{number}@s.whatsapp.net"),
    ]


def test_of_a_lid_without_a_name_the_number_is_told(tenant: Tenant, group: Chat) -> None:
    tenant.message(group, f"Who is @{BARE_LID}?")
    assert _named(tenant, group) == [(str(BARE_LID), None, "60122222222@s.whatsapp.net")]


def test_our_own_number_is_ours(tenant: Tenant, device: Device, group: Chat) -> None:
    own = str(device.jid).partition("@")[0]
    tenant.message(group, f"@{own} or @{OWN_LID}")
    (message,) = tenant.client("read").get(f"/api/v1/chats/{group.id}/messages").json()["items"]
    mine = {"jid": device.jid, "name": None, "is_me": True}
    assert message["mentions"] == [{"digits": own} | mine, {"digits": str(OWN_LID)} | mine]


@pytest.mark.parametrize(
    "text", ["@60155555555", "a@60111111111", "@1234", f"@{LID}000000", "@ 60111111111", "@٦٠١١١١١"]
)
def test_other_digits_name_nobody(tenant: Tenant, group: Chat, text: str) -> None:
    tenant.message(group, text)
    assert _named(tenant, group) == []


def test_what_became_of_a_group_names_people_too(tenant: Tenant, group: Chat) -> None:
    tenant.message(group, f"+60111111111 removed {LID}, +60199999999, 77000111", kind="system")
    assert [(digits, name) for digits, name, _ in _named(tenant, group)] == [
        ("60111111111", "Aisyah"), (str(LID), "Aisyah"), ("77000111", "Ali"),
    ]  # fmt: skip
    listed = tenant.client("read").get(f"/api/v1/devices/{group.device.id}/chats").json()["items"]
    assert [one["name"] for one in listed[0]["last_message_mentions"]] == ["Aisyah", "Aisyah", "Ali"]


def test_of_a_text_that_names_thousands_a_hundred_are_looked_up(tenant: Tenant, group: Chat) -> None:
    tenant.message(group, " ".join(f"@{1_000_000 + number}" for number in range(5000)) + f" @{LID}")
    assert _named(tenant, group) == []
    tenant.message(group, "".join(f" @{1_000_000 + number}" for number in range(99)) + f" @{LID}", at=1_900_000_000)
    assert [name for _, name, _ in _named(tenant, group)] == ["Aisyah"]


def test_between_two_nobody_is_named(tenant: Tenant, device: Device) -> None:
    chat = tenant.chat(device, name="Farid")
    tenant.message(chat, f"@{LID}")
    assert _named(tenant, chat) == []


def test_whom_another_line_knows_is_nobody_here(tenant: Tenant, device: Device) -> None:
    other = tenant.chat(tenant.device(), name="Other", jid=f"120364{device.no:012}@g.us")
    tenant.message(other, f"@{LID} @60111111111 @77000111")
    assert _named(tenant, other) == []


def test_frames_and_the_list_of_chats_name_them_too(tenant: Tenant, group: Chat) -> None:
    with _socket(tenant.world, authorization=_bearer(tenant)) as socket:
        assert _next(socket)["code"] == "RESYNC"
        _written(tenant, group, f"Hi @{LID}")
        message, update = _next(socket)["result"], _next(socket)["result"]
    aisyah = [{"digits": str(LID), "jid": "60111111111@s.whatsapp.net", "name": "Aisyah", "is_me": False}]
    assert (message["mentions"], update["last_message_mentions"]) == (aisyah, aisyah)
    path = f"/api/v1/devices/{group.device.id}/chats"
    assert tenant.client("read").get(path).json()["items"][0]["last_message_mentions"] == aisyah


def test_what_is_found_names_them_too(tenant: Tenant, group: Chat) -> None:
    say(tenant, group, f"Durian for @{LID}")

    def found() -> list[list[str]]:
        items = search(tenant.client("read"), "durian")["messages"]["items"]
        return [[one["name"] for one in found["chat"]["last_message_mentions"]] for found in items]

    eventually(found, expected=[["Aisyah"]])
