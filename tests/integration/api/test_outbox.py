"""Sending, following what was sent, and doing each thing once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.integration.api.world import Tenant

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


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"to": "hello"}, "to"),
        ({"to": "1@newsletter"}, "to"),
        ({"text": " \n"}, "text"),
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


def test_cancel_and_retry(tenant: Tenant) -> None:
    device = tenant.device()
    client = tenant.client("send")
    queued = tenant.outbox(device)
    assert client.post(f"/api/v1/outbox/{queued}/retry").status_code == 409
    assert client.post(f"/api/v1/outbox/{queued}/cancel").json()["state"] == "cancelled"
    assert client.post(f"/api/v1/outbox/{queued}/cancel").json()["state"] == "cancelled"
    failed = tenant.outbox(device, "failed")
    assert client.post(f"/api/v1/outbox/{failed}/cancel").status_code == 409
    assert client.post(f"/api/v1/outbox/{failed}/retry").json()["state"] == "queued"


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
