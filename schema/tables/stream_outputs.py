"""What the egress of a stream is to send to, and what became of it."""

import sqlalchemy as sa

from schema.tables.columns import key, metadata, moment, now, reference, sealed

stream_outputs = sa.Table(
    "nchat_stream_outputs",
    metadata,
    key("The output."),
    reference("stream_id", "nchat_streams.id", "The stream.", index=True, ondelete="CASCADE"),
    reference(
        "destination_id",
        "nchat_stream_destinations.id",
        "For which destination; null when the host removed it.",
        nullable=True,
        index=True,
        ondelete="SET NULL",
    ),
    sa.Column("egress_id", sa.String(255), nullable=False, index=True, comment="LiveKit's egress."),
    sa.Column("rtmp_url", sa.String(500), nullable=False, comment="Address without the key."),
    sealed("stream_key_encrypted", "The stream key, encrypted at rest; LiveKit hears it twice: to add, and to take away.", nullable=False),
    moment("asked_at", "Since when LiveKit is being asked; null when it has answered, or was not asked."),
    moment("unfound_since", "Since when nobody can say where its host is; null while that is known, or was not asked."),
    moment("not_before", "When it is tried again."),
    moment("sent_at", "When LiveKit took it."),
    sa.Column("place", sa.Integer, comment="Which of the addresses in LiveKit's record it is, from 0."),
    moment("unwanted_at", "Since when it is to be taken away."),
    moment("over_at", "When LiveKit refused it, gave it up or had taken it away."),
    now("next_look_at", "When LiveKit's record is looked at next."),
    now("created_at", "When the row was written."),
    sa.Index(
        "nchat_stream_outputs_wanted_key", "destination_id", "egress_id", unique=True, postgresql_where=sa.text("unwanted_at IS NULL")
    ),
    comment="Addresses that egresses of streams send to.",
)
