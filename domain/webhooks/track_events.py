"""What a published and an unpublished track mean for what a participant sends."""

from domain.calls.repairs import Repair
from domain.calls.tracks import Sent, see
from domain.recordings.recorder.tracks import track_published
from domain.webhooks.call_webhook import CallWebhook


async def published(webhook: CallWebhook) -> list[Repair]:
    """A track of the person's present connection, muted or not."""
    person = webhook.connected_person
    if not webhook.call.ended and person is not None and not _is_over(webhook):
        await see(webhook.tx, person, _sent(webhook.event.text("track", "source"), on=True, muted=webhook.event.flag("track", "muted")))
        await track_published(webhook.tx, webhook.call.id, webhook.now)
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
