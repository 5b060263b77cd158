"""Sending, following what was sent, and doing each thing once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.claimed import CLAIMED
from tests.integration.api.world import Device, Tenant, World

MESSAGES = "/api/v1/messages"


def _text(device: object, **more: Any) -> dict[str, Any]:
    return {"device_id": str(device), "to": "012-345 6789", "text": "Yes, it is!"} | more


def test_a_send_is_a_row_in_the_outbox(tenant: Tenant) -> None:
    device = tenant.device()
    answer = tenant.client("send").post(MESSAGES, json=_text(device.id))
    assert answer.status_code == 202
    row = answer.json()
    assert (row["state"], row["to_jid"], row["message_id"]) == ("queued", "60123456789@s.whatsapp.net", None)
    assert (row["type"], row["text"], row["priority"], row["chat_id"]) == ("text", "Yes, it is!", "reply", None)
    shown = tenant.client("read").get(f"/api/v1/outbox/{row['id']}").json()
    assert shown["held_by"]["rule"] == "due"
    assert shown | {"held_by": None} == row
    listed = tenant.client("read").get(f"/api/v1/devices/{device.id}/outbox", params={"state": "queued"}).json()
    assert listed == {"items": [row], "next": None}
    chat = tenant.chat(device, jid=row["to_jid"])
    assert tenant.client().get(f"/api/v1/outbox/{row['id']}").json()["chat_id"] == str(chat.id)


def test_a_row_is_of_the_chat_its_lid_became(tenant: Tenant) -> None:
    device = tenant.device()
    row = tenant.client("send").post(MESSAGES, json=_text(device.id, to="900123@lid")).json()
    chat = tenant.chat(device, jid="60123456789@s.whatsapp.net")
    told = "INSERT INTO lid_numbers SELECT tenant_id, no, 900123, 60123456789 FROM devices WHERE no = $1"
    tenant.world.sql(told, device.no)
    assert tenant.client().get(f"/api/v1/outbox/{row['id']}").json()["chat_id"] == str(chat.id)
    [shown] = tenant.client().get(f"/api/v1/chats/{chat.id}/outbox").json()["items"]
    assert shown["id"] == row["id"]


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"to": "hello"}, "to"),
        ({"to": "1@newsletter"}, "to"),
        ({"to": "9999999999999999999@lid"}, "to"),
        ({"text": " \n"}, "text"),
        ({"text": "\u200b\ufeff \u2060"}, "text"),
        ({"text": "\u3164\u2800\u115f"}, "text"),
        ({"text": "\u0301\ufe0f"}, "text"),
        ({"text": "x" * 65_537}, "text"),
        ({"type": "image"}, "media_id"),
        ({"type": "sticker"}, "type"),
        ({"media_id": "ab" * 32}, "media_id"),
        ({"priority": "now"}, "priority"),
        ({"text": "a\0b"}, "U+0000"),
        ({"unknown": 1}, "unknown"),
    ],
    ids=str,
)
def test_a_send_that_cannot_be(tenant: Tenant, more: dict[str, Any], field: str) -> None:
    answer = tenant.client().post(MESSAGES, json=_text(tenant.device().id, **more))
    assert answer.status_code == 400, answer.text
    assert field in answer.json()["detail"]


def test_a_send_from_a_line_never_paired_and_of_a_file_nobody_uploaded(tenant: Tenant) -> None:
    never = tenant.client().post(MESSAGES, json=_text(tenant.device(paired=False).id))
    assert (never.status_code, never.json()["type"]) == (409, "urn:wafast:problem:never-paired")
    file = tenant.client().post(MESSAGES, json=_text(tenant.device().id, type="image", media_id="ab" * 32))
    assert file.status_code == 404


def test_an_answer_to_a_message_that_is_not_there_is_refused(tenant: Tenant) -> None:
    device, client = tenant.device(), tenant.client("send")
    chat = tenant.chat(device, jid="60123456789@s.whatsapp.net")
    tenant.message(tenant.chat(device, jid="60123456788@s.whatsapp.net"), message_id="OTHER")
    tenant.message(chat, message_id="ASKED")
    for quoted in ("NOBODY", "OTHER"):
        answer = client.post(MESSAGES, json=_text(device.id, quoted_message_id=quoted))
        assert answer.status_code == 422, answer.text
        [error] = answer.json()["errors"]
        assert (error["field"], error["value"]) == ("quoted_message_id", quoted)
    assert client.post(MESSAGES, json=_text(device.id, quoted_message_id="ASKED")).status_code == 202
    told = "INSERT INTO lid_numbers SELECT tenant_id, no, 900124, 60123456789 FROM devices WHERE no = $1"
    tenant.world.sql(told, device.no)
    of_lid = client.post(MESSAGES, json=_text(device.id, to="900124@lid", quoted_message_id="ASKED"))
    assert of_lid.status_code == 202


def test_when_a_message_may_leave_and_until_when(tenant: Tenant) -> None:
    device = tenant.device()
    begins, ends = "2040-03-01T01:00:00Z", "2040-03-01T02:00:00Z"
    told = _text(device.id) | {"not_before": "2040-03-01T09:00:00+08:00", "expires_at": "2040-03-01T10:00:00+08:00"}
    row = tenant.client("send").post(MESSAGES, json=told).json()
    assert (row["not_before"], row["expires_at"]) == (begins, ends)
    held = tenant.client("send").get(f"/api/v1/outbox/{row['id']}").json()["held_by"]
    assert (held["rule"], held["until"]) == ("not_before", begins)
    for wrong in (
        {"expires_at": "2020-01-01T00:00:00Z"},
        {"not_before": begins, "expires_at": begins},
        {"not_before": "2040-03-01T09:00:00"},
        {"expires_at": "9999-12-31T23:59:59-12:00"},
    ):
        refused = tenant.client("send").post(MESSAGES, json=_text(device.id) | wrong)
        assert refused.status_code == 400, refused.text
        assert next(reversed(wrong)) in refused.json()["detail"]


def test_what_a_person_answers_does_not_wait_for_ever(world: World, tenant: Tenant) -> None:
    """A program's does, unless it says otherwise; tried again it may wait as long again."""
    device, browser = tenant.device(), world.signed_in(world.user(tenant))
    origin = {"Origin": world.url}
    assert tenant.client("send").post(MESSAGES, json=_text(device.id)).json()["expires_at"] is None
    paced = browser.post(MESSAGES, json=_text(device.id) | {"priority": "paced"}, headers=origin).json()
    assert paced["expires_at"] is None
    kept = browser.post(MESSAGES, json=_text(device.id) | {"expires_at": None}, headers=origin).json()
    assert kept["expires_at"] is None
    row = browser.post(MESSAGES, json=_text(device.id), headers=origin).json()
    a_day = "SELECT expires_at - now() BETWEEN interval '23 hours' AND interval '25 hours' FROM outbox WHERE id = $1"
    assert tenant.world.sql(a_day, int(row["id"]))
    over = (
        "UPDATE outbox SET state = 'expired', created_at = created_at - interval '2 days',"
        " expires_at = expires_at - interval '2 days' WHERE id = $1"
    )
    tenant.world.sql(over, int(row["id"]))
    assert browser.post(f"/api/v1/outbox/{row['id']}/retry", headers=origin).json()["state"] == "queued"
    assert tenant.world.sql(a_day, int(row["id"]))


