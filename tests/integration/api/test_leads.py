"""Leads: one by one, by filters, and many at once."""

from __future__ import annotations

import codecs
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import asyncpg
import httpx
import pytest

from tests.integration.api.world import Device, Tenant, World

LEADS = "/api/v1/leads"


def _add(client: httpx.Client, phone: str, **more: Any) -> dict[str, Any]:
    answer = client.post(LEADS, json={"phone": phone, **more})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def _found(client: httpx.Client, wanted: dict[str, Any]) -> list[str]:
    answer = client.get(LEADS, params={"filter": json.dumps(wanted)})
    assert answer.status_code == 200, answer.text
    names = [lead["name"] for lead in answer.json()["items"]]
    count = client.get(f"{LEADS}/count", params={"filter": json.dumps(wanted)}).json()["count"]
    assert count == len(names)
    return names


def test_a_lead_is_its_number_however_it_is_written(tenant: Tenant, stranger: Tenant) -> None:
    client = tenant.client("send")
    lead = _add(client, "012-345 6789", name=" Siti ", tags=["VIP", " kl", "vip "], fields={"city": "Ipoh"})
    assert (lead["phone"], lead["name"], lead["tags"]) == ("+60123456789", "Siti", ["vip", "kl"])
    assert (lead["zone"], lead["target_status"], lead["device_id"]) == ("Asia/Kuala_Lumpur", "prospect", None)
    again = client.post(LEADS, json={"phone": "+60 12 345 6789"})
    assert again.status_code == 409
    assert lead["id"] in again.json()["detail"]
    assert _add(stranger.client("send"), "0123456789")["id"] != lead["id"]
    assert client.get(f"{LEADS}/terms").json() == {"tags": ["kl", "vip"], "fields": ["city"]}


def test_nobody_waits_for_the_end_of_an_import_that_holds_the_number(tenant: Tenant, world: World) -> None:
    async def importing() -> asyncpg.Connection:
        connection = await asyncpg.connect(world.uri)
        await connection.transaction().start()
        added = "INSERT INTO leads (tenant_id, phone, zone) VALUES ($1, '+60123456789', 'UTC')"
        await connection.execute(added, tenant.id)
        return connection

    client = tenant.client("send")
    importer = world.background.run(importing())
    answer = client.post(LEADS, json={"phone": "0123456789"})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:wafast:problem:busy")
    assert answer.headers["Retry-After"] == "2"
    _add(client, "0123456780")
    world.background.run(importer.close())
    _add(client, "0123456789")


def test_a_number_that_is_taken_out_of_reach_says_no_more_than_that(tenant: Tenant) -> None:
    mine, other = tenant.device(), tenant.device()
    foreign = tenant.lead(other, phone="+60123456789")
    answer = tenant.client("send", [mine.id]).post(LEADS, json={"phone": "0123456789"})
    assert answer.status_code == 409
    assert f"lead {foreign}" not in answer.json()["detail"]
    assert f"lead {foreign}" in tenant.client("send").post(LEADS, json={"phone": "0123456789"}).json()["detail"]


def test_what_is_left_out_of_a_change_stays(tenant: Tenant) -> None:
    client, device = tenant.client("send"), tenant.device()
    lead = _add(client, "0123456789", name="Siti", tags=["kl"], fields={"city": "Ipoh"})
    address = f"{LEADS}/{lead['id']}"
    changed = client.patch(address, json={"device_id": str(device.id), "target_status": "customer"}).json()
    assert (changed["name"], changed["tags"], changed["fields"]) == ("Siti", ["kl"], {"city": "Ipoh"})
    assert (changed["device_id"], changed["target_status"]) == (str(device.id), "customer")
    changed = client.patch(address, json={"device_id": None, "phone": "+6591234567", "tags": []}).json()
    assert (changed["device_id"], changed["phone"], changed["zone"]) == (None, "+6591234567", "Asia/Singapore")
    assert changed["tags"] == []
    _add(client, "0123456789")
    assert client.patch(address, json={"phone": "0123456789"}).status_code == 409
    assert client.patch(address, json={"phone": "12"}).status_code == 400
    assert client.delete(address).status_code == 204
    assert client.get(address).status_code == 404


