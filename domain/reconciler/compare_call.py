"""One look at one call's room, and what it changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from domain.calls.grants import grant_for
from domain.calls.presence import arrive, is_over, lose, settle
from domain.calls.repairs import DeleteRoom, GrantRights, OpenRoom, RemoveParticipant, Repair, carry_out, note_room
from domain.calls.rows import Call, Participant, Roster, lock_call, roster
from domain.calls.tracks import see, sent_by
from domain.ports import LiveRoom, RoomParticipant, TrackSource
from domain.reconciler.absences import found, missed
from domain.short_waits import short_waits
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
        return cls(_present(people), at)

    def outdated(self, who: Participant) -> bool:
        return who.status_since > self.at


async def compare_call(world: World, call: Call, known: Roster | None, room: LiveRoom | None, at: datetime) -> bool:
    """Brings one call and its room together; True when they were alike. `room` is what LiveKit listed at `at`; None is a room that is gone.

    `known` is who was in the call just before, None where likeness is not enough: somebody who was missed is to be found again.

    Raises MediaError when LiveKit does not answer; nothing is changed by half an answer. HeldByAnother is for the next round.
    """
    if room is None:
        await carry_out(world, [OpenRoom(call)])
        people: list[RoomParticipant] = []
    else:
        people = await world.rooms.list_participants(call.room_name)
        if room.sid != call.room_sid:
            await note_room(world, call.id, room.sid)
        elif known is not None and alike(call, known, people):
            return True
    async with world.transaction("reconcile.call") as tx, short_waits(tx):
        repairs = await _compare(tx, call, Sight.of(people, at), world.clock.now())
        await tx.write_down()
    await carry_out(world, repairs)
    return False


def alike(call: Call, known: Roster, people: Sequence[RoomParticipant]) -> bool:
    """Whether the room says of everybody what the rows say: then there is nothing to lock, and nothing to repair."""
    present = _present(people)
    connected = {one.identity: one for one in known.participants if one.status == "connected"}
    return present.keys() == connected.keys() and all(_same(call, connected[identity], seen) for identity, seen in present.items())


def _present(people: Sequence[RoomParticipant]) -> dict[str, RoomParticipant]:
    """Those of the call: who watches its broadcast is none of its people."""
    return {one.identity: one for one in people if one.state != "disconnected" and not one.watches}


def _same(call: Call, who: Participant, seen: RoomParticipant) -> bool:
    return seen.state == "active" and seen.sid == who.participant_sid and not _differing(who, seen) and not _wrong(call, who, seen)


def _differing(who: Participant, seen: RoomParticipant) -> bool:
    sent = sent_by(seen.tracks)
    said = ((sent.muted, who.is_muted), (sent.video, who.is_video_enabled), (sent.screen, who.is_screen_sharing))
    return any(now is not None and now != row for now, row in said)


def _wrong(call: Call, who: Participant, seen: RoomParticipant) -> bool:
    """Whether the person may publish other sources than the row says."""
    return seen.sources is not None and bool((seen.sources ^ set(grant_for(call, who).sources)) - OPTIONAL)


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
        if seen is not None and who.status == "connected" and seen.sid == who.participant_sid and _wrong(call, who, seen):
            wrong.append(GrantRights(call, who))
    return wrong
