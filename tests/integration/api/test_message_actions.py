"""What is done to a message: who may, until when, and what is queued for it."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.integration.api.world import Chat, FakeWorker, Tenant
from wafast.events.calls import CallFailed

MINUTE = 60


def _message(tenant: Tenant, chat: Chat, text: str = "Hello", **more: Any) -> tuple[str, str]:
    """Its id here and WhatsApp's."""
    message_id = f"WA{time.time_ns()}"
    key = tenant.message(chat, text, message_id=message_id, **more)
    return f"{chat.id}-{key}", message_id


def _act(tenant: Tenant, message: str, action: str, body: Any = None) -> Any:
    return tenant.client("send").post(f"/api/v1/messages/{message}/{action}", json=body)


def test_what_is_done_to_a_message_is_a_row_in_the_outbox(tenant: Tenant) -> None:
    chat = tenant.chat(tenant.device())
    theirs, their_id = _message(tenant, chat)
    ours, our_id = _message(tenant, chat, from_me=True)
    for message, action, body, kind, text, target in (
        (theirs, "react", {"emoji": "👍🏽"}, "reaction", "👍🏽", their_id),
        (theirs, "react", {"emoji": ""}, "reaction", "", their_id),
        (ours, "edit", {"text": "Hello!"}, "edit", "Hello!", our_id),
        (ours, "delete", None, "delete", "", our_id),
    ):
        answer = _act(tenant, message, action, body)
        assert answer.status_code == 202, answer.text
        row = answer.json()
        assert (row["type"], row["text"], row["target_message_id"], row["state"], row["chat_id"], row["to_jid"]) == (
            kind, text, target, "queued", str(chat.id), chat.jid,
        )  # fmt: skip
        assert (row["expires_at"] is None) == (kind == "reaction")


@pytest.mark.parametrize(
    ("more", "action", "body", "status", "why"),
    [
        ({"from_me": True, "at": -16 * MINUTE}, "edit", {"text": "x"}, 409, "15 minutes"),
        ({"from_me": False}, "edit", {"text": "x"}, 409, "line wrote"),
        ({"from_me": True, "kind": "image"}, "edit", {"text": "x"}, 409, "image"),
        ({"from_me": True}, "edit", {"text": " \n"}, 400, "visible"),
        ({"from_me": False}, "delete", None, 409, "line wrote"),
        ({"from_me": True, "at": -61 * 60 * MINUTE}, "delete", None, 409, "60 hours"),
        ({}, "react", {"emoji": "yes"}, 400, "one emoji"),
        ({}, "react", {"emoji": "👍👎👍👎👍👎👍👎👍"}, 400, "one emoji"),
        ({}, "react", {"emoji": "1"}, 400, "one emoji"),
        ({}, "forward", {"chat_ids": []}, 400, "chat_ids"),
    ],
    ids=lambda value: None,
)
def test_what_can_not_be_done_says_why(
    tenant: Tenant, more: dict[str, Any], action: str, body: Any, status: int, why: str
) -> None:
    if "at" in more:
        more = more | {"at": int(time.time()) + more["at"]}
    message, _ = _message(tenant, tenant.chat(tenant.device()), **more)
    answer = _act(tenant, message, action, body)
    assert (answer.status_code, why in answer.json()["detail"]) == (status, True), answer.text
    assert tenant.world.sql("SELECT count(*) FROM outbox WHERE tenant_id = $1", tenant.id) == 0


def test_a_message_is_forwarded_to_chats_of_any_device_in_reach(tenant: Tenant) -> None:
    one, other = tenant.device(), tenant.device(name="Support")
    source = tenant.chat(one)
    here, there = tenant.chat(one), tenant.chat(other)
    message, _ = _message(tenant, source, "The *price* list")
    answer = _act(tenant, message, "forward", {"chat_ids": [str(here.id), str(there.id), str(here.id)]})
    assert answer.status_code == 202, answer.text
    rows = answer.json()["items"]
    assert [(row["device_id"], row["to_jid"], row["type"], row["text"], row["is_forwarded"]) for row in rows] == [
        (str(one.id), here.jid, "text", "The *price* list", True),
        (str(other.id), there.jid, "text", "The *price* list", True),
    ]
    limited = tenant.client("send", [one.id])
    refused = limited.post(f"/api/v1/messages/{message}/forward", json={"chat_ids": [str(there.id)]})
    assert refused.status_code == 404


def test_a_message_is_forwarded_to_all_chosen_chats_or_to_none(tenant: Tenant) -> None:
    here = tenant.chat(tenant.device())
    nowhere = tenant.chat(tenant.device(paired=False, name="Spare"))
    message, _ = _message(tenant, here)
    refused = _act(tenant, message, "forward", {"chat_ids": [str(here.id), str(nowhere.id)]})
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:wafast:problem:never-paired"), refused.text
    assert f"POST /api/v1/devices/{nowhere.device.id}/pairings" in refused.json()["detail"]
    assert tenant.world.sql("SELECT count(*) FROM outbox WHERE tenant_id = $1", tenant.id) == 0


