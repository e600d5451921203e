"""A real server's webhooks in order, doubled, reversed, shuffled and with losses: afterwards the same state."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from domain import timeouts
from domain.calls.actions.answer import accept_call
from domain.calls.actions.initiate import CallRequest, initiate_call
from domain.ports import Room, RoomParticipant, Track
from domain.reconciler import reconcile
from domain.webhooks.webhook_event import WebhookEvent
from tests.life_cycle.recorded import ALICES_MICROPHONE, ALICES_SID, BOBS_SID, ROOM_SID, recorded
from tests.life_cycle.running_call import Running
from tests.support.domain_setup import ALICE, BOB, CAROL, GENERAL, Setup, session
from tests.support.telling_rooms import TellingRoom, deliver

pytestmark = pytest.mark.anyio
Events = list[WebhookEvent]


def doubled(events: Events) -> Events:
    """Each twice; the second under an id of its own, so that the inbox does not save us."""
    return [copy for event in events for copy in (event, replace(event, id=f"{event.id}_again"))]


def shuffled(seed: int) -> Callable[[Events], Events]:
    return lambda events: random.Random(seed).sample(events, len(events))  # noqa: S311


def thinned(seed: int) -> Callable[[Events], Events]:
    return lambda events: [event for event in events if random.Random(f"{seed}{event.id}").random() < 0.5]  # noqa: S311


def nothing(_events: Events) -> Events:
    return []


DELIVERIES = [
    pytest.param(list, id="in_order"),
    pytest.param(doubled, id="doubled"),
    pytest.param(lambda events: events[::-1], id="reversed"),
    pytest.param(nothing, id="all_lost"),
    *(pytest.param(shuffled(seed), id=f"shuffled_{seed}") for seed in range(4)),
    *(pytest.param(thinned(seed), id=f"with_losses_{seed}") for seed in range(4)),
]


@pytest.fixture
async def gathering(on: Setup) -> Running:
    """A channel's call that alice started; bob and carol accepted; nobody is in the room yet."""
    started = await initiate_call(on.world, session(ALICE), CallRequest("video", [BOB, CAROL], channel_id=GENERAL))
    for user_id in (BOB, CAROL):
        await accept_call(on.world, session(user_id), started.call_id)
    on.rooms.rooms[started.room_name] = Room(started.room_name, ROOM_SID)
    await on.database.execute("UPDATE nchat_calls SET room_sid = $1", ROOM_SID)
    return Running(on, started.call_id, TellingRoom(on, started.room_name, silent=True))


async def rounds(on: Setup, seconds: Sequence[float]) -> None:
    """The reconciler and the timeouts, each time after so many seconds."""
    for gap in seconds:
        on.clock.advance(gap)
        await reconcile(on.world)
        await timeouts.run_timeouts(on.world)


@pytest.mark.parametrize("delivered", DELIVERIES)
async def test_while_the_call_runs(gathering: Running, delivered: Callable[[Events], Events]) -> None:
    on, name = gathering.on, gathering.room.name
    on.rooms.people[name] = {
        str(ALICE): RoomParticipant(str(ALICE), ALICES_SID, "active", (Track(ALICES_MICROPHONE, "microphone", muted=True),)),
        str(BOB): RoomParticipant(str(BOB), BOBS_SID, "active"),
    }
    await deliver(on, *delivered(recorded(name)[:11]))
    await rounds(on, [15, 15, 70, 600])
    assert await gathering.state() == {
        "call": "connected",
        str(ALICE): ("connected", "host", ALICES_SID, True, False, False),
        str(BOB): ("connected", "participant", BOBS_SID, False, False, False),
        str(CAROL): ("left", "participant", None, False, False, False),
    }


@pytest.mark.parametrize("delivered", DELIVERIES)
async def test_when_the_room_is_gone(gathering: Running, delivered: Callable[[Events], Events]) -> None:
    on = gathering.on
    del on.rooms.rooms[gathering.room.name]
    await deliver(on, *delivered(recorded(gathering.room.name)))
    await rounds(on, [15, 15, 31, 60, 600])
    assert (await gathering.status())[0] == "ended"
    assert {(await gathering.standing(one))[0] for one in (ALICE, BOB, CAROL)} == {"left"}
    assert on.rooms.rooms == {}


async def test_in_order_the_reasons_are_livekits(gathering: Running) -> None:
    await deliver(gathering.on, *recorded(gathering.room.name))
    assert await gathering.status() == ("ended", "completed")
    assert await gathering.standing(CAROL) == ("left", "removed")
    assert await gathering.standing(ALICE) == ("left", "room_closed")


async def test_what_is_stored_is_the_allow_list(gathering: Running) -> None:
    await deliver(gathering.on, *recorded(gathering.room.name))
    rows = await gathering.on.database.fetch("SELECT payload::text AS payload FROM nchat_webhook_events")
    text = " ".join(row["payload"] for row in rows)
    assert len(rows) == len(recorded(gathering.room.name))
    for secret in ("turnPassword", "secret", "metadata", "enabledCodecs", "mimeType"):
        assert secret not in text
