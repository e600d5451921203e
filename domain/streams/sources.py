"""Who sends to a stream that has a room of its own: its host's browser, or an encoder on the host's behalf."""

from collections.abc import Sequence
from typing import Final

from domain.ports import RoomParticipant
from domain.streams.rows import Stream

# What identities of encoders begin with. LiveKit gives them, and no token of ours names one.
INGRESS: Final = "ingress:"


def is_source(stream: Stream, identity: str) -> bool:
    """Whether this participant is the host, or an encoder. LiveKit's clients may add `#…` to their own identity."""
    return identity.startswith(INGRESS) or identity.partition("#")[0] == str(stream.host_id)


def sender(stream: Stream, people: Sequence[RoomParticipant]) -> str | None:
    """LiveKit's id of the connection that sends, the one that is known before others; None when nobody does."""
    sids = [one.sid for one in people if one.tracks and one.state != "disconnected" and is_source(stream, one.identity)]
    return stream.host_sid if stream.host_sid in sids else next(iter(sids), None)
