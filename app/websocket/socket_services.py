"""What a websocket connection is made with: the parts behind it and its limits."""

from dataclasses import dataclass, field

from app.auth.authenticator import Authenticates
from app.connections.addresses import Addresses
from app.graphql.ports import ContextOf, Executes, Subscribes
from app.sockets.open_sockets import OpenSockets
from app.telemetry.metrics import Metrics
from app.telemetry.outcomes import Outcomes


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """Seconds, and a number of operations that run at once on one connection."""

    init_timeout: float = 10.0
    ping_interval: float = 25.0
    legacy_ping_interval: float = 5.0
    max_operations: int = 100


@dataclass(frozen=True, slots=True)
class SocketServices:
    engine: Executes
    subscriptions: Subscribes
    authenticator: Authenticates
    metrics: Metrics
    outcomes: Outcomes
    context_of: ContextOf
    # Open websockets of each client, also of those that come through a proxy.
    clients: Addresses
    limits: SocketLimits = field(default_factory=SocketLimits)
    sockets: OpenSockets = field(default_factory=OpenSockets)
