"""A livekit-server without media: rooms, participants, tracks and webhooks as version 1.13.5 does them.

It answers `livekit.RoomService`; other services are unknown to it. Tests drive people through `Simulator.join`, a person
at a terminal through `/simulator` (see `control.py`). Clients can't connect: that takes a real server.
"""

from devstack.livekit_simulator.child import SimulatorProcess, start
from devstack.livekit_simulator.clock import ManualClock, WallClock
from devstack.livekit_simulator.participants import NotPermitted, SimulatedParticipant
from devstack.livekit_simulator.rooms import JoinRefused, RoomDefaults
from devstack.livekit_simulator.server import application
from devstack.livekit_simulator.simulator import Simulator

__all__ = [
    "JoinRefused",
    "ManualClock",
    "NotPermitted",
    "RoomDefaults",
    "SimulatedParticipant",
    "Simulator",
    "SimulatorProcess",
    "WallClock",
    "application",
    "start",
]
