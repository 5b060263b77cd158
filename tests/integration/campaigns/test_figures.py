"""What the metrics tell of the outbox is what is in it."""

from __future__ import annotations

from typing import get_args

from tests.integration.campaigns.office import Office
from wafast.api.metrics import q as metrics
from wafast.outbox import rows as outbox


async def test_what_waits_is_told_as_it_is_without_counting_it(office: Office) -> None:
    device, other = await office.device(), await office.device()
    await office.leads(20, device)
    await office.leads(10, other, first=21)
    await office.leads(5, first=31)
    await office.started()
    for priority in get_args(outbox.Priority):
        send = outbox.Send(
            device_id=device.id, to_jid="60199@s.whatsapp.net", kind="text", body="Hi", priority=priority
        )
        await outbox.enqueue(office.pool, office.tenant_id, send, created_by="user:1")
    claims = await office.claim()
    assert len(claims) == 2
    await office.end(claims[0])
    counted = await office.pool.fetch(
        "SELECT o.state, count(*) AS n FROM outbox o WHERE device_no IS NOT NULL AND state IN ('queued', 'sending')"
        " GROUP BY o.state"
    )
    told = await office.pool.fetch(metrics.figures)
    shown = {row["state"]: row["count"] for row in told if row["name"] == "wafast_outbox_open"}
    assert shown == {row["state"]: row["n"] for row in counted}
