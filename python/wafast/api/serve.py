"""The API process: the application behind Granian, until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
import socket

import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server

from wafast import logs
from wafast.api.app import create_app
from wafast.api.envelope import Envelope
from wafast.api.lifespan import running
from wafast.api.metrics import Metrics
from wafast.api.services import Services
from wafast.loaded import leave_loaded
from wafast.pulse import BEAT_SECONDS, Pulse
from wafast.settings import SettingError, Settings

log = logs.get("api")

#: An open socket counts as a request, so that Granian's own limit, the backlog, would be one of browsers.
MAX_CONNECTIONS = 65_536


def run(settings: Settings, database_uri: str, pulse: Pulse | None = None) -> None:
    """Serves the API and the web app until SIGTERM or SIGINT.

    Args:
        settings: of this start; ``host`` and ``port`` say where.
        database_uri: where PostgreSQL is; its migrations are done.
        pulse: tells a supervisor that the loop runs.

    Raises:
        SettingError: another program has the address.
    """
    logs.configure(settings.log, "api")
    _require_free(settings.host, settings.port)
    uvloop.run(_serve(settings, database_uri, pulse))


async def _serve(settings: Settings, database_uri: str, pulse: Pulse | None) -> None:
    metrics = Metrics()
    app = create_app(running(settings, database_uri, metrics))
    server = Server(
        Envelope(app, metrics),
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=True,
        backlog=1024,
        backpressure=MAX_CONNECTIONS,
        log_enabled=False,
    )

    def stop() -> None:
        server.stop()  # type: ignore[no-untyped-call]
        services: Services | None = app.state.get("services")
        if services is not None:
            services.hurry()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    log.info("serving", host=settings.host, port=settings.port)
    life = asyncio.create_task(_show_life(pulse)) if pulse is not None else None
    leave_loaded()
    await server.serve()
    if life is not None:
        life.cancel()
    log.info("stopped")


async def _show_life(pulse: Pulse) -> None:
    while True:
        pulse.beat()
        await asyncio.sleep(BEAT_SECONDS)


def _require_free(host: str, port: int) -> None:
    """Granian shares a port with whoever else wants it (SO_REUSEPORT); two would mix their answers."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SettingError(
                f"PORT is {port}, but {host}:{port} can't be had: {error.strerror}; set another"
            ) from None
