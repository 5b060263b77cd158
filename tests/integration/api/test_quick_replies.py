"""Quick replies: one list a workspace, by name."""

from __future__ import annotations

import pytest

from tests.integration.api.world import Tenant

QUICK = "/api/v1/quick-replies"


def test_the_team_shares_them_by_name(tenant: Tenant, stranger: Tenant) -> None:
    client = tenant.client("send")
    for name in ("/Bank", "address", "thanks"):
        answer = client.post(QUICK, json={"name": name, "text": f"{name} for {{name}}"})
        assert answer.status_code == 201, answer.text
    first = tenant.client("read").get(QUICK, params={"limit": "2"}).json()
    rest = tenant.client("read").get(QUICK, params={"limit": "2", "after": first["next"]}).json()
    assert [one["name"] for one in first["items"] + rest["items"]] == ["address", "bank", "thanks"]
    assert stranger.client("read").get(QUICK).json()["items"] == []
    bank = first["items"][1]
    changed = client.patch(f"{QUICK}/{bank['id']}", json={"text": "Maybank"}).json()
    assert (changed["name"], changed["text"]) == ("bank", "Maybank")
    assert client.delete(f"{QUICK}/{bank['id']}").status_code == 204
    assert client.delete(f"{QUICK}/{bank['id']}").status_code == 404
    log = tenant.world.sql(
        "SELECT array_agg(action || ' ' || (detail ->> 'name') ORDER BY id) FROM audit_log"
        " WHERE tenant_id = $1 AND subject = $2",
        tenant.id, f"quick_reply:{bank['id']}",
    )  # fmt: skip
    assert log == ["quick_reply.create bank", "quick_reply.change bank", "quick_reply.delete bank"]


def test_a_name_is_one_word_in_any_script(tenant: Tenant) -> None:
    for name in ("வங்கி", "بنك", "银行", "po-box_2"):
        answer = tenant.client("send").post(QUICK, json={"name": name, "text": "x"})
        assert (answer.status_code, answer.json().get("name")) == (201, name)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "two words", "text": "x"}, 400),
        ({"name": "/", "text": "x"}, 400),
        ({"name": "n" * 41, "text": "x"}, 400),
        ({"name": "1\ufe0f\u20e3", "text": "x"}, 400),
        ({"name": "x", "text": " "}, 400),
        ({"name": "THANKS", "text": "x"}, 409),
    ],
    ids=lambda value: None,
)
def test_what_can_not_be_saved(tenant: Tenant, body: dict[str, str], status: int) -> None:
    tenant.client("send").post(QUICK, json={"name": "thanks", "text": "You're welcome"})
    answer = tenant.client("send").post(QUICK, json=body)
    assert answer.status_code == status, answer.text
    other = tenant.client("send").post(QUICK, json={"name": "other", "text": "x"}).json()
    assert tenant.client("send").patch(f"{QUICK}/{other['id']}", json={"name": "thanks"}).status_code == 409
