"""Prometheus figures: of this process, of the whole system, and of each worker as it tells with its heartbeat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from wafast import vitals
from wafast.database.queries import load

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import asyncpg

    from wafast.events.hub import Hub

q = load(__file__)

BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
#: Figures of the whole system, by network and state.
SYSTEM = {
    "wafast_devices": "Devices.",
    "wafast_outbox_open": "Outbox rows on their way or in doubt.",
    "wafast_workers": "Workers alive.",
}
#: What a worker counts, by its name in `workers.figures`. The names are a promise to whoever watches them.
COUNTERS = {
    "events": ("wafast_ingest_events", "Events taken from WhatsApp."),
    "replayed": ("wafast_ingest_replayed", "Events that came back from the spool of a process that is gone."),
    "deferred": ("wafast_ingest_deferred", "Events that waited on disk because their device's buffer was full."),
    "damaged": ("wafast_ingest_damaged", "Events that were no protobuf and were set aside."),
    "poisoned": ("wafast_ingest_poisoned", "Events that could not be stored and were set aside."),
    "stored": ("wafast_messages_stored", "Messages stored."),
    "duplicates": ("wafast_messages_duplicate", "Messages that were there already."),
    "trimmed": ("wafast_messages_trimmed", "Messages older than what is kept of their chat."),
    "changed": ("wafast_messages_changed", "Messages changed by receipts, edits, reactions and the like."),
    "waiting": ("wafast_changes_waiting", "Changes that came before their message and wait for it."),
    "undecryptable": ("wafast_undecryptable", "Messages that could not be read and are shown as waiting."),
    "repaired": ("wafast_timestamps_repaired", "Timestamps that were nonsense and are the time of receipt."),
    "batches": ("wafast_ingest_batches", "Transactions committed."),
    "retries": ("wafast_ingest_retries", "Times a batch met a database that was away."),
    "staged": ("wafast_ingest_staged", "Batches with a message that another process had stored."),
    "controls": ("wafast_ingest_controls", "Events of a session's state, passed on to the worker."),
    "dials": ("wafast_dials", "Times a session dialled WhatsApp."),
    "reconnects": (
        "wafast_reconnects",
        "Dials of a session that had dialled before: its line was cut, or it was just paired.",
    ),
    "held_back": ("wafast_reconnects_held_back", "Dials that had to wait because their session dials too often."),
    "cpu_seconds": ("wafast_worker_cpu_seconds", "Seconds of the processor."),
}
#: What a worker has now.
GAUGES = {
    "open": ("wafast_ingest_open_events", "Events that came and are not committed yet."),
    "spool_segments": (
        "wafast_spool_segments",
        "Files for events that are not committed yet, with a few kept for what comes next.",
    ),
    "spool_bytes": ("wafast_spool_bytes", "Bytes allocated for them."),
    "held": ("wafast_worker_devices", "Devices it holds, by the lease table."),
    "connecting": (
        "wafast_connecting",
        "Lines between their start, or their dial once they were lost, and being online.",
    ),
    "connect_queue": (
        "wafast_connect_queue",
        "Lines that wait for their session to start, or until they may dial again.",
    ),
    "rss_bytes": ("wafast_worker_resident_bytes", "Memory in RAM, with what it shares with other processes."),
    "private_bytes": ("wafast_worker_private_bytes", "Memory in RAM that it shares with nobody."),
    "threads": ("wafast_worker_threads", "Threads of Python, Rust and Go together."),
    "fds": ("wafast_worker_open_files", "Open file descriptors."),
}
HISTOGRAMS = {
    "commit_seconds": ("wafast_ingest_commit_seconds", "From a batch's first statement until it was committed."),
    "batch_records": ("wafast_ingest_batch_records", "Records in a transaction."),
    "loop_late_seconds": ("wafast_worker_loop_late_seconds", "How late its event loop comes to a timer."),
}
#: What this process has of the machine.
VITALS = {
    "rss_bytes": ("wafast_api_resident_bytes", "Memory in RAM, with what it shares with other processes."),
    "private_bytes": ("wafast_api_private_bytes", "Memory in RAM that it shares with nobody."),
    "threads": ("wafast_api_threads", "Threads."),
    "fds": ("wafast_api_open_files", "Open file descriptors."),
}
LABELS = ["network", "worker"]
CONTENT_TYPE = "text/plain; version=0.0.4"  # the charset is added when it is sent


class Metrics:
    """What this process counts."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "wafast_api_requests_total", "Requests answered.", ["method", "route", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "wafast_api_request_seconds", "Time to answer.", ["route"], buckets=BUCKETS, registry=self._registry
        )
        self._frames = Counter("wafast_frames_sent_total", "Frames sent to WebSockets.", registry=self._registry)
        self._cut = Counter(
            "wafast_sockets_cut_off_total", "WebSockets closed because they read too slowly.", registry=self._registry
        )
        #: From the instant a message was inserted until its frame was made, in seconds: the commit lies between.
        self.event_lag = Histogram(
            "wafast_event_lag_seconds",
            "From a message's insert until its frame was made.",
            buckets=BUCKETS,
            registry=self._registry,
        ).observe
        #: How late this process' event loop comes to a timer, in seconds.
        self.loop_late = Histogram(
            "wafast_api_loop_late_seconds",
            "How late the event loop comes to a timer.",
            buckets=vitals.LATE_BOUNDS,
            registry=self._registry,
        ).observe
        self._registry.register(_Process())

    def watch(self, hub: Hub) -> None:
        """Reads the hub's numbers whenever somebody asks for the figures."""
        self._registry.register(_Live(hub))

    def frames_sent(self, count: int) -> None:
        """Counts frames that went over a socket."""
        self._frames.inc(count)

    def socket_cut_off(self) -> None:
        """Counts a socket that was closed because it read too slowly."""
        self._cut.inc()

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Counts an answered request.

        Args:
            route: the path with its parameters' names, or empty when no route matched.
        """
        self._requests.labels(method, route or "none", str(status)).inc()
        self._seconds.labels(route or "none").observe(seconds)

    def text(self, system: Iterable[tuple[str, str, str, int]], workers: Iterable[WorkerFigures]) -> bytes:
        """All figures in Prometheus' text format.

        Args:
            system: what the whole system has, as (figure, network, state, count).
            workers: what each worker said with its last heartbeat.
        """
        shared = CollectorRegistry()
        gauges = {name: Gauge(name, about, ["network", "state"], registry=shared) for name, about in SYSTEM.items()}
        for name, network, state, count in system:
            gauges[name].labels(network, state).set(count)
        shared.register(_Workers(list(workers)))
        return generate_latest(self._registry) + generate_latest(shared)


class WorkerFigures(msgspec.Struct, frozen=True):
    """One worker's `figures` (see `devices.ingest`). Its id is a new one with each start, so that what counts from 0
    again is another series. One that is not alive has counted, but has nothing now."""

    id: str
    network: str
    figures: dict[str, Any]
    is_alive: bool


class _Process:
    """What this process takes of the machine, as metrics."""

    def collect(self) -> Iterator[Metric]:
        """See `prometheus_client`."""
        now = vitals.of_this_process()
        for field, (name, about) in VITALS.items():
            yield GaugeMetricFamily(name, about, getattr(now, field))
        yield CounterMetricFamily("wafast_api_cpu_seconds", "Seconds of the processor.", now.cpu_seconds)


class _Live:
    """The hub's numbers as metrics."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def collect(self) -> Iterator[Metric]:
        """See `prometheus_client`."""
        yield GaugeMetricFamily("wafast_sockets", "WebSockets open.", self._hub.sockets)
        yield GaugeMetricFamily("wafast_events_waiting", "Events not yet made into frames.", self._hub.waiting)
        resyncs = CounterMetricFamily("wafast_resyncs", "WebSockets told to fetch again, by why.", labels=["reason"])
        for reason, count in self._hub.resyncs.items():
            resyncs.add_metric([reason], count)
        yield resyncs


