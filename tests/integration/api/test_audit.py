"""What people decide about campaigns, sequences and segments is written down with who did it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.api.world import Tenant

A = "/api/v1"


def test_who_did_what_is_written_down(tenant: Tenant) -> None:
    client = tenant.client()
    lead = tenant.lead(tenant.device())
    campaign = client.post(f"{A}/campaigns", json={"name": "Raya", "message": {"text": "Hi"}}).json()
    client.patch(f"{A}/campaigns/{campaign['id']}", json={"name": "Hari Raya"})
    client.post(f"{A}/campaigns/{campaign['id']}/start")
    client.post(f"{A}/campaigns/{campaign['id']}/cancel")
    client.post(f"{A}/campaigns/{campaign['id']}/pause")
    step = {"delay_seconds": 60, "message": {"text": "Hi"}}
    sequence = client.post(f"{A}/sequences", json={"name": "Welcome", "steps": [step]}).json()
    way = f"{A}/sequences/{sequence['id']}"
    client.post(f"{way}/enrolments", json={"lead_ids": [str(lead)]})
    enrolment = client.get(f"{way}/enrolments").json()["items"][0]["id"]
    client.patch(f"{way}/enrolments/{enrolment}", json={"state": "paused"})
    client.delete(f"{way}/steps/{sequence['steps'][0]['id']}")
    segment = client.post(f"{A}/segments", json={"name": "All", "filter": {}}).json()
    client.patch(f"{A}/segments/{segment['id']}", json={"name": "Everybody"})
    told = tenant.world.sql("SELECT array_agg(action ORDER BY id) FROM audit_log WHERE tenant_id = $1", tenant.id)
    assert told == [
        "campaign.create", "campaign.change", "campaign.start", "campaign.cancel", "sequence.create",
        "enrolment.create", "enrolment.paused", "sequence.delete_step", "segment.create", "segment.change",
    ], "what was refused is not among them"  # fmt: skip
    actors = "SELECT count(DISTINCT actor) FROM audit_log WHERE tenant_id = $1 AND actor LIKE 'key:%'"
    assert tenant.world.sql(actors, tenant.id) == 1


def read(tenant: Tenant, **query: Any) -> dict[str, Any]:
    """A page of the log."""
    answer = tenant.client().get(f"{A}/audit", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_the_log_says_who_did_what_to_what_newest_first(tenant: Tenant) -> None:
    client = tenant.client()
    device = client.post(f"{A}/devices", json={"name": "Sales"}).json()
    campaign = client.post(f"{A}/campaigns", json={"name": "Raya", "message": {"text": "Hi"}}).json()
    client.patch(f"{A}/devices/{device['id']}", json={"name": "Support"})
    changed, made, added = read(tenant)["items"]
    assert (changed["action"], changed["subject"]) == ("device.change", f"device:{device['id']}")
    assert (changed["subject_name"], changed["detail"]) == ("Support", {"changed": ["name"]})
    assert changed["actor"].startswith("key:") and changed["actor_name"]
    assert (made["subject"], made["subject_name"]) == (f"campaign:{campaign['id']}", "Raya")
    assert (added["subject_name"], added["detail"]["name"]) == ("Support", "Sales"), "its name of today, and of then"
    client.delete(f"{A}/devices/{device['id']}")
    assert read(tenant)["items"][0]["subject_name"] == "Support", "what is gone is called as it was"


def test_a_chat_without_a_name_is_called_by_its_number(tenant: Tenant) -> None:
    chat = tenant.chat(tenant.device())
    log = "INSERT INTO audit_log (tenant_id, actor, action, subject) VALUES ($1, 'user:1', 'chat.change', $2)"
    tenant.world.sql(log, tenant.id, f"chat:{chat.id}")
    tenant.world.sql("UPDATE chats SET name = NULL WHERE id = $1", chat.id)
    assert read(tenant)["items"][0]["subject_name"] == f"+{chat.jid.partition('@')[0]}"


def test_the_log_is_read_by_who_what_and_when(tenant: Tenant) -> None:
    log = "INSERT INTO audit_log (tenant_id, actor, action, subject, at) VALUES ($1, $2, $3, $4, $5::text::timestamptz)"
    for actor, action, subject, at in (
        ("user:1", "campaign.start", "campaign:1", "2027-01-01T00:00:00Z"),
        ("user:1", "campaign.pause", "campaign:2", "2027-01-02T00:00:00Z"),
        ("system", "campaigns.other", "campaign:1", "2027-01-03T00:00:00Z"),
        ("key:99", "user.create", "user:no-number@example.com", "2027-01-04T00:00:00Z"),
        ("system", "opt_out.change", "opt_out", "2027-01-05T00:00:00Z"),
    ):
        tenant.world.sql(log, tenant.id, actor, action, subject, at)

    def days(**query: Any) -> list[int]:
        return [int(line["at"][8:10]) for line in read(tenant, **query)["items"]]

    assert days() == [5, 4, 3, 2, 1]
    assert days(actor="user:1") == [2, 1]
    assert days(action="campaign") == [2, 1]
    assert days(action="campaign.pause") == [2]
    assert days(subject="campaign:1") == [3, 1]
    assert days(**{"from": "2027-01-02T00:00:00Z", "to": "2027-01-04T08:00:00+08:00"}) == [3, 2]
    assert days(actor="user:1", subject="campaign:2", action="campaign.pause") == [2]
    first = read(tenant, limit=2, action="campaign")
    assert first["next"] is None
    first = read(tenant, limit=3)
    assert days(limit=3, after=first["next"]) == [2, 1]


@pytest.mark.parametrize("query", [{"from": "2027-01-01T00:00:00"}, {"to": "x"}, {"after": "x"}, {"target": "x"}])
def test_what_the_log_can_not_be_asked(tenant: Tenant, query: dict[str, str]) -> None:
    assert tenant.client().get(f"{A}/audit", params=query).status_code == 400


def test_the_log_is_for_administrators_of_the_whole_workspace(tenant: Tenant, stranger: Tenant) -> None:
    device = tenant.device()
    tenant.client().post(f"{A}/devices", json={"name": "Sales"})
    assert read(stranger)["items"] == []
    assert tenant.client("send").get(f"{A}/audit").status_code == 403
    key = tenant.client().post(
        f"{A}/keys", json={"name": "CRM", "scope": "admin", "device_ids": [str(device.id)]}
    ).json()["key"]  # fmt: skip
    limited = tenant.client().get(f"{A}/audit", headers={"Authorization": f"Bearer {key}"})
    assert limited.status_code == 403
