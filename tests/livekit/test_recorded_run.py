"""The simulator and the real server, each against the run that was recorded on a livekit-server 1.13.5."""

import json
from pathlib import Path

import pytest
from livekit import api

from tests.livekit.recorded_run import Outcome, Run, expected, reduced_event
from tests.livekit.targets import KEY, SECRET, Target, fresh_room

RECORDED = Path(__file__).parent / "recorded"
# `make demo` listens to real audio; the second device's goodbye is the same event as the first person's.
NOT_REPLAYED = {"bob hears alice", "carol rejoins with a token after kick", "bob2 after DeleteRoom"}


def recorded(name: str) -> list[Outcome]:
    entries: list[Outcome] = json.loads((RECORDED / name).read_text())
    return entries


@pytest.mark.anyio
async def test_a_whole_call_answers_and_tells_what_was_recorded(target: Target) -> None:
    names = {"call-1": fresh_room(), "call-2": fresh_room()}
    async with api.LiveKitAPI(target.url, KEY, SECRET, failover=False) as client:
        run = Run(target, client, names)
        await run.play()
    calls = {entry["call"]: expected(entry) for entry in recorded("api_requests.json") if entry["call"] not in NOT_REPLAYED}
    assert run.outcomes == calls
    told = [reduced_event(body, names) for body in target.receiver.bodies if body["room"]["name"] in names.values()]
    assert told[:-7] == recorded("webhooks.json")[:-7]
    # People leave a deleted room in no promised order.
    assert sorted(map(json.dumps, told[-7:])) == sorted(map(json.dumps, recorded("webhooks.json")[-7:]))
