"""resetStreamIngress: the old key stops working, whoever publishes with it is cut off, and there is a new one."""

from dataclasses import dataclass
from uuid import UUID

from domain.errors import InvalidInput, MediaUnavailable, StreamNotLive
from domain.ports import MediaError
from domain.streams.access import access_stream
from domain.streams.ingress.issuing import WayIn, issue, require_ingests, want
from domain.streams.ingress.retiring import remove_retired
from domain.streams.ingress.rows import wanted_ingress
from domain.world import World
from permissions.session import USER_ID, Session


@dataclass(frozen=True, slots=True)
class IngressResult:
    stream_id: UUID
    way_in: WayIn


async def reset_stream_ingress(world: World, session: Session, stream_id: UUID) -> IngressResult:
    """A new address and key for the host's encoder, told this once. For the host, and admin.

    Refuses with NotFound, Banned, NotAllowed, StreamNotLive (neither starting nor live), InvalidInput where the stream was started without
    an ingress, RateLimited, and MediaUnavailable: then the old key may work a little longer, until LiveKit hears of it.
    """
    require_ingests(world)
    await world.limiter.hit("token", str(session.variables.get(USER_ID, session.role)))
    async with world.transaction("reset_stream_ingress.write") as tx:
        access = (await access_stream(tx, world, session, stream_id, locking=True)).hosting()
        if access.stream.status not in ("starting", "live"):
            raise StreamNotLive
        before = await wanted_ingress(tx, stream_id)
        if before is None:
            raise InvalidInput("The stream was started without an ingress.")
        ingress_id = await want(tx, access.stream, before.kind, access.now)
    try:
        await remove_retired(world, stream_id)
    except MediaError as error:
        raise MediaUnavailable from error
    return IngressResult(stream_id, await issue(world, ingress_id))
