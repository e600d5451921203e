"""Outputs whose host can't be found wait and are tried again; what a part gets after fewer may watch moves to keys that nobody knows."""

import sqlalchemy as sa
from alembic import op

from migrations.shorthand import TIMESTAMP, limit_lock_wait

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

RECORDINGS, PARTS, STREAMS, OUTPUTS = "nchat_call_recordings", "nchat_call_recording_parts", "nchat_streams", "nchat_stream_outputs"
INGRESSES = "nchat_stream_ingresses"
MOMENTS = (
    (OUTPUTS, "unfound_since", "Since when nobody can say where its host is; null while that is known, or was not asked."),
    (OUTPUTS, "not_before", "When it is tried again."),
    (INGRESSES, "failed_at", "When LiveKit refused to make it, or did not answer; null otherwise."),
)
PART_COLUMNS = (
    sa.Column("narrowed_at", TIMESTAMP, comment="When fewer were let watch, while it ran on the CDN. Not offered through GraphQL."),
    sa.Column("late_prefix", sa.Text(), comment="What the keys of segments made since then begin with. Not offered through GraphQL."),
    sa.Column("late_from", sa.Integer(), comment="The first of them; null until that is decided. Not offered through GraphQL."),
    sa.Column("moved_to", sa.Integer(), comment="Those before this one lie there by now. Not offered through GraphQL."),
    sa.Column(
        "late_look_at", TIMESTAMP, comment="When they are looked for next; null when none can come any more. Not offered through GraphQL."
    ),
)
ENDS = f"""
        UPDATE public.{PARTS} AS part SET
            on_cdn = part.on_cdn AND part.asked_at IS NOT NULL,
            stop_asked_at = CASE WHEN part.asked_at IS NOT NULL THEN now() END,
            end_reason = CASE WHEN part.asked_at IS NOT NULL THEN 'narrowed' END
        FROM public.{RECORDINGS} AS recording
        WHERE recording.id = part.recording_id AND recording.stream_id = NEW.id AND recording.clip_from IS NULL
            AND part.status IN ('starting', 'recording') AND part.stop_asked_at IS NULL;
"""
# Until its recorder has stopped it writes on, where the CDN reads. As many segments as are in the row were seen before.
MOVES = f"""
        UPDATE public.{PARTS} AS part SET
            narrowed_at = now(), late_look_at = now(), moved_to = part.segments,
            late_prefix = left(part.path_prefix, -33) || replace(gen_random_uuid()::text, '-', '') || '/'
        FROM public.{RECORDINGS} AS recording
        WHERE recording.id = part.recording_id AND recording.stream_id = NEW.id AND recording.clip_from IS NULL
            AND part.on_cdn AND part.asked_at IS NOT NULL AND part.closed_at IS NULL AND part.path_prefix IS NOT NULL
            AND part.status IN ('starting', 'recording', 'processing') AND part.late_prefix IS NULL;
"""


def upgrade() -> None:
    limit_lock_wait()
    for table, name, comment in MOMENTS:
        op.add_column(table, sa.Column(name, TIMESTAMP, comment=comment))
    for column in PART_COLUMNS:
        op.add_column(PARTS, sa.Column(column.name, column.type, comment=column.comment))
    op.create_index(f"{PARTS}_late_idx", PARTS, ["late_look_at"], postgresql_where=sa.text("late_look_at IS NOT NULL"))
    _narrowed(ENDS + MOVES)


def downgrade() -> None:
    limit_lock_wait()
    _narrowed(ENDS)
    op.drop_index(f"{PARTS}_late_idx", PARTS)
    for column in reversed(PART_COLUMNS):
        op.drop_column(PARTS, column.name)
    for table, name, _ in reversed(MOMENTS):
        op.drop_column(table, name)


def _narrowed(carried_out: str) -> None:
    """What a narrowed audience means, in the transaction that narrows it."""
    op.execute(f"""
        CREATE OR REPLACE FUNCTION {STREAMS}_narrowed() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
        BEGIN{carried_out}
            RETURN NULL;
        END $$
    """)
