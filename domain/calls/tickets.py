"""A ticket into a call's room: LiveKit token, server address and ICE servers, with rights that follow the role."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from domain.call_settings.consent import require_consent
from domain.calls.grants import grant_for
from domain.calls.rows import Call, Participant
from domain.errors import MediaUnavailable
from domain.ports import IceServer, MediaError
from domain.world import Transaction, World
from schema.tables.users import users


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a client needs to connect. `token` lets one person into one room until `expires_at`."""

    room_name: str
    token: str
    server_url: str
    ice_servers: tuple[IceServer, ...]
    expires_at: datetime


async def issue(tx: Transaction, world: World, call: Call, participant: Participant) -> Ticket:
    """A fresh ticket. Signs locally; nothing is asked of the media server.

    Raises ConsentNeeded, whatever way led here, for who has to agree to being recorded first; MediaUnavailable where the deployment has no
    media server.
    """
    if call.recording_consent == "ask" and participant.consented_at is None:
        await require_consent(tx, participant.id)
    named = await tx.connection.execute(
        sa.select(sa.func.coalesce(users.c.display_name, users.c.username)).where(users.c.id == participant.user_id)
    )
    name: str = named.scalar_one()
    grant = grant_for(call, participant)
    try:
        signed = world.tokens.sign(
            room=call.room_name, identity=participant.identity, name=name, grant=grant, max_participants=call.max_participants
        )
    except MediaError as error:
        raise MediaUnavailable from error
    servers = tuple(world.turn.issue(participant.user_id))
    return Ticket(call.room_name, signed.token, world.server_url, servers, signed.expires_at)