def test_a_picture_whose_file_nobody_can_fetch_is_not_passed_on(tenant: Tenant) -> None:
    chat = tenant.chat(tenant.device())
    message, _ = _message(tenant, chat, "", kind="image", media={"type": "image", "mime": "image/jpeg"})
    answer = _act(tenant, message, "forward", {"chat_ids": [str(chat.id)]})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:wafast:problem:no-file"), answer.text
    [shown] = tenant.client("read").get(f"/api/v1/chats/{chat.id}/messages").json()["items"]
    assert (shown["media_url"], shown["media"]["mime"]) == (None, "image/jpeg")


def test_what_is_passed_on_anew_after_its_file_could_not_be_fetched_goes_out_once(tenant: Tenant) -> None:
    """With the same Idempotency-Key, which the failure gave back."""
    device = tenant.device()
    chat = tenant.chat(device)
    upload = tenant.client().post("/api/v1/media", files={"file": ("a.txt", b"prices")}, data={"type": "document"})
    media = {"type": "document", "mime": "text/plain", "ext": "txt", "name": "a.txt"}
    message, _ = _message(tenant, chat, "a.txt", kind="document", media=media)
    answers = [CallFailed("failed", "no answer of WhatsApp"), CallFailed("not_stored", "the disk is full"), None]

    async def fetch(_device: int, _verb: str, _args: dict[str, Any]) -> dict[str, Any]:
        error = answers.pop(0)
        if error is not None:
            raise error
        return {"sha256": upload.json()["media_id"]}

    path, headers = f"/api/v1/messages/{message}/forward", {"Idempotency-Key": "pass-it-on"}
    body = {"chat_ids": [str(chat.id)]}
    worker = FakeWorker(tenant.world, tenant, device, fetch)
    try:
        told = [tenant.client("send").post(path, json=body, headers=headers) for _ in range(4)]
    finally:
        worker.close()
    assert [one.status_code for one in told] == [502, 507, 202, 202]
    assert told[2].json() == told[3].json()
    assert tenant.world.sql("SELECT count(*) FROM outbox WHERE tenant_id = $1", tenant.id) == 1


def test_what_may_be_viewed_once_is_not_passed_on(tenant: Tenant) -> None:
    chat = tenant.chat(tenant.device())
    message, _ = _message(tenant, chat, "For your eyes only")
    tenant.world.sql("UPDATE messages SET flags = flags | 4 WHERE chat_id = $1", chat.id)
    answer = _act(tenant, message, "forward", {"chat_ids": [str(chat.id)]})
    assert (answer.status_code, "viewed once" in answer.json()["detail"]) == (409, True), answer.text


@pytest.mark.parametrize(("kind", "type_"), [("video", "video"), ("voice", "audio")])
def test_of_a_forwarded_file_is_kept_what_can_be_true(tenant: Tenant, kind: str, type_: str) -> None:
    chat = tenant.chat(tenant.device())
    form = {"file": ("a.bin", b"film")}
    upload = tenant.client().post("/api/v1/media", files=form, data={"type": "document"}).json()
    media = {"type": type_, "mime": "video/mp4", "ext": "mp4", "sha256": upload["media_id"]}
    for seconds, width in ((83, 640), (1 << 31, 1 << 62)):
        message, _ = _message(tenant, chat, "", kind=kind, media=media | {"seconds": seconds, "width": width})
        tenant.world.sql(
            "INSERT INTO thumbnails (chat_id, key, tenant_id, jpeg) VALUES ($1, $2, $3, 'jpeg')",
            chat.id, int(message.partition("-")[2]), tenant.id,
        )  # fmt: skip
        answer = _act(tenant, message, "forward", {"chat_ids": [str(chat.id)]})
        assert answer.status_code == 202, answer.text
    query = "SELECT ARRAY[seconds::text, width::text, encode(poster, 'escape')] FROM media WHERE tenant_id = $1"
    expected = ["83", "640", "jpeg"] if kind == "video" else ["83", None, None]
    assert tenant.world.sql(query, tenant.id) == expected


def test_a_forwarded_document_keeps_its_name_and_file(tenant: Tenant) -> None:
    chat = tenant.chat(tenant.device())
    form = {"file": ("list.txt", b"prices")}
    upload = tenant.client().post("/api/v1/media", files=form, data={"type": "document"}).json()
    media = {"type": "document", "mime": "text/plain", "ext": "txt", "name": "list.txt", "sha256": upload["media_id"]}
    message, _ = _message(tenant, chat, "list.txt", kind="document", media=media)
    tenant.world.sql("UPDATE media SET viewed_at = now() - interval '1 day' WHERE tenant_id = $1", tenant.id)
    row = _act(tenant, message, "forward", {"chat_ids": [str(chat.id)]}).json()["items"][0]
    assert (row["type"], row["text"], row["file_name"], row["media_url"]) == (
        "document", "", "list.txt", upload["media_url"],
    )  # fmt: skip
    # so that nobody makes room with it before it has left
    assert tenant.world.sql("SELECT viewed_at > now() - interval '1 minute' FROM media WHERE tenant_id = $1", tenant.id)
