"""Tunnels to a host: straight, or through an HTTP CONNECT or SOCKS5 proxy."""

from __future__ import annotations

import asyncio
import base64
import socket
import struct
import time
from collections.abc import Callable
from typing import Literal
from urllib.parse import unquote, urlsplit

import msgspec

DIAL_SECONDS = 20.0
CHUNK = 1 << 16

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class TunnelError(Exception):
    """No tunnel; `status` is the HTTP status that says why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class ProxyAddress(msgspec.Struct, frozen=True):
    """A proxy, from a URL such as `socks5://user:password@host:1080`."""

    scheme: Literal["http", "socks5"]
    host: str
    port: int
    user: str | None
    password: str | None

    @classmethod
    def parse(cls, url: str) -> ProxyAddress:
        """Raises TunnelError when it is not an http or socks5 URL with host and port."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if host is None or port is None or parts.scheme not in ("http", "socks5"):
            raise TunnelError(502, "the device's proxy is not http://host:port or socks5://host:port")
        user = unquote(parts.username) if parts.username else None
        return cls("http" if parts.scheme == "http" else "socks5", host, port, user, unquote(parts.password or ""))


async def open_tunnel(proxy: ProxyAddress | None, host: str, port: int) -> Streams:
    """A connection to host and port. Raises TunnelError."""
    try:
        async with asyncio.timeout(DIAL_SECONDS):
            if proxy is None:
                return await _dial(host, port)
            streams = await _dial(proxy.host, proxy.port)
            try:
                await (_http if proxy.scheme == "http" else _socks5)(proxy, streams, host, port)
            except BaseException:
                streams[1].close()
                raise
            return streams
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        where = f"{host}:{port}" if proxy is None else f"the proxy {proxy.host}:{proxy.port}"
        raise TunnelError(502, f"{where} is not reached: {error or type(error).__name__}") from error
    except TimeoutError:
        raise TunnelError(504, f"{host} did not answer within {DIAL_SECONDS:.0f} seconds") from None


async def _dial(host: str, port: int) -> Streams:
    reader, writer = await asyncio.open_connection(host, port, limit=CHUNK)
    connection = writer.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return reader, writer


async def _http(proxy: ProxyAddress, streams: Streams, host: str, port: int) -> None:
    reader, writer = streams
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if proxy.user is not None:
        credentials = base64.b64encode(f"{proxy.user}:{proxy.password}".encode()).decode()
        lines.append(f"Proxy-Authorization: Basic {credentials}")
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    words = head.split("\r\n")[0].split(" ", 2)
    if len(words) < 2 or words[1] != "200":
        raise TunnelError(502, f"the proxy {proxy.host}:{proxy.port} refused: {' '.join(words[1:]) or head[:80]}")


async def _socks5(proxy: ProxyAddress, streams: Streams, host: str, port: int) -> None:
    reader, writer = streams
    writer.write(b"\x05\x01\x00" if proxy.user is None else b"\x05\x02\x00\x02")
    _, method = await reader.readexactly(2)
    if method == 2 and proxy.user is not None:
        user, password = proxy.user.encode(), (proxy.password or "").encode()
        writer.write(b"\x01" + bytes([len(user)]) + user + bytes([len(password)]) + password)
        if (await reader.readexactly(2))[1] != 0:
            raise TunnelError(502, f"the proxy {proxy.host}:{proxy.port} refused the user name or password")
    elif method != 0:
        raise TunnelError(502, f"the proxy {proxy.host}:{proxy.port} wants a login that is not known here")
    name = host.encode("idna")
    writer.write(b"\x05\x01\x00\x03" + bytes([len(name)]) + name + struct.pack(">H", port))
    answer = await reader.readexactly(4)
    if answer[1] != 0:
        raise TunnelError(502, f"the proxy {proxy.host}:{proxy.port} could not connect: SOCKS error {answer[1]}")
    lengths = {1: 4, 4: 16}
    length = lengths.get(answer[3]) or (await reader.readexactly(1))[0]
    await reader.readexactly(length + 2)


class _Pipe(asyncio.Protocol):
    """One end of a tunnel: what comes in here goes out there. A task and a stream per direction would cost four times
    the memory, and a wake-up more for each packet."""

    def __init__(
        self, there: asyncio.Transport, ended: asyncio.Future[None], heard: Callable[[], None] | None = None
    ) -> None:
        self._there, self._ended, self._heard = there, ended, heard

    def data_received(self, data: bytes) -> None:
        self._there.write(data)
        if self._heard is not None:
            self._heard()

    def eof_received(self) -> None:
        self._end()

    def connection_lost(self, _error: Exception | None) -> None:
        self._end()

    def pause_writing(self) -> None:
        """This end is slow: the other waits."""
        if not self._there.is_closing():
            self._there.pause_reading()

    def resume_writing(self) -> None:
        if not self._there.is_closing():
            self._there.resume_reading()

    def _end(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)


class _SlowPipe(_Pipe):
    """A pipe out of which bytes come so many seconds after they went in. What is in it when an end closes is lost."""

    def __init__(self, there: asyncio.Transport, ended: asyncio.Future[None], seconds: float) -> None:
        super().__init__(there, ended)
        self._seconds = seconds
        self._inside: list[tuple[float, bytes]] = []

    def data_received(self, data: bytes) -> None:
        self._inside.append((time.monotonic(), data))
        if len(self._inside) == 1:
            asyncio.get_running_loop().call_later(self._seconds, self._let_out)

    def _let_out(self) -> None:
        if self._there.is_closing():
            return
        ripe = time.monotonic() - self._seconds
        out = [data for since, data in self._inside if since <= ripe]
        self._there.write(b"".join(out))
        del self._inside[: len(out)]
        if self._inside:
            asyncio.get_running_loop().call_later(self._inside[0][0] - ripe, self._let_out)


async def splice(
    near: asyncio.Transport,
    far: asyncio.Transport,
    greeting: bytes,
    heard: Callable[[], None] | None = None,
    hold: float = 0.0,
) -> None:
    """Say `greeting` to the near end, then carry bytes both ways until either end closes.

    Neither end may have said anything yet: a TLS client waits for the greeting, and its server for the client.

    Args:
        heard: called whenever the far end has said something.
        hold: how long the near end's words are kept back, seconds.
    """
    if near.is_closing() or far.is_closing():
        return
    ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    far.set_protocol(_Pipe(near, ended, heard))
    near.set_protocol(_SlowPipe(far, ended, hold) if hold else _Pipe(far, ended))
    near.write(greeting)
    await ended
