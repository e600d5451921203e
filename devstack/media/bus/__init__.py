"""psrpc over Redis: how livekit-server hands work to its workers, and how they tell it what becomes of it.

In: requests that livekit-server publishes. Out: claims, answers, and requests of our own to its IOInfo service. Facts of psrpc 0.7.2:
everything is a PUBLISH; a message that nobody listens to is lost; who of many servers answers is settled by a claim, a lock, or both.
"""

from devstack.media.bus.answering import Method, Service
from devstack.media.bus.asking import ServiceClient
from devstack.media.bus.errors import PsrpcError
from devstack.media.bus.redis_bus import Bus

__all__ = ["Bus", "Method", "PsrpcError", "Service", "ServiceClient"]
