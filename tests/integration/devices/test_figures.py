"""What `/metrics` says of a worker is what the kernel, the tables and the simulator say."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from tests.integration.devices.stack import Stack, Worker
from wafast.api import metrics
from wafast.api.metrics import Metrics

MESSAGES = 40
#: Memory moves a little between a heartbeat and a look.
NEAR = 16 << 20


async def shown(stack: Stack) -> dict[str, float]:
    """Every figure whose value is one number, by its name and labels but `worker`."""
    text = Metrics().text(await metrics.of_system(stack.pool), await metrics.of_workers(stack.pool)).decode()
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            series, _, value = line.rpartition(" ")
            name, _, labels = series.partition("{")
            kept = ",".join(label for label in labels.rstrip("}").split(",") if label and "worker=" not in label)
            found[f"{name}{{{kept}}}"] = float(value)
    return found


async def until_shown(stack: Stack, **wanted: float) -> dict[str, float]:
    """All figures once these of the loopback network are as wanted: a heartbeat tells them."""

    async def ask() -> dict[str, float] | None:
        found = await shown(stack)
        of_network = {name: found.get(f'wafast_{name}{{network="loopback"}}') for name in wanted}
        return found if of_network == wanted else None

    return await stack.until(ask, f"figures {wanted}, not {await shown(stack)}")


def kernel(worker: Worker) -> dict[str, float]:
    """Threads, descriptors, memory in bytes and processor time in seconds of a worker's process."""
    folder = Path("/proc", str(worker.process.pid))
    status = dict(line.split(":", 1) for line in (folder / "status").read_text("utf-8").splitlines())
    ticks = (folder / "stat").read_text("utf-8").rpartition(")")[2].split()[11:13]
    return {
        "threads": int(status["Threads"]),
        "fds": len(os.listdir(folder / "fd")),
        "rss": int(status["VmRSS"].split()[0]) << 10,
        "cpu": sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK"),
    }


async def test_messages_batches_and_devices_are_as_the_tables_have_them(stack: Stack, phone: str, contact: str) -> None:
    stack.start_worker()
    device = await stack.pair(phone)
    for number in range(MESSAGES):
        await asyncio.to_thread(stack.simulator.text, phone, contact, f"number {number}")
    count = "SELECT count(*) FROM messages WHERE device_no = $1"
    await stack.until(lambda: stack.pool.fetchval(f"{count} HAVING count(*) = {MESSAGES}", device.no), "all messages")
    found = await until_shown(stack, messages_stored_total=MESSAGES, ingest_open_events=0, worker_devices=1)
    of_network = '{network="loopback"}'
    assert found['wafast_devices{network="loopback",state="online"}'] == 1
    assert found['wafast_workers{network="loopback",state="alive"}'] == 1
    assert found[f"wafast_messages_duplicate_total{of_network}"] == 0
    batches = found[f"wafast_ingest_batches_total{of_network}"]
    assert found[f"wafast_ingest_commit_seconds_count{of_network}"] == batches
    assert found[f"wafast_ingest_batch_records_sum{of_network}"] >= MESSAGES
    assert found[f"wafast_ingest_commit_seconds_sum{of_network}"] > 0
    spool = [path.stat().st_size for path in (stack.data_dir / "spool").glob("*.spool")]
    assert found[f"wafast_spool_segments{of_network}"] == len(spool)
    assert found[f"wafast_spool_bytes{of_network}"] == sum(spool)


async def test_a_dead_worker_has_nothing_but_what_it_counted(stack: Stack, phone: str) -> None:
    worker = stack.start_worker()
    await stack.pair(phone)
    await until_shown(stack, worker_devices=1, reconnects_total=1)
    worker.kill()
    await stack.pool.execute("UPDATE workers SET expires_at = '-infinity'")
    found = await shown(stack)
    assert found['wafast_reconnects_total{network="loopback"}'] == 1
    assert not {name for name, _ in metrics.GAUGES.values()} & {name.partition("{")[0] for name in found}


async def test_memory_threads_descriptors_and_processor_time_are_the_kernels(stack: Stack, phone: str) -> None:
    worker = stack.start_worker()
    await stack.pair(phone)
    of_network = '{network="loopback"}'

    async def agree() -> dict[str, float] | None:
        told = await shown(stack)
        now = kernel(worker)
        same = (
            told.get(f"wafast_worker_threads{of_network}") == now["threads"]
            and told.get(f"wafast_worker_open_files{of_network}") == now["fds"]
            and abs(told[f"wafast_worker_resident_bytes{of_network}"] - now["rss"]) < NEAR
        )
        return told if same else None

    told = await stack.until(agree, f"the kernel's figures: {kernel(worker)}")
    assert 0 < told[f"wafast_worker_private_bytes{of_network}"] < told[f"wafast_worker_resident_bytes{of_network}"]
    assert 0 < told[f"wafast_worker_cpu_seconds_total{of_network}"] <= kernel(worker)["cpu"] + 0.02


async def test_changes_of_state_dials_and_reconnects_are_those_the_server_saw(stack: Stack, phone: str) -> None:
    before = stack.simulator.stats().handshakes
    stack.start_worker()
    device = await stack.pair(phone)
    moves = [("new", "pairing", 1), ("pairing", "connecting", 1), ("connecting", "online", 1)]

    async def moved() -> bool:
        found = await shown(stack)
        names = {
            f'wafast_device_state_changes_total{{from="{was}",network="loopback",to="{to}"}}': count
            for was, to, count in moves
        }
        dials = found.get('wafast_dials_total{network="loopback"}')
        return dials == stack.simulator.stats().handshakes - before and names.items() <= found.items()

    await stack.until(moved, f"{moves} in {await shown(stack)}")
    reconnects = (await shown(stack))['wafast_reconnects_total{network="loopback"}']
    assert reconnects == 1  # WhatsApp asks for one after a pairing
    await asyncio.to_thread(stack.simulator.drop, phone)
    moves += [("online", "offline", 1), ("offline", "online", 1)]
    await stack.until(moved, f"{moves} in {await shown(stack)}")
    found = await until_shown(stack, reconnects_total=2, connecting=0, connect_queue=0)
    assert found['wafast_worker_loop_late_seconds_count{network="loopback"}'] > 0
    assert (await stack.device(device.id)).state == "online"
