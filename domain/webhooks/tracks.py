"""What a published and an unpublished track mean for what a participant sends."""

import sqlalchemy as sa

from domain.repairs import Repair
from domain.tracks import Sent, see
from domain.webhooks.scene import Scene
from schema.tables.webhook_events import PARTICIPANT_SID, webhook_events


async def published(scene: Scene) -> list[Repair]:
    """A track of the person's present connection, muted or not."""
    person = scene.connected_person
    if not scene.call.ended and person is not None and not await _is_over(scene):
        await see(scene.tx, person, _sent(scene.event.text("track", "source"), on=True, muted=scene.event.flag("track", "muted")))
    return []


async def unpublished(scene: Scene) -> list[Repair]:
    """Camera or screen is off. A microphone that is gone changes nothing that was said of it."""
    person = scene.connected_person
    if not scene.call.ended and person is not None:
        await see(scene.tx, person, _sent(scene.event.text("track", "source"), on=False, muted=False))
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


async def _is_over(scene: Scene) -> bool:
    """Whether LiveKit already told us that this track is gone: `track_published` may arrive after `track_unpublished`."""
    told = sa.select(webhook_events.c.id).where(
        sa.literal_column(PARTICIPANT_SID) == scene.sid,
        webhook_events.c.payload[("track", "sid")].astext == scene.event.text("track", "sid"),
        webhook_events.c.event == "track_unpublished",
        webhook_events.c.received_at < scene.event.received_at,
    )
    return bool((await scene.tx.connection.execute(sa.select(told.exists()))).scalar_one())
