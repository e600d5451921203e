"""What a participant's arrival and departure mean for the call."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from domain.calls.leave import leave
from domain.calls.rows import Participant
from domain.presence import arrive, drop, is_over, settle
from domain.repairs import DeleteRoom, RemoveParticipant, Repair, follow_up
from domain.webhooks.scene import Scene

# LiveKit's reasons that end a person's stay at once; every other is a connection that may come back.
STAY_ENDS: Final[Mapping[str, str]] = {
    "client_initiated": "user_left",
    "participant_removed": "removed",
    "room_deleted": "room_closed",
    "room_closed": "room_closed",
}
# Another device or a full reconnect took the person's place: its own `joined` moves the call there.
REPLACED: Final = "duplicate_identity"
# From the token to the new connection.
REJOINS_WITHIN: Final = timedelta(minutes=1)


async def joined(scene: Scene) -> list[Repair]:
    """LiveKit says it when a participant is ACTIVE. Whoever holds no seat is thrown out: a token can't be revoked."""
    if scene.call.ended:
        return [DeleteRoom(scene.call.room_name)]
    if _is_machine(scene) or await is_over(scene.tx, scene.sid, told_before=scene.event.received_at):
        return []
    person = scene.person
    if person is None or not person.seated:
        return [RemoveParticipant(scene.call.room_name, scene.identity)]
    await arrive(scene.tx, scene.call, person, scene.sid, now=scene.now)
    return []


async def left(scene: Scene) -> list[Repair]:
    """Counts only for the connection that the person has now."""
    person, reason = scene.connected_person, scene.event.text("participant", "disconnect_reason")
    if scene.call.ended or person is None or reason == REPLACED:
        return []
    if reason not in STAY_ENDS or (reason == "client_initiated" and _rejoins(person, scene.now)):
        await drop(scene.tx, scene.call, person, reason or "unknown_reason", now=scene.now)
        return []
    actor = person.user_id if reason == "client_initiated" else None
    departure = await leave(scene.tx, scene.call, person, STAY_ENDS[reason], actor_id=actor, now=scene.now)
    if not departure.call_ended:
        await settle(scene.tx, scene.call, now=scene.now)
    # LiveKit itself said that the person is out: removing again could hit the next connection of someone who reloaded the page.
    return follow_up(scene.call, departure)


def _rejoins(person: Participant, now: datetime) -> bool:
    """Whether the person took a token for another connection a moment ago: a reloaded page, or another device."""
    return person.rejoining_since is not None and now - person.rejoining_since < REJOINS_WITHIN


def _is_machine(scene: Scene) -> bool:
    """Recorders, ingresses and agents are no people of the call."""
    return scene.event.text("participant", "kind") not in ("", "standard")
