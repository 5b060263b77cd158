"""What these tests stand on: a running system and the simulator's phones."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol


class Phones(Protocol):
    """What these tests need of the simulator's client (tests/simulator.py)."""

    def scan(self, *, phone: str, qr: str) -> object: ...
    def enter_code(self, *, phone: str, code: str) -> object: ...
    def text(self, *, phone: str, contact: str, text: str, group: str | None = None) -> object: ...
    def image(self, *, phone: str, contact: str, caption: str) -> object: ...
    def receipt(self, *, phone: str, contact: str, ids: list[str], type: str) -> object: ...
    def inbox(self, *, phone: str, contact: str, wait_ms: int) -> list[dict[str, Any]]: ...
    def typing(self, *, phone: str, contact: str, state: str) -> object: ...
    def group(self, *, phone: str, subject: str, members: list[str]) -> str: ...


class Stack(NamedTuple):
    """A running system with its demo, and the simulator's phones beside it."""

    url: str
    email: str
    password: str
    phones: Phones
