"""A message's place counts the parts that its stream's playlist has: one that failed has none."""

from alembic import op

from migrations.shorthand import limit_lock_wait

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

# The playlist holds the parts one after the other. What was written while nothing was recorded stands at the end of what was before it.
# The length of a part that has just ended is known when its storage was looked through; until then, from its last new segment.
MEDIA_SECONDS = """
    CREATE OR REPLACE FUNCTION nchat_stream_chat_media_seconds(message nchat_stream_chat)
    RETURNS double precision LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (
        SELECT round((before + least(extract(epoch FROM (message).created_at - began), seconds))::numeric, 3)
        FROM (
            SELECT part.media_started_at AS began,
                coalesce(sum(seconds) OVER (ORDER BY part.index ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before,
                CASE WHEN lead(part.index) OVER (ORDER BY part.index) IS NULL THEN part.duration ELSE seconds END AS seconds
            FROM nchat_call_recordings AS recording
            JOIN nchat_call_recording_parts AS part ON part.recording_id = recording.id
            CROSS JOIN LATERAL (
                SELECT coalesce(part.duration, extract(epoch FROM part.segment_at - part.media_started_at)) AS seconds
            ) AS so_far
            WHERE recording.stream_id = (message).stream_id AND recording.clip_from IS NULL
                AND part.kind = 'composite' AND part.media_started_at IS NOT NULL {plays}
        ) AS parts
        WHERE began <= (message).created_at
        ORDER BY began DESC LIMIT 1
    )::double precision
"""


def upgrade() -> None:
    limit_lock_wait()
    op.execute(MEDIA_SECONDS.format(plays="AND part.status <> 'failed'"))


def downgrade() -> None:
    limit_lock_wait()
    op.execute(MEDIA_SECONDS.format(plays=""))
