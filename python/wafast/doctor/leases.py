"""The lease table: who holds the devices, and who should."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from wafast.devices.lease import EXPIRY_SECONDS
from wafast.doctor.database import Database, GivenUp, Unheld, Worker
from wafast.doctor.machine import MIB
from wafast.doctor.trouble import Note, Trouble
from wafast.vitals import proportional_bytes

#: A worker with nothing to hold takes about 120 MiB; a device should take 0.4 and gets twice that before we complain.
BYTES_BESIDE, BYTES_A_DEVICE = 300 * MIB, int(0.8 * MIB)


def workers(database: Database) -> str:
    """Whether workers live, and whether one has died with devices in its hands."""
    alive = [worker for worker in database.workers if worker.late < 0]
    dead = [worker for worker in database.workers if worker.late >= 0 and worker.held]
    if dead:
        worst = max(dead, key=lambda worker: worker.late)
        raise Trouble(
            f"worker {worst.id} (process {worst.pid} on {worst.node}) has not beaten for {worst.late:.0f} s too long "
            f"and still holds {worst.held} devices: others take them within seconds if any of network {worst.network} "
            "lives; start one (`wafast up`, `wafast worker`)"
        )
    if not alive:
        return "none"
    counts = Counter(worker.network for worker in alive)
    held = sum(worker.held for worker in alive)
    oldest = max(worker.late for worker in alive) + EXPIRY_SECONDS
    shown = ", ".join(f"{count} {network}" for network, count in sorted(counts.items()))
    return f"{shown}; {held} devices held, oldest heartbeat {max(0.0, oldest):.0f} s ago"


def homes(database: Database, here: str | None) -> str:
    """Whether the session files of all devices that are to be online lie where wafast runs. `here` is this data
    folder's name."""
    away = _away(database, here)
    if away:
        folders = ", ".join(sorted({str(device.home) for device in away})[:3])
        raise Trouble(
            f"their session files lie in other data folders, where no wafast runs: {_count(len(away))} "
            f"({_names([device.name for device in away])}; {folders}): start it there, or move the files into this "
            "folder's sessions/ and take them over with `wafast device adopt`"
        )
    return "every device that is to be online has its session file where wafast runs"


def _away(database: Database, here: str | None) -> list[Unheld]:
    served = {(worker.network, worker.home) for worker in database.workers if worker.late < 0}
    return [
        device
        for device in database.unheld
        if device.home not in (None, here) and (device.network, device.home) not in served
    ]


def holders(database: Database, here: str | None, *, system_runs: bool) -> str:
    """Whether every device that is to be online has a worker, if its session file is at hand. Two can't hold one: the
    table has one row a device."""
    away = _away(database, here)
    unheld = [device for device in database.unheld if device not in away]
    if unheld and system_runs:
        names = _names([device.name for device in unheld])
        networks = {device.network for device in unheld}
        alive = {worker.network for worker in database.workers if worker.late < 0}
        why = (
            f"no worker of network {' and '.join(sorted(networks - alive))} lives: start one (`wafast up`; a loopback "
            "worker needs WAFAST_LOOPBACK or --demo)"
            if networks - alive
            else "a worker takes them within seconds; if this stays, its log says why (WAFAST_LOG=devices=debug)"
        )
        raise Trouble(f"to be online and held by nobody: {_count(len(unheld))} ({names}); {why}")
    if unheld:
        return f"to be online when wafast runs: {_count(len(unheld))}"
    return "every device that is to be online has one"


def stuck(database: Database) -> str:
    """Whether a device has been connecting for minutes."""
    if database.stuck:
        worst = database.stuck[0]
        raise Trouble(
            f"connecting for more than 5 minutes: {_count(len(database.stuck))} "
            f"({_names([device.name for device in database.stuck])}), the longest for {worst.seconds / 60:.0f} "
            f"({worst.reason}): see whether web.whatsapp.com is reached, through the device's proxy if it has one, and "
            "the worker's log"
        )
    return "no device is stuck connecting"


def suspected(database: Database) -> str:
    """Whether workers died while devices came online, which are tried apart since."""
    if database.suspected:
        worst = database.suspected[0]
        raise Note(
            f"came online when a worker died: {_count(len(database.suspected))} "
            f"({_names([device.name for device in database.suspected])}), {worst.name} {worst.crashes} times in a row; "
            "they are tried in a process of their own. logs/ in the data folder says of what the worker died"
        )
    return "no worker died of a device"


def given_up(database: Database) -> str:
    """Whether devices that are to be online wait for a person."""
    if database.given_up:
        counts = Counter(device.state for device in database.given_up)
        shown = ", ".join(f"{count} {state}" for state, count in counts.most_common())
        raise Note(
            f"waiting for a person: {_count(len(database.given_up))} ({shown}); {_reasons(database.given_up)}; "
            "`wafast device list` shows all with what to do"
        )
    return "no device waits for a person"


def memory(alive: Sequence[Worker], node: str) -> str:
    """Whether a worker takes more than its devices explain; of workers of this machine with shared pages divided."""
    shown = []
    for worker in alive:
        taken = (proportional_bytes(worker.pid) if worker.node == node else None) or worker.rss_bytes
        if taken is None:
            continue
        wanted = BYTES_BESIDE + BYTES_A_DEVICE * worker.held
        if taken > wanted:
            raise Trouble(
                f"worker {worker.id} (process {worker.pid}) takes {taken / MIB:.0f} MiB for {worker.held} devices, "
                f"{wanted / MIB:.0f} would do: if it grows (wafast_worker_resident_bytes), end it with SIGTERM, its "
                "devices go on elsewhere, and report it"
            )
        shown.append(f"{taken / MIB:.0f} MiB for {worker.held}")
    return ", ".join(shown) or "no worker lives"


def _names(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")


def _count(count: int) -> str:
    return f"{count} device{'' if count == 1 else 's'}"


def _reasons(devices: Sequence[GivenUp]) -> str:
    return "; ".join(f"{device.name}: {device.reason or device.state}" for device in devices[:3])
