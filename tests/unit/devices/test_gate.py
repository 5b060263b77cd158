"""The connect gate, with plain sockets in the place of sessions, proxies and WhatsApp."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import urlsplit

import pytest

from wafast.devices.backoff import COOLDOWN_SECONDS
from wafast.devices.counts import Counts
from wafast.devices.gate import CALM_SECONDS, CHAT_HOST, LONGEST_PAUSE, SAID_SECONDS, Gate, _Line, line_pause
from wafast.devices.tunnel import ProxyAddress, TunnelError

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def listening(handler: Handler) -> AsyncIterator[int]:
    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


@contextlib.asynccontextmanager
async def opened(rate: float = 1000, only: tuple[str, int] | None = None, places: int = 100) -> AsyncIterator[Gate]:
    gate = Gate(rate, places, only, Counts())
    await gate.open()
    yield gate
    await gate.close()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(100):
        writer.write(data.upper())
    writer.close()


def proxy_of(handler: Handler) -> Handler:
    """A proxy that grants what it is asked for and is itself the other end."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await handler(reader, writer)

    return serve


async def dial(
    address: str, host: str, port: int, user: str | None = None
) -> tuple[str, asyncio.StreamReader, asyncio.StreamWriter]:
    """CONNECT as a session does; gives the status line."""
    parts = urlsplit(address)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    token = base64.b64encode(f"{user or parts.username}:{parts.password}".encode()).decode()
    writer.write(f"CONNECT {host}:{port} HTTP/1.1\r\nProxy-Authorization: Basic {token}\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    return head.decode().split("\r\n")[0], reader, writer


def admitted(gate: Gate, device_no: int, proxy: str | None = None) -> str:
    """The address for a device that may dial now."""
    address = gate.admit(device_no, proxy, asyncio.Event())
    gate.let_go(device_no)
    return address


async def says(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, text: bytes) -> bytes:
    writer.write(text)
    return await reader.read(100)


async def test_a_device_reaches_its_host_and_the_gate_has_seen_it() -> None:
    async with listening(echo) as port, opened() as gate:
        dialled = asyncio.Event()
        address = gate.admit(7, None, dialled)
        gate.let_go(7)
        status, reader, writer = await dial(address, "127.0.0.1", port)
        assert status.startswith("HTTP/1.1 200")
        assert dialled.is_set()
        assert await says(reader, writer, b"hello") == b"HELLO"
        gate.dismiss(7)
        assert await reader.read() == b"", "its connections are cut"


async def test_a_dial_is_seen_at_once_and_answered_when_it_may_go() -> None:
    async with listening(echo) as port, opened() as gate:
        dialled = asyncio.Event()
        waiting = asyncio.ensure_future(dial(gate.admit(7, None, dialled), "127.0.0.1", port))
        await dialled.wait()
        assert not (await asyncio.wait([waiting], timeout=0.2))[0]
        gate.let_go(7)
        assert "200" in (await waiting)[0]


async def test_nobody_else_may_dial() -> None:
    async with listening(echo) as port, opened() as gate:
        address = admitted(gate, 7, None)
        assert (await dial(address, "127.0.0.1", port, user="8"))[0].startswith("HTTP/1.1 407")
        wrong = address.replace(urlsplit(address).password or "", "guess")
        assert (await dial(wrong, "127.0.0.1", port))[0].startswith("HTTP/1.1 407")


async def test_a_loopback_gate_goes_through_one_address_whatever_the_device_says() -> None:
    seen: list[str] = []

    async def profile_proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append((await reader.readline()).decode().strip())
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await echo(reader, writer)

    async with listening(profile_proxy) as port, opened(only=("127.0.0.1", port)) as gate:
        address = admitted(gate, 7, "socks5://203.0.113.9:1080")
        status, reader, writer = await dial(address, "web.whatsapp.com", 443)
        assert status.startswith("HTTP/1.1 200")
        assert await says(reader, writer, b"x") == b"X"
    assert seen == ["CONNECT web.whatsapp.com:443 HTTP/1.1"]


def test_a_loopback_gate_refuses_an_address_elsewhere() -> None:
    with pytest.raises(ValueError, match="only dials on this machine"):
        Gate(50, 1, ("203.0.113.9", 8080), Counts())


async def test_a_device_goes_through_its_own_socks_proxy() -> None:
    asked: list[bytes] = []

    async def socks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readexactly(4) == b"\x05\x02\x00\x02"
        writer.write(b"\x05\x02")
        assert await reader.readexactly(9) == b"\x01\x03ann\x03p:w"
        writer.write(b"\x01\x00")
        asked.append(await reader.readexactly(4 + 1 + 16 + 2))
        writer.write(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50")
        await echo(reader, writer)

    async with listening(socks) as port, opened() as gate:
        address = admitted(gate, 7, f"socks5://ann:p%3Aw@127.0.0.1:{port}")
        status, reader, writer = await dial(address, "web.whatsapp.com", 443)
        assert status.startswith("HTTP/1.1 200")
        assert await says(reader, writer, b"x") == b"X"
    assert asked == [b"\x05\x01\x00\x03\x10web.whatsapp.com\x01\xbb"]


async def test_a_proxy_that_refuses_is_named() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 403 Forbidden\r\n\r\n")
        writer.close()

    async with listening(refuse) as port, opened() as gate:
        address = admitted(gate, 7, f"http://127.0.0.1:{port}")
        assert (await dial(address, "web.whatsapp.com", 443))[0].startswith("HTTP/1.1 502 the proxy 127.0.0.1")


def test_what_is_no_proxy() -> None:
    for text in ("ftp://host:1", "http://host", "nonsense", "socks5://:1080", "http://host:99999"):
        with pytest.raises(TunnelError):
            ProxyAddress.parse(text)


async def test_dials_keep_the_global_rate() -> None:
    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")

    async with listening(proxy) as port, opened(20, ("127.0.0.1", port)) as gate:
        addresses = [admitted(gate, number) for number in range(21)]
        began = time.monotonic()
        await asyncio.gather(*(dial(address, "web.whatsapp.com", 443) for address in addresses))
        assert time.monotonic() - began >= 0.95, "no second has more than its rate, also the first"


async def accepting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A proxy that takes everybody, and says again what it hears."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while data := await reader.read(100):
        writer.write(data)
    writer.close()


async def test_no_more_than_the_places_are_connecting_at_once() -> None:
    async with listening(accepting) as port, opened(only=("127.0.0.1", port), places=2) as gate:
        addresses = [admitted(gate, number) for number in range(4)]
        dials = [asyncio.ensure_future(dial(address, "web.whatsapp.com", 443)) for address in addresses]

        async def until_in(count: int) -> list[int]:
            """Those that are in, once they are so many; nobody else comes then."""
            while sum(one.done() for one in dials) < count:
                waiting = [one for one in dials if not one.done()]
                await asyncio.wait(waiting, timeout=60, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait(dials, timeout=0.3)
            return [number for number, one in enumerate(dials) if one.done()]

        first, second = await until_in(2)
        gate.settled(first)  # it is online
        assert len(await until_in(3)) == 3
        gate.settled(first)  # and has no second place to give
        assert len(await until_in(3)) == 3
        gate.dismiss(second)
        assert len(await until_in(4)) == 4


async def test_the_gate_knows_when_whatsapp_last_spoke_and_cuts_a_device_off() -> None:
    async with listening(accepting) as port, opened(only=("127.0.0.1", port)) as gate:
        address = admitted(gate, 7)
        assert gate.heard_at(7) is None
        _, reader, writer = await dial(address, "web.whatsapp.com", 443)
        connected = gate.heard_at(7)
        assert connected is not None
        assert await says(reader, writer, b"ping") == b"ping"
        heard = gate.heard_at(7)
        assert heard is not None
        assert heard > connected
        _, files, _ = await dial(address, "mmg.whatsapp.net", 443)
        gate.cut(7)
        assert await reader.read() == await files.read() == b""
        assert gate.heard_at(7) is None
        gate.ask_to_redial(7)  # or it would wait for the cooldown
        assert (await dial(address, "web.whatsapp.com", 443))[0].endswith("established"), "it may dial again"


async def test_what_a_session_says_to_whatsapp_is_kept_for_a_moment_and_dies_with_its_line() -> None:
    """whatsmeow may have said that a message arrived before the inlet has it."""
    heard: list[bytes] = []
    over = asyncio.Event()

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while data := await reader.read(100):
            heard.append(data)
            writer.write(data.upper())
        over.set()

    async with listening(proxy) as port, opened(only=("127.0.0.1", port)) as gate:
        address = admitted(gate, 7)
        _, reader, writer = await dial(address, "web.whatsapp.com", 443)
        began = time.monotonic()
        for word in (b"one", b"two"):
            assert await says(reader, writer, word) == word.upper()
        assert time.monotonic() - began >= 2 * SAID_SECONDS
        writer.write(b"never heard")
        gate.dismiss(7)
        await over.wait()
    assert heard == [b"one", b"two"]


async def test_a_redial_waits_for_the_cooldown_unless_whatsapp_asked_for_it() -> None:
    async with listening(proxy_of(echo)) as port, opened(only=("127.0.0.1", port)) as gate:
        address = admitted(gate, 7)
        await dial(address, CHAT_HOST, 443)
        again = asyncio.ensure_future(dial(address, CHAT_HOST, 443))
        async with asyncio.timeout(60):
            while gate.waiting == 0:  # noqa: ASYNC110  # nobody is told of it
                await asyncio.sleep(0.01)
        assert not (await asyncio.wait([again], timeout=0.2))[0]
        assert (gate.waiting, gate.redialling) == (1, 0)
        gate.ask_to_redial(7)
        async with asyncio.timeout(60):
            assert "200" in (await again)[0]
        assert (gate.waiting, gate.redialling) == (0, 1)
        gate.settled(7)
        assert gate.redialling == 0
        again = asyncio.ensure_future(dial(address, CHAT_HOST, 443))
        gate.ask_to_redial(7)
        assert not (await asyncio.wait([again], timeout=0.2))[0], "it asks once"
        again.cancel()


def test_a_storm_of_reconnects_is_held_back_longer_each_time() -> None:
    line = _Line(None, asyncio.Event())

    def most(low: float, high: float) -> float:
        assert low == 0.0
        return high

    assert line_pause(line, 1000.0, most) == 0
    pauses = []
    for _ in range(9):
        line.last_dial = 1000.0
        pauses.append(line_pause(line, 1001.0, most) - (COOLDOWN_SECONDS - 1))
    longest = LONGEST_PAUSE - (COOLDOWN_SECONDS - 1)
    assert pauses == [0, 1, 2, 4, 8, 16, longest, longest, longest]
    line.storm = 0
    assert line_pause(line, 1000.0 + COOLDOWN_SECONDS, most) == 0
    assert line_pause(line, 1001.0 + CALM_SECONDS, most) == 0
