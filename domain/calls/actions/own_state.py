"""What a participant says of oneself: a hand that goes up and down, and how good the own client finds the connection."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import sqlalchemy as sa

from domain.calls import events
from domain.calls.access import access_call
from domain.calls.actions.results import ParticipantResult
from domain.input_checks import require_storable
from domain.world import World
from permissions.session import Session
from schema.tables.call_participants import call_participants

# LiveKit's words. `unknown` is what a client says that has measured nothing yet: null in the row.
Quality = Literal["excellent", "good", "poor", "lost", "unknown"]
LONGEST_STATS: Final = 2048
# Everybody in the call reads them: figures alone, and of those the ones that have a meaning. Addresses of candidates stay out.
FIGURES: Final = ("packetLoss", "jitter", "latency")
BITRATES: Final = ("upload", "download")


async def raise_hand(world: World, session: Session, call_id: UUID) -> ParticipantResult:
    """The caller's hand goes up; one that is up stays since when it was raised. NotAllowed for one who is not in the call."""
    return await _move_hand(world, session, call_id, up=True)


async def lower_hand(world: World, session: Session, call_id: UUID) -> ParticipantResult:
    """The caller's hand goes down; one that is down stays so. NotAllowed for one who is not in the call."""
    return await _move_hand(world, session, call_id, up=False)


async def _move_hand(world: World, session: Session, call_id: UUID, *, up: bool) -> ParticipantResult:
    column = call_participants.c.hand_raised_at
    async with world.transaction("hand.write") as tx:
        access = await access_call(tx, world, session, call_id)
        me = access.seated()
        since: datetime | None = access.now if up else None
        otherwise = column.is_(None) if up else column.is_not(None)
        moved = sa.update(call_participants).where(call_participants.c.id == me.id, otherwise).values(hand_raised_at=since)
        if (await tx.connection.execute(moved.returning(call_participants.c.id))).first() is not None:
            events.changed(tx, call_id)
            await events.append(tx, call_id, "hand_raised" if up else "hand_lowered", me.user_id, {}, me.id)
        return ParticipantResult(call_id, me.id)


async def report_connection_quality(
    world: World, session: Session, call_id: UUID, quality: Quality, stats: Mapping[str, object]
) -> ParticipantResult:
    """The caller's row says how good the connection is; a change is an event, with those figures of `stats` that have a name here.

    Refuses with RateLimited, InvalidInput (stats of more than 2 KB), NotAllowed (not in the call).
    """
    await world.limiter.hit("quality", str(session.user_id))
    require_storable("stats", stats, LONGEST_STATS)
    stored = None if quality == "unknown" else quality
    column = call_participants.c.connection_quality
    async with world.transaction("report_connection_quality.write") as tx:
        access = await access_call(tx, world, session, call_id)
        me = access.seated()
        changed = sa.update(call_participants).where(call_participants.c.id == me.id, column.is_distinct_from(stored))
        if (await tx.connection.execute(changed.values(connection_quality=stored).returning(column))).first() is not None:
            events.changed(tx, call_id)
            payload = {"quality": stored, "stats": _figures(stats)}
            await events.append(tx, call_id, "connection_quality_changed", me.user_id, payload, me.id)
        return ParticipantResult(call_id, me.id)


def _figures(stats: Mapping[str, object]) -> dict[str, object]:
    bitrate = stats.get("bitrate")
    rates = _numbers(bitrate, BITRATES) if isinstance(bitrate, Mapping) else {}
    return {**_numbers(stats, FIGURES), **({"bitrate": rates} if rates else {})}


def _numbers(said: Mapping[str, object], names: Sequence[str]) -> dict[str, object]:
    found = {name: said.get(name) for name in names}
    return {name: value for name, value in found.items() if isinstance(value, int | float) and not isinstance(value, bool)}
