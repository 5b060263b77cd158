"""The connect gate: a CONNECT proxy on 127.0.0.1 through which every session of a worker dials.

Its user name says which device dials, so that the gate sees each dial before it happens: it admits one at a time at
the global rate, holds back a device that reconnects too often, and goes on through the device's own proxy, or in a
loopback worker through the profile's proxy and nowhere else.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import ipaddress
import random
import secrets
import time
from collections.abc import Callable
from typing import cast
from urllib.parse import unquote

import msgspec

from wafast import logs
from wafast.devices.backoff import COOLDOWN_SECONDS
from wafast.devices.counts import Counts
from wafast.devices.rate import Rate
from wafast.devices.tunnel import ProxyAddress, TunnelError, open_tunnel, splice

log = logs.get("devices.gate")

#: whatsmeow gives up on a proxy that has not answered within a minute.
HOLD_SECONDS = 45.0
REQUEST_SECONDS = 10.0
#: A device that is not online by then gives its place to another one.
PLACE_SECONDS = 20.0
MAX_REQUEST = 8192
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
#: Dials within this long after the last one are a storm: each waits for the cooldown, and from the second on longer.
CALM_SECONDS = 60.0
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 40.0
CHAT_HOST = "web.whatsapp.com"
#: whatsmeow tells WhatsApp that a message has arrived when neonize has queued it, not when the inlet has it. What it
#: tells waits so long in this process: a kill in between takes both, and the message comes again. On a busy machine
#: the queue was seen 40 ms behind.
SAID_SECONDS = 0.05


class _Line:
    """What the gate knows of one device. Instants are of the monotonic clock."""

    __slots__ = (
        "asked_to", "chats", "dialled", "heard_at", "is_again", "last_dial", "may_go", "passed", "place", "proxy",
        "storm", "tasks", "waits", "was_asked",
    )  # fmt: skip

    def __init__(self, proxy: ProxyAddress | None, dialled: asyncio.Event) -> None:
        self.proxy, self.dialled = proxy, dialled
        self.may_go, self.passed = asyncio.Event(), asyncio.Event()
        self.last_dial = 0.0
        self.storm = 0
        #: WhatsApp asks for the next dial; and it has done so since the last calm.
        self.asked_to, self.was_asked = asyncio.Event(), False
        #: It waits for its turn; and its last dial was not its first.
        self.waits = self.is_again = False
        self.tasks: set[asyncio.Task[None]] = set()
        #: Tunnels to WhatsApp's chat server, and when it last said something through one.
        self.chats = 0
        self.heard_at = 0.0
        #: The place among those that are connecting, while it has one.
        self.place: asyncio.TimerHandle | None = None

    def hear(self) -> None:
        self.heard_at = time.monotonic()


class Gate:
    """The proxy of one worker."""

    def __init__(self, connect_rate: float, places: int, only: tuple[str, int] | None, counts: Counts) -> None:
        """`connect_rate` is how many dials may begin in any second, `places` how many devices may be connecting at
        once; `only` is the one address to go through, in a loopback worker. Raises ValueError when that is not on this
        machine."""
        if only is not None and not _is_loopback(only[0]):
            raise ValueError(f"a loopback worker only dials on this machine, not {only[0]}")
        self._rate, self._counts = Rate(connect_rate), counts
        self._only = ProxyAddress("http", only[0], only[1], None, None) if only else None
        self._secret = secrets.token_urlsafe(16)
        self._lines: dict[int, _Line] = {}
        self._turn = asyncio.Lock()
        self._places = asyncio.Semaphore(places)
        self._server: asyncio.Server | None = None
        self._port = 0

    async def open(self) -> None:
        """Begin to listen, on a port of its own."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Cut every tunnel and stop listening."""
        for device_no in list(self._lines):
            self.dismiss(device_no)
        if self._server is not None:
            self._server.close()

    def admit(self, device_no: int, proxy: str | None, dialled: asyncio.Event) -> str:
        """Let a device dial from now on, through its own `proxy` (http or socks5 URL) if it has one.

        Gives the proxy address for its session; `dialled` is set at its first dial, which waits for `let_go`. Raises
        TunnelError for a proxy that is not one.
        """
        address = None if self._only or not proxy else ProxyAddress.parse(proxy)
        self._lines[device_no] = _Line(address, dialled)
        return f"http://{device_no}:{self._secret}@127.0.0.1:{self._port}"

    def let_go(self, device_no: int) -> asyncio.Event:
        """Let the first dial of a device go on, and those after it; gives what is set when it has had its turn, or was
        refused."""
        line = self._lines.get(device_no)
        if line is None:  # dismissed meanwhile
            refused = asyncio.Event()
            refused.set()
            return refused
        line.may_go.set()
        return line.passed

    def dismiss(self, device_no: int) -> None:
        """Let a device dial no more, and cut its connections."""
        line = self._lines.pop(device_no, None)
        if line is not None:
            line.passed.set()
            self._give_place_back(line)
            for task in line.tasks:
                task.cancel()

    def cut(self, device_no: int) -> None:
        """Cut a device's connections; it dials again by itself."""
        line = self._lines.get(device_no)
        if line is not None:
            for task in line.tasks:
                task.cancel()

    def settled(self, device_no: int) -> None:
        """A device is not connecting any more: another one may."""
        line = self._lines.get(device_no)
        if line is not None:
            self._give_place_back(line)

    def ask_to_redial(self, device_no: int) -> None:
        """WhatsApp ends a device's connection so that it dials anew, as after each pairing: that is no storm, unless it
        does so again."""
        line = self._lines.get(device_no)
        if line is not None and not line.was_asked:
            line.was_asked = True
            line.asked_to.set()

    @property
    def waiting(self) -> int:
        """Devices that lost their line and wait until they may dial."""
        return sum(line.waits and line.last_dial > 0 for line in self._lines.values())

    @property
    def redialling(self) -> int:
        """Devices that lost their line, have dialled and are not in yet."""
        return sum(line.place is not None and line.is_again for line in self._lines.values())

    def heard_at(self, device_no: int) -> float | None:
        """When WhatsApp last said something to a device, on the monotonic clock; None without a connection."""
        line = self._lines.get(device_no)
        return line.heard_at if line is not None and line.chats else None

    def dialled_at(self, device_no: int) -> float | None:
        """When a device last began to dial WhatsApp, on the monotonic clock; None for one that may not."""
        line = self._lines.get(device_no)
        return line.last_dial if line is not None else None

    def _give_place_back(self, line: _Line) -> None:
        if line.place is not None:
            line.place.cancel()
            line.place = None
            self._places.release()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                request = _Request.parse(await reader.readuntil(b"\r\n\r\n"))
            device_no = request.device_no(self._secret)
            line = self._lines.get(device_no)
            if line is None:
                raise TunnelError(407, "this device may not dial")
            task = asyncio.current_task()
            assert task is not None
            line.tasks.add(task)
            task.add_done_callback(line.tasks.discard)
            await self._connect(device_no, line, request, reader, writer)
        except TunnelError as error:
            with contextlib.suppress(OSError):
                writer.write(f"HTTP/1.1 {error.status} {error}\r\nContent-Length: 0\r\n\r\n".encode())
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the other end has gone: there is nobody to tell
        except asyncio.CancelledError:
            pass  # dismissed; asyncio's stream server logs a cancelled handler as an error
        finally:
            writer.close()

    async def _connect(
        self,
        device_no: int,
        line: _Line,
        request: _Request,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        line.dialled.set()
        await line.may_go.wait()
        if request.host != CHAT_HOST:
            await self._carry(line, request, writer, None)
            return
        line.waits = True
        try:
            await self._wait_turn(device_no, line)
        finally:
            line.waits = False
            line.passed.set()
        try:
            if reader.at_eof():
                raise ConnectionResetError("it did not wait")
            await self._carry(line, request, writer, line.hear)
        finally:
            self._give_place_back(line)

    async def _carry(
        self, line: _Line, request: _Request, writer: asyncio.StreamWriter, heard: Callable[[], None] | None
    ) -> None:
        _, far = await open_tunnel(self._only or line.proxy, request.host, request.port)
        if heard is not None:
            heard()
            line.chats += 1
        try:
            near, there = cast(asyncio.Transport, writer.transport), cast(asyncio.Transport, far.transport)
            await splice(near, there, ESTABLISHED, heard, 0.0 if heard is None else SAID_SECONDS)
        finally:
            if heard is not None:
                line.chats -= 1
            far.close()

    async def _wait_turn(self, device_no: int, line: _Line) -> None:
        pause = line_pause(line, time.monotonic(), random.uniform)
        if pause:
            log.info("a reconnect is held back", device=device_no, seconds=round(pause, 1))
            self._counts.reconnect_held_back()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(line.asked_to.wait(), pause)
        try:
            async with asyncio.timeout(HOLD_SECONDS), self._turn:
                await asyncio.sleep(self._rate.wait(time.monotonic()))
                self._give_place_back(line)
                await self._places.acquire()
        except TimeoutError:
            raise TunnelError(503, "too many devices are connecting") from None
        line.place = asyncio.get_running_loop().call_later(PLACE_SECONDS, self._give_place_back, line)
        line.asked_to.clear()
        line.is_again = line.last_dial > 0
        self._counts.dial(again=line.is_again)
        line.last_dial = time.monotonic()
        self._rate.begin(line.last_dial)


def line_pause(line: _Line, now: float, uniform: Callable[[float, float], float]) -> float:
    """How long a dial is held back, in seconds: what is left of the cooldown, and from the second redial on full jitter
    over a doubling range. Not at all after a calm time."""
    since = now - line.last_dial
    if not line.last_dial or since > CALM_SECONDS:
        line.storm, line.was_asked = 0, False
        return 0.0
    line.storm += 1
    longest = FIRST_PAUSE * 2.0 ** (line.storm - 2) if line.storm > 1 else 0.0
    return min(LONGEST_PAUSE, max(0.0, COOLDOWN_SECONDS - since) + uniform(0.0, min(LONGEST_PAUSE, longest)))


class _Request(msgspec.Struct, frozen=True):
    """A CONNECT request."""

    host: str
    port: int
    authorization: str

    @classmethod
    def parse(cls, head: bytes) -> _Request:
        if len(head) > MAX_REQUEST:
            raise TunnelError(431, "the request is too large")
        lines = head.decode("latin-1").split("\r\n")
        words = lines[0].split(" ")
        if len(words) != 3 or words[0] != "CONNECT":
            raise TunnelError(405, "only CONNECT is served here")
        host, _, port = words[1].rpartition(":")
        if not host or not port.isdigit():
            raise TunnelError(400, "CONNECT wants host:port")
        fields = (line.partition(":") for line in lines[1:])
        headers = {name.strip().lower(): value.strip() for name, _, value in fields}
        return cls(host.strip("[]"), int(port), headers.get("proxy-authorization", ""))

    def device_no(self, secret: str) -> int:
        scheme, _, text = self.authorization.partition(" ")
        try:
            user, _, password = base64.b64decode(text, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            user, password = "", ""
        if scheme.lower() != "basic" or not secrets.compare_digest(unquote(password).encode(), secret.encode()):
            raise TunnelError(407, "who dials?")
        return int(user) if user.isdigit() else -1


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
