"""LiveKit's identifiers: a prefix and twelve characters that nobody misreads."""

import secrets
from typing import Final

from livekit.protocol.models import TrackSource, TrackType

# Without 0, 1, I, O and l.
ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
LENGTH: Final = 12
PASSWORD_LENGTH: Final = 43
TYPE_LETTERS: Final = {TrackType.AUDIO: "A", TrackType.VIDEO: "V", TrackType.DATA: "D"}
SOURCE_LETTERS: Final = {
    TrackSource.CAMERA: "C",
    TrackSource.MICROPHONE: "M",
    TrackSource.SCREEN_SHARE: "S",
    TrackSource.SCREEN_SHARE_AUDIO: "s",
    TrackSource.UNKNOWN: "U",
}


def make(prefix: str) -> str:
    """`RM_`, `PA_` or `EV_` and twelve characters."""
    return prefix + random_text(LENGTH)


def track_sid(kind: TrackType, source: TrackSource) -> str:
    """`TR_`, a letter each for type and source, and twelve characters."""
    return make("TR_" + TYPE_LETTERS[kind] + SOURCE_LETTERS[source])


def turn_password() -> str:
    """The secret that LiveKit puts into every room object."""
    return random_text(PASSWORD_LENGTH)


def random_text(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))
