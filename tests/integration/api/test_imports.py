"""Files of leads: looked at, checked, taken in once, whatever happens meanwhile."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable
from typing import Any

import asyncpg
import httpx
import pytest

from tests.integration.api.world import Tenant, World
from tests.workbook import open_document, workbook

LEADS = "/api/v1/leads"
ENDS = ("ready", "checked", "done", "failed", "cancelled")


def _upload(tenant: Tenant, content: bytes | str, name: str = "leads.csv", **options: Any) -> dict[str, Any]:
    data = {"options": json.dumps(options)} if options else None
    raw = content.encode() if isinstance(content, str) else content
    answer = tenant.client("admin").post(f"{LEADS}/import", files={"file": (name, raw)}, data=data)
    assert answer.status_code == 201, answer.text
    return _settled(tenant, answer.json()["id"])


def _settled(tenant: Tenant, import_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        found: dict[str, Any] = tenant.client("admin").get(f"{LEADS}/imports/{import_id}").json()
        if found["state"] in ENDS and not (found["options"]["start"] and found["state"] == "ready"):
            return found
        time.sleep(0.1)
    raise AssertionError(f"the import is {found['state']} after 90 seconds")


def _until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _go(tenant: Tenant, found: dict[str, Any], action: str, **body: Any) -> dict[str, Any]:
    answer = tenant.client("admin").post(f"{LEADS}/imports/{found['id']}/{action}", json=body)
    assert answer.status_code == 200, answer.text
    return _settled(tenant, found["id"])


def _counts(**told: int) -> dict[str, int]:
    """An import's, of which all others are 0."""
    return dict.fromkeys(("new", "changed", "unchanged", "doubles", "errors", "joined", "crowded"), 0) | told


def _problems(client: httpx.Client, found: dict[str, Any]) -> list[str]:
    return client.get(f"{LEADS}/imports/{found['id']}/problems.csv").text.splitlines()[1:]


