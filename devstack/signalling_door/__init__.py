"""What stands for compose's proxy on a machine without one: signalling alone, and nobody whom the service does not admit.

In: TCP connections of LiveKit's clients. Out: those that `/api/livekit/admit` lets in, spliced to LiveKit.
"""

from devstack.signalling_door.child import SignallingDoor, start
from devstack.signalling_door.proxy import Door

__all__ = ["Door", "SignallingDoor", "start"]
