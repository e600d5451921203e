"""What happened in a call, in order: the feed of `callEvents` and the audit trail."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from schema.tables.columns import metadata, now, numbered, reference

# A table of its own and never in GraphQL: on the call's row every event would touch updated_at, re-run live queries and fight for the row.
call_counters = sa.Table(
    "nchat_call_counters",
    metadata,
    reference("call_id", "nchat_calls.id", "The call.", primary_key=True, ondelete="CASCADE"),
    sa.Column("event_seq", sa.BigInteger, nullable=False, server_default=sa.text("0"), comment="Sequence number of the last event."),
    comment="Last event number of each call.",
)

# `kind` is text and not an enum: every feature adds kinds, a label can't be removed from an enum, and the domain owns the vocabulary.
call_events = sa.Table(
    "nchat_call_events",
    metadata,
    reference("call_id", "nchat_calls.id", "The call.", primary_key=True, ondelete="CASCADE"),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False, comment="1, 2, 3 … within the call, without gaps."),
    sa.Column("kind", sa.Text, nullable=False, comment="What happened, for example call_state_changed."),
    reference("actor_id", "nchat_users.id", "Who did it; null when the service did.", nullable=True, index=True),
    sa.Column("payload", pg.JSONB, nullable=False, server_default=sa.text("'{}'::jsonb"), comment="Facts that belong to the kind."),
    now("created_at", "When it happened."),
    sa.CheckConstraint("kind ~ '^[a-z][a-z_]*$'", name="kind"),
    comment="Events of calls, numbered without gaps.",
    info=numbered("call_id", "seq"),
)