def test_digits_are_a_number_s_beginning_or_end_or_a_word(tenant: Tenant) -> None:
    client = tenant.client("send")
    _add(client, "0198765012", name="Shop, Lot 0123")
    _add(client, "0123456789", name="Siti")
    for search, names in {
        "0123": ["Siti", "Shop, Lot 0123"],
        "012": ["Siti", "Shop, Lot 0123"],
        "0123-45": ["Siti"],
        "5012": ["Shop, Lot 0123"],
        "06789": [],
        "012\u00a0345": ["Siti"],
        "0060 12-345": ["Siti"],
    }.items():
        assert _found(client, {"search": search}) == names, search
    made = client.post("/api/v1/segments", json={"name": "Some", "filter": {"search": "012-3"}})
    assert made.status_code == 201
    assert made.json()["filter"] == {"search": "012-3"}, "as it was typed"


def test_filters_mean_what_they_say(tenant: Tenant, world: World) -> None:
    client, device = tenant.client("send"), tenant.device()
    _add(client, "0123456781", name="Ahmad bin Ali", tags=["KL", "vip"], device_id=str(device.id))
    _add(client, "0123456782", name="Siti Hassan", tags=["kl"], target_status="customer", fields={"city": "Ipoh"})
    _add(client, "0198765432", name="Lim Mei Ling", tags=["penang"])
    world.sql("UPDATE leads SET replied_at = now() WHERE tenant_id = $1 AND name = 'Lim Mei Ling'", tenant.id)
    assert client.post("/api/v1/suppressions", json={"phone": "0198765432"}).status_code == 201
    ahmad, siti, mei = "Ahmad bin Ali", "Siti Hassan", "Lim Mei Ling"
    expected: list[tuple[dict[str, Any], list[str]]] = [
        ({}, [mei, siti, ahmad]),
        ({"tags": [" KL"]}, [siti, ahmad]),
        ({"tags": ["kl", "vip"]}, [ahmad]),
        ({"tags": ["k"]}, []),
        ({"any_tags": ["vip", "penang"]}, [mei, ahmad]),
        ({"no_tags": ["vip"]}, [mei, siti]),
        ({"target_status": "customer"}, [siti]),
        ({"device_ids": [str(device.id)]}, [ahmad]),
        ({"device_ids": []}, []),
        ({"has_device": False}, [mei, siti]),
        ({"search": "mei"}, [mei]),
        ({"search": "hass SIT"}, [siti]),
        ({"search": "assan"}, []),
        ({"search": "012-345"}, [siti, ahmad]),
        ({"search": "6019"}, [mei]),
        ({"search": "5432"}, [mei]),
        ({"search": " "}, [mei, siti, ahmad]),
        ({"search": "' : & | !"}, []),
        ({"search": "²"}, []),
        ({"search": "it's:*"}, []),
        ({"fields": {"city": "Ipoh"}}, [siti]),
        ({"replied": True}, [mei]),
        ({"quiet_days": 1}, [siti, ahmad]),
        ({"is_suppressed": True}, [mei]),
        ({"is_suppressed": False}, [siti, ahmad]),
        ({"created_after": "2020-01-01T00:00:00Z", "created_before": "2021-01-01T00:00:00Z"}, []),
        ({"tags": ["kl"], "search": "ahm", "has_device": True}, [ahmad]),
    ]
    for wanted, names in expected:
        assert _found(client, wanted) == names, wanted
    page = client.get(LEADS, params={"search": "ahm", "tag": "VIP"}).json()
    assert [lead["name"] for lead in page["items"]] == [ahmad]
    first = client.get(LEADS, params={"limit": 2}).json()
    rest = client.get(LEADS, params={"limit": 2, "after": first["next"]}).json()
    assert [lead["name"] for lead in first["items"] + rest["items"]] == [mei, siti, ahmad]
    assert rest["next"] is None


