"""A stand-in for LiveKit's ingress: encoders send to it, and a participant of the room shows what they send.

In: RTMP and WHIP publishers, whose keys livekit-server judges over the workers' bus; it keeps the ingresses and tells the world, as in
production. Out: tracks in rooms, and states to livekit-server as often as LiveKit's own worker says them. Development and tests alone.
"""

from devstack.ingest.child import IngestWorker, start

__all__ = ["IngestWorker", "start"]
