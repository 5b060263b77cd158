"""How far a message got, and by whom."""

from __future__ import annotations

import time

from tests.claimed import CLAIMED
from tests.integration.api.world import Tenant

NOW = int(time.time())
GROUP = "120363000000000001@g.us"


def test_a_message_in_a_group_names_its_readers(tenant: Tenant) -> None:
    device = tenant.device()
    group = tenant.chat(device, jid=GROUP, name="Family")
    tenant.chat(device, jid="60111111111@s.whatsapp.net", name="Ali")
    key = tenant.message(group, "Dinner?", at=NOW - 60, from_me=True)
    tenant.world.sql(
        "INSERT INTO lid_numbers (tenant_id, device_no, lid, number) VALUES ($1, $2, 777, 60111111111) RETURNING 1",
        tenant.id, device.no,
    )  # fmt: skip
    for person, delivered, read in (
        (777 << 3 | 1, NOW - 50, None),
        (60111111111 << 3, None, NOW - 20),
        (999 << 3 | 1, NOW - 40, None),
    ):
        tenant.world.sql(
            "INSERT INTO receipts (chat_id, key, person, tenant_id, delivered_at, read_at)"
            " VALUES ($1, $2, $3, $4, to_timestamp($5::int8), to_timestamp($6::int8)) RETURNING 1",
            group.id, key, person, tenant.id, delivered, read,
        )  # fmt: skip
    answer = tenant.client("read").get(f"/api/v1/messages/{group.id}-{key}/receipts").json()
    people = [
        (one["name"], one["phone"], one["delivered_at"] is not None, one["read_at"] is not None)
        for one in answer["people"]
    ]
    assert people == [(None, None, True, False), ("Ali", "+60111111111", True, True)]
    assert answer["is_group"] is True
    assert answer["delivered_at"] < answer["read_at"]


def test_a_message_between_two_has_the_times_of_its_send(tenant: Tenant) -> None:
    device = tenant.device()
    chat = tenant.chat(device)
    key = tenant.message(chat, "Hi", from_me=True, message_id="OUT1")
    row = tenant.outbox(device)
    tenant.world.sql(f"{CLAIMED} WHERE id = $1", row)
    tenant.world.sql("UPDATE outbox SET state = 'sent', message_id = 'OUT1' WHERE id = $1", row)
    tenant.world.sql("UPDATE outbox SET state = 'read', delivered_at = now(), read_at = now() WHERE id = $1", row)
    answer = tenant.client("read").get(f"/api/v1/messages/{chat.id}-{key}/receipts").json()
    assert (answer["people"], answer["is_group"]) == ([], False)
    assert answer["delivered_at"] and answer["read_at"]


def test_somebody_elses_message_has_none(tenant: Tenant) -> None:
    chat = tenant.chat(tenant.device())
    key = tenant.message(chat, "Hi")
    assert tenant.client("read").get(f"/api/v1/messages/{chat.id}-{key}/receipts").status_code == 404