@pytest.mark.parametrize(
    "text",
    ["[]", "{", '{"tag": ["kl"]}', '{"tags": "kl"}', '{"tags": [" "]}', '{"created_after": "2020-01-01T00:00:00"}'],
)
def test_a_filter_that_is_none_says_what_is_wrong(tenant: Tenant, text: str) -> None:
    answer = tenant.client("read").get(LEADS, params={"filter": text})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "filter"


def test_a_blank_tag_is_nobodys_and_not_everybodys(tenant: Tenant) -> None:
    lead, client = tenant.lead(), tenant.client("send")
    answer = client.post(f"{LEADS}/bulk", json={"action": "delete", "filter": {"tags": ["\u00a0"]}})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "filter.tags[0]")
    assert client.get(LEADS, params={"tag": " "}).json()["errors"][0]["field"] == "tag"
    assert client.get(f"{LEADS}/{lead}").status_code == 200


def test_who_reaches_some_devices_sees_their_leads_and_those_of_none(tenant: Tenant) -> None:
    mine, other = tenant.device(), tenant.device()
    of_mine, of_other, of_none = tenant.lead(mine), tenant.lead(other, name="Foreign"), tenant.lead()
    limited = tenant.client("send", [mine.id])
    items = limited.get(LEADS).json()["items"]
    assert [lead["id"] for lead in items] == [str(of_none), str(of_mine)]
    assert limited.get(f"{LEADS}/count").json() == {"count": 2}
    assert limited.get(f"{LEADS}/{of_other}").status_code == 404
    assert limited.post(LEADS, json={"phone": "0123456799", "device_id": str(other.id)}).status_code == 404
    bulk = {"action": "add_tags", "tags": ["x"], "lead_ids": [str(of_other), str(of_mine)]}
    assert limited.post(f"{LEADS}/bulk", json=bulk).json()["changed"] == 1
    assert "Foreign" not in limited.get(f"{LEADS}/export.csv").text
    assert limited.get(f"{LEADS}/export.csv").text.count("\n") == 3


@pytest.mark.parametrize(
    ("action", "value"),
    [
        ("add_tags", {"tags": ["VIP", "new"]}),
        ("remove_tags", {"tags": ["kl", "vip"]}),
        ("set_status", {"target_status": "customer"}),
        ("set_device", {"device_id": None}),
    ],
)
def test_a_change_of_many_is_taken_back_by_what_it_gives(tenant: Tenant, action: str, value: dict[str, Any]) -> None:
    client, device = tenant.client("send"), tenant.device()
    tenant.lead(device, tags=["kl", "vip"])
    tenant.lead(tags=["kl"])
    tenant.lead(device, tags=[])

    def now() -> list[tuple[str, list[str], str, str | None]]:
        items = client.get(LEADS).json()["items"]
        return [(one["id"], sorted(one["tags"]), one["target_status"], one["device_id"]) for one in items]

    before = now()
    answer = client.post(f"{LEADS}/bulk", json={"action": action, "filter": {}, **value})
    assert answer.status_code == 200, answer.text
    done = answer.json()
    assert now() != before
    assert done["changed"] + done["unchanged"] == 3
    for undo in done["undo"]:
        assert client.post(f"{LEADS}/bulk", json=undo).status_code == 200
    assert now() == before


@pytest.mark.parametrize(
    ("action", "value"),
    [("add_tags", {"tags": ["vip"]}), ("set_status", {"target_status": "customer"}), ("delete", {})],
)
def test_leads_that_are_not_there_are_named_by_a_change_of_many(
    tenant: Tenant, stranger: Tenant, action: str, value: dict[str, Any]
) -> None:
    mine, foreign = str(tenant.lead()), str(stranger.lead())
    body = {"action": action, "lead_ids": [mine, foreign, "x", "999999999", "x"], **value}
    done = tenant.client().post(f"{LEADS}/bulk", json=body).json()
    assert (done["changed"], done["unchanged"]) == (1, 0)
    assert [(one["lead_id"], one["reason"]) for one in done["skipped"]] == [
        (foreign, "not_found"), ("x", "not_found"), ("999999999", "not_found"),
    ]  # fmt: skip


