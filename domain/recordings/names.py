"""The keys of a part's objects. They can't collide or be guessed, and the part's id stands in them: so a lost egress is known again."""

import secrets
from typing import Final
from uuid import UUID

ROOT: Final = "recordings/"
PLAYLIST: Final = "playlist"
SEGMENT: Final = "segment"
FILE: Final = "recording"
PICTURE: Final = "picture"
SECRET_BYTES: Final = 16


def new_prefix(recording_id: UUID, part_id: UUID) -> str:
    """What the keys of a part's objects begin with, a slash at its end."""
    return f"{recording_prefix(recording_id)}{part_id}-{secrets.token_hex(SECRET_BYTES)}/"


def recording_prefix(recording_id: UUID) -> str:
    """What the keys of all objects of a recording begin with."""
    return f"{ROOT}{recording_id}/"


def part_of(path_prefix: str) -> UUID | None:
    """The part that a prefix names; None when it is not one of ours."""
    if not path_prefix.startswith(ROOT):
        return None
    try:
        return UUID(path_prefix.removeprefix(ROOT).partition("/")[2][:36])
    except ValueError:
        return None


def playlist_key(path_prefix: str) -> str:
    return f"{path_prefix}{PLAYLIST}.m3u8"


def file_key(path_prefix: str) -> str:
    return f"{path_prefix}{FILE}.mp4"


def segment_name(number: int) -> str:
    """Of a part's segments, from 0."""
    return f"{SEGMENT}_{number:05d}.ts"


def picture_key(path_prefix: str, index: int) -> str:
    """The picture of so many intervals after the part's beginning."""
    return f"{path_prefix}{PICTURE}_{index:05d}.jpeg"


def dash_prefix(recording_id: UUID) -> str:
    """What the keys of a recording as DASH begin with: each attempt at it has its own."""
    return f"{recording_prefix(recording_id)}dash-{secrets.token_hex(SECRET_BYTES)}/"


def joined_key(recording_id: UUID, extension: str) -> str:
    """The file that all parts are joined to. It lies beside the parts, and is as hard to guess as the recording's id and a secret."""
    return f"{recording_prefix(recording_id)}joined-{secrets.token_hex(SECRET_BYTES)}.{extension}"
