"""Who takes part in a call, in which role and state."""

import sqlalchemy as sa

from schema.tables.columns import bounded_metadata, flag, free_form, key, metadata, moment, now, reference, vocabulary

participant_role = vocabulary("participant_role", "host", "co_host", "participant", "viewer")
participant_status = vocabulary("participant_status", "invited", "ringing", "connecting", "connected", "disconnected", "left", "kicked")
connection_quality = vocabulary("connection_quality", "excellent", "good", "poor", "lost")

call_participants = sa.Table(
    "nchat_call_participants",
    metadata,
    key("The participation; one per call and user."),
    reference("call_id", "nchat_calls.id", "The call.", index=True, ondelete="CASCADE"),
    reference("user_id", "nchat_users.id", "The person."),
    sa.Column("participant_sid", sa.String(255), comment="LiveKit's id of the present connection."),
    sa.Column(
        "role",
        participant_role,
        nullable=False,
        server_default=sa.text("'participant'::participant_role"),
        comment="What the person may do in the call.",
    ),
    sa.Column(
        "status",
        participant_status,
        nullable=False,
        server_default=sa.text("'invited'::participant_status"),
        index=True,
        comment="Where the person is; kicked is a block until a host lifts it.",
    ),
    now("status_since", "Since when the status is what it is; timeouts count from here. Not offered through GraphQL."),
    now("invited_at", "When the person was asked to the call."),
    moment("joined_at", "When the person was first connected."),
    moment("left_at", "When the person left."),
    sa.Column("leave_reason", sa.String(100), comment="Why the person left: user_left, missed, declined, network_error and others."),
    flag("is_muted", "The microphone is muted, as last said or seen."),
    flag("is_video_enabled", "The camera is on, as last said or seen."),
    flag("is_screen_sharing", "A screen is being shared."),
    moment("screen_share_asked_at", "Since when the person may publish a screen. Not offered through GraphQL."),
    moment("rejoining_since", "Since when a new connection of a connected person is awaited. Not offered through GraphQL."),
    sa.Column("connection_quality", connection_quality, comment="As last reported; null when unknown."),
    moment("hand_raised_at", "Since when the hand is up."),
    moment("lobby_waiting_since", "Since when the person waits to be admitted."),
    moment("consented_at", "When the person agreed to be recorded in this call."),
    free_form("The participant's own data, at most 8 KB."),
    bounded_metadata(),
    sa.UniqueConstraint("call_id", "user_id"),
    # Permission rules ask for a user's calls, the busy check for their states: both from the index alone.
    sa.Index(None, "user_id", "status", postgresql_include=["call_id"]),
    # Looked at every second; those who were kicked long ago only grow in number.
    sa.Index("nchat_call_participants_kicked_idx", "status_since", postgresql_where=sa.text("status = 'kicked'::participant_status")),
    comment="Participants of calls.",
)
