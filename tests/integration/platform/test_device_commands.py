"""`wafast device` on a running system: lists, shows, asks one or many, pairs on the terminal."""

from __future__ import annotations

import itertools
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.database import value_of
from tests.integration.platform.test_up import wait_for
from tests.system import System, command, environment, run
from wafast.database.embedded import running_uri

_numbers = itertools.count(secrets.randbelow(10_000) * 1000)
#: What a shell says of a command that Ctrl-C ended.
INTERRUPTED = 130


class Line:
    """A workspace of the test's own on the loopback network, and `wafast device` in it."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.workspace = f"Lines {next(_numbers)}"
        self.tenant_id = self.sql(
            "INSERT INTO tenants (name, default_network) VALUES ($1, 'loopback') RETURNING id", self.workspace
        )

    def add(self, name: str, network: str = "loopback") -> int:
        """A new device; gives its number."""
        columns = "INSERT INTO devices (tenant_id, name, network) VALUES ($1, $2, $3) RETURNING no"
        no: int = self.sql(columns, self.tenant_id, name, network)
        return no

    def state(self, name: str) -> str:
        """What a device is."""
        state: str = self.sql("SELECT state FROM devices WHERE tenant_id = $1 AND name = $2", self.tenant_id, name)
        return state

    def device(self, verb: str, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a command; its exit code must be as said."""
        done = run(self.system.data_dir, "device", verb, *arguments, "--tenant", self.workspace, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def shown(self, which: str) -> dict[str, Any]:
        """`show --json`."""
        told: dict[str, Any] = json.loads(self.device("show", which, "--json").stdout)
        return told

    def pairing(self, *arguments: str) -> subprocess.Popen[str]:
        """A running `device pair` whose output goes into a pipe."""
        return subprocess.Popen(
            command(self.system.data_dir, "device", "pair", *arguments, "--tenant", self.workspace),
            env=environment(),
            cwd=self.system.data_dir,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def pair(self, name: str, proxy: str | None = None) -> str:
        """A new device, linked to a phone of its own; gives the phone."""
        phone = f"6011{next(_numbers):08}"
        self.sql("UPDATE devices SET proxy = $2 WHERE no = $1", self.add(name), proxy)
        shows = self.pairing(name)
        assert shows.stdout is not None
        self.system.simulator.scan(phone, shows.stdout.readline().strip(), name=name)
        assert shows.communicate(timeout=60) == ("paired\n", "")
        state = "SELECT state FROM devices WHERE name = $1 AND tenant_id = $2"
        wait_for(lambda: self.sql(state, name, self.tenant_id) == "online")
        return phone

    def sql(self, query: str, *arguments: object) -> Any:
        """One value of a statement."""
        uri = running_uri(self.system.data_dir)
        assert uri is not None
        return value_of(uri, query, *arguments)


@pytest.fixture
def line(system: System) -> Line:
    return Line(system)


def test_a_list_is_narrowed_by_state_tag_and_text_and_counted_by_state(line: Line) -> None:
    for name in ("Kedai Satu", "Kedai Dua", "Pejabat"):
        line.add(name)
    line.device("tag", "Kedai Satu", "Pejabat", "--add", "Sales ", "--add", "KL")
    line.device("tag", "Pejabat", "--remove", "kl")

    def names(*flags: str) -> list[str]:
        return [text.split("\t")[1] for text in line.device("list", *flags).stdout.splitlines()]

    assert names() == ["Pejabat", "Kedai Dua", "Kedai Satu"]
    assert names("--tag", "sales") == ["Pejabat", "Kedai Satu"]
    assert names("--tag", "kl") == ["Kedai Satu"]
    assert names("--search", "kedai", "--state", "new") == ["Kedai Dua", "Kedai Satu"]
    assert names("--state", "online") == []
    assert line.device("list").stderr == "3 devices: 3 new\n"
    assert "'on'" in line.device("list", "--state", "on", code=2).stderr
    told = json.loads(line.device("list", "--search", "Satu", "--json").stdout)
    assert [(row["name"], row["tags"], row["state"]) for row in told] == [("Kedai Satu", ["Sales", "KL"], "new")]


def test_a_tag_that_can_not_be_given_is_told_and_is_no_success(line: Line) -> None:
    line.add("Full")
    line.add("Empty")
    line.sql("UPDATE devices SET tags = ARRAY(SELECT 't' || n FROM generate_series(1, 100) n) WHERE name = 'Full'")
    done = line.device("tag", "Full", "Empty", "--add", "KL", "--add", "kl", code=1)
    assert (done.stdout, done.stderr) == ("tagged 1 device\n", "Full: it would have more than 100 tags\n")
    assert line.shown("Empty")["tags"] == ["KL"]
    assert "has 101 characters" in line.device("tag", "Empty", "--add", "x" * 101, code=2).stderr


def test_a_device_is_found_by_id_number_name_and_phone_and_renamed(line: Line) -> None:
    phone = line.pair("Old")
    shown = line.shown("Old")
    for which in (shown["id"], str(shown["no"]), phone, f"+{phone}"):
        assert line.shown(which)["id"] == shown["id"]
    line.device("rename", "Old", "New")
    assert "there is no device 'Old'" in line.device("show", "Old", code=2).stderr
    line.device("create", "New")
    line.device("create", " ", code=2)
    assert "2 devices are 'New': give the id" in line.device("show", "New", code=2).stderr.replace("\n", "")
    for name in (" ", "\u200b", "x" * 101):
        assert "needs a name" in line.device("rename", shown["id"], name, code=2).stderr


def test_what_is_shown_is_what_the_tables_and_the_disk_have_and_no_secret(line: Line) -> None:
    line.pair("Shop", "socks5://ali:geheim@127.0.0.1:1")
    line.device("tag", "Shop", "--add", "KL")
    shown = line.shown("Shop")
    no = shown["no"]
    worker, epoch = line.sql("SELECT (worker_id::text, epoch) FROM leases WHERE device_no = $1", no)
    assert (shown["worker_id"], shown["epoch"], shown["worker_lives"]) == (worker, epoch, True)
    assert shown["pid"] in line.system.processes()
    files = [p for p in (line.system.data_dir / "sessions").rglob(f"{shown['id']}*") if p.suffix in (".db", ".db-wal")]
    assert shown["session_file"] in map(str, files) and shown["session_bytes"] > 0
    assert (shown["state"], shown["pairing"]["state"]) == ("online", "paired")
    moves = [(move["state"], move["reason"]) for move in shown["changes"]]
    assert (moves[0], moves[-1], shown["crashes"]) == (("online", None), ("new", None), 0)
    assert [asked["action"] for asked in shown["asked"]] == ["device.add_tags", "pairing.create"]
    assert shown["proxy"] == "socks5://ali:***@127.0.0.1:1"
    text = line.device("show", "Shop").stdout
    assert "geheim" not in text and "***" in text
    assert f"worker id        {worker}" in text.splitlines()


def test_what_waits_to_be_sent_and_unread_messages_are_counted(line: Line) -> None:
    no, tenant = line.add("Shop"), line.tenant_id
    for _ in range(2):
        line.sql(
            "INSERT INTO outbox (tenant_id, device_no, to_jid, kind, created_by) VALUES ($1, $2, '1@lid', 'text', 't')",
            tenant, no,
        )  # fmt: skip
    line.sql(
        "INSERT INTO chats (tenant_id, device_no, jid, last_key, unread)"
        " VALUES ($1, $2, '2@lid', extract(epoch FROM now())::int8 << 32, 5)",
        tenant,
        no,
    )
    shown = line.shown("Shop")
    assert (shown["outbox"], shown["chats"], shown["unread_count"]) == ({"queued": 2}, 1, 5)


def test_many_are_disconnected_and_connected_at_once_and_waited_for(line: Line) -> None:
    for name in ("One", "Two"):
        line.pair(name)
    line.add("Never")
    refused = line.device("disconnect", "--all", code=2).stderr
    assert "disconnect 3 devices" in refused and "--yes" in refused
    assert line.device("disconnect", "--all", "--yes", "--wait").stdout == "disconnected 3 devices\n"
    assert sorted(line.device("list").stderr.strip().removeprefix("3 devices: ").split(", ")) == ["1 new", "2 offline"]
    assert line.device("connect", "--state", "offline", "--yes", "--wait").stdout == "connected 2 devices\n"
    assert line.state("One") == line.state("Two") == "online"
    skipped = line.device("connect", "One", "Never", code=1)
    assert skipped.stdout == "asked 1 device to connect\n"
    assert skipped.stderr == "Never: it was never paired: `wafast device pair` first\n"


def test_a_device_that_does_not_come_online_is_waited_for_no_longer_than_said_and_why_is_told(line: Line) -> None:
    phone = line.pair("Shop")
    line.device("disconnect", "Shop", "--wait")
    line.system.simulator.failure(phone, 503)
    late = line.device("connect", "Shop", "--wait", "--timeout", "0", code=1)
    assert late.stdout == "connected 0 devices\n"
    assert late.stderr.startswith("Shop: it is ") and late.stderr.endswith(" after 0 s; it goes on by itself\n")
    line.device("disconnect", "Shop", "--wait")
    line.system.simulator.failure(phone, 401)
    stopped = line.device("connect", "Shop", "--wait", code=1)
    assert stopped.stderr.startswith("Shop: it is logged_out (Logged out: ")
    assert "it is logged out: `wafast device pair` it again first" in line.device("connect", "Shop", code=1).stderr


def test_a_device_is_logged_out_and_deleted_only_when_that_is_said_twice(line: Line) -> None:
    phone = line.pair("Shop")
    assert "log out 1 device (Shop)" in line.device("logout", "Shop", code=2).stderr
    assert line.device("logout", "Shop", "--yes", "--wait").stdout == "logged out 1 device\n"
    account = line.system.simulator.account(phone)
    assert account is not None and account.devices == []
    assert "delete 1 device (Shop)" in line.device("delete", "Shop", code=2).stderr
    assert line.device("delete", "Shop", "-y").stdout == "deleted 1 device\n"
    assert line.device("list").stdout == ""


def test_nobody_is_chosen_by_mistake(line: Line) -> None:
    for arguments in ((), ("Shop", "--all"), ("Shop", "--tag", "x")):
        assert "name the devices, or say which" in line.device("connect", *arguments, code=2).stderr
    assert line.device("delete", "--tag", "nobody", "--yes").stdout == "deleted 0 devices\n"


def test_a_code_typed_on_the_phone_pairs(line: Line) -> None:
    phone = f"6011{next(_numbers):08}"
    line.add("Typed")
    shows = line.pairing("Typed", "--phone", phone)
    assert shows.stdout is not None
    line.system.simulator.enter_code(phone, shows.stdout.readline().strip(), name="Typed")
    assert shows.communicate(timeout=60) == ("paired\n", "")
    assert "is linked to +" in line.device("pair", "Typed", code=2).stderr
    assert "is not a phone number" in line.device("pair", "Typed", "--phone", "zero", code=2).stderr


@pytest.mark.parametrize(
    ("end", "code", "said", "reason"),
    [
        (lambda shows, line: shows.send_signal(signal.SIGINT), INTERRUPTED, "cancelled\n", "cancelled"),
        (lambda shows, line: shows.send_signal(signal.SIGTERM), INTERRUPTED, "cancelled\n", "cancelled"),
        (
            lambda shows, line: line.sql("UPDATE pairings SET expires_at = now() WHERE tenant_id = $1", line.tenant_id),
            1,
            "wafast: not paired: nobody scanned the code in time; start again\n",
            "nobody scanned the code in time; start again",
        ),
        (
            lambda shows, line: line.sql("DELETE FROM devices WHERE tenant_id = $1", line.tenant_id),
            1,
            "wafast: the device was deleted\n",
            None,
        ),
    ],
    ids=["Ctrl-C", "terminated", "expired", "deleted"],
)
def test_a_pairing_that_ends_without_a_phone_says_so_and_leaves_no_row_waiting(
    line: Line, end: Callable[[subprocess.Popen[str], Line], None], code: int, said: str, reason: str | None
) -> None:
    no = line.add("Shop")
    shows = line.pairing("Shop")
    assert shows.stdout is not None
    assert shows.stdout.readline().startswith(("2@", "https://"))
    end(shows, line)
    _, errors = shows.communicate(timeout=60)
    assert (shows.returncode, errors) == (code, said)
    waiting = "SELECT count(*) FROM pairings WHERE device_no = $1 AND state = 'waiting'"
    wait_for(lambda: line.sql(waiting, no) == 0)  # its worker says so when it next looks
    assert line.sql("SELECT max(reason) FROM pairings WHERE device_no = $1", no) == reason


def test_on_a_terminal_the_code_is_drawn_and_ctrl_c_cancels(line: Line) -> None:
    no = line.add("Drawn")
    on_terminal = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
    pairing = command(line.system.data_dir, "device", "pair", "Drawn", "--tenant", line.workspace)
    shows = subprocess.Popen(
        [sys.executable, "-c", on_terminal, *pairing],
        env=environment(TERM="xterm-256color", COLUMNS="120", LINES="60"),
        cwd=line.system.data_dir,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert shows.stdin is not None and shows.stdout is not None
    said = ""
    while "Ctrl-C cancels" not in said or "▀" not in said:
        said += os.read(shows.stdout.fileno(), 65_536).decode("utf-8", "replace")
    shows.stdin.write(b"\x03")
    shows.stdin.flush()
    shows.communicate(timeout=30)
    assert shows.returncode == INTERRUPTED
    assert line.sql("SELECT reason FROM pairings WHERE device_no = $1", no) == "cancelled"


def test_nothing_is_waited_for_where_no_worker_could_do_it(data_dirs: list[Path]) -> None:
    folder = Path(tempfile.mkdtemp(prefix="wafast-commands-"))
    data_dirs.append(folder)
    run(folder, "device", "create", "Shop")
    refused = run(folder, "device", "pair", "Shop", check=False)
    assert refused.returncode == 2
    assert "no worker of network whatsapp runs: start wafast" in refused.stderr.replace("\n", " ")
