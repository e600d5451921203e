"""What LiveKit told us of connections and tracks that are over: their beginning may be told after their end."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from domain.webhooks.webhook_event import ReceivedEvent
from domain.world import Transaction

BEGIN: Final = frozenset({"participant_joined", "track_published"})
TOLD: Final = sa.text("""
    SELECT payload #>> '{participant,sid}' AS sid, coalesce(payload #>> '{track,sid}', '') AS track, min(received_at) AS at
    FROM nchat_webhook_events
    WHERE payload #>> '{participant,sid}' = ANY(:sids)
    AND event IN ('participant_left', 'participant_connection_aborted', 'track_unpublished')
    GROUP BY 1, 2
""").bindparams(sa.bindparam("sids", type_=pg.ARRAY(sa.Text)))


@dataclass(frozen=True, slots=True)
class Departures:
    """When the end of each connection (the track is empty) and of each track of it was first received."""

    first: Mapping[tuple[str, str], datetime]

    def known_to(self, event: ReceivedEvent, track: str = "") -> bool:
        """Whether the event's connection, or this track of it, is over for all that counts at this event.

        That is what was received before it. Where the event comes again, those that followed it have been worked out meanwhile: then any.
        """
        at = self.first.get((event.text("participant", "sid"), track))
        return at is not None and (event.attempts > 0 or at < event.received_at)


async def departures(tx: Transaction, events: Iterable[ReceivedEvent]) -> Departures:
    """Of every connection that begins something in these events."""
    sids = {event.text("participant", "sid") for event in events if event.event in BEGIN} - {""}
    if not sids:
        return Departures({})
    found = await tx.connection.execute(TOLD, {"sids": list(sids)})
    return Departures({(row.sid, row.track): row.at for row in found})
