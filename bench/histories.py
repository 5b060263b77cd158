"""Live messages while ten phones' histories come: from the inlet to what PostgreSQL tells after the commit.

``python -m bench.histories [--rate N] [--seconds N] [--histories N]``
"""

from __future__ import annotations

import argparse
import os
import time
from threading import Timer

from neonize.proto import Neonize_pb2 as pb
from neonize.proto.waCommon.WACommon_pb2 import MessageKey
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message
from neonize.proto.waHistorySync.WAWebProtobufsHistorySync_pb2 import Conversation, HistorySync, HistorySyncMsg
from neonize.proto.waWeb.WAWebProtobufsWeb_pb2 import WebMessageInfo

from bench import paced, report
from bench.bed import Bed, prepared
from bench.corpus import Corpus
from wafast._core import Ingest, message_key

HISTORY_SYNC = 13
DEVICES, CHATS, BEFORE = 1000, 30_000, 300_000
HISTORY_CHATS, A_CHAT = 1000, 20
FIRST_NUMBER = 60_190_000_000
"""Phone number of a history's first chat; none of the corpus has it."""


def main() -> None:
    """Reads the arguments, measures, prints the table."""
    parser = report.parser(__doc__)
    parser.add_argument("--rate", type=int, default=300, help="live messages a second, of other devices")
    parser.add_argument("--seconds", type=float, default=15, help="of each measurement")
    parser.add_argument("--histories", type=int, default=10, help="that come at once, one a device")
    options = parser.parse_args()
    begun = time.monotonic()
    chats, before = CHATS, BEFORE
    if options.quick:
        options.seconds, options.histories, chats, before = 3, 2, 1_000, 10_000
    history = _history(int(time.time()))
    with prepared(devices=DEVICES, chats=chats, before=before) as bed:
        corpus = Corpus(bed.devices, chats)
        ingest = Ingest(bed.uri, f"bench-{os.getpid()}", bed.folder / "spool")
        try:
            rows = [measure(bed, ingest, corpus, count, history, options) for count in (0, options.histories)]
        finally:
            ingest.close()
    table = report.Table(
        title=f"Live messages beside histories: {options.rate:,} msg/s for {options.seconds:.0f} s, "
        f"histories of {HISTORY_CHATS * A_CHAT:,} messages",
        heads=["", "live messages", "p50, ms", "p99, ms", "most, ms", "histories stored after, s"],
        rows=rows,
        note=f"A history is one event of {len(history) / 2**20:.1f} MiB; all come at once, a second after the "
        "first live message. Every chat of a history keeps all its messages.",
    )
    report.finish("histories", options, begun, [table])


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
        wanted = histories * HISTORY_CHATS * A_CHAT  # and what comes live meanwhile, a thousandth of it
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


def _history(now: int) -> bytes:
    """A phone's history: the newest messages of its chats."""
    conversations = []
    for chat in range(HISTORY_CHATS):
        jid = f"{FIRST_NUMBER + chat}@s.whatsapp.net"
        messages = [
            HistorySyncMsg(
                message=WebMessageInfo(
                    key=MessageKey(remoteJID=jid, fromMe=number % 3 == 0, ID=f"3EB1{chat * A_CHAT + number:016X}"),
                    message=Message(conversation=f"selamat pagi, pesanan nombor {number} sudah siap untuk diambil"),
                    messageTimestamp=now - 86_400 + chat * A_CHAT + number,
                )
            )
            for number in range(A_CHAT)
        ]
        conversations.append(Conversation(ID=jid, messages=messages, name=f"Pelanggan {chat}"))
    sync = HistorySync(syncType=HistorySync.INITIAL_BOOTSTRAP, conversations=conversations)
    return bytes(pb.HistorySync(Data=sync).SerializePartialToString())


if __name__ == "__main__":
    main()
