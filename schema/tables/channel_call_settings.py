"""How calls of a channel are recorded, and which words its streams don't take."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from schema.tables.columns import metadata, reference

MOST_TERMS = 1000

channel_call_settings = sa.Table(
    "nchat_channel_call_settings",
    metadata,
    reference("channel_id", "nchat_channels.id", "Whose settings these are.", primary_key=True, ondelete="CASCADE"),
    sa.Column(
        "auto_record",
        sa.Text,
        nullable=False,
        server_default=sa.text("'off'"),
        comment="Which arrival starts the recording of a call: off, first, second, host.",
    ),
    sa.Column(
        "recording_consent",
        sa.Text,
        nullable=False,
        server_default=sa.text("'notify'"),
        comment="Whether people are told of a recording or asked first: notify, ask.",
    ),
    sa.Column(
        "blocked_terms",
        pg.ARRAY(sa.Text),
        nullable=False,
        server_default=sa.text("'{}'"),
        comment="Words that the chat of the channel's streams refuses. For those who manage the channel.",
    ),
    # Whoever holds them ready knows by it that they are others now.
    sa.Column(
        "terms_version",
        pg.UUID(),
        nullable=False,
        server_default=sa.text("gen_random_uuid()"),
        comment="Another value with each change of the blocked terms; kept by a trigger. Not offered through GraphQL.",
    ),
    sa.CheckConstraint("auto_record IN ('off', 'first', 'second', 'host')", name="auto_record"),
    sa.CheckConstraint("recording_consent IN ('notify', 'ask')", name="recording_consent"),
    sa.CheckConstraint(f"cardinality(blocked_terms) <= {MOST_TERMS}", name="blocked_terms"),
    comment="Settings of a channel's calls. A channel without a row has the defaults.",
)
