"""Who may use what: every route has a policy, and each is kept."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
from litestar.routes import HTTPRoute, WebSocketRoute

from tests.integration.api.routes import ROUTES, Route
from tests.integration.api.world import Device, Tenant, World
from wafast.api.app import create_app
from wafast.api.policy import Policy

PROTECTED = [route for route in ROUTES if route.policy in ("read", "send", "admin") and route.path != "/ws"]
OF_THE_WORKSPACE = (
    "key_id|user_id|v1/labels/|reply_id|distribution_id|scoring_id|import_id|segment_id|campaign_id|sequence_id|{phone}"
)
#: Every name of an id in a path or body.
IDS = (
    "device_id pairing_id chat_id outbox_id key_id filename message_id reply_id user_id note_id label_id sequence_id "
    "step_id enrolment_id intake_id lead_id distribution_id scoring_id campaign_id lead_note_id import_id segment_id "
    "phone"
).split()
WITH_IDS = [route for route in PROTECTED if "{" in route.path or "{device_id}" in str(route.body)]


def _name(route: Route) -> str:
    return f"{route.method} {route.path}"


def _served() -> set[tuple[str, str, str]]:
    found = set()
    for route in create_app().routes:
        path = re.sub(r":[a-z]+}", "}", route.path_format) or "/"
        path = path if path == "/" else path.rstrip("/")
        if isinstance(route, WebSocketRoute):
            found.add(("GET", path, str(route.route_handler.opt["policy"])))
        elif isinstance(route, HTTPRoute):
            for handler in route.route_handlers:
                for method in handler.http_methods - {"OPTIONS"}:
                    assert isinstance(handler.opt.get("policy"), Policy), f"{method} {path} has no policy"
                    found.add((method, path, str(handler.opt["policy"])))
    return found


def test_every_route_and_its_policy_is_listed() -> None:
    assert _served() == {(route.method, route.path, route.policy) for route in ROUTES}


def _ask(client: httpx.Client, route: Route, ids: dict[str, str]) -> httpx.Response:
    path = re.sub(r"{(\w+)}", lambda found: ids.get(found[1], "1"), route.path)
    body = route.body
    if isinstance(body, dict):
        body = {name: ids["device_id"] if value == "{device_id}" else value for name, value in body.items()}
    files = {"file": ("a.txt", b"a")} if _is_upload(route) else None
    return client.request(route.method, path, json=body, files=files)


def _is_upload(route: Route) -> bool:
    return route.path.endswith(("/media", "/import")) and route.method == "POST"


def _things(tenant: Tenant) -> tuple[Device, dict[str, str]]:
    device = tenant.device()
    chat = tenant.chat(device)
    key = tenant.message(chat, kind="document", media={"mime": "text/plain", "ext": "txt"})
    tenant.key("read")
    tenant.world.user(tenant, role="agent")
    return device, {
        "device_id": str(device.id),
        "pairing_id": str(tenant.pairing(device)),
        "chat_id": str(chat.id),
        "outbox_id": str(tenant.outbox(device)),
        "key_id": str(tenant.world.sql("SELECT max(id) FROM api_keys WHERE tenant_id = $1", tenant.id)),
        "filename": f"{chat.id}-{key}.txt",
        "message_id": f"{chat.id}-{tenant.message(chat, from_me=True)}",
        "reply_id": str(
            tenant.world.sql(
                "INSERT INTO quick_replies (tenant_id, name, body, created_by) VALUES ($1, 'hi', 'Hi', 'user:1')"
                " ON CONFLICT (tenant_id, name) DO UPDATE SET body = excluded.body RETURNING id",
                tenant.id,
            )
        ),
        "user_id": str(tenant.world.sql("SELECT max(user_id) FROM members WHERE tenant_id = $1", tenant.id)),
        "note_id": str(tenant.note(chat)),
        "label_id": str(tenant.label()),
        **_sequence(tenant),
        "distribution_id": str(tenant.distribution()),
        "scoring_id": str(tenant.scoring()),
        "campaign_id": str(tenant.campaign()),
        "lead_id": str(lead := tenant.lead(device)),
        "lead_note_id": str(tenant.lead_note(lead)),
        "import_id": str(tenant.lead_import()),
        "segment_id": str(tenant.segment()),
        "phone": tenant.suppression(),
    }


def _sequence(tenant: Tenant) -> dict[str, str]:
    """A sequence with a step and a lead at it."""
    sql = tenant.world.sql
    sequence = sql(
        "INSERT INTO sequences (tenant_id, name, created_by) VALUES ($1, 'S', 'key:0') RETURNING id", tenant.id
    )
    source = sql("INSERT INTO sources (tenant_id, kind, template) VALUES ($1, 'text', 'Hi') RETURNING id", tenant.id)
    step = sql(
        "INSERT INTO sequence_steps (tenant_id, sequence_id, source_id, place, delay_seconds)"
        " VALUES ($1, $2, $3, 1, 60) RETURNING id",
        tenant.id, sequence, source,
    )  # fmt: skip
    lead = sql(
        "INSERT INTO leads (tenant_id, phone, zone) VALUES ($1, '+60191234567', 'UTC')"
        " ON CONFLICT (tenant_id, phone) DO UPDATE SET zone = 'UTC' RETURNING id",
        tenant.id,
    )
    enrolment = sql(
        "INSERT INTO enrolments (tenant_id, sequence_id, lead_id) VALUES ($1, $2, $3) RETURNING id",
        tenant.id, sequence, lead,
    )  # fmt: skip
    intake = sql(
        "INSERT INTO intakes (tenant_id, sequence_id, filter, again, created_by, state, ended_at)"
        " VALUES ($1, $2, '{}', false, 'key:0', 'done', now()) RETURNING id",
        tenant.id, sequence,
    )  # fmt: skip
    return {
        "sequence_id": str(sequence), "step_id": str(step), "enrolment_id": str(enrolment), "intake_id": str(intake)
    }  # fmt: skip


@pytest.mark.parametrize("route", PROTECTED, ids=_name)
def test_nobody_is_refused(world: World, route: Route) -> None:
    answer = _ask(world.anybody(), route, {"device_id": "x"})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["type"] == "urn:wafast:problem:not-signed-in"


@pytest.mark.parametrize("route", [route for route in PROTECTED if route.policy != "read"], ids=_name)
def test_a_scope_below_is_refused(tenant: Tenant, route: Route) -> None:
    device, ids = _things(tenant)
    answer = _ask(tenant.client("send" if route.policy == "admin" else "read"), route, ids)
    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:wafast:problem:missing-scope"
    assert tenant.world.sql("SELECT name FROM devices WHERE id = $1", device.id) == "Sales"


@pytest.mark.parametrize("route", WITH_IDS, ids=_name)
def test_things_of_another_workspace_do_not_exist(tenant: Tenant, stranger: Tenant, route: Route) -> None:
    _, ids = _things(tenant)
    answer = _ask(stranger.client("admin"), route, ids)
    assert (answer.status_code, answer.json()["status"]) == (404, 404), answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")


@pytest.mark.parametrize(
    "route",
    [route for route in WITH_IDS if not re.search(OF_THE_WORKSPACE, route.path)],
    ids=_name,
)
def test_things_of_a_device_out_of_reach_do_not_exist(tenant: Tenant, route: Route) -> None:
    _, ids = _things(tenant)
    answer = _ask(tenant.client("admin", [tenant.device().id]), route, ids)
    assert answer.status_code == 404, answer.text


#: Bodies that name what the caller does not reach, where those of ROUTES name nothing.
NAMING: dict[str, Any] = {
    "POST /api/v1/devices/bulk": {"action": "connect", "device_ids": ["{device_id}"]},
    "POST /api/v1/messages/{message_id}/forward": {"chat_ids": ["{chat_id}"]},
    "POST /api/v1/leads": {"phone": "+60177000001"},
    "POST /api/v1/leads/bulk": {"action": "add_tags", "lead_ids": ["{lead_id}"], "tags": ["kl"]},
    "POST /api/v1/leads/{lead_id}/merge": {"lead_id": "{own_lead_id}"},
    "POST /api/v1/suppressions": {"phone": "+60177000001"},
    "POST /api/v1/campaigns/render": {"text": "Hi {name}", "lead_id": "{lead_id}"},
    "POST /api/v1/campaigns/{campaign_id}/test": {"to": "60123456789", "lead_id": "{lead_id}"},
    "POST /api/v1/sequences/{sequence_id}/enrolments": {"lead_ids": ["{lead_id}"]},
}
#: What only another team's device, chat and lead are called.
SECRETS = ("Secret line", "Secret chat", "Secret lead", "Secret words")
OF_ROWS = [route for route in PROTECTED if "{outbox_id}" in route.path]


def _out_of_reach(tenant: Tenant) -> dict[str, str]:
    """Things of a team, all with names that are found in an answer: with a campaign of which one row waits in the pool
    for a person of theirs, one has left from their device, and one from a device that is gone."""
    sql = tenant.world.sql
    _, ids = _things(tenant)
    device = tenant.device(name="Secret line")
    chat = tenant.chat(device, name="Secret chat")
    lead = tenant.lead(device, name="Secret lead", phone="+60177000001")
    campaign = tenant.campaign()
    source = sql("SELECT source_id FROM campaigns WHERE id = $1", campaign)
    # where it goes on, the row in the pool would be given to some device
    sql("UPDATE campaigns SET state = 'paused', planned_at = now(), planned = 3 WHERE id = $1", campaign)
    sql("UPDATE sources SET state = 'paused' WHERE id = $1", source)
    put = (
        "INSERT INTO outbox (tenant_id, source_id, lead_id, device_no, lane_id, to_jid, kind, body, state, sent_at,"
        " message_id, attempts, priority, created_by)"
        " VALUES ($1, $2, $3, $4, $5, $6, 'text', 'Secret words', $7, $8, CASE WHEN $9 > 0 THEN $6 END, $9, 'paced',"
        " 'user:1') RETURNING id"
    )
    lane = sql("INSERT INTO lanes (tenant_id, source_id, zone) VALUES ($1, $2, 'UTC') RETURNING id", tenant.id, source)
    now = sql("SELECT now()")
    pooled = sql(put, tenant.id, source, lead, None, lane, "60177000001@s.whatsapp.net", "queued", None, 0)
    sent = sql(put, tenant.id, source, lead, device.no, None, "60177000002@s.whatsapp.net", "sent", now, 1)
    gone = sql(put, tenant.id, source, None, None, None, "60177000003@s.whatsapp.net", "sent", now, 1)
    return ids | {
        "device_id": str(device.id), "chat_id": str(chat.id), "lead_id": str(lead), "campaign_id": str(campaign),
        "message_id": f"{chat.id}-{tenant.message(chat, 'Secret words', from_me=True)}",
        "outbox_id": str(sent), "pooled": str(pooled), "gone": str(gone), "own_lead_id": str(tenant.lead()),
    }  # fmt: skip


def _named(body: Any, ids: dict[str, str]) -> Any:
    if isinstance(body, dict):
        return {name: _named(value, ids) for name, value in body.items()}
    if isinstance(body, list):
        return [_named(value, ids) for value in body]
    return ids.get(body[1:-1], body) if isinstance(body, str) else body


def test_nothing_of_a_device_out_of_reach_is_told_by_any_route(tenant: Tenant) -> None:
    ids = _out_of_reach(tenant)
    limited = tenant.client("admin", [tenant.device().id])
    wrong = []
    for route in PROTECTED:
        answer = _ask(
            limited, msgspec.structs.replace(route, body=_named(NAMING.get(_name(route), route.body), ids)), ids
        )
        asked = f"{answer.request.url} {answer.request.read()!r}"
        told = [one for one in (*SECRETS, ids["device_id"]) if one in answer.text and one not in asked]
        if told or answer.status_code >= 500:
            wrong.append((_name(route), told, answer.text))
    assert not wrong
    assert tenant.world.sql("SELECT tags FROM leads WHERE id = $1", int(ids["lead_id"])) == ["kl"]
    assert tenant.world.sql("SELECT desired_state FROM devices WHERE id = $1", UUID(ids["device_id"])) == "disconnected"


#: All that a workspace has, as one text.
COUNTED = """
SELECT jsonb_build_array(
    (SELECT jsonb_agg(to_jsonb(d) ORDER BY no) FROM devices d WHERE tenant_id = $1),
    (SELECT jsonb_agg(to_jsonb(l) ORDER BY id) FROM leads l WHERE tenant_id = $1),
    (SELECT jsonb_agg(to_jsonb(c) ORDER BY id) FROM chats c WHERE tenant_id = $1),
    (SELECT jsonb_agg(to_jsonb(e) ORDER BY id) FROM enrolments e WHERE tenant_id = $1),
    (SELECT jsonb_agg(to_jsonb(o) ORDER BY id) FROM outbox o WHERE tenant_id = $1)
)::text
"""
#: Bodies that name things of another workspace, sent to things of the caller's own.
FOREIGN: list[tuple[str, str, dict[str, Any]]] = [
    ("PATCH", "chats/{chat_id}", {"assignee_id": "{user_id'}"}),
    ("PATCH", "chats/{chat_id}", {"label_ids": ["{label_id'}"]}),
    ("PUT", "chats/{chat_id}/labels/{label_id'}", {}),
    ("POST", "messages", {"device_id": "{device_id'}", "to": "60123456789", "text": "Hi"}),
    ("POST", "messages/{message_id}/forward", {"chat_ids": ["{chat_id'}"]}),
    ("POST", "devices/{device_id}/replace", {"by": "{device_id'}"}),
    ("POST", "devices/bulk", {"action": "connect", "device_ids": ["{device_id'}"]}),
    ("POST", "leads", {"phone": "+60123456780", "device_id": "{device_id'}"}),
    ("PATCH", "leads/{lead_id}", {"device_id": "{device_id'}"}),
    ("POST", "leads/bulk", {"action": "add_tags", "lead_ids": ["{lead_id'}"], "tags": ["taken"]}),
    ("POST", "leads/bulk", {"action": "set_device", "lead_ids": ["{lead_id}"], "device_id": "{device_id'}"}),
    ("POST", "leads/{lead_id}/merge", {"lead_id": "{lead_id'}"}),
    ("POST", "leads/import-chats", {"device_id": "{device_id'}"}),
    ("POST", "campaigns", {"name": "Raya", "device_ids": ["{device_id'}"]}),
    ("PATCH", "campaigns/{campaign_id}", {"device_ids": ["{device_id'}"]}),
    ("POST", "campaigns/render", {"text": "Hi {name}", "lead_id": "{lead_id'}"}),
    ("POST", "campaigns/{campaign_id}/test", {"to": "60123456789", "lead_id": "{lead_id'}"}),
    ("POST", "sequences", {"name": "Welcome", "next_sequence_id": "{sequence_id'}"}),
    ("PATCH", "sequences/{sequence_id}", {"next_sequence_id": "{sequence_id'}"}),
    ("POST", "sequences/{sequence_id}/enrolments", {"lead_ids": ["{lead_id'}"]}),
    ("POST", "distributions", {"device_ids": ["{device_id'}"]}),
    ("POST", "keys", {"name": "CRM", "scope": "read", "device_ids": ["{device_id'}"]}),
    ("POST", "users", {"name": "Aina", "email": "a@example.com", "role": "agent", "device_ids": ["{device_id'}"]}),
]
#: What is told of ids that name nothing, where a list of them is no mistake.
NOTHING_DONE: tuple[dict[str, Any], ...] = ({"changed": []}, {"changed": 0}, {"enrolled": 0})


def test_what_another_workspace_has_is_named_by_no_body(tenant: Tenant, stranger: Tenant) -> None:
    """SPEC section 10, invariant 8."""
    theirs, ids = _out_of_reach(stranger), _out_of_reach(tenant)
    ids |= {"campaign_id": str(tenant.campaign())} | {f"{name}'": value for name, value in theirs.items()}
    before = stranger.world.sql(COUNTED, stranger.id)
    wrong = []
    for method, path, body in FOREIGN:
        at = "/api/v1/" + re.sub(r"{([\w']+)}", lambda found: ids[found[1]], path)
        answer = tenant.client("admin").request(method, at, json=_named(body, ids))
        is_harmless = answer.is_success and any(answer.json().items() >= nothing.items() for nothing in NOTHING_DONE)
        if not (is_harmless or 400 <= answer.status_code < 500):
            wrong.append((method, path, body, answer.status_code, answer.text))
    assert not wrong
    assert stranger.world.sql(COUNTED, stranger.id) == before


@pytest.mark.parametrize("route", OF_ROWS, ids=_name)
def test_rows_without_a_device_are_within_reach_as_their_lead_is(tenant: Tenant, route: Route) -> None:
    ids = _out_of_reach(tenant)
    limited = tenant.client("admin", [tenant.device().id])
    for which in ("outbox_id", "pooled", "gone"):
        answer = _ask(limited, route, ids | {"outbox_id": ids[which]})
        assert answer.status_code == 404, (which, answer.text)
    sql = tenant.world.sql
    sql("UPDATE leads SET device_no = NULL WHERE id = $1", int(ids["lead_id"]))
    assert _ask(limited, route, ids | {"outbox_id": ids["pooled"]}).status_code in (200, 409)


@pytest.mark.parametrize("route", WITH_IDS, ids=_name)
def test_ids_that_are_none_name_nothing(tenant: Tenant, route: Route) -> None:
    client = tenant.client("admin")
    for nonsense in ("x", "0", "-1", "9" * 40, "00000000-0000-0000-0000-000000000000", "١"):
        answer = _ask(client, route, dict.fromkeys(IDS, nonsense))
        assert answer.status_code == 404, (nonsense, answer.text)


def test_a_parameter_that_a_route_does_not_know_is_named(tenant: Tenant) -> None:
    client = tenant.client("admin")
    for route in PROTECTED:
        if route.method == "GET" and route.path.startswith("/api/v1"):
            answer = client.get(re.sub(r"{\w+}", "1", route.path), params={"limti": "5"})
            assert answer.status_code == 400, _name(route)
            assert [error["field"] for error in answer.json()["errors"]] == ["limti"], _name(route)
    assert client.get("/api/v1/devices", params={"limit": 5, "desired_state": "connected", "tag": "x"}).is_success
    answer = client.get("/api/v1/devices", params={"limti": "5"})
    assert "known are: " in answer.json()["detail"]
    assert "limit" in answer.json()["detail"]
    assert client.options("/api/v1/devices", params={"limti": "5"}).status_code < 300


def test_what_a_route_without_a_body_is_told_is_refused_by_name(tenant: Tenant) -> None:
    """Whoever says more than a route hears thinks it was heard."""
    client, (_, ids) = tenant.client("admin"), _things(tenant)
    routes = [one for one in PROTECTED if one.method != "GET" and one.body is None and not _is_upload(one)]
    for route in routes:
        path = re.sub(r"{(\w+)}", lambda found: ids[found[1]], route.path)
        answer = client.request(route.method, path, json={"zzz": 1})
        told = [error["field"] for error in answer.json().get("errors", [])]
        assert (answer.status_code, told) == (400, ["zzz"]), _name(route)
    assert len(routes) > 20
    path = f"/api/v1/campaigns/{ids['campaign_id']}/pause"
    for body, field in ((b"zzz", "body"), (b"[1]", "body"), (b'"now"', "body"), (b'{"at": "now"}', "at")):
        answer = client.post(path, content=body, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field), body
    assert client.post(path, files={"at": b"now"}).status_code == 400
    for nothing in (b"", b"{}", b"null", b" {} "):
        answer = client.post(path, content=nothing, headers={"Content-Type": "application/json"})
        assert answer.status_code == 409, "it is heard, and is a draft"


def test_a_key_limited_to_devices_touches_nothing_of_the_workspace(tenant: Tenant) -> None:
    limited = tenant.client("admin", [tenant.device().id])
    assert limited.get("/api/v1/keys").status_code == 403
    assert limited.post("/api/v1/keys", json={"name": "More", "scope": "admin"}).status_code == 403
    assert limited.post("/api/v1/devices", json={"name": "More"}).status_code == 403
    assert limited.get("/api/v1/users").status_code == 403
    assert limited.post("/api/v1/users", json={"name": "More", "email": "more@example.com"}).status_code == 403
    assert limited.post("/api/v1/labels", json={"name": "More", "colour": "red"}).status_code == 403
    assert limited.get("/api/v1/suppressions").status_code == 403
    assert limited.get("/api/v1/suppressions/export.csv").status_code == 403
    assert limited.patch("/api/v1/opt-out", json={"words": ["stop"]}).status_code == 403
    assert limited.get("/api/v1/leads/imports").status_code == 403
    assert limited.get("/api/v1/scorings").status_code == 403
    assert limited.get(f"/api/v1/scorings/{tenant.scoring()}").status_code == 403
    assert limited.post("/api/v1/scorings", json={"filter": {}}).status_code == 403
    assert limited.get(f"/api/v1/leads/imports/{tenant.lead_import()}").status_code == 403
    assert limited.post("/api/v1/leads/import", files={"file": ("a.csv", b"phone")}).status_code == 403
    tenant.device()
    assert len(limited.get("/api/v1/devices").json()["items"]) == 1


def test_a_revoked_key_is_refused(tenant: Tenant) -> None:
    admin = tenant.client("admin")
    made = admin.post("/api/v1/keys", json={"name": "CRM", "scope": "read"})
    assert made.status_code == 201
    key = made.json()
    assert key["key"].startswith(key["prefix"])
    other = tenant.world.anybody(**{"X-API-Key": key["key"]})
    assert other.get("/api/v1/devices").status_code == 200
    assert "key" not in admin.get("/api/v1/keys").json()["items"][0]
    assert admin.delete(f"/api/v1/keys/{key['id']}").status_code == 204
    assert other.get("/api/v1/devices").status_code == 401
    assert key["id"] not in [one["id"] for one in admin.get("/api/v1/keys").json()["items"]]
