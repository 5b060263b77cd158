"""A port that was found for a server is still free when the server starts."""

from __future__ import annotations

import asyncio
import socket

import pytest

from tests.system import free_port


async def test_nobody_else_is_given_the_port_and_the_server_listens_there_again_and_again() -> None:
    port = free_port()
    for _ in range(2):
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", port))
        server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", port)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await reader.read() == b""
        writer.close()
        server.close()
        await server.wait_closed()
