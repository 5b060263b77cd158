"""Who is in a group: asked of the device, kept, and asked again when something has happened."""

from __future__ import annotations

from typing import Any

import httpx

from tests.integration.api.world import Chat, Device, FakeWorker, Tenant
from wafast.events.calls import CallFailed

ALI = "60111111111@s.whatsapp.net"


class Phone:
    """A device that is asked for the members of its group."""

    def __init__(self, tenant: Tenant, group: Chat, members: list[dict[str, Any]]) -> None:
        self.tenant, self.group, self.members = tenant, group, members
        self.asked = 0
        self.is_offline = False

    async def answer(self, _device_no: int, verb: str, args: dict[str, Any]) -> dict[str, Any]:
        assert (verb, args) == ("read_members", {"chat_id": self.group.id})
        if self.is_offline:
            raise CallFailed("offline", "the device is not connected; connect it and try again")
        self.asked += 1
        await self.tenant.world.pool.execute(
            "INSERT INTO group_members (chat_id, tenant_id, told_at, members) VALUES ($1, $2, clock_timestamp(), $3)"
            " ON CONFLICT (chat_id) DO UPDATE SET told_at = excluded.told_at, members = excluded.members",
            self.group.id, self.tenant.id, self.members,
        )  # fmt: skip
        return {}


def _group(tenant: Tenant) -> tuple[Device, Chat, Phone]:
    device = tenant.device()
    group = tenant.chat(device, jid="120363000000000009@g.us", name="Family")
    found: list[dict[str, Any]] = [
        {"jid": "999@lid", "is_admin": False},
        {"jid": "777@lid", "is_admin": False},
        {"jid": device.jid, "is_admin": False},
        {"jid": "60122222222@s.whatsapp.net", "is_admin": True},
    ]
    return device, group, Phone(tenant, group, found)


def test_members_stand_in_the_order_of_an_address_book(tenant: Tenant) -> None:
    device, group, phone = _group(tenant)
    names = ["zed", "Ángel", "\u3164", "angela", "Ali"]
    jids = [f"6013{n:07}@s.whatsapp.net" for n in range(len(names))]
    for jid, name in zip(jids, names, strict=True):
        tenant.chat(device, name=name, jid=jid)
    phone.members = [{"jid": jid, "is_admin": False} for jid in jids]
    worker = FakeWorker(tenant.world, tenant, device, phone.answer)
    try:
        shown = _shown(tenant.client("read"), group)["items"]
    finally:
        worker.close()
    # who is called by nothing that can be seen is shown by a number
    assert [one["name"] for one in shown] == ["Ali", "Ángel", "angela", "zed", "\u3164"]


def _shown(client: httpx.Client, group: Chat) -> dict[str, Any]:
    answer = client.get(f"/api/v1/chats/{group.id}/members")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_members_have_names_and_are_asked_for_again_when_the_group_has_changed(tenant: Tenant) -> None:
    device, group, phone = _group(tenant)
    tenant.chat(device, name="Ali", jid=ALI)
    tenant.lead(device, phone="+60122222222", name="Zaiton")
    tenant.world.sql(
        "INSERT INTO lid_numbers (tenant_id, device_no, lid, number) VALUES ($1, $2, 777, 60111111111) RETURNING 1",
        tenant.id, device.no,
    )  # fmt: skip
    worker = FakeWorker(tenant.world, tenant, device, phone.answer)
    client = tenant.client("read")
    try:
        shown = _shown(client, group)
        assert [(one["name"], one["phone"], one["is_admin"], one["is_own"]) for one in shown["items"]] == [
            (None, f"+{(device.jid or '').partition('@')[0]}", False, True),
            ("Zaiton", "+60122222222", True, False),
            ("Ali", "+60111111111", False, False),
            (None, None, False, False),
        ]
        assert shown["is_current"] is True
        assert _shown(client, group) == shown
        assert phone.asked == 1
        key = tenant.message(group, "Ali left")
        phone.members = phone.members[:1]
        tenant.world.sql("UPDATE messages SET kind = 12 WHERE chat_id = $1 AND key = $2", group.id, key)
        assert len(_shown(client, group)["items"]) == 1
        tenant.message(group, "He has gone")
        assert (len(_shown(client, group)["items"]), phone.asked) == (1, 2)
        tenant.world.sql("UPDATE group_members SET told_at = now() - interval '1 hour' WHERE chat_id = $1", group.id)
        assert _shown(client, group)["is_current"] is True
        assert phone.asked == 3
    finally:
        worker.close()


def test_while_the_device_is_offline_the_members_are_those_of_the_last_time(tenant: Tenant) -> None:
    device, group, phone = _group(tenant)
    client = tenant.client("read")
    nobody = client.get(f"/api/v1/chats/{group.id}/members")
    assert (nobody.status_code, nobody.json()["type"]) == (409, "urn:wafast:problem:device-offline"), nobody.text
    worker = FakeWorker(tenant.world, tenant, device, phone.answer)
    try:
        _shown(client, group)
        phone.is_offline = True
        tenant.world.sql("UPDATE group_members SET told_at = now() - interval '1 hour' WHERE chat_id = $1", group.id)
        shown = _shown(client, group)
        assert (len(shown["items"]), shown["is_current"]) == (4, False)
    finally:
        worker.close()


def test_only_a_group_has_members(tenant: Tenant) -> None:
    chat = tenant.chat(tenant.device())
    answer = tenant.client("read").get(f"/api/v1/chats/{chat.id}/members")
    assert (answer.status_code, "group" in answer.json()["detail"]) == (409, True)