def test_who_would_have_too_many_tags_is_named(tenant: Tenant) -> None:
    full, other = (str(tenant.lead(tags=[f"t{number}" for number in range(count)])) for count in (100, 1))
    body = {"action": "add_tags", "tags": ["one", "t0"], "lead_ids": [full, other]}
    done = tenant.client().post(f"{LEADS}/bulk", json=body).json()
    assert (done["changed"], done["unchanged"]) == (1, 0)
    assert [(one["lead_id"], one["reason"]) for one in done["skipped"]] == [(full, "too_many_tags")]
    again = tenant.client().post(f"{LEADS}/bulk", json={**body, "tags": ["t0"]}).json()
    assert (again["changed"], again["unchanged"], again["skipped"]) == (0, 2, [])


def test_what_waits_for_a_deleted_lead_is_cancelled(tenant: Tenant, world: World) -> None:
    lead = tenant.lead()
    row = tenant.outbox(tenant.device())
    world.sql("UPDATE outbox SET lead_id = $2 WHERE id = $1", row, lead)
    admin = tenant.client("admin")
    body = {"action": "delete", "lead_ids": [str(lead), "x", "999999999"]}
    assert tenant.client("send").post(f"{LEADS}/bulk", json=body).status_code == 403
    done = admin.post(f"{LEADS}/bulk", json=body).json()
    assert (done["changed"], done["unchanged"], done["undo"], done["next"]) == (1, 0, [], None)
    assert [one["lead_id"] for one in done["skipped"]] == ["x", "999999999"]
    assert world.sql("SELECT state || ' ' || cause FROM outbox WHERE id = $1", row) == "cancelled lead_gone"


def test_two_leads_of_one_person_become_one(tenant: Tenant, world: World) -> None:
    client = tenant.client("send")
    kept = _add(client, "0123456781", tags=["kl"], fields={"city": "Ipoh"})
    gone = _add(client, "0123456782", name="Siti", tags=["vip", "kl"], fields={"city": "KL", "age": "40"})
    client.post(f"{LEADS}/{gone['id']}/notes", json={"text": "Wants the red one"})
    client.post("/api/v1/suppressions", json={"phone": gone["phone"]})
    row = tenant.outbox(tenant.device())
    world.sql("UPDATE outbox SET lead_id = $2 WHERE id = $1", row, int(gone["id"]))
    assert client.post(f"{LEADS}/{kept['id']}/merge", json={"lead_id": kept["id"]}).status_code == 400
    answer = client.post(f"{LEADS}/{kept['id']}/merge", json={"lead_id": gone["id"]})
    assert answer.status_code == 200, answer.text
    one = answer.json()
    assert (one["phone"], one["name"], one["tags"]) == (kept["phone"], "Siti", ["kl", "vip"])
    assert (one["fields"], one["is_suppressed"]) == ({"city": "Ipoh", "age": "40"}, True)
    notes = client.get(f"{LEADS}/{kept['id']}/notes").json()["items"]
    assert [note["text"] for note in notes] == ["Was also +60123456782, Siti", "Wants the red one"]
    (send,) = client.get(f"{LEADS}/{kept['id']}/sends").json()["items"]
    assert (send["id"], send["state"]) == (str(row), "cancelled")
    assert send["cause"] in ("merged", "opted_out"), "whoever comes first: the merge, or who follows the list"
    assert client.get(f"{LEADS}/{gone['id']}").status_code == 404


