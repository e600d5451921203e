"""What call actions answer: the ids they touched, the rows with the caller's permissions, and a ticket into the room.

Each shape stands beside the function that makes it of a domain result, so that mypy sees every field on its way.
"""

from typing import TypedDict

from domain.calls.actions.initiate import InitiateResult
from domain.calls.actions.invite import InviteResult
from domain.calls.actions.join import JoinResult
from domain.calls.actions.mute import MuteAllResult
from domain.calls.actions.results import CallResult, ParticipantResult, TicketResult
from domain.calls.actions.screen_share import ScreenShareResult
from domain.calls.tickets import Ticket
from resolvers.actions.ice_servers import ice_server_list
from resolvers.hand_written.table_rows import table_row, table_rows
from schema.table_types.scalars import jsonb, timestamptz, uuid
from schema.types.camel_case import camel_type
from schema.types.ice_servers import IceServer


@camel_type
class CallPayload:
    call_id: uuid
    call = table_row("nchat_calls", key="call_id", description="The call, as the caller may see it.")


def call_payload(result: CallResult) -> CallPayload:
    return CallPayload(call_id=uuid(result.call_id))


@camel_type
class ParticipantPayload(CallPayload):
    participant_id: uuid
    participant = table_row("nchat_call_participants", key="participant_id", description="The participant, as the caller may see it.")


def participant_payload(result: ParticipantResult) -> ParticipantPayload:
    return ParticipantPayload(call_id=uuid(result.call_id), participant_id=uuid(result.participant_id))


@camel_type
class TicketPayload(ParticipantPayload):
    """A ticket into the call's LiveKit room; expiresAt is the token's."""

    room_name: str
    token: str
    server_url: str
    ice_servers: list[IceServer]
    expires_at: timestamptz


class TicketFields(TypedDict):
    room_name: str
    token: str
    server_url: str
    ice_servers: list[IceServer]
    expires_at: timestamptz


def ticket_fields(ticket: Ticket) -> TicketFields:
    """Times as PostgreSQL writes them in JSON."""
    return {
        "room_name": ticket.room_name,
        "token": ticket.token,
        "server_url": ticket.server_url,
        "ice_servers": ice_server_list(ticket.ice_servers),
        "expires_at": timestamptz(ticket.expires_at.isoformat()),
    }


class NullableTicketFields(TypedDict):
    room_name: str
    token: str | None
    server_url: str | None
    ice_servers: list[IceServer]
    expires_at: timestamptz | None


def fields_if_any(room_name: str, ticket: Ticket | None) -> NullableTicketFields:
    """The ticket's fields, or nulls."""
    if ticket is None:
        return {"room_name": room_name, "token": None, "server_url": None, "ice_servers": [], "expires_at": None}
    return {**ticket_fields(ticket)}


def ticket_payload(result: TicketResult) -> TicketPayload:
    return TicketPayload(call_id=uuid(result.call_id), participant_id=uuid(result.participant_id), **ticket_fields(result.ticket))


@camel_type
class InitiateCallPayload(ParticipantPayload):
    """participant is the caller. The token is null for a call that has ended already: the single target was busy or
    may not be rung, or the repeated request came too late."""

    room_name: str
    token: str | None
    server_url: str | None
    ice_servers: list[IceServer]
    expires_at: timestamptz | None


def initiate_call_payload(result: InitiateResult) -> InitiateCallPayload:
    return InitiateCallPayload(
        call_id=uuid(result.call_id), participant_id=uuid(result.participant_id), **fields_if_any(result.room_name, result.ticket)
    )


@camel_type
class InviteToCallPayload(CallPayload):
    """participantIds: who rings because of this request."""

    participant_ids: list[uuid]
    participants = table_rows("nchat_call_participants", keys="participant_ids")


def invite_to_call_payload(result: InviteResult) -> InviteToCallPayload:
    return InviteToCallPayload(call_id=uuid(result.call_id), participant_ids=list(map(uuid, result.participant_ids)))


@camel_type
class MuteAllPayload(CallPayload):
    """participantIds: who is muted because of this request."""

    participant_ids: list[uuid]
    participants = table_rows("nchat_call_participants", keys="participant_ids")


def mute_all_payload(result: MuteAllResult) -> MuteAllPayload:
    return MuteAllPayload(call_id=uuid(result.call_id), participant_ids=list(map(uuid, result.participant_ids)))


@camel_type
class JoinCallPayload(ParticipantPayload):
    """participants: everyone of the call, the caller among them. The token is null while the caller waits in the lobby."""

    room_name: str
    token: str | None
    server_url: str | None
    ice_servers: list[IceServer]
    expires_at: timestamptz | None
    participant_ids: list[uuid]
    participants = table_rows("nchat_call_participants", keys="participant_ids")


def join_call_payload(result: JoinResult) -> JoinCallPayload:
    return JoinCallPayload(
        call_id=uuid(result.call_id),
        participant_id=uuid(result.participant_id),
        participant_ids=list(map(uuid, result.participant_ids)),
        **fields_if_any(result.room_name, result.ticket),
    )


@camel_type
class StartScreenSharePayload(ParticipantPayload):
    """constraints are for the browser's getDisplayMedia, allowedSources what LiveKit lets the participant publish now."""

    constraints: jsonb
    allowed_sources: list[str]


def start_screen_share_payload(result: ScreenShareResult) -> StartScreenSharePayload:
    return StartScreenSharePayload(
        call_id=uuid(result.call_id),
        participant_id=uuid(result.participant_id),
        constraints=jsonb(result.constraints),
        allowed_sources=list(result.allowed_sources),
    )
