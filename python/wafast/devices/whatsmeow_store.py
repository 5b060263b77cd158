"""What whatsmeow keeps in a session file of how the phone has its chats. neonize 0.5.2 tells of it by no event.

A program, because the files are open in the worker: two SQLites in one process do not see each other's locks, and the
one that closes a file takes the other's away. Two processes are what SQLite is made for. It imports little: it starts
in 35 ms, with msgspec in 90.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import sys
from typing import Any, NamedTuple

from wafast.database.queries import load

q = load(__file__)

#: A checkpoint holds a reader up for milliseconds.
BUSY_SECONDS = 1.0


class PhoneChat(NamedTuple):
    """A chat or person as the phone has them; None where it says nothing. `muted_until` in Unix seconds, 0 when not
    muted, -1 for ever."""

    jid: str
    name: str | None
    muted_until: int | None
    pinned: int | None
    archived: int | None


def read(store: str, versions: str | None, jids: list[str]) -> dict[str, Any]:
    """The versions of a session file's settings, and as `chats` rows like PhoneChat: all when the versions are not
    these, else those of `jids`. When the file can't be read now, `error` says why."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{store}?mode=ro", timeout=BUSY_SECONDS, uri=True)) as database:
            database.execute("BEGIN")
            ((found,),) = database.execute(q.app_state_versions)
            wanted = None if found != versions else json.dumps(jids)
            rows = database.execute(q.chats_on_phone, {"jids": wanted}) if wanted != "[]" else ()
            return {"versions": found, "chats": list(rows)}
    except sqlite3.Error as error:
        return {"error": str(error)}


if __name__ == "__main__":
    for question in sys.stdin:
        print(json.dumps(read(*json.loads(question))))
