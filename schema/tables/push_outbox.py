"""Pushes that wait to be handed to the deployment's push service."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from schema.tables.columns import key, metadata, moment, now, reference

push_outbox = sa.Table(
    "nchat_push_outbox",
    metadata,
    key("The push."),
    reference("user_id", "nchat_users.id", "To whom.", index=True, ondelete="CASCADE"),
    sa.Column("kind", sa.Text, nullable=False, comment="ring, cancel, missed, answered_elsewhere or stream_reminder."),
    sa.Column("payload", pg.JSONB, nullable=False, comment="What the device shows."),
    now("created_at", "When it was written."),
    moment("sent_at", "When the push service took it; null while it waits."),
    sa.CheckConstraint("kind IN ('ring', 'cancel', 'missed', 'answered_elsewhere', 'stream_reminder')", name="kind"),
    sa.Index("nchat_push_outbox_waiting_idx", "created_at", postgresql_where=sa.text("sent_at IS NULL")),
    comment="Pushes to people's devices.",
)
