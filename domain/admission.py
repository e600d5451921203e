"""Who may be in a room at this moment: what a proxy in front of LiveKit's signalling asks for each connection."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from domain.call_settings.consent import CONSENT_MISSING
from domain.calls.life_cycle import SEATED
from domain.streams.viewers.entering import MAY_BE_INSIDE, viewer_id
from domain.world import Transaction
from schema.tables.call_participants import call_participants
from schema.tables.calls import calls
from schema.tables.stream_viewers import stream_viewers
from schema.tables.streams import streams

TYPES: Final = {"rooms": sa.Text, "identities": sa.Text, "people": pg.UUID, "sessions": pg.UUID}


@dataclass(frozen=True, slots=True)
class Entrance:
    """One participant at the door of one room; `identity` is a person's user id, or names a viewer's session."""

    room_name: str
    identity: str

    @property
    def user_id(self) -> UUID | None:
        """None for who is no person of ours."""
        try:
            return UUID(self.identity)
        except ValueError:
            return None


async def admitted(tx: Transaction, asking: Collection[Entrance]) -> frozenset[Entrance]:
    """Those of `asking` who may be in their room now. In a call's: the call lives, they hold one of its seats, wait in no lobby, and
    agreed where asked. In a stream's own: it is starting or live, and they host it. In that of a live stream: their session watches it.

    Of a call exactly the people whom neither `participant_joined` nor, for want of consent, a timeout throws out again. A seat is given
    by an action, which asks the role's rule, so a person who was removed from the channel without ever having had one is refused here as
    everybody else. One statement for all of them.
    """
    given = {
        "rooms": [one.room_name for one in asking],
        "identities": [one.identity for one in asking],
        "people": [one.user_id for one in asking],
        "sessions": [viewer_id(one.identity) for one in asking],
    }
    columns: dict[str, Any] = {"room_name": sa.Text, "identity": sa.Text, "user_id": pg.UUID(), "session_id": pg.UUID()}
    at_door = (
        sa.func.unnest(*(sa.bindparam(name, values, pg.ARRAY(TYPES[name])) for name, values in given.items()))
        .table_valued(*(sa.column(name, type_) for name, type_ in columns.items()))
        .render_derived(name="at_door")
    )
    own = sa.and_(call_participants.c.call_id == calls.c.id, call_participants.c.user_id == at_door.c.user_id)
    in_calls = (
        sa.select(at_door.c.room_name, at_door.c.identity)
        .join(calls, calls.c.room_name == at_door.c.room_name)
        .join(call_participants, own)
        .where(calls.c.status != "ended", call_participants.c.status.in_(SEATED), call_participants.c.lobby_waiting_since.is_(None))
        .where(~CONSENT_MISSING)
    )
    hosting = sa.and_(streams.c.room_name == at_door.c.room_name, streams.c.host_id == at_door.c.user_id)
    in_streams = (
        sa.select(at_door.c.room_name, at_door.c.identity)
        .join(streams, hosting)
        .where(streams.c.call_id.is_(None), streams.c.status.in_(("starting", "live")))
    )
    watching = (
        sa.select(at_door.c.room_name, at_door.c.identity)
        .join(stream_viewers, stream_viewers.c.id == at_door.c.session_id)
        .join(streams, sa.and_(streams.c.id == stream_viewers.c.stream_id, streams.c.room_name == at_door.c.room_name))
        .where(MAY_BE_INSIDE, streams.c.status == "live")
    )
    inside = await tx.connection.execute(sa.union_all(in_calls, in_streams, watching))
    return frozenset(Entrance(row.room_name, row.identity) for row in inside)
