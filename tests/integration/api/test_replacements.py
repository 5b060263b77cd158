"""A number that is lost is replaced: its people, chats and waiting sends go on from another."""

from __future__ import annotations

import time
from typing import Any

from tests.integration.api.world import Device, Tenant

API = "/api/v1"
NOW = int(time.time())


def _lost(tenant: Tenant, state: str = "banned") -> Device:
    device = tenant.device(name="Old")
    tenant.world.sql("UPDATE devices SET state = $2 WHERE id = $1", device.id, state)
    return device


def _replace(tenant: Tenant, old: Device, new: Device) -> Any:
    answer = tenant.client("admin").post(f"{API}/devices/{old.id}/replace", json={"by": str(new.id)})
    assert answer.status_code == 200, answer.text
    return answer.json()


def _chats(tenant: Tenant, device: Device) -> dict[str, Any]:
    items = tenant.client().get(f"{API}/devices/{device.id}/chats").json()["items"]
    return {chat["chat_jid"]: chat for chat in items}


def test_chats_with_persons_go_over_with_their_history_and_groups_stay(tenant: Tenant) -> None:
    old, new = _lost(tenant), tenant.device(name="New")
    chat, group = tenant.chat(old), tenant.chat(old, jid="120363000000000001@g.us", name="Team")
    tenant.message(chat, "Is it there?", at=NOW - 200)
    tenant.message(chat, "Yes", from_me=True, at=NOW - 190)
    tenant.message(group, "Hello all")
    note = tenant.note(chat)
    done = _replace(tenant, old, new)
    assert (done["chats"], done["leads"], done["sends"]) == (1, 0, 0)
    assert list(_chats(tenant, old)) == [group.jid]
    [moved] = _chats(tenant, new).values()
    assert (moved["id"], moved["last_message_text"], moved["unread_count"]) == (str(chat.id), "Yes", 1)
    client = tenant.client()
    messages = client.get(f"{API}/chats/{chat.id}/messages").json()["items"]
    assert [one["message_text"] for one in messages] == ["Yes", "Is it there?"]
    assert [one["id"] for one in client.get(f"{API}/chats/{chat.id}/notes").json()["items"]] == [str(note)]
    asked = "SELECT count(*) FROM whatsapp_messages WHERE device_id = $1"
    assert tenant.world.sql(asked, new.id) == 2


def test_a_chat_both_have_becomes_one(tenant: Tenant) -> None:
    old, new = _lost(tenant), tenant.device(name="New")
    before = tenant.chat(old)
    after = tenant.chat(new, jid=before.jid)
    tenant.message(before, "From the old line", at=NOW - 200)
    tenant.message(after, "From the new line", at=NOW - 100)
    assert _replace(tenant, old, new)["chats"] == 1
    [chat] = _chats(tenant, new).values()
    messages = tenant.client().get(f"{API}/chats/{chat['id']}/messages").json()["items"]
    assert [one["message_text"] for one in messages] == ["From the new line", "From the old line"]


def test_the_one_person_under_number_and_lid_stays_one_chat(tenant: Tenant) -> None:
    old, new = _lost(tenant), tenant.device(name="New")
    by_lid = tenant.chat(old, jid="998877665544@lid")
    tenant.message(by_lid, "By LID", at=NOW - 200)
    tenant.world.sql(
        "INSERT INTO lid_numbers (tenant_id, device_no, lid, number) VALUES ($1, $2, 998877665544, 60191112222)",
        tenant.id, new.no,
    )  # fmt: skip
    _replace(tenant, old, new)
    assert list(_chats(tenant, new)) == ["60191112222@s.whatsapp.net"]


def test_nothing_is_done_on_the_new_line_to_messages_of_the_old(tenant: Tenant) -> None:
    old, new = _lost(tenant), tenant.device(name="New")
    chat = tenant.chat(old)
    message = f"{chat.id}-{tenant.message(chat, from_me=True)}"
    theirs = tenant.message(chat)
    tenant.world.sql("UPDATE chats SET unread = 1 WHERE id = $1", chat.id)
    _replace(tenant, old, new)
    client = tenant.client()
    for action, body in (("react", {"emoji": "👍"}), ("edit", {"text": "No"}), ("delete", None)):
        answer = client.post(f"{API}/messages/{message}/{action}", json=body)
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:wafast:problem:other-line"), answer.text
    assert tenant.world.sql("SELECT flags FROM messages WHERE chat_id = $1 AND key = $2", chat.id, theirs) == 128
    assert client.post(f"{API}/chats/{chat.id}/read").status_code in (200, 202, 204)


def test_leads_and_waiting_sends_go_over_and_what_was_sent_stays(tenant: Tenant) -> None:
    old, new = _lost(tenant), tenant.device(name="New")
    sql = tenant.world.sql
    lead = tenant.lead(old)
    tenant.lead()
    source = sql(
        "INSERT INTO sources (tenant_id, state, kind, device_ids) VALUES ($1, 'running', 'text', $2) RETURNING id",
        tenant.id, [old.id],
    )  # fmt: skip
    lane = sql(
        "INSERT INTO lanes (tenant_id, source_id, device_no, zone, is_live)"
        " VALUES ($1, $2, $3, 'Asia/Kuala_Lumpur', true) RETURNING id", tenant.id, source, old.no,
    )  # fmt: skip
    for number, state in enumerate(("queued", "sent", "unknown")):
        sql(
            "INSERT INTO outbox (tenant_id, device_no, source_id, lane_id, lead_id, to_jid, kind, priority, state,"
            " message_id, created_by) VALUES ($1, $2, $3, $4, $5, $6, 'text', 'paced', $7, $7, 'test')",
            tenant.id, old.no, source, lane, lead, f"{number}@s.whatsapp.net", state,
        )  # fmt: skip
    done = _replace(tenant, old, new)
    assert (done["leads"], done["sends"]) == (1, 1)
    assert sql("SELECT device_no FROM leads WHERE id = $1", lead) == new.no
    at = "SELECT string_agg(state, ' ' ORDER BY id) FROM outbox WHERE source_id = $1 AND device_no = $2"
    assert (sql(at, source, new.no), sql(at, source, old.no)) == ("queued", "sent unknown")
    assert sql("SELECT device_ids FROM sources WHERE id = $1", source) == [new.id]
    lane = sql("SELECT lane_id FROM outbox WHERE source_id = $1 AND state = 'queued'", source)
    assert sql("SELECT device_no FROM lanes WHERE id = $1", lane) == new.no
    [decision] = tenant.client().get(f"{API}/leads/{lead}/decisions").json()["items"]
    assert (decision["code"], decision["reason"]) == ("replaced", "New took the place of Old")


def test_what_can_not_be_replaced_says_why(tenant: Tenant, stranger: Tenant) -> None:
    old, new, never = _lost(tenant), tenant.device(name="New"), tenant.device(name="Never", paired=False)
    online = tenant.device(name="Online")
    for device, by, code in (
        (old, old, "same-device"),
        (old, never, "never-paired"),
        (new, old, "not-usable"),
        (online, new, "still-in-use"),
    ):
        answer = tenant.client("admin").post(f"{API}/devices/{device.id}/replace", json={"by": str(by.id)})
        assert (answer.status_code, answer.json()["type"]) == (409, f"urn:wafast:problem:{code}")
    foreign = {"by": str(stranger.device().id)}
    assert tenant.client("admin").post(f"{API}/devices/{old.id}/replace", json=foreign).status_code == 404
