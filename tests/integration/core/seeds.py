"""What the fuzz targets begin with: `python -m tests.integration.core.seeds FOLDER` writes it, a folder a target."""

from __future__ import annotations

import sys
from pathlib import Path

from neonize.proto import Neonize_pb2 as pb

from tests.integration.core import events, shapes
from tests.integration.core.shapes import SHAPES

CODES = [events.MESSAGE, events.RECEIPT, events.HISTORY_SYNC, events.GROUP_INFO, events.JOINED_GROUP,
         events.CALL_TERMINATE, events.CHAT_PRESENCE, 20]  # fmt: skip
"""As in `fuzz/fuzz_targets/event.rs`."""


def all_seeds() -> dict[str, list[bytes]]:
    """By target."""
    contents = [
        shape.content.SerializePartialToString().replace(shapes.BAD.encode(), b"a\xff\xfeb\0") for shape in SHAPES
    ]
    told = [(events.MESSAGE, events.message_of(f"S{number}", content)) for number, content in enumerate(contents)]
    told += [(events.RECEIPT, events.receipt(["S1", "S2"], kind)) for kind in ("DELIVERED", "READ_SELF", "PLAYED")]
    told += [(events.GROUP_INFO, events.group_info(Name=pb.GroupName(Name="Keluarga"), Join=[events.jid(events.SITI)]))]
    told += [(events.JOINED_GROUP, events.joined_group(sender=events.SITI))]
    told += [(events.CALL_TERMINATE, events.ended_call("C1"))]
    history = events.history(events.SITI, [("H1", "satu", events.NOW), ("H2", "dua", events.NOW)], unreadCount=1)
    told += [(events.HISTORY_SYNC, history)]
    return {
        "decode": contents,
        "event": [bytes([CODES.index(code)]) + event for code, event in told],
        "history": [pb.HistorySync.FromString(history).Data.SerializePartialToString()],
    }


def main(folder: Path) -> None:
    """Writes them."""
    for target, seeds in all_seeds().items():
        (folder / target).mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(seeds):
            (folder / target / f"seed-{number:04}").write_bytes(seed)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
