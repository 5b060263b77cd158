"""A worker's sender whose lines end at nothing: whom each send went to, and when, stands in a file at once.

``python -m bench.null_endpoint URI WORKER FILE [--stumbles]``; a process of its own, so that it can be killed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import struct
import tempfile
import time
from pathlib import Path
from uuid import UUID, uuid4

import msgspec

from bench.bed import q
from wafast import logs
from wafast.database.pool import WORKER_CONNECTIONS, open_pool
from wafast.devices.session import NotSent, Sent
from wafast.events.bus import WORK, Listener
from wafast.outbox.send import Sender

RECORD = struct.Struct("<qq")
"""Nanoseconds of the machine's monotonic clock, the recipient's number."""
STUMBLES = 5
"""Every so many numbers the first try fails, if any does."""


def arrivals(file: Path, after: int = 0) -> list[tuple[int, int]]:
    """What stands in the file behind so many records: when, to whom."""
    with file.open("rb") as open_file:
        open_file.seek(after * RECORD.size)
        found = open_file.read()
    return list(RECORD.iter_unpack(found[: len(found) // RECORD.size * RECORD.size]))


class Line:
    """A session whose server takes everything at once.

    Args:
        file: number of the open file.
        stumbled: numbers whose first try has failed; None where none does.
    """

    def __init__(self, file: int, stumbled: set[int] | None) -> None:
        self._file, self._stumbled = file, stumbled

    async def introduce(self, to_jid: str) -> str:
        """Everybody is called as people dial it."""
        return to_jid

    async def send(self, to_jid: str, _content: object) -> Sent:
        """As the server would answer."""
        number = int(to_jid.partition("@")[0])
        if self._stumbled is not None and number % STUMBLES == 0 and number not in self._stumbled:
            self._stumbled.add(number)
            raise NotSent("the endpoint is busy")
        os.write(self._file, RECORD.pack(time.monotonic_ns(), number))
        return Sent(uuid4().hex, int(time.time()))


async def send(uri: str, worker: UUID, file: Path, stumbles: bool) -> None:
    """Sends for every device until SIGTERM; says `ready` once it hears."""
    pool = await open_pool(uri, size=WORKER_CONNECTIONS, name="worker")
    number = os.open(file, os.O_WRONLY | os.O_APPEND)
    stumbled: set[int] | None = set() if stumbles else None
    lines = {row["no"]: Line(number, stumbled) for row in await pool.fetch(q.broadcast_devices)}
    with tempfile.TemporaryDirectory() as media:
        sender = Sender(pool, worker, Path(media), lambda: list(lines), lines.get, 20)  # type: ignore[arg-type]
        channels = {WORK: lambda payload: sender.wake(msgspec.json.decode(payload)["d"])}
        ready = asyncio.Event()
        listener = asyncio.create_task(Listener(uri, "worker listener", channels, sender.wake_all).run(ready))
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, sender.stop)
        await ready.wait()
        print("ready", flush=True)
        await sender.run()
        await sender.drain()
        listener.cancel()
    await pool.close()


def main() -> None:
    """Reads the arguments, sends."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("uri")
    parser.add_argument("worker", type=UUID)
    parser.add_argument("file", type=Path)
    parser.add_argument("--stumbles", action="store_true")
    options = parser.parse_args()
    logs.configure("warning", "worker")
    asyncio.run(send(options.uri, options.worker, options.file, options.stumbles))


if __name__ == "__main__":
    main()
