"""What the fuzz targets begin with: `python -m tests.integration.core.seeds FOLDER` writes it, a folder a target."""

from __future__ import annotations

import sys
from pathlib import Path

from neonize.proto import Neonize_pb2 as pb

from tests.integration.core import events, shapes
from tests.integration.core.shapes import SHAPES
from wafast import _core


def element(id: str, *inside: bytes) -> bytes:
    """One of WebM's, whose id is in hexadecimal."""
    value = b"".join(inside)
    return bytes.fromhex(id) + bytes([0x40 | len(value) >> 8, len(value) & 255]) + value


def recording(packets: int = 20) -> bytes:
    """A recording as a browser makes it: so many packets of 20 ms of Opus in WebM."""
    head = b"OpusHead\1\1\0\0\x80\xbb\0\0\0\0\0"
    audio = element("e1", element("9f", b"\1"))
    codec = (element("86", b"A_OPUS"), element("63a2", head))
    track = element("ae", element("d7", b"\1"), element("73c5", b"\1"), element("83", b"\2"), *codec, audio)
    info = element("1549a966", element("2ad7b1", b"\x0f\x42\x40"), element("4d80", b"a"), element("5741", b"a"))
    blocks = [element("a3", b"\x81", (20 * n).to_bytes(2, "big"), b"\x80\xf8", b"\7" * 30) for n in range(packets)]
    cluster = element("1f43b675", element("e7", b"\0"), *blocks)
    kind = element("1a45dfa3", element("4282", b"webm"), element("4287", b"\4"), element("4285", b"\2"))
    return kind + element("18538067", info, element("1654ae6b", track), cluster)


def all_seeds() -> dict[str, list[bytes]]:
    """By target."""
    contents = [
        shape.content.SerializePartialToString().replace(shapes.BAD.encode(), b"a\xff\xfeb\0") for shape in SHAPES
    ]
    told = [(events.MESSAGE, events.message_of(f"S{number}", content)) for number, content in enumerate(contents)]
    told += [(events.RECEIPT, events.receipt(["S1", "S2"], kind)) for kind in ("DELIVERED", "READ_SELF", "PLAYED")]
    told += [(events.GROUP_INFO, events.group_info(Name=pb.GroupName(Name="Keluarga"), Join=[events.jid(events.SITI)]))]
    told += [(events.JOINED_GROUP, events.joined_group(sender=events.SITI))]
    told += [(events.CALL_TERMINATE, events.ended_call("C1")), (events.PICTURE, events.picture())]
    told += [(events.UNDECRYPTABLE, events.undecryptable("U1"))]
    history = events.history(events.SITI, [("H1", "satu", events.NOW), ("H2", "dua", events.NOW)], unreadCount=1)
    told += [(events.HISTORY_SYNC, history)]
    return {
        "decode": contents,
        "event": [bytes([code]) + event for code, event in told],
        "history": [pb.HistorySync.FromString(history).Data.SerializePartialToString()],
        "voice": [recording(), _core.voice_note(recording())[0]],
    }


def main(folder: Path) -> None:
    """Writes them."""
    for target, seeds in all_seeds().items():
        (folder / target).mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(seeds):
            (folder / target / f"seed-{number:04}").write_bytes(seed)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
