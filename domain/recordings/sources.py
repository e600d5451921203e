"""What is recorded: a call, or a stream, as far as its recorder has to know it."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from domain.calls.rows import Call, lock_call
from domain.world import Transaction
from schema.tables.streams import streams

# As the stream's own life locks it: whoever refers to the row need not wait.
LOCK_STREAM: Final = (
    sa.select(streams.c.room_name, streams.c.status, streams.c.call_id)
    .where(streams.c.id == sa.bindparam("stream"))
    .with_for_update(key_share=True)
)
# Of a stream in another status nothing more is recorded.
RECORDED: Final = ("starting", "live")


@dataclass(frozen=True, slots=True)
class Source:
    """A locked call or stream. `over`: nothing more of it is to be recorded. `call` is None where a stream is recorded, and `shows` the
    call that such a stream shows."""

    room_name: str
    over: bool
    call: Call | None = None
    shows: UUID | None = None


async def lock_source(tx: Transaction, call_id: UUID | None, stream_id: UUID | None) -> Source | None:
    """One of the two, locked until the commit; None when it is not there.

    Of a stream that broadcasts a call the stream alone is locked: who needs both locks the call first, and recorders never need it.
    """
    if call_id is not None:
        call = await lock_call(tx, call_id)
        return None if call is None else Source(call.room_name, call.ended, call)
    row = (await tx.connection.execute(LOCK_STREAM, {"stream": stream_id})).first()
    return None if row is None else Source(row.room_name, row.status not in RECORDED, shows=row.call_id)
