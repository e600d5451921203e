"""How the simulator delivers webhooks: retried, aged, queued, and spoiled when a test asks for it."""

from collections.abc import AsyncIterator, Callable

import pytest
from livekit import api

from devstack.livekit_simulator import ManualClock
from devstack.livekit_simulator.webhooks import MAX_DEPTH, WebhookSender
from tests.livekit.receiver import Receiver
from tests.livekit.targets import KEY, SECRET
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio
ROOM = "call_1"


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver({KEY: SECRET}).listening(0) as listening:
        yield listening


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def sender(receiver: Receiver, clock: ManualClock) -> AsyncIterator[WebhookSender]:
    made = WebhookSender(receiver.url, KEY, SECRET, clock)
    yield made
    await made.close()


def tell(sender: WebhookSender, *events: str, room: str = ROOM) -> None:
    for event in events:
        sender.notify(room, api.WebhookEvent(event=event, room=api.Room(name=room, sid="RM_1")))


async def so(condition: Callable[[], object]) -> None:
    """Waits for something that happens in this process."""

    async def holds() -> bool:
        return bool(condition())

    await eventually(holds)


def names(events: list[api.WebhookEvent]) -> list[str]:
    return [event.event for event in events]


async def test_five_attempts_after_1_2_4_and_8_seconds_then_lost(sender: WebhookSender, receiver: Receiver, clock: ManualClock) -> None:
    receiver.answers = [500, 503, 502, 429, 500]
    tell(sender, "room_started")
    for attempt, wait in enumerate((1, 2, 4, 8), start=1):
        await so(lambda wait=wait: clock.is_awaited(wait))  # type: ignore[misc]
        assert len(receiver.attempts) == attempt
        await clock.advance(wait)
    await so(lambda: sender.lost)
    assert len(receiver.attempts) == 5 and len(set(receiver.attempts)) == 1
    assert receiver.events == [] and sender.delivered == []


async def test_a_retry_that_succeeds_is_one_event(sender: WebhookSender, receiver: Receiver, clock: ManualClock) -> None:
    receiver.answers = [503]
    tell(sender, "room_started")
    await so(lambda: clock.is_awaited(1))
    await clock.advance(1)
    await so(lambda: sender.delivered)
    assert len(receiver.attempts) == 2 and len(receiver.events) == 1


@pytest.mark.parametrize("status", [400, 401, 404, 501])
async def test_a_refusal_counts_as_delivered(sender: WebhookSender, receiver: Receiver, status: int) -> None:
    receiver.answers = [status]
    tell(sender, "room_started")
    await so(lambda: sender.delivered)
    assert len(receiver.attempts) == 1 and receiver.events == []


async def test_one_room_waits_its_turn_and_another_does_not(sender: WebhookSender, receiver: Receiver, clock: ManualClock) -> None:
    receiver.answers = [500]
    tell(sender, "room_started", "room_finished")
    await so(lambda: clock.is_awaited(1))
    tell(sender, "room_started", room="call_2")
    await receiver.saw("call_2", "room_started")
    assert receiver.of_room(ROOM) == []
    await clock.advance(1)
    await receiver.saw(ROOM, "room_finished")
    assert [event.event for event in receiver.of_room(ROOM)] == ["room_started", "room_finished"]


async def test_what_waits_for_more_than_half_a_minute_is_lost(sender: WebhookSender, receiver: Receiver, clock: ManualClock) -> None:
    receiver.answers = [500]
    tell(sender, "room_started", "participant_joined")
    await so(lambda: clock.is_awaited(1))
    await clock.advance(31)
    await so(lambda: sender.lost)
    assert (names(sender.delivered), names(sender.lost)) == (["room_started"], ["participant_joined"])


async def test_a_queue_holds_two_hundred(sender: WebhookSender) -> None:
    tell(sender, *["room_started"] * MAX_DEPTH, "room_finished")
    assert names(sender.lost) == ["room_finished"]


async def test_deliveries_can_be_lost_doubled_and_overtaken(sender: WebhookSender, receiver: Receiver) -> None:
    sender.faults.drop, sender.faults.duplicate, sender.faults.hold = {"track_published"}, {"participant_left"}, {"participant_joined"}
    tell(sender, "room_started", "participant_joined", "track_published", "participant_left")
    await so(lambda: len(receiver.attempts) == 3)
    sender.release()
    await so(lambda: len(receiver.attempts) == 4)
    assert [event.event for event in receiver.events] == ["room_started", "participant_left", "participant_joined"]
    assert names(sender.lost) == ["track_published"]


async def test_without_an_address_nothing_is_sent(clock: ManualClock) -> None:
    silent = WebhookSender(None, KEY, SECRET, clock)
    tell(silent, "room_started")
    await silent.close()
    assert silent.delivered == silent.lost == []
