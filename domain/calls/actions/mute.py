"""Microphone, camera and screen going silent: one's own by saying so, another's by a host; nobody can unmute somebody else."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

import sqlalchemy as sa

from domain.calls import events
from domain.calls.access import CallAccess, access_call
from domain.calls.actions.results import ParticipantResult
from domain.calls.rows import Participant
from domain.errors import InvalidInput, MediaUnavailable
from domain.ports import MediaError, RoomParticipant, TrackSource
from domain.world import Transaction, World
from permissions.session import Session
from schema.tables.call_participants import call_participants

TrackKind = Literal["audio", "video", "screen"]
SOURCES: Final[dict[TrackKind, tuple[TrackSource, ...]]] = {
    "audio": ("microphone",),
    "video": ("camera",),
    "screen": ("screen_share", "screen_share_audio"),
}
# So many people are muted at once.
AT_ONCE: Final = 8


@dataclass(frozen=True, slots=True)
class MuteAllResult:
    """`participant_ids` are those who are muted now because of this request."""

    call_id: UUID
    participant_ids: tuple[UUID, ...]


async def set_muted(world: World, session: Session, call_id: UUID, track_type: TrackKind, muted: bool) -> ParticipantResult:
    """The caller says what the own track does; the media server is not asked. NotAllowed for one who is not in the call."""
    async with world.transaction("set_muted.write") as tx:
        access = await access_call(tx, world, session, call_id)
        me = access.seated()
        await note_mute(tx, me, track_type, muted, actor_id=me.user_id)
        return ParticipantResult(call_id, me.id)


async def mute_participant(world: World, session: Session, call_id: UUID, participant_id: UUID, track_type: TrackKind) -> ParticipantResult:
    """A host or co-host mutes someone's published track; only that person can unmute it.

    Refuses with NotAllowed, NotFound (no such participant here), InvalidInput (not in the call), MediaUnavailable (nothing changed then).
    """
    async with world.transaction("mute_participant.check") as tx:
        access = await access_call(tx, world, session, call_id)
        other = _muteable(access, participant_id)
    try:
        await _mute_tracks(world, access.call.room_name, other, track_type)
    except MediaError as error:
        raise MediaUnavailable from error
    async with world.transaction("mute_participant.write") as tx:
        access = await access_call(tx, world, session, call_id)
        current = access.other(participant_id)
        if current.seated:
            await note_mute(tx, current, track_type, muted=True, actor_id=access.user_id)
    return ParticipantResult(call_id, participant_id)


async def mute_all(world: World, session: Session, call_id: UUID, spared: Collection[UUID] = ()) -> MuteAllResult:
    """A host or co-host mutes everybody's microphone but the own and those of the participants in `spared`.

    Refuses with NotAllowed, NotFound (one of `spared` is no participant here), MediaUnavailable (who could be muted is, and their rows say
    so).
    """
    async with world.transaction("mute_all.check") as tx:
        access = await access_call(tx, world, session, call_id)
        me = access.hosting()
        kept = {access.other(one).id for one in spared} | {me.id}
        others = [one for one in access.roster.seated if one.id not in kept]
    silent, failure = await _silence(world, access.call.room_name, others)
    async with world.transaction("mute_all.write") as tx:
        access = await access_call(tx, world, session, call_id)
        current = [one for one in access.roster.seated if one.id in silent]
        muted = [one.id for one in current if await note_mute(tx, one, "audio", muted=True, actor_id=access.user_id)]
    if failure is not None:
        raise MediaUnavailable from failure
    return MuteAllResult(call_id, tuple(muted))


async def ask_to_unmute(world: World, session: Session, call_id: UUID, participant_id: UUID) -> ParticipantResult:
    """A host or co-host asks someone to speak: an event, and nothing else.

    Refuses with NotAllowed, NotFound (no such participant here), InvalidInput (not in the call).
    """
    async with world.transaction("ask_to_unmute.write") as tx:
        access = await access_call(tx, world, session, call_id)
        other = _muteable(access, participant_id)
        await events.append(tx, call_id, "unmute_asked", access.user_id, {}, other.id)
        return ParticipantResult(call_id, participant_id)


def _muteable(access: CallAccess, participant_id: UUID) -> Participant:
    access.hosting()
    other = access.other(participant_id)
    if not other.seated:
        raise InvalidInput("That participant is not in the call.")
    return other


async def _mute_tracks(world: World, room: str, other: Participant, track_type: TrackKind) -> None:
    """A participant who publishes no such track is silent already."""
    for one in await world.rooms.list_participants(room):
        if one.identity == other.identity:
            await _mute_those(world, room, one, track_type)


async def _mute_those(world: World, room: str, one: RoomParticipant, track_type: TrackKind) -> None:
    for track in one.tracks:
        if track.source in SOURCES[track_type] and not track.muted:
            await world.rooms.mute_track(room, one.identity, track.sid)


async def _silence(world: World, room: str, others: Sequence[Participant]) -> tuple[frozenset[UUID], MediaError | None]:
    """Whose microphone is silent now, and what the media server failed with; after its first failure nobody else is asked for."""
    places, failures = asyncio.Semaphore(AT_ONCE), list[MediaError]()
    try:
        present = {one.identity: one for one in await world.rooms.list_participants(room)}
    except MediaError as error:
        return frozenset(), error

    async def silenced(other: Participant) -> bool:
        async with places:
            if failures:
                return False
            try:
                if seen := present.get(other.identity):
                    await _mute_those(world, room, seen, "audio")
            except MediaError as error:
                failures.append(error)
                return False
            return True

    done = await asyncio.gather(*(silenced(other) for other in others))
    return frozenset(other.id for other, is_silent in zip(others, done, strict=True) if is_silent), next(iter(failures), None)


async def note_mute(tx: Transaction, who: Participant, track_type: TrackKind, muted: bool, *, actor_id: UUID | None) -> bool:
    """Writes what was said or seen of a track, with its event; False when the row said so already.

    A screen has no column: whether it is shared follows the published track, so its mute is an event only.
    """
    if track_type == "screen":
        await events.append(tx, who.call_id, "call_mute_changed", actor_id, {"trackType": "screen", "muted": muted}, who.id)
        return True
    column, value = (call_participants.c.is_muted, muted) if track_type == "audio" else (call_participants.c.is_video_enabled, not muted)
    update = sa.update(call_participants).where(call_participants.c.id == who.id, column != value).values({column.name: value})
    if (await tx.connection.execute(update.returning(call_participants.c.id))).first() is None:
        return False
    events.changed(tx, who.call_id)
    if track_type == "audio":
        await events.append(tx, who.call_id, "call_mute_changed", actor_id, {"trackType": "audio", "muted": muted}, who.id)
    else:
        await events.append(tx, who.call_id, "call_video_changed", actor_id, {"enabled": not muted}, who.id)
    return True
