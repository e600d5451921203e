"""Pushes that wait to be handed to the deployment's push service."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from schema.tables.columns import key, metadata, moment, now, reference

push_outbox = sa.Table(
    "nchat_push_outbox",
    metadata,
    key("The push, and the id that every try of it carries."),
    reference("user_id", "nchat_users.id", "To whom.", index=True, ondelete="CASCADE"),
    sa.Column("kind", sa.Text, nullable=False, comment="ring, cancel, missed, answered_elsewhere or stream_reminder."),
    sa.Column("payload", pg.JSONB, nullable=False, comment="What the device shows."),
    now("created_at", "When it was written."),
    moment("sent_at", "When the push service took it; null while it waits."),
    sa.Column("transport", sa.Text, nullable=False, comment="voip for a ring, alert for everything else."),
    moment("expires_at", "From then on it is not delivered any more; a ring's is the end of the ring.", nullable=False),
    sa.Column("collapse_id", pg.UUID(), nullable=False, comment="The call or stream, of which a screen shows the newest push alone."),
    sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0"), comment="How often it was tried."),
    now("next_attempt_at", "When it is tried next."),
    moment("taken_until", "Until when a process that may have died has it in its hands."),
    sa.Column("error", sa.Text, comment="Why the last try failed, in a word."),
    sa.CheckConstraint("kind IN ('ring', 'cancel', 'missed', 'answered_elsewhere', 'stream_reminder')", name="kind"),
    # iOS ends an app that gets a VoIP push without a call to report.
    sa.CheckConstraint("transport = CASE kind WHEN 'ring' THEN 'voip' ELSE 'alert' END", name="transport"),
    sa.Index("nchat_push_outbox_waiting_idx", "expires_at", postgresql_where=sa.text("sent_at IS NULL")),
    sa.Index("nchat_push_outbox_collapse_idx", "collapse_id", "user_id", postgresql_where=sa.text("sent_at IS NULL")),
    sa.Index("nchat_push_outbox_created_at_idx", "created_at"),
    comment="Pushes to people's devices.",
)
