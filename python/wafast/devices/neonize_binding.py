"""neonize's shared library in this process: threads for its clients, and a pool for calls.

Facts of neonize 0.5.2 that shape this file: `Neonize()` keeps its thread for the client's life; its Go maps of clients
have no lock (`neonize_maps`); a call for a client that is not there dereferences nil, which ends the process.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import functools
import itertools
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from wafast import _core, logs
from wafast.devices import neonize_events
from wafast.devices.neonize_maps import Maps
from wafast.devices.neonize_package import (
    DeviceProps,
    ProxySettings,
    func_callback_bytes,
    func_callback_bytes2,
    func_string,
    gocode,
    pb,
)
from wafast.devices.session import Offline

log = logs.get("devices.neonize")

#: Measured to be enough for Go's callbacks; the default of 8 MiB costs page tables at 3,000 threads.
CLIENT_STACK = 256 * 1024
#: A send keeps its thread until the server has acknowledged it; they are made when they are needed.
CALL_THREADS = 256
#: Stopping a client takes milliseconds, or five seconds where WhatsApp does not answer its goodbye. One that takes so
#: long will never be over, and nothing else starts, stops or calls meanwhile: the process has to end.
HUNG_SECONDS = 30.0
#: A stop waits so long for the calls of its client: their answers will not come any more, but one may still be about to
#: look its client up, which on a busy machine was seen to take longer than a stop.
CALLS_END_SECONDS = 2.0
#: Files of all clients on their way at once: each is in memory twice meanwhile, and a campaign's is wanted by 3,000.
UPLOADS = 16
#: A client that has not dialled by then does not hold others up any longer.
DIAL_SECONDS = 10.0
#: Events neonize hands to the inlet: all but 1 (QR), which it would only hand over after the pairing.
SUBSCRIBED = bytes((*range(2, 14), *range(16, 28), *range(30, 46)))
#: Parameters that ride in the store's name: twice the rate at half the CPU of neonize's defaults.
STORE_PARAMETERS = "?_foreign_keys=on&_journal_mode=WAL&_synchronous=NORMAL&_cache_size=-64&_busy_timeout=5000&x="
#: Of a redelivery it can't decrypt whatsmeow tells with a warning and nothing else.
LOG_LEVEL = b"WARN"

#: A lost connection is an event as well, and the state of the device tells of it: these lines are for the curious.
LOST_LINE = ("from websocket", "Error reconnecting", "websocket not connected", "websocket disconnected")

Feed = Callable[[int, int, bytes], None]
"""Takes (device number, code, event) for the core, as the inlet would; the event survives the process then."""
LogIn = Callable[[], Awaitable[None]]
Told = Callable[[str, str], None]
"""What a client tells outside the inlet: ("qr", code), ("login", outcome), ("store", what failed), ("ended", error)."""


class Binding:
    """The library, one per process. Make it on the loop that is to hear the clients."""

    def __init__(self, inlet_address: int, feed: Feed, end_process: Callable[[], None]) -> None:
        """`feed` takes what neonize tells in its log only; `end_process` is called when neonize hangs."""
        self._feed, self._end_process = feed, end_process
        self._loop = asyncio.get_running_loop()
        self._told: dict[str, Told] = {}
        self._calls = ThreadPoolExecutor(CALL_THREADS, thread_name_prefix="neonize-call")
        self._free = asyncio.Semaphore(CALL_THREADS)
        self.uploading = asyncio.Semaphore(UPLOADS)
        self._stops = ThreadPoolExecutor(1, thread_name_prefix="neonize-stop")
        self._maps = Maps()
        try:
            _core.watch_stores(gocode._name)
        except RuntimeError as error:  # a quarter of a device's memory, nothing more
            log.warning("the memory of session files is not looked after", error=str(error))
        #: What runs in neonize now: (client, since when on the monotonic clock, its end) by the number of the call.
        self._under_way: dict[int, tuple[str, float, Future[bytes]]] = {}
        self._numbers = itertools.count()
        self._inlet = ctypes.cast(inlet_address, func_callback_bytes)
        self._on_qr = func_string(lambda uuid, text: self._hear(uuid, "qr", text))
        self._on_login = func_string(lambda uuid, text: self._hear(uuid, "login", text))
        # A line does not say whose it is, so each client has a function of its own, which Go may call ever after.
        self._on_log: dict[str, Any] = {}
        # Shown on the phone as the name of the linked device; one for the whole process.
        self._props = DeviceProps(os="wafast", platformType=DeviceProps.CHROME).SerializeToString()

    def _hear(self, uuid: int, what: str, text: int) -> None:
        name, value = ctypes.string_at(uuid).decode(), ctypes.string_at(text).decode()
        self._loop.call_soon_threadsafe(self._tell, name, what, value)

    def _tell(self, uuid: str, what: str, value: str) -> None:
        told = self._told.get(uuid)
        if told is not None:
            told(what, value)

    def _log(self, uuid: str, data: int, size: int) -> None:
        entry = pb.LogEntry.FromString(ctypes.string_at(data, size))
        lost = neonize_events.lost_message(entry.Message)
        if lost is not None:
            # whatsmeow tells WhatsApp that it has the message once this returns.
            self._feed(int(uuid), neonize_events.UNDECRYPTABLE, lost)
        if neonize_events.store_failure(entry.Message) is not None:
            with contextlib.suppress(RuntimeError):  # the loop may be closed when the process ends
                self._loop.call_soon_threadsafe(self._tell, uuid, "store", entry.Message)
        is_error = entry.Level == "ERROR" and not any(words in entry.Message for words in LOST_LINE)
        say = log.warning if is_error else log.debug
        say(entry.Message, component=entry.Name, device=int(uuid))

    async def run(self, uuid: str, store: str, proxy: str, told: Told, dialled: asyncio.Event, log_in: LogIn) -> None:
        """Start a client; returns once it is logged in or shows codes, has ended, or took too long.

        `dialled` is set when it dials; what it dials must not answer before `log_in` is called, which returns when the
        client has looked itself up for the last time.
        """
        self._told[uuid] = told
        ended = asyncio.Event()

        def end(error: str) -> None:
            ended.set()
            told("ended", error)

        async with self._maps.writing():
            await self._close(store)
            self._thread(uuid, store, proxy, end)
            waits = [asyncio.ensure_future(dialled.wait()), asyncio.ensure_future(ended.wait())]
            await asyncio.wait(waits, timeout=DIAL_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
        async with self._maps.logging_in():
            await log_in()

    def _thread(self, uuid: str, store: str, proxy: str, end: Callable[[str], None]) -> None:
        on_log = self._on_log.setdefault(uuid, func_callback_bytes2(functools.partial(self._log, uuid)))

        def live() -> None:
            settings = ProxySettings(proxy)._to_c_struct()
            subscribed = bytearray(SUBSCRIBED)
            buffer = (ctypes.c_char * len(subscribed)).from_buffer(subscribed)
            error = gocode.Neonize(
                (store + STORE_PARAMETERS).encode(), uuid.encode(), b"", 0, 0, LOG_LEVEL,
                self._on_qr, self._on_login, self._inlet, on_log, buffer, len(subscribed),
                self._props, len(self._props), b"", 0, ctypes.byref(settings),
            )  # fmt: skip
            with contextlib.suppress(RuntimeError):  # the loop may be closed when the process ends
                self._loop.call_soon_threadsafe(end, error.decode("utf-8", "replace"))

        before = threading.stack_size(CLIENT_STACK)
        try:
            threading.Thread(target=live, name=f"neonize-{uuid}", daemon=True).start()
        finally:
            threading.stack_size(before)

    async def stop(self, uuid: str, store: str) -> None:
        """Disconnect a client, forget it and let go of its store. Its thread ends by itself; one that still shows codes
        stays parked, as neonize never tells it that nobody scans any more."""
        await asyncio.shield(self._loop.create_task(self._take_out(uuid)))
        await self._close(store)
        for number in [number for number, (client, *_) in self._under_way.items() if client == uuid]:
            del self._under_way[number]

    async def _take_out(self, uuid: str) -> None:
        """Neonize writes its maps at the end of a stop: the turn lasts until then, whoever still waits for it."""
        self._told.pop(uuid, None)  # no call begins any more
        under_way = [asyncio.wrap_future(call) for client, _, call in self._under_way.values() if client == uuid]
        if under_way:
            await asyncio.wait(under_way, timeout=CALLS_END_SECONDS)
        async with self._maps.writing():
            stopping = self._loop.run_in_executor(self._stops, gocode.Stop, uuid.encode())
            if not (await asyncio.wait([stopping], timeout=HUNG_SECONDS))[0]:
                log.error("neonize does not come back from a stop: this process ends", device=int(uuid))
                self._end_process()
                await asyncio.wait([stopping])

    async def _close(self, store: str) -> None:
        """Let go of a file that neonize keeps open for clients that have ended: in ten minutes without WhatsApp each
        line is started six times, and 20,000 descriptors were gone. What is still in use is met before the next
        start."""
        await asyncio.to_thread(_core.close_store, store)

    async def call(self, function: str, uuid: str, *arguments: Any) -> bytes:
        """Call an exported function for a client that runs. Raises Offline when it was stopped meanwhile."""
        await self._free.acquire()  # a call that has its turn at the maps must not wait for a thread
        try:
            await self._maps.calling()
            if uuid not in self._told:
                raise Offline("the device is not connected")
        except BaseException:
            self._free.release()
            raise
        number = next(self._numbers)

        def is_over() -> None:
            self._free.release()
            self._under_way.pop(number, None)

        def returned(_asked: Future[bytes]) -> None:
            with contextlib.suppress(RuntimeError):  # the loop may be closed when the process ends
                self._loop.call_soon_threadsafe(is_over)

        asked: Future[bytes] = self._calls.submit(getattr(gocode, function), uuid.encode(), *arguments)
        self._under_way[number] = uuid, time.monotonic(), asked
        asked.add_done_callback(returned)
        return await asyncio.wrap_future(asked)

    def waiting_since(self, uuid: str) -> float | None:
        """When the oldest call of a client began that has not returned, on the monotonic clock; also of one whose
        caller has given up."""
        return min((since for client, since, _ in self._under_way.values() if client == uuid), default=None)

    def close(self) -> None:
        """Take no more calls; those under way are not waited for."""
        for pool in (self._calls, self._stops):
            pool.shutdown(wait=False, cancel_futures=True)
