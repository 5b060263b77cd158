"""How the doctor puts its checks together and shows what they found."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import msgspec
import pytest

from tests.unit.doctor.test_leases import ALIVE, QUIET
from tests.unit.doctor.test_machine import ROOMY
from wafast import settings
from wafast.cli import doctor
from wafast.doctor import machine
from wafast.doctor.database import Database, Devices
from wafast.doctor.trouble import Note, Trouble
from wafast.settings import Settings


@pytest.fixture
def ours(tmp_path: Path) -> Settings:
    return settings.load({"data_dir": str(tmp_path), "workers": "3"}, environment={}, env_file=tmp_path / "no.env")


def found(fault: Exception | None) -> str:
    if fault is not None:
        raise fault
    return "fine"


def with_checks(monkeypatch: pytest.MonkeyPatch, **faults: Exception | None) -> None:
    checks = [(name, partial(found, fault)) for name, fault in faults.items()]
    monkeypatch.setattr(doctor, "_checks", lambda _settings: iter(checks))


def test_one_trouble_is_no_end_and_makes_it_unwell(
    ours: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with_checks(monkeypatch, disk=Trouble("full: make room"), clock=Note("nobody keeps it"), core=None)
    assert doctor.examine(ours) is False
    assert capsys.readouterr().out.splitlines() == [
        "  TROUBLE  disk         full: make room",
        "  note     clock        nobody keeps it",
        "  ok       core         fine",
    ]


def test_a_note_alone_is_well_and_all_can_be_had_as_json(
    ours: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with_checks(monkeypatch, clock=Note("nobody keeps it"))
    assert doctor.examine(ours, as_json=True) is True
    assert json.loads(capsys.readouterr().out) == {
        "ok": True,
        "checks": [{"check": "clock", "level": "note", "text": "nobody keeps it"}],
    }


@pytest.mark.parametrize(("alive", "share"), [(2, 1500), (1, 3000), (0, 1000)])
def test_limits_of_one_process_are_held_against_the_fullest_worker(
    ours: Settings, monkeypatch: pytest.MonkeyPatch, alive: int, share: int
) -> None:
    """Workers that live share the devices; before the first start those that will be started do."""
    monkeypatch.setattr(machine, "read", lambda: ROOMY)
    busy = msgspec.structs.replace(QUIET, devices=[Devices("loopback", 3000, 2000)], workers=[ALIVE] * alive)
    said = {name: check() for name, check in doctor._of_machine(ours, busy) if name != "clock"}
    assert f"{machine.FILES_BESIDE + machine.FILES_A_DEVICE * share} wanted" in said["open files"]
    assert f"{machine.MAPPINGS_BESIDE + machine.MAPPINGS_A_DEVICE * share} wanted" in said["mappings"]
    assert f"{machine.THREADS_BESIDE + machine.THREADS_A_DEVICE * 3000} wanted" in said["threads"]


def test_only_devices_that_are_not_online_yet_want_memory(ours: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    full = msgspec.structs.replace(ROOMY, available_bytes=1 << 20)
    monkeypatch.setattr(machine, "read", lambda: full)

    def memory(online: int) -> str:
        facts: Database = msgspec.structs.replace(QUIET, devices=[Devices("loopback", 3000, online)])
        return dict(doctor._of_machine(ours, facts))["memory"]()

    assert memory(3000)
    with pytest.raises(Trouble, match="500 devices that are not online yet"):
        memory(2500)


def test_a_system_without_its_database_is_trouble(ours: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor._ask(ours, runs=False) == (None, "embedded, made at the first start")
    with pytest.raises(Trouble, match="wafast runs, but its database does not answer"):
        doctor._ask(ours, runs=True)
    (ours.data_dir / "postgres").mkdir()
    (ours.data_dir / "postgres" / "PG_VERSION").touch()
    assert doctor._ask(ours, runs=False) == (None, "embedded, stopped")
