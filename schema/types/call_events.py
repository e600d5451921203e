"""What `callEvents` and `incomingCalls` send."""

from enum import Enum

import strawberry

from schema.table_types.scalars import bigint, jsonb, timestamptz, uuid
from schema.types.call_event_kinds import KINDS_TOLD, PAYLOADS_TOLD
from schema.types.camel_case import camel_type
from schema.types.vocabulary import call_type


@camel_type
class Person:
    """A user, as everyone sees one."""

    id: uuid
    display_name: str | None
    avatar_url: str | None


@camel_type
class CallEvent:
    """Something that happened in a call. seq counts 1, 2, 3 … within it, epoch names the history that it counts in; actor is null when
    the service acted; participantId and userId are whom it is about."""

    seq: bigint
    epoch: str
    kind: str = strawberry.field(description=KINDS_TOLD)
    call_id: uuid
    actor: Person | None
    participant_id: uuid | None
    user_id: uuid | None
    payload: jsonb = strawberry.field(description=PAYLOADS_TOLD)
    created_at: timestamptz


@strawberry.enum(description="What rings at the start, a ring that began, or how it ended for this person.")
class IncomingCallKind(Enum):
    snapshot = "snapshot"
    incoming = "incoming"
    cancelled = "cancelled"
    answered_elsewhere = "answered_elsewhere"
    missed = "missed"


@camel_type
class IncomingCall:
    """A ring of the person who follows. It stops by itself at ringExpiresAt.

    The first is `snapshot`: openCallIds are the calls that ring now, and everything else is null. It is null in all others.
    """

    kind: IncomingCallKind
    open_call_ids: list[uuid] | None = None
    call_id: uuid | None = None
    type: call_type | None = None
    channel_id: uuid | None = None
    caller: Person | None = None
    ring_expires_at: timestamptz | None = None
