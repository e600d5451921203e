"""With `ask` a recording begins when everybody in the room has agreed; who has not within half a minute is put out.

A call that is shown to others is recorded, too: by the stream's recording, for which all of this holds alike.

What counts is who is in LiveKit's room, not what our rows say of it: nobody is recorded whose arrival we have not heard of.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa
import structlog

from domain.calls.leaving import leave
from domain.calls.presence import settle
from domain.calls.repairs import RemoveParticipant, Repair, carry_out, follow_up
from domain.calls.rows import Call, Participant, lock_call, participant, roster
from domain.ports import MediaError
from domain.recordings.each import each
from domain.recordings.held import Held, hold
from domain.recordings.rows import ACTIVE, Recording
from domain.recordings.settling import BEGINS_WITHIN, never_began
from domain.recordings.starting import CONSENT_WITHIN, begin_first
from domain.short_waits import short_waits
from domain.world import Transaction, World
from schema.tables.call_participants import call_participants
from schema.tables.call_recordings import call_recordings
from schema.tables.calls import calls
from schema.tables.streams import streams

log = structlog.get_logger(__name__)
LOOK: Final = 200
# Whoever is put out is looked for once more.
ROUNDS: Final = 2
REFUSED: Final = "consent_refused"
NOT_SEEN: Final = "Nobody could see who is in the room."
_SILENT: Final = sa.exists().where(
    call_participants.c.call_id == calls.c.id, call_participants.c.status == "connected", call_participants.c.consented_at.is_(None)
)

# Recordings with the call that each is of, by itself or as what a stream shows.
_CALL_ID: Final = sa.func.coalesce(call_recordings.c.call_id, streams.c.call_id)
_RECORDED: Final = call_recordings.outerjoin(streams, streams.c.id == call_recordings.c.stream_id).join(calls, calls.c.id == _CALL_ID)


def overdue(now: datetime) -> sa.Select[UUID]:
    """Calls with somebody connected who has not agreed, and the time to do so is over: being asked, or long recorded."""
    asked = call_recordings.c.consent_asked_at
    return (
        sa.select(calls.c.id)
        .select_from(_RECORDED)
        .where(calls.c.recording_consent == "ask", calls.c.status != "ended", call_recordings.c.status.in_(ACTIVE), _SILENT)
        .where(sa.or_(asked.is_(None), asked <= now - CONSENT_WITHIN))
        .order_by(call_recordings.c.status_since)
    )


async def put_out(tx: Transaction, call: Call, silent: Collection[Participant], *, now: datetime) -> list[Repair]:
    """Refusing is leaving: these people of a locked call are out (`consent_refused`). What LiveKit has to be asked for."""
    repairs: list[Repair] = []
    for one in silent:
        # Read again: who left just before may have made this one the host.
        who = await participant(tx, one.id)
        left = await leave(tx, call, who, REFUSED, actor_id=None, now=now)
        if left.call_ended:
            return follow_up(call, left)
        repairs += [RemoveParticipant(call.room_name, who.identity), *follow_up(call, left)]
    if (current := await lock_call(tx, call.id)) is not None:
        await settle(tx, current, now=now)
    return repairs


async def begin_agreed(world: World) -> int:
    """Begins each recording whose connected people have all agreed; returns how many were looked at. Safe on several workers."""
    waiting = (
        sa.select(call_recordings.c.id, calls.c.room_name)
        .select_from(_RECORDED)
        .where(call_recordings.c.status == "starting", call_recordings.c.consent_asked_at.is_not(None), calls.c.status != "ended", ~_SILENT)
    )
    async with world.transaction("recording.agreed") as tx:
        due = (await tx.connection.execute(waiting.limit(LOOK))).all()
    rooms = {row.id: row.room_name for row in due}
    await each("consent", rooms, lambda recording_id: _begin(world, recording_id, rooms[recording_id]))
    return len(due)


async def _begin(world: World, recording_id: UUID, room: str) -> None:
    try:
        for _ in range(ROUNDS):
            present = {one.identity.partition("#")[0] for one in await world.rooms.list_participants(room)}
            if not (repairs := await _take_in(world, recording_id, present)):
                return
            await carry_out(world, repairs)
    except MediaError as error:
        log.warning("consent_not_seen", recording_id=str(recording_id), error=str(error))
        await _give_up(world, recording_id)


async def _take_in(world: World, recording_id: UUID, present: Collection[str]) -> list[Repair]:
    """Begins it if only those are in the room who agreed; when the time is over, whoever else is there has to go."""
    async with world.transaction("recording.consents") as tx, short_waits(tx):
        (call, held), now = await _hold_with_call(tx, recording_id), world.clock.now()
        if held is None or held.source.over or call is None or call.ended or not (asked := _asked_at(held.recording)):
            return []
        people = (await roster(tx, call.id)).participants
        silent = [one for one in people if one.consented_at is None and (one.status == "connected" or one.identity in present)]
        if not silent:
            await _agreed(tx, held.recording, now=now)
        elif now - asked >= CONSENT_WITHIN:
            strangers = [RemoveParticipant(call.room_name, one.identity) for one in silent if not one.seated]
            return [*strangers, *await put_out(tx, call, [one for one in silent if one.seated], now=now)]
    return []


async def _hold_with_call(tx: Transaction, recording_id: UUID) -> tuple[Call | None, Held | None]:
    """The call first, as everywhere: holding a stream's recording locks the stream, and not the call that it shows."""
    call_id = await tx.connection.scalar(sa.select(_CALL_ID).select_from(_RECORDED).where(call_recordings.c.id == recording_id))
    call = None if call_id is None else await lock_call(tx, call_id)
    return call, await hold(tx, recording_id)


async def _agreed(tx: Transaction, recording: Recording, *, now: datetime) -> None:
    """Its time to begin counts from here."""
    mine = sa.update(call_recordings).where(call_recordings.c.id == recording.id)
    await tx.connection.execute(mine.values(consent_asked_at=None, status_since=now))
    await begin_first(tx, recording, actor_id=None, now=now)


async def _give_up(world: World, recording_id: UUID) -> None:
    """A LiveKit that does not answer for long: nothing is recorded."""
    async with world.transaction("recording.unseen") as tx, short_waits(tx):
        held, now = await hold(tx, recording_id), world.clock.now()
        asked = None if held is None else _asked_at(held.recording)
        if held is not None and asked is not None and now - asked >= CONSENT_WITHIN + BEGINS_WITHIN:
            await never_began(tx, held.recording, NOT_SEEN, now=now)


def _asked_at(recording: Recording) -> datetime | None:
    """Since when consent is awaited; None for a recording that no longer waits."""
    return recording.consent_asked_at if recording.status == "starting" else None
