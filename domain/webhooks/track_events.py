"""What a published and an unpublished track mean for what a participant sends."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from domain.calls.repairs import Repair
from domain.calls.rows import Call, lock_call, roster
from domain.calls.tracks import Sent, see, sent_by, silenced_since
from domain.recordings.recorder.tracks import track_published
from domain.webhooks.call_webhook import CallWebhook
from domain.world import World

# As long a webhook may be on its way: LiveKit sends one again for half a minute.
ON_ITS_WAY: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class LookAtTracks:
    """What a person's present connection sends is read from the room: what a webhook says of it may be older than what the row says."""

    call: Call
    user_id: UUID
    sid: str

    async def carry_out(self, world: World) -> None:
        """Raises MediaError."""
        seen = next((one for one in await world.rooms.list_participants(self.call.room_name) if one.sid == self.sid), None)
        if seen is None:
            return
        async with world.transaction("webhook.look_at_tracks") as tx:
            call = await lock_call(tx, self.call.id)
            who = (await roster(tx, self.call.id)).of_user(self.user_id)
            if call is not None and not call.ended and who is not None and who.participant_sid == self.sid:
                await see(tx, who, sent_by(seen.tracks))


async def published(webhook: CallWebhook) -> list[Repair]:
    """A track of the person's present connection, muted or not.

    It is told as it was when it began. Whoever was muted meanwhile, or says so, stays muted: then the room has the last word.
    """
    person = webhook.connected_person
    if webhook.call.ended or person is None or _is_over(webhook):
        return []
    await track_published(webhook.tx, webhook.call.id, webhook.now)
    sent = _sent(webhook.event.text("track", "source"), on=True, muted=webhook.event.flag("track", "muted"))
    if await silenced_since(webhook.tx, person, sent, webhook.event.received_at - ON_ITS_WAY):
        return [LookAtTracks(webhook.call, person.user_id, webhook.sid)]
    await see(webhook.tx, person, sent)
    return []


async def unpublished(webhook: CallWebhook) -> list[Repair]:
    """Camera or screen is off. A microphone that is gone changes nothing that was said of it."""
    person = webhook.connected_person
    if not webhook.call.ended and person is not None:
        await see(webhook.tx, person, _sent(webhook.event.text("track", "source"), on=False, muted=False))
    return []


def _sent(source: str, *, on: bool, muted: bool) -> Sent:
    match source:
        case "microphone" if on:
            return Sent(muted=muted)
        case "camera":
            return Sent(video=on and not muted)
        case "screen_share":
            return Sent(screen=on)
        case _:
            return Sent()


def _is_over(webhook: CallWebhook) -> bool:
    """Whether LiveKit already told us that this track is gone: `track_published` may arrive after `track_unpublished`."""
    return webhook.told.known_to(webhook.event, webhook.event.text("track", "sid"))
