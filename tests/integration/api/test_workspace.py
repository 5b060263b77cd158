"""The country and the time zone of a workspace."""

from __future__ import annotations

import pytest

from tests.integration.api.world import Tenant

WORKSPACE = "/api/v1/workspace"


def test_numbers_without_a_country_code_are_of_the_workspaces_country(tenant: Tenant) -> None:
    client, device = tenant.client(), tenant.device()
    changed = client.patch(WORKSPACE, json={"country": "sg", "time_zone": "Asia/Singapore"})
    assert changed.json() == {"name": tenant.name, "country": "SG", "time_zone": "Asia/Singapore"}
    assert tenant.client("read").get(WORKSPACE).json() == changed.json()
    assert client.post("/api/v1/leads", json={"phone": "9123 4567"}).json()["phone"] == "+6591234567"
    sent = client.post("/api/v1/messages", json={"device_id": str(device.id), "to": "9123 4567", "text": "Hi"})
    assert (sent.status_code, sent.json()["to_jid"]) == (202, "6591234567@s.whatsapp.net")
    campaign = client.post("/api/v1/campaigns", json={"name": "Raya", "message": {"text": "Hi"}}).json()
    tried = client.post(f"/api/v1/campaigns/{campaign['id']}/test", json={"to": "9123 4567"})
    assert (tried.status_code, tried.json()["to_jid"]) == (202, "6591234567@s.whatsapp.net")
    tenant.world.sql(
        "INSERT INTO number_checks (tenant_id, network, phone, jid) VALUES ($1, 'whatsapp', '+6591234567', NULL)",
        tenant.id,
    )
    checked = client.post(f"/api/v1/devices/{device.id}/check-numbers", json={"phones": ["9123 4567"]})
    assert checked.json() == {"items": [{"phone": "+6591234567", "jid": None}]}
    told = "SELECT detail FROM audit_log WHERE tenant_id = $1 AND action = 'workspace.change'"
    assert tenant.world.sql(told, tenant.id) == {"country": "SG", "time_zone": "Asia/Singapore"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"country": "XX"}, "country"),
        ({"time_zone": "Asia/Nowhere"}, "time_zone"),
        ({"time_zone": "localtime"}, "time_zone"),  # Python has it on some machines, PostgreSQL never
    ],
    ids=["no country", "no zone", "no zone of the database"],
)
def test_a_place_that_is_not_is_refused(tenant: Tenant, body: dict[str, str], field: str) -> None:
    answer = tenant.client().patch(WORKSPACE, json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
    assert tenant.client().get(WORKSPACE).json()["country"] == "MY"
