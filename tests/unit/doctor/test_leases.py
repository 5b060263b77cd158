"""The lease table as the doctor reads it."""

from __future__ import annotations

import msgspec
import pytest

from tests.unit.doctor.test_database import SOUND
from wafast.devices.lease import EXPIRY_SECONDS
from wafast.doctor import leases
from wafast.doctor.database import Database, GivenUp, Stuck, Suspected, Unheld, Worker
from wafast.doctor.machine import MIB
from wafast.doctor.trouble import Note, Trouble

ALIVE = Worker(
    id="0b9f", network="loopback", node="elsewhere", pid=7, late=1.0 - EXPIRY_SECONDS, rss_bytes=900 * MIB, held=1500,
    home="kl-1",
)  # fmt: skip
HERE = "kl-1"
QUIET = Database(server=SOUND, workers=[ALIVE])


def test_workers_that_live_are_counted() -> None:
    assert leases.workers(QUIET) == "1 loopback; 1500 devices held, oldest heartbeat 1 s ago"
    assert leases.workers(Database(server=SOUND)) == "none"
    released = msgspec.structs.replace(ALIVE, late=100.0, held=0)
    assert leases.workers(Database(server=SOUND, workers=[released])) == "none"


def test_a_dead_worker_that_holds_devices_is_trouble() -> None:
    dead = msgspec.structs.replace(ALIVE, late=40.0)
    with pytest.raises(Trouble) as trouble:
        leases.workers(msgspec.structs.replace(QUIET, workers=[ALIVE, dead]))
    assert "has not beaten for 40 s too long and still holds 1500 devices" in str(trouble.value)


def test_devices_without_a_holder_are_trouble_while_wafast_runs() -> None:
    lost = msgspec.structs.replace(QUIET, unheld=[Unheld("Shop", "loopback")])
    with pytest.raises(Trouble, match=r"held by nobody: 1 device \(Shop\); a worker takes them"):
        leases.holders(lost, HERE, system_runs=True)
    assert leases.holders(lost, HERE, system_runs=False) == "to be online when wafast runs: 1 device"
    nobody = msgspec.structs.replace(lost, workers=[])
    with pytest.raises(Trouble, match="no worker of network loopback lives: start one"):
        leases.holders(nobody, HERE, system_runs=True)
    assert leases.holders(QUIET, HERE, system_runs=True)


def test_devices_whose_session_files_lie_where_no_wafast_runs_are_trouble_of_their_own() -> None:
    devices = [Unheld("Shop", "loopback", "kl-1"), Unheld("Hut", "loopback", "kl-2"), Unheld("Bar", "loopback", None)]
    lost = msgspec.structs.replace(QUIET, unheld=devices)
    with pytest.raises(Trouble, match=r"no wafast runs: 1 device \(Hut; kl-2\): start it there, or move the files"):
        leases.homes(lost, HERE)
    with pytest.raises(Trouble, match=r"held by nobody: 2 devices \(Shop, Bar\)"):
        leases.holders(lost, HERE, system_runs=True)
    both = [ALIVE, msgspec.structs.replace(ALIVE, home="kl-2")]
    assert leases.homes(msgspec.structs.replace(lost, workers=both), HERE).startswith("every device")


def test_a_device_that_connects_for_minutes_is_trouble() -> None:
    assert leases.stuck(QUIET)
    with pytest.raises(Trouble, match=r"more than 5 minutes: 1 device \(Shop\), the longest for 11 \(no answer\)"):
        leases.stuck(msgspec.structs.replace(QUIET, stuck=[Stuck("Shop", 660.0, "no answer")]))


def test_devices_a_worker_died_of_are_noted() -> None:
    assert leases.suspected(QUIET)
    with pytest.raises(Note, match=r"a worker died: 2 devices \(Shop, Hut\), Shop 2 times in a row; they are tried"):
        leases.suspected(msgspec.structs.replace(QUIET, suspected=[Suspected("Shop", 2), Suspected("Hut", 1)]))


def test_devices_that_wait_for_a_person_are_noted() -> None:
    assert leases.given_up(QUIET)
    waiting = [GivenUp("Shop", "banned", "wait"), GivenUp("Hut", "banned", None), GivenUp("Bar", "offline", "crashes")]
    with pytest.raises(Note, match=r"a person: 3 devices \(2 banned, 1 offline\); Shop: wait; Hut: banned; "):
        leases.given_up(msgspec.structs.replace(QUIET, given_up=waiting))


def test_a_worker_that_takes_more_than_its_devices_explain_is_trouble() -> None:
    assert leases.memory([ALIVE], "here") == "900 MiB for 1500"
    fat = msgspec.structs.replace(ALIVE, held=10)
    with pytest.raises(Trouble, match="takes 900 MiB for 10 devices, 308 would do"):
        leases.memory([ALIVE, fat], "here")
