"""Calls: one row from the first ring to the end."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from schema.tables.columns import bounded_metadata, flag, free_form, key, metadata, moment, now, reference, vocabulary

call_type = vocabulary("call_type", "audio", "video")
call_status = vocabulary("call_status", "initiated", "ringing", "connecting", "connected", "reconnecting", "ended")
call_end_reason = vocabulary(
    "call_end_reason",
    "completed",
    "declined",
    "busy",
    "timeout",
    "cancelled",
    "failed",
    "no_answer",
    "network_error",
    "host_ended",
    "kicked",
)

calls = sa.Table(
    "nchat_calls",
    metadata,
    key("The call."),
    sa.Column(
        "room_name",
        sa.String(255),
        nullable=False,
        unique=True,
        server_default=sa.text("('call_'::text || gen_random_uuid())"),
        comment="Name of the LiveKit room.",
    ),
    sa.Column("room_sid", sa.String(255), comment="LiveKit's id of the room's present life."),
    # Deferred: PostgreSQL would check it before the permission check, and a hidden and an absent channel must get the same answer.
    reference(
        "channel_id",
        "nchat_channels.id",
        "The channel the call belongs to; null for a direct call.",
        nullable=True,
        index=True,
        deferrable=True,
        initially="DEFERRED",
    ),
    reference("initiator_id", "nchat_users.id", "Who started the call.", index=True),
    sa.Column("type", call_type, nullable=False, comment="Audio or video."),
    sa.Column(
        "status",
        call_status,
        nullable=False,
        server_default=sa.text("'initiated'::call_status"),
        index=True,
        comment="Where the call is in its life.",
    ),
    now("status_since", "Since when the status is what it is; timeouts count from here. Not offered through GraphQL."),
    moment("scheduled_at", "When the call is meant to ring."),
    moment("started_at", "When the first person was rung or let in.", index=True),
    moment("connected_at", "When two people were first connected."),
    moment("ended_at", "When the call ended.", index=True),
    moment("room_closed_at", "When LiveKit confirmed that the ended call's room is gone. Not offered through GraphQL."),
    sa.Column("end_reason", call_end_reason, comment="Why the call ended."),
    sa.Column("max_participants", sa.Integer, server_default=sa.text("100"), comment="Most people connected at once."),
    flag("e2ee", "Media is end-to-end encrypted; the keys never reach the server."),
    flag("lobby", "Joiners wait until a host admits them."),
    sa.Column(
        "auto_record",
        sa.Text,
        nullable=False,
        server_default=sa.text("'off'"),
        comment="Which arrival starts the recording: off, first, second, host.",
    ),
    sa.Column(
        "recording_consent",
        sa.Text,
        nullable=False,
        server_default=sa.text("'notify'"),
        comment="Whether people are told of a recording or asked first: notify, ask.",
    ),
    moment("auto_recorded_at", "When the service started the recording by itself; it does so once. Not offered through GraphQL."),
    flag("single_sharer", "Only one person shares a screen at a time.", default=True),
    sa.Column("ring_timeout_seconds", sa.Integer, nullable=False, server_default=sa.text("45"), comment="How long it rings, in seconds."),
    sa.Column("client_request_id", pg.UUID(), comment="The client's id of the request: repeating it gives the same call."),
    free_form("The client's own data, at most 8 KB."),
    now("created_at", "When the row was written."),
    now("updated_at", "When the row last changed; kept by a trigger."),
    bounded_metadata(),
    sa.UniqueConstraint("initiator_id", "client_request_id"),
    sa.Index(None, "channel_id", "status"),
    sa.Index("nchat_calls_created_at_idx", sa.text("created_at DESC")),
    # The newest calls of one person and of one channel, read in order; a page looks no further at most of those it finds.
    sa.Index("nchat_calls_initiator_id_created_at_idx", "initiator_id", sa.text("created_at DESC"), postgresql_include=["id"]),
    sa.Index("nchat_calls_channel_id_created_at_idx", "channel_id", sa.text("created_at DESC"), postgresql_include=["id"]),
    sa.Index("nchat_calls_initiator_id_open_idx", "initiator_id", postgresql_where=sa.text("status <> 'ended'::call_status")),
    # Those whose room is still to be closed: empty but for the last moments, however long the history grows.
    sa.Index("nchat_calls_room_open_idx", "ended_at", postgresql_where=sa.text("ended_at IS NOT NULL AND room_closed_at IS NULL")),
    sa.CheckConstraint("max_participants > 0", name="max_participants"),
    sa.CheckConstraint("ring_timeout_seconds > 0", name="ring_timeout_seconds"),
    sa.CheckConstraint("auto_record IN ('off', 'first', 'second', 'host')", name="auto_record"),
    sa.CheckConstraint("recording_consent IN ('notify', 'ask')", name="recording_consent"),
    comment="Voice and video calls.",
)
