"""Phones' histories: live messages beside ten of them, and the memory that 200,000 messages take.

``python -m bench.histories [--rate N] [--seconds N] [--histories N] [--messages N]``

The same through lines that are linked: sent by the simulator, taken by neonize, stored by a worker.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from threading import Event, Thread, Timer

from neonize.proto import Neonize_pb2 as pb
from neonize.proto.waCommon.WACommon_pb2 import MessageKey
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message
from neonize.proto.waHistorySync.WAWebProtobufsHistorySync_pb2 import Conversation, HistorySync, HistorySyncMsg
from neonize.proto.waWeb.WAWebProtobufsWeb_pb2 import WebMessageInfo

from bench import paced, report
from bench.bed import Bed, prepared, q
from bench.contacts import Lines, running, until
from bench.corpus import Corpus
from bench.folder import working_folder
from tests.simulator import Simulator
from wafast._core import Ingest, message_key

HISTORY_SYNC = 13
DEVICES, CHATS, BEFORE = 1000, 30_000, 300_000
A_CHAT = 20
#: Messages of one of the events WhatsApp cuts a long history into.
A_CHUNK = 5000
#: The same as the simulator cuts it, smaller and larger.
CHUNKS = (2000, A_CHUNK)
MIB = 2**20
FIRST_NUMBER = 60_190_000_000
"""Phone number of a history's first chat; none of the corpus has it."""
TEXT = "selamat pagi, pesanan anda sudah siap untuk diambil, nombor"


def main() -> None:
    """Reads the arguments, measures, prints the table."""
    parser = report.parser(__doc__)
    parser.add_argument("--rate", type=int, default=300, help="live messages a second, of other devices")
    parser.add_argument("--seconds", type=float, default=15, help="of each measurement")
    parser.add_argument("--histories", type=int, default=10, help="that come at once, one a device")
    parser.add_argument("--messages", type=int, default=200_000, help="of the histories whose memory is measured")
    parser.add_argument("--chats", type=int, default=1000, help="of each history that comes beside live messages")
    parser.add_argument("--linked", type=int, default=4, help="lines whose histories come at once, through sessions")
    options = parser.parse_args()
    begun = time.monotonic()
    chats, before = CHATS, BEFORE
    if options.quick:
        options.seconds, options.histories, options.messages, chats, before = 3, 2, 10_000, 1_000, 10_000
        options.chats, options.linked = 250, 2
    history = _history(int(time.time()), options.chats, A_CHAT)
    with prepared(devices=DEVICES, chats=chats, before=before) as bed:
        corpus = Corpus(bed.devices, chats)
        ingest = Ingest(bed.uri, f"bench-{os.getpid()}", bed.folder / "spool")
        try:
            rows = [measure(bed, ingest, corpus, count, history, options) for count in (0, options.histories)]
            memory = hold(ingest, bed.devices[options.histories :], options.messages, options.histories)
        finally:
            ingest.close()
    with working_folder() as folder, running(folder, len(CHUNKS) + options.linked) as lines:
        linked = link(lines, options.messages)
    table = report.Table(
        title=f"Live messages beside histories: {options.rate:,} msg/s for {options.seconds:.0f} s, "
        f"histories of {options.chats * A_CHAT:,} messages",
        heads=["", "live messages", "p50, ms", "p99, ms", "most, ms", "histories stored after, s"],
        rows=rows,
        note=f"A history is one event of {len(history) / MIB:.1f} MiB; all come at once, a second after the "
        "first live message. Every chat of a history keeps all its messages.",
    )
    report.finish("histories", options, begun, [table, memory, linked])


def measure(
    bed: Bed, ingest: Ingest, corpus: Corpus, histories: int, history: bytes, options: argparse.Namespace
) -> list[report.Cell]:
    """A row: what live messages of other devices take while histories of the first ones come."""
    busy = bed.devices[:histories]
    live = paced.messages(corpus, bed, int(options.rate * options.seconds))
    live = [message for message in live if message[1] not in busy]
    listener = paced.Listener(bed.uri)
    stored = [0.0]

    def come() -> None:
        begun, before = time.monotonic(), ingest.stats()["stored"]
        for device_no in busy:
            ingest.receive(device_no, HISTORY_SYNC, history)
        wanted = histories * options.chats * A_CHAT  # and what comes live meanwhile, a thousandth of it
        while ingest.stats()["stored"] - before < wanted and time.monotonic() - begun < 60:
            time.sleep(0.02)
        stored[0] = time.monotonic() - begun

    timer = Timer(1, come)
    timer.start()
    given = paced.feed(ingest, live, options.rate)
    timer.join()
    if not ingest.flush(60):
        raise SystemExit("not everything was stored within a minute")
    keys = {message_key(drawn.at, drawn.id): at for drawn, at in given}
    took = paced.milliseconds(keys, listener.stop(set(keys)))
    share = [paced.percentile(took, share) for share in (0.5, 0.99, 1)]
    return [f"{histories} histories" if histories else "none", float(len(took)), *share, stored[0]]


