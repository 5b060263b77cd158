"""Many devices at once: what is done, what is skipped and why, and how many there are."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.integration.api.world import Device, Tenant

DEVICES = "/api/v1/devices"
BULK = f"{DEVICES}/bulk"


def _bulk(tenant: Tenant, action: str, devices: list[Device], **more: Any) -> dict[str, Any]:
    body = {"action": action, "device_ids": [str(device.id) for device in devices], **more}
    answer = tenant.client().post(BULK, json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def _ids(*devices: Device) -> list[str]:
    return [str(device.id) for device in devices]


def _reasons(answer: dict[str, Any]) -> dict[str, str]:
    return {one["device_id"]: one["reason"] for one in answer["skipped"]}


def _desired(tenant: Tenant, device: Device) -> str:
    found: str = tenant.world.sql("SELECT desired_state FROM devices WHERE id = $1", device.id)
    return found


def _tags(tenant: Tenant, device: Device) -> list[str]:
    found: list[str] = tenant.world.sql("SELECT tags FROM devices WHERE id = $1", device.id)
    return found


def test_connecting_many_tells_what_was_done_and_what_was_not(tenant: Tenant) -> None:
    one, connected, new, over = (tenant.device(), tenant.device(), tenant.device(paired=False), tenant.device())
    tenant.world.sql("UPDATE devices SET desired_state = 'connected', retry_at = now() WHERE id = $1", connected.id)
    tenant.world.sql("UPDATE devices SET state = 'logged_out' WHERE id = $1", over.id)
    gone = str(uuid4())
    body = {"action": "connect", "device_ids": [*_ids(one, connected, new, over), gone, "no id"]}
    answer = tenant.client().post(BULK, json=body).json()
    assert (answer["changed"], answer["unchanged"], answer["next"]) == (_ids(one), _ids(connected), None)
    assert _reasons(answer) == {
        str(new.id): "never_paired", str(over.id): "logged_out", gone: "not_found", "no id": "not_found",
    }  # fmt: skip
    assert all(skipped["detail"] for skipped in answer["skipped"])
    assert [_desired(tenant, device) for device in (one, connected, new)] == ["connected", "connected", "disconnected"]
    assert tenant.world.sql("SELECT retry_at FROM devices WHERE id = $1", connected.id) is None


def _pacing(tenant: Tenant, device: Device) -> dict[str, Any]:
    found: dict[str, Any] = tenant.client().get(f"{DEVICES}/{device.id}").json()["pacing"]
    return found


def test_many_get_a_pace_and_keep_what_is_not_named(tenant: Tenant) -> None:
    plain, slow = tenant.device(), tenant.device()
    tenant.world.sql("UPDATE devices SET per_hour = 10, per_day = 40 WHERE id = $1", slow.id)
    change = {"per_hour": 10, "quiet_from": "21:00", "quiet_until": "08:00"}
    assert sorted(_bulk(tenant, "set_pacing", [plain, slow], pacing=change)["changed"]) == sorted(_ids(plain, slow))
    for device, per_day in ((plain, 800), (slow, 40)):
        pace = _pacing(tenant, device)
        assert (pace["per_hour"], pace["per_day"], pace["quiet_from"], pace["min_seconds"]) == (10, per_day, "21:00", 5)
    assert _bulk(tenant, "set_pacing", [plain, slow], pacing=change)["unchanged"] == _ids(plain, slow)
    back = {"quiet_from": None, "quiet_until": None}
    assert _bulk(tenant, "set_pacing", [slow], pacing=back)["changed"] == _ids(slow)
    assert _pacing(tenant, slow)["quiet_until"] is None
    noted = tenant.world.sql(
        "SELECT count(*) FROM audit_log WHERE tenant_id = $1 AND action = 'device.set_pacing'", tenant.id
    )
    assert noted == 3


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({}, "pacing"),
        ({"pacing": {}}, "pacing"),
        ({"pacing": {"min_seconds": 20}}, "pacing.max_seconds"),
        ({"pacing": {"max_seconds": 20}}, "pacing.min_seconds"),
        ({"pacing": {"min_seconds": 20, "max_seconds": 10}}, "pacing.max_seconds 10"),
        ({"pacing": {"quiet_from": "21:00"}}, "pacing.quiet_until"),
        ({"pacing": {"quiet_from": "21:00", "quiet_until": "21:00"}}, "pacing.quiet_until '21:00'"),
        ({"pacing": {"per_hour": 0}}, "pacing.per_hour"),
        ({"pacing": {"per_hour": 1}, "tags": ["kl"]}, "tags"),
        ({"action": "connect", "pacing": {"per_hour": 1}}, "pacing"),
    ],
    ids=str,
)
def test_a_pace_for_many_that_makes_no_sense_is_refused(tenant: Tenant, more: dict[str, Any], named: str) -> None:
    device = tenant.device()
    body = {"action": "set_pacing", "device_ids": _ids(device), **more}
    answer = tenant.client().post(BULK, json=body)
    assert (answer.status_code, named in answer.json()["detail"]) == (400, True), answer.text
    assert tenant.client("send").post(BULK, json={**body, "pacing": {"per_hour": 1}}).status_code in (400, 403)
    assert _pacing(tenant, device)["per_hour"] == 80


def test_disconnecting_takes_back_what_connecting_changed(tenant: Tenant) -> None:
    devices = [tenant.device() for _ in range(3)]
    changed = _bulk(tenant, "connect", devices)["changed"]
    assert sorted(changed) == sorted(_ids(*devices))
    back = tenant.client("send").post(BULK, json={"action": "disconnect", "device_ids": changed}).json()
    assert sorted(back["changed"]) == sorted(changed)
    assert {_desired(tenant, device) for device in devices} == {"disconnected"}


def test_one_named_twice_is_one(tenant: Tenant) -> None:
    device = tenant.device()
    twice = [str(device.id), str(device.id).upper()]
    answer = tenant.client().post(BULK, json={"action": "connect", "device_ids": twice}).json()
    assert (answer["changed"], answer["unchanged"], answer["skipped"]) == ([str(device.id)], [], [])


def test_tags_are_added_and_removed_without_regard_to_case(tenant: Tenant) -> None:
    plain, tagged = tenant.device(), tenant.device()
    tenant.world.sql("UPDATE devices SET tags = '{North,VIP}' WHERE id = $1", tagged.id)
    added = _bulk(tenant, "add_tags", [plain, tagged], tags=[" vip ", "KL", "kl", "  "])
    assert sorted(added["changed"]) == sorted(_ids(plain, tagged))
    assert (_tags(tenant, plain), _tags(tenant, tagged)) == (["vip", "KL"], ["North", "VIP", "KL"])
    assert _bulk(tenant, "add_tags", [tagged], tags=["north"])["unchanged"] == _ids(tagged)
    removed = _bulk(tenant, "remove_tags", [plain, tagged], tags=["NORTH"])
    assert (removed["changed"], removed["unchanged"]) == (_ids(tagged), _ids(plain))
    assert _tags(tenant, tagged) == ["VIP", "KL"]


def test_a_device_has_no_more_tags_than_it_can_have(tenant: Tenant) -> None:
    full = tenant.device()
    tenant.world.sql("UPDATE devices SET tags = $2 WHERE id = $1", full.id, [f"t{number}" for number in range(100)])
    answer = _bulk(tenant, "add_tags", [full], tags=["one more"])
    assert _reasons(answer) == {str(full.id): "too_many_tags"}
    assert len(_tags(tenant, full)) == 100


def test_deleting_many_takes_everything_with_them(tenant: Tenant) -> None:
    devices = [tenant.device() for _ in range(27)]  # more than one transaction takes
    kept = tenant.device()
    for device in (*devices, kept):
        tenant.message(tenant.chat(device))
        tenant.outbox(device)
    answer = _bulk(tenant, "delete", devices)
    assert (sorted(answer["changed"]), answer["skipped"]) == (sorted(_ids(*devices)), [])
    assert [one["id"] for one in tenant.client().get(DEVICES).json()["items"]] == _ids(kept)
    for table in ("messages", "chats", "outbox"):
        assert tenant.world.sql(f"SELECT count(*) FROM {table} WHERE tenant_id = $1", tenant.id) == 1
    assert set(_reasons(_bulk(tenant, "delete", devices)).values()) == {"not_found"}


def test_devices_of_another_workspace_and_out_of_reach_are_not_found_and_not_touched(
    tenant: Tenant, stranger: Tenant
) -> None:
    theirs, near, far = stranger.device(), tenant.device(), tenant.device()
    limited = tenant.client("admin", [near.id])
    for action, more in (("connect", {}), ("add_tags", {"tags": ["x"]}), ("logout", {}), ("delete", {})):
        body = {"action": action, "device_ids": _ids(theirs, far), **more}
        answer = limited.post(BULK, json=body).json()
        assert (answer["changed"], answer["unchanged"]) == ([], []), action
        assert _reasons(answer) == {str(theirs.id): "not_found", str(far.id): "not_found"}
        everything = limited.post(BULK, json={"action": action, "filter": {}, **more}).json()
        assert everything["changed"] == _ids(near), action
    for device in (theirs, far):
        assert (_desired(tenant, device), _tags(tenant, device)) == ("disconnected", [])
    assert tenant.world.sql("SELECT count(*) FROM devices WHERE id = $1", near.id) == 0


@pytest.mark.parametrize("action", ["logout", "delete", "add_tags", "remove_tags"])
def test_what_changes_a_device_needs_the_scope_admin(tenant: Tenant, action: str) -> None:
    device = tenant.device()
    answer = tenant.client("send").post(BULK, json={"action": action, "device_ids": _ids(device), "tags": ["x"]})
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:wafast:problem:missing-scope")
    assert (_desired(tenant, device), _tags(tenant, device)) == ("disconnected", [])


def test_a_filter_names_the_devices_and_goes_on_behind_the_last(tenant: Tenant) -> None:
    tenant.world.sql(
        "INSERT INTO devices (tenant_id, name, network, state, jid, tags)"
        " SELECT $1, 'Line ' || n, 'whatsapp', 'offline', n || '@s.whatsapp.net',"
        " CASE WHEN n > 2 THEN '{Many}'::text[] ELSE '{}' END FROM generate_series(1, 1005) n",
        tenant.id,
    )
    body: dict[str, Any] = {"action": "connect", "filter": {"tag": "many", "state": "offline"}}
    first = tenant.client().post(BULK, json=body).json()
    assert (len(first["changed"]), first["skipped"]) == (1000, [])
    rest = tenant.client().post(BULK, json={**body, "after": first["next"]}).json()
    assert (len(rest["changed"]), rest["next"]) == (3, None)
    counted = "SELECT count(*) FROM devices WHERE tenant_id = $1 AND desired_state = 'connected'"
    assert tenant.world.sql(counted, tenant.id) == 1003
    none = tenant.client().post(BULK, json={"action": "connect", "filter": {"search": "nothing"}}).json()
    assert (none["changed"], none["unchanged"], none["skipped"]) == ([], [], [])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"action": "connect"}, "device_ids"),
        ({"action": "connect", "device_ids": [], "filter": {}}, "device_ids"),
        ({"action": "connect", "device_ids": ["x"], "filter": {}}, "device_ids"),
        ({"action": "connect", "device_ids": []}, "device_ids"),
        ({"action": "connect", "device_ids": ["x"] * 1001}, "device_ids"),
        ({"action": "connect", "device_ids": ["x"], "after": "WzFd"}, "after"),
        ({"action": "connect", "filter": {}, "after": "x"}, "after"),
        ({"action": "connect", "filter": {"colour": "red"}}, "colour"),
        ({"action": "explode", "device_ids": ["x"]}, "explode"),
        ({"action": "connect", "device_ids": ["x"], "tags": ["a"]}, "tags"),
        ({"action": "add_tags", "device_ids": ["x"]}, "tags"),
        ({"action": "add_tags", "device_ids": ["x"], "tags": ["  "]}, "tags"),
        ({"action": "add_tags", "device_ids": ["x"], "tags": ["x" * 101]}, "tags"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_wrong_request_says_which_field(tenant: Tenant, body: dict[str, Any], field: str) -> None:
    answer = tenant.client().post(BULK, json=body)
    assert answer.status_code == 400
    assert field in answer.json()["detail"]


def test_a_repeated_request_is_done_once(tenant: Tenant) -> None:
    device = tenant.device()
    body = {"action": "add_tags", "device_ids": _ids(device), "tags": ["x"]}
    headers = {"Idempotency-Key": "tags-1"}
    first = tenant.client().post(BULK, json=body, headers=headers)
    again = tenant.client().post(BULK, json=body, headers=headers)
    assert first.json()["changed"] == again.json()["changed"] == _ids(device)
    assert again.headers["idempotency-replayed"] == "true"
    other = tenant.client().post(BULK, json={**body, "tags": ["y"]}, headers=headers)
    assert other.status_code == 422


def test_every_changed_device_is_in_the_audit_log_with_who_did_it(tenant: Tenant) -> None:
    devices = [tenant.device(name=f"Line {number}") for number in range(3)]
    _bulk(tenant, "connect", [*devices, tenant.device(paired=False)])
    _bulk(tenant, "add_tags", devices[:1], tags=["vip"])
    logged = tenant.world.sql(
        "SELECT jsonb_agg(jsonb_build_array(action, subject, detail) ORDER BY id) FROM audit_log WHERE tenant_id = $1",
        tenant.id,
    )
    assert sorted(logged[:3]) == sorted(
        ["device.connected", f"device:{device.id}", {"name": f"Line {number}"}] for number, device in enumerate(devices)
    )
    assert logged[3:] == [["device.add_tags", f"device:{devices[0].id}", {"name": "Line 0", "tags": ["vip"]}]]


def test_the_list_by_tag_and_by_desired_state(tenant: Tenant) -> None:
    sales, other = tenant.device(), tenant.device()
    _bulk(tenant, "add_tags", [sales], tags=["Sales"])
    _bulk(tenant, "connect", [other])
    client = tenant.client("read")

    def found(**query: str) -> list[str]:
        return [one["id"] for one in client.get(DEVICES, params=query).json()["items"]]

    assert found(tag="sALES") == found(desired_state="disconnected") == _ids(sales)
    assert found(desired_state="connected") == _ids(other)
    assert found(tag="sal") == found(tag="sales", desired_state="connected") == []
    assert client.get(DEVICES, params={"desired_state": "banned"}).status_code == 400


def test_the_summary_counts_states_and_tags_of_what_the_caller_sees(tenant: Tenant, stranger: Tenant) -> None:
    devices = [tenant.device(), tenant.device(), tenant.device(paired=False)]
    _bulk(tenant, "add_tags", devices[:2], tags=["Sales"])
    tenant.world.sql("UPDATE devices SET tags = '{sales,North}' WHERE id = $1", devices[2].id)
    _bulk(tenant, "connect", devices)
    stranger.device()
    summary = tenant.client("read").get(f"{DEVICES}/summary").json()
    assert summary["total"] == 3
    assert summary["states"] == dict.fromkeys(
        ["pairing", "connecting", "offline", "logged_out", "banned", "replaced", "outdated"], 0
    ) | {"online": 2, "new": 1}
    assert summary["desired_states"] == {"connected": 2, "disconnected": 1, "logged_out": 0}
    assert [(one["tag"].lower(), one["devices"]) for one in summary["tags"]] == [("sales", 3), ("north", 1)]
    limited: list[UUID] = [devices[2].id]
    assert tenant.client("read", limited).get(f"{DEVICES}/summary").json()["total"] == 1
