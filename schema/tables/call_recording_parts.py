"""What a recording is made of: one egress each, whose segments play whatever happened to it afterwards."""

import sqlalchemy as sa

from schema.tables.call_recordings import STARTING, recording_status
from schema.tables.columns import flag, key, metadata, moment, now, reference

call_recording_parts = sa.Table(
    "nchat_call_recording_parts",
    metadata,
    key("The part."),
    reference("recording_id", "nchat_call_recordings.id", "The recording it belongs to.", ondelete="CASCADE"),
    sa.Column("index", sa.Integer, nullable=False, comment="Its place in the recording, from 0."),
    sa.Column("kind", sa.Text, nullable=False, server_default=sa.text("'composite'"), comment="composite, or track: of one person alone."),
    reference("user_id", "nchat_users.id", "Whose track it is; null for a composite.", nullable=True, index=True),
    sa.Column("track_kind", sa.Text, comment="LiveKit's source: microphone, camera, screen_share or screen_share_audio."),
    sa.Column("track_sid", sa.String(255), comment="LiveKit's id of the track. Not offered through GraphQL."),
    sa.Column("egress_id", sa.String(255), unique=True, comment="LiveKit's egress; null until LiveKit answered."),
    sa.Column("status", recording_status, nullable=False, server_default=STARTING, comment="Where the part is in its life."),
    now("status_since", "Since when the status is what it is. Not offered through GraphQL."),
    moment("asked_at", "When LiveKit was asked for the egress; null until then. Not offered through GraphQL."),
    moment("stop_asked_at", "When its end was decided. Not offered through GraphQL."),
    moment("stop_told_at", "When LiveKit was last asked to end it. Not offered through GraphQL."),
    moment("absent_since", "Since when the egress is not seen in the room. Not offered through GraphQL."),
    moment("media_started_at", "When its first frame was recorded."),
    moment("ended_at", "When its last frame was recorded. Not offered through GraphQL."),
    moment("closed_at", "When LiveKit said its last word of it, or was given up. Not offered through GraphQL."),
    sa.Column(
        "end_reason", sa.Text, comment="Why it ended: stopped, paused, lost, storage, limit or narrowed. Not offered through GraphQL."
    ),
    sa.Column("segments", sa.Integer, nullable=False, server_default=sa.text("0"), comment="Segments seen in its playlist."),
    # An earlier release knows nothing of the column, and asks for 4.
    sa.Column(
        "segment_seconds",
        sa.SmallInteger,
        nullable=False,
        server_default=sa.text("4"),
        comment="How long its recorder was asked to make each segment. Not offered through GraphQL.",
    ),
    moment("segment_at", "When a new segment was last seen in its playlist. Not offered through GraphQL."),
    now("next_look_at", "When its storage is looked at next. Not offered through GraphQL."),
    sa.Column("duration", sa.Double, comment="Length of its media in seconds."),
    sa.Column("path_prefix", sa.Text, comment="What the keys of all its objects begin with; null for what is older than parts."),
    # Set by a trigger where a part begins.
    flag("on_cdn", "Begun while its stream was public: its segments may be fetched from the CDN. Not offered through GraphQL."),
    # These by another, when its stream is narrowed while it runs there.
    moment("narrowed_at", "When fewer were let watch, while it ran on the CDN. Not offered through GraphQL."),
    sa.Column("late_prefix", sa.Text, comment="What the keys of segments made since then begin with. Not offered through GraphQL."),
    sa.Column("late_from", sa.Integer, comment="The first of them; null until that is decided. Not offered through GraphQL."),
    sa.Column("moved_to", sa.Integer, comment="Those before this one lie there by now. Not offered through GraphQL."),
    moment("late_look_at", "When they are looked for next; null when none can come any more. Not offered through GraphQL."),
    sa.Column("file_path", sa.String(500), comment="Key of its file in the bucket, once seen there."),
    sa.Column("file_size", sa.BigInteger, comment="Size of its file in bytes."),
    sa.Column("error_message", sa.Text, comment="What went wrong, in our own words."),
    now("created_at", "When the row was written."),
    sa.UniqueConstraint("recording_id", "index"),
    sa.CheckConstraint("kind IN ('composite', 'track')", name="kind"),
    sa.CheckConstraint("track_kind IN ('microphone', 'camera', 'screen_share', 'screen_share_audio')", name="track_kind"),
    sa.CheckConstraint("end_reason IN ('stopped', 'paused', 'lost', 'storage', 'limit', 'narrowed')", name="end_reason"),
    sa.CheckConstraint("(kind = 'track') = (user_id IS NOT NULL AND track_kind IS NOT NULL)", name="track"),
    # Those that LiveKit or the storage has still something to say about.
    sa.Index(
        "nchat_call_recording_parts_open_idx",
        "recording_id",
        postgresql_where=sa.text(
            "status = ANY (ARRAY['starting'::recording_status, 'recording'::recording_status, 'processing'::recording_status])"
        ),
    ),
    sa.Index("nchat_call_recording_parts_late_idx", "late_look_at", postgresql_where=sa.text("late_look_at IS NOT NULL")),
    comment="Parts of recordings: one egress each.",
)