@pytest.mark.parametrize("what", ["tags", "fields"])
def test_two_leads_with_more_than_one_can_have_stay_two(tenant: Tenant, what: str) -> None:
    def some(letter: str, count: int) -> Any:
        names = [f"{letter}{n}" for n in range(count)]
        return names if what == "tags" else dict.fromkeys(names, "x")

    client = tenant.client("send")
    kept = _add(client, "0123456781", **{what: some("a", 60)})
    gone = _add(client, "0123456782", **{what: some("b", 42)})
    answer = client.post(f"{LEADS}/{kept['id']}/merge", json={"lead_id": gone["id"]})
    assert answer.status_code == 409
    told = f"Together they have 102 {what}, and a lead has at most 100: take 2 off them first."
    assert (answer.json()["type"], answer.json()["detail"]) == (f"urn:wafast:problem:too-many-{what}", told)
    assert len(client.get(f"{LEADS}/{gone['id']}").json()[what]) == 42
    client.patch(f"{LEADS}/{gone['id']}", json={what: some("b", 40)})
    assert client.post(f"{LEADS}/{kept['id']}/merge", json={"lead_id": gone["id"]}).status_code == 200
    assert len(client.get(f"{LEADS}/{kept['id']}").json()[what]) == 100


def test_a_number_that_became_part_of_a_lead_is_no_lead_of_its_own(tenant: Tenant, world: World) -> None:
    client, device = tenant.client("send"), tenant.device()
    kept, gone = _add(client, "0123456781"), _add(client, "0123456782")
    assert client.post(f"{LEADS}/{kept['id']}/merge", json={"lead_id": gone["id"]}).status_code == 200
    other = _add(client, "0123456783")
    for answer in (
        client.post(LEADS, json={"phone": "0123456782"}),
        client.patch(f"{LEADS}/{other['id']}", json={"phone": "0123456782"}),
    ):
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:wafast:problem:phone-taken")
        assert f"another number of lead {kept['id']} (+60123456781)" in answer.json()["detail"]
    tenant.message(tenant.chat(device, jid="60123456782@s.whatsapp.net"))
    chats = client.post(f"{LEADS}/import-chats", json={"device_id": str(device.id)}).json()
    assert chats == {"new": 0, "known": 1}
    assert client.patch(f"{LEADS}/{kept['id']}", json={"phone": "0123456782"}).json()["phone"] == gone["phone"]
    assert _add(client, "0123456781")["id"] != kept["id"], "what it was called before is free"


def test_what_waits_for_a_lead_goes_to_the_number_it_has_now(tenant: Tenant, world: World) -> None:
    client = tenant.client("send")
    lead = _add(client, "0123456791")
    device = tenant.device()
    source = world.sql("INSERT INTO sources (tenant_id, kind) VALUES ($1, 'text') RETURNING id", tenant.id)
    lane = world.sql(
        "INSERT INTO lanes (tenant_id, source_id, device_no, zone, is_live) VALUES ($1, $2, $3, 'Asia/Kuala_Lumpur',"
        " false) RETURNING id", tenant.id, source, device.no,
    )  # fmt: skip
    row = tenant.outbox(device)
    world.sql(
        "UPDATE outbox SET lead_id = $2, source_id = $3, lane_id = $4, priority = 'paced',"
        " to_jid = '60123456791@s.whatsapp.net' WHERE id = $1", row, int(lead["id"]), source, lane,
    )  # fmt: skip
    assert client.patch(f"{LEADS}/{lead['id']}", json={"phone": "0123456792"}).status_code == 200
    assert world.sql("SELECT to_jid FROM outbox WHERE id = $1", row) == "60123456792@s.whatsapp.net"
    assert world.sql("SELECT phone FROM former_leads WHERE tenant_id = $1", tenant.id) == "+60123456791"


