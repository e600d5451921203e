"""LiveKit's webhooks: an inbox that is answered once stored and processed after."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from schema.tables.columns import metadata, moment, now

# Written out in queries too: with a bound path PostgreSQL could not use the index.
PARTICIPANT_SID = "payload #>> '{participant,sid}'"
ROOM = "payload #>> '{room,name}'"

webhook_events = sa.Table(
    "nchat_webhook_events",
    metadata,
    sa.Column("id", sa.Text, primary_key=True, comment="LiveKit's id of the event: a second delivery changes nothing."),
    sa.Column("event", sa.Text, nullable=False, comment="Kind of event, for example participant_joined."),
    # Never the raw body: it holds turnPassword and keys.
    sa.Column("payload", pg.JSONB, nullable=False, comment="The allowed part of the event."),
    now("received_at", "When it was stored."),
    moment("processed_at", "When it was dealt with; null while it waits."),
    sa.Column("error", sa.Text, comment="Why processing failed last."),
    # Our own counter: a queue's count stays 0 when processing kills its worker.
    sa.Column(
        "attempts", sa.Integer, nullable=False, server_default=sa.text("0"), comment="How often processing was begun and not finished."
    ),
    now("next_attempt_at", "Not processed before this moment: the delay grows with every attempt."),
    sa.Index(None, "received_at"),
    # Out of order: a join whose leave came first is found by the connection's id.
    sa.Index("nchat_webhook_events_participant_sid_idx", sa.text(f"({PARTICIPANT_SID})")),
    # A room's events are taken together, however many others wait.
    sa.Index("nchat_webhook_events_waiting_room_idx", sa.text(f"({ROOM})"), postgresql_where=sa.text("processed_at IS NULL")),
    sa.Index("nchat_webhook_events_waiting_idx", "received_at", "id", postgresql_where=sa.text("processed_at IS NULL")),
    comment="Webhooks of LiveKit.",
)
