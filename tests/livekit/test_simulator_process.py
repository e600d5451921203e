"""The simulator as `make run` starts it: a child process, driven by hand over HTTP."""

import json
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from app.livekit.room_gateway import connect
from devstack import livekit_simulator
from devstack.livekit_simulator import SimulatorProcess
from tests.livekit.receiver import Receiver
from tests.livekit.targets import KEY, SECRET, token

pytestmark = pytest.mark.anyio


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver({KEY: SECRET}).listening(0) as listening:
        yield listening


@pytest.fixture
async def process(receiver: Receiver, tmp_path: Path) -> AsyncIterator[SimulatorProcess]:
    started = livekit_simulator.start(api_key=KEY, api_secret=SECRET, webhook_url=receiver.url, log=tmp_path / "simulator.log")
    yield started
    started.stop()


def post(url: str, body: dict[str, str] | None = None) -> tuple[int, dict[str, str]]:
    request = urllib.request.Request(url, data=json.dumps(body).encode() if body else b"", method="POST")
    try:
        with urllib.request.urlopen(request, timeout=5) as response:
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


async def test_a_person_is_led_through_a_call_by_hand(process: SimulatorProcess, receiver: Receiver) -> None:
    people = f"{process.url}/simulator"
    async with connect(process.url, KEY, SECRET) as rooms:
        await rooms.create_room("call_1", max_participants=2)
        status, joined = post(f"{people}/join", {"token": token("call_1", "alice")})
        assert (status, joined["identity"]) == (200, "alice")
        _, published = post(f"{people}/call_1/alice/publish", {"source": "microphone"})
        assert post(f"{people}/call_1/alice/mute", {"track_sid": published["track_sid"]}) == (200, {})
        (alice,) = await rooms.list_participants("call_1")
        assert [(track.sid, track.muted) for track in alice.tracks] == [(published["track_sid"], True)]
        assert post(f"{people}/call_1/alice/leave") == (200, {})
        assert await rooms.list_participants("call_1") == []
    await receiver.saw("call_1", "participant_left", "alice")


async def test_what_can_not_be_done_says_so(process: SimulatorProcess) -> None:
    people = f"{process.url}/simulator"
    assert post(f"{people}/join", {"token": token("absent", "alice")})[0] == 404
    assert post(f"{people}/join", {"token": "nonsense"})[0] == 401
    assert post(f"{people}/absent/alice/leave")[0] == 404
    async with connect(process.url, KEY, SECRET) as rooms:
        await rooms.create_room("call_1", max_participants=2)
        post(f"{people}/join", {"token": token("call_1", "alice", publish=False)})
        assert post(f"{people}/call_1/alice/fly")[0] == 404
        assert post(f"{people}/call_1/alice/publish", {"source": "nose"})[0] == 400
        assert post(f"{people}/call_1/alice/publish", {"source": "camera"})[0] == 403
        (alice,) = await rooms.list_participants("call_1")
        assert alice.tracks == ()


async def test_a_client_is_told_that_there_is_no_media(process: SimulatorProcess) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{process.url}/rtc/v1?access_token=x") as answer:
        assert answer.status == 501
        assert "no client can join media" in await answer.text()
    assert "no client can join media" in process.notice


async def test_it_ends_when_told(process: SimulatorProcess) -> None:
    process.stop()
    assert not process.child.running
