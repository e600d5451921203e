"""The door as a child process, for `make run`."""

import sys
from dataclasses import dataclass
from pathlib import Path

from devstack.ports import free_port
from devstack.processes import Child


@dataclass(frozen=True, slots=True)
class SignallingDoor:
    """`ws_url` is what clients connect to in LiveKit's place."""

    ws_url: str
    child: Child


def start(*, livekit: str, admit: str, log: Path) -> SignallingDoor:
    """Starts it on a free port; clients come when the service, which it asks, is there as well."""
    port = free_port()
    command = [sys.executable, "-m", "devstack.signalling_door", "--port", str(port), "--livekit", livekit, "--admit", admit]
    return SignallingDoor(f"ws://127.0.0.1:{port}", Child(command, log=log))
