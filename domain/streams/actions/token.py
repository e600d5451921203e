"""refreshStreamToken: a host who reloads the page gets back in."""

from uuid import UUID

from domain.errors import NotAllowed, StreamNotLive
from domain.streams import tickets
from domain.streams.access import access_stream
from domain.streams.tickets import HostTicket
from domain.world import World
from permissions.session import Session


async def refresh_stream_token(world: World, session: Session, stream_id: UUID) -> HostTicket:
    """A fresh ticket for the host of a stream that is starting or live.

    Refuses with RateLimited, NotFound, Banned, NotAllowed (not the host, or a broadcast: refreshCallToken is its way), StreamNotLive,
    MediaUnavailable.
    """
    await world.limiter.hit("token", str(session.user_id))
    async with world.transaction("refresh_stream_token.look") as tx:
        access = await access_stream(tx, world, session, stream_id)
        if not access.is_host or access.stream.call_id is not None:
            raise NotAllowed("Only the host of a stream with a room of its own gets a token here.")
        if access.stream.status not in ("starting", "live"):
            raise StreamNotLive
        return await tickets.issue(tx, world, access.stream)
