"""The webhooks of a real livekit-server, with its room and people mapped to a call's."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from uuid import UUID

from app.livekit.webhook_payload import read_event
from domain.webhooks.webhook_event import WebhookEvent
from tests.support.domain_setup import ALICE, BOB, CAROL

FILE: Final = Path(__file__).with_name("recorded_webhooks.json")
ROOM_SID: Final = "RM_HAoKYXFYbLZ4"
PEOPLE: Final[Mapping[str, UUID]] = {"alice": ALICE, "bob": BOB, "carol": CAROL}
# The microphone that alice published and later muted, and the connection of bob's second device.
ALICES_SID, ALICES_MICROPHONE, BOBS_SID = "PA_ugJj4jhPWrPf", "TR_AMqbfmHdQPkHwN", "PA_gx9Ur6ZrUFGu"


def recorded(room_name: str) -> list[WebhookEvent]:
    """What LiveKit told of its room `call-1`, in the order of the run: alice, bob and carol join, bob's second device, carol is
    removed, comes back and goes, a screen share, the room is deleted."""
    bodies = json.loads(FILE.read_text())
    return [read_event(json.dumps(_mapped(body, room_name)).encode()) for body in bodies if body["room"]["name"] == "call-1"]


def _mapped(body: dict[str, dict[str, object]], room_name: str) -> dict[str, dict[str, object]]:
    mapped = body | {"room": body["room"] | {"name": room_name}}
    if "participant" in body:
        identity = str(PEOPLE[str(body["participant"]["identity"])])
        mapped["participant"] = body["participant"] | {"identity": identity}
    return mapped
