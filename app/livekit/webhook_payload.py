"""A delivery's body, read with LiveKit's own message classes, and the few fields of it that we keep."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Final

from google.protobuf import json_format
from google.protobuf.message import Message
from livekit import api

from app.livekit import protocol
from app.livekit.ingress.gateway import state as ingress_state
from domain.webhooks.webhook_event import WebhookEvent

Fields = dict[str, object]
# Bytes. LiveKit's own ids, and our rooms' names, are far shorter; our columns take so many characters, PostgreSQL's indexes some 2,700.
LONGEST_NAME: Final = 255
NUL: Final = "\0"


class BadBody(Exception):
    """The body is not a webhook event of LiveKit's."""


def read_event(body: bytes) -> WebhookEvent:
    """The event with its allow-listed payload. Zero values, which LiveKit leaves out, come back; unknown fields are ignored."""
    message = api.WebhookEvent()
    try:
        json_format.Parse(body, message, ignore_unknown_fields=True)
        created_at = datetime.fromtimestamp(message.created_at, UTC)
    except (json_format.ParseError, ValueError, OverflowError, OSError) as error:
        raise BadBody(type(error).__name__) from None
    if not message.id or not message.event:
        raise BadBody("no id or no event")
    event = WebhookEvent(id=message.id, event=message.event, created_at=created_at, payload=payload(message))
    _check_storable(event)
    return event


def _check_storable(event: WebhookEvent) -> None:
    """BadBody for what PostgreSQL could never keep: asked again, it would refuse again."""
    names = (event.id, event.event, *(event.text(part, name) for part in ("room", "participant", "track") for name in ("name", "sid")))
    if any(len(name.encode()) > LONGEST_NAME for name in names):
        raise BadBody("a name that is too long")
    if any(NUL in text for text in (*names, *_texts(event.payload))):
        raise BadBody("a character that can't be stored")


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case Mapping():
            for item in value.values():
                yield from _texts(item)
        case list():
            for item in value:
                yield from _texts(item)


def payload(message: api.WebhookEvent) -> Mapping[str, Fields]:
    """The parts that are present, each reduced to its allow-list."""
    present = ((name, part, getattr(message, part)) for name, part in PARTS.items() if message.HasField(part))
    kept = {name: KEPT[name](value) for name, _, value in present}
    if "egress" in kept and not kept.get("room", {}).get("name"):
        # Whose call it is stands in the record alone.
        kept["room"] = {"name": message.egress_info.room_name, "sid": message.egress_info.room_id}
    return kept


def _room(message: api.Room) -> Fields:
    return asdict(protocol.room(message))


def _participant(message: api.ParticipantInfo) -> Fields:
    enums = {name: protocol.enum_name(message, name) for name in ("kind", "state", "disconnect_reason")}
    return {"identity": message.identity, "sid": message.sid, **enums}


def _track(message: api.TrackInfo) -> Fields:
    return {**asdict(protocol.track(message)), "type": protocol.enum_name(message, "type")}


def _egress(message: api.EgressInfo) -> Fields:
    results: dict[str, list[Message]] = {
        "files": list(message.file_results),
        "segments": list(message.segment_results),
        "streams": list(message.stream_results),
    }
    return {
        "id": message.egress_id,
        "status": protocol.enum_name(message, "status"),
        "error_code": message.error_code,
        "results": {kind: [_result(item) for item in items] for kind, items in results.items() if items},
    }


def _ingress(message: api.IngressInfo) -> Fields:
    told = ingress_state(message.state)
    moments = {name: moment.isoformat() for name in ("told_at", "started_at") if (moment := getattr(told, name)) is not None}
    size = {"width": told.width, "height": told.height} if told.width and told.height else {}
    status = protocol.enum_name(message.state, "status")
    return {"id": message.ingress_id, "status": status, **moments, **size}


def _result(message: Message) -> Fields:
    """What came of one output: names, sizes (bytes) and times (nanoseconds); never a location or address, which can hold keys."""
    present = [field for field in message.DESCRIPTOR.fields if field.name in RESULT_FIELDS]
    return {field.name: protocol.enum_name(message, field.name) if field.enum_type else getattr(message, field.name) for field in present}


RESULT_FIELDS: Final = frozenset(
    {"filename", "playlist_name", "live_playlist_name", "segment_count", "size", "duration", "started_at", "ended_at", "status"}
)
# Our name of a part → the message's field.
PARTS: Final = {"room": "room", "participant": "participant", "track": "track", "egress": "egress_info", "ingress": "ingress_info"}
KEPT: Final[Mapping[str, Callable[..., Fields]]] = {
    "room": _room,
    "participant": _participant,
    "track": _track,
    "egress": _egress,
    "ingress": _ingress,
}
