"""What people decide about campaigns, sequences and segments is written down with who did it."""

from __future__ import annotations

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