def hold(ingest: Ingest, devices: Sequence[int], messages: int, lines: int) -> report.Table:
    """What histories of so many messages take of this process' memory, in several shapes."""
    now, long = int(time.time()), 10 * A_CHAT
    whole = [_history(now, messages // A_CHAT, A_CHAT)]
    parts = [
        _history(now, A_CHUNK // A_CHAT, A_CHAT, first) for first in range(0, messages // A_CHAT, A_CHUNK // A_CHAT)
    ]
    longer = [_history(now, messages // long, long)]
    shapes = [
        (f"one line, {len(parts)} events, chats of {A_CHAT}", 1, parts),
        (f"{lines} lines at once, {len(parts)} events each", lines, parts),
        (f"one line, one event, chats of {A_CHAT}", 1, whole),
        (f"one line, one event, chats of {long}", 1, longer),
    ]
    rows, free = [], list(devices)
    for name, count, events in shapes:
        busy, free = free[:count], free[count:]
        rows.append([name, float(count * messages), *_held(ingest, busy, events)])
    return report.Table(
        title=f"Memory while histories of {messages:,} messages are stored",
        heads=["", "messages", "MiB of events", "MiB at most", "of it heap", "of it spool", "stored after, s"],
        rows=rows,
        note="Resident, above what the process had before, looked at every 2 ms. The spool is a mapped file: its pages "
        "are the page cache's, and of a history only those count that are just written or read. Every chat keeps its "
        "newest 20.",
    )


def link(lines: Lines, messages: int) -> report.Table:
    """What histories of so many messages take of the worker that holds the lines, with neonize and all."""
    lines.wait_quiet()
    worker: int = lines.fetch(q.worker)[0]["pid"]
    shapes = [([phone], chunk) for phone, chunk in zip(lines.phones, CHUNKS, strict=False)]
    shapes.append((lines.phones[len(CHUNKS) :], A_CHUNK))
    rows: list[list[report.Cell]] = []
    for phones, chunk in shapes:
        name = "{} lines at once, {} events each" if len(phones) > 1 else "one line, {1} events"
        wanted = _stored(lines) + len(phones) * messages
        watch, begun = _Watch(worker), time.monotonic()
        told = [Thread(target=_tell, args=(lines, phone, messages, chunk)) for phone in phones]
        for thread in told:
            thread.start()
        until(partial(_holds, lines, wanted), "every message of the histories")
        took = time.monotonic() - begun
        for thread in told:
            thread.join()
        watch.stop()
        heap, mapped = (kib / 1024 for kib in watch.most)
        rows.append(
            [
                name.format(len(phones), messages // chunk),
                float(len(phones) * messages),
                heap + mapped,
                heap,
                mapped,
                took,
            ]
        )
    return report.Table(
        title=f"Memory of a worker whose lines' phones send histories of {messages:,} messages, chats of {A_CHAT}",
        heads=["", "messages", "MiB at most", "of it heap", "of it mapped", "stored after, s"],
        rows=rows,
        note="Resident, above what the worker had before: neonize's memory with ours. What an earlier history left "
        "free in the heap is not counted again. The time includes the simulator's, which makes and packs them.",
    )


def _tell(lines: Lines, phone: str, messages: int, chunk: int) -> None:
    caller = Simulator.attach(lines.simulator.folder / "loopback.json")
    caller.history(phone, str(FIRST_NUMBER), A_CHAT, chats=messages // A_CHAT, chunk=chunk, text=TEXT)


def _holds(lines: Lines, wanted: int) -> bool | None:
    return _stored(lines) >= wanted or None


def _stored(lines: Lines) -> int:
    count: int = lines.fetch("SELECT count(*) AS n FROM messages")[0]["n"]
    return count


class _Watch:
    """The most a process held, above what it held at the start."""

    def __init__(self, pid: int | str = "self") -> None:
        self._pid = pid
        self._before, self._end = _resident(pid), Event()
        self.most: tuple[int, ...] = (0, 0)
        self._thread = Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._end.wait(0.002):
            held = zip(_resident(self._pid), self._before, strict=True)
            self.most = max(self.most, tuple(now - old for now, old in held), key=sum)

    def stop(self) -> None:
        self._end.set()
        self._thread.join()


def _resident(pid: int | str) -> tuple[int, ...]:
    """Heap and mapped files, KiB."""
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return tuple(int(fields[name].split()[0]) for name in ("RssAnon", "RssFile"))


def _held(ingest: Ingest, devices: Sequence[int], events: Sequence[bytes]) -> list[report.Cell]:
    watch, begun = _Watch(), time.monotonic()
    for event in events:
        for device_no in devices:
            ingest.receive(device_no, HISTORY_SYNC, event)
    if not ingest.flush(600):
        raise SystemExit("not everything was stored within ten minutes")
    took = time.monotonic() - begun
    watch.stop()
    heap, spool = (kib / 1024 for kib in watch.most)
    return [len(devices) * sum(map(len, events)) / MIB, heap + spool, heap, spool, took]


def _history(now: int, chats: int, a_chat: int, first: int = 0) -> bytes:
    """A phone's history: the newest messages of its chats, the number of the first of which is `first`."""
    conversations = []
    for chat in range(first, first + chats):
        jid = f"{FIRST_NUMBER + chat}@s.whatsapp.net"
        messages = [
            HistorySyncMsg(
                message=WebMessageInfo(
                    key=MessageKey(remoteJID=jid, fromMe=number % 3 == 0, ID=f"3EB1{chat * a_chat + number:016X}"),
                    message=Message(conversation=f"{TEXT} {number}"),
                    messageTimestamp=now - 86_400 + number,
                )
            )
            for number in range(a_chat)
        ]
        conversations.append(Conversation(ID=jid, messages=messages, name=f"Pelanggan {chat}"))
    sync = HistorySync(syncType=HistorySync.INITIAL_BOOTSTRAP, conversations=conversations)
    return bytes(pb.HistorySync(Data=sync).SerializePartialToString())


if __name__ == "__main__":
    main()
