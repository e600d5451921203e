"""A stream gets a way in for an encoder: the row first, then LiveKit is asked, then the key is kept and told."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

import sqlalchemy as sa

from domain.errors import MediaUnavailable
from domain.ports import Ingests, IngressKind, IngressWanted, MediaError, MediaRefused, NewIngress, NoSealingKey
from domain.streams.ingress.retiring import retire
from domain.streams.ingress.rows import INGRESSES, StreamIngress, wanted_ingress
from domain.streams.rows import Stream, lock_stream
from domain.world import Transaction, World
from schema.tables.stream_ingresses import stream_ingresses
from schema.tables.streams import streams
from schema.tables.users import users

# No user's id: the host may be in the room with a browser as well.
IDENTITY: Final = "ingress:{}"
# Whoever asks LiveKit for one has an answer by then, or is dead.
ASKED_FOR: Final = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class WayIn:
    """What a host types into an encoder. The key is told this once."""

    url: str
    stream_key: str = field(repr=False)


def require_ingests(world: World) -> Ingests:
    """LiveKit's ingresses. Raises MediaUnavailable where there are none, or no key of theirs could be kept: before anything is written."""
    if world.ingests is None:
        raise MediaUnavailable("Encoders can't send here: there is no media server.")
    try:
        world.sealer.seal("")
    except NoSealingKey as error:
        raise MediaUnavailable("Encoders can't send here: the server has no encryption key to keep theirs with.") from error
    return world.ingests


async def want(tx: Transaction, stream: Stream, kind: IngressKind, now: datetime) -> UUID:
    """Writes that the locked stream is to have an ingress, and retires the one it has. `issue` asks LiveKit after the commit."""
    await retire(tx, [stream.id], now)
    ingress_id = uuid4()
    row = {"id": ingress_id, "stream_id": stream.id, "kind": kind, "identity": IDENTITY.format(ingress_id), "created_at": now}
    await tx.connection.execute(sa.insert(stream_ingresses).values(row))
    tx.hint(f"stream:{stream.id}")
    return ingress_id


async def want_at_start(tx: Transaction, stream: Stream, kind: IngressKind | None, now: datetime) -> UUID | None:
    """The same for a locked stream that starts, where an encoder is asked for. None for one that has its ingress, or is getting it: a
    repeated request learns no key, which resetStreamIngress is for. One that LiveKit never answered for is asked for anew."""
    if kind is None or stream.status not in ("starting", "live"):
        return None
    before = await wanted_ingress(tx, stream.id)
    return None if before is not None and _there_or_asked_for(before, now) else await want(tx, stream, kind, now)


def _there_or_asked_for(ingress: StreamIngress, now: datetime) -> bool:
    """Somebody has been told its key, or is about to be."""
    return ingress.ingress_id is not None or (ingress.failed_at is None and now - ingress.created_at < ASKED_FOR)


async def issue(world: World, ingress_id: UUID) -> WayIn:
    """Asks LiveKit for a wanted ingress; `ingress_id` is our own.

    Raises MediaUnavailable when LiveKit does not answer or refuses, which is noted, and when the ingress was retired meanwhile. What
    LiveKit made unheard is removed by `rounds`.
    """
    ingests = require_ingests(world)
    async with world.transaction("ingress.ask") as tx:
        wanted = await _wanted(tx, ingress_id)
    if wanted is None:
        raise MediaUnavailable("Another request took the place of this one.")
    try:
        made = await ingests.create(wanted)
    except MediaError as error:
        await _note_failure(world, ingress_id)
        sentence = "Encoders can't send here: the media server has no way in for them." if isinstance(error, MediaRefused) else None
        raise MediaUnavailable(sentence) from error
    if not await _keep(world, ingress_id, made):
        await _take_back(ingests, made)
        raise MediaUnavailable("Another request took the place of this one.")
    return WayIn(made.url, made.stream_key)


async def _wanted(tx: Transaction, ingress_id: UUID) -> IngressWanted | None:
    """Under the host's name: it stands in the room, and in a picture of everybody."""
    name = sa.func.coalesce(users.c.display_name, users.c.username).label("name")
    joined = stream_ingresses.join(streams, streams.c.id == INGRESSES.stream_id).join(users, users.c.id == streams.c.host_id)
    question = sa.select(INGRESSES.id, INGRESSES.kind, streams.c.room_name, INGRESSES.identity, name).select_from(joined)
    row = (await tx.connection.execute(question.where(INGRESSES.id == ingress_id, INGRESSES.retired_at.is_(None)))).first()
    return None if row is None else IngressWanted(row.id, row.kind, row.room_name, row.identity, row.name)


async def _keep(world: World, ingress_id: UUID, made: NewIngress) -> bool:
    """Whether it is still wanted: then its key is kept, sealed."""
    sealed = world.sealer.seal(made.stream_key)
    async with world.transaction("ingress.issued") as tx:
        # The stream first, as everywhere.
        await _lock_stream_of(tx, ingress_id)
        kept = await tx.connection.execute(
            sa.update(stream_ingresses)
            .where(INGRESSES.id == ingress_id, INGRESSES.retired_at.is_(None), INGRESSES.ingress_id.is_(None))
            .values(ingress_id=made.id, stream_key_encrypted=sealed)
            .returning(INGRESSES.stream_id)
        )
        stream_id = kept.scalar_one_or_none()
        if stream_id is not None:
            await tx.connection.execute(sa.update(streams).where(streams.c.id == stream_id).values(rtmp_ingest_url=made.url))
            tx.hint(f"stream:{stream_id}")
            tx.hint(f"table:{streams.name}")
    return stream_id is not None


async def _note_failure(world: World, ingress_id: UUID) -> None:
    """The next request need not wait for this one's answer: it asks for another."""
    async with world.transaction("ingress.failed") as tx:
        mine = sa.update(stream_ingresses).where(INGRESSES.id == ingress_id, INGRESSES.ingress_id.is_(None))
        await tx.connection.execute(mine.values(failed_at=world.clock.now()))


async def _lock_stream_of(tx: Transaction, ingress_id: UUID) -> None:
    stream_id = await tx.connection.scalar(sa.select(INGRESSES.stream_id).where(INGRESSES.id == ingress_id))
    if stream_id is not None:
        await lock_stream(tx, stream_id)


async def _take_back(ingests: Ingests, made: NewIngress) -> None:
    """Nobody has its key, and nobody will. Where LiveKit is silent, `rounds` removes it."""
    try:
        await ingests.delete(made.id)
    except MediaError as error:
        raise MediaUnavailable from error
