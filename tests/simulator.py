"""Drives the loopback simulator: a WhatsApp server on 127.0.0.1 with its phones and contacts.

`Simulator.start(folder)` runs one until `stop()`; every other method is one order of its control port (the Rust side is
`rust/loopback/src/control/order.rs`). Phones and contacts are digits with country code. Calls block; use one simulator
per thread or give each its own `Simulator.attach(profile)`.
"""

from __future__ import annotations

import base64
import contextlib
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

START_SECONDS = 300.0
"""How long a simulator may take from start to profile; it takes 0.1 s on an idle machine."""
ORDER_SECONDS = 120.0
"""How long an order may take beyond the time it was asked to wait."""

T = TypeVar("T")


class SimulatorError(RuntimeError):
    """The simulator refused an order; the text is its reason."""


class Profile(msgspec.Struct, frozen=True):
    """What a client needs to take the simulator for WhatsApp (`loopback.json`)."""

    proxy: str
    ca_file: str
    noise_root: str
    control: str


class InboxMessage(msgspec.Struct, frozen=True):
    """A message a contact got from a line, decrypted. `retry` is which time it was encrypted, from 0."""

    seq: int
    phone: str
    device: int
    contact: str
    group: str | None
    id: str
    kind: str
    text: str
    quoted: str | None
    media_sha_ok: bool | None
    media_sha256: str | None
    retry: int
    at: int


class Receipt(msgspec.Struct, frozen=True):
    """A receipt a device sent; `type` is `delivered` where the wire has none, `at` is Unix milliseconds."""

    seq: int
    phone: str
    device: int
    type: str
    ids: list[str]
    to: str
    participant: str | None
    at: int


class Seen(msgspec.Struct, frozen=True):
    """Typing or presence a device sent."""

    seq: int
    phone: str
    device: int
    state: str
    to: str | None
    name: str | None


class Device(msgspec.Struct, frozen=True):
    """A linked companion. `unacked` counts what it has not acknowledged."""

    device: int
    online: bool
    unacked: int
    prekeys: int


class Account(msgspec.Struct, frozen=True):
    """A line."""

    phone: str
    lid: str
    name: str
    devices: list[Device]


class Linked(msgspec.Struct, frozen=True):
    """The companion a pairing made."""

    phone: str
    device: int


class Setting(msgspec.Struct, frozen=True):
    """An app-state mutation as the phone reads it; `index` is JSON, as `["mute","60…@s.whatsapp.net"]`."""

    collection: str
    index: str
    removed: bool


class Stats(msgspec.Struct, frozen=True):
    """Counters since the start; `rss` in bytes, `unknown` by namespace."""

    connections: int
    handshakes: int
    logins: int
    refused_logins: int
    pairings: int
    messages_in: int
    messages_out: int
    redelivered: int
    receipts_in: int
    retries_in: int
    retries_out: int
    undecryptable: int
    nacks: int
    uploads: int
    downloads: int
    protocol_errors: int
    unknown: dict[str, int]
    rss: int
    people: int
    devices: int
    sessions: int


class _Accounts(msgspec.Struct):
    accounts: list[Account]


class _Ids(msgspec.Struct):
    ids: list[str]


class _Id(msgspec.Struct):
    id: str


class Image(msgspec.Struct, frozen=True):
    """A picture a contact sent: the message's id and the file's SHA-256 in hex."""

    id: str
    sha256: str


class _Group(msgspec.Struct):
    group: str


class _Contacts(msgspec.Struct):
    contacts: list[str]


def command() -> list[str]:
    """The program to run: `WAFAST_LOOPBACK_BIN` (development), else the one inside `wafast._core`."""
    binary = os.environ.get("WAFAST_LOOPBACK_BIN")
    if binary:
        return [binary]
    importlib.import_module("wafast._core")
    return [sys.executable, "-c", "import sys; from wafast._core import loopback; sys.exit(loopback(sys.argv[1:]))"]


