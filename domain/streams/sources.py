"""Who sends to a stream that has a room of its own: its host's browser, or an encoder on the host's behalf."""

from collections.abc import Mapping, Sequence
from typing import Final

from domain.ports import RoomParticipant
from domain.streams.rows import Stream

# What identities of encoders begin with. LiveKit gives them, and no token of ours names one.
INGRESS: Final = "ingress:"


def is_source(stream: Stream, identity: str) -> bool:
    """Whether this participant is the host, or an encoder. LiveKit's clients may add `#…` to their own identity."""
    return identity.startswith(INGRESS) or identity.partition("#")[0] == str(stream.host_id)


def senders(stream: Stream, people: Sequence[RoomParticipant]) -> Mapping[str, str]:
    """LiveKit's ids of the connections that send, by identity."""
    sending = [one for one in people if one.tracks and one.state != "disconnected"]
    return {one.identity: one.sid for one in sending if is_source(stream, one.identity)}
