"""Inputs of the actions on settings."""

from enum import Enum

import strawberry

from schema.table_types.scalars import timestamptz, uuid
from schema.types.camel_case import camel_input


@strawberry.enum(description="Who may ring a person.")
class RingFrom(Enum):
    anyone = "anyone"
    channel_members = "channel_members"
    nobody = "nobody"


@strawberry.enum(description="Which arrival starts the recording of a channel's calls by itself.")
class AutoRecord(Enum):
    off = "off"
    first = "first"
    second = "second"
    host = "host"


@strawberry.enum(description="Whether people are told that a call is recorded, or asked before.")
class RecordingConsent(Enum):
    notify = "notify"
    ask = "ask"


@camel_input
class SetCallPreferencesInput:
    """What is left out stays. dndUntil null ends the rest; channel_members are those of a channel that both are in."""

    dnd_until: timestamptz | None = strawberry.UNSET
    ring_from: RingFrom | None = None


@camel_input
class SetChannelCallSettingsInput:
    """What is left out stays. blockedTerms take the place of those there are: at most 1000, of 100 characters each."""

    channel_id: uuid
    auto_record: AutoRecord | None = None
    recording_consent: RecordingConsent | None = None
    blocked_terms: list[str] | None = None