def test_a_file_is_looked_at_checked_and_taken_in(tenant: Tenant, stranger: Tenant) -> None:
    admin, device = tenant.client("admin"), tenant.device(name="Sales")
    admin.post(LEADS, json={"phone": "0123456781", "name": "Ahmad", "tags": ["old"]})
    admin.post(LEADS, json={"phone": "0123456785", "name": "Same", "tags": ["kl"]})
    text = (
        "Full name,Phone No.,Tags,Status,Line,City\n"
        'Ahmad bin Ali,012-345 6781,"KL, vip",customer,sales,Ipoh\n'
        "Siti,0123456782,penang,,,\n"
        "Siti again,+60 12 345 6782,,,,\n"
        "\n"
        "Nobody,12,,,,\n"
        "Lim,0123456783,,boss,,\n"
        "Mei,0123456784,,,Nowhere,\n"
        "Same,0123456785,kl,,,\n"
    )
    found = _upload(tenant, text)
    assert found["state"] == "ready"
    assert found["mapping"] == ["name", "phone", "niche", "target_status", "device", "field:city"]
    assert found["shape"]["columns"][1]["examples"][0] == "012-345 6781"
    checked = _go(tenant, found, "check", options={"tags": ["Expo"]})
    counts = _counts(new=1, changed=2, doubles=1, errors=3)
    assert (checked["state"], checked["counts"], checked["rows"]) == ("checked", counts, 7)
    assert admin.get(f"{LEADS}/count").json() == {"count": 2}, "looking changes nothing"
    problems = [
        "4,+60123456782,the same number as in row 3,number_twice",
        "6,12,\"'12' is not a phone number; write it with its country code, as +60 12-345 6789\",no_number",
        "7,boss,\"a status is prospect or customer, not 'boss'\",status_unknown",
        "8,Nowhere,\"there is no device 'Nowhere'; its name, number or id is wanted\",device_unknown",
    ]
    assert _problems(admin, checked) == problems
    address, told, after = f"{LEADS}/imports/{checked['id']}/problems", list[str](), ""
    causes: list[tuple[str, dict[str, str]]] = []
    while True:
        page = admin.get(f"{address}?limit=1{after}").json()
        told += [f"{one['row']} {one['reason']}" for one in page["items"]]
        causes += [(cause["kind"], cause["values"]) for one in page["items"] for cause in one["causes"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert told == [f"{row} {reason}" for row, _, reason, _ in csv.reader(problems)]
    assert causes == [("number_twice", {"row": "3"}), ("no_number", {}), ("status_unknown", {}), ("device_unknown", {})]
    done = _go(tenant, checked, "start")
    assert (done["state"], done["counts"], _problems(admin, done)) == ("done", counts, problems)
    leads = {lead["phone"]: lead for lead in admin.get(LEADS).json()["items"]}
    ahmad = leads["+60123456781"]
    assert (ahmad["name"], ahmad["tags"]) == ("Ahmad bin Ali", ["old", "kl", "vip", "expo"])
    assert (ahmad["target_status"], ahmad["device_id"]) == ("customer", str(device.id))
    assert ahmad["fields"] == {"city": "Ipoh"}
    assert leads["+60123456782"]["tags"] == ["penang", "expo"]
    assert len(leads) == 3
    assert "expo" in admin.get(f"{LEADS}/terms").json()["tags"]
    assert stranger.client("admin").get(LEADS).json()["items"] == []

    again = _upload(tenant, text, start=True, tags=["expo"])
    assert (again["state"], again["counts"]["new"], again["counts"]["changed"]) == ("done", 0, 0)
    refused = admin.post(f"{LEADS}/imports/{done['id']}/start", json={})
    assert refused.status_code == 409


def test_tags_for_all_rows_of_a_file_that_starts_by_itself_are_stored_as_others(tenant: Tenant) -> None:
    admin = tenant.client("admin")
    done = _upload(tenant, 'phone,niche\n0123456781,\n0123456782,"\'+VIP, kl"\n', start=True, tags=["Expo 2026", " "])
    assert done["options"]["tags"] == ["expo 2026"]
    leads = {lead["phone"]: lead["tags"] for lead in admin.get(LEADS).json()["items"]}
    assert leads == {"+60123456781": ["expo 2026"], "+60123456782": ["+vip", "kl", "expo 2026"]}


def test_a_name_of_two_devices_says_nothing_and_a_number_is_one_device_s(tenant: Tenant, world: World) -> None:
    admin = tenant.client("admin")
    first, second = tenant.device(name="Sales"), tenant.device(name="SALES")
    phone = world.sql("SELECT phone FROM devices WHERE no = $1", first.no)
    third = tenant.device(name=phone)
    text = f"phone,device\n0123456781,sales\n0123456782,{phone}\n0123456783,{second.id}\n0123456784,{third.id}\n"
    done = _upload(tenant, text, start=True)
    [problem] = admin.get(f"{LEADS}/imports/{done['id']}/problems").json()["items"]
    assert problem["causes"] == [{"kind": "device_unclear", "values": {"n": "2"}}]
    leads = {lead["phone"]: lead["device_id"] for lead in admin.get(LEADS).json()["items"]}
    assert leads == {
        "+60123456782": str(first.id),
        "+60123456783": str(second.id),
        "+60123456784": str(third.id),
    }


def test_a_number_that_became_part_of_a_lead_counts_as_that_lead(tenant: Tenant, world: World) -> None:
    admin, device = tenant.client("admin"), tenant.device()
    kept, gone = (admin.post(LEADS, json={"phone": f"012345678{n}", "name": "Siti"}).json() for n in (1, 2))
    assert admin.post(f"{LEADS}/{kept['id']}/merge", json={"lead_id": gone["id"]}).status_code == 200
    ana = admin.post(LEADS, json={"phone": "+5511912345678"}).json()
    world.sql(
        "INSERT INTO number_checks (tenant_id, network, phone, jid)"
        " SELECT tenant_id, network, '+5511912345678', '551112345678@s.whatsapp.net' FROM devices WHERE no = $1",
        device.no,
    )
    text = (
        "phone,name,niche\n0123456782,Siti Hassan,kl\n0123456781,,vip\n0123456782,,\n+551112345678,Ana,\n0123456783,,\n"
    )
    checked = _go(tenant, _upload(tenant, text), "check")
    assert checked["counts"] == _counts(new=1, changed=2, doubles=2, joined=2)
    done = _go(tenant, checked, "start")
    assert (done["state"], done["counts"]) == ("done", checked["counts"])
    assert _problems(admin, done) == [
        "2,+60123456782,another number of the lead +60123456781: it counts as that one,other_number",
        "3,+60123456781,the same person as in row 2,person_twice",
        "4,+60123456782,the same number as in row 2,number_twice",
        "5,+551112345678,another number of the lead +5511912345678: it counts as that one,other_number",
    ]
    leads = {one["phone"]: (one["id"], one["name"], one["tags"]) for one in admin.get(LEADS).json()["items"]}
    assert leads.pop("+60123456783")[1:] == ("", [])
    assert leads == {
        "+60123456781": (kept["id"], "Siti Hassan", ["kl"]),
        "+5511912345678": (ana["id"], "Ana", []),
    }


def test_tags_for_which_a_known_lead_has_no_room_are_told(tenant: Tenant) -> None:
    admin = tenant.client("admin")
    for number in (1, 2):
        admin.post(LEADS, json={"phone": f"012345678{number}", "tags": [f"t{n:02}" for n in range(99)]})
    kept, gone = (admin.post(LEADS, json={"phone": f"012345678{number}"}).json() for number in (3, 4))
    assert admin.post(f"{LEADS}/{kept['id']}/merge", json={"lead_id": gone["id"]}).status_code == 200
    admin.patch(f"{LEADS}/{kept['id']}", json={"tags": [f"t{n:02}" for n in range(100)]})
    text = 'phone,name,niche\n0123456781,Siti,"vip,kl,expo"\n0123456782,,kl\n0123456784,,vip\n0123456785,,kl\n'
    checked = _go(tenant, _upload(tenant, text), "check")
    counts = _counts(new=1, changed=2, unchanged=1, joined=1, crowded=2)
    told = [
        '2,+60123456781,"a lead has at most 100 tags, and 2 were left out: kl, expo",tags_left_out',
        '4,+60123456784,"another number of the lead +60123456783: it counts as that one; a lead has at most 100 tags,'
        ' and 1 were left out: vip",other_number tags_left_out',
    ]
    assert (checked["counts"], _problems(admin, checked)) == (counts, told)
    done = _go(tenant, checked, "start")
    assert (done["counts"], _problems(admin, done)) == (counts, told)
    leads = {one["phone"]: one for one in admin.get(LEADS).json()["items"]}
    assert (leads["+60123456781"]["name"], leads["+60123456781"]["tags"][99:]) == ("Siti", ["vip"])


def test_fields_for_which_a_known_lead_has_no_room_are_left_out_and_told(tenant: Tenant) -> None:
    """However many files bring new ones, it has no more than the API would write."""
    admin = tenant.client("admin")
    own = {f"f{number:02}": "old" for number in range(98)}
    for number, fields in ((1, own), (2, own), (3, {})):
        assert admin.post(LEADS, json={"phone": f"012345678{number}", "fields": fields}).status_code == 201
    head = "phone,f97,zone,area,city,town\n"
    text = head + "0123456781,new,a,b,c,d\n0123456782,,,b,,d\n0123456783,,a,b,c,d\n0123456784,,a,b,c,d\n"
    checked = _go(tenant, _upload(tenant, text), "check")
    counts = _counts(new=1, changed=3, crowded=1)
    told = [
        '2,+60123456781,"a lead has at most 100 fields, and 2 were left out: city, town; take others off it, then'
        ' import this row again",fields_left_out'
    ]
    assert (checked["counts"], _problems(admin, checked)) == (counts, told)
    done = _go(tenant, checked, "start")
    assert (done["counts"], _problems(admin, done)) == (counts, told)
    leads = {one["phone"]: one["fields"] for one in admin.get(LEADS).json()["items"]}
    assert leads["+60123456781"] == own | {"f97": "new", "zone": "a", "area": "b"}
    assert leads["+60123456782"] == own | {"area": "b", "town": "d"}
    every = {"zone": "a", "area": "b", "city": "c", "town": "d"}
    assert leads["+60123456783"] == leads["+60123456784"] == every
    again = _upload(tenant, text, start=True)
    assert (again["counts"], _problems(admin, again)) == (_counts(unchanged=4, crowded=1), told)


def test_known_leads_are_left_alone_when_that_is_wanted(tenant: Tenant) -> None:
    admin = tenant.client("admin")
    admin.post(LEADS, json={"phone": "0123456781", "name": "Ahmad"})
    done = _upload(tenant, "phone,name\n0123456781,Other\n0123456782,New\n", start=True, known="leave")
    assert done["counts"] == _counts(new=1, unchanged=1)
    assert {lead["name"] for lead in admin.get(LEADS).json()["items"]} == {"Ahmad", "New"}


@pytest.mark.parametrize(
    "content",
    [
        "nama;telefon\nSiti é;0123456782\n".encode(),
        "nama;telefon\nSiti é;0123456782\n".encode("utf-8-sig"),
        "nama\ttelefon\r\nSiti é\t0123456782\r\n".encode("utf-16"),
        "nama,telefon\rSiti é,0123456782\r".encode("utf-16-le"),
        "nama|telefon\nSiti é|0123456782\n".encode("cp1252"),
        workbook({"Leads": [["nama", "telefon"], ["Siti é", 60123456782.0]]}),
        workbook({"Leads": [["Siti é", "012-345 6782"]]}),
        "Siti é,'0123456782\n".encode(),
        'Siti é,"=""0123456782"""\n'.encode(),
        "Siti é,6.0123456782E+10\n".encode(),
    ],
    ids=lambda value: None,
)
def test_whatever_wrote_the_file_its_rows_are_read(tenant: Tenant, content: bytes) -> None:
    found = _upload(tenant, content, name="wrong.doc")
    mapping = ["name", "phone"]
    done = _go(tenant, found, "start", mapping=mapping)
    assert done["state"] == "done", done
    items = tenant.client("admin").get(LEADS).json()["items"]
    assert [(lead["name"], lead["phone"]) for lead in items] == [("Siti é", "+60123456782")], done


def test_a_person_says_which_sheet_is_read(tenant: Tenant) -> None:
    book = workbook({"People": [["phone"], ["0123456781"]], "Old": [["Telefon", "Nama"], ["0123456782", "Siti"]]})
    found = _upload(tenant, book)
    assert (found["shape"]["sheet"], found["shape"]["sheets"]) == ("People", ["People", "Old"])
    checked = _go(tenant, found, "check")
    other = _go(tenant, checked, "look", sheet="Old")
    assert (other["state"], other["shape"]["sheet"], other["mapping"]) == ("ready", "Old", ["phone", "name"])
    assert (other["counts"], other["rows"], other["read"]) == (None, None, 0), "of the other sheet nothing is known"
    admin = tenant.client("admin")
    refused = admin.post(f"{LEADS}/imports/{found['id']}/look", json={"sheet": "Nowhere"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "sheet")
    assert "'People', 'Old'" in refused.json()["detail"]
    done = _go(tenant, other, "start")
    assert [(lead["phone"], lead["name"]) for lead in admin.get(LEADS).json()["items"]] == [("+60123456782", "Siti")]
    assert admin.post(f"{LEADS}/imports/{done['id']}/look", json={"sheet": "Old"}).status_code == 409
    assert _upload(tenant, book, sheet="People", start=True)["counts"]["new"] == 1
    assert "has no sheet 'Gone'" in _upload(tenant, book, sheet="Gone", start=True)["reason"]


def test_a_person_says_what_language_a_file_is_in_that_does_not_say_it(tenant: Tenant) -> None:
    text = "姓名,電話\n陳大文,0123456781\n林美玲,0123456782\n"
    found = _upload(tenant, text.encode("cp950"))
    assert found["shape"]["columns"][0]["examples"] != ["陳大文", "林美玲"]
    assert "cp950" in found["shape"]["encodings"]
    look = f"{LEADS}/imports/{found['id']}/look"
    refused = tenant.client("admin").post(look, json={"encoding": "utf-8"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "encoding")
    assert "cp950" in refused.json()["detail"]
    other = _go(tenant, found, "look", encoding="cp950")
    assert (other["state"], other["shape"]["encoding"], other["mapping"]) == ("ready", "cp950", ["name", "phone"])
    assert other["shape"]["columns"][0]["examples"] == ["陳大文", "林美玲"]
    done = _go(tenant, _go(tenant, other, "check", options={"tags": ["tw"]}), "start")
    assert done["counts"]["new"] == 2
    items = tenant.client("admin").get(LEADS).json()["items"]
    assert [(lead["name"], lead["tags"]) for lead in items] == [("林美玲", ["tw"]), ("陳大文", ["tw"])]
    assert _upload(tenant, text.encode(), start=True)["shape"]["encodings"] == [], "it says so itself"


def test_a_sheet_without_rows_does_not_cost_the_one_before(tenant: Tenant) -> None:
    book = workbook({"People": [["phone"], ["0123456781"]], "Old": [["phone"], ["0123456782"]], "Empty": []})
    found = _go(tenant, _upload(tenant, book), "look", sheet="Empty")
    assert (found["state"], found["reason"]) == ("ready", "the file has no rows")
    assert (found["shape"]["sheet"], found["options"]["sheet"], found["mapping"]) == ("People", "People", ["phone"])
    body = {"options": {"sheet": "Old"}}
    refused = tenant.client("admin").post(f"{LEADS}/imports/{found['id']}/start", json=body)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "options.sheet")
    done = _go(tenant, found, "start")
    assert (done["state"], done["reason"], done["counts"]["new"]) == ("done", None, 1)


@pytest.mark.parametrize(
    ("content", "why", "kind"),
    [
        (b"\n \r\n", "empty", "file_empty"),
        (b"PK\x03\x04 no workbook", "can't be read: it is damaged", "workbook_damaged"),
        (b"%PDF-1.7\n0123456781\n", "the file is a PDF", "is_pdf"),
        (workbook({"Leads": [["phone"]]}, more='<row><c r="XFD2"><v>1</v></c></row>'), "16384 columns", "file_wide"),
        (open_document("0123456781", 1_000_000, 94), "save it as CSV", "takes_memory"),
        (b'phone\n"0123456781\n' + b"0123456782\n" * 20_000, "quotation mark", "quote_open"),
        (b",".join(b"c%d" % one for one in range(201)) + b"\n", "columns", "file_wide"),
    ],
    ids=lambda value: None,
)
def test_what_is_no_file_of_rows_says_why(tenant: Tenant, content: bytes, why: str, kind: str) -> None:
    found = _upload(tenant, content)
    if found["state"] == "ready":
        found = _go(tenant, found, "start")
    assert found["state"] == "failed"
    assert why in found["reason"] and found["cause"]["kind"] == kind
    assert tenant.client("admin").get(LEADS).json()["items"] == []


def test_odd_rows_are_told_and_hold_up_no_others(tenant: Tenant) -> None:
    wide = ",".join(f"extra {number}" for number in range(100))
    cells = ",".join("x" for _ in range(100))
    text = (
        f"phone,name,{wide}\n"
        f"0123456781,Short row\n"
        f"0123456782,Long row,{cells},one,more\n"
        f"6.012E+10,Rounded,{cells}\n"
        f"0123456783,{'n' * 201},{cells}\n"
        f'0123456784,"Two\nlines, and ""quotes""",{cells}\n'
        f"0123456785,'=1+1,{cells}\n"
        f",No number,{cells}\n"
    )
    nonsense = 100_001
    done = _upload(tenant, text + "x\n" * nonsense, start=True)
    counts = _counts(new=3, errors=4 + nonsense)
    assert done["counts"] == counts, done
    admin = tenant.client("admin")
    names = [lead["name"] for lead in admin.get(LEADS).json()["items"]]
    assert names == ["=1+1", 'Two\nlines, and "quotes"', "Short row"]
    problems = _problems(admin, done)
    assert len(problems) == 4 + nonsense
    told = " ".join(problems)
    for words in ("the row has 104 cells", "rounded", "at most 200 characters", "no phone number"):
        assert words in told


def test_columns_that_can_not_be_are_refused(tenant: Tenant) -> None:
    found = _upload(tenant, "phone,other\n0123456781,0123456782\n")
    admin = tenant.client("admin")
    for mapping in (["name", ""], ["phone", "phone"], ["phone"], ["phone", "colour"], ["phone", "field:"]):
        answer = admin.post(f"{LEADS}/imports/{found['id']}/check", json={"mapping": mapping})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "mapping"), mapping
    assert _settled(tenant, found["id"])["state"] == "ready"
    assert admin.post(f"{LEADS}/imports/{found['id']}/cancel").json()["state"] == "cancelled"
    assert admin.post(f"{LEADS}/imports/{found['id']}/cancel").status_code == 409
    assert admin.post(f"{LEADS}/imports/{found['id']}/start", json={}).status_code == 409
    assert tenant.world.sql("SELECT count(*) FROM import_pieces WHERE import_id = $1", int(found["id"])) == 0


def test_numbers_to_leave_alone_come_in_by_a_file(tenant: Tenant) -> None:
    admin = tenant.client("admin")
    files = {"file": ("stop.csv", b"phone,reason\n0123456781,x\n0123456781,y\nnobody,z\n")}
    answer = admin.post("/api/v1/suppressions/import", files=files, data={"options": '{"start": true}'})
    done = _settled(tenant, answer.json()["id"])
    assert done["counts"] == _counts(new=1, doubles=1, errors=1)
    listed = admin.get("/api/v1/suppressions").json()["items"]
    assert [(one["phone"], one["reason"]) for one in listed] == [("+60123456781", "imported")]
    assert admin.get(LEADS).json()["items"] == []


def test_the_same_key_imports_a_file_once(tenant: Tenant) -> None:
    admin, headers = tenant.client("admin"), {"Idempotency-Key": f"expo-{tenant.id}"}

    def post(content: bytes) -> httpx.Response:
        return admin.post(f"{LEADS}/import", files={"file": ("a.csv", content)}, headers=headers)

    first, again = post(b"phone\n0123456781\n"), post(b"phone\n0123456781\n")
    assert (first.status_code, again.status_code, again.json()["id"]) == (201, 201, first.json()["id"])
    assert post(b"phone\n0123456782\n").status_code == 422
    assert len(admin.get(f"{LEADS}/imports").json()["items"]) == 1


def test_a_failed_import_keeps_no_file(tenant: Tenant, world: World) -> None:
    found = _upload(tenant, b"PK\x03\x04 no workbook")
    assert found["state"] == "failed"
    assert world.sql("SELECT count(*) FROM import_pieces WHERE import_id = $1", int(found["id"])) == 0


def test_an_import_that_is_cancelled_at_work_takes_nothing_in(tenant: Tenant, world: World) -> None:
    async def hold() -> asyncpg.Connection:
        connection = await asyncpg.connect(world.uri)
        await connection.transaction().start()
        added = "INSERT INTO leads (tenant_id, phone, zone) VALUES ($1, '+60123456782', 'UTC')"
        await connection.execute(added, tenant.id)
        return connection

    admin = tenant.client("admin")
    found = _go(tenant, _upload(tenant, "phone\n0123456781\n0123456782\n"), "check")
    person = world.background.run(hold())
    assert admin.post(f"{LEADS}/imports/{found['id']}/start", json={}).status_code == 200
    at_work = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'wafast import' AND wait_event_type = 'Lock'"
    )
    _until(lambda: world.sql(at_work) == 1)
    world.sql("UPDATE imports SET written = 1 WHERE id = $1", int(found["id"]))
    ended = admin.post(f"{LEADS}/imports/{found['id']}/cancel").json()
    assert (ended["state"], ended["written"], ended["counts"]) == ("cancelled", 0, None)
    world.background.run(person.close())
    there = "datname = current_database() AND application_name = 'wafast import'"
    _until(lambda: world.sql(f"SELECT count(*) FROM pg_stat_activity WHERE {there}") == 0)
    assert admin.get(LEADS).json()["items"] == []
    assert admin.get(f"{LEADS}/imports/{found['id']}").json()["state"] == "cancelled"


@pytest.mark.slow
def test_an_import_whose_process_is_killed_is_taken_in_once(tenant: Tenant, world: World) -> None:
    rows = "".join(f"01{20_000_000 + number},Lead {number},batch\n" for number in range(40_000))
    found = _upload(tenant, f"phone,name,niche\n{rows}")
    admin = tenant.client("admin")
    assert admin.post(f"{LEADS}/imports/{found['id']}/start", json={}).status_code == 200
    ended = 0
    while ended < 3 and admin.get(f"{LEADS}/imports/{found['id']}").json()["state"] == "running":
        # its connection is all that the database knows of the process; without it, it ends
        ended += world.sql(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'wafast import'"
            " AND datname = current_database() AND query ~* 'staged|leads'"
        )
        time.sleep(0.02)
    assert ended > 0
    done = _settled(tenant, found["id"])
    assert (done["state"], done["counts"]["new"]) == ("done", 40_000)
    assert admin.get(f"{LEADS}/count", params={"tag": "batch"}).json() == {"count": 40_000}
