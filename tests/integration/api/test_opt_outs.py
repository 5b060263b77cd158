"""Where no message is stored nobody's STOP is heard, and nothing is sent to many."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.database import Database
from tests.integration.api.world import World, running


@pytest.fixture(scope="module")
def deaf(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The API where chats are not stored."""
    environment = {"WHATSAPP_CHAT_STORAGE": "false"}
    with running(database.create(), tmp_path_factory.mktemp("deaf"), environment) as world:
        yield world


def test_campaigns_and_sequences_do_not_start_and_say_why(deaf: World) -> None:
    tenant = deaf.tenant()
    client, campaign = tenant.client(), f"/api/v1/campaigns/{tenant.campaign()}"
    begin = {"date": "2099-01-01", "time": "09:00:00", "zone": "Asia/Kuala_Lumpur"}
    made = client.post("/api/v1/sequences", json={"name": "Welcome"})
    assert made.status_code == 201, "it is paused at first"
    sequence = f"/api/v1/sequences/{made.json()['id']}"
    failed = tenant.outbox(tenant.device(), "failed")
    deaf.sql(
        "WITH lane AS (INSERT INTO lanes (tenant_id, source_id, device_no, zone, is_live)"
        " SELECT o.tenant_id, c.source_id, o.device_no, 'UTC', false FROM outbox o, campaigns c WHERE o.id = $1"
        " RETURNING id, source_id)"
        " UPDATE outbox SET priority = 'paced', source_id = lane.source_id, lane_id = lane.id FROM lane"
        " WHERE outbox.id = $1",
        failed,
    )
    answers = [
        client.post(f"/api/v1/outbox/{failed}/retry"),
        client.post(f"{campaign}/start"),
        client.post(f"{campaign}/schedule", json=begin),
        client.patch(campaign, json={"schedule": begin}),
        client.post(f"{campaign}/resume"),
        client.post(f"{campaign}/retry-failed"),
        client.patch(sequence, json={"state": "active"}),
    ]
    assert [answer.status_code for answer in answers] == [409] * 7
    assert {answer.json()["type"].rpartition(":")[2] for answer in answers} == {"answers-not-heard"}
    assert "WHATSAPP_CHAT_STORAGE" in answers[0].json()["detail"]
    assert client.patch(sequence, json={"name": "Hello"}).status_code == 200
    assert client.patch(campaign, json={"name": "Hari Raya"}).status_code == 200
