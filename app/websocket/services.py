"""What a websocket connection is made with: the parts behind it and its limits."""

from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.types import Scope

from app.auth.authenticator import Authenticates
from app.metrics import Metrics
from app.websocket.ports import Engine, Subscriptions
from permissions.session import Session


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """Seconds, and a number of operations that run at once on one connection."""

    init_timeout: float = 10.0
    ping_interval: float = 25.0
    stall_timeout: float = 20.0
    max_operations: int = 100


@dataclass(frozen=True, slots=True)
class SocketServices:
    engine: Engine
    subscriptions: Subscriptions
    authenticator: Authenticates
    metrics: Metrics
    context_of: Callable[[Session, Scope], object]
    limits: SocketLimits = field(default_factory=SocketLimits)
