"""What each webhook event changes in the call whose room it speaks of."""

from collections.abc import Mapping
from typing import Final

from domain.calls.repairs import Repair
from domain.calls.rows import Call
from domain.webhooks import egress_events, ingress_events, participant_events, room_events, track_events
from domain.webhooks.call_webhook import CallWebhook, Effect
from domain.webhooks.webhook_event import ReceivedEvent

# Any that a later LiveKit adds change no call.
EFFECTS: Final[Mapping[str, Effect]] = {
    "room_started": room_events.started,
    "room_finished": room_events.finished,
    "participant_joined": participant_events.joined,
    "participant_left": participant_events.left,
    "track_published": track_events.published,
    "track_unpublished": track_events.unpublished,
    "egress_started": egress_events.told,
    "egress_updated": egress_events.told,
    "egress_ended": egress_events.told,
    "ingress_started": ingress_events.told,
    "ingress_ended": ingress_events.told,
}


async def apply(webhook: CallWebhook) -> list[Repair]:
    """Applies one event to its locked call; returns what LiveKit has to be asked for after the commit.

    Applying it twice, late, or before an earlier one never moves a call or a participant backwards.
    """
    effect = EFFECTS.get(webhook.event.event)
    if effect is None or _of_another_life(webhook.call, webhook.event):
        return []
    return await effect(webhook)


def _of_another_life(call: Call, event: ReceivedEvent) -> bool:
    """Whether the event is about a room of the same name that is gone: a restarted LiveKit gives a new sid.

    A recorder and an encoder may outlive its room. Of a call that has ended every life is one too many: an old token may have begun
    another.
    """
    if event.event.startswith(("egress_", "ingress_")):
        return False
    return not call.ended and call.room_sid is not None and call.room_sid != event.text("room", "sid")
