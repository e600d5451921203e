"""What each webhook event changes in the stream whose room it speaks of. Late, doubled or out of order it never moves one backwards."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from domain.calls.repairs import Repair
from domain.ports import is_viewer
from domain.recordings.recorder.webhooks import egress_left, egress_told
from domain.streams.destinations.watching import look_soon
from domain.streams.ending import closing, note_closed
from domain.streams.ingress import news
from domain.streams.ingress.webhooks import told as ingress_told
from domain.streams.life_cycle import set_stream
from domain.streams.opening import OpenStreamRoom
from domain.streams.presence import arrive, depart, see
from domain.streams.rows import Stream
from domain.streams.sources import sources_of
from domain.streams.viewers.entering import uninvited
from domain.streams.viewers.putting_out import PutOut
from domain.webhooks.departures import Departures
from domain.webhooks.webhook_event import ReceivedEvent
from domain.world import Transaction

# Another device or a full reconnect took the person's place, and sends tracks of its own.
REPLACED: Final = "duplicate_identity"
# LiveKit's kinds of those who may send; its others come and go as it likes.
SENDING: Final = ("", "standard", "ingress")


@dataclass(frozen=True, slots=True)
class StreamWebhook:
    """An event with its stream under lock. `told` is what is known to be over of the connections that begin something."""

    tx: Transaction
    event: ReceivedEvent
    stream: Stream
    now: datetime
    told: Departures

    @property
    def identity(self) -> str:
        return self.event.text("participant", "identity")

    @property
    def kind(self) -> str:
        """LiveKit's: standard, ingress, egress, …"""
        return self.event.text("participant", "kind")

    @property
    def sid(self) -> str:
        """LiveKit's id of the connection that the event speaks of."""
        return self.event.text("participant", "sid")


async def apply(webhook: StreamWebhook) -> Sequence[Repair]:
    """Applies one event to its locked stream; returns what LiveKit has to be asked for after the commit."""
    effect = EFFECTS.get(webhook.event.event)
    return [] if effect is None or _of_another_life(webhook) else await effect(webhook)


def _of_another_life(webhook: StreamWebhook) -> bool:
    """Whether the event is about a room of the same name that is gone: a restarted LiveKit gives a new sid.

    A recorder and an encoder may outlive its room. Of a stream that is over every life is one too many.
    """
    stream = webhook.stream
    if webhook.event.event.startswith(("egress_", "ingress_")) or stream.over or stream.room_sid is None:
        return False
    return stream.room_sid != webhook.event.text("room", "sid")


async def _started(webhook: StreamWebhook) -> Sequence[Repair]:
    if not webhook.stream.over and webhook.stream.room_sid is None:
        await set_stream(webhook.tx, webhook.stream, room_sid=webhook.event.text("room", "sid"))
    return []


async def _finished(webhook: StreamWebhook) -> Sequence[Repair]:
    """Closed by hand, or by a LiveKit that ends: a stream that goes on gets its room again, and waits for its host."""
    if webhook.stream.over:
        await note_closed(webhook.tx, [webhook.stream.room_name], webhook.now)
        return []
    await see(webhook.tx, webhook.stream, {}, now=webhook.now)
    return [OpenStreamRoom(webhook.stream)]


async def _joined(webhook: StreamWebhook) -> Sequence[Repair]:
    """Who is neither source, watching viewer nor one of LiveKit's other programs has no business here: a token can't be revoked, and a
    key is good until LiveKit has forgotten it."""
    if webhook.stream.over:
        return closing(webhook.stream)
    if is_viewer(webhook.identity):
        return [PutOut(webhook.stream.room_name, one) for one in await uninvited(webhook.tx, [webhook.identity])]
    if webhook.kind not in SENDING or (await sources_of(webhook.tx, webhook.stream)).includes(webhook.identity):
        return []
    return [PutOut(webhook.stream.room_name, webhook.identity)]


async def _published(webhook: StreamWebhook) -> Sequence[Repair]:
    """Whoever sends is there; to be in the room is not enough."""
    over = webhook.told.known_to(webhook.event, webhook.event.text("track", "sid")) or webhook.told.known_to(webhook.event)
    if not over and (await sources_of(webhook.tx, webhook.stream)).includes(webhook.identity):
        await arrive(webhook.tx, webhook.stream, webhook.identity, webhook.sid, now=webhook.now)
    return []


async def _left(webhook: StreamWebhook) -> Sequence[Repair]:
    """Counts only for a connection that sends; a recorder that is out records nothing more."""
    if webhook.kind == "egress":
        await egress_left(webhook.tx, webhook.identity, webhook.now)
        return []
    if webhook.kind == "ingress":
        await news.left(webhook.tx, webhook.identity)
    if webhook.event.text("participant", "disconnect_reason") != REPLACED:
        await depart(webhook.tx, webhook.stream, webhook.identity, webhook.sid, now=webhook.now)
    return []


async def _egress(webhook: StreamWebhook) -> Sequence[Repair]:
    event = webhook.event
    egress_id, status = event.text("egress", "id"), event.text("egress", "status")
    await egress_told(webhook.tx, egress_id, status, event.number("egress", "error_code"), webhook.now)
    await look_soon(webhook.tx, egress_id, webhook.now)
    return []


async def _ingress(webhook: StreamWebhook) -> Sequence[Repair]:
    await ingress_told(webhook.tx, webhook.event, webhook.now)
    return []


EFFECTS: Final[Mapping[str, Callable[[StreamWebhook], Awaitable[Sequence[Repair]]]]] = {
    "room_started": _started,
    "room_finished": _finished,
    "participant_joined": _joined,
    "participant_left": _left,
    "track_published": _published,
    "egress_started": _egress,
    "egress_updated": _egress,
    "egress_ended": _egress,
    "ingress_started": _ingress,
    "ingress_ended": _ingress,
}
