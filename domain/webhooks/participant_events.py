"""What a participant's arrival and departure mean for the call."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from domain.calls.leaving import leave
from domain.calls.presence import arrive, drop, settle
from domain.calls.repairs import DeleteRoom, GrantRights, RemoveParticipant, Repair, follow_up
from domain.calls.rows import Participant
from domain.ports import is_viewer
from domain.recordings.recorder.webhooks import egress_left
from domain.streams.ingress import news
from domain.streams.viewers.entering import uninvited
from domain.streams.viewers.putting_out import PutOut
from domain.webhooks.call_webhook import CallWebhook

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


async def joined(webhook: CallWebhook) -> list[Repair]:
    """LiveKit says it when a participant is ACTIVE. Whoever holds no seat is removed, as are viewers whose session is over and encoders
    whose host is out: a token can't be revoked."""
    if webhook.call.ended:
        return [DeleteRoom(webhook.call.room_name)]
    if is_viewer(webhook.identity):
        return [PutOut(webhook.call.room_name, one) for one in await uninvited(webhook.tx, [webhook.identity])]
    if webhook.event.text("participant", "kind") == "ingress" and await news.is_unwanted(webhook.tx, webhook.identity):
        return [RemoveParticipant(webhook.call.room_name, webhook.identity)]
    if _is_machine(webhook) or webhook.told.known_to(webhook.event):
        return []
    person = webhook.person
    if person is None or not person.seated:
        return [RemoveParticipant(webhook.call.room_name, webhook.identity)]
    await arrive(webhook.tx, webhook.call, person, webhook.sid, now=webhook.now)
    # The token may be older than the role, and say more.
    return [GrantRights(webhook.call, person)] if person.role == "viewer" else []


async def left(webhook: CallWebhook) -> list[Repair]:
    """Counts only for the connection that the person has now; a recorder that is out records nothing more, an encoder sends nothing."""
    if webhook.event.text("participant", "kind") == "egress":
        await egress_left(webhook.tx, webhook.identity, webhook.now)
        return []
    if webhook.event.text("participant", "kind") == "ingress":
        await news.left(webhook.tx, webhook.identity)
        return []
    person, reason = webhook.connected_person, webhook.event.text("participant", "disconnect_reason")
    if webhook.call.ended or person is None or reason == REPLACED:
        return []
    if reason not in STAY_ENDS or (reason == "client_initiated" and _rejoins(person, webhook.now)):
        await drop(webhook.tx, webhook.call, person, reason or "unknown_reason", now=webhook.now)
        return []
    actor = person.user_id if reason == "client_initiated" else None
    departure = await leave(webhook.tx, webhook.call, person, STAY_ENDS[reason], actor_id=actor, now=webhook.now)
    if not departure.call_ended:
        await settle(webhook.tx, webhook.call, now=webhook.now)
    # LiveKit itself said that the person is out: removing again could hit the next connection of someone who reloaded the page.
    return follow_up(webhook.call, departure)


def _rejoins(person: Participant, now: datetime) -> bool:
    """Whether the person took a token for another connection a moment ago: a reloaded page, or another device."""
    return person.rejoining_since is not None and now - person.rejoining_since < REJOINS_WITHIN


def _is_machine(webhook: CallWebhook) -> bool:
    """Recorders, ingresses and agents are no people of the call."""
    return webhook.event.text("participant", "kind") not in ("", "standard")
