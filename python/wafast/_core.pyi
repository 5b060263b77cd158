"""The Rust side: the way of a message from neonize's callback to a committed row, and the simulator."""

import os
from collections.abc import Sequence
from typing import final

__all__ = [
    "Ingest",
    "build_info",
    "close_store",
    "inlet_address",
    "loopback",
    "message_key",
    "release_stores",
    "voice_note",
    "watch_stores",
]

def build_info() -> dict[str, str]:
    """How this module was built: `version`, and `profile` (`release` or `debug`)."""

def message_key(timestamp: int, message_id: str) -> int:
    """`messages.key` of a message: `timestamp` (Unix seconds) in the upper 32 bits, a hash of its id in the lower."""

def inlet_address() -> int:
    """Address of the C function `void (const char *name, const void *data, int size, int code)` to give to neonize as
    its event callback; `name` is the device's number in digits. It never takes the GIL."""

def loopback(arguments: Sequence[str]) -> int:
    """Run the simulator until SIGTERM or SIGINT; its exit code.

    `arguments`: `--dir DIR`, and optionally `--control-port N`, `--proxy-port N`, `--seed N`.
    """

def watch_stores(library: str) -> None:
    """Let the SQLite in neonize's shared library (`library`, a file) spare memory; before the first session starts.

    From now on its connections come without their pool for small things (41 KiB each) and are known to
    `release_stores`. Raises RuntimeError when the library is another one, or a store is open already.
    """

def release_stores() -> int:
    """Give the pages that quiet stores hold in memory back to the system, 84 KiB a connection: they are read from the
    files again when they are needed. Passes over those that are just being used; how many it did not pass over."""

def close_store(file: str | os.PathLike[str]) -> int:
    """Let go of a store's file (`file`) in every connection that is open to it and idle; of how many it did.

    For sessions that have ended: neonize leaves their connections open. They stay valid, and whoever still asks one
    gets an error of SQLite's (`string or blob too big`: no statement is short enough). Does nothing before
    `watch_stores`.
    """

def voice_note(file: bytes) -> tuple[bytes, int, bytes]:
    """A voice note as WhatsApp wants it, of a recording in WebM or Ogg: Opus in Ogg, how many seconds it lasts, and how
    loud it is in 64 steps from 0 to 100.

    Raises ValueError with the reason when the file is no such recording.
    """

@final
class Ingest:
    """Takes events from neonize's callback and commits what they say. A process has at most one.

    Args:
        uri: of the database, `postgresql://…`; one that is away is waited for.
        owner: a name no other process on this machine has; files in `spool_dir` carry it.
        spool_dir: events lie here until they are committed; what dead processes left is taken over at the start.
        messages_per_chat: newest messages kept of a chat; 0 keeps all.
        chat_storage: False stores no messages; receipts still move the outbox.
        eager_media: files of new incoming messages are noted in `media_fetches`, and told by `control`.
        buffer: events of one device in memory; more wait on disk.
        batch_rows: records in one transaction.
        batch_ms: milliseconds a batch stays open.
        writers: threads, each with a connection; a device always has the same. One more writes large histories.

    Raises RuntimeError when there is one already, the address is wrong or the folder can't be used; ValueError for a
    number that is too small.
    """

    def __new__(
        cls,
        uri: str,
        owner: str,
        spool_dir: str | os.PathLike[str],
        *,
        messages_per_chat: int = 20,
        chat_storage: bool = True,
        eager_media: bool = False,
        buffer: int = 100,
        batch_rows: int = 10_000,
        batch_ms: int = 5,
        writers: int = 2,
    ) -> Ingest: ...
    def receive(self, device_no: int, code: int, data: bytes, received_at: int | None = None) -> None:
        """What the callback does: one event (neonize's `code` and protobuf) of a device, which came at `received_at`
        (Unix seconds; None: now). When it returns, the event survives the process."""

    def control_fd(self) -> int:
        """A descriptor that is readable while `control` has something; it stays ours."""

    def control(self) -> list[tuple[int, int, bytes]]:
        """(device number, neonize's event code, protobuf) of every event that is not stored, since the last call.
        Codes below 0 are our own: -1, chats were met that had no name yet, their JIDs a line each; -2, there are new
        files to fetch."""

    def stats(self) -> dict[str, int]:
        """Counters since the start, and what is there now: `open` events that are not committed yet, `spool_segments`
        and `spool_bytes` of the files they lie in."""

    def histograms(self) -> dict[str, tuple[list[tuple[float, int]], int, float]]:
        """`commit_seconds` (from a batch's first statement until it was committed) and `batch_records`, since the
        start: for each bound how many did not exceed it, how many there were at all, and their sum."""

    def flush(self, seconds: float) -> bool:
        """Wait until everything that came is committed; False when that takes longer."""

    def close(self) -> None:
        """End the threads. What is under way is committed if the database is there, else it stays in the spool."""
