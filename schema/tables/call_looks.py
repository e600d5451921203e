"""What the reconciler saw at its last closer look at a call's room: another look is due when that changes, or after a while."""

import sqlalchemy as sa

from schema.tables.columns import metadata, moment, now, reference

call_looks = sa.Table(
    "nchat_call_looks",
    metadata,
    reference("call_id", "nchat_calls.id", "The call.", primary_key=True, ondelete="CASCADE"),
    sa.Column("room_sid", sa.String(255), comment="LiveKit's id of the room's life that was seen."),
    sa.Column("participants", sa.Integer, nullable=False, server_default=sa.text("0"), comment="LiveKit's count of people."),
    sa.Column("publishers", sa.Integer, nullable=False, server_default=sa.text("0"), comment="LiveKit's count of those who publish."),
    now("looked_at", "When the look began."),
    now("due_at", "When the next one is due though nothing seems to have changed."),
    moment("differs_since", "Since when rows and room have been found different at every look; null when they were alike."),
    sa.Index(None, "looked_at"),
    sa.Index("nchat_call_looks_differs_since_idx", "differs_since", postgresql_where=sa.text("differs_since IS NOT NULL")),
    comment="The reconciler's last closer look at each living call.",
)
