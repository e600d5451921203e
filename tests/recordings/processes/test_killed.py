"""kill -9 around every question to the recorder and every commit of a recording: never two egresses, never one unseen, and `ready`.

Whole by `make trial-kills`; here one death around the question, and one of the others.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.livekit.serving import serving
from tests.recordings.conftest import Workers
from tests.recordings.processes.deaths import DEATHS, OTHERS, QUESTION, Death
from tests.recordings.processes.recorded_talk import RecordedTalk, Servers
from tests.support.call_sites import of_recordings, port_calls, transactions
from tests.support.killable_service import KillableService
from tests.support.whole_service import WEBHOOKS, Refused
from tests.trials.scale import SEED, sampled
from tests.trials.trial_call import cut_off

pytestmark = pytest.mark.anyio
# Recordings that come to their end side by side.
TOGETHER = 6
# Before that LiveKit is away for two minutes, which tests/recordings/manners plays with a clock of its own.
NOT_HERE = {"recording.unseen"}


def test_no_point_is_left_out() -> None:
    points = {point for death in DEATHS for point in death.points}
    assert port_calls(of_recordings()) - points == set()
    assert set(transactions(of_recordings("actions", "recorder", "ending", "manners"))) - points == NOT_HERE


# All of them are some hundred deaths: ten minutes on two idle cores.
@pytest.mark.timeout(1200)
async def test_whatever_moment_it_dies_at(
    service: KillableService, servers: Servers, workers: Workers, request: pytest.FixtureRequest
) -> None:
    request.node.add_report_section("call", "sample", f"NCHAT_TRIALS_SEED={SEED}")
    workers(slots=100)
    groups = [[moment for death in group for moment in death.moments()] for group in (QUESTION, OTHERS)]
    waiting = sampled(groups)
    for begin in range(0, len(waiting), TOGETHER):
        batch = waiting[begin : begin + TOGETHER]
        talks = [await _die(RecordedTalk(service, servers), death, moment) for death, moment in batch]
        await asyncio.gather(*(_comes_to_its_end(talk, death, moment) for talk, (death, moment) in zip(talks, batch, strict=True)))


async def _die(talk: RecordedTalk, death: Death, moment: str) -> RecordedTalk:
    """One death and the next service's start, half a minute later as far as the rows know."""
    for step in death.before:
        await step(talk)
    try:
        await (_die_after_sleep(talk, death, moment) if death.asleep else _die_at_work(talk, death, moment))
    except TimeoutError:
        pytest.fail(f"{death.name}: nothing died at {moment}")
    talk.servers.store.turn(overloaded=False)
    await talk.half_a_minute_passes()
    await talk.service.start()
    return talk


async def _die_at_work(talk: RecordedTalk, death: Death, moment: str) -> None:
    await talk.service.arm(moment)
    with cut_off():
        await death.during(talk)
    await talk.service.dies(moment)


async def _die_after_sleep(talk: RecordedTalk, death: Death, moment: str) -> None:
    await talk.service.end()
    async with _deaf(talk.service.port):
        await death.during(talk)
    await talk.half_a_minute_passes()
    await talk.service.start_to_die(moment)


@asynccontextmanager
async def _deaf(port: int) -> AsyncIterator[None]:
    """Webhooks are taken there and lost."""

    async def take(_request: Request) -> Response:
        return Response()

    async with serving(Starlette(routes=[Route(WEBHOOKS, take, methods=["POST"])]), port):
        yield


async def _comes_to_its_end(talk: RecordedTalk, death: Death, moment: str) -> None:
    if death.is_request:
        await _ask_again(talk, death)
    for step in death.rest:
        try:
            await step(talk)
        except AssertionError as error:
            row = await talk.servers.database.fetchrow("SELECT * FROM nchat_call_recordings WHERE call_id = $1", talk.call_id)
            raise AssertionError(f"{death.name}: {moment}: {error}: {row}, {await talk.parts()}, {await talk.egresses()}") from None
    assert await talk.wrongs() == [], f"{death.name}: {moment}"
    await talk.leave()


async def _ask_again(talk: RecordedTalk, death: Death) -> None:
    """As a client does that got no answer."""
    try:
        await death.during(talk)
    except Refused as refusal:
        assert refusal.code in death.again, f"{death.name}: {refusal.code}"
