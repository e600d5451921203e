"""Who was missing from a call's room at the last look: two looks apart make an absence."""

import sqlalchemy as sa

from schema.tables.columns import metadata, now, reference

call_absences = sa.Table(
    "nchat_call_absences",
    metadata,
    reference("participant_id", "nchat_call_participants.id", "Who was missing.", primary_key=True, ondelete="CASCADE"),
    now("first_missed_at", "The first of the looks in a row that did not find the person."),
    comment="People whom the reconciler did not find in the room, until it does or closes their connection.",
)
