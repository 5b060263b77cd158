"""Campaigns over the API: from an audience to its report."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from websockets.sync.client import connect

from tests.claimed import CLAIMED
from tests.integration.api.world import Tenant

URL = "/api/v1/campaigns"


def until(ask: Callable[[], Any], what: str) -> Any:
    """The first answer that is true."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if found := ask():
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within 60 s: {what}")


def leads(tenant: Tenant, count: int, device_no: int | None = None, first: int = 1) -> None:
    """People with numbers of their own."""
    tenant.world.sql(
        "INSERT INTO leads (tenant_id, phone, name, tags, device_no, zone)"
        " SELECT $1, '+60121' || lpad(n::text, 6, '0'), 'Lead ' || n, '{raya}', $4, 'Asia/Kuala_Lumpur'"
        " FROM generate_series($2::int4, $3::int4) n",
        tenant.id, first, first + count - 1, device_no,
    )  # fmt: skip


def made(tenant: Tenant, **more: Any) -> dict[str, Any]:
    """A draft."""
    body = {"name": "Raya", "audience": {"tags": [" RAYA "]}, "message": {"text": "Hi {name|friend}"}} | more
    answer = tenant.client().post(URL, json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def shown(tenant: Tenant, campaign: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = tenant.client("read").get(f"{URL}/{campaign['id']}").json()
    return found


def started(tenant: Tenant, **more: Any) -> dict[str, Any]:
    """One whose rows are put in."""
    campaign = made(tenant, **more)
    answer = tenant.client().post(f"{URL}/{campaign['id']}/start")
    assert answer.status_code == 200, answer.text
    until(lambda: shown(tenant, campaign)["state"] == "running", "running")
    return shown(tenant, campaign)


def test_what_the_preview_counts_is_what_is_put_in(tenant: Tenant) -> None:
    device = tenant.device()
    leads(tenant, 12, device.no)
    leads(tenant, 5, first=13)
    tenant.world.sql(
        "INSERT INTO suppressions (tenant_id, phone, reason, created_by)"
        " VALUES ($1, '+60121000003', 'replied STOP', 'lead')",
        tenant.id,
    )
    body = {"audience": {"tags": ["raya"]}, "pace": {"min_seconds": 10, "max_seconds": 30}}
    preview = tenant.client("read").post(f"{URL}/preview", json=body).json()
    assert (preview["recipients"], preview["without_device"], preview["is_partial"]) == (16, 5, False)
    assert preview["opted_out"] == 1
    [load] = preview["devices"]
    assert (load["device_id"], load["recipients"], load["holds"]) == (str(device.id), 16, None)
    assert preview["finishes_at"] == load["finishes_at"]
    campaign = started(tenant)
    assert campaign["planned"] == campaign["counts"]["total"] == campaign["counts"]["waiting"] == 16


def test_an_audience_nobody_can_be_reached_of_says_so(tenant: Tenant) -> None:
    leads(tenant, 3)
    preview = tenant.client().post(f"{URL}/preview", json={}).json()
    assert preview["finishes_at"] is None
    assert preview["devices"][0]["holds"] == "None of your devices is online"
    campaign = made(tenant, audience={"tags": ["others"]})
    answer = tenant.client().post(f"{URL}/{campaign['id']}/start")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:wafast:problem:empty-audience")


def test_an_audience_of_whom_all_have_opted_out_says_how_many_they_are(tenant: Tenant) -> None:
    leads(tenant, 3)
    tenant.world.sql(
        "INSERT INTO suppressions (tenant_id, phone, reason, created_by)"
        " SELECT tenant_id, phone, 'replied STOP', 'lead' FROM leads WHERE tenant_id = $1",
        tenant.id,
    )
    for audience, opted_out in (({"tags": ["raya"]}, 3), ({"is_suppressed": False}, 3), ({"search": "Lead 2"}, 1)):
        preview = tenant.client().post(f"{URL}/preview", json={"audience": audience}).json()
        assert (preview["recipients"], preview["opted_out"]) == (0, opted_out), audience
    nobody = tenant.client().post(f"{URL}/preview", json={"audience": {"tags": ["others"]}}).json()
    assert (nobody["recipients"], nobody["opted_out"]) == (0, 0)


def test_a_message_is_shown_as_one_person_gets_it(tenant: Tenant) -> None:
    leads(tenant, 2)
    rendered = tenant.client("read").post(
        f"{URL}/render", json={"text": "Hi {name|friend}, {shop}", "audience": {"tags": ["raya"]}}
    )
    assert rendered.json()["text"] == "Hi Lead 2, {shop}"
    assert len(rendered.json()["problems"]) == 1
    assert rendered.json()["doubts"] == [{"kind": "no_fallback", "values": {"field": "shop"}}]
    nobody = tenant.client("read").post(f"{URL}/render", json={"text": "Hi {name}", "audience": {"tags": ["x"]}}).json()
    assert (nobody["text"], nobody["lead_id"]) == ("Hi Aina", None)
    long = tenant.client("read").post(f"{URL}/render", json={"text": "{phone}" * 9_000}).json()
    assert "at most 65536" in long["problems"][-1]
    assert long["doubts"][-1]["kind"] == "message_long"


@pytest.mark.parametrize(("wanted", "is_told"), [("connected", True), ("disconnected", False)])
def test_when_it_is_done_is_told_of_devices_that_come_back_by_themselves(
    tenant: Tenant, wanted: str, is_told: bool
) -> None:
    device = tenant.device()
    leads(tenant, 2, device.no)
    tenant.world.sql("UPDATE devices SET state = 'offline', desired_state = $2 WHERE no = $1", device.no, wanted)
    preview = tenant.client("read").post(f"{URL}/preview", json={"audience": {"tags": ["raya"]}}).json()
    assert (preview["recipients"], preview["finishes_at"] is not None, preview["is_partial"]) == (
        2,
        is_told,
        not is_told,
    )


@pytest.mark.parametrize(("text", "why"), [("{shop|}", "no words are left"), ("{phone}" * 9_000, "at most 65536")])
def test_what_can_not_be_sent_to_a_person_is_not_tried_either(tenant: Tenant, text: str, why: str) -> None:
    tenant.device()
    campaign = made(tenant, message={"text": text})
    answer = tenant.client().post(f"{URL}/{campaign['id']}/test", json={"to": "0123456789"})
    assert answer.status_code == 409
    assert why in answer.json()["detail"]


def test_nothing_is_tried_for_a_person_who_is_not_there(tenant: Tenant, stranger: Tenant) -> None:
    tenant.device()
    campaign, foreign = made(tenant), stranger.lead()
    answer = tenant.client().post(f"{URL}/{campaign['id']}/test", json={"to": "0123456789", "lead_id": str(foreign)})
    assert (answer.status_code, answer.json()["detail"]) == (404, f"No such lead: {foreign}.")
    assert tenant.world.sql("SELECT count(*) FROM outbox WHERE tenant_id = $1", tenant.id) == 0


def test_who_answered_without_a_receipt_has_read_it_in_the_chart_as_in_the_buckets(tenant: Tenant) -> None:
    leads(tenant, 1, tenant.device().no)
    campaign = started(tenant)
    tenant.world.sql(f"{CLAIMED} WHERE tenant_id = $1", tenant.id)
    tenant.world.sql(
        "UPDATE outbox SET state = 'sent', message_id = 'ID', sent_at = now(), replied_at = now() WHERE tenant_id = $1",
        tenant.id,
    )
    report = tenant.client("read").get(f"{URL}/{campaign['id']}/report").json()
    assert {one["bucket"] for one in report["buckets"] if one["count"]} == {"replied"}
    [point] = report["times"]
    assert {what: point[what] for what in ("sent", "delivered", "read", "replied")} == dict.fromkeys(
        ("sent", "delivered", "read", "replied"), 1
    )


def test_from_the_draft_to_the_report(tenant: Tenant) -> None:
    device = tenant.device()
    leads(tenant, 6, device.no)
    leads(tenant, 1, device.no, first=7)
    tenant.world.sql("UPDATE leads SET name = '=1+1' WHERE tenant_id = $1 AND phone = '+60121000001'", tenant.id)
    campaign = started(tenant)
    states = ["sent", "delivered", "read", "failed", "unknown"]
    for number, end in enumerate(states, start=1):
        jid = f"6012100000{number}@s.whatsapp.net"
        tenant.world.sql(f"{CLAIMED} WHERE tenant_id = $1 AND to_jid = $2", tenant.id, jid)
        for state in ["sent", end] if end in ("delivered", "read") else [end]:
            tenant.world.sql(
                "UPDATE outbox SET state = $2, message_id = $3, sent_at = CASE WHEN $2 <> 'failed' THEN now() END,"
                " read_at = CASE WHEN $2 = 'read' THEN now() END, cause = CASE WHEN $2 = 'failed' THEN 'refused' END"
                " WHERE tenant_id = $1 AND to_jid = $4",
                tenant.id, state, f"ID{number}", jid,
            )  # fmt: skip
    report = tenant.client("read").get(f"{URL}/{campaign['id']}/report").json()
    buckets = {one["bucket"]: one["count"] for one in report["buckets"]}
    expected = dict.fromkeys(states, 1) | {"waiting": 2}
    assert {bucket: n for bucket, n in buckets.items() if n} == expected
    assert report["failed"] == [{"cause": "refused", "count": 1}]
    for part in ("devices", "days"):
        assert sum(one["total"] for one in report[part]) == report["total"] == sum(buckets.values()) == 7
    assert sum(point["sent"] for point in report["times"]) == 4
    people = tenant.client("read").get(f"{URL}/{campaign['id']}/recipients", params={"limit": "3"}).json()
    rest = tenant.client("read").get(f"{URL}/{campaign['id']}/recipients", params={"after": people["next"]}).json()
    assert [one["phone"] for one in people["items"] + rest["items"]] == [f"+6012100000{n}" for n in range(1, 8)]
    failed = tenant.client("read").get(f"{URL}/{campaign['id']}/recipients", params={"bucket": "failed"}).json()
    assert [one["phone"] for one in failed["items"]] == ["+60121000004"]
    file = tenant.client("read").get(f"{URL}/{campaign['id']}/report.csv")
    lines = list(csv.DictReader(io.StringIO(file.text)))
    assert [line["status"] for line in lines] == [*states, "waiting", "waiting"]
    assert lines[0]["name"] == "'=1+1", "no spreadsheet takes a name for a formula"
    retried = tenant.client().post(f"{URL}/{campaign['id']}/retry-failed").json()
    assert (retried["rows"], retried["campaign"]["counts"]["waiting"]) == (1, 3)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": " "}, "name"),
        ({"pace": {"min_seconds": 9, "max_seconds": 5}}, "pace.max_seconds"),
        ({"pace": {"opens": "09:00:00"}}, "pace.closes"),
        ({"pace": {"opens": "09:00:00+08:00", "closes": "18:00:00"}}, "pace.opens"),
        ({"schedule": {"date": "2099-01-01", "time": "09:00:00", "zone": "Asia/Nowhere"}}, "schedule.zone"),
        ({"expires_at": "2099-01-01T00:00:00"}, "expires_at"),
        ({"expires_at": "2020-01-01T00:00:00+00:00"}, "expires_at"),
        ({"message": {"type": "image", "text": "x"}}, "message.media_id"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_can_not_be_is_named_with_the_way_out(tenant: Tenant, body: dict[str, Any], field: str) -> None:
    answer = tenant.client().post(URL, json={"name": "Raya", "message": {"text": "Hi"}} | body)
    assert answer.status_code == 400, answer.text
    assert [one["field"] for one in answer.json()["errors"]] == [field]


def test_an_audience_of_a_device_that_is_not_there_is_refused_by_name(tenant: Tenant, stranger: Tenant) -> None:
    client, own, foreign = tenant.client(), tenant.device(), stranger.device()
    wanted = {"device_ids": [str(own.id), str(foreign.id)]}
    draft = made(tenant, audience={"device_ids": [str(own.id)]})
    sequence = client.post("/api/v1/sequences", json={"name": "Welcome"}).json()["id"]
    asked = [
        client.post(URL, json={"name": "Raya", "audience": wanted, "message": {"text": "Hi"}}),
        client.patch(f"{URL}/{draft['id']}", json={"audience": wanted}),
        client.post(f"{URL}/preview", json={"audience": wanted}),
        client.post(f"{URL}/render", json={"text": "Hi", "audience": wanted}),
        client.post("/api/v1/segments", json={"name": "Ours", "filter": wanted}),
        client.post("/api/v1/distributions", json={"filter": wanted}),
        client.post("/api/v1/leads/bulk", json={"action": "delete", "filter": wanted}),
        client.post(f"/api/v1/sequences/{sequence}/enrolments", json={"filter": wanted}),
    ]
    for answer in asked:
        assert (answer.status_code, answer.json().get("detail")) == (404, f"No such device: {foreign.id}."), answer.url
    assert client.get("/api/v1/leads", params={"filter": json.dumps(wanted)}).status_code == 200


def test_who_waits_says_why_and_a_campaign_that_stands_still_says_so(tenant: Tenant) -> None:
    device = tenant.device()
    leads(tenant, 3, device.no)
    campaign = started(tenant)
    path = f"{URL}/{campaign['id']}"
    assert campaign["standstill"] is None
    reader = tenant.client("read")
    waiting = reader.get(f"{path}/recipients", params={"bucket": "waiting"}).json()["items"]
    assert sorted(one["held_by"]["text"] for one in waiting)[:2] == ["1 wait before it.", "2 wait before it."]
    tenant.world.sql("UPDATE devices SET state = 'offline' WHERE no = $1", device.no)
    waiting = reader.get(f"{path}/recipients").json()["items"]
    assert {(one["held_by"]["rule"], one["held_by"]["until"]) for one in waiting} == {("device_offline", None)}
    [listed] = reader.get(URL).json()["items"]
    for found in (shown(tenant, campaign), listed, reader.get(f"{path}/report").json()["campaign"]):
        assert (found["standstill"]["offline"], found["standstill"]["has_pool"]) == (1, False)
    cancelled = tenant.client().post(f"{path}/cancel").json()
    assert cancelled["standstill"] is None
    assert {one["held_by"] for one in reader.get(f"{path}/recipients").json()["items"]} == {None}


def test_a_file_goes_with_the_message_and_with_its_copy(tenant: Tenant, stranger: Tenant) -> None:
    files = {"file": ("prices.pdf", b"%PDF-1.4 prices")}
    upload = tenant.client().post("/api/v1/media", files=files, data={"type": "document"}).json()
    message = {"type": "document", "text": "Hi {name}", "media_id": upload["media_id"], "file_name": "prices.pdf"}
    leads(tenant, 1, tenant.device().no)
    campaign = started(tenant, message=message)
    assert campaign["message"] == message | {"media_url": upload["media_url"]}
    copy = tenant.client().post(f"{URL}/{campaign['id']}/clone", json={"name": "Again"}).json()
    assert (copy["name"], copy["state"], copy["message"]) == ("Again", "draft", campaign["message"])
    wrong = tenant.client().post(URL, json={"name": "Raya", "message": message | {"type": "image"}})
    assert wrong.status_code == 400, "a document is no picture"
    foreign = stranger.client().post(URL, json={"name": "Raya", "message": message})
    assert foreign.status_code == 404


def test_a_draft_keeps_when_it_is_meant_and_does_not_begin_by_it(tenant: Tenant) -> None:
    over = {"date": "2001-01-01", "time": "09:00:00", "zone": "Asia/Kuala_Lumpur"}
    campaign = made(tenant, schedule=over, draft=True)
    assert (campaign["state"], campaign["schedule"], campaign["starts_at"]) == ("draft", over, None)
    address = f"{URL}/{campaign['id']}"
    coming = over | {"date": "2099-01-01"}
    changed = tenant.client().patch(address, json={"schedule": coming, "draft": True}).json()
    assert (changed["state"], changed["schedule"], changed["starts_at"]) == ("draft", coming, None)
    renamed = tenant.client().patch(address, json={"name": "Hari Raya"}).json()
    assert (renamed["state"], renamed["schedule"]) == ("draft", coming)
    assert tenant.client().post(f"{address}/schedule", json=coming).json()["state"] == "scheduled"
    back = tenant.client().patch(address, json={"draft": True}).json()
    assert (back["state"], back["schedule"], back["starts_at"]) == ("draft", coming, None)
    leads(tenant, 1)
    running = started(tenant)
    assert tenant.client().patch(f"{URL}/{running['id']}", json={"draft": True}).status_code == 409


def test_a_schedule_can_be_set_changed_and_taken_back(tenant: Tenant) -> None:
    leads(tenant, 1)
    wanted = {"date": "2099-03-01", "time": "09:30:00", "zone": "Asia/Kuala_Lumpur"}
    campaign = made(tenant, schedule=wanted)
    assert (campaign["state"], campaign["starts_at"], campaign["schedule"]) == (
        "scheduled", "2099-03-01T01:30:00Z", wanted,
    )  # fmt: skip
    span = {"from": "2099-03-01T00:00:00+08:00", "to": "2099-04-01T00:00:00+08:00"}
    month = tenant.client("read").get(f"{URL}/calendar", params=span).json()
    assert [one["id"] for one in month] == [campaign["id"]]
    draft = tenant.client().patch(f"{URL}/{campaign['id']}", json={"schedule": None}).json()
    assert (draft["state"], draft["schedule"], draft["starts_at"]) == ("draft", None, None)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"message": {"text": " "}}, "no-words"),
        ({"expires_at": "2099-02-01T00:00:00Z"}, "not-possible"),
        ({"name": "Hari Raya", "schedule": {"date": "2001-01-01", "time": "09:00:00", "zone": "UTC"}}, "not-possible"),
    ],
    ids=["no words", "an end before the beginning", "a beginning that is over"],
)
def test_a_change_of_a_scheduled_campaign_is_checked_whole(tenant: Tenant, change: dict[str, Any], kind: str) -> None:
    campaign = made(tenant, schedule={"date": "2099-03-01", "time": "09:30:00", "zone": "Asia/Kuala_Lumpur"})
    answer = tenant.client().patch(f"{URL}/{campaign['id']}", json=change)
    assert (answer.status_code, answer.json()["type"]) == (409, f"urn:wafast:problem:{kind}")
    assert shown(tenant, campaign) == campaign, "nothing of it is stored"


