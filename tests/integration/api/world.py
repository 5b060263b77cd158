"""A running API on a real database, and the people, devices and chats a test puts into it."""

from __future__ import annotations

import asyncio
import itertools
import multiprocessing
import threading
import time
import zlib
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

import asyncpg
import httpx
import msgspec

from tests.system import free_port
from wafast import settings
from wafast.accounts import keys
from wafast.accounts.passwords import hash_password
from wafast.accounts.principal import Scope
from wafast.api import serve
from wafast.database.pool import connect, open_pool
from wafast.devices.lease import BEAT_SECONDS, Leases
from wafast.events import bus
from wafast.events.calls import Handler, Server, request_channel

Result = TypeVar("Result")
PASSWORD = "correct horse battery"
KINDS = (
    "text", "image", "video", "audio", "voice", "document", "sticker", "location", "contact", "poll", "event", "call",
    "system",
)  # fmt: skip
_numbers = itertools.count(1)


class Background:
    """An event loop in a thread of its own, so that tests stay plain functions."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Runs work there and waits for it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(120)

    def stop(self) -> None:
        """Ends the thread."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(60)


class Device(msgspec.Struct, frozen=True):
    """A device a test made."""

    id: UUID
    no: int
    jid: str | None


class Chat(msgspec.Struct, frozen=True):
    """A chat a test made."""

    id: int
    jid: str
    device: Device


