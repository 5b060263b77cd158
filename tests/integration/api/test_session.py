"""Signing in, the cookie, and what another site's page can't do with it."""

from __future__ import annotations

from http.cookies import SimpleCookie

import pytest

from tests.integration.api.world import PASSWORD, Tenant, World

SESSION = "/api/v1/session"


def test_sign_in_gives_a_cookie_no_script_can_read(world: World, tenant: Tenant) -> None:
    email = world.user(tenant)
    answer = world.anybody().post(SESSION, json={"email": f" {email.upper()} ", "password": PASSWORD})
    assert answer.status_code == 200
    cookie = SimpleCookie(answer.headers["set-cookie"])["wafast"]
    assert (cookie["httponly"], cookie["samesite"].lower(), cookie["path"]) == (True, "lax", "/")
    assert not cookie["secure"]
    shown = answer.json()
    assert shown["user"]["email"] == email
    assert shown["tenant"] == {"id": str(tenant.id), "name": tenant.name}
    assert shown["tenants"] == [{"id": str(tenant.id), "name": tenant.name, "role": "admin"}]
    assert (shown["network_default"], shown["loopback"], shown["time_zone"]) == (
        "whatsapp", False, "Asia/Kuala_Lumpur",
    )  # fmt: skip


def test_the_cookie_is_for_https_only_where_the_browser_came_by_it(world: World, tenant: Tenant) -> None:
    answer = world.anybody().post(
        f"{SESSION}",
        json={"email": world.user(tenant), "password": PASSWORD},
        headers={"X-Forwarded-Proto": "https"},
    )
    assert SimpleCookie(answer.headers["set-cookie"])["wafast"]["secure"]


def test_a_wrong_password_and_an_unknown_person_look_the_same(world: World, tenant: Tenant) -> None:
    wrong = world.anybody().post(SESSION, json={"email": world.user(tenant), "password": "something else"})
    unknown = world.anybody().post(SESSION, json={"email": "nobody@example.com", "password": "something else"})
    assert wrong.status_code == unknown.status_code == 401
    assert {**wrong.json(), "request_id": ""} == {**unknown.json(), "request_id": ""}
    assert "set-cookie" not in wrong.headers


def test_many_wrong_passwords_have_to_wait(world: World, tenant: Tenant) -> None:
    email = world.user(tenant)
    for _ in range(10):
        world.sql("INSERT INTO login_failures (subject) VALUES ($1)", f"email:{email}")
    answer = world.anybody().post(SESSION, json={"email": email, "password": PASSWORD})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize("opening", ["[", '{"email":'])
def test_a_body_nested_without_end_is_refused(world: World, opening: str) -> None:
    body, headers = opening * 50_000, {"Content-Type": "application/json"}
    answer = world.anybody().post(SESSION, content=body, headers=headers)
    assert answer.status_code == 400
    assert "nested" in answer.json()["detail"]


def test_sign_out_ends_the_login(world: World, tenant: Tenant) -> None:
    browser = world.signed_in(world.user(tenant))
    kept = dict(browser.cookies)
    assert browser.get(SESSION).status_code == 200
    gone = browser.delete(SESSION)
    assert gone.status_code == 204
    assert "wafast" not in browser.cookies
    assert world.anybody().get(SESSION, cookies=kept).status_code == 401


def test_who_signs_in_is_not_undone_by_an_answer_that_was_asked_for_before(world: World, tenant: Tenant) -> None:
    browser = world.signed_in(world.user(tenant))
    late = browser.get(SESSION)
    assert late.status_code == 200
    assert "set-cookie" not in late.headers  # it would be of whoever was signed in before


def test_a_key_has_no_session(tenant: Tenant) -> None:
    assert tenant.client("admin").get(SESSION).status_code == 401


