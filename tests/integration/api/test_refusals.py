"""A request that can't be taken says which member is wrong, what stands there, and what is wanted instead."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.api.world import Tenant

CAMPAIGN = {"name": "Raya", "message": {"text": "Hi"}}


def _campaign(**members: Any) -> dict[str, Any]:
    return {**CAMPAIGN, **members}


@pytest.mark.parametrize(
    ("path", "body", "field", "value", "wanted"),
    [
        ("/campaigns", _campaign(pace={"opens": "25:00", "closes": "09:00"}), "pace.opens", "25:00", "09:00:00"),
        ("/campaigns", _campaign(expires_at="tomorrow"), "expires_at", "tomorrow", "as 2027-03-01T18:00:00+08:00"),
        ("/campaigns", _campaign(audience={"created_after": "2027-01-01T00:00:00"}), "audience.created_after",
         "2027-01-01T00:00:00", "needs its zone, as"),
        ("/campaigns", _campaign(schedule={"date": "2027-02-30", "time": "09:00", "zone": "UTC"}), "schedule.date",
         "2027-02-30", "as 2027-03-01"),
        ("/campaigns", _campaign(audience={"tags": ["kl", " "]}), "audience.tags[1]", " ", "character that is seen"),
        ("/campaigns", _campaign(audience={"device_ids": ["7"]}), "audience.device_ids[0]", "7", "an id is wanted, as"),
        ("/campaigns", {"name": 3}, "name", 3, "Expected `str`"),
        ("/campaigns", {"name": 10**40}, "name", None, "Expected `str`"),
        ("/leads", {"phone": "012-345 6789", "target_status": "foo"}, "target_status", "foo", "prospect, customer"),
        ("/leads", {"phone": "012-345 6789", "fields": {"city": "KL", "age": 40}}, "fields.age", 40, "Expected `str`"),
        ("/leads", {"phone": "012-345 6789", "tags": ["x" * 200]}, "tags[0]", "x" * 100 + "…", "length <= 100"),
        ("/sequences", {"name": "x", "steps": [{"delay_seconds": -1}]}, "steps[0].delay_seconds", -1, ">= 0"),
        ("/sequences", {"name": "x", "steps": [{"delay_seconds": 0, "message": {"text": "Hi"}},
                                               {"delay_seconds": 0, "message": {"text": " "}}]},
         "steps[1].message.text", " ", "visible character"),
        ("/users", {"email": "nobody", "name": "x", "role": "agent"}, "email", "nobody", "aina@example.com"),
        ("/leads", {"name": "Siti"}, "phone", None, "it is missing"),
        ("/campaigns", _campaign(message={"text": "Hi", "txt": "x"}), "message.txt", None, "known are: type, text"),
    ],
)  # fmt: skip
def test_a_refused_member_is_told_with_its_value_and_what_is_wanted(
    tenant: Tenant, path: str, body: dict[str, Any], field: str, value: object, wanted: str
) -> None:
    answer = tenant.client().post(f"/api/v1{path}", json=body)

    problem = answer.json()
    assert answer.status_code == 400
    (error,) = problem["errors"]
    assert error["field"] == field
    assert wanted in error["message"]
    if value is not None:
        assert error["value"] == value
        assert problem["detail"].startswith(f"{field} {value!r}: ")


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("/devices?state=foo", "state 'foo': one of these is wanted: new, pairing"),
        ("/audit?from=yesterday", "from 'yesterday': an instant is wanted, as"),
        ("/leads?limit=many", "limit 'many': Expected `int`"),
    ],
)
def test_a_refused_parameter_has_the_name_that_callers_write(tenant: Tenant, query: str, told: str) -> None:
    answer = tenant.client().get(f"/api/v1{query}")

    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(told)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (rb'{"name":"\ud83d"}', r"The JSON has \ud83d at byte 9, which is half of a surrogate pair"),
        (rb'{"name":"\\ud83d \ude00 x"}', r"The JSON has \ude00 at byte 17,"),
        (b'{"name":"a\xff"}', "The body is not UTF-8: byte 10 is 0xff."),
        (b'{"name":"a', "The body ends before its JSON does."),
        (b'{"name":1e999}', "The body has a number that is too large"),
        (b"", "The request has no body"),
        (b"[1]", "body: Expected `object`, got `array`"),
    ],
)
def test_a_body_that_is_no_json_is_told_what_it_is(tenant: Tenant, body: bytes, told: str) -> None:
    headers = {"Content-Type": "application/json"}
    answer = tenant.client().post("/api/v1/campaigns", content=body, headers=headers)

    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(told)


def test_a_secret_is_not_told_again(tenant: Tenant) -> None:
    answer = tenant.world.anybody().post(
        "/api/v1/session",
        json={"email": "aina@example.com", "password": 31415926},
        headers={"Origin": tenant.world.url},
    )

    assert answer.status_code == 400
    assert "31415926" not in answer.text


def test_a_time_of_day_is_written_with_or_without_seconds(tenant: Tenant) -> None:
    client = tenant.client()
    body = _campaign(
        schedule={"date": "2027-03-01", "time": "09:30", "zone": "Asia/Kuala_Lumpur"},
        pace={"opens": "09:00", "closes": "18:00:00"},
    )

    made = client.post("/api/v1/campaigns", json=body)
    changed = client.patch("/api/v1/devices/pacing", json={"quiet_from": "21:00:00", "quiet_until": "08:00"})

    assert made.status_code == 201, made.text
    assert made.json()["schedule"]["time"] == "09:30:00"
    assert (made.json()["pace"]["opens"], made.json()["pace"]["closes"]) == ("09:00:00", "18:00:00")
    assert client.get(f"/api/v1/campaigns/{made.json()['id']}").json()["schedule"] == made.json()["schedule"]
    assert (changed.json()["quiet_from"], changed.json()["quiet_until"]) == ("21:00", "08:00")


def test_two_times_that_are_the_same_are_seen_however_they_are_written(tenant: Tenant) -> None:
    client = tenant.client()

    pace = client.post("/api/v1/campaigns", json=_campaign(pace={"opens": "09:00", "closes": "09:00:00"}))
    quiet = client.patch("/api/v1/devices/pacing", json={"quiet_from": "21:00", "quiet_until": "21:00:00"})

    assert (pace.status_code, pace.json()["errors"][0]["field"]) == (400, "pace.closes")
    assert (quiet.status_code, quiet.json()["errors"][0]["field"]) == (400, "quiet_until")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (b'{"known": "drop"}', "options.known 'drop': one of these is wanted: update, leave"),
        (b'{"tags": ["a", ""]}', "options.tags[1] '': Expected `str` of length >= 1"),
        (b'{"begin": true}', "options.begin: there is no such member here; known are: known, tags"),
        (b"{", "options '{': JSON as in `Import.options` is wanted"),
        (b'{"tags": ["\xff"]}', "A part of the form is not UTF-8: its byte 11 is 0xff."),
    ],
)
def test_a_part_of_a_form_is_refused_as_a_body_is(tenant: Tenant, options: bytes, told: str) -> None:
    form = {"file": ("a.csv", b"phone\n0123456789\n"), "options": (None, options)}

    answer = tenant.client().post("/api/v1/leads/import", files=form)

    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(told)


def test_a_number_that_can_not_be_is_refused_alike_wherever_it_is_written(tenant: Tenant) -> None:
    client, device, lead = tenant.client(), tenant.device(), tenant.lead()
    campaign = client.post("/api/v1/campaigns", json=CAMPAIGN).json()["id"]
    number = "+60125550"
    answers = {
        "phone": [
            client.post("/api/v1/leads", json={"phone": number}),
            client.patch(f"/api/v1/leads/{lead}", json={"phone": number}),
            client.post("/api/v1/suppressions", json={"phone": number}),
        ],
        "to": [
            client.post(f"/api/v1/campaigns/{campaign}/test", json={"to": number}),
            client.post("/api/v1/messages", json={"device_id": str(device.id), "to": number, "text": "Hi"}),
            client.post(f"/api/v1/devices/{device.id}/chats", json={"to": number}),
        ],
        "phones[0]": [client.post(f"/api/v1/devices/{device.id}/check-numbers", json={"phones": [number]})],
    }
    for field, several in answers.items():
        for answer in several:
            assert answer.status_code == 400, answer.request.url
            assert answer.json()["errors"][0]["field"] == field
            assert "is too short for a number of +60" in answer.json()["detail"]


def test_a_number_that_nobody_can_dial_can_be_taken_off_the_suppression_list(tenant: Tenant) -> None:
    tenant.world.sql(
        "INSERT INTO suppressions (tenant_id, phone, reason, created_by) VALUES ($1, '+60125550', 'STOP', 'lead')",
        tenant.id,
    )
    client = tenant.client()

    assert client.delete("/api/v1/suppressions/+60125550").status_code == 204
    assert client.get("/api/v1/suppressions").json()["items"] == []
    assert client.delete("/api/v1/suppressions/+60125550").status_code == 404
    assert client.delete("/api/v1/suppressions/nobody").status_code == 404