def test_two_changes_at_the_same_instant_both_hold(tenant: Tenant) -> None:
    campaign = made(tenant)
    waiting = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%FROM campaigns%'"
    )
    changes = [{"name": "Hari Raya"}, {"pace": {"min_seconds": 40, "max_seconds": 60}}]
    with ThreadPoolExecutor(2) as threads:
        with tenant.world.holding("SELECT FROM campaigns WHERE id = $1 FOR UPDATE", int(campaign["id"])):
            answers = [
                threads.submit(tenant.client().patch, f"{URL}/{campaign['id']}", json=change) for change in changes
            ]
            until(lambda: tenant.world.sql(waiting) == 2, "both wait")
        assert [answer.result().status_code for answer in answers] == [200, 200]
    after = shown(tenant, campaign)
    assert (after["name"], after["pace"]["min_seconds"]) == ("Hari Raya", 40)


def test_a_test_does_not_go_to_who_wants_no_more(tenant: Tenant) -> None:
    tenant.device()
    campaign, phone = made(tenant), tenant.suppression()
    answer = tenant.client().post(f"{URL}/{campaign['id']}/test", json={"to": phone})
    assert (answer.status_code, "wants no more" in answer.json()["detail"]) == (409, True)
    assert tenant.world.sql("SELECT count(*) FROM outbox WHERE tenant_id = $1", tenant.id) == 0