def test_cancel_and_retry(tenant: Tenant) -> None:
    device = tenant.device()
    client = tenant.client("send")
    queued = tenant.outbox(device)
    assert client.post(f"/api/v1/outbox/{queued}/retry").status_code == 409
    assert client.post(f"/api/v1/outbox/{queued}/cancel").json()["state"] == "cancelled"
    assert client.post(f"/api/v1/outbox/{queued}/cancel").json()["state"] == "cancelled"
    failed = tenant.outbox(device, "failed")
    assert client.post(f"/api/v1/outbox/{failed}/retry").json()["state"] == "queued"


def test_what_can_not_be_tried_again_says_why(tenant: Tenant) -> None:
    row = tenant.outbox(tenant.device(), "failed")
    source = tenant.world.sql(
        "INSERT INTO sources (tenant_id, state, kind, template) VALUES ($1, 'ended', 'text', 'Hi') RETURNING id",
        tenant.id,
    )
    tenant.world.sql(
        "WITH c AS (INSERT INTO campaigns (tenant_id, source_id, name, audience, state, created_by)"
        " VALUES ($1, $2, 'Raya', '{}', 'cancelled', 'user:1'))"
        " UPDATE outbox SET source_id = $2 WHERE id = $3 RETURNING 1",
        tenant.id, source, row,
    )  # fmt: skip
    refused = tenant.client("send").post(f"/api/v1/outbox/{row}/retry")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:wafast:problem:not-retryable")
    assert "It is cancelled" in refused.json()["detail"]
    assert tenant.world.sql("SELECT state FROM outbox WHERE id = $1", row) == "failed"


