"""updateStreamDestination and removeStreamDestination; what runs already is taken away there, and sent anew where it is wanted."""

from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from domain.errors import InvalidInput
from domain.ports import Unreadable
from domain.streams.destinations.adding import DestinationResult, count_use, whose
from domain.streams.destinations.addresses import require_key
from domain.streams.destinations.checking import check_url, seal
from domain.streams.destinations.outputs import unwant
from domain.streams.destinations.rows import Destination, access_destination, changed, require_open
from domain.world import World
from permissions.session import Session
from schema.tables.stream_destinations import stream_destinations as table

KEY_STAYS: Final = "Another rtmpUrl takes its own streamKey: give both. The key that is kept goes nowhere but where it was given for."


@dataclass(frozen=True, slots=True)
class DestinationChange:
    """What is to be different; None stays as it is. An address is different only together with its key."""

    rtmp_url: str | None = None
    stream_key: str | None = field(default=None, repr=False)
    enabled: bool | None = None


async def update_stream_destination(world: World, session: Session, destination_id: UUID, change: DestinationChange) -> DestinationResult:
    """Another address, another key, on or off. One that failed is tried again, also where nothing is different. For the host and admin.

    Refuses as `add_stream_destination`, with NotFound for everybody else; InvalidInput also for another address without a key.
    """
    async with world.transaction("update_destination.look") as tx:
        require_open((await access_destination(tx, world, session, destination_id)).stream.stream)
    await count_use(world, session)
    url = None if change.rtmp_url is None else await check_url(world, change.rtmp_url, whose(session))
    if change.stream_key is not None:
        require_key(change.stream_key)
    async with world.transaction("update_destination.write") as tx:
        access = await access_destination(tx, world, session, destination_id)
        require_open(access.stream.stream)
        different = _different(world, access.destination, url, change)
        if different or access.destination.status == "error":
            await unwant(tx, destination_id)
            fresh = {**different, "status": _status(access.destination, different), "error_message": None}
            await tx.connection.execute(sa.update(table).where(table.c.id == destination_id).values(fresh))
            changed(tx)
    return DestinationResult(access.destination.stream_id, destination_id)


async def remove_stream_destination(world: World, session: Session, destination_id: UUID) -> DestinationResult:
    """Nothing is sent there any more, and the key is forgotten. For the host and admin, whatever became of the stream."""
    async with world.transaction("remove_destination.write") as tx:
        access = await access_destination(tx, world, session, destination_id)
        await unwant(tx, destination_id)
        await tx.connection.execute(sa.delete(table).where(table.c.id == destination_id))
        changed(tx)
    return DestinationResult(access.destination.stream_id, destination_id)


def _different(world: World, now: Destination, url: str | None, change: DestinationChange) -> dict[str, object]:
    """InvalidInput where the kept key would go to another address: whoever chose that would read it there, and a stream's host may
    not be who gave the key. A port and a scheme are of the address: who listens there may be another, or anybody on the way."""
    different: dict[str, object] = {}
    if url is not None and url != now.rtmp_url:
        if change.stream_key is None:
            raise InvalidInput(KEY_STAYS)
        different["rtmp_url"] = url
    if change.stream_key is not None and not _is_key(world, now, change.stream_key):
        different["stream_key_encrypted"] = seal(world, change.stream_key)
    if change.enabled is not None and change.enabled != now.enabled:
        different["enabled"] = change.enabled
    return different


def _is_key(world: World, now: Destination, key: str) -> bool:
    try:
        return world.sealer.reveal(now.stream_key_encrypted) == key
    except Unreadable:
        return False


def _status(now: Destination, different: dict[str, object]) -> str:
    """Switched off, it is what it was cut off from; otherwise it is tried anew."""
    off = different.get("enabled") is False
    return "disconnected" if off and now.status in ("connecting", "connected", "disconnected") else "pending"