@dataclass
class Simulator:
    """A running simulator, and the connection to its control port."""

    profile: Profile
    folder: Path
    process: subprocess.Popen[bytes] | None = None
    _socket: socket.socket | None = None

    @classmethod
    def start(cls, folder: Path, *, seed: int | None = None) -> Simulator:
        """Runs one on `folder`, which keeps its world from run to run.

        Raises `RuntimeError` when it ends or has no profile within `START_SECONDS`.
        """
        profile = folder / "loopback.json"
        profile.unlink(missing_ok=True)
        arguments = [*command(), "--dir", str(folder), *(["--seed", str(seed)] if seed is not None else [])]
        process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + START_SECONDS
        while not profile.exists():
            if process.poll() is not None:
                raise RuntimeError(f"the simulator ended with code {process.returncode}")
            if time.monotonic() > deadline:
                process.kill()
                raise RuntimeError(f"no {profile} after {START_SECONDS:.0f} s")
            time.sleep(0.01)
        simulator = cls.attach(profile)
        simulator.process = process
        return simulator

    @classmethod
    def attach(cls, profile: Path) -> Simulator:
        """Drives one that runs already, by its profile file."""
        return cls(msgspec.json.decode(profile.read_bytes(), type=Profile), profile.parent)

    def stop(self) -> None:
        """Ends it cleanly; its world is saved."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Ends it as a crash would (SIGKILL)."""
        self._end(signal.SIGKILL)

    def _end(self, number: int) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(timeout=ORDER_SECONDS)

    def order(self, op: str, answer: type[T], *, wait: float = 0.0, **fields: Any) -> T:
        """Sends one order; fields that are None are left out. `wait` is the seconds the simulator may take to wait.

        Raises `SimulatorError` with the simulator's reason.
        """
        line = json.dumps({"op": op} | {key: value for key, value in fields.items() if value is not None})
        reply = json.loads(self._exchange(line.encode() + b"\n", ORDER_SECONDS + wait))
        if "error" in reply:
            raise SimulatorError(f"{op}: {reply['error']}")
        return msgspec.convert(reply["ok"], answer)

    def _exchange(self, line: bytes, seconds: float) -> bytes:
        if self._socket is None:
            host, _, port = self.profile.control.rpartition(":")
            self._socket = socket.create_connection((host, int(port)))
        self._socket.settimeout(seconds)
        try:
            self._socket.sendall(line)
            with contextlib.closing(self._socket.makefile("rb")) as stream:
                reply = stream.readline()
        except OSError:
            self._socket.close()
            self._socket = None
            raise
        if not reply:
            self._socket = None
            raise SimulatorError("the simulator hung up")
        return reply

    # pairing and lines

    def scan(self, phone: str, qr: str, *, name: str | None = None) -> Linked:
        """The phone scans a QR code; returns once the device is linked."""
        return self.order("scan", Linked, phone=phone, qr=qr, name=name)

    def enter_code(self, phone: str, code: str, *, name: str | None = None) -> Linked:
        """The code a device shows is typed on the phone; returns once the device is linked."""
        return self.order("enter_code", Linked, phone=phone, code=code, name=name)

    def accounts(self) -> dict[str, Account]:
        """Every line by its phone."""
        return {account.phone: account for account in self.order("state", _Accounts).accounts}

    def account(self, phone: str) -> Account | None:
        """One line, if it was ever one."""
        accounts = self.order("state", _Accounts, phone=phone).accounts
        return accounts[0] if accounts else None

    def push_name(self, phone: str, name: str) -> None:
        """Somebody, line or contact, names themselves."""
        self.order("push_name", bool, phone=phone, name=name)

    def app_state(self, phone: str) -> list[Setting]:
        """The settings made so far, as far as the phone can read them."""
        return self.order("app_state", list[Setting], phone=phone)

    def settings(
        self,
        phone: str,
        *,
        contact: str | None = None,
        group: str | None = None,
        mute_until: int | None = None,
        pinned: bool | None = None,
        archived: bool | None = None,
        name: str | None = None,
    ) -> None:
        """On the phone the owner mutes, pins or archives the chat with a contact or of a group, or names the contact in
        the address book. `mute_until` in Unix seconds; 0 ends it, -1 is for ever."""
        fields: dict[str, Any] = {"contact": contact, "group": group, "pinned": pinned, "archived": archived}
        self.order("settings", bool, phone=phone, mute_until=mute_until, name=name, **fields)

    # people write

    def text(
        self,
        phone: str,
        contact: str,
        text: str,
        *,
        group: str | None = None,
        quoted: str | None = None,
        count: int | None = None,
        interval_ms: int | None = None,
    ) -> list[str]:
        """A contact writes to a line or in a group; `count` messages have their number from 0 behind the text."""
        wait = (count or 1) * (interval_ms or 0) / 1000
        fields: dict[str, Any] = {"phone": phone, "contact": contact, "text": text, "group": group}
        fields |= {"quoted": quoted, "count": count, "interval_ms": interval_ms}
        return self.order("text", _Ids, wait=wait, **fields).ids

    def image(
        self,
        phone: str,
        contact: str,
        *,
        caption: str | None = None,
        data: bytes | None = None,
        group: str | None = None,
    ) -> Image:
        """A contact sends a picture: `data` (JPEG), or one the simulator draws."""
        encoded = None if data is None else base64.b64encode(data).decode()
        return self.order("image", Image, phone=phone, contact=contact, caption=caption, data=encoded, group=group)

    def raw(
        self,
        phone: str,
        contact: str,
        message: bytes,
        *,
        group: str | None = None,
        id: str | None = None,
        edit: str | None = None,
        own: bool = False,
    ) -> str:
        """A contact sends any content: `message` is an encoded `waE2E.Message`. Gives the id.

        `edit` is the stanza's attribute of that name ("1" edits, "7" deletes, "8" deletes as an admin). With `own` the
        owner sends it to the contact on the phone itself.
        """
        fields: dict[str, Any] = {"phone": phone, "contact": contact, "group": group, "id": id, "edit": edit}
        encoded = base64.b64encode(message).decode()
        return self.order("raw", _Id, message=encoded, own=own or None, **fields).id

    def own(self, phone: str, contact: str, text: str) -> str:
        """The owner writes on the phone itself; its companions get a copy. Gives the id."""
        return self.order("own", _Id, phone=phone, contact=contact, text=text).id

    def corrupt(
        self, phone: str, contact: str, text: str, *, group: str | None = None, comes_again: bool | None = None
    ) -> str:
        """A contact writes what can't be decrypted until it is sent again, which it never is when `comes_again` is
        False. Gives the id."""
        fields: dict[str, Any] = {"phone": phone, "contact": contact, "text": text, "group": group}
        return self.order("corrupt", _Id, comes_again=comes_again, **fields).id

    def group(self, phone: str, subject: str, members: Sequence[str], *, id: str | None = None) -> str:
        """Makes a group of the line and `members`, or changes group `id`. Gives its JID."""
        return self.order("group", _Group, phone=phone, subject=subject, members=list(members), id=id).group

    def history(
        self,
        phone: str,
        contact: str,
        count: int,
        *,
        chats: int = 1,
        chunk: int | None = None,
        text: str | None = None,
        days: float | None = None,
        inline: bool = False,
        name: str | None = None,
    ) -> list[str]:
        """The phone sends its devices `count` old messages of a chat, spread over `days`, and of as many others as
        `chats` says, whose numbers follow; `chunk` messages at once. Gives ids, oldest first in each chat."""
        fields: dict[str, Any] = {"phone": phone, "contact": contact, "text": text, "name": name}
        fields |= {"chats": chats, "chunk": chunk}
        return self.order("history", _Ids, count=count, days=days, inline=inline, **fields).ids

    # people react

    def receipt(
        self,
        phone: str,
        contact: str,
        ids: Sequence[str],
        type: Literal["delivered", "read", "played"],
        *,
        group: str | None = None,
    ) -> None:
        """A contact tells a line that it got, read or played messages."""
        self.order("receipt", bool, phone=phone, contact=contact, ids=list(ids), type=type, group=group)

    def own_read(self, phone: str, contact: str, ids: Sequence[str], *, group: str | None = None) -> None:
        """The owner reads a contact's messages on the phone itself."""
        self.order("own_read", bool, phone=phone, contact=contact, ids=list(ids), group=group)

    def auto(
        self,
        *,
        phone: str | None = None,
        contact: str | None = None,
        deliver_ms: int | None = None,
        read_ms: int | None = None,
        reply: str | None = None,
    ) -> None:
        """How contacts react: milliseconds until delivered (default 0) and read (default never); negative is never.

        `reply` is what they answer; `{text}` in it stands for what they got.
        """
        fields: dict[str, Any] = {"phone": phone, "contact": contact, "reply": reply}
        self.order("auto", bool, deliver_ms=deliver_ms, read_ms=read_ms, **fields)

    def typing(
        self, phone: str, contact: str, state: Literal["composing", "recording", "paused"], *, group: str | None = None
    ) -> bool:
        """A contact types. Gives whether a device is there to see it."""
        return self.order("typing", bool, phone=phone, contact=contact, state=state, group=group)

    def presence(self, phone: str, contact: str, available: bool) -> bool:
        """A contact comes or goes. Gives whether a device is there to see it."""
        return self.order("presence", bool, phone=phone, contact=contact, available=available)

    def ask_again(self, phone: str, contact: str, id: str, *, group: str | None = None) -> None:
        """A contact says it could not decrypt this message of the line."""
        self.order("retry", bool, phone=phone, contact=contact, id=id, group=group)

    def not_on_whatsapp(self, contact: str, on: bool = True) -> None:
        """This number has no WhatsApp; `on=False`: it has again."""
        self.order("not_on_whatsapp", bool, contact=contact, on=on)

    def live(self, phone: str, on: bool, *, contacts: int | None = None, per_minute: float | None = None) -> list[str]:
        """Begins or ends contacts that write, answer, send pictures, read and type on their own. Gives who they are."""
        return self.order("live", _Contacts, phone=phone, on=on, contacts=contacts, per_minute=per_minute).contacts

    # what devices did

    def inbox(
        self, *, phone: str | None = None, contact: str | None = None, after: int = 0, wait: float = 0.0
    ) -> list[InboxMessage]:
        """What contacts got after number `after`; waits up to `wait` seconds for the first."""
        fields: dict[str, Any] = {"phone": phone, "contact": contact, "after": after}
        return self.order("inbox", list[InboxMessage], wait=wait, wait_ms=int(wait * 1000), **fields)

    def receipts(self, phone: str, *, after: int = 0, wait: float = 0.0) -> list[Receipt]:
        """The receipts a line's devices sent after number `after`."""
        return self.order("receipts", list[Receipt], wait=wait, phone=phone, after=after, wait_ms=int(wait * 1000))

    def seen(self, phone: str, *, after: int = 0, wait: float = 0.0) -> list[Seen]:
        """The typing and presence a line's devices sent after number `after`."""
        return self.order("seen", list[Seen], wait=wait, phone=phone, after=after, wait_ms=int(wait * 1000))

    def stats(self) -> Stats:
        """Counters, sessions and memory."""
        return self.order("stats", Stats)

    # what goes wrong

    def drop(self, phone: str | None = None) -> None:
        """Cuts a line's connections, or all."""
        self.order("drop", Any, phone=phone)

    def down(self, on: bool) -> None:
        """Refuses every connection, or takes them again."""
        self.order("down", bool, on=on)

    def logout(self, phone: str) -> None:
        """The phone unlinks its companions."""
        self.order("logout", int, phone=phone)

    def ban(self, phone: str, code: int, seconds: int) -> None:
        """A temporary ban, code 101 to 106."""
        self.order("ban", int, phone=phone, code=code, seconds=seconds)

    def replaced(self, phone: str) -> None:
        """Another place logs in as the line's companions."""
        self.order("replaced", int, phone=phone)

    def outdated(self, phone: str) -> None:
        """The client is too old, until `clear`."""
        self.order("outdated", int, phone=phone)

    def stream_error(self, phone: str, code: int) -> None:
        """A stream error, once."""
        self.order("stream_error", int, phone=phone, code=code)

    def failure(self, phone: str, reason: int) -> None:
        """Logins fail with this reason, until `clear`."""
        self.order("failure", int, phone=phone, reason=reason)

    def refuse_send(self, phone: str, code: int, *, count: int | None = None) -> None:
        """Sends fail with this code: the next `count`, or all until `clear`."""
        self.order("refuse_send", bool, phone=phone, code=code, count=count)

    def hold_acks(self, phone: str, on: bool) -> None:
        """The server's acknowledgements of sends wait until `on` is False."""
        self.order("hold_acks", int, phone=phone, on=on)

    def latency(self, ms: int) -> None:
        """The server is so far away: connecting waits so long at each of its five steps, and so does every stanza."""
        self.order("latency", bool, ms=ms)

    def downloads(self, how: Literal["served", "expired", "cut", "wrong", "held"]) -> None:
        """Files come; are gone; break off in the middle; come with other bytes; or wait until this is called again."""
        self.order("downloads", bool, how=how)

    def clear(self, phone: str) -> None:
        """Ends what ban, outdated, failure, refuse_send and hold_acks began."""
        self.order("clear", bool, phone=phone)
