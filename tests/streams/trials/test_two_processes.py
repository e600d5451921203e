"""What is written through one process arrives at those who follow at the other, by the Redis that both have."""

from typing import Final
from uuid import UUID

import pytest

from devstack.demo.service import DemoService
from devstack.demo.story import mutation
from devstack.demo_stream.following import Following
from devstack.demo_stream.stage import within
from tests.streams.trials.monitor import monitored
from tests.streams.trials.show import show, token
from tests.streams.trials.studio import Studio
from tests.support.domain_setup import BOB, CAROL

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(600)]
CHAT: Final = "subscription ($id: uuid!) { streamChat(streamId: $id, after: 0) { seq kind message { content } } }"
STAGE: Final = "subscription ($id: uuid!) { streamEvents(streamId: $id) { kind status viewerCount reactions { type count } } }"
WITHIN: Final = 10.0


async def test_what_is_written_through_one_arrives_at_the_other(studio: Studio) -> None:
    studio.recorder(blank=True)
    async with monitored(studio.redis) as commands, show(studio) as stream:
        await written_here_heard_there(studio.hosts, studio.viewers, stream.id, 1)
        await written_here_heard_there(studio.viewers, studio.hosts, stream.id, 2)
        before = len(stream.events.told)
        await stream.encoder.vanish()
        # LiveKit tells the first process, carol follows at the second.
        await stream.told("host_reconnecting", since=before)
        stream.encoder.begin()
        await stream.told("host_back", since=before)
    assert any('"PUBLISH"' in command.upper() and str(stream.id) in command for command in commands)


async def written_here_heard_there(here: DemoService, there: DemoService, stream_id: UUID, turn: int) -> None:
    """Bob writes, reacts and joins; carol hears of each, once."""
    chat = Following(there, token(CAROL), CHAT, "streamChat", id=str(stream_id))
    stage = Following(there, token(CAROL), STAGE, "streamEvents", id=str(stream_id))
    try:
        await within(stage.until(lambda told: told["kind"] == "reactions"), WITHIN, "carol to follow")
        wanted = {"streamId": str(stream_id)}
        await here.ask(token(BOB), mutation("sendStreamChat", "seq"), input={**wanted, "content": f"message {turn}"})
        await here.ask(token(BOB), mutation("reactToStream", "streamId"), input={**wanted, "type": "fire"})
        await here.ask(token(BOB), mutation("joinStream", "sessionId"), input=wanted)
        await within(chat.until(lambda told: told["seq"] == turn), WITHIN, "the message")
        assert [(told["seq"], told["message"]["content"]) for told in chat.told] == [(n, f"message {n}") for n in range(1, turn + 1)]
        right = [{"type": "fire", "count": turn}]
        await within(stage.until(lambda told: told["reactions"] == right), WITHIN, "the reaction")
        await within(stage.until(lambda told: told["viewerCount"] == turn), WITHIN, "the viewer")
    finally:
        await chat.stop()
        await stage.stop()
