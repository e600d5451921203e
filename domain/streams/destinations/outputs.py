"""What a running egress is to send to: a row for each destination, written down before LiveKit is asked.

A destination that changes has two for a moment: one to be taken away, whose address LiveKit wants to hear once more, and one to be added.
The rows of an egress go with it; its successor has its own.
"""

from typing import Final
from uuid import UUID

import sqlalchemy as sa

from domain.streams.destinations.rows import changed
from domain.world import Transaction
from schema.tables.stream_outputs import stream_outputs

# Of an egress that records at this moment, and is meant to go on. Each destination is locked as it is written down: a host who changes it
# at this moment would find no row to take away, and the key of before would be sent to for ever. One that is being changed is planned
# when its change is told.
PLAN: Final = sa.text("""
    WITH wanted AS (
        SELECT destination.stream_id, destination.id, part.egress_id, destination.rtmp_url, destination.stream_key_encrypted
        FROM nchat_call_recording_parts AS part
            JOIN nchat_call_recordings AS recording ON recording.id = part.recording_id
            JOIN nchat_streams AS stream ON stream.id = recording.stream_id
            JOIN nchat_stream_destinations AS destination ON destination.stream_id = stream.id
        WHERE part.status = 'recording' AND part.kind = 'composite' AND part.egress_id IS NOT NULL AND part.closed_at IS NULL
            AND part.stop_asked_at IS NULL AND stream.status IN ('starting', 'live') AND destination.enabled
            AND NOT EXISTS (
                SELECT FROM nchat_stream_outputs AS output
                WHERE output.destination_id = destination.id AND output.egress_id = part.egress_id AND output.unwanted_at IS NULL
            )
        FOR NO KEY UPDATE OF destination SKIP LOCKED
    )
    INSERT INTO nchat_stream_outputs (stream_id, destination_id, egress_id, rtmp_url, stream_key_encrypted)
    SELECT stream_id, id, egress_id, rtmp_url, stream_key_encrypted FROM wanted
    ON CONFLICT (destination_id, egress_id) WHERE unwanted_at IS NULL DO NOTHING
    RETURNING id
""")
OVER: Final = """
    NOT EXISTS (
        SELECT FROM nchat_call_recording_parts AS part
        WHERE part.egress_id = output.egress_id AND part.status = 'recording' AND part.closed_at IS NULL
    )
"""
# Destinations before their outputs, as the host's actions lock them.
HOLD: Final = sa.text(f"""
    SELECT destination.id FROM nchat_stream_destinations AS destination
    WHERE destination.id IN (SELECT output.destination_id FROM nchat_stream_outputs AS output WHERE {OVER})
    ORDER BY destination.id FOR NO KEY UPDATE
""")  # noqa: S608 - a condition of ours
RETIRE: Final = sa.text(f"""
    WITH over AS (DELETE FROM nchat_stream_outputs AS output WHERE {OVER} RETURNING output.destination_id)
    UPDATE nchat_stream_destinations AS destination SET status = 'disconnected', error_message = NULL
    FROM over WHERE destination.id = over.destination_id AND destination.status IN ('connecting', 'connected') RETURNING destination.id
""")  # noqa: S608 - a condition of ours


async def plan(tx: Transaction) -> None:
    """Every enabled destination of a stream that is recorded has its row, and what belonged to an egress that is over has none."""
    await tx.connection.execute(HOLD)
    if (await tx.connection.execute(RETIRE)).first() is not None:
        changed(tx)
    await tx.connection.execute(PLAN)


async def unwant(tx: Transaction, destination_id: UUID) -> None:
    """What is sent to this destination by now is taken away; the caller holds its stream."""
    mine = sa.update(stream_outputs).where(stream_outputs.c.destination_id == destination_id, stream_outputs.c.unwanted_at.is_(None))
    await tx.connection.execute(mine.values(unwanted_at=sa.func.now()))
