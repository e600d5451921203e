"""addStreamDestination, and the destinations that a stream starts with."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from domain.errors import InvalidInput
from domain.streams.access import access_stream
from domain.streams.destinations.checking import CheckedOutput, OutputWanted, check
from domain.streams.destinations.outputs import unwant
from domain.streams.destinations.rows import changed, require_open
from domain.world import Transaction, World
from permissions.session import USER_ID, Session
from schema.tables.stream_destinations import stream_destinations as table


@dataclass(frozen=True, slots=True)
class DestinationResult:
    stream_id: UUID
    destination_id: UUID


async def add_stream_destination(world: World, session: Session, stream_id: UUID, wanted: OutputWanted) -> DestinationResult:
    """Sends the stream there too: from its start on, or now when it runs. For its host and admin.

    Refuses with NotFound, NotAllowed, StreamNotLive (it is over), RateLimited, and InvalidInput: the address, the key, or the platform
    has one already.
    """
    async with world.transaction("add_destination.look") as tx:
        require_open((await access_stream(tx, world, session, stream_id)).hosting().stream)
    await count_use(world, session)
    checked = await check(world, wanted, whose(session))
    async with world.transaction("add_destination.write") as tx:
        require_open((await access_stream(tx, world, session, stream_id, locking=True)).hosting().stream)
        row = insert(table).values(_values(stream_id, checked)).on_conflict_do_nothing(index_elements=["stream_id", "platform"])
        destination_id = await tx.connection.scalar(row.returning(table.c.id))
        if destination_id is None:
            raise InvalidInput(f"The stream has a destination of the platform {wanted.platform} already.")
        changed(tx)
    return DestinationResult(stream_id, destination_id)


async def put_destinations(tx: Transaction, stream_id: UUID, outputs: Sequence[CheckedOutput]) -> None:
    """The destinations that the host of a locked stream names at its start: each takes the place of the platform's earlier one.

    `checking.check_all` comes before, outside of the transaction.
    """
    for output in outputs:
        row = insert(table).values(_values(stream_id, output))
        fresh = {"rtmp_url": row.excluded.rtmp_url, "stream_key_encrypted": row.excluded.stream_key_encrypted, "enabled": True}
        put = row.on_conflict_do_update(
            index_elements=["stream_id", "platform"], set_={**fresh, "status": "pending", "error_message": sa.null()}
        )
        await unwant(tx, await tx.connection.scalar(put.returning(table.c.id)))
    if outputs:
        changed(tx)


async def count_use(world: World, session: Session) -> None:
    """RateLimited: each use looks a name up."""
    await world.limiter.hit("destination", whose(session))


def whose(session: Session) -> str:
    """Who uses it up: a person, or all who have a role and no name."""
    return session.variables.get(USER_ID, session.role)


def _values(stream_id: UUID, output: CheckedOutput) -> dict[str, object]:
    return {
        "stream_id": stream_id,
        "platform": output.platform,
        "rtmp_url": output.rtmp_url,
        "stream_key_encrypted": output.sealed_key,
    }
