"""LiveKit's webhooks in great numbers: signed, and sent as LiveKit does, one room's one after another, many rooms side by side."""

import asyncio
from base64 import b64encode
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from itertools import cycle
from uuid import uuid4

import aiohttp
import orjson
from livekit import api

from tests.support.crowd import ManyCall
from tests.support.whole_service import KEY, SECRET, WEBHOOKS

# Rooms whose next webhook is on its way at one time.
ROOMS_AT_ONCE = 64
Delivery = tuple[bytes, str]


def beginning(call: ManyCall) -> list[Delivery]:
    """What LiveKit says of a call that begins: its room, and two who come and turn their microphones on."""
    said = [_signed("room_started", call)]
    for who, sid in zip((call.caller, call.callee), call.sids, strict=True):
        person = {"identity": str(who), "sid": sid, "state": "ACTIVE"}
        said.append(_signed("participant_joined", call, participant=person))
        said.append(_signed("track_published", call, participant=person, track={"sid": f"TR_{sid}", "source": "MICROPHONE"}))
    return said


async def deliver(addresses: Sequence[str], rooms: Sequence[Sequence[Delivery]]) -> list[int]:
    """The status of each answer; the rooms are shared out to the services."""
    places = asyncio.Semaphore(ROOMS_AT_ONCE)

    async def room(http: aiohttp.ClientSession, address: str, deliveries: Sequence[Delivery]) -> list[int]:
        statuses = []
        for body, token in deliveries:
            headers = {"authorization": token, "content-type": "application/webhook+json"}
            async with places, http.post(address + WEBHOOKS, data=body, headers=headers) as answer:
                statuses.append(answer.status)
        return statuses

    async with aiohttp.ClientSession() as http:
        told = await asyncio.gather(*(room(http, address, one) for address, one in zip(cycle(addresses), rooms, strict=False)))
    return [status for statuses in told for status in statuses]


def _signed(event: str, call: ManyCall, **parts: object) -> Delivery:
    body = orjson.dumps({"event": event, "id": f"EV_{uuid4().hex}", "room": call.room, **parts})
    token = api.AccessToken(KEY, SECRET).with_ttl(timedelta(minutes=30)).with_sha256(b64encode(sha256(body).digest()).decode())
    return body, token.to_jwt()