def test_a_key_that_comes_twice_makes_one_campaign(tenant: Tenant) -> None:
    headers = {"Idempotency-Key": f"raya-{tenant.id}"}
    first = tenant.client().post(URL, json={"name": "Raya"}, headers=headers).json()
    assert tenant.client().post(URL, json={"name": "Raya"}, headers=headers).json() == first
    assert len(tenant.client().get(URL).json()["items"]) == 1


def test_who_is_limited_to_devices_reads_and_decides_nothing(tenant: Tenant) -> None:
    campaign = made(tenant)
    limited = tenant.client("admin", [tenant.device().id])
    assert limited.get(f"{URL}/{campaign['id']}").status_code == 200
    for action in ("start", "pause", "cancel"):
        assert limited.post(f"{URL}/{campaign['id']}/{action}").status_code == 403


def test_who_is_limited_to_devices_reads_only_the_people_he_reaches(tenant: Tenant) -> None:
    mine, other = tenant.device(), tenant.device()
    foreign = tenant.lead(other, phone="+60121000003", name="Foreign", tags=["raya"])
    own = tenant.lead(mine, phone="+60121000001", name="Own", tags=["raya"])
    nobodys = tenant.lead(phone="+60121000002", name="Nobodys", tags=["raya"])
    limited = tenant.client("read", [mine.id])
    for lead_id, status in ((own, 200), (nobodys, 200), (foreign, 404)):
        answer = limited.post(f"{URL}/render", json={"text": "{name}", "lead_id": str(lead_id)})
        assert answer.status_code == status, answer.text
    searched = {"text": "{name}", "audience": {"search": "Foreign"}}
    assert limited.post(f"{URL}/render", json=searched).json()["lead_id"] is None
    assert tenant.client("read").post(f"{URL}/render", json=searched).json()["text"] == "Foreign"
    campaign = started(tenant)
    people = limited.get(f"{URL}/{campaign['id']}/recipients").json()["items"]
    assert [one["name"] for one in people] == ["Own", "Nobodys"]
    file = csv.DictReader(io.StringIO(limited.get(f"{URL}/{campaign['id']}/report.csv").text))
    assert [line["name"] for line in file] == ["Own", "Nobodys"]
    everybody = tenant.client("read").get(f"{URL}/{campaign['id']}/recipients").json()["items"]
    assert [one["name"] for one in everybody] == ["Own", "Nobodys", "Foreign"]