def test_what_is_tried_again_is_as_new(tenant: Tenant) -> None:
    row = tenant.outbox(tenant.device(), "failed")
    tenant.world.sql("UPDATE outbox SET attempts = 9 WHERE id = $1 RETURNING 1", row)
    shown = tenant.client("send").post(f"/api/v1/outbox/{row}/retry").json()
    assert (shown["state"], shown["attempts"]) == ("queued", 0)


@pytest.mark.parametrize("state", ["failed", "expired"])
def test_what_did_not_arrive_is_taken_off_a_chat(tenant: Tenant, state: str) -> None:
    device = tenant.device()
    client = tenant.client("send")
    taken = tenant.outbox(device, state)
    assert client.post(f"/api/v1/outbox/{taken}/cancel").json()["state"] == "cancelled"
    counted = tenant.outbox(device, state)
    tenant.world.sql(
        "WITH made AS (INSERT INTO sources (tenant_id, state, template, kind, min_seconds, max_seconds)"
        " VALUES ($2, 'running', 'Hi', 'text', 0, 0) RETURNING id)"
        " UPDATE outbox SET source_id = made.id FROM made WHERE outbox.id = $1",
        counted, tenant.id,
    )  # fmt: skip
    chat = tenant.chat(device, jid="60191234567@s.whatsapp.net")
    address = f"/api/v1/chats/{chat.id}/outbox"
    assert client.get(address).json()["items"] == [], "it never had words"
    tenant.world.sql("UPDATE outbox SET attempts = 1 WHERE id = $1", counted)
    [shown] = client.get(address).json()["items"]
    assert (shown["id"], shown["is_counted"]) == (str(counted), True)
    refused = client.post(f"/api/v1/outbox/{counted}/cancel")
    assert (refused.status_code, "stays in what its campaign counts" in refused.json()["detail"]) == (409, True)
    sent = client.post(f"/api/v1/outbox/{_left(tenant, device)}/cancel")
    assert (sent.status_code, "only one that has not left" in sent.json()["detail"]) == (409, True)


def _left(tenant: Tenant, device: Device) -> int:
    sent = tenant.outbox(device)
    tenant.world.sql(f"{CLAIMED} WHERE id = $1", sent)
    tenant.world.sql(
        "UPDATE outbox SET state = 'sent', message_id = $2, sent_at = now() WHERE id = $1", sent, f"A{sent}"
    )
    return sent


def test_what_has_not_left_in_a_chat_is_found_behind_a_thousand_of_others(tenant: Tenant) -> None:
    device = tenant.device()
    chat, other = tenant.chat(device), tenant.chat(device)
    jid = tenant.world.sql("SELECT jid FROM chats WHERE id = $1", chat.id)
    made = [str(tenant.outbox(device, state)) for state in ("queued", "failed", "expired", "unknown")]
    _left(tenant, device)
    tenant.world.sql("UPDATE outbox SET to_jid = $2 WHERE device_no = $1", device.no, jid)
    elsewhere = tenant.world.sql("SELECT jid FROM chats WHERE id = $1", other.id)
    tenant.world.sql(
        "INSERT INTO outbox (tenant_id, device_no, to_jid, kind, body, priority, state, created_by)"
        " SELECT $1, $2, $3, 'text', 'Hi', 'reply', 'failed', 'test' FROM generate_series(1, 1000)",
        tenant.id, device.no, elsewhere,
    )  # fmt: skip
    address = f"/api/v1/chats/{chat.id}/outbox"
    found = tenant.client("read").get(address).json()
    assert ([row["id"] for row in found["items"]], found["next"]) == (made[3::-1], None)
    first = tenant.client("read").get(address, params={"limit": 3}).json()
    rest = tenant.client("read").get(address, params={"limit": 3, "after": first["next"]}).json()
    assert [row["id"] for row in first["items"] + rest["items"]] == made[3::-1]


def test_the_outbox_of_a_device_in_pages(tenant: Tenant) -> None:
    device = tenant.device()
    made = [str(tenant.outbox(device)) for _ in range(3)]
    address = f"/api/v1/devices/{device.id}/outbox"
    first = tenant.client().get(address, params={"limit": "2"}).json()
    rest = tenant.client().get(address, params={"limit": "2", "after": first["next"]}).json()
    assert [row["id"] for row in first["items"] + rest["items"]] == made[::-1]
    assert rest["next"] is None


