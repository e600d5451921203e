"""createStream: a stream is planned."""

from domain.calls.access import known_user
from domain.streams.actions.results import StreamResult
from domain.streams.places import require_streaming
from domain.streams.planning import StreamPlan, write
from domain.world import World
from permissions.session import Session


async def create_stream(world: World, session: Session, plan: StreamPlan) -> StreamResult:
    """Writes a stream down, `scheduled`, in a channel of the caller's; a repeated request answers with the same.

    Refuses with RateLimited, MediaUnavailable (no streams here), InvalidInput, NotFound (no such channel, or not the caller's).
    """
    await world.limiter.hit("initiate", str(session.user_id))
    require_streaming(world)
    async with world.transaction("create_stream.write") as tx:
        stream, _ = await write(tx, world, await known_user(tx, session), plan)
    return StreamResult(stream.id)
