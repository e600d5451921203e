"""Numbers for Prometheus: requests, sockets, subscriptions, the pool."""

import os
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """The instruments of one service. Several processes share theirs through PROMETHEUS_MULTIPROC_DIR."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "nchat_graphql_requests", "GraphQL requests by way and outcome", ["transport", "outcome"], registry=self.registry
        )
        self.seconds = Histogram(
            "nchat_graphql_request_seconds", "Time to answer a GraphQL request", ["transport"], registry=self.registry, buckets=_SECONDS
        )
        self.sockets = self._gauge("nchat_websocket_connections", "Open websockets")
        self.operations = self._gauge("nchat_websocket_operations", "Operations that run on websockets")
        self.closes = Counter("nchat_websocket_closes", "Websockets closed by the service, by code", ["code"], registry=self.registry)
        self.stalled = Counter(
            "nchat_websocket_stalled", "Websockets aborted because they did not take their messages", registry=self.registry
        )
        self.jobs = Histogram("nchat_job_seconds", "Time a background job took", ["job", "outcome"], registry=self.registry)
        self.http_answered = self.requests.labels("http", "answered")
        self.http_refused = self.requests.labels("http", "refused")
        self.http_seconds = self.seconds.labels("http")

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, registry=self.registry, multiprocess_mode="livesum")

    def job(self, name: str, seconds: float, failed: bool) -> None:
        """One run of a background job."""
        self.jobs.labels(name, "failed" if failed else "done").observe(seconds)

    def watch_pool(self, connections: Callable[[], tuple[int, int]]) -> None:
        """Shows how many database connections are open and idle (of one process: a function can't be shared)."""
        self._gauge("nchat_database_connections", "Open connections to PostgreSQL").set_function(lambda: connections()[0])
        self._gauge("nchat_database_connections_idle", "Idle connections to PostgreSQL").set_function(lambda: connections()[1])

    def exposition(self) -> bytes:
        """Everything in Prometheus' text form, of all processes when they share a folder."""
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self.registry)
        everybody = CollectorRegistry()
        multiprocess.MultiProcessCollector(everybody)  # type: ignore[no-untyped-call]
        return generate_latest(everybody)
