"""Limits, memory, disk and clock: each lack is named with what would help."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from wafast.doctor import machine
from wafast.doctor.machine import GIB, Machine
from wafast.doctor.trouble import Note, Trouble

ROOMY = Machine(
    files=1_000_000,
    processes=None,
    pids=None,
    threads=190_000,
    mappings=65_530,
    available_bytes=20 * GIB,
    memory_bytes=24 * GIB,
    clock_is_kept=True,
)


@pytest.mark.parametrize("check", [machine.files, machine.threads, machine.mappings, machine.memory])
def test_a_roomy_machine_has_no_trouble_with_three_thousand_devices(check: Callable[[Machine, int], str]) -> None:
    assert check(ROOMY, 3000)


@pytest.mark.parametrize(
    ("check", "lack", "said"),
    [
        (machine.files, {"files": 16_384}, ("16384", "21200", "LimitNOFILE", "WAFAST_WORKERS")),
        (machine.threads, {"processes": 3000}, ("this user may have 3000", "3200", "LimitNPROC")),
        (machine.threads, {"pids": 2048}, ("this control group may have 2048", "TasksMax", "--pids-limit")),
        (machine.threads, {"threads": 3100}, ("this machine may have 3100", "sysctl kernel.threads-max")),
        (machine.mappings, {"mappings": 20_000}, ("20000", "22000", "sysctl vm.max_map_count=44000")),
        (machine.memory, {"available_bytes": GIB}, ("1.0 GiB of 24.0 GiB", "1.5 GiB", "add memory")),
    ],
)
def test_a_limit_that_so_many_devices_exceed_is_trouble(
    check: Callable[[Machine, int], str], lack: dict[str, int], said: tuple[str, ...]
) -> None:
    narrow = msgspec.structs.replace(ROOMY, **lack)
    with pytest.raises(Trouble) as trouble:
        check(narrow, 3000)
    assert all(words in str(trouble.value) for words in (*said, "3000 devices"))
    assert check(narrow, 100)


def test_a_clock_nobody_keeps_is_noted() -> None:
    assert machine.clock(ROOMY) == "kept right"
    assert machine.clock(msgspec.structs.replace(ROOMY, clock_is_kept=None))
    with pytest.raises(Note, match="chrony"):
        machine.clock(msgspec.structs.replace(ROOMY, clock_is_kept=False))


def test_a_full_disk_is_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine.disk(tmp_path, "media").startswith(str(tmp_path))
    usage = namedtuple("usage", ("total", "used", "free"))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(GIB, GIB, 1 << 20))
    with pytest.raises(Trouble, match=r"0\.0 GiB free, at least 2\.0 GiB are wanted for media: make room"):
        machine.disk(tmp_path, "media")


def test_what_is_read_is_what_the_kernel_says() -> None:
    read = machine.read()
    assert read.files == resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert read.mappings == int(Path("/proc/sys/vm/max_map_count").read_text("ascii"))
    assert read.threads == int(Path("/proc/sys/kernel/threads-max").read_text("ascii"))
    assert 0 < read.available_bytes <= read.memory_bytes <= os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def test_a_lowered_limit_is_seen() -> None:
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (500, 500));"
        "from wafast.doctor import machine; print(machine.read().files)"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "500\n"


@pytest.mark.parametrize(
    ("lines", "files", "expected"),
    [
        ("0::/box/service\n", {"box/pids.max": "512", "box/service/pids.max": "max"}, 512),
        ("8:pids:/box\n0::/\n", {"pids/box/pids.max": "77"}, 77),
        ("8:cpu:/box\n0::/\n", {"pids.max": "max"}, None),
    ],
)
def test_the_narrowest_control_group_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: str, files: dict[str, str], expected: int | None
) -> None:
    (tmp_path / "cgroup").write_text(lines, "ascii")
    for name, text in files.items():
        (tmp_path / "fs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "fs" / name).write_text(text + "\n", "ascii")
    monkeypatch.setattr(machine, "GROUPS", tmp_path / "fs")
    monkeypatch.setattr(machine, "OWN_GROUPS", tmp_path / "cgroup")
    found = machine.narrowest("pids", "pids.max", "pids.max")
    assert (found and found[0]) == expected
