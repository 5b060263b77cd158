"""What session files say of the phone's chats, one of them in a way nobody thought of."""

from __future__ import annotations

from pathlib import Path

import pytest

from wafast.devices import phone_state
from wafast.devices.held import Held
from wafast.devices.phone_state import PhoneState

ODD = b'{"versions": "1", "chats": [{"jid": "60123456789@s.whatsapp.net", "muted_until": "for ever"}]}'
SOUND = b'{"versions": "1", "chats": []}'


def online(number: int, folder: Path) -> Held:
    held = Held(number, 1, (None, 1), state="online", session=object(), store=f"{number}.db")  # type: ignore[arg-type]
    (folder / f"{number}.db-wal").write_bytes(b"x")
    return held


async def test_an_odd_session_file_keeps_no_other_from_being_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = {number: online(number, tmp_path) for number in (1, 2)}
    asked: list[int] = []

    def ask(questions: list[tuple[str, str | None, list[str]]]) -> list[bytes]:
        asked.append(len(questions))
        return [ODD, SOUND][: len(questions)]

    monkeypatch.setattr(phone_state, "_ask", ask)
    state = PhoneState(held, tmp_path, lambda *_: None)
    await state._look()
    assert state._seen[2].versions == "1"
    await state._look()
    assert asked == [2, 1], "the odd one is asked again when it has changed"
