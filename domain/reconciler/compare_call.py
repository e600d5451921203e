"""One look at one call's room, and what it changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from domain.calls.grants import grant_for
from domain.calls.presence import arrive, is_over, lose, settle
from domain.calls.repairs import DeleteRoom, GrantRights, OpenRoom, RemoveParticipant, Repair, carry_out, note_room
from domain.calls.rows import Call, Participant, lock_call, roster
from domain.calls.tracks import see, sent_by
from domain.ports import LiveRoom, RoomParticipant, TrackSource
from domain.reconciler.absences import found, missed
from domain.world import Transaction, World

# A screen may be shared with its sound or without: the row does not say which.
OPTIONAL: Final[frozenset[TrackSource]] = frozenset({"screen_share_audio"})


@dataclass(frozen=True, slots=True)
class Sight:
    """Who was in the room, by identity, at `at`. What changed after that moment is newer than what was seen."""

    people: dict[str, RoomParticipant]
    at: datetime

    @classmethod
    def of(cls, people: Sequence[RoomParticipant], at: datetime) -> "Sight":
        return cls({one.identity: one for one in people if one.state != "disconnected"}, at)

    def outdated(self, who: Participant) -> bool:
        return who.status_since > self.at


async def compare_call(world: World, call: Call, room: LiveRoom | None, at: datetime) -> None:
    """Brings one call and its room together. `room` is what LiveKit listed at `at`; None is a room that is gone.

    Raises MediaError when LiveKit does not answer; nothing is changed by half an answer.
    """
    if room is None:
        await carry_out(world, [OpenRoom(call)])
        people: list[RoomParticipant] = []
    else:
        if room.sid != call.room_sid:
            await note_room(world, call.id, room.sid)
        people = await world.rooms.list_participants(call.room_name)
    async with world.transaction("reconcile.call") as tx:
        repairs = await _compare(tx, call, Sight.of(people, at), world.clock.now())
    await carry_out(world, repairs)


async def _compare(tx: Transaction, seen: Call, sight: Sight, now: datetime) -> list[Repair]:
    call = await lock_call(tx, seen.id)
    if call is None or call.ended:
        return [DeleteRoom(seen.room_name)]
    strangers = await _arrivals(tx, call, sight, now)
    await _tracks(tx, call, sight)
    await _absences(tx, call, sight, now)
    current = await lock_call(tx, call.id) or call
    await settle(tx, current, now=now)
    removals = [RemoveParticipant(call.room_name, identity) for identity in strangers]
    return [*removals, *await _wrong_rights(tx, call, sight)]


async def _arrivals(tx: Transaction, call: Call, sight: Sight, now: datetime) -> list[str]:
    """Who is ACTIVE takes the seat that is held; returns the identities in the room that hold none."""
    known = {one.identity: one for one in (await roster(tx, call.id)).participants}
    strangers: list[str] = []
    for identity, seen in sight.people.items():
        who = known.get(identity)
        if who is None or (not who.seated and not sight.outdated(who)):
            strangers.append(identity)
        elif who.seated and seen.state == "active" and not sight.outdated(who) and not await is_over(tx, seen.sid):
            await arrive(tx, call, who, seen.sid, now=now)
    return strangers


async def _tracks(tx: Transaction, call: Call, sight: Sight) -> None:
    """LiveKit sends no webhook for a mute: here, and only here, it is seen."""
    for who in (await roster(tx, call.id)).participants:
        seen = sight.people.get(who.identity)
        if seen is not None and who.status == "connected" and seen.sid == who.participant_sid:
            await see(tx, who, sent_by(seen.tracks))


async def _absences(tx: Transaction, call: Call, sight: Sight, now: datetime) -> None:
    for who in (await roster(tx, call.id)).participants:
        if who.status != "connected" or who.identity in sight.people:
            await found(tx, who.id)
        elif not sight.outdated(who) and await missed(tx, who.id, sight.at):
            await lose(tx, call, who, "absent", now=now)


async def _wrong_rights(tx: Transaction, call: Call, sight: Sight) -> list[Repair]:
    """Who may publish other sources than the row says: a role or a screen share whose change never reached LiveKit."""
    wrong: list[Repair] = []
    for who in (await roster(tx, call.id)).participants:
        seen = sight.people.get(who.identity)
        if seen is None or seen.sources is None or who.status != "connected" or seen.sid != who.participant_sid:
            continue
        if (seen.sources ^ set(grant_for(call, who).sources)) - OPTIONAL:
            wrong.append(GrantRights(call, who))
    return wrong
