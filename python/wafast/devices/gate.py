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
from wafast.devices.tunnel import ProxyAddress, TunnelError, open_tunnel, splice

log = logs.get("devices.gate")

#: whatsmeow gives up on a proxy that has not answered within a minute.
HOLD_SECONDS = 45.0
REQUEST_SECONDS = 10.0
MAX_REQUEST = 8192
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
#: A second dial within this long after the last one is a storm: from the next on it waits, longer each time.
CALM_SECONDS = 60.0
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 40.0
CHAT_HOST = "web.whatsapp.com"
#: whatsmeow tells WhatsApp that a message has arrived when neonize has queued it, not when the inlet has it. What it
#: tells waits so long in this process: a kill in between takes both, and the message comes again. On a busy machine
#: the queue was seen 40 ms behind.
SAID_SECONDS = 0.05


class _Line:
    """What the gate knows of one device."""

    def __init__(self, proxy: ProxyAddress | None, dialled: asyncio.Event) -> None:
        self.proxy, self.dialled = proxy, dialled
        self.last_dial = 0.0
        self.storm = 0
        self.tasks: set[asyncio.Task[None]] = set()


class Gate:
    """The proxy of one worker."""

    def __init__(self, connect_rate: float, only: tuple[str, int] | None) -> None:
        """`connect_rate` is how many dials a second may begin; `only` is the one address to go through, in a loopback
        worker. Raises ValueError when that is not on this machine."""
        if only is not None and not _is_loopback(only[0]):
            raise ValueError(f"a loopback worker only dials on this machine, not {only[0]}")
        self._gap = 1.0 / connect_rate
        self._only = ProxyAddress("http", only[0], only[1], None, None) if only else None
        self._secret = secrets.token_urlsafe(16)
        self._lines: dict[int, _Line] = {}
        self._turn = asyncio.Lock()
        self._next = 0.0
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

        Gives the proxy address for its session; `dialled` is set at its first dial. Raises TunnelError for a proxy that
        is not one.
        """
        address = None if self._only or not proxy else ProxyAddress.parse(proxy)
        self._lines[device_no] = _Line(address, dialled)
        return f"http://{device_no}:{self._secret}@127.0.0.1:{self._port}"

    def dismiss(self, device_no: int) -> None:
        """Let a device dial no more, and cut its connections."""
        line = self._lines.pop(device_no, None)
        if line is not None:
            for task in line.tasks:
                task.cancel()

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
        if request.host == CHAT_HOST:
            await self._wait_turn(device_no, line)
        if reader.at_eof():
            raise ConnectionResetError("it did not wait")
        _, far = await open_tunnel(self._only or line.proxy, request.host, request.port)
        ends = cast(asyncio.Transport, writer.transport), cast(asyncio.Transport, far.transport)
        try:
            await splice(*ends, ESTABLISHED, SAID_SECONDS if request.host == CHAT_HOST else 0.0)
        finally:
            far.close()

    async def _wait_turn(self, device_no: int, line: _Line) -> None:
        pause = line_pause(line, time.monotonic(), random.uniform)
        if pause:
            log.info("a reconnect is held back", device=device_no, seconds=round(pause, 1))
            await asyncio.sleep(pause)
        async with self._turn:
            wait = self._next - time.monotonic()
            if wait > HOLD_SECONDS:
                raise TunnelError(503, "too many devices are connecting")
            if wait > 0:
                await asyncio.sleep(wait)
            self._next = time.monotonic() + self._gap
        line.last_dial = time.monotonic()


def line_pause(line: _Line, now: float, uniform: Callable[[float, float], float]) -> float:
    """How long a dial is held back, in seconds: full jitter over a doubling range.

    Not at all after a calm time, and not the first redial either: WhatsApp itself asks for one after a pairing.
    """
    if not line.last_dial or now - line.last_dial > CALM_SECONDS:
        line.storm = 0
        return 0.0
    line.storm += 1
    return uniform(0.0, min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (line.storm - 2))) if line.storm > 1 else 0.0


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