class _Workers:
    """The figures of workers as metrics; those of each kind that a worker has said."""

    def __init__(self, workers: list[WorkerFigures]) -> None:
        self._workers = workers

    def collect(self) -> Iterator[Metric]:
        """See `prometheus_client`."""
        for key, (name, about) in COUNTERS.items():
            counter = CounterMetricFamily(name, about, labels=LABELS)
            for labels, value in _said(self._workers, key):
                counter.add_metric(labels, value)
            yield counter
        alive = [worker for worker in self._workers if worker.is_alive]
        for key, (name, about) in GAUGES.items():
            gauge = GaugeMetricFamily(name, about, labels=LABELS)
            for labels, value in _said(alive, key):
                gauge.add_metric(labels, value)
            yield gauge
        for key, (name, about) in HISTOGRAMS.items():
            histogram = HistogramMetricFamily(name, about, labels=LABELS)
            for worker in self._workers:
                observed = worker.figures.get("histograms", {}).get(key)
                if observed is not None:
                    buckets, count, total = observed
                    bounds = [(str(bound), below) for bound, below in buckets]
                    histogram.add_metric([worker.network, worker.id], [*bounds, ("+Inf", count)], total)
            yield histogram
        yield self._moves()

    def _moves(self) -> Metric:
        moves = CounterMetricFamily(
            "wafast_device_state_changes", "Devices that changed their state.", labels=[*LABELS, "from", "to"]
        )
        for worker in self._workers:
            for was, to, count in worker.figures.get("moves", ()):
                moves.add_metric([worker.network, worker.id, was, to], count)
        return moves


def _said(workers: Iterable[WorkerFigures], key: str) -> Iterator[tuple[list[str], float]]:
    for worker in workers:
        if key in worker.figures:
            yield [worker.network, worker.id], worker.figures[key]


async def of_system(pool: asyncpg.Pool) -> list[tuple[str, str, str, int]]:
    """What the whole system has now; the same from every API process."""
    return [(row["name"], row["network"], row["state"], row["count"]) for row in await pool.fetch(q.figures)]


async def of_workers(pool: asyncpg.Pool) -> list[WorkerFigures]:
    """What each worker has counted; one that died stays for some minutes, so that its last counts are still read."""
    rows = await pool.fetch(q.worker_figures)
    return [
        WorkerFigures(str(row["id"]), row["network"], row["figures"] | {"held": row["held"]}, row["is_alive"])
        for row in rows
    ]
