"""Sequences over the API: steps and enrolments as a person edits them, and what is refused."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.integration.api.world import Tenant

SEQUENCES = "/api/v1/sequences"


def _step(text: str, delay_seconds: int = 0, **more: Any) -> dict[str, Any]:
    return {"delay_seconds": delay_seconds, "message": {"text": text}} | more


def _made(tenant: Tenant, **more: Any) -> dict[str, Any]:
    wanted = {"name": "Welcome", "steps": [_step("Hi {name|there}"), _step("Still there?", 86_400)]} | more
    answer = tenant.client().post(SEQUENCES, json=wanted)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def _wait_for_steps(tenant: Tenant, sequence_id: str) -> None:
    deadline = time.monotonic() + 120
    without = "SELECT EXISTS (SELECT FROM enrolments WHERE sequence_id = $1 AND ended_at IS NULL AND outbox_id IS NULL)"
    while tenant.world.sql(without, int(sequence_id)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _lead(tenant: Tenant, phone: str = "+60123456789", name: str = "Farid", device_no: int | None = None) -> str:
    found = tenant.world.sql(
        "INSERT INTO leads (tenant_id, phone, name, zone, device_no) VALUES ($1, $2, $3, 'Asia/Kuala_Lumpur', $4)"
        " RETURNING id",
        tenant.id, phone, name, device_no,
    )  # fmt: skip
    return str(found)


def test_it_is_made_changed_and_deleted(tenant: Tenant, stranger: Tenant) -> None:
    client = tenant.client()
    made = _made(tenant, trigger="  New ")
    assert (made["state"], made["trigger"], made["step_count"]) == ("paused", "new", 2)
    assert [(one["position"], one["message"]["text"]) for one in made["steps"]] == [
        (1, "Hi {name|there}"), (2, "Still there?"),
    ]  # fmt: skip
    path = f"{SEQUENCES}/{made['id']}"
    other = _made(tenant, name="Second", steps=[])
    changed = client.patch(path, json={"state": "active", "next_sequence_id": other["id"], "trigger": None}).json()
    assert (changed["state"], changed["next_sequence_name"], changed["trigger"]) == ("active", "Second", None)
    assert client.get(path).json() == changed
    listed = tenant.client("read").get(SEQUENCES).json()["items"]
    assert [one["name"] for one in listed] == ["Second", "Welcome"]
    assert stranger.client().get(SEQUENCES).json()["items"] == []
    assert client.delete(f"{SEQUENCES}/{other['id']}").status_code == 204
    assert client.get(path).json()["next_sequence_id"] is None
    assert client.delete(path).status_code == 204
    assert [client.get(path).status_code, client.delete(path).status_code] == [404, 404]


def test_steps_are_inserted_moved_changed_and_deleted(tenant: Tenant) -> None:
    client, made = tenant.client(), _made(tenant)
    path = f"{SEQUENCES}/{made['id']}/steps"
    pace = {"min_seconds": 5, "max_seconds": 9, "opens": "22:00:00", "closes": "06:30:00", "days": ["mon", "sun"]}
    added = client.post(path, json=_step("{{Hi|Hey", 60, position=2, pace=pace, expires_seconds=90))
    assert added.status_code == 201, added.text
    step = added.json()["steps"][1]
    assert (step["pace"], step["delay_seconds"], step["expires_seconds"]) == (pace, 60, 90)
    assert step["warnings"], "what is likely not meant so is told"
    moved = client.patch(f"{path}/{step['id']}", json={"position": 1, "message": {"text": "First"}}).json()["steps"]
    assert [one["message"]["text"] for one in moved] == ["First", "Hi {name|there}", "Still there?"]
    assert (moved[0]["pace"], moved[0]["delay_seconds"], moved[0]["expires_seconds"]) == (pace, 60, 90)
    endless = client.patch(f"{path}/{step['id']}", json={"expires_seconds": None}).json()["steps"]
    assert endless[0]["expires_seconds"] is None
    assert client.delete(f"{path}/{step['id']}").status_code == 204
    assert client.delete(f"{path}/{step['id']}").status_code == 404
    assert [one["position"] for one in client.get(f"{SEQUENCES}/{made['id']}").json()["steps"]] == [1, 2]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x", "trigger": " "}, "trigger"),
        ({"name": "x", "steps": [_step(" ")]}, "steps[0].message.text"),
        (
            {"name": "x", "steps": [{"delay_seconds": 0, "message": {"type": "image", "text": "x"}}]},
            "steps[0].message.media_id",
        ),
        ({"name": "x", "steps": [_step("x", pace={"min_seconds": 9, "max_seconds": 5})]}, "steps[0].pace.max_seconds"),
        ({"name": "x", "steps": [_step("x", pace={"opens": "09:00:00"})]}, "steps[0].pace.closes"),
        ({"name": "x", "steps": [_step("x", expires_seconds=0)]}, "steps[0].expires_seconds"),
    ],
    ids=lambda value: None,
)
def test_what_can_not_be_made(tenant: Tenant, body: dict[str, Any], field: str) -> None:
    answer = tenant.client().post(SEQUENCES, json=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"][0]["field"] == field


def test_a_sequence_follows_no_foreign_one_and_not_itself(tenant: Tenant, stranger: Tenant) -> None:
    made, foreign = _made(tenant), _made(stranger)
    assert tenant.client().post(SEQUENCES, json={"name": "x", "next_sequence_id": foreign["id"]}).status_code == 404
    path = f"{SEQUENCES}/{made['id']}"
    assert tenant.client().patch(path, json={"next_sequence_id": foreign["id"]}).status_code == 404
    assert tenant.client().patch(path, json={"next_sequence_id": made["id"]}).status_code == 400


def test_leads_enter_wait_and_are_paused_skipped_and_stopped(tenant: Tenant) -> None:
    client, made = tenant.client(), _made(tenant)
    path = f"{SEQUENCES}/{made['id']}/enrolments"
    leads = [_lead(tenant, f"+6012345678{number}", f"Lead {number}") for number in range(3)]
    assert client.post(path, json={"lead_ids": leads[:2]}).json() == {"enrolled": 2, "skipped": [], "intake": None}
    assert client.post(path, json={"filter": {"search": "lead"}}).json()["enrolled"] == 1
    assert client.post(path, json={"filter": {"tag": "x"}}).status_code == 400
    assert client.post(path, json={}).status_code == 400
    first = client.get(path, params={"limit": "2"}).json()
    rest = client.get(path, params={"limit": "2", "after": first["next"]}).json()
    shown = first["items"] + rest["items"]
    assert [(one["lead_name"], one["state"]) for one in shown] == [(f"Lead {n}", "active") for n in (2, 1, 0)]
    one = f"{path}/{shown[0]['id']}"
    assert client.patch(one, json={"state": "paused"}).json()["state"] == "paused"
    assert [found["id"] for found in client.get(path, params={"state": "paused"}).json()["items"]] == [shown[0]["id"]]
    assert client.patch(one, json={"state": "active"}).json()["state"] == "active"
    _wait_for_steps(tenant, made["id"])
    skipped = client.post(f"{one}/skip", headers={"Idempotency-Key": "skip"})
    assert (skipped.status_code, skipped.json()["id"]) == (200, shown[0]["id"])
    assert client.post(f"{one}/skip", headers={"Idempotency-Key": "skip"}).json() == skipped.json()
    logged = "SELECT count(*) FROM audit_log WHERE tenant_id = $1 AND action = 'enrolment.skip'"
    assert tenant.world.sql(logged, tenant.id) == 1
    stopped = client.patch(one, json={"state": "stopped"}).json()
    assert (stopped["state"], stopped["reason"]) == ("stopped", "by_person")
    assert client.patch(one, json={"state": "active"}).status_code == 409
    assert client.post(f"{one}/skip").status_code == 409
    counts = client.get(f"{SEQUENCES}/{made['id']}").json()["enrolments"]
    assert counts == {"active": 2, "paused": 0, "completed": 0, "stopped": 1}
    assert [found["phone"] for found in client.get(path, params={"search": "6780"}).json()["items"]] == ["+60123456780"]


def test_leads_that_enter_by_a_filter_are_followed_and_stopped(tenant: Tenant) -> None:
    client, made = tenant.client(), _made(tenant)
    path = f"{SEQUENCES}/{made['id']}"
    lead = _lead(tenant)
    intake = client.post(f"{path}/enrolments", json={"filter": {}}).json()["intake"]
    one = f"{path}/intakes/{intake['id']}"
    assert [intake[name] for name in ("state", "leads", "looked", "entered")] == ["done", 1, 1, 1]
    assert (client.get(f"{path}/intakes").json()["items"], client.get(one).json()) == ([intake], intake)
    assert (client.post(f"{one}/cancel").status_code, client.get(path).json()["intakes"]) == (409, [])
    goes_on = "UPDATE intakes SET state = 'running', ended_at = NULL, last_id = $1 WHERE sequence_id = $2"
    with tenant.world.holding("SELECT FROM leads WHERE id = $1 FOR UPDATE", int(lead)):
        tenant.world.sql(goes_on, 2**62, int(made["id"]))
        [shown] = client.get(path).json()["intakes"]
        stopped = client.post(f"{one}/cancel")
    assert (shown["state"], stopped.status_code, stopped.json()["state"]) == ("running", 200, "cancelled")
    logged = "SELECT count(*) FROM audit_log WHERE tenant_id = $1 AND action = 'enrolment.cancel'"
    assert tenant.world.sql(logged, tenant.id) == 1


def test_who_does_not_enter_is_told_with_the_reason(tenant: Tenant, stranger: Tenant) -> None:
    client, made = tenant.client(), _made(tenant)
    path = f"{SEQUENCES}/{made['id']}/enrolments"
    new, inside, was, stops = (_lead(tenant, f"+6012345678{number}") for number in range(4))
    assert client.post(path, json={"lead_ids": [inside, was]}).json()["enrolled"] == 2
    [gone] = [one["id"] for one in client.get(path).json()["items"] if one["lead_id"] == was]
    client.patch(f"{path}/{gone}", json={"state": "stopped"})
    client.post("/api/v1/suppressions", json={"phone": "+60123456783"})
    foreign = _lead(stranger)
    answer = client.post(path, json={"lead_ids": [new, inside, was, stops, foreign, "x", new]}).json()
    assert answer["enrolled"] == 1
    assert {one["lead_id"]: one["reason"] for one in answer["skipped"]} == {
        inside: "in_it", was: "was_in_it", stops: "opted_out", foreign: "not_found", "x": "not_found",
    }  # fmt: skip
    assert all(one["detail"] for one in answer["skipped"])
    assert client.post(path, json={"lead_ids": [was], "again": True}).json()["enrolled"] == 1


def test_who_waits_for_no_step_skips_none(tenant: Tenant) -> None:
    client, made = tenant.client(), _made(tenant, steps=[])
    path = f"{SEQUENCES}/{made['id']}/enrolments"
    client.post(path, json={"lead_ids": [_lead(tenant)]})
    [one] = client.get(path).json()["items"]
    early = client.post(f"{path}/{one['id']}/skip")
    assert (early.status_code, early.json()["type"]) == (409, "urn:wafast:problem:enrolment-not-begun")


def test_who_reaches_some_devices_sees_their_leads_and_those_of_nobody(tenant: Tenant) -> None:
    made, ours, others = _made(tenant), tenant.device(), tenant.device()
    path = f"{SEQUENCES}/{made['id']}/enrolments"
    leads = [_lead(tenant, f"+6012345678{n}", str(n), no) for n, no in enumerate((ours.no, others.no, None))]
    tenant.client().post(path, json={"lead_ids": leads})
    limited = tenant.client("admin", [ours.id])
    assert [one["lead_name"] for one in limited.get(path).json()["items"]] == ["2", "0"]
    assert limited.post(path, json={"lead_ids": leads}).status_code == 403
    assert limited.patch(f"{SEQUENCES}/{made['id']}", json={"name": "Mine"}).status_code == 403


def test_the_report_sums_up_and_keeps_what_deleted_steps_sent(tenant: Tenant) -> None:
    client, made = tenant.client(), _made(tenant)
    sources = f"SELECT source_id FROM sequence_steps WHERE sequence_id = {made['id']} AND place = $1"
    device, lead = tenant.device(), int(_lead(tenant))
    states = [("sent", None), ("failed", "not_on_whatsapp"), ("queued", None)]
    for number, (state, cause) in enumerate(states):
        tenant.world.sql(
            "INSERT INTO outbox (tenant_id, device_no, source_id, lane_id, lead_id, enrolment_id, to_jid, kind,"
            " priority, state, cause, message_id, sent_at, created_by)"
            " VALUES ($1, $2, $3, 1, $4, $5, 'x', 'text', 'paced', $6, $7, $8, $9, 'test')",
            tenant.id, device.no, tenant.world.sql(sources, 1 if number else 2), lead, 900 + number, state, cause,
            f"M{number}" if state == "sent" else None, None if state != "sent" else tenant.world.sql("SELECT now()"),
        )  # fmt: skip
    client.delete(f"{SEQUENCES}/{made['id']}/steps/{made['steps'][1]['id']}")
    told = client.get(f"{SEQUENCES}/{made['id']}/report").json()
    assert {name: n for name, n in told["total"].items() if n} == {"total": 3, "sent": 1, "failed": 1, "waiting": 1}
    assert [(one["position"], one["counts"]["total"], one["failed_by_cause"]) for one in told["steps"]] == [
        (1, 2, {"not_on_whatsapp": 1}), (None, 1, {}),
    ]  # fmt: skip
    assert [(one["step_id"], one["sent"]) for one in told["days"]] == [(made["steps"][1]["id"], 1)]
    file = client.get(f"{SEQUENCES}/{made['id']}/report.csv")
    assert file.headers["content-type"].startswith("text/csv")
    lines = file.content.decode("utf-8-sig").splitlines()
    assert (lines[0][:20], lines[2][:20]) == ("step,text,total,wait", "deleted,Still there?")
