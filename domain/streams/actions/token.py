"""refreshStreamToken: a host who reloads the page gets back in, and so does who watches by WebRTC."""

from uuid import UUID

from domain.errors import NotAllowed, ParticipantKicked, StreamNotLive
from domain.streams import tickets
from domain.streams.access import access_stream
from domain.streams.tickets import HostTicket
from domain.streams.viewers.entering import ViewerTicket, kicked, ticket_again
from domain.world import World
from permissions.session import Session


async def refresh_stream_token(world: World, session: Session, stream_id: UUID) -> HostTicket | ViewerTicket:
    """A fresh ticket for the host of a stream that is starting or live, and for whoever watches a live one by WebRTC.

    Refuses with RateLimited, NotFound, Banned, ParticipantKicked (from the call that it shows), NotAllowed (neither of both, or the host of
    a broadcast: refreshCallToken is the way), StreamNotLive, MediaUnavailable.
    """
    await world.limiter.hit("token", str(session.user_id))
    async with world.transaction("refresh_stream_token.look") as tx:
        access = await access_stream(tx, world, session, stream_id)
        if access.is_host and access.stream.call_id is None:
            if access.stream.status not in ("starting", "live"):
                raise StreamNotLive
            return await tickets.issue(tx, world, access.stream)
        if await kicked(tx, stream_id, [session.user_id]):
            raise ParticipantKicked
        watching = await ticket_again(tx, world, access.stream, session.user_id)
        if watching is None:
            raise NotAllowed("Only the host of a stream with a room of its own, and who watches by WebRTC, get a token here.")
        if not access.stream.live:
            raise StreamNotLive
        return watching