def test_switching_workspaces(world: World, tenant: Tenant, stranger: Tenant) -> None:
    other = world.tenant("loopback")
    browser = world.signed_in(world.user(tenant, other))
    here = browser.get(SESSION).json()["tenant"]["id"]
    there = str(other.id) if here == str(tenant.id) else str(tenant.id)
    assert browser.patch(SESSION, json={"tenant_id": there}).json()["tenant"]["id"] == there
    assert browser.get(SESSION).json()["tenant"]["id"] == there
    assert browser.patch(SESSION, json={"tenant_id": str(stranger.id)}).status_code == 404
    assert browser.patch(SESSION, json={"tenant_id": "99999999999"}).status_code == 404


def test_changing_the_password_ends_other_logins(world: World, tenant: Tenant) -> None:
    email = world.user(tenant)
    browser, other = world.signed_in(email), world.signed_in(email)
    wrong = browser.post(f"{SESSION}/password", json={"current": "not it", "new": "a new long password"})
    assert wrong.status_code == 401
    short = browser.post(f"{SESSION}/password", json={"current": PASSWORD, "new": "short"})
    assert short.status_code == 400
    done = browser.post(f"{SESSION}/password", json={"current": PASSWORD, "new": "a new long password"})
    assert done.status_code == 204, done.text
    assert browser.get(SESSION).status_code == 200
    assert other.get(SESSION).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
def test_another_sites_page_can_do_nothing_with_the_cookie(
    world: World, tenant: Tenant, headers: dict[str, str]
) -> None:
    browser = world.signed_in(world.user(tenant))
    answer = browser.post("/api/v1/devices", json={"name": "Forged"}, headers=headers)
    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:wafast:problem:foreign-origin"
    assert browser.get("/api/v1/devices").json()["items"] == []


def test_a_form_of_another_site_is_not_read(world: World, tenant: Tenant) -> None:
    browser = world.signed_in(world.user(tenant))
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        answer = browser.post(
            "/api/v1/devices", content='{"name": "Forged"}', headers={"Content-Type": kind, "Origin": world.url}
        )
        assert answer.status_code == 415


def test_our_own_page_can(world: World, tenant: Tenant) -> None:
    browser = world.signed_in(world.user(tenant))
    headers = {"Origin": world.url, "Sec-Fetch-Site": "same-origin"}
    assert browser.post("/api/v1/devices", json={"name": "Own"}, headers=headers).status_code == 201
    behind_a_proxy = {"Origin": "https://inbox.example", "X-Forwarded-Host": "inbox.example"}
    assert browser.post("/api/v1/devices", json={"name": "Own"}, headers=behind_a_proxy).status_code == 201


@pytest.mark.parametrize(("role", "allowed"), [("viewer", "read"), ("agent", "send"), ("admin", "admin")])
def test_a_role_is_a_scope(world: World, tenant: Tenant, role: str, allowed: str) -> None:
    browser = world.signed_in(world.user(tenant, role=role))
    chat = tenant.chat(tenant.device())
    assert browser.get(f"/api/v1/chats/{chat.id}").status_code == 200
    assert browser.post(f"/api/v1/chats/{chat.id}/read").status_code == (403 if allowed == "read" else 200)
    assert browser.post("/api/v1/devices", json={"name": "New"}).status_code == (201 if allowed == "admin" else 403)


def test_zone_language_and_keys_are_the_persons_in_every_browser(world: World, tenant: Tenant) -> None:
    email = world.user(tenant)
    browser, other = world.signed_in(email), world.signed_in(email)
    changed = browser.patch(SESSION, json={"time_zone": "Europe/London", "language": "ms"})
    assert changed.status_code == 200, changed.text
    shown = other.get(SESSION).json()
    assert (shown["time_zone"], shown["language"]) == ("Europe/London", "ms")
    assert browser.patch(SESSION, json={"time_zone": None}).json()["time_zone"] == shown["time_zone_default"]
    assert (other.get(SESSION).json()["language"], shown["single_keys"]) == ("ms", True)
    assert browser.patch(SESSION, json={"single_keys": False}).json()["language"] == "ms"
    assert other.get(SESSION).json()["single_keys"] is False


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", "", "\0"])
def test_a_zone_that_is_none_is_refused_by_name(world: World, tenant: Tenant, zone: str) -> None:
    answer = world.signed_in(world.user(tenant)).patch(SESSION, json={"time_zone": zone})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "time_zone"), answer.text
