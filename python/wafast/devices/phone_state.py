"""How the phone has its chats after the pairing: what people are called there, what is muted, pinned and archived."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from wafast import logs
from wafast.devices import neonize_events
from wafast.devices.held import Held
from wafast.devices.session_file import told_file
from wafast.devices.whatsmeow_store import PhoneChat

log = logs.get("devices.phone_state")

LOOK_SECONDS = 10.0
#: Of more that have written to their session files, those come first that were not looked at for longest: of 1,500
#: busy devices each once a minute, which takes 0.5 ms of CPU: 0.36 for the look and its share of the 35 that starting
#: the process takes. One that is idle takes 0.04 ms a minute.
MOST = 250
ASK_SECONDS = 60.0
#: A file that was written just now may be written again at the same instant, as far as its time tells.
YOUNG_SECONDS = 1.0


@dataclass(slots=True)
class _Seen:
    """What is known of the session file of a device that is online."""

    store: Path
    told: str | None
    """The versions of the phone's settings that the core was told of; a file has them for the time after a restart."""
    versions: str | None = None
    """Those of the last look. whatsmeow counts a version before it writes what it brings: the next look tells again."""
    journal: tuple[int, int] | None = None
    """Time and size of the journal when nothing was left to tell."""
    nameless: set[str] = field(default_factory=set)
    """Chats to tell of whatever the versions."""


class _Answer(msgspec.Struct, frozen=True):
    """What `whatsmeow_store.read` gives."""

    versions: str | None = None
    chats: list[PhoneChat] = []
    error: str = ""


class PhoneState:
    """Looks into the session files of devices that are online, and tells the core, as if the phone had sent it."""

    def __init__(self, held: Mapping[int, Held], sessions_dir: Path, feed: Callable[[int, int, bytes], None]) -> None:
        """`held` are the devices of this worker by number, their session files in `sessions_dir`; `feed` takes (device
        number, code, event) for the core, as the inlet would."""
        self._held, self._sessions_dir, self._feed = held, sessions_dir, feed
        self._seen: dict[int, _Seen] = {}  # what was not looked at for longest comes first
        self._nameless: dict[int, set[str]] = {}

    def want(self, device_no: int, jids: list[str]) -> None:
        """The device has met chats without a name: the phone may have one for them, and more."""
        self._nameless.setdefault(device_no, set()).update(jids)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self._look()
            except (OSError, ValueError, subprocess.SubprocessError) as error:
                log.warning("how the phones have their chats was not read", error=str(error))

    async def _look(self) -> None:
        self._follow()
        journals = {no: _journal(seen.store) for no, seen in self._seen.items()}
        changed = {no: seen for no, seen in self._seen.items() if journals[no] != seen.journal or seen.nameless}
        asked = list(changed.items())[:MOST]
        if not asked:
            return
        answers = await asyncio.to_thread(
            _ask, [(str(seen.store), seen.told, list(seen.nameless)) for _, seen in asked]
        )
        for (no, seen), answer in zip(asked, answers, strict=True):
            self._seen[no] = self._seen.pop(no)
            try:
                await self._take(no, seen, journals[no], msgspec.json.decode(answer, type=_Answer))
            except Exception:
                log.exception("what a session file holds is not readable", device=no)
                seen.journal = journals[no]  # until it is written again
                seen.nameless.clear()

    def _follow(self) -> None:
        """Which devices are online, and what they are to be asked for."""
        files = {
            no: self._sessions_dir / held.store for no, held in self._held.items() if held.is_online and held.store
        }
        self._seen = {no: seen for no, seen in self._seen.items() if files.get(no) == seen.store}
        for no in files.keys() - self._seen.keys():
            self._seen[no] = _Seen(files[no], _told(files[no]))
        for no in list(self._nameless):
            if no in self._seen:
                self._seen[no].nameless |= self._nameless.pop(no)
            elif no not in self._held:
                del self._nameless[no]

    async def _take(self, device_no: int, seen: _Seen, journal: tuple[int, int] | None, answer: _Answer) -> None:
        if answer.versions is None:
            log.debug("a session file is not readable now", device=device_no, error=answer.error)
            return
        if answer.chats:
            await asyncio.to_thread(self._tell, device_no, answer.chats)  # the core may make a device wait
        if answer.versions != seen.told and answer.versions == seen.versions:
            seen.told = answer.versions
            told_file(seen.store).write_text(seen.told)
        seen.versions = answer.versions
        seen.nameless.clear()
        is_old = journal is not None and abs(time.time() - journal[0] / 1e9) > YOUNG_SECONDS
        seen.journal = journal if is_old and seen.told == seen.versions else None

    def _tell(self, device_no: int, chats: list[PhoneChat]) -> None:
        self._feed(device_no, neonize_events.HISTORY_SYNC, neonize_events.chats_described(chats))


def _ask(questions: list[tuple[str, str | None, list[str]]]) -> list[bytes]:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "wafast.devices.whatsmeow_store"],
        input=msgspec.json.Encoder().encode_lines(questions),
        capture_output=True,
        timeout=ASK_SECONDS,
        check=True,
    )
    return done.stdout.splitlines()


def _told(store: Path) -> str | None:
    try:
        return told_file(store).read_text()
    except FileNotFoundError:
        return None


def _journal(store: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(f"{store}-wal")
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size
