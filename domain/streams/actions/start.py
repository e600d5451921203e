"""startStream: a planned stream, a new one, or a call of one's own that is shown to others."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from domain.calls.access import CallAccess, access_call, known_user
from domain.errors import CallNotStarted, E2eeCall, InvalidInput, NotAllowed, NotFound, StreamNotLive
from domain.ports import IngressKind
from domain.recordings.playing.addresses import addresses_of
from domain.recordings.starting import RECORDABLE
from domain.streams import tickets
from domain.streams.access import access_stream
from domain.streams.actions.results import StartedStream
from domain.streams.destinations.adding import put_destinations
from domain.streams.destinations.checking import CheckedOutput, OutputWanted, check_all
from domain.streams.ingress.issuing import issue, require_ingests, want_at_start
from domain.streams.opening import open_stream
from domain.streams.places import require_streaming
from domain.streams.planning import LONGEST_TITLE, Broadcast, StreamPlan, write
from domain.streams.rows import COLUMNS, RUNNING, Stream, lock_stream
from domain.streams.starting import begin
from domain.world import Transaction, World
from permissions.session import Session
from schema.tables.channels import channels
from schema.tables.streams import streams

TIER: Final = "x-hasura-tier"


async def start_stream(
    world: World, session: Session, stream_id: UUID, ingress: IngressKind | None = None, outputs: Sequence[OutputWanted] = ()
) -> StartedStream:
    """The host starts a planned stream, which answers at once: `live` it is when its media can be watched. Repeating it gives a new token.

    With `ingress` the host sends with an encoder, whose address and key are in the answer, this once. `outputs` are where else it is sent,
    beside the destinations that it has; one that runs keeps those that it has.

    Refuses with RateLimited, InvalidInput (an output), MediaUnavailable (no streams here, or LiveKit does not answer: the stream is
    cancelled), NotFound, Banned, NotAllowed (not the host), StreamNotLive (it is over), StreamLimit.
    """
    await world.limiter.hit("initiate", str(session.user_id))
    checked = await check_all(world, outputs, str(session.user_id))
    async with world.transaction("start_stream.write") as tx:
        access = await access_stream(tx, world, session, stream_id, locking=True)
        if not access.is_host:
            raise NotAllowed("Only the stream's host can start it.")
        _require_media(world, ingress)
        if access.stream.status not in ("scheduled", "starting", "live"):
            raise StreamNotLive("The stream is over.")
        stream = await _begun(tx, world, session, access.stream, checked)
        ingress_id = await want_at_start(tx, stream, ingress, access.now)
    return await _opened(world, session, stream, ingress_id)


async def start_new_stream(
    world: World, session: Session, plan: StreamPlan, ingress: IngressKind | None = None, outputs: Sequence[OutputWanted] = ()
) -> StartedStream:
    """The same of a stream that is written with its start; a repeated request answers with that one, without a token when it is over."""
    await world.limiter.hit("initiate", str(session.user_id))
    _require_media(world, ingress)
    checked = await check_all(world, outputs, str(session.user_id))
    async with world.transaction("start_stream.write") as tx:
        stream, _ = await write(tx, world, await known_user(tx, session), plan)
        stream = await _started(tx, world, session, stream, checked)
        ingress_id = await want_at_start(tx, stream, ingress, world.clock.now())
    return await _opened(world, session, stream, ingress_id)


async def start_broadcast(
    world: World,
    session: Session,
    call_id: UUID,
    plan: StreamPlan,
    ingress: IngressKind | None = None,
    outputs: Sequence[OutputWanted] = (),
) -> StartedStream:
    """Shows a call that the caller hosts; the stream is in its room, and ends with it. Channel, and its name, are defaults.

    Refuses besides with the call's refusals (NotFound, ParticipantKicked, CallEnded), NotAllowed (neither host nor co-host), E2eeCall,
    CallNotStarted (nobody is connected), StreamNotLive (it is broadcast already), InvalidInput. Where recording asks for consent everybody
    is asked, and it begins when all have agreed, or half a minute later without those who have not.
    """
    await world.limiter.hit("initiate", str(session.user_id))
    checked = await check_all(world, outputs, str(session.user_id))
    async with world.transaction("start_stream.write") as tx:
        access = await access_call(tx, world, session, call_id)
        access.hosting()
        _require_media(world, ingress)
        _require_broadcastable(access)
        stream = await _running(tx, access) or await _written(tx, world, access, plan)
        stream = await _started(tx, world, session, stream, checked)
        ingress_id = await want_at_start(tx, stream, ingress, world.clock.now())
    return await _opened(world, session, stream, ingress_id)


async def _started(tx: Transaction, world: World, session: Session, stream: Stream, outputs: Sequence[CheckedOutput]) -> Stream:
    current = await lock_stream(tx, stream.id)
    if current is None:
        raise NotFound
    return await _begun(tx, world, session, current, outputs)


async def _begun(tx: Transaction, world: World, session: Session, stream: Stream, outputs: Sequence[CheckedOutput]) -> Stream:
    """A request that is repeated tears no destination away from a stream that runs."""
    if stream.status == "scheduled":
        await put_destinations(tx, stream.id, outputs)
    return await begin(tx, world, stream, tier=session.variables.get(TIER))


def _require_media(world: World, ingress: IngressKind | None) -> None:
    require_streaming(world)
    if ingress is not None:
        require_ingests(world)


async def _opened(world: World, session: Session, stream: Stream, ingress_id: UUID | None) -> StartedStream:
    """An ingress that LiveKit does not make leaves a stream that starts: the same request asks for it again."""
    if stream.status == "starting":
        await open_stream(world, stream)
    way_in = None if ingress_id is None else await issue(world, ingress_id)
    async with world.transaction("start_stream.answer") as tx:
        wanted = stream.call_id is None and stream.status in ("starting", "live")
        ticket = await tickets.issue(tx, world, stream) if wanted else None
        addresses = await addresses_of(tx, session, stream.id)
    return StartedStream(stream.id, stream.room_name, ticket, addresses, way_in)


def _require_broadcastable(access: CallAccess) -> None:
    if access.call.e2ee:
        raise E2eeCall
    if access.call.status not in RECORDABLE or access.call.status == "connecting":
        raise CallNotStarted("Nobody is connected yet.")


async def _running(tx: Transaction, access: CallAccess) -> Stream | None:
    """The broadcast of a locked call that runs, for whoever started it; another's is StreamNotLive."""
    mine = sa.select(*COLUMNS).where(streams.c.call_id == access.call.id, streams.c.status.in_(RUNNING))
    row = (await tx.connection.execute(mine)).first()
    if row is None:
        return None
    stream = Stream.of(row)
    if stream.host_id != access.user_id or stream.status == "ending":
        raise StreamNotLive("The call is being broadcast already.")
    return stream


async def _written(tx: Transaction, world: World, access: CallAccess, plan: StreamPlan) -> Stream:
    stream, new = await write(tx, world, access.user_id, await _of_call(tx, access, plan), Broadcast(access.call.id, access.call.room_name))
    if not new and stream.call_id != access.call.id:
        raise InvalidInput("clientRequestId belongs to another stream.")
    return stream


async def _of_call(tx: Transaction, access: CallAccess, plan: StreamPlan) -> StreamPlan:
    channel_id, title = plan.channel_id or access.call.channel_id, plan.title
    if title is None and channel_id is not None:
        name: str | None = await tx.connection.scalar(sa.select(channels.c.name).where(channels.c.id == channel_id))
        title = None if name is None else name[:LONGEST_TITLE]
    return replace(plan, channel_id=channel_id, title=title)
