"""Leads without a device go to devices as was shown, and come back."""

from __future__ import annotations

import time
from typing import Any

import httpx

from tests.integration.api.world import Tenant


def _until(client: httpx.Client, path: str, state: str) -> Any:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = client.get(path).json()
        if found["state"] == state:
            return found
        time.sleep(0.05)
    raise AssertionError(f"never {state}: {found}")


def test_leads_go_where_the_preview_said_and_back_again(tenant: Tenant) -> None:
    admin = tenant.client("admin")
    sales, support = tenant.device(name="Sales"), tenant.device(name="Support")
    leads = [tenant.lead() for _ in range(4)]
    tenant.lead(sales)
    preview = admin.post("/api/v1/distributions/preview", json={"device_ids": [str(sales.id), str(support.id)]}).json()
    assert (preview["people"], preview["left"], preview["left_reason"]) == (4, 0, None)
    assert {share["name"]: share["planned"] for share in preview["shares"]} == {"Sales": 2, "Support": 2}
    made = admin.post("/api/v1/distributions", json={"device_ids": [str(sales.id), str(support.id)]})
    assert made.status_code == 201, made.text
    path = f"/api/v1/distributions/{made.json()['id']}"
    done = _until(admin, path, "done")
    assert {share["name"]: share["given"] for share in done["shares"]} == {"Sales": 2, "Support": 2}
    [decision] = admin.get(f"/api/v1/leads/{leads[0]}/decisions").json()["items"]
    assert decision["code"] == "room"
    assert decision["reason"].startswith(f"{decision['device_name']} got its share: 800 of 800 sends left today")
    assert admin.get("/api/v1/distributions").json()["items"][0]["id"] == done["id"]
    assert admin.post(f"{path}/undo").status_code == 202
    _until(admin, path, "undone")
    assert tenant.world.sql("SELECT count(*) FROM leads WHERE tenant_id = $1 AND device_no IS NULL", tenant.id) == 4
    assert admin.post(f"{path}/undo").status_code == 409


def test_a_device_of_another_workspace_is_none(tenant: Tenant, stranger: Tenant) -> None:
    answer = tenant.client().post("/api/v1/distributions", json={"device_ids": [str(stranger.device().id)]})
    assert answer.status_code == 404


def test_nobody_online_is_said(tenant: Tenant) -> None:
    tenant.lead()
    preview = tenant.client().post("/api/v1/distributions/preview", json={}).json()
    assert (preview["shares"], preview["left"]) == ([], 1)
    assert preview["left_reason"] == "None of your devices is online"


def test_the_same_request_twice_is_one_distribution(tenant: Tenant) -> None:
    tenant.device()
    headers = {"Idempotency-Key": "one"}
    first, second = (
        tenant.client().post("/api/v1/distributions", json={}, headers=headers).json()["id"] for _ in range(2)
    )
    assert first == second
