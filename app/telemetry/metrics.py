"""Numbers for Prometheus: operations and their outcome, sockets, jobs, LiveKit, the pools. docs/operations.md has the alert for each."""

import os
from collections.abc import Callable, Sequence
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess

from app.telemetry.version import VERSION
from domain.ports import FigureName

Transport = Literal["http", "websocket", "sse"]
# How many connections of a pool are open, and how many of these are idle.
Connections = Callable[[], tuple[int, int]]

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """The instruments of one service. Several processes share theirs through PROMETHEUS_MULTIPROC_DIR."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._pools: list[tuple[str, Connections]] = []
        self._brokers: list[tuple[str, Callable[[], bool]]] = []
        self.outcomes = Counter(
            "nchat_graphql_operations",
            "GraphQL operations by transport, kind, outcome, and whose fault that is; each member of a batch is one",
            ["transport", "kind", "outcome", "fault"],
            registry=self.registry,
        )
        self.seconds = self._histogram("nchat_graphql_request_seconds", "Time to answer a GraphQL request", ["transport"], _SECONDS)
        self.sockets = self.gauge("nchat_websocket_connections", "Open websockets")
        self.event_streams = self.gauge("nchat_event_streams", "Open streams of server-sent events")
        self.operations = self.gauge("nchat_websocket_operations", "Operations that run on websockets")
        self.closes = Counter("nchat_websocket_closes", "Websockets closed by the service, by code", ["code"], registry=self.registry)
        self.connections_ended = Counter(
            "nchat_connections_ended", "Connections that the service refused or ended, by reason", ["reason"], registry=self.registry
        )
        self.jobs = self._histogram("nchat_job_seconds", "Time a background job took", ["job", "outcome"])
        self.livekit = self._histogram("nchat_livekit_request_seconds", "Time LiveKit took to answer", ["method", "outcome"])
        self.storage = self._histogram(
            "nchat_storage_request_seconds", "Time the store of recordings took to answer, waiting included", ["method", "outcome"]
        )
        self.media = Counter(
            "nchat_media_requests", "Links to media that were followed, by kind and outcome", ["kind", "outcome"], registry=self.registry
        )
        self.admissions = Counter(
            "nchat_livekit_admissions",
            "People at the door of LiveKit's signalling, by what they were told",
            ["outcome"],
            registry=self.registry,
        )
        self._open = self.gauge("nchat_database_connections", "Open connections to PostgreSQL", ["pool"])
        self._idle = self.gauge("nchat_database_connections_idle", "Open connections to PostgreSQL that nobody uses", ["pool"])
        self._broker = self.gauge(
            "nchat_broker_connected", "1 while hints of other processes arrive, of several processes the worst", ["broker"], mode="livemin"
        )
        self._oldest_webhook = self.gauge(
            "nchat_webhook_oldest_seconds", "How long the oldest webhook waits that is not worked out", mode="livemax"
        )
        self._figures = self._watched_figures()
        self.events = self._histogram("nchat_event_seconds", "Time the receiver of events took to answer", ["kind", "outcome"])
        self.pushes = self._histogram("nchat_push_seconds", "Time the push service took to answer", ["transport", "outcome"])
        build = self.gauge("nchat_build_info", "1, with the version that runs", ["version"], mode="max")
        build.labels(VERSION).set(1)

    def gauge(self, name: str, text: str, labels: Sequence[str] = (), *, mode: str = "livesum") -> Gauge:
        """One number of the service; `mode` says how those of several processes become one (of the living ones, their sum)."""
        return Gauge(name, text, labels, registry=self.registry, multiprocess_mode=mode)  # type: ignore[arg-type]

    def _watched_figures(self) -> dict[FigureName, Gauge]:
        return {
            "state_divergence": self._latest(
                "nchat_state_divergence_seconds", "For how long database and LiveKit have been found apart, at the last round"
            ),
            "push_oldest": self._latest("nchat_push_oldest_seconds", "How long the oldest push waits that is still to be delivered"),
            "event_oldest": self._latest("nchat_event_oldest_seconds", "How long the oldest event waits that is still to be delivered"),
            "removals_waiting": self._latest("nchat_recording_removals_waiting", "Recordings whose objects are still to be removed"),
            "removal_oldest": self._latest("nchat_recording_removal_oldest_seconds", "How long the oldest of them waits"),
            "recorder_skew": self._latest("nchat_recorder_clock_skew_seconds", "How far the clock of the last recorder that began is away"),
        }

    def _latest(self, name: str, text: str) -> Gauge:
        """One number of which the last word of any process counts."""
        return self.gauge(name, text, mode="mostrecent")

    def _histogram(self, name: str, text: str, labels: Sequence[str], buckets: Sequence[float] = Histogram.DEFAULT_BUCKETS) -> Histogram:
        return Histogram(name, text, labels, registry=self.registry, buckets=buckets)

    def job(self, name: str, seconds: float, failed: bool) -> None:
        """One run of a background job."""
        self.jobs.labels(name, "failed" if failed else "done").observe(seconds)

    def webhook_backlog(self, seconds: float) -> None:
        """The age of the oldest webhook that is not worked out."""
        self._oldest_webhook.set(seconds)

    def livekit_request(self, method: str, seconds: float, outcome: str) -> None:
        """One request to LiveKit: `ok`, or in a word what went wrong."""
        self.livekit.labels(method, outcome).observe(seconds)

    def storage_request(self, method: str, seconds: float, outcome: str) -> None:
        """One request to the store: `ok`, `absent`, or in a word what went wrong."""
        self.storage.labels(method, outcome).observe(seconds)

    def media_request(self, kind: str, outcome: str) -> None:
        """One link that was followed: `served`, `refused`, or `unanswered` for want of a store or a database."""
        self.media.labels(kind, outcome).inc()

    def push(self, transport: str, seconds: float, outcome: str) -> None:
        """One try to deliver a push: `taken`, or in a word what went wrong."""
        self.pushes.labels(transport, outcome).observe(seconds)

    def event(self, kind: str, seconds: float, outcome: str) -> None:
        """One try to deliver an event: `taken`, or in a word what went wrong."""
        self.events.labels(kind, outcome).observe(seconds)

    def livekit_admission(self, outcome: str) -> None:
        """One question of the proxy's: `admitted`, `refused`, or `unanswered` for want of a database."""
        self.admissions.labels(outcome).inc()

    def figure(self, name: FigureName, value: float) -> None:
        """What the domain tells an operator; of several processes the last word counts."""
        self._figures[name].set(value)

    def watch_pool(self, name: str, connections: Connections) -> None:
        """Shows a pool's connections from now on, as they were at the last `look`."""
        self._pools.append((name, connections))
        self.look()

    def watch_broker(self, name: str, connected: Callable[[], bool]) -> None:
        """Shows from now on whether the broker of hints was there at the last `look`."""
        self._brokers.append((name, connected))
        self.look()

    def look(self) -> None:
        """Writes down what can only be looked at. Each process must do so by itself: one can't look into another when it is asked."""
        for name, connections in self._pools:
            opened, idle = connections()
            self._open.labels(name).set(opened)
            self._idle.labels(name).set(idle)
        for name, connected in self._brokers:
            self._broker.labels(name).set(connected())

    def connection_ended(self, reason: str) -> None:
        """One connection that was refused, or had to go."""
        self.connections_ended.labels(reason).inc()

    def exposition(self) -> bytes:
        """Everything in Prometheus' text form, of all processes when they share a folder."""
        self.look()
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self.registry)
        everybody = CollectorRegistry()
        multiprocess.MultiProcessCollector(everybody)  # type: ignore[no-untyped-call]
        return generate_latest(everybody)
