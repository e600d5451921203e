"""A stand-in for LiveKit's egress: livekit-server hands it recordings over Redis and keeps the records itself, as in production.

In: StartEgress and StopEgress on the bus, the tracks of a room. Out: objects in an S3-compatible store, statuses to livekit-server.
Development and tests alone: it uses encoders and an SDK that the product does not ship.
"""

from devstack.media.child import MediaWorker, start

__all__ = ["MediaWorker", "start"]
