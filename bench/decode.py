"""Decode: an event of neonize to the record that is stored, on one core; beside it neonize's own Python protobuf.

``python -m bench.decode [--events N] [--rounds N]``
"""

from __future__ import annotations

import argparse
import struct
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from neonize.proto import Neonize_pb2 as pb

from bench import machine
from bench.corpus import Corpus

ROOT = Path(__file__).parents[1]


def rust(events: list[bytes], rounds: int) -> list[float]:
    """Nanoseconds an event, of five runs."""
    build = ["cargo", "build", "--quiet", "--release", "--package", "wafast-core", "--example", "decode"]
    subprocess.run(build, cwd=ROOT, check=True)
    run = ["cargo", "run", "--quiet", "--release", "--package", "wafast-core", "--example", "decode", "--"]
    with tempfile.NamedTemporaryFile() as file:
        for event in events:
            file.write(struct.pack("<I", len(event)) + event)
        file.flush()
        arguments = [*run, file.name, str(rounds)]
        return [float(subprocess.check_output(arguments, cwd=ROOT, text=True)) for _ in range(5)]


def record(event: bytes) -> dict[str, Any]:
    """The same record by neonize's protobuf classes."""
    message = pb.Message.FromString(event)
    info, content = message.Info, message.Message
    source = info.MessageSource
    found: dict[str, Any] = {
        "chat": f"{source.Chat.User}@{source.Chat.Server}",
        "sender": f"{source.Sender.User}@{source.Sender.Server}",
        "id": info.ID,
        "at": info.Timestamp // 1000,
        "name": info.Pushname,
    }
    if content.HasField("conversation"):
        found |= {"kind": "text", "body": content.conversation}
    elif content.HasField("extendedTextMessage"):
        text = content.extendedTextMessage
        found |= {"kind": "text", "body": text.text, "quoted": text.contextInfo.stanzaID}
    else:
        image = content.imageMessage
        found |= {
            "kind": "image", "body": image.caption, "mime": image.mimetype, "size": image.fileLength,
            "width": image.width, "height": image.height, "sha256": image.fileSHA256, "key": image.mediaKey,
            "path": image.directPath, "thumbnail": image.JPEGThumbnail,
        }  # fmt: skip
    return found


def python(events: list[bytes]) -> list[float]:
    """Nanoseconds an event, of five runs."""
    runs = []
    for _ in range(5):
        begun = time.perf_counter()
        for event in events:
            record(event)
        runs.append(1e9 * (time.perf_counter() - begun) / len(events))
    return runs


def main() -> None:
    """Reads the arguments, runs both, prints the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    corpus = Corpus([1], 1000)
    events = [event for _, event in corpus.events(options.events, int(time.time()))]
    size = sum(map(len, events)) / len(events)
    rows, rival = [], machine.spread(python(events))
    for name, (median, least, most) in [("wafast", machine.spread(rust(events, options.rounds))), ("neonize", rival)]:
        row = [name, f"{1e9 / median:,.0f}", f"{least:,.0f}–{most:,.0f}", f"{rival[0] / median:.1f} ×"]
        rows.append(row)
    print(
        machine.table(f"Decode, events of {size:,.0f} bytes", ["", "events/s a core", "ns, least–most", "ratio"], rows)
    )


if __name__ == "__main__":
    main()
