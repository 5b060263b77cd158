"""What wafast is made of and reads at its start: versions, the web app, folders, profile, port."""

from __future__ import annotations

import asyncio
import http.client
import importlib
import importlib.metadata
import socket
import sqlite3
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from wafast.ai import AiError, endpoint_of
from wafast.data_dir import Running
from wafast.devices import loopback_trust
from wafast.devices.poison import find as find_poison
from wafast.devices.poison import find_damaged
from wafast.doctor import machine
from wafast.doctor.trouble import Note, Trouble
from wafast.settings import Settings

if TYPE_CHECKING:
    from wafast.ai_client import Endpoint

WEB_APP = Path(__file__).resolve().parents[1] / "web" / "index.html"
ANSWER_SECONDS = 3.0


def python() -> str:
    """The interpreter, and the SQLite it reads session files with."""
    return f"{sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}"


def core() -> str:
    """The Rust core."""
    try:
        module = importlib.import_module("wafast._core")
    except ImportError as error:
        raise Trouble(f"{error}; build it: make build") from None
    info: dict[str, str] = module.build_info()
    if info["profile"] != "release":
        raise Trouble(f"built as {info['profile']}, which is many times slower: make build")
    return info["version"]


def neonize() -> str:
    """The WhatsApp engine, in the one version that the core knows how to call."""
    try:
        found = str(importlib.import_module("wafast.devices.neonize_package").VERSION)
    except (ImportError, OSError, RuntimeError) as error:
        raise Trouble(f"it can't be loaded: {error}; install again: make build") from None
    wanted = next((text for text in importlib.metadata.requires("wafast") or () if text.startswith("neonize==")), "")
    if wanted and f"neonize=={found}" != wanted:
        raise Trouble(f"{found} is installed, {wanted} is wanted: the core calls it by address; make build")
    return found


def web_app() -> str:
    """The pages."""
    if not WEB_APP.is_file():
        raise Trouble(f"{WEB_APP} is missing: make build")
    return "built"


def data_dir(settings: Settings) -> str:
    """Whether the data folder can be written, and has room."""
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=settings.data_dir):
            pass
    except OSError as error:
        raise Trouble(f"{settings.data_dir}: {error.strerror}; set WAFAST_DATA_DIR") from None
    return machine.disk(settings.data_dir, "media and messages that wait")


def spool(settings: Settings) -> str:
    """Files of running workers, a few of them kept for what comes next, and what nothing could be done with."""
    files = sum(1 for _ in settings.spool_dir.glob("*.spool"))
    poison = find_poison(settings.spool_dir)
    if poison:
        raise Trouble(
            f"{len(poison)} events could not be read or stored and are kept, the latest because of: "
            f"{poison[0].reason}. `wafast poison list` shows them, `wafast poison replay --all` tries again"
        )
    if damaged := find_damaged(settings.spool_dir):
        raise Trouble(
            f"{len(damaged)} kept events are damaged, one {damaged[0].reason}; `wafast poison list` shows them"
        )
    return f"{files} files" if files else "empty"


def chats(settings: Settings) -> str:
    """Whether messages are stored, without which nobody's opt-out is heard."""
    if not settings.chat_storage:
        raise Note(
            "not stored (WHATSAPP_CHAT_STORAGE is false): no STOP is heard, so nothing of campaigns and "
            "sequences leaves"
        )
    return "stored"


def loopback(settings: Settings) -> str:
    """The profile of a WhatsApp server on this machine, and whether it answers."""
    if settings.loopback is None:
        return "no profile given"
    try:
        host, port = loopback_trust.read_profile(settings.loopback).address
    except loopback_trust.ProfileError as error:
        raise Trouble(str(error)) from None
    try:
        socket.create_connection((host, port), ANSWER_SECONDS).close()
    except OSError as error:
        raise Trouble(
            f"nobody answers at {host}:{port}, which {settings.loopback} names ({error.strerror or error}): start the "
            "simulator (`wafast loopback`), or unset WAFAST_LOOPBACK"
        ) from None
    return f"answers at {host}:{port}"


def ai(settings: Settings) -> str:
    """The AI endpoint, if one is set, and whether it answers."""
    endpoint = endpoint_of(settings, at_once=1)
    if endpoint is None:
        if settings.ai_key is not None or settings.ai_model is not None:
            raise Note("off: a key or a model is set, but WAFAST_AI_URL is not")
        return "off: WAFAST_AI_URL is not set"
    key = "with a key" if settings.ai_key else "without a key"
    try:
        models = asyncio.run(_models(endpoint))
    except AiError as error:
        raise Trouble(f"{endpoint.url}, model {endpoint.model}, {key}: {error}") from None
    if models and endpoint.model not in models:
        raise Note(f"{endpoint.url} answers {key}, but names no model {endpoint.model}: look at WAFAST_AI_MODEL")
    return f"{endpoint.url} answers {key}, model {endpoint.model}"


async def _models(endpoint: Endpoint) -> list[str]:
    try:
        return await endpoint.models()
    finally:
        await endpoint.close()


def web_server(settings: Settings, system: Running | None) -> str:
    """Whether the web server answers: of the system that runs, if one does, wherever it was told to serve; or whether
    it could have its port."""
    port = system.port if system is not None else settings.port
    address = f"http://127.0.0.1:{port}/readyz"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(address, timeout=ANSWER_SECONDS):
            return f"answers on port {port}"
    except urllib.error.HTTPError as error:
        raise Trouble(f"{address} answers {error.code}: not ready, or another program; set PORT") from None
    except (OSError, http.client.HTTPException):
        if system is not None:
            raise Trouble(
                f"wafast (process {system.pid}) runs on {settings.data_dir}, but {address} does not answer: see what "
                "it printed"
            ) from None
    return _free_port(settings)


def _free_port(settings: Settings) -> str:
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise Trouble(
                f"{settings.host}:{settings.port} can't be had: {error.strerror}; end what has it, or set PORT"
            ) from None
    return f"not running; port {settings.port} is free"
