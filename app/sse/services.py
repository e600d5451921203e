"""What a stream of events is made with: the parts behind it and its limits."""

from dataclasses import dataclass, field

from app.auth.authenticator import Authenticates
from app.connections.addresses import Addresses
from app.connections.farewells import Farewells
from app.graphql.ports import ContextOf, Executes, Subscribes
from app.sockets.open_sockets import OpenSockets
from app.telemetry.metrics import Metrics
from app.telemetry.outcomes import Outcomes


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """Seconds, and a number of streams that one principal has at once in this process."""

    keepalive: float = 15.0
    of_one_principal: int = 100


@dataclass(frozen=True, slots=True)
class StreamServices:
    engine: Executes
    subscriptions: Subscribes
    authenticator: Authenticates
    metrics: Metrics
    outcomes: Outcomes
    context_of: ContextOf
    # Open websockets and streams of each client, also of those that come through a proxy.
    clients: Addresses
    farewells: Farewells
    limits: StreamLimits = field(default_factory=StreamLimits)
    sockets: OpenSockets = field(default_factory=OpenSockets)
