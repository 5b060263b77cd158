"""What nobody could say about is settled by a person."""

from __future__ import annotations

from typing import Any

from tests.integration.api.world import Device, Tenant

URL = "/api/v1/outbox"


def unknown(tenant: Tenant, device: Device, to: str = "60191234567", source: int | None = None) -> int:
    """A send of which nobody knows whether it left, ten seconds ago; its device has counted it."""
    row: int = tenant.world.sql(
        "INSERT INTO outbox (tenant_id, device_no, to_jid, kind, body, state, reason, source_id, priority, lane_id,"
        " claimed_at, claim_epoch, attempts, created_by) VALUES ($1, $2, $3, 'text', 'Hi', 'unknown', 'it may have"
        " left', $4, CASE WHEN $4::int8 IS NULL THEN 'reply' ELSE 'paced' END, $4, now() - interval '10 seconds', 1,"
        " 1, 'test') RETURNING id",
        tenant.id, device.no, f"{to}@s.whatsapp.net", source,
    )  # fmt: skip
    return row


def count_one(tenant: Tenant, device: Device, row: int) -> None:
    """The device's clock counts a send as of its claim."""
    tenant.world.sql(
        "UPDATE devices SET hour_sends = sends_counted(hour_sends, hour_slot, slot_of(claimed_at, 300), 1, 13),"
        " hour_slot = slot_of(claimed_at, 300),"
        " day_sends = sends_counted(day_sends, day_slot, slot_of(claimed_at, 3600), 1, 25),"
        " day_slot = slot_of(claimed_at, 3600) FROM outbox o WHERE no = $1 AND o.id = $2",
        device.no,
        row,
    )


def say(tenant: Tenant, row: int, arrived: bool) -> dict[str, Any]:
    """A person says so."""
    answer = tenant.client("send").post(f"{URL}/{row}/resolve", json={"arrived": arrived})
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


def test_what_arrived_is_a_message_of_its_chat(tenant: Tenant) -> None:
    device = tenant.device()
    chat = tenant.chat(device, jid="60191234567@s.whatsapp.net")
    row = unknown(tenant, device)
    shown = say(tenant, row, True)
    assert (shown["state"], shown["reason"], shown["message_id"]) == ("sent", None, f"wafast-{row}")
    [message] = tenant.client().get(f"/api/v1/chats/{chat.id}/messages").json()["items"]
    assert (message["message_text"], message["from_me"], message["status"]) == ("Hi", True, "sent")
    assert message["outbox_id"] == str(row)
    listed = [one for one in tenant.client().get("/api/v1/chats").json()["items"] if one["id"] == str(chat.id)]
    assert listed[0]["last_message_text"] == "Hi"
    edited = tenant.client("send").post(f"/api/v1/messages/{message['id']}/edit", json={"text": "Hello"})
    assert (edited.status_code, edited.json()["type"]) == (409, "urn:wafast:problem:no-id")
    said = "SELECT detail FROM audit_log WHERE tenant_id = $1 AND action = 'message.resolve' AND subject = $2"
    assert tenant.world.sql(said, tenant.id, f"outbox:{row}") == {"arrived": True}


def test_what_did_not_arrive_failed_and_is_not_counted(tenant: Tenant) -> None:
    device = tenant.device()
    row = unknown(tenant, device)
    count_one(tenant, device, row)
    shown = say(tenant, row, False)
    assert (shown["state"], shown["cause"]) == ("failed", "not_arrived")
    assert shown["reason"] == "it did not arrive, said send", "the key's name"
    counted = "SELECT (SELECT sum(n) FROM unnest(hour_sends || day_sends) n) FROM devices WHERE no = $1"
    assert tenant.world.sql(counted, device.no) == 0
    assert tenant.client("send").post(f"{URL}/{row}/retry").json()["state"] == "queued"


def test_only_what_is_unknown_waits_for_that(tenant: Tenant) -> None:
    client, device = tenant.client("send"), tenant.device()
    for state in ("queued", "failed", "expired", "cancelled"):
        answer = client.post(f"{URL}/{tenant.outbox(device, state)}/resolve", json={"arrived": True})
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:wafast:problem:not-unknown"), state


def test_what_may_have_arrived_is_not_called_cancelled(tenant: Tenant) -> None:
    row = unknown(tenant, tenant.device())
    answer = tenant.client("send").post(f"{URL}/{row}/cancel")
    assert answer.status_code == 409
    assert "say whether it did" in answer.json()["detail"]
    assert tenant.world.sql("SELECT state FROM outbox WHERE id = $1", row) == "unknown"


def test_a_reaction_is_done_anew(tenant: Tenant) -> None:
    device = tenant.device()
    row = unknown(tenant, device)
    tenant.world.sql("UPDATE outbox SET kind = 'reaction', target = 'ABC' WHERE id = $1", row)
    answer = tenant.client("send").post(f"{URL}/{row}/resolve", json={"arrived": True})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:wafast:problem:not-possible")
    assert say(tenant, row, False)["state"] == "failed"


def _campaign(tenant: Tenant, unknowns: int) -> tuple[int, Device]:
    """One that is done, with so many unknown sends of two devices, and one that failed."""
    campaign = tenant.campaign()
    source = tenant.world.sql("SELECT source_id FROM campaigns WHERE id = $1", campaign)
    begun = "UPDATE campaigns SET state = 'running', planned = $2, planned_at = now() WHERE id = $1"
    tenant.world.sql(begun, campaign, unknowns + 1)
    device, other = tenant.device(), tenant.device()
    for number in range(unknowns):
        unknown(tenant, other if number % 2 else device, f"6019123{number:04}", source)
    failed = unknown(tenant, device, "60191239999", source)
    tenant.world.sql("UPDATE outbox SET state = 'failed', cause = 'refused' WHERE id = $1", failed)
    return campaign, device


def test_all_of_a_campaign_at_once(tenant: Tenant) -> None:
    campaign, device = _campaign(tenant, 7)
    url = f"/api/v1/campaigns/{campaign}"
    answer = tenant.client().post(f"{url}/resolve-unknown", json={"arrived": True}).json()
    counts = answer["campaign"]["counts"]
    assert (answer["rows"], counts["sent"], counts["unknown"], counts["failed"]) == (7, 7, 0, 1)
    assert tenant.world.sql("SELECT count(*) FROM messages WHERE device_no = $1", device.no) == 4
    assert tenant.client().post(f"{url}/resolve-unknown", json={"arrived": True}).json()["rows"] == 0


def test_none_of_a_campaign_arrived(tenant: Tenant) -> None:
    """Then they are tried again with what failed; what is unknown is left out of that."""
    campaign, _ = _campaign(tenant, 5)
    url = f"/api/v1/campaigns/{campaign}"
    assert tenant.client().post(f"{url}/retry-failed").json()["rows"] == 1
    answer = tenant.client().post(f"{url}/resolve-unknown", json={"arrived": False}).json()
    counts = answer["campaign"]["counts"]
    assert (answer["rows"], counts["failed"], counts["unknown"], counts["total"]) == (5, 5, 0, 6)
    report = tenant.client().get(f"{url}/report").json()
    assert [one["cause"] for one in report["failed"]] == ["not_arrived"]
    assert tenant.client().post(f"{url}/retry-failed").json()["rows"] == 5
