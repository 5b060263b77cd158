"""Workers are killed, hang, are restarted one by one, and one device takes its worker down: the others go on."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.fleet import Fleet
from tests.system import run
from wafast.devices import lease
from wafast.devices.lease import CRASHES

LEFT = ("sent", "delivered", "read")
LATE = "the heartbeat came late: devices may be others' by now"


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    folder = Path(tempfile.mkdtemp(prefix="wafast-fleet-"))
    folder.chmod(0o755)
    fleet = Fleet(folder)
    yield fleet
    fleet.end()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def paired(fleet: Fleet) -> list[str]:
    """Six."""
    return fleet.pair(6)


@pytest.fixture
def devices(fleet: Fleet, paired: list[str]) -> list[str]:
    """Six that are online, three in each worker: whoever was taken away by the test before is there again, and no line
    moves by itself."""
    fleet.until(lambda: sorted(Counter(fleet.holders().values()).values()) == [3, 3], "three devices in each worker")
    fleet.until_online(paired)
    return paired


def changes(fleet: Fleet, device_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = fleet.ask("GET", f"/devices/{device_id}/changes")["items"]
    return found


def test_a_killed_worker_loses_its_devices_to_others(fleet: Fleet, devices: list[str]) -> None:
    held = fleet.holders()
    pid = fleet.signal("loopback worker 1", signal.SIGKILL)
    lost = [one for one in devices if held[one] == pid]
    assert 0 < len(lost) < len(devices)
    fleet.until(lambda: pid not in fleet.holders().values(), "other holders")
    fleet.until_online(devices)
    for one in devices:
        fell = any(change["reason"] == lease.WORKER_DIED for change in changes(fleet, one))
        assert fell == (one in lost), "the other worker's devices notice nothing"


def test_while_the_database_stands_still_sessions_go_on_and_nobody_is_buried(fleet: Fleet, devices: list[str]) -> None:
    before = {one: changes(fleet, one)[0]["id"] for one in devices}
    held, linked = fleet.holders(), fleet.simulator.stats().handshakes
    late = len(fleet.said(LATE))
    with fleet.database_stopped():
        time.sleep(lease.EXPIRY_SECONDS + 3)
    fleet.until(lambda: len(fleet.said(LATE)) >= late + 3, "all three workers late")
    time.sleep(lease.BEAT_SECONDS)  # long enough for everybody to look at everything
    assert fleet.holders() == held
    assert {one: changes(fleet, one)[0]["id"] for one in devices} == before
    assert fleet.simulator.stats().handshakes == linked


def test_a_worker_that_hangs_is_found_and_replaced_and_nobody_gets_a_campaign_twice(
    fleet: Fleet, devices: list[str]
) -> None:
    campaign = fleet.begin_campaign(devices, 12)
    campaign.until_under_way()
    pid = fleet.signal("loopback worker 2", signal.SIGSTOP)
    fleet.until(lambda: fleet.workers()["loopback worker 2"] != pid, "another worker")
    assert fleet.said("killed: it hangs")[-1]["pid"] == pid
    fleet.until_online(devices)
    ends, arrived = campaign.until_ended(), campaign.arrived()
    assert max(arrived.values()) == 1
    for person, (state, reason) in ends.items():
        assert arrived[person] == 1 if state in LEFT else state == "unknown" and reason


def test_a_system_that_stood_still_goes_on_with_every_session_and_its_campaign_reaches_everybody_once(
    fleet: Fleet, devices: list[str]
) -> None:
    campaign = fleet.begin_campaign(devices, 12)
    campaign.until_under_way()
    before = {one: changes(fleet, one)[0]["id"] for one in devices}
    held, linked, killed = fleet.holders(), fleet.simulator.stats().handshakes, len(fleet.said("killed: it hangs"))
    with fleet.stopped():
        time.sleep(lease.EXPIRY_SECONDS + 3)
    ends = campaign.until_ended()
    assert {state for state, _ in ends.values()} <= set(LEFT)
    assert campaign.arrived() == dict.fromkeys(ends, 1)
    assert len(fleet.said("killed: it hangs")) == killed
    assert fleet.holders() == held
    assert {one: changes(fleet, one)[0]["id"] for one in devices} == before
    assert fleet.simulator.stats().handshakes == linked


def test_an_api_process_that_hangs_is_found_and_replaced(fleet: Fleet, devices: list[str]) -> None:
    def pids() -> list[int]:
        return [line["pid"] for line in fleet.said("started") if line["child"] == "api"]

    before = pids()
    os.kill(before[-1], signal.SIGSTOP)
    fleet.until(lambda: len(pids()) > len(before), "another one")
    fleet.until(lambda: fleet.system.answers("/readyz"), "its answer")
    assert [line["pid"] for line in fleet.said("killed: it hangs")].count(before[-1]) == 1
    assert fleet.online() >= set(devices)


def test_workers_are_restarted_one_by_one(fleet: Fleet, devices: list[str]) -> None:
    before = fleet.workers()
    run(fleet.system.data_dir, "restart")
    fleet.until(lambda: len(fleet.said("restarted")) >= 3, "all workers restarted")
    now = fleet.workers()
    assert all(now[name] != pid for name, pid in before.items() if "trial" not in name)
    order = [line["child"] for line in fleet.said("restarted")]
    assert order == ["whatsapp worker 1", "loopback worker 1", "loopback worker 2"], "no device, no second worker"
    fleet.until_online(devices)


def test_one_line_of_many_that_ends_is_its_own_affair(fleet: Fleet, devices: list[str]) -> None:
    [unlinked] = fleet.pair(1)
    ended, others = [*devices[:2], unlinked], devices[2:]
    replaced, banned, logged_out = (fleet.device(one)["phone"].removeprefix("+") for one in ended)
    before = {one: changes(fleet, one)[0]["id"] for one in others}
    fleet.simulator.replaced(replaced)
    fleet.simulator.ban(banned, 101, 7200)
    fleet.simulator.drop(banned)
    fleet.simulator.logout(logged_out)
    ends = ["replaced", "banned", "logged_out"]
    fleet.until(lambda: [fleet.device(one)["state"] for one in ended] == ends, "three ends")
    assert {one: changes(fleet, one)[0]["id"] for one in others} == before
    fleet.ask("DELETE", f"/devices/{unlinked}")
    fleet.simulator.clear(banned)
    for one in devices[:2]:
        fleet.ask("POST", f"/devices/{one}/connect")
    fleet.until_online(devices)


def test_a_cut_of_all_lines_at_once_ends_with_all_online_after_a_dial_of_each(fleet: Fleet, devices: list[str]) -> None:
    held, linked = fleet.holders(), fleet.simulator.stats().handshakes
    before = {one: changes(fleet, one)[0]["id"] for one in devices}
    fleet.simulator.drop()
    fleet.until(lambda: all(changes(fleet, one)[0]["id"] != before[one] for one in devices), "every line lost")
    fleet.until_online(devices)
    assert fleet.simulator.stats().handshakes == linked + len(devices)
    assert fleet.holders() == held


def test_lines_whose_sockets_stay_open_but_say_nothing_are_not_online(fleet: Fleet, devices: list[str]) -> None:
    fleet.simulator.latency(600_000)
    try:
        fleet.until(lambda: not fleet.online() & set(devices), "silent lines offline")
    finally:
        fleet.simulator.latency(0)
    fleet.until_online(devices)


def test_a_database_that_is_restarted_under_them_takes_no_line_from_its_worker(
    fleet: Fleet, devices: list[str]
) -> None:
    before = {one: changes(fleet, one)[0]["id"] for one in devices}
    held, linked = fleet.holders(), fleet.simulator.stats().handshakes
    restarts = len(fleet.said("the database is gone, will be restarted"))
    fleet.kill_database()
    fleet.until(lambda: len(fleet.said("the database is gone, will be restarted")) > restarts, "its restart")
    fleet.until(lambda: fleet.system.answers("/readyz"), "the API's answer")
    time.sleep(lease.BEAT_SECONDS + lease.BURY_SECONDS)  # long enough for everybody to look at everything
    assert fleet.holders() == held
    assert {one: changes(fleet, one)[0]["id"] for one in devices} == before
    assert fleet.simulator.stats().handshakes == linked


def test_a_supervisor_that_is_killed_and_started_again_has_every_line_online(fleet: Fleet, devices: list[str]) -> None:
    fleet.system.stop(signal.SIGKILL)
    fleet.until(lambda: not fleet.system.processes(), "the end of all it had started")
    fleet.system.start()
    fleet.system.wait_ready()
    fleet.until_online(devices)


def test_a_device_that_takes_its_worker_down_again_and_again_is_quarantined(fleet: Fleet, devices: list[str]) -> None:
    [poisoned] = fleet.pair(1)
    number = fleet.device_no(poisoned)
    fleet.ask("POST", f"/devices/{poisoned}/disconnect")
    fleet.until(lambda: fleet.device(poisoned)["state"] == "offline", "offline")
    (fleet.poison / str(number)).touch()
    fleet.ask("POST", f"/devices/{poisoned}/connect")
    fleet.until(lambda: "Quarantined" in (fleet.device(poisoned)["state_reason"] or ""), "a verdict")
    deaths = [line for line in fleet.said("ended, will be restarted") if line["exit_code"] == -signal.SIGABRT]
    assert len(deaths) == CRASHES
    assert {line["child"] for line in deaths[1:]} == {"loopback trial worker"}, "the others notice once"
    fleet.until_online(devices)
    (fleet.poison / str(number)).unlink()
    fleet.ask("POST", f"/devices/{poisoned}/connect")
    fleet.until_online([*devices, poisoned])
