"""Prometheus figures of the API process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from wafast.database.queries import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import asyncpg

q = load(__file__)

BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
#: Figures of the whole system, by network and state.
SYSTEM = {
    "wafast_devices": "Devices.",
    "wafast_outbox_open": "Outbox rows on their way or in doubt.",
    "wafast_workers": "Workers alive.",
}
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
        self._sockets = Gauge("wafast_sockets", "WebSockets open.", registry=self._registry)
        self._waiting = Gauge("wafast_events_waiting", "Events not yet made into frames.", registry=self._registry)

    def watch(self, sockets: Callable[[], int], waiting: Callable[[], int]) -> None:
        """Reads the hub's numbers whenever somebody asks for the figures."""
        self._sockets.set_function(sockets)
        self._waiting.set_function(waiting)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Counts an answered request.

        Args:
            route: the path with its parameters' names, or empty when no route matched.
        """
        self._requests.labels(method, route or "none", str(status)).inc()
        self._seconds.labels(route or "none").observe(seconds)

    def text(self, system: Iterable[tuple[str, str, str, int]]) -> bytes:
        """All figures in Prometheus' text format.

        Args:
            system: what the whole system has, as (figure, network, state, count).
        """
        shared = CollectorRegistry()
        gauges = {name: Gauge(name, about, ["network", "state"], registry=shared) for name, about in SYSTEM.items()}
        for name, network, state, count in system:
            gauges[name].labels(network, state).set(count)
        return generate_latest(self._registry) + generate_latest(shared)


async def of_system(pool: asyncpg.Pool) -> list[tuple[str, str, str, int]]:
    """What the whole system has now; the same from every API process."""
    return [(row["name"], row["network"], row["state"], row["count"]) for row in await pool.fetch(q.figures)]