def test_who_wants_nothing_more_wants_nothing_at_the_number_it_gets_either(tenant: Tenant) -> None:
    admin = tenant.client("admin")
    lead = _add(admin, "0123456791")
    address, listed = f"{LEADS}/{lead['id']}", "/api/v1/suppressions"
    assert admin.post(listed, json={"phone": lead["phone"], "reason": "replied STOP"}).status_code == 201
    assert admin.patch(address, json={"name": "Siti"}).json()["is_suppressed"] is True
    assert admin.patch(address, json={"phone": "0123456792"}).json()["is_suppressed"] is True
    kept = {one["phone"]: one["reason"] for one in admin.get(listed).json()["items"]}
    assert kept == {"+60123456791": "replied STOP", "+60123456792": "replied STOP"}
    assert admin.post(f"{address}/merge", json={"lead_id": _add(admin, "0123456795")["id"]}).status_code == 200
    assert "+60123456795" in {one["phone"] for one in admin.get(listed).json()["items"]}, "nor at one it had elsewhere"
    assert admin.delete(f"{listed}/+60123456792").status_code == 204
    assert admin.get(address).json()["is_suppressed"] is False, "a person has said otherwise"
    assert admin.patch(address, json={"phone": "0123456793"}).json()["is_suppressed"] is False


def test_segments_keep_a_filter_by_name(tenant: Tenant, stranger: Tenant) -> None:
    client = tenant.client("send")
    made = client.post(
        "/api/v1/segments", json={"name": " Quiet ", "filter": {"tags": [" KL"], "quiet_days": 60}}
    ).json()
    assert (made["name"], made["filter"]) == ("Quiet", {"tags": ["kl"], "quiet_days": 60})
    assert client.post("/api/v1/segments", json={"name": "quiet", "filter": {}}).status_code == 409
    changed = client.patch(f"/api/v1/segments/{made['id']}", json={"filter": {"replied": True}}).json()
    assert (changed["name"], changed["filter"]) == ("Quiet", {"replied": True})
    assert stranger.client("read").get("/api/v1/segments").json()["items"] == []
    assert client.delete(f"/api/v1/segments/{made['id']}").status_code == 204
    assert client.get("/api/v1/segments").json()["items"] == []


def test_leads_come_out_as_they_went_in_and_no_cell_is_a_formula(tenant: Tenant, world: World) -> None:
    client = tenant.client("send")
    _add(client, "0123456781", name='=HYPERLINK("x")', tags=["kl", "welcome"], fields={"city": "-1"})
    _add(client, "0123456782", name="Lim, Mei", target_status="customer")
    world.sql(
        "INSERT INTO sequences (tenant_id, name, trigger, created_by) VALUES ($1, 'W', 'welcome', 'x')", tenant.id
    )
    answer = client.get(f"{LEADS}/export.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.text == (
        "name,phone,niche,target_status,trigger\r\n"
        '"Lim, Mei",+60123456782,,customer,\r\n'
        '"\'=HYPERLINK(""x"")",+60123456781,kl,prospect,welcome\r\n'
    )
    own = client.get(f"{LEADS}/export.csv", params={"fields": "true", "search": "hyper"}).text
    assert own.splitlines() == [
        "name,phone,niche,target_status,trigger,city",
        '"\'=HYPERLINK(""x"")",+60123456781,kl,prospect,welcome,\'-1',
    ]


def test_a_file_for_excel_is_marked_as_utf_8_and_otherwise_the_same(tenant: Tenant) -> None:
    client = tenant.client("admin")
    _add(client, "0123456781", name="陈大文")
    campaign = client.post("/api/v1/campaigns", json={"name": "Raya", "message": {"text": "Hi"}}).json()
    addresses = (
        f"{LEADS}/export.csv",
        "/api/v1/suppressions/export.csv",
        f"/api/v1/campaigns/{campaign['id']}/report.csv",
    )
    for address in addresses:
        plain, marked = client.get(address), client.get(address, params={"excel": "true"})
        assert (marked.status_code, marked.content) == (200, codecs.BOM_UTF8 + plain.content)


