"""A delivery's body, read with LiveKit's own message classes, and the few fields of it that we keep."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from google.protobuf import json_format
from google.protobuf.message import Message
from livekit import api

from domain.webhooks.event import WebhookEvent

Fields = dict[str, object]


class BadBody(Exception):
    """The body is not a webhook event of LiveKit's."""


def parse(body: bytes) -> WebhookEvent:
    """The event with its allow-listed payload. Zero values, which LiveKit leaves out, come back; unknown fields are ignored."""
    message = api.WebhookEvent()
    try:
        json_format.Parse(body, message, ignore_unknown_fields=True)
    except (json_format.ParseError, UnicodeDecodeError) as error:
        raise BadBody(type(error).__name__) from None
    if not message.id or not message.event:
        raise BadBody("no id or no event")
    return WebhookEvent(
        id=message.id, event=message.event, created_at=datetime.fromtimestamp(message.created_at, UTC), payload=payload(message)
    )


def payload(message: api.WebhookEvent) -> Mapping[str, Fields]:
    """The parts that are present, each reduced to its allow-list."""
    present = ((name, part, getattr(message, part)) for name, part in PARTS.items() if message.HasField(part))
    return {name: KEPT[name](value) for name, _, value in present}


def room(message: api.Room) -> Fields:
    return {"name": message.name, "sid": message.sid}


def participant(message: api.ParticipantInfo) -> Fields:
    return {
        "identity": message.identity,
        "sid": message.sid,
        "kind": name_of(message, "kind"),
        "state": name_of(message, "state"),
        "disconnect_reason": name_of(message, "disconnect_reason"),
    }


def track(message: api.TrackInfo) -> Fields:
    return {"sid": message.sid, "type": name_of(message, "type"), "source": name_of(message, "source"), "muted": message.muted}


def egress(message: api.EgressInfo) -> Fields:
    results: dict[str, list[Message]] = {
        "files": list(message.file_results),
        "segments": list(message.segment_results),
        "streams": list(message.stream_results),
    }
    return {
        "id": message.egress_id,
        "status": name_of(message, "status"),
        "error": message.error,
        "results": {kind: [result(item) for item in items] for kind, items in results.items() if items},
    }


def ingress(message: api.IngressInfo) -> Fields:
    return {"id": message.ingress_id, "status": name_of(message.state, "status"), "error": message.state.error}


def result(message: Message) -> Fields:
    """What came of one output: names, sizes (bytes) and times (nanoseconds); never a location or address, which can hold keys."""
    present = [field for field in message.DESCRIPTOR.fields if field.name in RESULT_FIELDS]
    return {field.name: name_of(message, field.name) if field.enum_type else getattr(message, field.name) for field in present}


def name_of(message: Message, field: str) -> str:
    """An enum's value by LiveKit's name in lowercase; a number newer than our copy of the protocol as `unknown_<number>`."""
    number = getattr(message, field)
    enum = message.DESCRIPTOR.fields_by_name[field].enum_type
    value = enum.values_by_number.get(number) if enum else None
    return value.name.lower() if value else f"unknown_{number}"


RESULT_FIELDS: Final = frozenset(
    {"filename", "playlist_name", "live_playlist_name", "segment_count", "size", "duration", "started_at", "ended_at", "status"}
)
# Our name of a part → the message's field.
PARTS: Final = {"room": "room", "participant": "participant", "track": "track", "egress": "egress_info", "ingress": "ingress_info"}
KEPT: Final[Mapping[str, Callable[..., Fields]]] = {
    "room": room,
    "participant": participant,
    "track": track,
    "egress": egress,
    "ingress": ingress,
}
