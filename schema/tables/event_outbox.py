"""What the deployment is told of, beside GraphQL: written with the change itself, delivered by a job."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from schema.tables.columns import key, metadata, moment, now, reference

event_outbox = sa.Table(
    "nchat_event_outbox",
    metadata,
    key("The event, and the id that every try of it carries."),
    sa.Column("kind", sa.Text, nullable=False, comment="recording_finished."),
    reference("recording_id", "nchat_call_recordings.id", "The recording it is about.", nullable=True, ondelete="CASCADE"),
    sa.Column("payload", pg.JSONB, nullable=False, comment="What the receiver is told."),
    now("created_at", "When it was written."),
    sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0"), comment="How often it was tried."),
    now("next_attempt_at", "When it is tried next."),
    moment("taken_until", "Until when a process that may have died has it in its hands."),
    moment("sent_at", "When the receiver took it; null while it waits."),
    sa.Column("error", sa.Text, comment="Why the last try failed, in a word."),
    sa.UniqueConstraint("recording_id", "kind"),
    sa.Index("nchat_event_outbox_waiting_idx", "next_attempt_at", postgresql_where=sa.text("sent_at IS NULL")),
    sa.Index("nchat_event_outbox_created_at_idx", "created_at"),
    comment="Events for the deployment's own backend.",
)