def test_the_persons_of_a_devices_chats_become_its_leads(tenant: Tenant, world: World) -> None:
    device, client = tenant.device(), tenant.client("send")
    world.sql(
        "INSERT INTO number_checks (tenant_id, network, phone, jid)"
        " SELECT tenant_id, network, '+5511912345678', '551112345678@s.whatsapp.net' FROM devices WHERE no = $1",
        device.no,
    )
    tenant.message(tenant.chat(device, name="Ana", jid="551112345678@s.whatsapp.net"))
    ana = _add(client, "+5511912345678", name="Ana Souza")
    for jid, name in (("60123456781", "Farid"), ("60123456782", "+60123456782"), ("60123456783", "Mei")):
        tenant.message(tenant.chat(device, name=name, jid=f"{jid}@s.whatsapp.net"))
    tenant.message(tenant.chat(device, name="Family", jid="120363@g.us"))
    tenant.message(tenant.chat(device, name="Hidden", jid="77777777777@lid"))
    tenant.chat(device, name="Nothing said", jid="60123456789@s.whatsapp.net")
    _add(client, "0123456783", name="Mei Ling")
    answer = client.post(f"{LEADS}/import-chats", json={"device_id": str(device.id)})
    assert answer.json() == {"new": 2, "known": 2}, answer.text
    items = {lead["phone"]: (lead["name"], lead["device_id"]) for lead in client.get(LEADS).json()["items"]}
    assert items == {
        "+60123456781": ("Farid", str(device.id)),
        "+60123456782": ("", str(device.id)),
        "+60123456783": ("Mei Ling", None),
        "+5511912345678": ("Ana Souza", None),
    }
    assert client.post(f"{LEADS}/import-chats", json={"device_id": str(device.id)}).json() == {"new": 0, "known": 4}
    added = "INSERT INTO leads (tenant_id, phone, zone) VALUES ($1, '+551112345678', 'America/Sao_Paulo')"
    world.sql(added, tenant.id)
    same = client.get(f"{LEADS}/{ana['id']}/same-person").json()
    assert ([lead["phone"] for lead in same["items"]], same["next"]) == (["+551112345678"], None)