def _sent(tenant: Tenant) -> int:
    return int(tenant.world.sql("SELECT count(*) FROM outbox WHERE tenant_id = $1", tenant.id))


def test_the_same_key_does_it_once(tenant: Tenant) -> None:
    body, headers = _text(tenant.device().id), {"Idempotency-Key": "order-17"}
    first = tenant.client().post(MESSAGES, json=body, headers=headers)
    again = tenant.client().post(MESSAGES, json=body, headers=headers)
    assert (again.status_code, again.json()) == (first.status_code, first.json()) == (202, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert "x-request-id" in again.headers
    other = tenant.client().post(MESSAGES, json=body | {"text": "No"}, headers=headers)
    assert other.status_code == 422
    elsewhere = tenant.client().post("/api/v1/devices", json={"name": "x"}, headers=headers)
    assert elsewhere.status_code == 422
    assert _sent(tenant) == 1
    tenant.world.sql(
        "UPDATE idempotency_keys SET created_at = now() - interval '25 hours' WHERE tenant_id = $1", tenant.id
    )
    assert tenant.client().post(MESSAGES, json=body, headers=headers).json()["id"] != first.json()["id"]


def test_what_is_tried_again_twice_with_one_key_is_tried_once(tenant: Tenant) -> None:
    row, client, headers = tenant.outbox(tenant.device(), "failed"), tenant.client("send"), {"Idempotency-Key": "again"}
    retry = f"/api/v1/outbox/{row}/retry"
    first = client.post(retry, headers=headers)
    tenant.world.sql("UPDATE outbox SET state = 'failed', cause = 'refused' WHERE id = $1 RETURNING 1", row)
    again = client.post(retry, headers=headers)
    assert (again.status_code, again.json()) == (200, first.json())
    assert tenant.world.sql("SELECT state FROM outbox WHERE id = $1", row) == "failed"


def test_a_chat_is_opened_once_with_one_key(tenant: Tenant) -> None:
    client, headers = tenant.client("send"), {"Idempotency-Key": "open"}
    path = f"/api/v1/devices/{tenant.device().id}/chats"
    first = client.post(path, json={"to": "012-345 6789"}, headers=headers)
    again = client.post(path, json={"to": "012-345 6789"}, headers=headers)
    assert (again.status_code, again.json(), again.headers["idempotency-replayed"]) == (200, first.json(), "true")
    assert client.post(path, json={"to": "012-345 6780"}, headers=headers).status_code == 422


def test_the_same_key_at_the_same_time_does_it_once(tenant: Tenant) -> None:
    body, headers = _text(tenant.device().id), {"Idempotency-Key": "storm"}
    client = tenant.client()

    def send(_: int) -> httpx.Response:
        return client.post(MESSAGES, json=body, headers=headers)

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(send, range(16)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert _sent(tenant) == 1


def test_a_key_is_a_workspaces_own_and_a_refusal_gives_it_back(tenant: Tenant, stranger: Tenant) -> None:
    headers = {"Idempotency-Key": "shared"}
    refused = tenant.client().post(MESSAGES, json=_text(tenant.device().id, to="hello"), headers=headers)
    assert refused.status_code == 400
    assert tenant.client().post(MESSAGES, json=_text(tenant.device().id), headers=headers).status_code == 202
    theirs = stranger.client().post(MESSAGES, json=_text(stranger.device().id), headers=headers)
    assert (theirs.status_code, _sent(stranger)) == (202, 1)


def test_a_new_keys_secret_is_repeated_but_written_down_nowhere(tenant: Tenant) -> None:
    headers = {"Idempotency-Key": "crm"}
    first = tenant.client().post("/api/v1/keys", json={"name": "CRM", "scope": "read"}, headers=headers)
    again = tenant.client().post("/api/v1/keys", json={"name": "CRM", "scope": "read"}, headers=headers)
    assert (again.status_code, again.json()) == (201, first.json())
    kept = "SELECT response IS NULL AND status = 201 FROM idempotency_keys WHERE tenant_id = $1"
    assert tenant.world.sql(kept, tenant.id)


@pytest.mark.parametrize("key", ["", "x" * 201])
def test_a_key_that_is_none(tenant: Tenant, key: str) -> None:
    answer = tenant.client().post(MESSAGES, json=_text(tenant.device().id), headers={"Idempotency-Key": key})
    assert answer.status_code == 400