class World:
    """The API at ``url`` and its database.

    Args:
        url: of the API.
        uri: of the database.
        media_dir: where its files lie.
        background: where database work runs.
    """

    def __init__(self, url: str, uri: str, media_dir: Path, background: Background) -> None:
        self.media_dir = media_dir
        self.url = url
        self.uri = uri
        self.background = background
        self.pool: asyncpg.Pool = background.run(open_pool(uri, size=3, name="tests"))
        self._password_hash = background.run(hash_password(PASSWORD))

    def sql(self, query: str, *arguments: object) -> Any:
        """One value of a statement."""
        return self.background.run(self.pool.fetchval(query, *arguments))

    @contextmanager
    def holding(self, query: str, *arguments: object) -> Iterator[None]:
        """What a statement locks stays so."""
        connection: asyncpg.Connection = self.background.run(connect(self.uri, "holding"))
        self.background.run(connection.execute("BEGIN"))
        self.background.run(connection.execute(query, *arguments))
        try:
            yield
        finally:
            self.background.run(connection.close())

    def publish(self, *events: bus.Event) -> None:
        """Announces events as workers do."""
        self.background.run(bus.publish(self.pool, events))

    def tenant(self, network: str = "whatsapp") -> Tenant:
        """A new workspace."""
        name = f"Workspace {next(_numbers)}"
        tenant_id = self.sql("INSERT INTO tenants (name, default_network) VALUES ($1, $2) RETURNING id", name, network)
        return Tenant(self, tenant_id, name)

    def user(self, *tenants: Tenant, role: str = "admin") -> str:
        """The e-mail of a new person; the password is PASSWORD."""
        email = f"person{next(_numbers)}@example.com"
        user_id = self.sql(
            "INSERT INTO users (email, name, password_hash) VALUES ($1, 'Aisyah', $2) RETURNING id",
            email,
            self._password_hash,
        )
        for tenant in tenants:
            self.sql("INSERT INTO members (tenant_id, user_id, role) VALUES ($1, $2, $3)", tenant.id, user_id, role)
        return email

    def anybody(self, **headers: str) -> httpx.Client:
        """An HTTP client of its own. It reads no certificates, which takes 20 ms and is for nothing here."""
        return httpx.Client(base_url=self.url, headers=headers, timeout=60, verify=False)

    def signed_in(self, email: str) -> httpx.Client:
        """A browser with the person's cookie."""
        browser = self.anybody()
        answer = browser.post("/api/v1/session", json={"email": email, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return browser


class Tenant:
    """A workspace with keys of every scope, and makers of what lies in it."""

    def __init__(self, world: World, tenant_id: int, name: str) -> None:
        self.world, self.id, self.name = world, tenant_id, name
        self._clients: dict[object, httpx.Client] = {}

    def key(self, scope: Scope = "admin", devices: Sequence[UUID] | None = None) -> str:
        """The text of a new API key."""
        made = keys.create_key(self.world.pool, self.id, scope, scope, None if devices is None else list(devices))
        return self.world.background.run(made)[0]

    def client(self, scope: Scope = "admin", devices: Sequence[UUID] | None = None) -> httpx.Client:
        """An HTTP client with a key of that scope."""
        wanted = (scope, None if devices is None else tuple(devices))
        if wanted not in self._clients:
            self._clients[wanted] = self.world.anybody(Authorization=f"Bearer {self.key(scope, devices)}")
        return self._clients[wanted]

    def device(self, *, paired: bool = True, network: str = "whatsapp", name: str = "Sales") -> Device:
        """A device, linked to a phone of its own unless told otherwise."""
        phone = f"6012{next(_numbers):07}"
        jid = f"{phone}@s.whatsapp.net" if paired else None
        device_id = self.world.sql(
            "INSERT INTO devices (tenant_id, name, network, state, jid, phone) VALUES ($1, $2, $3, $4, $5, $6)"
            " RETURNING id",
            self.id, name, network, "online" if paired else "new", jid, f"+{phone}" if paired else None,
        )  # fmt: skip
        return Device(device_id, self.world.sql("SELECT no FROM devices WHERE id = $1", device_id), jid)

    def chat(self, device: Device, *, name: str = "Farid", jid: str | None = None) -> Chat:
        """An empty chat."""
        jid = jid or f"6019{next(_numbers):07}@s.whatsapp.net"
        chat_id = self.world.sql(
            "INSERT INTO chats (tenant_id, device_no, jid, name, is_group) VALUES ($1, $2, $3, $4, $5) RETURNING id",
            self.id, device.no, jid, name, jid.endswith("@g.us"),
        )  # fmt: skip
        return Chat(chat_id, jid, device)

    def message(
        self,
        chat: Chat,
        text: str = "Hello",
        *,
        at: int | None = None,
        from_me: bool = False,
        kind: str = "text",
        media: dict[str, Any] | None = None,
        message_id: str | None = None,
    ) -> int:
        """A message in a chat, as the core stores it; gives its key."""
        message_id = message_id or f"3EB0{uuid4().hex[:16].upper()}"
        key = (at or int(time.time())) << 32 | zlib.crc32(message_id.encode())
        code = KINDS.index(kind)
        user = int((chat.device.jid or "0@").partition("@")[0] if from_me else chat.jid.partition("@")[0])
        status = 2 if from_me else 0
        self.world.sql(
            "INSERT INTO messages (chat_id, key, created_at, sender, device_no, tenant_id, kind, flags, status,"
            " message_id, sender_name, body, media)"
            " VALUES ($1, $2, now(), $3, $4, $5, $6, $7, $8, $9, 'Farid', $10, $11)",
            chat.id, key, user << 3, chat.device.no, self.id, code, int(from_me), status, message_id, text, media,
        )  # fmt: skip
        self.world.sql(
            "UPDATE chats SET last_key = $2, last_kind = $3, last_flags = $4, last_text = $5, last_status = $6"
            " WHERE id = $1 AND coalesce(last_key, 0) < $2",
            chat.id, key, code, int(from_me), text, status,
        )  # fmt: skip
        counted = "UPDATE chats SET unread = unread + $2, stored = stored + 1 WHERE id = $1"
        self.world.sql(counted, chat.id, 0 if from_me else 1)
        return key

    def pairing(self, device: Device) -> UUID:
        """A pairing that waits."""
        found: UUID = self.world.sql(
            "INSERT INTO pairings (tenant_id, device_no, method, qr, expires_at)"
            " VALUES ($1, $2, 'qr', '2@abc', now() + interval '2 minutes') RETURNING id",
            self.id, device.no,
        )  # fmt: skip
        return found

    def note(self, chat: Chat, text: str = "Call back") -> int:
        """A private note of nobody here."""
        found: int = self.world.sql(
            "INSERT INTO notes (tenant_id, chat_id, created_by, author, body) VALUES ($1, $2, 'key:0', 'CRM', $3)"
            " RETURNING id",
            self.id, chat.id, text,
        )  # fmt: skip
        return found

    def label(self, name: str = "", colour: str = "green") -> int:
        """A label; with a name of its own when none is given."""
        found: int = self.world.sql(
            "INSERT INTO labels (tenant_id, name, colour) VALUES ($1, $2, $3) RETURNING id",
            self.id, name or f"Label {next(_numbers)}", colour,
        )  # fmt: skip
        return found

    def distribution(self) -> int:
        """One that is done."""
        found: int = self.world.sql(
            "INSERT INTO distributions (tenant_id, filter, people, left_over, state, ended_at, created_by)"
            " VALUES ($1, '{}', 0, 0, 'done', now(), 'user:1') RETURNING id",
            self.id,
        )  # fmt: skip
        return found

    def lead(self, device: Device | None = None, **fields: Any) -> int:
        """A lead with a number of its own, of a device or of none."""
        told = {"phone": f"+6017{next(_numbers):07}", "name": "Siti", "tags": ["kl"]} | fields
        found: int = self.world.sql(
            "INSERT INTO leads (tenant_id, phone, name, tags, device_no, zone)"
            " VALUES ($1, $2, $3, $4, $5, 'Asia/Kuala_Lumpur') RETURNING id",
            self.id, told["phone"], told["name"], told["tags"], device and device.no,
        )  # fmt: skip
        return found

    def scoring(self) -> int:
        """One that is done."""
        found: int = self.world.sql(
            "INSERT INTO scorings (tenant_id, filter, goal, leads, state, ended_at, created_by)"
            " VALUES ($1, '{}', '', 0, 'done', now(), 'user:1') RETURNING id",
            self.id,
        )  # fmt: skip
        return found

    def lead_note(self, lead_id: int) -> int:
        """A note about a lead."""
        found: int = self.world.sql(
            "INSERT INTO lead_notes (tenant_id, lead_id, created_by, author, body)"
            " VALUES ($1, $2, 'key:0', 'CRM', 'Call back') RETURNING id",
            self.id, lead_id,
        )  # fmt: skip
        return found

    def lead_import(self) -> int:
        """An import whose columns are known."""
        shape = {"format": "csv", "encoding": "utf-8", "delimiter": ",", "header": True}
        shape["columns"] = [{"name": "phone", "examples": ["0123456789"]}]
        found: int = self.world.sql(
            "INSERT INTO imports (tenant_id, kind, file_name, size, state, shape, mapping, options, created_by)"
            " VALUES ($1, 'leads', 'a.csv', 1, 'ready', $2, '[\"phone\"]', '{}', 'key:0') RETURNING id",
            self.id, shape,
        )  # fmt: skip
        return found

    def segment(self) -> int:
        """A segment with a name of its own."""
        found: int = self.world.sql(
            "INSERT INTO segments (tenant_id, name, filter, created_by) VALUES ($1, $2, '{}', 'key:0') RETURNING id",
            self.id, f"Segment {next(_numbers)}",
        )  # fmt: skip
        return found

    def suppression(self) -> str:
        """A number that wants nothing more."""
        phone = f"+6018{next(_numbers):07}"
        added = "INSERT INTO suppressions (tenant_id, phone, reason, created_by) VALUES ($1, $2, 'STOP', 'lead')"
        self.world.sql(added, self.id, phone)
        return phone

    def campaign(self) -> int:
        """A draft."""
        source_id = self.world.sql("INSERT INTO sources (tenant_id, kind) VALUES ($1, 'text') RETURNING id", self.id)
        found: int = self.world.sql(
            "INSERT INTO campaigns (tenant_id, source_id, name, audience, created_by)"
            " VALUES ($1, $2, 'Raya', '{}', 'user:1') RETURNING id",
            self.id, source_id,
        )  # fmt: skip
        return found

    def outbox(self, device: Device, state: str = "queued") -> int:
        """An outbox row."""
        found: int = self.world.sql(
            "INSERT INTO outbox (tenant_id, device_no, to_jid, kind, body, state, created_by)"
            " VALUES ($1, $2, '60191234567@s.whatsapp.net', 'text', 'Hi', $3, 'user:1') RETURNING id",
            self.id, device.no, state,
        )  # fmt: skip
        return found


class FakeWorker:
    """A worker that holds a device's lease and answers calls."""

    def __init__(self, world: World, tenant: Tenant, device: Device, handler: Handler) -> None:
        self._world = world
        self.id = uuid4()
        self._leases = Leases(world.pool, self.id, "whatsapp")
        world.background.run(self._leases.beat())
        world.sql(
            "INSERT INTO leases (device_no, tenant_id, worker_id) VALUES ($1, $2, $3)", device.no, tenant.id, self.id
        )
        self._stop = world.background.run(self._start(handler))

    async def _start(self, handler: Handler) -> asyncio.Task[None]:
        server = Server(self._world.pool, handler)
        ready = asyncio.Event()
        listener = bus.Listener(
            self._world.uri, "test worker", {request_channel(self.id): server.receive}, lambda: None
        )
        task = asyncio.create_task(self._live(listener, ready))
        await ready.wait()
        return task

    async def _live(self, listener: bus.Listener, ready: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(listener.run(ready))
            while True:
                await asyncio.sleep(BEAT_SECONDS)
                await self._leases.beat()

    def close(self) -> None:
        """Lets the lease go."""
        self._world.background.loop.call_soon_threadsafe(self._stop.cancel)
        self._world.background.run(self._leases.resign())


@contextmanager
def running(uri: str, data_dir: Path, environment: Mapping[str, str] | None = None) -> Iterator[World]:
    """An API process on a database, with these settings, and the world around it."""
    port = free_port()
    process = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(str(data_dir), port, uri, environment or {})
    )
    process.start()
    url = f"http://127.0.0.1:{port}"
    background = Background()
    try:
        _wait_for(url, process)
        yield World(url, uri, data_dir / "media", background)
    finally:
        process.terminate()
        process.join(60)
        assert process.exitcode == 0, f"the API process ended with {process.exitcode}"
        background.stop()


def _serve(data_dir: str, port: int, uri: str, environment: Mapping[str, str]) -> None:
    flags = {"data_dir": data_dir, "port": str(port), "log": "warning"}
    serve.run(settings.load(flags, environment, Path(data_dir) / "no.env"), uri)


def _wait_for(url: str, process: BaseProcess) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert process.is_alive(), "the API process ended at its start"
        try:
            if httpx.get(f"{url}/readyz", verify=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the API process is not ready after two minutes")