def test_who_wants_nothing_more_is_a_list(tenant: Tenant, stranger: Tenant) -> None:
    admin, lead = tenant.client("admin"), tenant.lead()
    phone = admin.get(f"{LEADS}/{lead}").json()["phone"]
    added = admin.post("/api/v1/suppressions", json={"phone": phone, "reason": "asked on the phone"}).json()
    assert (added["phone"], added["lead_id"], added["name"]) == (phone, str(lead), "Siti")
    assert admin.get(f"{LEADS}/{lead}").json()["is_suppressed"] is True
    answer = admin.post("/api/v1/suppressions", json={"phone": phone})
    assert answer.status_code == 200, "nothing was made"
    again = answer.json()
    assert again["reason"] == "asked on the phone"
    for number in range(3):
        admin.post("/api/v1/suppressions", json={"phone": f"+6591234{number:03}"})
    seen: list[str] = []
    after = None
    while True:
        page = admin.get("/api/v1/suppressions", params={"limit": 2} | ({"after": after} if after else {})).json()
        seen += [one["phone"] for one in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert seen == ["+6591234002", "+6591234001", "+6591234000", phone]
    assert [one["phone"] for one in admin.get("/api/v1/suppressions", params={"search": "017"}).json()["items"]] == [
        phone
    ]
    assert (
        admin.get("/api/v1/suppressions/export.csv")
        .text.splitlines()[-1]
        .startswith(f"{phone},asked on the phone,key:")
    )
    assert stranger.client("read").get("/api/v1/suppressions").json()["items"] == []
    assert tenant.client("send").delete(f"/api/v1/suppressions/{phone}").status_code == 403
    assert admin.delete(f"/api/v1/suppressions/{phone}").status_code == 204
    assert admin.get(f"{LEADS}/{lead}").json()["is_suppressed"] is False


def test_the_words_that_opt_out_are_kept_as_they_compare(tenant: Tenant) -> None:
    admin = tenant.client("admin")
    assert admin.get("/api/v1/opt-out").json()["words"] == ["stop", "berhenti", "unsubscribe"]
    changed = admin.patch("/api/v1/opt-out", json={"words": [" STOP", "Tak Nak", "stop"], "answer": " Bye "}).json()
    assert changed == {"words": ["stop", "tak nak"], "answer": "Bye"}
    assert admin.patch("/api/v1/opt-out", json={"words": [" "]}).status_code == 400
    assert admin.patch("/api/v1/opt-out", json={"words": []}).status_code == 400


@pytest.mark.parametrize(
    ("table", "path"),
    [("leads", f"{LEADS}/export.csv"), ("suppressions", "/api/v1/suppressions/export.csv")],
    ids=["leads", "suppressions"],
)
def test_a_file_that_can_not_be_had_is_refused_and_not_begun(
    tenant: Tenant, world: World, table: str, path: str
) -> None:
    async def hold() -> asyncpg.Connection:
        connection = await asyncpg.connect(world.uri)
        await connection.transaction().start()
        await connection.execute(f"LOCK TABLE {table}")
        return connection

    holding = world.background.run(hold())
    try:
        answer = tenant.client("admin").get(path)
    finally:
        world.background.run(holding.close())
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:wafast:problem:busy")
    whole = tenant.client("admin").get(path)
    assert (whole.status_code, len(whole.text.splitlines())) == (200, 1)


def test_what_is_deleted_while_a_request_names_it_is_no_fault_of_the_server(tenant: Tenant, world: World) -> None:
    async def delete(device: Device) -> asyncpg.Connection:
        connection = await asyncpg.connect(world.uri)
        await connection.execute("BEGIN")
        await connection.execute("DELETE FROM devices WHERE no = $1", device.no)
        return connection

    waits = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'wafast api' AND wait_event_type = 'Lock'"
    )
    client, told = tenant.client("send"), "urn:wafast:problem:busy"
    deadline = time.monotonic() + 120
    while told == "urn:wafast:problem:busy":  # on a machine that takes two seconds for what is between
        assert time.monotonic() < deadline
        device = tenant.device()
        deleting = world.background.run(delete(device))
        with ThreadPoolExecutor(1) as threads:
            wanted = {"phone": "0123456781", "device_id": str(device.id)}
            answer = threads.submit(client.post, LEADS, json=wanted)
            while not (world.sql(waits) or answer.done()):
                assert time.monotonic() < deadline
            world.background.run(deleting.execute("COMMIT"))
            world.background.run(deleting.close())
            told = answer.result().json()["type"]
    assert (answer.result().status_code, told) == (409, "urn:wafast:problem:gone")


def test_who_waits_in_a_circle_with_another_may_try_again(tenant: Tenant, world: World) -> None:
    admin = tenant.client("admin")
    made = [admin.post(LEADS, json={"phone": f"+6019900000{number}"}).json()["id"] for number in range(2)]
    first, second = (int(one) for one in made)
    row = "SELECT FROM leads WHERE id = $1 FOR UPDATE"

    async def hold() -> asyncpg.Connection:
        connection = await asyncpg.connect(world.uri)
        await connection.execute("SET deadlock_timeout = '1h'")  # the request is who finds it out
        await connection.execute("BEGIN")
        await connection.execute(row, second)
        return connection

    holding = world.background.run(hold())
    with ThreadPoolExecutor(1) as threads:
        change = {"action": "set_status", "lead_ids": made, "target_status": "customer"}
        answer = threads.submit(admin.post, f"{LEADS}/bulk", json=change)
        held = f"SELECT count(*) FROM (SELECT FROM leads WHERE id = {first} FOR UPDATE SKIP LOCKED) free"
        while world.sql(held) and not answer.done():
            pass
        world.background.run(holding.execute(row, first))
        world.background.run(holding.close())
    assert (answer.result().status_code, answer.result().json()["type"]) == (409, "urn:wafast:problem:busy")
    assert [admin.get(f"{LEADS}/{one}").json()["target_status"] for one in made] == ["prospect", "prospect"]
