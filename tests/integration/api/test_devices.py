"""Devices and pairings."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.integration.api.world import FakeWorker, Tenant
from wafast.events.calls import CallFailed

DEVICES = "/api/v1/devices"


def test_a_new_device(tenant: Tenant) -> None:
    made = tenant.client().post(DEVICES, json={"name": "  Sales KL 1 "})
    assert made.status_code == 201
    device = made.json()
    assert (device["name"], device["state"], device["network"]) == ("Sales KL 1", "new", "whatsapp")
    assert device["pacing"] == {
        "min_seconds": 5, "max_seconds": 15, "per_hour": 80, "per_day": 800, "typing": True, "ramp": True,
        "quiet_from": None, "quiet_until": None,
    }  # fmt: skip
    assert tenant.client("read").get(f"{DEVICES}/{device['id']}").json() | {"clock": None} == device
    assert tenant.world.sql("SELECT count(*) FROM audit_log WHERE tenant_id = $1", tenant.id) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "   "}, "name"),
        ({"name": "\u200b"}, "name"),
        ({"name": 5}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "x", "network": "telegram"}, "network"),
        ({"name": "x", "colour": "red"}, "colour"),
    ],
    ids=str,
)
def test_a_wrong_body_says_which_field(tenant: Tenant, body: dict[str, Any], field: str) -> None:
    answer = tenant.client().post(DEVICES, json=body)
    assert answer.status_code == 400
    problem = answer.json()
    assert problem["type"] == "urn:wafast:problem:invalid-request"
    assert field in problem["detail"]
    assert problem["request_id"] == answer.headers["x-request-id"]


def test_a_body_that_is_no_json_and_a_text_that_cannot_be_stored(tenant: Tenant) -> None:
    headers = {"Content-Type": "application/json"}
    assert tenant.client().post(DEVICES, content=b"{", headers=headers).status_code == 400
    assert tenant.client().post(DEVICES, content=b"", headers=headers).status_code == 400
    assert tenant.client().post(DEVICES, json={"name": "a\0b"}).status_code == 400
    device = tenant.device()
    assert tenant.client().patch(f"{DEVICES}/{device.id}", json={"name": "a\0b"}).status_code == 400
    assert tenant.client().get(DEVICES, params={"search": "a\0b"}).status_code == 400
    assert tenant.client().post(DEVICES, json={"name": "x" * 1_100_000}).status_code == 413


def test_the_network_of_the_workspace_is_the_default(tenant: Tenant) -> None:
    simulated = tenant.world.tenant("loopback")
    assert simulated.client().post(DEVICES, json={"name": "x"}).json()["network"] == "loopback"
    other = simulated.client().post(DEVICES, json={"name": "x", "network": "whatsapp"})
    assert other.json()["network"] == "whatsapp"


def test_the_list_is_newest_first_in_pages(tenant: Tenant) -> None:
    made = [str(tenant.device(name=f"Line {number}").id) for number in range(5)]
    seen: list[str] = []
    after: dict[str, str] = {}
    for _ in range(3):
        page = tenant.client().get(DEVICES, params={"limit": "2", **after}).json()
        seen += [device["id"] for device in page["items"]]
        after = {"after": str(page["next"])}
    assert page["next"] is None
    assert seen == made[::-1]
    exact = tenant.client().get(DEVICES, params={"limit": "5"}).json()
    assert exact["next"] is None


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "after=x", "after=WzFd%00", "after=WzEsMl0"])
def test_a_wrong_page_is_refused(tenant: Tenant, query: str) -> None:
    answer = tenant.client().get(f"{DEVICES}?{query}")
    assert answer.status_code == 400
    assert query.partition("=")[0] in answer.json()["detail"]


def test_search_and_state(tenant: Tenant) -> None:
    tenant.device(name="Sales North")
    new = tenant.device(name="Support 100%", paired=False)
    client = tenant.client()
    assert [one["name"] for one in client.get(DEVICES, params={"search": "north"}).json()["items"]] == ["Sales North"]
    assert [one["name"] for one in client.get(DEVICES, params={"search": "0%"}).json()["items"]] == ["Support 100%"]
    assert [one["id"] for one in client.get(DEVICES, params={"state": "new"}).json()["items"]] == [str(new.id)]
    assert client.get(DEVICES, params={"state": "asleep"}).status_code == 400


def test_changing_a_device(tenant: Tenant) -> None:
    address = f"{DEVICES}/{tenant.device().id}"
    client = tenant.client()
    changes = {"name": "New", "tags": ["a", " a ", " ", "b"], "pacing": {"min_seconds": 0, "max_seconds": 0.1}}
    answer = client.patch(address, json=changes)
    assert answer.status_code == 200, answer.text
    device = answer.json()
    assert (device["name"], device["tags"]) == ("New", ["a", "b"])
    assert (device["pacing"]["min_seconds"], device["pacing"]["max_seconds"]) == (0, 0.1)
    assert device["pacing"]["per_hour"] == 80
    quiet = client.patch(address, json={"pacing": {"quiet_from": "21:00", "quiet_until": "08:00"}}).json()["pacing"]
    assert (quiet["quiet_from"], quiet["quiet_until"]) == ("21:00", "08:00")
    half = client.patch(address, json={"pacing": {"quiet_until": None}})
    assert (half.status_code, "pacing.quiet_until" in half.json()["detail"]) == (400, True)
    assert client.patch(address, json={"pacing": {"quiet_from": "24:00"}}).status_code == 400
    none = client.patch(address, json={"pacing": {"quiet_from": None, "quiet_until": None}}).json()["pacing"]
    assert none["quiet_from"] is None
    clock = client.get(address).json()["clock"]
    assert (clock["last_paced_at"], clock["sent_in_hour"], clock["sent_in_day"]) == (None, 0, 0)
    wrong = client.patch(address, json={"pacing": {"min_seconds": 20, "max_seconds": 10}})
    assert wrong.status_code == 400
    assert "pacing.max_seconds" in wrong.json()["detail"]
    assert client.patch(address, json={"pacing": {"per_hour": 0}}).status_code == 400
    assert client.get(address).json() | {"clock": None} == device


def test_a_new_device_begins_with_the_pace_the_workspace_wants(tenant: Tenant) -> None:
    address = f"{DEVICES}/pacing"
    client = tenant.client()
    before = client.post(DEVICES, json={"name": "Before"}).json()
    assert client.get(address).json() == before["pacing"]
    change = {"min_seconds": 20, "max_seconds": 40, "per_hour": 30, "quiet_from": "22:00", "quiet_until": "07:30"}
    changed = client.patch(address, json=change)
    assert changed.status_code == 200, changed.text
    assert changed.json() == {**before["pacing"], **change}
    assert client.post(DEVICES, json={"name": "After"}).json()["pacing"] == changed.json()
    assert client.get(f"{DEVICES}/{before['id']}").json()["pacing"] == before["pacing"]
    wrong = client.patch(address, json={"max_seconds": 10})
    assert (wrong.status_code, "min_seconds, which is 20" in wrong.json()["detail"]) == (400, True)
    assert tenant.client("read").patch(address, json=change).status_code == 403
    assert tenant.world.tenant().client().get(address).json() == before["pacing"]


@pytest.mark.parametrize("whose", ["devices", "tenants"])
def test_of_two_who_change_one_pace_at_once_the_second_is_judged_by_what_the_first_left(
    tenant: Tenant, whose: str
) -> None:
    device = tenant.device()
    address = f"{DEVICES}/{device.id if whose == 'devices' else 'pacing'}"
    change = {"min_seconds": 10}
    body = {"pacing": change} if whose == "devices" else change
    client = tenant.client()

    async def both() -> httpx.Response:
        async with tenant.world.pool.acquire() as first, first.transaction():
            key = device.id if whose == "devices" else tenant.id
            await first.execute(f"UPDATE {whose} SET max_seconds = 8 WHERE id = $1", key)
            second = asyncio.create_task(asyncio.to_thread(client.patch, address, json=body))
            waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND locktype = 'transactionid')"
            while not await first.fetchval(waits):
                assert not second.done()
                await asyncio.sleep(0.01)
        return await second

    answer = tenant.world.background.run(both())
    assert answer.status_code == 400, answer.text
    assert "it must be at least min_seconds, which is 10" in answer.json()["detail"]


def test_the_clock_tells_from_when_on_a_line_may_send(tenant: Tenant) -> None:
    device = tenant.device()
    tenant.world.sql(
        "UPDATE devices SET last_paced_at = now(), gap_draw = 0, min_seconds = 600, max_seconds = 600 WHERE id = $1",
        device.id,
    )
    clock = tenant.client().get(f"{DEVICES}/{device.id}").json()["clock"]
    assert clock["next_at"] is None
    gap = datetime.fromisoformat(clock["free_at"]) - datetime.fromisoformat(clock["last_paced_at"])
    assert gap == timedelta(minutes=10)


def test_a_proxy_is_checked_and_its_password_is_not_shown(tenant: Tenant) -> None:
    address = f"{DEVICES}/{tenant.device().id}"
    client = tenant.client()
    set_to = client.patch(address, json={"proxy": "socks5://me:secret@10.0.0.1:1080"})
    assert set_to.json()["proxy"] == "socks5://me:***@10.0.0.1:1080"
    not_tunnels = ("10.0.0.1:1080", "ftp://host:21", "https://host:1", "http://host", "http://host:x")
    for wrong in (*not_tunnels, "http://host:1\r\nX: y"):
        refused = client.patch(address, json={"proxy": wrong})
        assert refused.status_code == 400, wrong
    assert client.patch(address, json={"proxy": None}).json()["proxy"] is None


def test_deleting_a_device_takes_everything_with_it(tenant: Tenant) -> None:
    device = tenant.device()
    chat = tenant.chat(device)
    tenant.message(chat)
    tenant.outbox(device)
    client = tenant.client()
    assert client.delete(f"{DEVICES}/{device.id}").status_code == 204
    assert client.get(f"{DEVICES}/{device.id}").status_code == 404
    assert client.get(f"/api/v1/chats/{chat.id}/messages").status_code == 404
    assert tenant.world.sql("SELECT count(*) FROM messages WHERE device_no = $1", device.no) == 0


def test_what_a_device_should_be(tenant: Tenant) -> None:
    device = tenant.device()
    client = tenant.client()
    for verb, desired in (("connect", "connected"), ("disconnect", "disconnected"), ("logout", "logged_out")):
        answer = client.post(f"{DEVICES}/{device.id}/{verb}")
        assert (answer.status_code, answer.json()["desired_state"]) == (202, desired)
    never = client.post(f"{DEVICES}/{tenant.device(paired=False).id}/connect")
    assert (never.status_code, never.json()["type"]) == (409, "urn:wafast:problem:never-paired")
    tenant.world.sql("UPDATE devices SET state = 'logged_out' WHERE id = $1", device.id)
    over = client.post(f"{DEVICES}/{device.id}/connect")
    assert (over.status_code, over.json()["type"]) == (409, "urn:wafast:problem:logged-out")


def test_pairing(tenant: Tenant) -> None:
    device = tenant.device(paired=False)
    client = tenant.client()
    first = client.post(f"{DEVICES}/{device.id}/pairings", json={"method": "qr"})
    assert first.status_code == 201
    pairing = first.json()
    assert (pairing["state"], pairing["qr"], pairing["device_id"]) == ("waiting", None, str(device.id))
    tenant.world.sql("UPDATE pairings SET qr = '2@one' WHERE id = $1::text::uuid", pairing["id"])
    assert client.get(f"/api/v1/pairings/{pairing['id']}").json()["qr"] == "2@one"
    second = client.post(f"{DEVICES}/{device.id}/pairings", json={"method": "code", "phone": "012-345 6789"})
    assert second.status_code == 201
    phone = tenant.world.sql("SELECT phone FROM pairings WHERE id = $1::text::uuid", second.json()["id"])
    assert phone == "+60123456789"
    superseded = client.get(f"/api/v1/pairings/{pairing['id']}").json()
    assert (superseded["state"], superseded["qr"]) == ("failed", None)
    cancelled = client.delete(f"/api/v1/pairings/{second.json()['id']}").json()
    assert (cancelled["state"], cancelled["reason"]) == ("failed", "cancelled")
    assert client.delete(f"/api/v1/pairings/{second.json()['id']}").json() == cancelled


def test_a_pairing_that_cannot_be(tenant: Tenant) -> None:
    device = tenant.device(paired=False)
    client = tenant.client()
    for body in ({"method": "code"}, {"method": "code", "phone": "hello"}, {"method": "sms"}):
        assert client.post(f"{DEVICES}/{device.id}/pairings", json=body).status_code == 400
    linked = client.post(f"{DEVICES}/{tenant.device().id}/pairings", json={"method": "qr"})
    assert (linked.status_code, linked.json()["type"]) == (409, "urn:wafast:problem:already-paired")


def test_a_pairing_expires_by_itself(tenant: Tenant) -> None:
    pairing = tenant.pairing(tenant.device(paired=False))
    tenant.world.sql("UPDATE pairings SET expires_at = now() - interval '1 second' WHERE id = $1", pairing)
    shown = tenant.client().get(f"/api/v1/pairings/{pairing}").json()
    assert (shown["state"], shown["qr"]) == ("expired", None)
    assert shown["reason"]


def test_checking_numbers(tenant: Tenant) -> None:
    device = tenant.device()
    address = f"{DEVICES}/{device.id}/check-numbers"
    assert tenant.client().post(address, json={"phones": ["60123456789"]}).status_code == 409
    assert tenant.client().post(address, json={"phones": []}).status_code == 400
    wrong = tenant.client().post(address, json={"phones": ["60123456789", "hello"]})
    assert (wrong.status_code, "phones[1]" in wrong.json()["detail"]) == (400, True)

    asked: list[list[str]] = []

    async def answer(_device: int, verb: str, args: dict[str, Any]) -> dict[str, Any]:
        assert verb == "is_on_whatsapp"
        asked.append(args["phones"])
        return {"items": [{"phone": phone, "jid": f"{phone[1:]}@s.whatsapp.net"} for phone in args["phones"]]}

    worker = FakeWorker(tenant.world, tenant, device, answer)
    try:
        found = tenant.client("send").post(address, json={"phones": ["012-345 6789", "+60123456789"]})
        again = tenant.client("send").post(address, json={"phones": ["+60123456789", "+60123456780"]})
        tenant.client("send").post(address, json={"phones": ["+60123456789"], "fresh": True})
    finally:
        worker.close()
    assert found.json() == {"items": [{"phone": "+60123456789", "jid": "60123456789@s.whatsapp.net"}]}
    assert [one["phone"] for one in again.json()["items"]] == ["+60123456789", "+60123456780"]
    assert asked == [["+60123456789"], ["+60123456780"], ["+60123456789"]], "what is known is not asked again"


def test_checking_numbers_too_fast(tenant: Tenant) -> None:
    device = tenant.device()

    async def refuse(_device: int, _verb: str, _args: dict[str, Any]) -> dict[str, Any]:
        raise CallFailed("too_fast", "this device has asked about many", 41.2)

    worker = FakeWorker(tenant.world, tenant, device, refuse)
    try:
        answer = tenant.client("send").post(f"{DEVICES}/{device.id}/check-numbers", json={"phones": ["+60123456789"]})
    finally:
        worker.close()
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "42")