def test_everybody_sees_live_how_it_goes(tenant: Tenant) -> None:
    device = tenant.device()
    leads(tenant, 2, device.no)
    campaign = made(tenant)
    address = tenant.world.url.replace("http", "ws") + "/ws"
    headers = {"Authorization": f"Bearer {tenant.key('read')}"}
    with connect(address, additional_headers=headers, max_size=None, proxy=None) as socket:

        def until_state(state: str) -> dict[str, Any]:
            while True:
                frame = json.loads(socket.recv(timeout=30))
                if frame["code"] == "CAMPAIGN_UPDATE" and frame["result"]["state"] == state:
                    found: dict[str, Any] = frame["result"]
                    return found

        tenant.client().post(f"{URL}/{campaign['id']}/start")
        assert until_state("running") == shown(tenant, campaign)
        cancelled = "UPDATE outbox SET state = 'cancelled' WHERE tenant_id = $1 AND source_id IS NOT NULL"
        tenant.world.sql(cancelled, tenant.id)
        tenant.world.publish({"k": "outbox", "t": tenant.id, "d": device.no, "o": []})
        assert until_state("finished")["counts"]["cancelled"] == 2


def test_a_preview_counts_whom_the_caller_reaches_and_folds_the_devices_of_others(tenant: Tenant) -> None:
    mine, foreign = tenant.device(), tenant.device(name="Secret line")
    leads(tenant, 3, mine.no)
    leads(tenant, 4, foreign.no, first=11)
    limited = tenant.client("read", [mine.id])
    preview = limited.post(f"{URL}/preview", json={"audience": {"tags": ["raya"]}}).json()
    assert [(load["device_id"], load["recipients"]) for load in preview["devices"]] == [(str(mine.id), 3)]
    assert limited.post(f"{URL}/preview", json={"audience": {"search": "Lead 12"}}).json()["recipients"] == 0
    chosen = limited.post(f"{URL}/preview", json={"device_ids": [str(foreign.id)]})
    assert chosen.status_code == 404
    campaign = started(tenant)
    for of, parts in (("estimate", "recipients"), ("report", "total")):
        shown = limited.get(f"{URL}/{campaign['id']}/{of}").json()["devices"]
        named = [(one["device_id"], one["device_name"], one[parts]) for one in shown]
        assert named == [(str(mine.id), "Sales", 3), (None, "Other devices", 4)]
