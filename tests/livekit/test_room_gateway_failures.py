"""When LiveKit is slow, broken, gone or refuses us: one of two errors, nothing secret in it, nothing sent twice."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from app.livekit.room_gateway import LiveKitRooms, connect
from devstack.ports import free_port
from domain.ports import Grant, MediaError, MediaRefused, MediaSilent
from tests.livekit.targets import KEY, SECRET, SimulatedTarget, fresh_room, simulated_target, token

pytestmark = pytest.mark.anyio
Call = Callable[[LiveKitRooms], Awaitable[object]]
EVERY_CALL: dict[str, Call] = {
    "rooms.create_room": lambda rooms: rooms.create_room("call_1", max_participants=2),
    "rooms.delete_room": lambda rooms: rooms.delete_room("call_1"),
    "rooms.list_rooms": lambda rooms: rooms.list_rooms(["call_1"]),
    "rooms.list_participants": lambda rooms: rooms.list_participants("call_1"),
    "rooms.remove_participant": lambda rooms: rooms.remove_participant("call_1", "alice"),
    "rooms.mute_track": lambda rooms: rooms.mute_track("call_1", "alice", "TR_1"),
    "rooms.set_grant": lambda rooms: rooms.set_grant("call_1", "alice", Grant(sources=())),
}
every_call = pytest.mark.parametrize("name", EVERY_CALL)


@pytest.fixture
async def simulated() -> AsyncIterator[SimulatedTarget]:
    async with simulated_target() as target:
        yield target


@every_call
async def test_a_broken_answer_is_a_media_error(simulated: SimulatedTarget, name: str) -> None:
    simulated.simulator.faults.status["*"] = 500
    async with connect(simulated.url, KEY, SECRET) as rooms:
        with pytest.raises(MediaError) as error:
            await EVERY_CALL[name](rooms)
    assert not isinstance(error.value, MediaRefused | MediaSilent)
    assert str(error.value) == f"{name}: 500 unknown"


@every_call
async def test_a_proxy_without_a_server_behind_it_is_not_an_absent_room(simulated: SimulatedTarget, name: str) -> None:
    simulated.simulator.faults.status["*"] = 503
    async with connect(simulated.url, KEY, SECRET) as rooms:
        with pytest.raises(MediaError) as error:
            await EVERY_CALL[name](rooms)
    assert not isinstance(error.value, MediaSilent)


@every_call
async def test_a_wrong_key_is_refused(simulated: SimulatedTarget, name: str) -> None:
    async with connect(simulated.url, KEY, SECRET[::-1]) as rooms:
        with pytest.raises(MediaRefused, match=rf"^{name}: 401 unknown$") as error:
            await EVERY_CALL[name](rooms)
    assert error.value.__cause__ is None and error.value.__suppress_context__
    assert simulated.simulator.rooms.live == {}


@every_call
async def test_silence_ends_in_time(simulated: SimulatedTarget, name: str) -> None:
    simulated.simulator.faults.latency = 60
    async with connect(simulated.url, KEY, SECRET, within=0.2) as rooms:
        with pytest.raises(MediaSilent, match=r"no answer within 0\.2 s"):
            await EVERY_CALL[name](rooms)


@every_call
async def test_nobody_listening_is_a_media_error(name: str) -> None:
    async with connect(f"http://127.0.0.1:{free_port()}", KEY, SECRET) as rooms:
        with pytest.raises(MediaSilent, match="ClientConnectorError"):
            await EVERY_CALL[name](rooms)


async def test_a_bad_argument_is_refused(simulated: SimulatedTarget) -> None:
    async with connect(simulated.url, KEY, SECRET) as rooms:
        with pytest.raises(MediaRefused, match="400 invalid_argument"):
            await rooms.create_room("x" * 300, max_participants=2)
    assert simulated.simulator.rooms.live == {}


@every_call
async def test_every_call_is_observed_before_and_after(simulated: SimulatedTarget, name: str) -> None:
    seen: list[str] = []
    async with connect(simulated.url, KEY, SECRET, observe=seen.append) as rooms:
        await rooms.create_room("call_1", max_participants=2)
        simulated.simulator.join(token("call_1", "alice"))
        seen.clear()
        await EVERY_CALL[name](rooms)
    # After a person goes who joined in that person's name, so the room is listed.
    looks = ["rooms.list_participants"] if name == "rooms.remove_participant" else []
    assert seen == [f"{asked}:{moment}" for asked in (name, *looks) for moment in ("before", "after")]
    assert ("call_1" in simulated.simulator.rooms.live) == (name != "rooms.delete_room")


async def test_an_observer_that_stops_the_call_stops_it_before_it_is_sent(simulated: SimulatedTarget) -> None:
    class Killed(Exception):
        pass

    def kill(point: str) -> None:
        if point == "rooms.create_room:before":
            raise Killed

    async with connect(simulated.url, KEY, SECRET, observe=kill) as rooms:
        with pytest.raises(Killed):
            await rooms.create_room(fresh_room(), max_participants=2)
    assert simulated.simulator.rooms.live == {}


async def test_each_request_is_counted_by_its_method_and_what_became_of_it(simulated: SimulatedTarget) -> None:
    counted: list[tuple[str, str]] = []

    def count(method: str, seconds: float, outcome: str) -> None:
        assert seconds > 0
        counted.append((method, outcome))

    faults = simulated.simulator.faults
    async with connect(simulated.url, KEY, SECRET, count=count, within=0.5) as rooms:
        await rooms.create_room("call_1", max_participants=2)
        await rooms.remove_participant("call_1", "nobody")
        with pytest.raises(MediaRefused):
            await rooms.create_room("x" * 300, max_participants=2)
        faults.status["*"] = 500
        with pytest.raises(MediaError):
            await rooms.list_rooms(["call_1"])
        faults.status.clear()
        faults.latency = 60
        with pytest.raises(MediaError):
            await rooms.list_rooms(["call_1"])
        waiting = asyncio.create_task(rooms.list_rooms(["call_1"]))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
    async with connect(f"http://127.0.0.1:{free_port()}", KEY, SECRET, count=count) as rooms:
        with pytest.raises(MediaError):
            await rooms.list_rooms(["call_1"])
    assert counted == [
        ("create_room", "ok"),
        ("remove_participant", "absent"),
        ("list_participants", "ok"),
        ("create_room", "refused"),
        ("list_rooms", "error"),
        ("list_rooms", "timeout"),
        ("list_rooms", "cancelled"),
        ("list_rooms", "unreachable"),
    ]
