"""What the simulator does as time passes, on a clock that the test moves."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from livekit import api

from devstack.livekit_simulator import JoinRefused, ManualClock, NotPermitted, RoomDefaults, Simulator
from tests.livekit.receiver import Receiver
from tests.livekit.targets import KEY, SECRET, token

pytestmark = pytest.mark.anyio
ROOM = "call_1"


class Setup:
    """A simulator without an HTTP face, its clock, and whoever receives its webhooks."""

    def __init__(self, simulator: Simulator, clock: ManualClock, receiver: Receiver) -> None:
        self.simulator = simulator
        self.clock = clock
        self.receiver = receiver
        self.live = simulator.rooms.live

    def open(self, **settings: int) -> None:
        self.simulator.rooms.open(api.CreateRoomRequest(name=ROOM, **settings))  # type: ignore[arg-type]

    async def seconds(self, count: int) -> None:
        """So many ticks, one by one."""
        for _ in range(count):
            await self.clock.advance(1)

    async def told(self, *events: str) -> None:
        """Waits for exactly these events of the room, in this order."""
        await self.receiver.until(lambda: len(self.receiver.events) >= len(events))
        assert [event.event for event in self.receiver.events] == list(events)


@asynccontextmanager
async def set_up(defaults: RoomDefaults) -> AsyncIterator[Setup]:
    async with AsyncExitStack() as stack:
        receiver = await stack.enter_async_context(Receiver({KEY: SECRET}).listening(0))
        clock = ManualClock()
        simulator = Simulator(api_key=KEY, api_secret=SECRET, webhook_url=receiver.url, clock=clock, defaults=defaults)
        await stack.enter_async_context(simulator.running())
        await clock.advance(0)
        yield Setup(simulator, clock, receiver)


@pytest.fixture
async def setup() -> AsyncIterator[Setup]:
    async with set_up(RoomDefaults(empty_timeout=300, departure_timeout=20)) as made:
        yield made


async def test_a_room_that_nobody_joins_closes_after_its_empty_timeout(setup: Setup) -> None:
    setup.open(empty_timeout=5)
    await setup.seconds(4)
    assert ROOM in setup.live
    await setup.seconds(1)
    assert ROOM not in setup.live
    await setup.told("room_started", "room_finished")


async def test_a_left_room_closes_after_its_departure_timeout(setup: Setup) -> None:
    setup.open(departure_timeout=3, empty_timeout=1)
    person = setup.simulator.join(token(ROOM, "alice"))
    await setup.seconds(10)
    person.leave()
    await setup.seconds(2)
    assert ROOM in setup.live
    await setup.seconds(1)
    assert ROOM not in setup.live
    await setup.told("room_started", "participant_joined", "participant_left", "room_finished")
    assert setup.receiver.bodies[2]["participant"]["disconnectReason"] == "CLIENT_INITIATED"


async def test_agents_do_not_keep_a_room_open_or_fill_it(setup: Setup) -> None:
    setup.open(empty_timeout=5, max_participants=1)
    setup.simulator.join(token(ROOM, "robot", kind="agent"))
    setup.simulator.join(token(ROOM, "alice")).leave()
    await setup.seconds(20)
    assert ROOM not in setup.live


async def test_a_room_that_only_dependents_left_is_one_that_nobody_joined(setup: Setup) -> None:
    """livekit-server counts its empty timeout then (`Room.CloseIfEmpty`)."""
    setup.open(empty_timeout=10, departure_timeout=1)
    setup.simulator.join(token(ROOM, "robot", kind="agent")).leave()
    await setup.seconds(9)
    assert ROOM in setup.live
    await setup.seconds(1)
    assert ROOM not in setup.live


async def test_a_dependent_that_sends_is_a_publisher_and_no_participant(setup: Setup) -> None:
    setup.open()
    setup.simulator.join(token(ROOM, "robot", kind="agent")).publish("microphone")
    await setup.seconds(5)
    assert (setup.live[ROOM].message.num_participants, setup.live[ROOM].message.num_publishers) == (0, 1)


async def test_a_lost_connection_is_noticed_after_twenty_seconds(setup: Setup) -> None:
    setup.open()
    person = setup.simulator.join(token(ROOM, "alice"))
    person.publish("microphone")
    person.drop()
    await setup.seconds(19)
    assert "alice" in setup.live[ROOM].participants
    await setup.seconds(1)
    assert setup.live[ROOM].participants == {}
    await setup.told("room_started", "participant_joined", "track_published", "track_unpublished", "participant_left")
    assert setup.receiver.bodies[4]["participant"]["disconnectReason"] == "CONNECTION_TIMEOUT"


async def test_who_resumes_in_time_is_the_same_participant_and_nothing_is_told(setup: Setup) -> None:
    setup.open()
    person = setup.simulator.join(token(ROOM, "alice"))
    person.drop()
    await setup.seconds(15)
    person.resume()
    await setup.seconds(30)
    assert setup.live[ROOM].participants["alice"] is person
    await setup.told("room_started", "participant_joined")


async def test_a_full_reconnect_is_another_participant(setup: Setup) -> None:
    setup.open()
    first = setup.simulator.join(token(ROOM, "alice"))
    second = first.full_reconnect()
    assert first.sid != second.sid
    first.leave()
    assert setup.live[ROOM].participants["alice"] is second
    await setup.told("room_started", "participant_joined", "participant_left", "participant_joined")
    assert setup.receiver.bodies[2]["participant"]["disconnectReason"] == "DUPLICATE_IDENTITY"


async def test_who_never_becomes_active_is_aborted_after_a_minute(setup: Setup) -> None:
    setup.open()
    setup.simulator.join(token(ROOM, "alice"), active=False)
    await setup.seconds(60)
    assert setup.live[ROOM].participants == {}
    await setup.told("room_started", "participant_connection_aborted")


async def test_joins_follow_the_token_and_the_room(setup: Setup) -> None:
    setup.open(max_participants=1)
    listener = setup.simulator.join(token(ROOM, "alice", publish=False))
    with pytest.raises(NotPermitted):
        listener.publish("microphone")
    for signed, status in ((token("absent", "bob"), 404), (token(ROOM, "bob"), 500), ("nonsense", 401)):
        with pytest.raises(JoinRefused) as refused:
            setup.simulator.join(signed)
        assert refused.value.status == status
    assert list(setup.live) == [ROOM] and list(setup.live[ROOM].participants) == ["alice"]


async def test_with_auto_create_the_token_s_room_configuration_opens_the_room() -> None:
    async with set_up(RoomDefaults(auto_create=True)) as setup:
        signer = api.AccessToken(KEY, SECRET).with_identity("alice").with_grants(api.VideoGrants(room_join=True, room=ROOM))
        setup.simulator.join(signer.with_room_config(api.RoomConfiguration(departure_timeout=7, max_participants=3)).to_jwt())
        message = setup.live[ROOM].message
        assert (message.empty_timeout, message.departure_timeout, message.max_participants) == (300, 7, 3)


async def test_counts_lag_by_up_to_five_seconds(setup: Setup) -> None:
    setup.open()
    setup.simulator.join(token(ROOM, "alice")).publish("microphone")
    await setup.seconds(4)
    assert setup.live[ROOM].message.num_participants == 0
    await setup.seconds(1)
    assert (setup.live[ROOM].message.num_participants, setup.live[ROOM].message.num_publishers) == (1, 1)
