"""What call actions answer: the ids they touched, the rows with the caller's permissions, and a ticket into the room."""

from resolvers.hand_written.table_rows import table_row, table_rows
from schema.table_types.scalars import jsonb, timestamptz, uuid
from schema.types.camel_case import camel_type
from schema.types.ice_servers import IceServer


@camel_type
class OfCall:
    call_id: uuid
    call = table_row("nchat_calls", key="call_id", description="The call, as the caller may see it.")


@camel_type
class OfParticipant(OfCall):
    participant_id: uuid
    participant = table_row("nchat_call_participants", key="participant_id", description="The participant, as the caller may see it.")


@camel_type
class OfTicket(OfParticipant):
    """A ticket into the call's LiveKit room; expiresAt is the token's."""

    room_name: str
    token: str
    server_url: str
    ice_servers: list[IceServer]
    expires_at: timestamptz


@camel_type
class InitiateCallPayload(OfCall):
    """The ticket is null for a call that has ended already: the single target was busy, or the repeated request came too late."""

    room_name: str
    token: str | None
    server_url: str | None
    ice_servers: list[IceServer] | None
    expires_at: timestamptz | None


@camel_type
class InviteToCallPayload(OfCall):
    """participantIds: who rings because of this request."""

    participant_ids: list[uuid]
    participants = table_rows("nchat_call_participants", keys="participant_ids")


@camel_type
class AcceptCallPayload(OfTicket):
    pass


@camel_type
class DeclineCallPayload(OfParticipant):
    pass


@camel_type
class CancelCallPayload(OfCall):
    pass


@camel_type
class JoinCallPayload(OfTicket):
    """participants: everyone of the call, the caller among them."""

    participant_ids: list[uuid]
    participants = table_rows("nchat_call_participants", keys="participant_ids")


@camel_type
class RefreshCallTokenPayload(OfTicket):
    pass


@camel_type
class LeaveCallPayload(OfParticipant):
    pass


@camel_type
class EndCallPayload(OfCall):
    pass


@camel_type
class SetMutedPayload(OfParticipant):
    pass


@camel_type
class MuteParticipantPayload(OfParticipant):
    pass


@camel_type
class KickParticipantPayload(OfParticipant):
    pass


@camel_type
class ReadmitParticipantPayload(OfParticipant):
    pass


@camel_type
class StartScreenSharePayload(OfParticipant):
    """constraints are for the browser's getDisplayMedia, allowedSources what LiveKit lets the participant publish now."""

    constraints: jsonb
    allowed_sources: list[str]


@camel_type
class StopScreenSharePayload(OfParticipant):
    pass
